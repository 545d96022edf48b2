"""The runner itself, with guests that are not the application: choice of accelerator, time-outs, hung guests."""
import os
import re
import select
import shutil
import subprocess

import boot
import disk
import vm

PROBE = os.path.join(boot.BUILD, "kvm-probe.bin")
RUN = os.path.join(boot.TREE, "tools", "run")


class Accelerator(boot.Case):
    def probe(self, *edits):
        """The probe's image with some of its source changed."""
        folder = self.new_folder()
        with open(os.path.join(boot.TREE, "tools", "kvm-probe.S"), encoding="ascii") as file:
            text = file.read()
        for old, new in edits:
            self.assertIn(old, text)
            text = text.replace(old, new)
        source = os.path.join(folder, "probe.S")
        with open(source, "w", encoding="ascii") as file:
            file.write(text)
        for command in (["gcc", "-c", source, "-o", source + ".o"],
                        ["ld", "-Ttext=0xf0000", "--oformat=binary", "-e", "start", source + ".o", "-o", source + ".bin"]):
            subprocess.run(command, check=True, capture_output=True)
        return source + ".bin"

    def test_probe_takes_its_faults_under_tcg(self):
        self.assertEqual(vm.run_probe(PROBE, "tcg"), 0)

    def test_probe_sees_wrong_faults(self):
        """What a broken machine would do, done to the probe: each must not end well."""
        for edits in ([("movl $0x11, %edx", "movl $0x10, %edx")],  # another error code
                      [("#define ABSENT 0x40000000", "#define ABSENT 0x1000")],  # no fault at all
                      [("movl $0x80000000, 0x300c", "movl $0, 0x300c")],  # XD not there: runs into zeros
                      [("cmpq %rbx, %rax", "cmpq %rsp, %rax")]):  # another CR2
            with self.subTest(edits=edits):
                self.assertNotEqual(vm.run_probe(self.probe(*edits), "tcg"), 0)

    def test_guest_that_hangs_is_told_in_time(self):
        words = vm.run_probe(self.probe(("    fwait\n", "1:  jmp 1b\n")), "tcg")
        self.assertIn("within 2 s", words)

    def test_choice_is_what_the_probe_says(self):
        accelerator, why = vm.choose_accelerator(PROBE)
        if os.access("/dev/kvm", os.R_OK | os.W_OK):
            works = vm.run_probe(PROBE, "kvm") == 0
            self.assertEqual(accelerator, "kvm" if works else "tcg")
            self.assertRegex(why, "test guest")
        else:
            self.assertEqual(accelerator, "tcg")
            self.assertIn("/dev/kvm", why)

    def test_user_overrides(self):
        self.assertEqual(vm.choose_accelerator(PROBE, "tcg"), ("tcg", "ACCEL says so"))


class Runner(boot.Case):
    """tools/run in a folder of its own, with a disk on which there is no application."""

    def tools_run(self, **environment):
        folder = self.new_folder()
        shutil.copy(PROBE, folder)
        disk.make_fat(os.path.join(folder, "run.img"), 64, {})
        return subprocess.run([RUN, folder], env=dict(os.environ, **{"ACCEL": "tcg", **environment}),
                              capture_output=True, text=True, timeout=boot.LIMIT)

    def test_disk_without_application_ends_at_once(self):
        done = self.tools_run()
        self.assertEqual(done.returncode, 2)
        self.assertIn("the application gave up, or there is none: Not Found", done.stderr)

    def test_bad_requests_are_named(self):
        for name, value in (("TIMEOUT", "soon"), ("SMP", "0"), ("OVMF_CODE", "/no/such"), ("CPU", "Pentium9"),
                            ("MEM", "lots"), ("ACCEL", "warp"), ("DISK", "/no/such/disk"),
                            ("QEMU", "/no/such/qemu")):
            with self.subTest(name):
                done = self.tools_run(**{name: value})
                self.assertEqual(done.returncode, 2)
                self.assertIn(value, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_each_run_has_variables_of_its_own(self):
        places = []
        for _ in range(2):
            folder = self.new_folder()
            image = disk.make_fat(os.path.join(folder, "a.img"), 64, {})
            with vm.Guest(boot.machine(image), folder) as guest:
                places.append(re.search(r"if=pflash,format=raw,cache=unsafe,file=(\S+)", " ".join(guest.argv)).group(1))
            self.assertEqual(os.path.dirname(places[-1]), folder)
        self.assertNotEqual(*places)

    def test_qemu_does_not_outlive_its_starter(self):
        """A process of ours starts a guest, says its number and is killed; init gets no orphan."""
        folder = self.new_folder()
        script = ("import os, signal, sys; sys.path.insert(0, sys.argv[1]); import vm; "
                  "guest = vm.Guest(vm.Machine(), sys.argv[2]); print(guest.process.pid, flush=True); "
                  "os.kill(os.getpid(), signal.SIGKILL)")
        done = subprocess.run(["python3", "-c", script, os.path.join(boot.TREE, "tools"), folder],
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
        self.assertTrue(ended, f"QEMU {pid} still runs")
