"""What a probe, a fixup, a check of the sweep, a fault of a program cost in instructions: exact under
-icount, so they may be judged."""
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


class Memory(boot.Case):
    """The shipped fault path, at random addresses, ten thousand times each: the same programs as on Linux."""

    COST = 30

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bench = boot.load_tool("bench")
        cls.costs = cls.bench.costs(boot.BUILD)

    def test_at_most_a_third_of_linux(self):
        linux, _ = self.bench.linux_costs()
        over = {name: (round(self.costs[name], 1), limit) for name, limit in self.bench.LIMITS.items()
                if self.costs[name] > limit}
        self.assertEqual(over, {}, "instructions, and how many there may be")
        for name in self.bench.LIMITS:
            self.assertGreater(linux[name], 2.5 * self.bench.LIMITS[name], f"{name}: not a third of Linux's")

    def test_many_vmas_cost_little_more(self):
        for kind in ("read", "write"):
            more = self.costs[f"{kind}_100000_vmas"] - self.costs[f"{kind}_10_vmas"]
            self.assertLessEqual(more, self.bench.MORE_WITH_MANY_VMAS, kind)

    def test_everything_is_measured_that_was_on_linux(self):
        self.assertEqual(set(self.costs), set(self.bench.linux_costs()[0]))

    def test_few_events_do_not_count(self):
        self.assertEqual(self.bench.read_costs("# bench_a: anonymous_write 10000 64000000\n"), {"anonymous_write": 100.0})
        for name in ("anonymous_write", "read_100000_vmas"):
            with self.assertRaisesRegex(self.bench.vm.VmError, f"{name}: 9999 events"):
                self.bench.read_costs(f"# bench_a: {name} 9999 64000000\n")

    def test_a_page_is_cleared_and_copied_inside(self):
        self.assertGreater(self.costs["anonymous_write"], 512)
        self.assertGreater(self.costs["cow_copy"], 512)
