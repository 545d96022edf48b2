"""Started by hand, from the shell and from the boot menu, and back to where it was started from."""
import json
import os
import re

import boot
import disk
import vm

EMULATOR = f"--emulator qemu-{vm.qemu_version()}"
SUCCESS, ABORTED, DEVICE_ERROR = 0x0, 0x15, 0x7  # as the shell shows the last status, without its error bit


class Shell(boot.Case):
    """Firmware's shell finds startup.nsh on a disk without \\EFI\\BOOT and runs it."""

    COST = 30

    def shell(self, script, config=b"", **fields):
        return boot.run_in_shell(self.folder, script, config, **fields)

    def said(self, run, word):
        """What the script's line "echo @word= ..." showed."""
        found = [re.search(rf"{word}= *(\S+)", line) for line in run.lines]
        values = [match.group(1) for match in found if match]
        self.assertEqual(len(values), 1, f"{word}: " + run.last_words())
        return values[0]

    def test_three_runs_in_one_session(self):
        """The third run equals the second, and the shell works on as if nothing had been."""
        once = [f"faultline.efi --no-wait {EMULATOR}"]
        run = self.shell([
            "memmap > before.txt", *once, "echo first= %lasterror%", *once, "memmap > second.txt", *once,
            "memmap > third.txt", "echo third= %lasterror%",
            "cp faultline\\0003\\report.json copy.json", "echo copied= %lasterror%",
            "mkdir made", "echo made= %lasterror%", "ls made", "ver", "echo end= 42"])
        for word in ("first", "third", "copied", "made"):
            self.assertEqual(int(self.said(run, word), 16), SUCCESS, run.last_words())
        self.assertEqual(self.said(run, "end"), "42")
        self.assertEqual(disk.report_folders(run.image), ["0001", "0002", "0003"])

        second, third = (run.reports(which).parsed() for which in (1, 2))
        for report in (second, third):
            del report["date"], report["report_number"], report["machine"]["ticks_per_second"]
            for check in report["checks"]:
                for what in ("part", "program"):
                    check.get(what, {}).pop("ticks", None)
        self.assertEqual(second, third)
        self.assertEqual(disk.read_file(run.image, "/copy.json"), run.reports(2).json)

        second, third = (self.memory_map(run.image, name) for name in ("second.txt", "third.txt"))
        self.assertEqual(second, third)

    @staticmethod
    def memory_map(image, name):
        """Pages by type, of what the shell's memmap wrote: all but those that firmware's own pools take.

        (Each file that is made costs firmware pages: the shell's cp alone 33 of OVMF 2022.11.)
        """
        text = disk.read_file(image, f"/{name}").decode("utf-16")
        found = dict(re.findall(r"^\s*(\w+)\s*:\s*([\d,]+) Pages", text, re.MULTILINE))
        if not found:
            raise AssertionError(f"memmap shows no pages: {text[:500]!r}")
        del found["BS_Data"], found["Available"]
        return found

    def test_status_to_the_shell(self):
        run = self.shell([f"faultline.efi --no-wait {EMULATOR} --only no.such.check", "echo nothing= %lasterror%",
                          "faultline.efi --ony", "echo unknown= %lasterror%",
                          f"faultline.efi --no-wait {EMULATOR} --only not_present.*", "echo good= %lasterror%"])
        self.assertEqual(int(self.said(run, "nothing"), 16) & 0xFF, DEVICE_ERROR)
        self.assertEqual(int(self.said(run, "unknown"), 16) & 0xFF, DEVICE_ERROR)
        self.assertEqual(int(self.said(run, "good"), 16), SUCCESS)
        self.assertTrue(any("'--ony' is not an option" in line for line in run.lines))

    def test_later_carriers_replace_earlier_ones(self):
        """File, then command line, then fw_cfg; an option that the later one lacks stays."""
        config = b"# for the test\r\n--only reserved.*\r\n--seed 7\r\n"
        line = f"faultline.efi --no-wait {EMULATOR}"
        suites = lambda run, which: {check["id"].split(".")[0] for check in run.reports(which).parsed()["checks"]}
        run = self.shell([line, line + " --only not_present.*"], config)
        self.assertEqual(suites(run, 0), {"reserved"})
        self.assertEqual(suites(run, 1), {"not_present"})
        self.assertEqual([run.reports(which).parsed()["options"]["seed"] for which in (0, 1)], ["0x7", "0x7"])

        folder = self.new_folder()
        image = os.path.join(folder, "shell.img")
        disk.make_fat(image, 64, {"faultline.efi": boot.APPLICATION})
        disk.write_file(image, "/faultline.cfg", config)
        disk.write_file(image, "/startup.nsh",
                        f"fs0:\r\n{line} --only not_present.*\r\nreset -s\r\n".encode())
        with vm.Guest(vm.Machine(drives=[vm.Drive(image, "virtio")], options="--only no_execute.*"), folder) as guest:
            self.assertEqual(guest.wait_end(boot.LIMIT, shell=True)[0], "shutdown")
            guest.qmp("quit")
            guest.wait_exit(20)
        report = boot.Reports.from_image(image, "0001").parsed()
        self.assertEqual({check["id"].split(".")[0] for check in report["checks"]}, {"no_execute"})
        self.assertEqual(report["options"]["seed"], "0x7")


class Menu(boot.Case):
    """A person at the keyboard: boot menu, report, R, Esc."""

    COST = 20

    def press_until(self, guest, key, condition, what):
        """Press @key as an impatient person does, until @condition holds."""
        for _ in range(200):
            if condition():
                return
            guest.send_key(key)
            try:
                guest.wait_for(condition, 0.3, what)
            except vm.WaitTimeout:
                pass
        self.fail(f"no {what} after many {key}: {guest.lines[-5:]} {guest.tail[-300:]!r}")

    def screen(self, guest):
        """The report's lines, or [] while the screen shows something else."""
        try:
            lines = boot.read_screen(guest.picture())
        except AssertionError:
            return []
        return lines if lines[0].startswith(" Faultline") else []

    def test_from_boot_menu_with_keys(self):
        image = boot.copy_image(self.folder)
        machine = vm.Machine(drives=[vm.Drive(image, "virtio")], options=EMULATOR + " --only not_present.*",
                             extra=["-boot", "menu=on,splash-time=30000"])
        with vm.Guest(machine, self.new_folder()) as guest:
            shows = lambda text: lambda: text in guest.tail or any(text in line for line in guest.lines[-50:])
            self.press_until(guest, "esc", shows("Boot Manager"), "front page")
            guest.send_key("down", "down", "ret")
            guest.wait_for(shows("Boot Manager Menu"), 30, "boot menu")
            guest.send_key("ret")
            guest.wait_line(boot.VERDICT_LINE, boot.LIMIT)
            # It waits for us, report on the screen.
            guest.wait_for(lambda: any("VERDICT: PASS" in line for line in self.screen(guest)), 20, "report")
            self.assertIn("Esc back to firmware", self.screen(guest)[-1])
            guest.send_key("r")
            guest.wait_line(boot.VERDICT_LINE, boot.LIMIT)
            guest.wait_for(lambda: any("VERDICT: PASS" in line for line in self.screen(guest)), 20, "second report")
            lines = len(guest.lines)
            guest.send_key("esc")
            guest.wait_for(lambda: not self.screen(guest) and
                           any("Boot" in line for line in guest.lines[lines:] + [guest.tail]), 30, "firmware")
            guest.qmp("quit")
            guest.wait_exit(20)
        self.assertEqual(disk.report_folders(image), ["0001", "0002"])
        for which in ("0001", "0002"):
            json.loads(disk.read_file(image, f"/faultline/{which}/report.json"))


class End(boot.Case):
    """What becomes of the machine when the run is over, and what is not there yet."""

    COST = 10

    def end(self, options, **fields):
        return boot.run(self.folder, "--only ring3.* " + options, debug_exit=False, **fields)

    def test_poweroff(self):
        run = self.end("--reboot --poweroff")  # one choice: the last word counts
        self.assertEqual((run.end, run.value), ("shutdown", "guest-shutdown"), run.last_words())
        self.assertEqual(run.reports().parsed()["verdict"], "pass")

    def test_reboot(self):
        run = self.end("--poweroff --reboot", extra=["-no-reboot"])  # the emulator stops instead
        self.assertEqual((run.end, run.value), ("shutdown", "guest-reset"), run.last_words())
        self.assertEqual(run.reports().parsed()["verdict"], "pass")

    def test_other_processors_are_refused_by_name(self):
        run = boot.run(self.folder, "--only ring3.* --cpus all", smp=2)
        self.assertEqual(run.status, 2)
        self.assertTrue(any("--cpus" in line for line in run.lines), run.last_words())
        self.assertFalse(any(line.startswith("ok ") for line in run.lines), run.last_words())
