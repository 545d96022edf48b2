"""tools/setup on machines that lack something, made of a PATH of our own and a root of our own."""
import os
import pty
import shutil
import subprocess
import tempfile
import unittest

import boot

SETUP = os.path.join(boot.TREE, "tools", "setup")
COREUTILS = ("sh", "cat", "sed")  # what even the barest machine has
COMMANDS = ("gcc", "make", "ld", "python3", "qemu-system-x86_64", "mformat", "mcopy", "clang", "tesseract",
            "clang-format", "shellcheck", "bochs")
FILES = ("usr/include/stdio.h", "usr/include/efi/efi.h", "usr/lib/libgnuefi.a",
         "usr/share/OVMF/OVMF_CODE_4M.fd", "usr/share/consolefonts/spleen-8x16.psfu.gz",
         "usr/include/cmocka.h", "usr/include/bsd/sys/tree.h",
         "usr/lib/llvm-14/lib/clang/14.0.0/lib/linux/libclang_rt.fuzzer-x86_64.a",
         "usr/share/tesseract-ocr/5/tessdata/eng.traineddata",
         "usr/lib/python3/dist-packages/yaml", "usr/lib/python3/dist-packages/jsonschema",
         "usr/share/perl/5.36/TAP/Parser.pm",
         "usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so", "usr/share/seabios/vgabios-stdvga.bin")


class Machine:
    """A pretended machine. Package managers write down how they were called, and bring what is asked."""

    def __init__(self, folder, user, managers=("apt-get", "apt-cache", "sudo")):
        self.folder = tempfile.mkdtemp(dir=folder)
        self.bin = os.path.join(self.folder, "bin")
        self.root = os.path.join(self.folder, "root")
        self.calls_path = os.path.join(self.folder, "calls")
        os.makedirs(self.bin)
        open(self.calls_path, "w").close()
        for name in COREUTILS:
            os.symlink(shutil.which(name), os.path.join(self.bin, name))
        self.command("id", f"echo {user}")
        for name in managers:
            self.command(name, f'echo "{name} $*" >>"{self.calls_path}"')
        for name in COMMANDS:
            self.command(name, "exit 0")
        for name in FILES:
            self.file(name)

    def command(self, name, script):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!{os.path.join(self.bin, 'sh')}\n{script}\n")
        os.chmod(path, 0o755)

    def file(self, name):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").close()

    def lose(self, *names):
        for name in names:
            os.unlink(os.path.join(self.root if "/" in name else self.bin, name))

    def environment(self, setup=None):
        environment = {"PATH": self.bin, "FAULTLINE_ROOT": self.root}
        if setup is not None:
            environment["SETUP"] = setup
        return environment

    def setup(self, *groups, setup=None):
        return subprocess.run([SETUP, *groups], env=self.environment(setup), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)

    def setup_on_terminal(self, answer):
        """As setup(), with a terminal at which somebody types @answer; (status, what it showed)."""
        master, slave = pty.openpty()
        with subprocess.Popen([SETUP], env=self.environment(), stdin=slave, stdout=slave, stderr=slave) as process:
            os.close(slave)
            os.write(master, answer.encode() + b"\n")
            shown = b""
            while True:
                try:
                    data = os.read(master, 4096)
                except OSError:  # what Linux says when the other end is closed
                    break
                if not data:
                    break
                shown += data
            status = process.wait(timeout=60)
        os.close(master)
        return status, shown.decode()

    @property
    def calls(self):
        with open(self.calls_path, encoding="ascii") as file:
            return file.read().splitlines()

    @property
    def installs(self):
        return [call for call in self.calls if " install " in call]


class Setup(boot.Case):
    def machine(self, user=1000, **managers):
        return Machine(self.folder, user, **managers)

    def test_silent_when_everything_is_there(self):
        machine = self.machine()
        done = machine.setup("run", "test", "bochs")
        self.assertEqual((done.returncode, done.stdout, done.stderr, machine.calls), (0, "", "", []))

    def test_each_command_and_file_is_missed(self):
        for name in COMMANDS + FILES:
            with self.subTest(name):
                machine = self.machine()
                machine.lose(name)
                done = machine.setup("run", "test", "bochs")
                self.assertEqual(done.returncode, 2)
                self.assertIn("missing: ", done.stderr)
                self.assertEqual(machine.installs, [])

    def test_group_looks_at_nothing_else(self):
        machine = self.machine()
        machine.lose("clang", "bochs")
        self.assertEqual(machine.setup("run").returncode, 0)

    def test_without_terminal_it_prints_the_command(self):
        machine = self.machine()
        machine.lose("mcopy", "mformat", "usr/include/efi/efi.h")
        done = machine.setup()
        self.assertEqual(done.returncode, 2)
        self.assertIn("sudo apt-get install -y --no-install-recommends mtools gnu-efi\n", done.stderr)
        self.assertEqual(machine.installs, [])

    def test_bochs_comes_with_a_display_that_needs_no_window(self):
        machine = self.machine()
        machine.lose("bochs", "usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so",
                     "usr/share/seabios/vgabios-stdvga.bin")
        done = machine.setup("run", "bochs")
        self.assertIn("sudo apt-get install -y --no-install-recommends bochs bochs-term seabios\n", done.stderr)

    def test_root_installs_at_once_and_says_what(self):
        machine = self.machine(user=0)
        machine.lose("gcc")
        machine.command("apt-get", f'echo "apt-get $*" >>"{machine.calls_path}"; '
                                   f'{shutil.which("touch")} "{machine.bin}/gcc"; '
                                   f'{shutil.which("chmod")} +x "{machine.bin}/gcc"')
        done = machine.setup()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("setup: missing: gcc\n", done.stderr)
        self.assertEqual(machine.installs, ["apt-get install -y --no-install-recommends gcc"])
        self.assertEqual(machine.setup().stderr, "")

    def test_installation_that_brings_nothing_is_an_error(self):
        machine = self.machine(user=0)
        machine.lose("gcc")
        done = machine.setup()
        self.assertEqual(done.returncode, 2)
        self.assertIn("still missing: gcc", done.stderr)

    def test_failed_installation_is_an_error(self):
        machine = self.machine(user=0)
        machine.lose("gcc")
        machine.command("apt-get", "exit 100")
        done = machine.setup()
        self.assertEqual(done.returncode, 2)
        self.assertIn("the installation failed", done.stderr)

    def test_package_lists_are_fetched_when_there_are_none(self):
        machine = self.machine(user=0)
        machine.lose("gcc")
        machine.command("apt-cache", "exit 100")
        machine.setup()
        self.assertEqual(machine.calls, ["apt-get update", "apt-get install -y --no-install-recommends gcc"])

    def test_user_at_a_terminal_is_asked(self):
        for answer, installs in (("y", 1), ("", 1), ("n", 0), ("what?", 0)):
            with self.subTest(answer=answer):
                machine = self.machine()
                machine.lose("gcc")
                status, shown = machine.setup_on_terminal(answer)
                self.assertIn('run "sudo apt-get install', shown)
                self.assertEqual(len(machine.installs), installs, shown)
                self.assertEqual(status, 2)  # nothing came: sudo is pretended as well

    def test_auto_does_not_ask(self):
        machine = self.machine()
        machine.lose("gcc")
        machine.setup(setup="auto")
        self.assertEqual(machine.installs, ["sudo apt-get install -y --no-install-recommends gcc"])

    def test_never_does_nothing(self):
        machine = self.machine(user=0)
        machine.lose(*COMMANDS)
        done = machine.setup("run", "test", setup="never")
        self.assertEqual((done.returncode, done.stderr, machine.calls), (0, "", []))

    def test_other_word_is_named(self):
        done = self.machine().setup(setup="maybe")
        self.assertEqual(done.returncode, 2)
        self.assertIn("SETUP=maybe", done.stderr)
        done = self.machine().setup("rnu")
        self.assertEqual(done.returncode, 2)
        self.assertIn("rnu: no such group", done.stderr)

    def test_other_distributions_get_the_names(self):
        for manager, name in (("dnf", "gnu-efi-devel"), ("pacman", "gnu-efi")):
            with self.subTest(manager):
                machine = self.machine(user=0, managers=(manager,))
                machine.lose("usr/include/efi/efi.h")
                done = machine.setup()
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, rf"sudo {manager} .*\b{name}\b")
                self.assertEqual(machine.calls, [])
        done = self.machine(managers=()).setup()
        self.assertEqual(done.returncode, 0)

    def test_takes_less_than_a_fifth_of_a_second(self):
        """Processor time, which a busy machine does not lengthen."""
        before = os.times()
        done = subprocess.run([SETUP, "run", "test"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        after = os.times()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        spent = after.children_user - before.children_user + after.children_system - before.children_system
        self.assertLess(spent, 0.2)


if __name__ == "__main__":
    unittest.main()
