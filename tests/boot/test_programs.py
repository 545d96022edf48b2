"""Ring-3 programs in the machine: every line as on Linux, and what a difference, a death, a trace look like."""
import functools
import re

import boot
import disk
import programs
import test_hostile
import vm

SLOW = "mm.allocations_may_fail_in_*"


class AsOnLinux(boot.Case):
    """One run of all programs; each test looks at another side of it. Other processors: test_machines.py."""

    COST = 20

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_ = boot.run(cls.folder, f"--only programs.* --only mm.* --skip {SLOW}")

    @functools.cached_property
    def report(self):
        return self.run_.reports().parsed()

    @property
    def checks(self):
        return {check["id"]: check for check in self.report["checks"]}

    def test_passes(self):
        bad = {name: [c["text"] for c in check.get("comparisons", []) if c["differs"]] or check.get("reason")
               for name, check in self.checks.items() if check["verdict"] != "pass"}
        self.assertEqual(bad, {})
        self.assertEqual(self.run_.status, 0, self.run_.last_words())

    def test_every_program_has_a_check_and_a_log(self):
        names = programs.names()
        self.assertGreater(len(names), 60)
        self.assertEqual({name for name in self.checks if name.startswith("programs.")},
                         {f"programs.{name}" for name in names})
        for name in names:
            programs.read_log(name)

    def test_nothing_is_skipped(self):
        self.assertEqual([name for name, check in self.checks.items() if check["verdict"] == "skip"], [])

    def test_maps_are_reported(self):
        program = self.checks["programs.anon_write"]["program"]
        names = [row["name"] for row in program["maps"]]
        self.assertEqual((names[0], names[-1]), ("/programs/anon_write", "[stack]"))
        self.assertEqual(program["maps"][0]["start"], "0x400000")
        longest = max(programs.names(), key=len)
        self.assertEqual(self.checks[f"programs.{longest}"]["program"]["maps"][0]["name"], f"/programs/{longest}")
        self.assertTrue(any(row["pages"]["resident"] for row in program["maps"]))
        for row in program["maps"]:
            pages = (int(row["end"], 16) - int(row["start"], 16)) // 4096
            self.assertEqual(sum(row["pages"].values()), pages)
            self.assertEqual(len(row["strip"]), min(pages, -(-pages // -(-pages // 32))))

    def test_counts_are_those_of_the_log(self):
        for name, check in self.checks.items():
            if name.startswith("programs.") and check["verdict"] == "pass":
                recorded = programs.read_log(name.split(".")[1])[1]
                self.assertGreaterEqual(check["program"]["lines"], len(recorded.lines) - 5, name)


class FiveLevels(boot.Case):
    """Firmware that runs with 5 levels of paging: all but what Linux's logs know of 4."""

    COST = 20
    hostile = test_hostile.Hostile.hostile

    def test_as_on_linux(self):
        said, _, lines = self.hostile(f"la57 -- \\faultline.efi --no-wait --only programs.* --only mm.* --skip {SLOW} "
                                      f"{test_hostile.EMULATOR}")
        self.assertEqual(said["la57"][-1], "kept", lines[-30:])
        self.assertTrue(any("5 levels" in line for line in lines))
        self.assertEqual([line for line in lines if line.startswith("not ok")], [])
        skipped = {re.search(r"- (\S+) # SKIP (.*)", line).groups() for line in lines if "# SKIP" in line}
        self.assertEqual(skipped, {(f"programs.{name}", "Linux's log of it is of 4 levels of paging")
                                   for name in ("kernel_address", "non_canonical", "non_canonical_stack")})


class Allocations(boot.Case):
    """Each allocation fails in turn, in the programs that take longest."""

    COST = 40

    def test_nothing_is_lost(self):
        run = boot.run(self.folder, f"--only {SLOW}")
        self.assertEqual(run.status, 0, run.last_words())


class Differences(boot.Case):
    """What is wrong is found and shown: with a log in the application that is another one."""

    COST = 20

    def image_with(self, old, new):
        """The run disk whose application has @new instead of @old."""
        image = boot.copy_image(self.folder)
        with open(boot.APPLICATION, "rb") as file:
            data = file.read()
        self.assertEqual((len(old), data.count(old)), (len(new), 1))
        disk.write_file(image, "/EFI/BOOT/BOOTX64.EFI", data.replace(old, new))
        return image

    def test_a_wrong_line_is_found(self):
        image = self.image_with(b"munmap: 0\nwrite 0x10000000: SIGSEGV SEGV_MAPERR si_addr 0x10000000 err 0x6",
                                b"munmap: 0\nwrite 0x10000000: SIGSEGV SEGV_MAPERR si_addr 0x10000000 err 0x4")
        run = boot.run(self.folder, "--only programs.anon_write --only programs.anon_read_zero_page", image=image)
        self.assertEqual(run.status, 1, run.last_words())
        checks = {check["id"]: check for check in run.reports().parsed()["checks"]}
        self.assertEqual(checks["programs.anon_read_zero_page"]["verdict"], "pass")
        bad = [c["text"] for c in checks["programs.anon_write"]["comparisons"] if c["differs"]]
        log = open(programs.log_path("anon_write"), encoding="ascii").read().split("\n")
        line = next(at for at, text in enumerate(log, 1) if "err 0x6" in text and "SIGSEGV" in text)
        self.assertRegex(bad[1], fr'^line of the log {line}: expected "write .* err 0x4 .*", got "write .* err 0x6 .*"$')
        self.assertEqual(len(bad), 2)

    def test_the_old_stack_rule_is_no_longer_linux(self):
        """--old-stack-rule: growth far below RSP is refused, and Linux 6.1's log knows better."""
        run = boot.run(self.folder, "--only programs.stack_growth --old-stack-rule")
        self.assertEqual(run.status, 1, run.last_words())
        bad = [c["text"] for check in run.reports().parsed()["checks"] for c in check["comparisons"] if c["differs"]]
        self.assertRegex(bad[1], r'expected "write 0x\w+: \w+, 1 fault", got "write 0x\w+: SIGSEGV SEGV_MAPERR ')

    def test_wrong_memory_is_found(self):
        """Something of a program's memory is made wrong behind its back: the audit says what, and the next one runs."""
        for word, finding in (("keep-writable", "a private page is writable or exclusive, and has several holders"),
                              ("lose-page", "a frame is in use that nobody has"),
                              ("stray-leaf", "a leaf lies in no VMA")):
            with self.subTest(word):
                run = boot.run(self.folder, f"--only programs.dontneed_refill --sabotage mm:{word} --repeat 2")
                checks = run.reports().parsed()["checks"]
                self.assertEqual([check["verdict"] for check in checks], ["fail", "fail"])
                for check in checks:
                    found = [c["text"] for c in check["comparisons"] if c["field"] == "audit" and c["differs"]]
                    self.assertIn(f"audit: expected good, got {finding}", found)

    def test_explain_shows_both_sides(self):
        run = boot.run(self.folder, "--explain programs.anon_write")
        recorded = programs.read_log("anon_write")[1].lines
        shown = [found[1] for found in (re.match(r"^ *\d+   (.*)$", line) for line in run.lines) if found]
        self.assertEqual(shown, recorded)
        self.assertIn("   verdict PASS", run.lines)

    def test_trace_tells_of_each_fault(self):
        run = boot.run(self.folder, "--only programs.anon_write --mm-trace")
        self.assertEqual(run.status, 0, run.last_words())
        report = run.reports()
        tap = report.tap.decode()
        self.assertEqual(run.serial_tap(), tap)
        lines = [line for line in tap.splitlines() if line.startswith("# mm: ")]
        for line in lines:
            self.assertRegex(line, r"^# mm: task \d+ at [0-9a-f]{12,16} error [0-9a-f]+ \([^)]+\) "
                             r"(in [0-9a-f]{12}-[0-9a-f]{12} [r-][w-][x-][ps]|no VMA): [\w, ]+( \(\d+ pages\))?, \d+ ticks$")
        self.assertTrue(any(re.match(r"# mm: task \d+ at 000010000000 error 6 \(not-present W U\) in "
                                     r"000010000000-000010010000 rw-p: zeroed page, ", line) for line in lines))
        self.assertTrue(any("no VMA: SIGSEGV" in line for line in lines))
        program = report.parsed()["checks"][0]["program"]
        resolved = [line for line in lines if not re.search("SIG|spurious|vmalloc", line)]
        self.assertEqual(len(resolved), program["minor_faults"])

    def test_the_last_page_shows_the_memory(self):
        """A person at the screen presses End."""
        image = boot.copy_image(self.folder)
        machine = vm.Machine(drives=[vm.Drive(image, "virtio")],
                             options=f"{test_hostile.EMULATOR} --only programs.anon_write")
        with vm.Guest(machine, self.new_folder()) as guest:
            guest.wait_line(r"^VERDICT: PASS", boot.LIMIT)

            def page():
                guest.send_key("end")
                try:
                    rows = boot.read_screen(guest.picture())
                except AssertionError:
                    return False
                return any(" . untouched " in row for row in rows) and rows

            rows = guest.wait_for(page, 30, "the last page")
        at = next(i for i, row in enumerate(rows) if row.startswith(" memory of"))
        self.assertTrue(any("[stack]" in row for row in rows[at:]), rows)
        self.assertTrue(any("untouched" in row and "zero page" in row for row in rows[at:]), rows)

    def test_little_memory_skips_what_needs_more(self):
        """Firmware has no larger block than 24 MiB."""
        run = boot.run(self.folder, "--only programs.anon_write --only bench.bench_vmas", memory="128M")
        found = {check["id"]: check["verdict"] for check in run.reports().parsed()["checks"]}
        self.assertEqual(found, {"programs.anon_write": "pass", "bench.bench_vmas": "skip"})
