"""What a probe, a fixup and a check of the sweep cost in instructions: exact under -icount, so they
may be judged."""
import boot


class Cost(boot.Case):
    COST = 10

    def test_instructions(self):
        counts = boot.load_tool("bench").instructions(boot.BUILD)
        self.assertLessEqual(counts["armed_probe"], 90)
        self.assertLessEqual(counts["fixup"], 120)
        self.assertLessEqual(counts["resolver_round_trip"], 114)  # 110, and the program's own loop
        self.assertLessEqual(counts["syscall_round_trip"], 90)
        self.assertLessEqual(counts["sweep_mix"], 120)
        self.assertLessEqual(counts["sweep_product"], 160)  # with compiling its tables, and differences
        for case, count in counts.items():
            self.assertGreater(count, 20, f"{case}: nothing that faults costs so little")
