"""The sweep of the access matrix (tests/suites/sweep.c): it sees what the stage sees, point by point."""
import boot

CASES = ("agrees_with_stage", "finds_a_wrong_rule", "goes_on_where_it_ended")


class Sweep(boot.Case):
    COST = 30

    def expect_all(self, checks, ids):
        self.assertEqual({check["id"]: check["verdict"] for check in checks}, dict.fromkeys(ids, "pass"))

    def test_agrees_with_the_stage(self):
        """The world is given back as it was: takeover would see what an earlier step left behind."""
        run = boot.run(self.folder, "--only sweep.* --only takeover.*")
        self.assertEqual(run.status, 0, run.last_words())
        checks = run.reports().parsed()["checks"]
        self.expect_all([c for c in checks if c["id"].startswith("sweep.")], [f"sweep.{case}" for case in CASES])
        self.assertGreater(len(checks), len(CASES) + 10)

    def test_on_a_processor_that_lacks_most(self):
        run = boot.run(self.folder, "--only sweep.*", cpu="Nehalem")
        self.assertEqual(run.status, 0, run.last_words())
        self.expect_all(run.reports().parsed()["checks"], [f"sweep.{case}" for case in CASES])

    def test_in_bochs(self):
        from test_bochs import bochs_run

        done = bochs_run(self.folder, "--only sweep.agrees_with_stage")
        self.assertEqual(done.status, 0, "\n".join(done.lines[-30:]) + done.stderr)
        self.expect_all(done.report["checks"], ["sweep.agrees_with_stage"])
