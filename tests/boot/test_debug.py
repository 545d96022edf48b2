"""make debug: gdb stops at one named check, with symbols of both link units."""
import os
import subprocess

import boot



class Debug(boot.Case):
    COST = 8

    def debug(self, check, *gdb):
        return subprocess.run([os.path.join(boot.TREE, "tools", "debug"), boot.BUILD, check, "-batch", *gdb],
                              capture_output=True, text=True, timeout=boot.LIMIT, stdin=subprocess.DEVNULL)

    def first_check(self):
        run = boot.run(self.folder, "--list --only *.user")
        ids = [line for line in run.lines if line.endswith(".user")]
        self.assertGreater(len(ids), 1, run.last_words())
        return ids[1]

    def test_stops_at_the_check_with_symbols(self):
        check = self.first_check()
        done = self.debug(check, "-ex", "print id", "-ex", "backtrace", "-ex", "info symbol efi_main",
                          "-ex", "info symbol batch_run")
        self.assertIn(f'"{check}"', done.stdout, done.stderr)
        self.assertRegex(done.stdout, r"#0 +trial_run_one \(")
        self.assertRegex(done.stdout, r"#\d+ .*batch_run .*tests/harness/session\.c:\d+")
        self.assertRegex(done.stdout, r"efi_main in section \.text of .*faultline\.so")
        self.assertRegex(done.stdout, r"batch_run in section \.text")

    def test_stops_in_a_program_and_at_its_fault(self):
        """As docs/debugging.md says."""
        done = self.debug("programs.anon_write", "-ex", f"add-symbol-file {boot.BUILD}/programs/anon_write",
                          "-ex", "hbreak program", "-ex", "continue", "-ex", "delete 1",
                          "-ex", "hbreak mm_resolve", "-ex", "continue", "-ex", "print/x address", "-ex", "backtrace")
        self.assertRegex(done.stdout, r"Breakpoint 2, 0x0*401\w+ in program \(\)", done.stderr)
        self.assertIn("Breakpoint 3, mm_resolve (", done.stdout)
        self.assertIn("$1 = 0x10000000", done.stdout)
        self.assertRegex(done.stdout, r"#1 +.*page_fault_resolve .*fault/page_fault\.c:\d+\n"
                                      r"#2 +.*trap_common .*fault/entry\.S:\d+")

    def test_check_that_does_not_exist_is_no_stop(self):
        done = self.debug("no.such/check", "-ex", "print id")
        self.assertNotIn("Breakpoint 1, ", done.stdout)
        self.assertIn("VERDICT: ERROR", done.stdout)

    def test_needs_an_id(self):
        done = subprocess.run([os.path.join(boot.TREE, "tools", "debug"), boot.BUILD], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("ID=", done.stderr)
