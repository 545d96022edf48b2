"""What a probe, a fixup and a check of the sweep cost in instructions: exact under -icount, so they
may be judged."""
import importlib.machinery
import importlib.util
import os

import boot


def bench():
    """tools/bench as a module."""
    path = os.path.join(boot.TREE, "tools", "bench")
    loader = importlib.machinery.SourceFileLoader("bench", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench", loader))
    loader.exec_module(module)
    return module


class Cost(boot.Case):
    COST = 10

    def test_instructions(self):
        counts = bench().instructions(boot.BUILD)
        self.assertLessEqual(counts["armed_probe"], 90)
        self.assertLessEqual(counts["fixup"], 120)
        self.assertLessEqual(counts["sweep_mix"], 120)
        self.assertLessEqual(counts["sweep_product"], 160)  # with compiling its tables, and differences
        for case, count in counts.items():
            self.assertGreater(count, 20, f"{case}: nothing that faults costs so little")
