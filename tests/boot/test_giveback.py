"""Giving back is proved: whatever is left wrong on purpose, the check for it fails, and names it."""
import os
import re

import boot

# Items that no test can leave wrong here, and why.
NOT_HERE = {
    "TR": "firmware has no TSS: the tombstone is what it gets (tests/boot/hostile has one)",
    "XSS": "QEMU's TCG has no XSAVES",
    "U_CET": "no CET in QEMU's TCG",
    "S_CET": "no CET in QEMU's TCG",
    "PL0_SSP": "no CET in QEMU's TCG",
    "PL3_SSP": "no CET in QEMU's TCG",
    "SSP_TABLE": "no CET in QEMU's TCG",
    "APIC_COUNT": "any interrupt of the firmware's may write it: it is not compared",
    "TSC_DEADLINE": "the same, and QEMU's TCG has none",
}


def world_items():
    """The names in the table of fault/world.h."""
    with open(os.path.join(boot.TREE, "fault", "world.h"), encoding="ascii") as file:
        return re.findall(r"^ +X\((\w+), ", file.read(), re.MULTILINE)


class GiveBack(boot.Case):
    COST = 60

    def test_each_item_left_wrong_is_noticed(self):
        items = [item for item in world_items() if item not in NOT_HERE]
        self.assertGreater(len(items), 40)
        words = {f"world:{item}": ("world_given_back", item) for item in items}
        words |= {"gdt-byte": ("gdt_given_back", None), "idt-byte": ("idt_given_back", None),
                  "leak-page": ("pages_given_back", None)}
        names = list(words)
        for part in (names[::2], names[1::2]):
            self.left_wrong({name: words[name] for name in part})

    def left_wrong(self, words):
        """One shell session, one run of the application for each word of --sabotage."""
        command = "faultline.efi --no-wait --only takeover.*_given_back"
        run = boot.run_in_shell(self.folder, [command] + [f"{command} --sabotage {word}" for word in words] +
                                [command])
        totals = run.reports(0).totals
        self.assertEqual((totals["passed"], totals["failed"]), (4, 0))
        for at, (word, (case, item)) in enumerate(words.items(), 1):
            with self.subTest(word):
                report = run.reports(at).parsed()
                self.assertEqual(report["verdict"], "fail", report["totals"])
                failed = {check["id"]: check for check in report["checks"] if check["verdict"] == "fail"}
                self.assertIn(f"takeover.{case}", failed)
                if item:
                    differing = [c for c in failed[f"takeover.{case}"]["comparisons"] if c["differs"]]
                    self.assertTrue(any(c["detail"] == world_items().index(item) for c in differing), differing)
                    self.assertIn(item, failed[f"takeover.{case}"]["got"])
        totals = run.reports(-1).totals
        self.assertEqual((totals["passed"], totals["failed"]), (4, 0), "the machine is as it was afterwards")

    def test_unknown_word_is_named(self):
        run = boot.run(self.folder, "--sabotage world:NONSENSE")
        self.assertEqual(run.status, 2)
        self.assertTrue(any("'world:NONSENSE'" in line for line in run.lines), run.last_words())
