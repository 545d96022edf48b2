"""The default run on different machines: each passes, and says what it skipped."""
import boot


def machine_test(name, missing=(), present=(), skipped=None, **fields):
    """A test that boots one machine; @missing and @present are features that its report must tell, @skipped (check: why)
    all that must be skipped of the suites programs and mm, unless it is None."""

    def test(self):
        run = boot.run(self.folder, **fields) if fields else boot.shared_run()
        self.assertEqual(run.status, 0, run.last_words())
        report = run.reports().parsed()
        self.assertEqual((report["totals"]["failed"], report["totals"]["errors"]), (0, 0))
        self.assertGreater(report["totals"]["passed"], 100)
        for feature in missing:
            self.assertIn(feature, report["machine"]["missing"])
        for feature in present:
            self.assertIn(feature, report["machine"]["features"])
        if skipped is not None:
            self.assertEqual({check["id"]: check["reason"]["text"] for check in report["checks"]
                              if check["verdict"] == "skip" and check["id"].startswith(("programs.", "mm."))}, skipped)
        self.check(report, fields)

    test.__name__ = f"test_{name}"
    return test


class Machine(boot.Case):
    COST = 10

    def check(self, report, fields):
        """What holds for every machine."""
        self.assertEqual(report["machine"]["processors"], fields.get("smp", 1))


def machines(name, **tests):
    """A class of machine tests: classes run side by side, tests of one class one after the other."""
    return type(name, (Machine,), {f"test_{key}": machine_test(key, **fields) for key, fields in tests.items()})


Processors = machines(
    "Processors",
    max={"present": ["NX", "SMEP", "SMAP", "PKU", "LA57"]},
    max_without_la57={"cpu": "max,-la57", "missing": ["LA57"]},
    qemu64={"cpu": "qemu64", "missing": ["SMEP", "SMAP"], "skipped": {
        "programs.pkuerr": "the processor has no PKU",
        "programs.exec_only": "the processor has no PKU",
        "programs.random_corners": "the processor has no PKU",
        "programs.signal_in_handler": "the processor has no XSAVE",
        "programs.fpu_state_survives": "the processor has no AVX",
        "mm.kernel_read_of_user_page_kills_its_task": "the processor has no SMAP",
        "mm.exception_table_excuses_no_smap_violation": "the processor has no SMAP",
        "mm.kernel_fetch_from_user_page_kills_its_task": "the processor has no SMEP"}},
    Nehalem={"cpu": "Nehalem", "missing": ["SMEP", "SMAP", "PKU"]},
    EPYC={"cpu": "EPYC", "present": ["SMEP", "SMAP"]},
    without_nx={"cpu": "max,-nx", "missing": ["NX"]},
    without_1g_pages={"cpu": "max,-pdpe1gb", "missing": ["1-GiB pages"]},
)

Sizes = machines(
    "Sizes",
    four_processors={"smp": 4},
    memory_128m={"memory": "128M"},
    memory_8g={"memory": "8G"},
    no_display={"screen": False},
    no_serial={"serial": False},
    nx_stack={"extra": ["-fw_cfg", "name=opt/ovmf/PcdSetNxForStack,string=y"]},
)
