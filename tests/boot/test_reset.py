"""The machine dies in a run: by triple fault, reset, hang or power. The next start goes on behind what killed it."""
import os
import re
import struct
import time
import uuid

import boot
import disk
import vm

BEFORE = "--only not_present.*/4k.* --only takeover.* --only harness.passes "
JOURNAL = "/faultline/journal"
RESET = "it reset or hung this machine"


def number_of_lines(lines, pattern):
    return sum(bool(re.search(pattern, line)) for line in lines)


def taps(lines):
    """What the serial line showed after each start: from a TAP version to the next."""
    starts = [at for at, line in enumerate(lines) if line == "TAP version 14"]
    return [lines[at:end] for at, end in zip(starts, starts[1:] + [len(lines)])]


def halted_in_core(guest):
    """Wait until the processor sleeps where our core is: only harness.hang does that."""
    deadline = time.monotonic() + boot.LIMIT
    while True:
        registers = guest.qmp("human-monitor-command", **{"command-line": "info registers"})
        if re.search(r"RIP=ffffffff[89a-f].*HLT=1", registers, re.S):
            return
        if time.monotonic() > deadline:
            raise AssertionError("the machine does not hang:\n" + registers + "\n".join(guest.lines[-30:]))


class Reset(boot.Case):
    """Each test: @script drives a guest through its deaths, and what was reported in the end is judged."""

    def boot(self, image, options, script=lambda guest: None, readonly=False, folder=None, **fields):
        machine = boot.machine(image, options, readonly=readonly, **fields)
        with vm.Guest(machine, folder or self.new_folder()) as guest:
            try:
                script(guest)
                end, value = guest.wait_end(boot.LIMIT)
            except vm.VmError as error:
                raise AssertionError(f"{error}\n" + "\n".join(guest.lines[-30:])) from error
            picture = guest.picture()
        return boot.Run(end, value, guest.lines, picture, image, guest.seconds(), guest)

    def lose_power(self, image, options, script, **fields):
        """The run up to the end of @script; then QEMU is killed."""
        with vm.Guest(boot.machine(image, options, **fields), self.new_folder()) as guest:
            script(guest)
        return guest.lines

    def check_reports(self, run, status=2):
        """All three formats agree, hold every planned check, and equal the serial line. Out: JSON."""
        self.assertEqual(run.status, status, run.last_words())
        reports = run.reports()
        report = reports.parsed()
        points = boot.parse_tap(reports.tap.decode())
        self.assertEqual(boot.tap_totals(points), reports.totals)
        self.assertEqual(boot.xml_totals(reports.xml), reports.totals)
        self.assertEqual(sum(reports.totals.values()), report["planned"])
        self.assertEqual([point.name for point in points], [check["id"] for check in report["checks"]])
        self.assertEqual(run.serial_tap(), reports.tap.decode())
        self.assertNotIn("journal", disk.list_folder(run.image, "/faultline"))
        return report

    def died(self, report):
        return [(check["id"], check["reason"]["detail"]) for check in report["checks"]
                if check["verdict"] == "error" and check["reason"]["code"] == "reset"]

    def nothing_lost(self, lines, pattern=""):
        """What each start showed before its death (lines like @pattern), later ones repeat; then comes the blame."""
        shown = [[line for line in tap if re.match(pattern, line)] for tap in taps(lines)]
        for earlier, later in zip(shown, shown[1:]):
            blames = [at for at, line in enumerate(later) if "reset or hung this machine; " in line]
            known = blames[number_of_lines(earlier, "reset or hung this machine; ")]
            self.assertEqual(later[:known], earlier[:known])
        return shown


class Deaths(Reset):
    COST = 40

    def test_triple_fault_and_reset(self):
        image = boot.copy_image(self.folder)
        options = BEFORE + "--only harness.triple_fault --only harness.reset --only bench.* --skip bench.bench_*"
        run = self.boot(image, options)
        report = self.check_reports(run)
        self.assertEqual(self.died(report), [("harness.triple_fault", 0), ("harness.reset", 0)])
        self.assertEqual(report["totals"]["errors"], 2)
        self.assertEqual(disk.report_folders(image), ["0001"])
        self.assertEqual(len(self.nothing_lost(run.lines)), 3)
        ids = [check["id"] for check in report["checks"]]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertTrue(ids[-1].startswith("bench."))
        for name in ("harness.triple_fault", "harness.reset"):
            line = f"# {name} reset or hung this machine; the journal on the stick tells what was before"
            self.assertIn(line, run.lines)
        screen = "\n".join(boot.read_screen(run.picture))
        self.assertRegex(screen, r"harness\.triple_fault +ERROR\n +" + RESET)
        self.assertIn("VERDICT: ERROR", screen)

    def test_repeated_rounds(self):
        """A check that killed the machine in one round is not confused with itself in the next."""
        run = self.boot(boot.copy_image(self.folder),
                        "--repeat 3 --only harness.passes --only harness.triple_fault --only bench.* --skip bench.bench_*")
        report = self.check_reports(run)
        self.assertEqual(self.died(report), [("harness.triple_fault", 0)] * 3)
        self.assertEqual(report["totals"]["errors"], 3)
        self.nothing_lost(run.lines)

    def test_programs_keep_their_results(self):
        """What a program left is a record like any other: it comes back from the journal."""
        run = self.boot(boot.copy_image(self.folder), "--only programs.anon_* --only programs.brk_* --only mm.pages* "
                        "--only harness.triple_fault --only harness.passes")
        report = self.check_reports(run)
        self.assertEqual(self.died(report), [("harness.triple_fault", 0)])
        checks = {check["id"]: check for check in report["checks"] if check["verdict"] == "pass"}
        self.assertEqual(set(checks), {"programs.anon_write", "programs.anon_read_zero_page", "mm.pages_may_come_later",
                                       "programs.brk_grow_shrink", "harness.passes"})
        self.assertEqual(checks["programs.anon_write"]["program"]["maps"][-1]["name"], "[stack]")

    def test_reset_in_a_program(self):
        """The rest of the suite runs after it."""
        def script(guest):
            guest.wait_line(r"^ok \d+ - programs\.anon_write", boot.LIMIT)
            guest.reset()

        run = self.boot(boot.copy_image(self.folder), "--only programs.anon_* --only programs.c* --only programs.f*", script)
        report = self.check_reports(run)
        self.assertEqual(sum(check["verdict"] == "error" for check in report["checks"]), 1)
        self.assertEqual(report["checks"][-1]["verdict"], "pass")

    def test_in_a_suite_and_again_in_it(self):
        """Not at a dangerous check: which one it was is not known, so the rest of the suite goes step by step."""
        def script(guest):
            guest.wait_line(r"^(not )?ok \d+ - reserved\.", boot.LIMIT)
            guest.reset()
            guest.wait_line(r"^# the rest of a suite, from here on: reserved\.", boot.LIMIT)
            for _ in range(20):
                guest.wait_line(r"^(not )?ok \d+ - reserved\.", boot.LIMIT)
            guest.reset()

        image = boot.copy_image(self.folder)
        run = self.boot(image, "--only not_present.* --only reserved.* --only takeover.*", script)
        report = self.check_reports(run)
        reserved = [check["id"] for check in report["checks"] if check["id"].startswith("reserved.")]
        first, second = self.died(report)
        self.assertEqual(first, (reserved[0], 1))
        self.assertIn(second[0], reserved[1:])
        self.assertEqual(second[1], 0)
        self.assertEqual(report["totals"]["errors"], 2)
        self.assertEqual(disk.report_folders(image), ["0001"])
        shown = taps(run.lines)
        self.assertEqual(len(shown), 3)
        # All that was shown of the suite that went step by step is known, but for the last step.
        self.assertLessEqual(number_of_lines(shown[1], r"^(not )?ok \d+ - reserved\."), reserved.index(second[0]) + 1)
        notes = [line for line in run.reports().tap.decode().splitlines() if "reset or hung this machine; " in line]
        told = " reset or hung this machine; the journal on the stick tells what was before"
        self.assertEqual(notes, [f"# the rest of a suite, from here on: {first[0]}" + told, f"# {second[0]}" + told])


class Long(Reset):
    COST = 25

    def test_default_run_that_dies_late(self):
        """Much has to be told again, more than the reports take in one step."""
        def script(guest):
            guest.wait_line(r"^(not )?ok \d+ - takeover\.", boot.LIMIT)
            guest.reset()

        image = boot.copy_image(self.folder)
        run = self.boot(image, "", script)
        report = self.check_reports(run)
        self.assertEqual(len(self.died(report)), 1)
        self.assertEqual(report["totals"]["errors"], 1)
        self.assertEqual(disk.report_folders(image), ["0001"])
        self.assertEqual(len(self.nothing_lost(run.lines, r"(not )?ok \d+ - (?!takeover)|# .* hung this")), 2)
        ids = [check["id"] for check in report["checks"]]
        self.assertEqual(len(ids), len(set(ids)))


class Hang(Reset):
    COST = 35
    OPTIONS = BEFORE + "--only harness.hang --only bench.* --skip bench.bench_*"

    def hang(self, guest):
        guest.wait_line(r"^ok \d+ - harness\.passes$", boot.LIMIT)
        halted_in_core(guest)

    def test_reset_from_outside(self):
        image = boot.copy_image(self.folder)
        for number in (1, 2):  # what has ended is not gone on with: the second run is a new one
            run = self.boot(image, self.OPTIONS, self.hang_once)
            report = self.check_reports(run)
            self.assertEqual(self.died(report), [("harness.hang", 0)])
            self.assertEqual(report["totals"]["errors"], 1)
            self.assertEqual(len(self.nothing_lost(run.lines)), 2)
            self.assertEqual(disk.report_folders(image), ["0001", "0002"][:number])

    def hang_once(self, guest):
        self.hang(guest)
        guest.reset()

    def test_power_and_what_becomes_of_the_journal(self):
        """Power goes while it hangs. Then the journal is whole, torn, of another build, gone, or not asked for."""
        image = boot.copy_image(self.folder)
        self.lose_power(image, self.OPTIONS, self.hang)
        saved = disk.copy(image, image + ".saved")
        whole = disk.read_file(image, JOURNAL)
        build = bytes([*whole[:4], whole[4] ^ 1, *whole[5:]])  # efi/journal.c: struct journal_head
        hang, both, torn = ("harness.hang", 0), ["0001", "0002"], len(whole) // 2
        for name, journal, options, resumes, folders in (
                ("whole", whole, "", True, ["0001"]),
                ("torn", whole[:torn], "", True, ["0001"]),
                ("flipped", bytes([*whole[:torn], whole[torn] ^ 8, *whole[torn + 1:]]), "", True, ["0001"]),
                ("other build", build, "", False, both),
                ("other options", whole, " --seed 7", False, both),
                ("too short", whole[:11], "", False, both)):
            with self.subTest(name):
                disk.copy(saved, image)
                disk.write_file(image, JOURNAL, journal)
                report = self.check_reports(self.boot(
                    image, self.OPTIONS + options, (lambda guest: None) if name == "whole" else self.hang_once))
                died = self.died(report)
                self.assertEqual(died[-1], hang)
                self.assertEqual(report["totals"]["errors"], len(died))
                self.assertEqual(len(died), 1 + (resumes and name != "whole"))
                if len(died) == 2:  # blamed for the tear: the first check whose result it took
                    ids = [check["id"] for check in report["checks"]]
                    self.assertIn(died[0][0], ids[1:ids.index("harness.passes")])
                    self.assertEqual(died[0][1], 1)
                self.assertEqual(disk.report_folders(image), folders)


def filled(variables, left):
    """A variable store of EDK II with only about @left bytes free: one more variable takes the others."""
    data = bytearray(variables)
    signature = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le  # authenticated variables
    store = data.index(signature)
    size, = struct.unpack_from("<I", data, store + 16)
    end = store + size
    at = store + 28
    live = b""  # firmware drops the deleted ones at its next start
    while at + 60 <= end and data[at:at + 2] == b"\xaa\x55":
        name, length = struct.unpack_from("<II", data, at + 36)
        entry_end = (at + 60 + name + length + 3) & ~3
        if data[at + 2] == 0x3F:
            live += data[at:entry_end]
        at = entry_end
    at = store + 28 + len(live)
    data[store + 28:end] = live.ljust(end - store - 28, b"\xff")
    number = 0
    while end - at - left > 128:
        title = f"Filling{number:02}\0".encode("utf-16-le")
        length = min(4096, end - at - left - 60 - len(title)) & ~3
        variable = struct.pack("<HBBIQ16sIII16s", 0x55AA, 0x3F, 0, 7, 0, bytes(16), 0, len(title), length,
                               uuid.UUID("fa017111-4e00-4d15-8c00-000000000003").bytes_le)
        variable += title + bytes(length)
        data[at:at + len(variable)] = variable
        at += len(variable)
        number += 1
    return bytes(data)


class ReadOnly(Reset):
    COST = 25
    OPTIONS = BEFORE + "--only harness.triple_fault --only harness.reset --only bench.* --skip bench.bench_*"

    def test_in_variables_and_with_nowhere_to_be(self):
        image = boot.copy_image(self.folder, boot.STICK_IMAGE)
        folder = self.new_folder()
        run = self.boot(image, self.OPTIONS, readonly=True, folder=folder)
        self.assertEqual(run.status, 2, run.last_words())
        self.assertEqual(len(self.nothing_lost(run.lines, r"(not )?ok \d+ - |# harness")), 3)  # details may go
        points = boot.parse_tap(run.serial_tap())
        self.assertEqual([point.name for point in points if f'reason: "{RESET}"' in point.yaml],
                         ["harness.triple_fault", "harness.reset"])
        self.assertEqual(boot.tap_totals(points)["errors"], 2)
        self.assertTrue(points[-1].name.startswith("bench."))
        for name in ("triple_fault", "reset"):
            self.assertIn(f"# harness.{name} reset or hung this machine; the journal in firmware's variables "
                          "tells what was before", run.lines)
        self.assertNotIn("no journal", "\n".join(boot.read_screen(run.picture)))
        with open(os.path.join(folder, "variables.fd"), "rb") as file:
            variables = file.read()

        # The same firmware, now with full flash: nothing can be remembered, so nothing dangerous is done.
        folder = self.new_folder()
        with open(os.path.join(folder, "variables.fd"), "wb") as file:
            file.write(filled(variables, 1500))
        run = self.boot(image, self.OPTIONS, readonly=True, folder=folder)
        self.assertEqual(run.status, 0, run.last_words())
        self.assertEqual(len(taps(run.lines)), 1)
        points = boot.parse_tap(run.serial_tap())
        self.assertEqual([point.name for point in points if point.directive == "SKIP"],
                         ["harness.triple_fault", "harness.reset"])
        self.assertIn("# no journal can be kept: dangerous checks are skipped, and a reset would lose this run",
                      run.lines)
        self.assertIn("no journal", "\n".join(boot.read_screen(run.picture)))

        def script(guest):
            guest.wait_line(r"^(not )?ok \d+ - not_present\.", boot.LIMIT)
            guest.reset()

        folder = self.new_folder()
        with open(os.path.join(folder, "variables.fd"), "wb") as file:
            file.write(filled(variables, 1500))
        run = self.boot(image, self.OPTIONS, script, readonly=True, folder=folder)
        self.assertEqual(run.status, 0, run.last_words())  # from the beginning
        self.assertEqual(len(taps(run.lines)), 2)
