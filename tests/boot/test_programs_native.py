"""Programs (tests/programs/) on the build machine's own Linux: what its kernel and processor make of them is what was
recorded. And the tools that record and compare: masks, logs, accepted differences."""
import os
import re
import tempfile
import traceback
import unittest

import boot
import cpio
import programs


class Native(unittest.TestCase):
    """One test for each program: it writes what Linux's log says."""

    table = None
    ran = []

    @classmethod
    def setUpClass(cls):
        cls.table = programs.read_table()
        cls.ran = []

    def check(self, name):
        self.assertIsNone(programs.stale(name, boot.BUILD))
        if programs.bound(name):
            raise boot.cannot_run_here(programs.bound(name))
        output = programs.run_native(name, boot.BUILD)
        if output.lacks:
            raise boot.cannot_run_here(f"this machine lacks {output.lacks}")
        self.ran.append(name)
        problems = programs.judge(name, output, programs.native_system(), self.table)
        self.assertEqual(problems, [], "\n" + "\n".join(problems))

    def test_zz_every_accepted_difference_occurs(self):
        """The last of the class: rows about this kernel that explained nothing are stale."""
        self.assertEqual(programs.stale_rows(self.table, programs.native_system(), self.ran), [])


class Starter(unittest.TestCase):
    """What whoever started us ignores or blocks is not the program's business."""

    def test_signals_are_as_after_boot(self):
        ignore = (1).to_bytes(8, "little") + bytes(programs.KERNEL_SIGACTION - 8)
        child = os.fork()
        if not child:
            status = 1
            try:
                for number in (1, 2, 3, 15, 32, 33, 34, 64):
                    programs.kernel(programs.SYS_RT_SIGACTION, number, ignore, None, programs.SIGNAL_SET)
                programs.kernel(programs.SYS_RT_SIGPROCMASK, 0, b"\xff" * 8, None, programs.SIGNAL_SET)
                output = programs.run_native("kill_and_masks", boot.BUILD)
                status = output != programs.read_log("kill_and_masks")[1]
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


def one(name):
    return lambda self: self.check(name)


for program in programs.names():
    setattr(Native, f"test_{program}", one(program))


class Logs(unittest.TestCase):
    """Logs in the tree belong to programs, and say what they were recorded with."""

    def test_each_log_has_its_program(self):
        logs = sorted(name[:-4] for name in os.listdir(programs.LOGS) if name.endswith(".log"))
        self.assertEqual(logs, programs.names())

    def test_each_program_is_told_of(self):
        with open(programs.README, encoding="utf-8") as file:
            table = file.read().split("## What they show")[1].split("\n## ")[0]
        told = [name for row in re.findall(r"^\| [^|]+ \| (`.*`) \|$", table, re.M) for name in re.findall(r"`(\w+)`", row)]
        self.assertEqual(sorted(told), programs.names())

    def test_heads(self):
        for name in programs.names():
            with self.subTest(name):
                head, output = programs.read_log(name)
                self.assertIn("6.1.", head["kernel"])
                self.assertNotEqual(head["source"], "unknown")
                self.assertIsNone(output.lacks)

    def test_a_log_that_is_cut_off_or_missing_is_named(self):
        with tempfile.TemporaryDirectory(dir=boot.BUILD) as folder:
            with self.assertRaisesRegex(programs.ProgramError, "no log of Linux"):
                programs.read_log("anon_write", folder)
            for text, words in (("# kernel: x\n", "cut off"), ("# kernel: x\n#\nline", "cut off"),
                                ("# kernel: x\n#\n", "does not say source"), ("kernel\n#\n", "not a line of a log's head")):
                with open(os.path.join(folder, "anon_write.log"), "w", encoding="ascii") as file:
                    file.write(text)
                with self.assertRaisesRegex(programs.ProgramError, words):
                    programs.read_log("anon_write", folder)

    def test_a_changed_source_makes_its_log_stale(self):
        name = programs.names()[0]
        self.assertIsNone(programs.stale(name, boot.BUILD))
        with tempfile.TemporaryDirectory(dir=boot.BUILD) as folder:
            with open(os.path.join(folder, programs.FLAGS), "w", encoding="ascii") as file:
                file.write("-O2\n")
            self.assertIn("make record PROGRAM=" + name, programs.stale(name, folder))


    def test_what_a_program_includes_counts(self):
        self.assertIn("library/fpu.S", programs.sources("fpu_state_survives"))
        self.assertIn("library/elf_start.h", programs.sources("elf_start"))
        self.assertIn("library/random.h", programs.sources("random_lock"))  # by way of random_operations.h
        self.assertEqual(programs.sources("anon_write"), ["anon_write.c", *programs.LIBRARY])


class Masks(unittest.TestCase):
    """programs.mask()"""

    def test_maps(self):
        lines = ["before",
                 "  00400000-00401000 r--p 00000000 00:02 4711                               /programs/anon_write",
                 "  00401000-00402000 r-xp 00001000 fe:00 99        /home/me/faultline/build/programs/anon_write",
                 "  10000000-10001000 rw-p 00000000 00:00 0 ",
                 "  10002000-10003000 rw-s 00000000 00:01 12                     /memfd:a (deleted)",
                 "  7ffff7ff9000-7ffff7ffd000 r--p 00000000 00:00 0                          [vvar]",
                 "  7ffff7ffb000-7ffff7ffd000 r--p 00000000 00:00 0                          [vvar_vclock]",
                 "  7ffff7ffd000-7ffff7fff000 r-xp 00000000 00:00 0                          [vdso]",
                 "  7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]",
                 "after: 00:02 4711"]
        self.assertEqual(programs.mask(lines), [
            "before",
            "  00400000-00401000 r--p 00000000 DEVICE INODE /programs/anon_write",
            "  00401000-00402000 r-xp 00001000 DEVICE INODE /programs/anon_write",
            "  10000000-10001000 rw-p 00000000 00:00 0",
            "  10002000-10003000 rw-s 00000000 DEVICE INODE /memfd:a (deleted)",
            "  7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]",
            "after: 00:02 4711"])


class Comparison(unittest.TestCase):
    """programs.judge() and the table of accepted differences."""

    HEAD = "| program | where | Linux's log | the other's | reason |\n| --- | --- | --- | --- | --- |\n"

    @staticmethod
    def judged(linux, other, table, system="Faultline", end="exit status 0"):
        return programs.judge("anon_write", programs.Output(other, end), system, table,
                              programs.Output(linux, "exit status 0"))

    def test_equal_is_silent(self):
        self.assertEqual(self.judged(["a", "b"], ["a", "b"], []), [])

    def test_each_differing_line_is_named(self):
        self.assertEqual(self.judged(["a", "b", "c"], ["a", "x", "c"], []),
                         ["anon_write: Linux: b", "anon_write: Faultline: x"])
        self.assertEqual(self.judged(["a", "b"], ["a"], []), ["anon_write: Linux: b", "anon_write: Faultline: (no line)"])
        self.assertEqual(self.judged(["a"], ["a", "b"], []), ["anon_write: Linux: (no line)", "anon_write: Faultline: b"])
        self.assertEqual(self.judged([], [], [], end="killed by SIGSEGV"),
                         ["anon_write: Linux: end: exit status 0", "anon_write: Faultline: end: killed by SIGSEGV"])

    def test_an_accepted_difference_explains_exactly_its_lines(self):
        text = self.HEAD + "| anon_write | Faultline | `b` | `x` | a reason |\n"
        table = programs.parse_table(text)
        self.assertEqual(self.judged(["a", "b"], ["a", "x"], table), [])
        self.assertEqual(programs.stale_rows(table, "Faultline", ["anon_write"]), [])
        table = programs.parse_table(text)
        self.assertEqual(len(self.judged(["a", "b"], ["a", "y"], table)), 2)
        [stale] = programs.stale_rows(table, "Faultline", ["anon_write"])
        self.assertIn("does not occur", stale)
        self.assertEqual(programs.stale_rows(table, "Linux 6.1", ["anon_write"]), [])  # not about that one
        self.assertEqual(programs.stale_rows(table, "Faultline", []), [])  # it did not run
        self.assertEqual(len(self.judged(["a", "b"], ["a", "x"], table, "Linux 6.1")), 2)

    def test_a_program_that_is_not_there_makes_its_row_stale(self):
        table = programs.parse_table(self.HEAD + "| no_such | Faultline | `b` | - | a reason |\n")
        self.assertEqual(len(programs.stale_rows(table, "Faultline", [])), 1)

    def test_versions(self):
        for where, system, applies in (("Linux >= 6.4", "Linux 6.4", True), ("Linux >= 6.4", "Linux 6.18", True),
                                       ("Linux >= 6.4", "Linux 6.1", False), ("Linux < 6.4", "Linux 6.1", True),
                                       ("Linux < 6.4", "Linux 6.4", False), ("Linux < 6.4", "Faultline", False),
                                       ("Faultline", "Faultline", True), ("Faultline", "Linux 6.1", False)):
            with self.subTest(f"{where}, {system}"):
                self.assertEqual(programs.Accepted("a", where, "b", "c", "d").applies(system), applies)

    def test_rows_that_say_too_little_are_errors(self):
        for row, words in (("| a | Faultline | `b` | `c` |", "not a row"), ("| a | Faultline | `b` | `c` | |", "not a row"),
                           ("| a | Windows | `b` | `c` | d |", "where is that"),
                           ("| a | Faultline | b | `c` | d |", "backticks")):
            with self.subTest(row), self.assertRaisesRegex(programs.ProgramError, words):
                programs.parse_table(self.HEAD + row + "\n")


    def test_programs_for_one_kernel(self):
        head = "| programs | natively only on | why |\n| --- | --- | --- |\n"
        self.assertEqual(programs.parse_bound(head + "| `anon_*` | Linux 1.0 | it is old |\n\ntext"),
                         [("anon_*", "Linux 1.0", "it is old")])
        for text in ("", head + "| `no_such*` | Linux 1.0 | it is old |\n", head + "| `anon_*` | Linux | it is old |\n"):
            with self.subTest(text), self.assertRaisesRegex(programs.ProgramError, "README.md"):
                programs.parse_bound(text)


class Recorder(unittest.TestCase):
    """tools/record: what the serial line says, and the archive that is booted."""

    def test_outputs(self):
        record = boot.load_tool("record")
        version, found = record.outputs(["noise", "@@ version Linux version 6.1", "@@ begin a", "one", "two", "@@ end a 0",
                                         "@@ begin b", "cut@@ end b 11", "@@ begin c", "never ends", "@@ done"])
        self.assertEqual(version, "Linux version 6.1")
        self.assertEqual(found, {"a": (["one", "two"], 0), "b": (["cut"], 11)})
        self.assertEqual(programs.end_text(11), "killed by SIGSEGV")
        self.assertEqual(programs.end_text(0x300), "exit status 3")

    def test_sources(self):
        record = boot.load_tool("record")
        self.assertEqual(record.source_of("Linux version 6.1.0-9-amd64 (x) (gcc) #1 SMP Debian 6.1.27-1 (2023-05-08)"),
                         "linux-image-6.1.0-9-amd64 6.1.27-1 (Debian)")
        self.assertEqual(record.source_of("Linux version 1"), "unknown")

    def test_costs(self):
        record = boot.load_tool("record")
        self.assertEqual(record.bench_table({"bench_a": (["one_event 100 2500", "words in between"], 0)}),
                         [("one_event", 100, 25.0)])
        with self.assertRaisesRegex(programs.ProgramError, "bench_a: exit status 1:\nx: 3 faults"):
            record.bench_table({"bench_a": (["x: 3 faults in 4 events"], 0x100)})
        with self.assertRaisesRegex(programs.ProgramError, "no costs"):
            record.bench_table({"bench_a": (["lacks memory"], 0)})

    def test_archive(self):
        data = cpio.archive({"init": b"abc", "programs/a": b"x"})
        names, at = [], 0
        while True:
            self.assertEqual(data[at:at + 6], b"070701")
            fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
            end = at + 110 + fields[11]
            name = data[at + 110:end - 1].decode()
            end += -end % 4
            if name == "TRAILER!!!":
                break
            names.append((name, oct(fields[1]), data[end:end + fields[6]]))
            at = end + fields[6]
            at += -at % 4
        self.assertEqual(names, [("dev", "0o40755", b""), ("dev/console", "0o20600", b""), ("init", "0o100755", b"abc"),
                                 ("programs", "0o40755", b""), ("programs/a", "0o100755", b"x")])
