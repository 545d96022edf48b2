"""Whatever state firmware hands over, Faultline works in it and gives it back: tests/boot/hostile/."""
import os
import re

import boot
import disk
import vm

HOSTILE = os.path.join(boot.BUILD, "hostile.efi")
EMULATOR = f"--emulator qemu-{vm.qemu_version()}"
NX_STACK = ["-fw_cfg", "name=opt/ovmf/PcdSetNxForStack,string=y"]
# Every state by itself; what -cpu max of QEMU 7.2 lacks is skipped by name, a newer one may have it.
STATES = {"la57", "wp", "cr0", "nxe", "nx-stack", "smep", "smap", "pke", "pks", "pcide", "pge", "umip", "fsgsbase",
          "cr4", "xsave", "pat", "cr2-cr8", "tables", "tss", "tss-ro", "tss-available", "tr-stale", "ldt", "segments",
          "bases", "syscall", "sysenter", "tsc-aux", "float", "ac", "nt-iopl", "x2apic", "watchdog", "breakpoints"}
MAY_LACK = {"pcide": "PCID", "x2apic": "x2APIC"}


class Hostile(boot.Case):
    """hostile.efi as \\EFI\\BOOT\\BOOTX64.EFI, its words in \\hostile.txt, Faultline beside it."""

    COST = 90

    def hostile(self, words, **fields):
        """What it said: ({name: [words]}, its last line's match, all lines)."""
        folder = self.new_folder()
        image = disk.make_fat(os.path.join(folder, "hostile.img"), 64,
                              {"EFI/BOOT/BOOTX64.EFI": HOSTILE, "faultline.efi": boot.APPLICATION})
        disk.write_file(image, "/hostile.txt", words.encode())
        with vm.Guest(boot.machine(image, None, **fields), folder) as guest:
            try:
                end = guest.wait_line(r"^HOSTILE (PASS|FAIL) (\d+) kept, (\d+) failed, (\d+) skipped", boot.LIMIT)
            except vm.VmError as error:
                self.fail(f"{error}\n" + "\n".join(guest.lines[-40:]))
            said = {}
            for line in guest.lines:
                found = re.match(r"HOSTILE ([\w-]+): (.*)", line)
                if found:
                    said.setdefault(found.group(1), []).append(found.group(2))
            return said, end, guest.lines

    def states_set(self, said):
        """Names of all states but those skipped for want of a feature that may be wanting, and "all"."""
        skipped = {name: words for name, words in said.items() if words[0].startswith("SKIP")}
        for name, words in skipped.items():
            self.assertEqual(words, [f"SKIP the processor lacks {MAY_LACK.get(name)}"], name)
        return STATES - set(skipped) | {"all"}

    def test_each_state_and_all_together(self):
        said, end, _ = self.hostile("each all", extra=NX_STACK)
        expected = self.states_set(said)
        self.assertEqual({name for name in said if said[name][-1] == "kept"}, expected, said)
        self.assertEqual(end.groups()[:3], ("PASS", str(len(expected)), "0"))

    def test_what_is_not_kept_is_told(self):
        """Each state undone behind Faultline's back: no verification may pass."""
        said, end, _ = self.hostile("each all --break", extra=NX_STACK)
        expected = self.states_set(said)
        self.assertEqual({name for name in said if said[name][-1].startswith("CHANGED")}, expected, said)
        self.assertEqual(end.groups()[:3], ("FAIL", "0", str(len(expected))))
        # By the very register that the state is about, and none but those that it touches.
        about = {"wp": ["CR0"], "smep": ["CR4"], "pke": ["CR4", "PKRU"], "nx-stack": ["STACK_XD"],
                 "watchdog": ["WATCHDOG"], "ac": ["RFLAGS"], "la57": ["CR3", "CR4", "ROOT_BYTES"],
                 "breakpoints": ["DR0", "DR1", "DR2", "DR3", "DR6", "DR7"]}
        for name, registers in about.items():
            self.assertEqual([words.split()[1] for words in said[name]], registers, said[name])

    def test_standard_suites_with_all_together(self):
        said, end, lines = self.hostile(f"all -- \\faultline.efi --no-wait {EMULATOR}")
        self.assertEqual((said["all"][-1], end.group(1)), ("kept", "PASS"))
        verdicts = [re.match(boot.VERDICT_LINE, line) for line in lines if line.startswith("VERDICT")]
        self.assertEqual([(found.group(1), found.group(2)) for found in verdicts], [("PASS", "0")])
        self.assertGreater(int(verdicts[0].group(3)), 1000)

    def test_without_nx(self):
        said, end, _ = self.hostile("each all", cpu="max,-nx")
        self.assertEqual(said["nxe"][0], "SKIP the processor lacks NX")
        self.assertEqual((said["all"][-1], end.group(1), end.group(3)), ("kept", "PASS", "0"))

    def test_old_processor(self):
        said, end, _ = self.hostile("each all", cpu="qemu64")
        self.assertEqual(said["la57"][0], "SKIP the processor lacks LA57")
        self.assertEqual((said["all"][-1], end.group(1), end.group(3)), ("kept", "PASS", "0"))

    def test_unknown_word_is_named(self):
        said, end, _ = self.hostile("wp npe")
        self.assertEqual(said, {"npe": ["FAILED is no state"]})
        self.assertEqual(end.group(1), "FAIL")
