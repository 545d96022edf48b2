"""A second machine: the standard suites in Bochs, whose processor shares no code with QEMU's, and its runner."""
import collections
import json
import os
import re
import select
import subprocess
import unittest.mock

import boot  # first: it knows where the others are
import bochs
import disk

RUN = os.path.join(boot.TREE, "tools", "run")
WORLD = "tigerlake"  # the processor of `make run EMULATOR=bochs`

Done = collections.namedtuple("Done", "status report lines stderr folder")


def tools_run(folder, image=None, **environment):
    """`make run EMULATOR=bochs` in @folder, but for the building."""
    os.symlink(image or boot.RUN_IMAGE, os.path.join(folder, "run.img"))
    clean = {name: value for name, value in os.environ.items() if name not in ("ACCEL", "CPU", "OPTIONS")}
    done = subprocess.run([RUN, folder], env={**clean, "EMULATOR": "bochs", **environment}, capture_output=True,
                          text=True, errors="replace", timeout=2 * boot.LIMIT)
    report = None
    path = os.path.join(folder, "report.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    return Done(done.returncode, report, done.stdout.splitlines(), done.stderr, folder)


def bochs_run(folder, options="", **environment):
    """One run in Bochs: its exit status, report.json, the lines of the serial port, and the runner's words.

    Where all firmware there is is too large for this Bochs, the test is skipped.
    """
    try:
        bochs.find_firmware(os.environ.get("OVMF_CODE", ""))
    except bochs.FirmwareTooLarge as error:
        raise boot.cannot_run_here(error) from error
    return tools_run(folder, OPTIONS=options, TIMEOUT=str(boot.LIMIT), **environment)


def listed_deviations(vendor="", in_matrix=False):
    """Sentences of the entries for Bochs in tests/deviations.c; also those for @vendor's processors. @in_matrix: only
    those that points of the matrix meet."""
    with open(os.path.join(boot.TREE, "tests", "deviations.c"), encoding="ascii") as file:
        entries = re.findall(r"^    \{$(.*?)^    \},$", file.read(), flags=re.M | re.S)
    assert entries
    return {re.search(r'\.sentence = "([^"]+)"', entry).group(1) for entry in entries
            if '.machine = "Bochs"' in entry and (".points = " in entry or not in_matrix)
            and (".vendors" not in entry or vendor and f"VENDOR_{vendor}" in entry)}


def known_deviations(report):
    return {check["deviation"]["sentence"] for check in report["checks"] if "deviation" in check}


class Standard(boot.Case):
    """The default run, but for two programs of a thousand million instructions; each test looks at another thing
    that it left."""

    COST = 40

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_ = bochs_run(cls.folder, "--skip programs.many_vmas --skip programs.malloc_churn")

    def last_words(self):
        return "\n".join(self.run_.lines[-30:]) + "\n" + self.run_.stderr

    def test_passes(self):
        """Whatever Bochs does wrong is a listed deviation."""
        self.assertIsNotNone(self.run_.report, self.last_words())
        wrong = [(check["id"], check["verdict"]) for check in self.run_.report["checks"]
                 if check["verdict"] in ("fail", "error")]
        self.assertEqual(wrong, [])
        self.assertEqual(self.run_.status, 0, self.last_words())
        self.assertEqual((self.run_.report["verdict"], self.run_.report["exit_status"]), ("pass", 0))
        self.assertGreater(self.run_.report["totals"]["passed"], 2000)

    def test_every_listed_deviation_is_met(self):
        self.assertLessEqual(listed_deviations(), known_deviations(self.run_.report))
        self.assertEqual([line for line in self.run_.lines if line.startswith("# stale")], [])

    def test_it_is_bochs(self):
        machine = self.run_.report["machine"]
        self.assertEqual((machine["emulator"], machine["emulator_version"]), ("Bochs", bochs.version()))
        self.assertIn(f"run: Bochs {bochs.version()}, processor {WORLD}", self.run_.stderr)

    def test_serial_line_is_the_report(self):
        run = boot.Run("", 0, self.run_.lines, None, "", 0, None)
        with open(os.path.join(self.folder, "report.tap"), encoding="utf-8") as file:
            tap = file.read()
        self.assertEqual(run.serial_tap(), tap)
        self.assertEqual(boot.tap_totals(boot.parse_tap(tap)), self.run_.report["totals"])

    def test_last_line_is_the_verdict(self):
        last = [line for line in self.run_.lines if line.strip()][-1]
        self.assertRegex(last, boot.VERDICT_LINE + r".*  exit 0$")

    def test_features_that_make_it_a_witness(self):
        """What QEMU and Bochs both have is judged in both."""
        features = self.run_.report["machine"]["features"]
        for name in ("NX", "1-GiB pages", "SMEP", "SMAP", "PKU"):
            self.assertIn(name, features)


class Processors(boot.Case):
    """Another vendor's processor."""

    COST = 15

    def test_amd_has_a_deviation_of_its_own(self):
        done = bochs_run(self.folder, '--only "reserved.level_bit_*"', CPU="phenom_8650_toliman")
        self.assertEqual(done.status, 0, "\n".join(done.lines[-30:]) + done.stderr)
        self.assertEqual(done.report["machine"]["vendor"], "AuthenticAMD")
        self.assertEqual(known_deviations(done.report), listed_deviations("AMD") - listed_deviations())
        known = {check["id"] for check in done.report["checks"] if "deviation" in check}
        self.assertTrue(all(re.search(r"l4\..*bit8$", name) for name in known), known)
        faults = [check["id"] for check in done.report["checks"] if re.search(r"faults/.*l4\..*bit8$", check["id"])]
        self.assertEqual(sorted(known), sorted(faults))


class Firmware(boot.Case):
    """Newer distributions have OVMF of 4 MiB only."""

    def firmware(self, *megabytes):
        paths = [os.path.join(self.new_folder(), "ovmf.fd") for _ in megabytes]
        for path, size in zip(paths, megabytes):
            with open(path, "wb") as file:
                file.truncate(size << 20)
        return unittest.mock.patch.object(bochs, "FIRMWARE", paths)

    def test_the_first_that_fits(self):
        with self.firmware(9, 2, 1):
            self.assertEqual(bochs.find_firmware(), bochs.FIRMWARE[1])

    def test_where_none_fits_runs_are_skipped_by_name(self):
        with self.firmware(9, 10), unittest.mock.patch.dict(os.environ):
            os.environ.pop("OVMF_CODE", None)
            with self.assertRaisesRegex(unittest.SkipTest, f"cannot run here: {bochs.FIRMWARE[0]}, .*at most"):
                bochs_run(self.folder)

    def test_where_there_is_none_is_no_reason_to_skip(self):
        with self.firmware(), self.assertRaisesRegex(boot.vm.VmError, "no OVMF firmware found") as caught:
            bochs.find_firmware()
        self.assertNotIsInstance(caught.exception, bochs.FirmwareTooLarge)


class Options(boot.Case):
    def config(self, *texts, before=None):
        """faultline.cfg after @texts were put into it one after the other."""
        image = disk.make_fat(os.path.join(self.new_folder(), "a.img"), 64, {})
        if before is not None:
            disk.write_file(image, "/faultline.cfg", before)
        for text in texts:
            bochs.put_options(image, text)
        return disk.read_file(image, "/faultline.cfg").decode().split("\n")

    def test_options_are_added_to_what_is_there(self):
        self.assertEqual(self.config("--a"), ["--a", ""])
        self.assertEqual(self.config("--b", "--c", before=b"# says --x\r\n--a\r\n"), ["--a", "--b", "--c", ""])
        self.assertEqual(self.config("--b", before=b"--a"), ["--a", "--b", ""])

    def test_comment_among_options_is_refused(self):
        for text in ("--a # b", "#--a"):
            with self.assertRaisesRegex(boot.vm.VmError, "starts a comment"):
                self.config(text)
        self.assertEqual(self.config("--only a#b"), ["--only a#b", ""])

    def test_runner_says_who_it_is_and_where_the_status_goes(self):
        self.assertEqual(bochs.application_options("--list"),
                         f"--emulator Bochs-{bochs.version()} --no-wait --debug-exit=0xe9 --list")


def out(port, *values):
    """16-bit code that writes @values, bytes or texts, to @port."""
    text = b"".join(value.encode() if isinstance(value, str) else bytes([value]) for value in values)
    return f"    mov ${port:#x}, %dx\n" + "".join(f"    mov ${byte:#x}, %al\n    out %al, %dx\n" for byte in text)


def serial(text):
    """The same for the serial port, with 8 bits a byte, each sent before the next."""
    sent = "9:  mov $0x3fd, %dx\n    in %dx, %al\n    test $0x40, %al\n    jz 9b\n"
    return out(0x3FB, 3) + "".join(out(0x3F8, letter) + sent for letter in text)


POWER_OFF = out(0x8900, "Shutdown")  # as firmware made for Bochs does it


class Runner(boot.Case):
    """tools/run with machines whose firmware is a few instructions of ours."""

    COST = 12

    def rom(self, body):
        """A 64-KiB image with @body in 16-bit code; behind it the processor waits for ever."""
        folder = self.new_folder()
        source = os.path.join(folder, "rom.S")
        with open(source, "w", encoding="ascii") as file:
            file.write(f"""
    .code16
start:
{body}
1:  cli
    hlt
    jmp 1b
    .org 0xfff0
    ljmp $0xf000, $start
    .org 0xffff
    .byte 0
""")
        for command in (["gcc", "-c", source, "-o", source + ".o"],
                        ["ld", "-Ttext=0", "--oformat=binary", "-e", "start", source + ".o", "-o", source + ".bin"]):
            subprocess.run(command, check=True, capture_output=True)
        return source + ".bin"

    def run_rom(self, body, timeout=60, **environment):
        image = disk.make_fat(os.path.join(self.new_folder(), "a.img"), 64, {})
        return tools_run(self.new_folder(), image, OVMF_CODE=self.rom(body), TIMEOUT=str(timeout), **environment)

    def log(self, done):
        with open(os.path.join(done.folder, "bochs.log"), encoding="ascii") as file:
            return file.read()

    def test_status_is_what_was_written_to_the_port(self):
        for status in (0, 1, 2):
            with self.subTest(status=status):
                done = self.run_rom(out(bochs.EXIT_PORT, "noise\n", 0x10 + status))
                self.assertEqual((done.status, done.stderr.count("\n")), (status, 1), done.stderr)

    def test_after_power_off_the_verdict_counts(self):
        for said, status in (("VERDICT: PASS", 0), ("VERDICT: FAIL", 1), ("VERDICT: ERROR", 2), ("VERDICT: ?", 2)):
            with self.subTest(said):
                done = self.run_rom(serial(said + "\n") + POWER_OFF)
                self.assertEqual((done.status, done.lines), (status, [said]), done.stderr)
        self.assertIn("the machine ended without a verdict (shutdown guest-shutdown)", done.stderr)

    def test_hung_guest_is_ended(self):
        done = self.run_rom(serial("hello"), timeout=10)
        self.assertEqual((done.status, done.lines), (2, ["hello"]))
        self.assertIn("time-out: no verdict after 10 s (TIMEOUT=); Bochs was ended", done.stderr)

    def test_bochs_that_dies_is_named_with_its_last_words(self):
        done = self.run_rom(out(0x400, 77))
        self.assertEqual(done.status, 2)
        self.assertRegex(done.stderr, r"run: Bochs ended with status \d+: \[BIOS +\] BIOS panic at rombios.c, line 77")

    def test_port_402_goes_to_the_log(self):
        done = self.run_rom(out(0x402, "firmware says so\n") + out(bochs.EXIT_PORT, 0x10))
        self.assertEqual(done.status, 0)
        self.assertTrue("firmware says so\n" in self.log(done))

    def test_log_is_bounded(self):
        done = self.run_rom(out(0x402, "first words\n") + "    mov $20000, %cx\n2:\n" +
                            out(0x402, "again and again and again\n") + "    dec %cx\n    jnz 2b\n" +
                            out(0x402, "last words\n") + out(bochs.EXIT_PORT, 0x10))
        self.assertEqual(done.status, 0)
        log = self.log(done)
        self.assertLess(len(log), 600 << 10)
        self.assertTrue(re.search(r"(?s)first words\n.*again.*\[\.\.\. \d+ bytes \.\.\.\].*again.*last words\n", log))

    def test_bad_requests_are_named(self):
        large = os.path.join(self.new_folder(), "large.fd")
        with open(large, "wb") as file:
            file.truncate(bochs.ROM_MOST * 2 + 1)
        for name, value, words in (("EMULATOR", "boch", "say qemu or bochs"),
                                   ("CPU", "max", "Bochs knows bx_generic"), ("CPU", "ryzen", "SEV"),
                                   ("MEM", "lots", "256M"), ("SMP", "0", "positive number"),
                                   ("SMP", "9999", "out of range"), ("TIMEOUT", "soon", "positive number"),
                                   ("ACCEL", "kvm", "no accelerators"), ("OVMF_CODE", "/no/such", "no such file"),
                                   ("OVMF_CODE", large, "at most"), ("BOCHS", "/no/such/bochs", "tools/setup"),
                                   ("DISK", "/no/such/disk", "No such file"), ("OPTIONS", "--list # all", "comment")):
            with self.subTest(name=name, value=value):
                done = tools_run(self.new_folder(), **{"TIMEOUT": "60", name: value})
                self.assertEqual(done.status, 2)
                self.assertIn(value, done.stderr)
                self.assertIn(words, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_bochs_does_not_outlive_its_starter(self):
        folder = self.new_folder()
        image = disk.make_fat(os.path.join(folder, "a.img"), 64, {})
        script = ("import os, signal, sys; sys.path.insert(0, sys.argv[1]); import bochs; "
                  "guest = bochs.Guest(bochs.Machine(sys.argv[3], firmware=sys.argv[4]), sys.argv[2]); "
                  "print(guest.process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)")
        done = subprocess.run(["python3", "-c", script, os.path.join(boot.TREE, "tools"), folder, image, self.rom("")],
                              capture_output=True, text=True)
        pid = int(done.stdout)
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return  # it has gone already
        try:
            ended, _, _ = select.select([handle], [], [], 20)
        finally:
            os.close(handle)
        self.assertTrue(ended, f"Bochs {pid} still runs")


if __name__ == "__main__":
    boot.unittest.main()
