"""The catalogue of checks: listed, explained, and run in the same order."""
import boot


class Catalogue(boot.Case):
    COST = 20

    def text(self, options):
        """What the application says instead of a report, and its exit status."""
        run = boot.run(self.folder, options)
        return [line for line in run.lines if line and not line.startswith("BdsDxe")], run.status

    def test_list_is_what_runs(self):
        listed, status = self.text("--list")
        self.assertEqual(status, 0)
        self.assertEqual(len(set(listed)), len(listed))
        checks = boot.shared_run().reports().parsed()["checks"]
        self.assertEqual(listed, [check["id"] for check in checks if "fold" not in check])  # known only afterwards
        self.assertGreater(len(checks), 2000)

    def test_no_listed_deviation_is_stale(self):
        run = boot.shared_run()
        self.assertEqual(run.status, 0, run.last_words())
        self.assertEqual([line for line in run.lines if line.startswith("# stale")], [])

    def test_explain(self):
        text, status = self.text("--explain write_protect.user_write_faults/4k.l3.user")
        self.assertIn(status, (0, 1))
        whole = "\n".join(text)
        for part in ("write_protect.user_write_faults/4k.l3.user", "R3.2", "ring 3 write of 8 bytes at",
                     "PML4E", "PDPTE", "PDE", "PTE", "error code", "P W U", "CR2", "RIP", "RFLAGS", "RSP"):
            self.assertIn(part, whole)
        text, status = self.text("--explain harness.no_fixup")
        self.assertEqual(status, 2)
        whole = "\n".join(text)
        for part in ("harness.no_fixup", "ERROR", "RIP", "CR2", "no_fixup", "#PF"):
            self.assertIn(part, whole)
        _, status = self.text("--explain no.such.check")
        self.assertEqual(status, 2)
