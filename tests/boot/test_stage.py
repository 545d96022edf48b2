"""The stage of the access matrix by itself (tests/suites/stage.c): both paging modes, accesses, dying there."""
import functools
import re

import boot

CR4_LA57 = 0x1000
POINTS = ("accesses_go_through", "accesses_fault", "states_decide", "what_is_wrong_is_seen")
LEVELS = ("levels_there_and_back", "high_address")
# case: (reason, vector, levels of paging that it leaves behind, on a firmware with 4)
DIES = {
    "dies_in_other_levels": ("a broken invariant of Faultline's own", "no exception", 5),
    "dies_by_a_fault": ("a page fault in ring 0 that nothing explains", "#PF", 4),
    "dies_with_all_bent": ("an exception that nothing was waiting for", "#UD", 4),
    "dies_with_all_bent_in_other_levels": ("an exception that nothing was waiting for", "#UD", 5),
}


def only(*names):
    return " ".join(f"--only {name}" for name in names)


class Stage(boot.Case):
    """One run of all of it, twice: what was left behind would be seen by the second round's takeover."""

    COST = 10

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_ = boot.run(cls.folder, "--repeat 2 " + only("stage.*", "takeover.*"))

    @functools.cached_property
    def checks(self):
        """{id: its results, one a round}"""
        found = {}
        for check in self.run_.reports().parsed()["checks"]:
            found.setdefault(check["id"], []).append(check)
        return found

    def verdicts(self, name):
        return [check["verdict"] for check in self.checks[f"stage.{name}"]]

    def test_modes_and_accesses(self):
        for name in LEVELS + POINTS:
            self.assertEqual(self.verdicts(name), ["pass", "pass"], name)

    def test_who_dies_is_reported_from_where_it_was(self):
        self.assertEqual(self.run_.status, 2, self.run_.last_words())
        for name, (reason, vector, levels) in DIES.items():
            self.assertEqual(self.verdicts(name), ["error", "error"])
            for check in self.checks[f"stage.{name}"]:
                text = check["oops"]["text"]
                self.assertEqual(check["oops"]["reason"], reason)
                self.assertIn(f"\n  {vector}, error code", text)
                la57 = int(re.search(r"CR4 ([0-9a-f]+)", text).group(1), 16) & CR4_LA57
                self.assertEqual((bool(la57), "PML5E" in text), (levels == 5, levels == 5), text)

    def test_firmware_got_its_own_mode_back(self):
        given_back = {name: checks for name, checks in self.checks.items() if name.startswith("takeover.")}
        self.assertGreater(len(given_back), 10)
        for name, checks in given_back.items():
            self.assertEqual([check["verdict"] for check in checks], ["pass", "pass"], name)


class Machines(boot.Case):
    COST = 25

    def test_firmware_with_5_levels(self):
        """The other way round: hostile.efi hands over 5 levels, and wants them back (test_hostile.py)."""
        from test_hostile import Hostile  # not a name of this module: its tests are not of this one

        said, end, lines = Hostile.hostile(self, "la57 -- \\faultline.efi --no-wait "
                                           + only(*(f"stage.{name}" for name in LEVELS + POINTS), "takeover.*"))
        self.assertEqual((said["la57"][-1], end.group(1)), ("kept", "PASS"), lines[-20:])
        self.assertIn("5 levels", "\n".join(lines))
        for name in LEVELS + POINTS:
            self.assertTrue(any(re.match(rf"ok \d+ - stage.{name}$", line) for line in lines), name)

    def test_without_la57(self):
        run = boot.run(self.folder, only(*(f"stage.{name}" for name in (*LEVELS, *POINTS))), cpu="Nehalem")
        self.assertEqual(run.status, 0, run.last_words())
        verdicts = {check["id"]: check["verdict"] for check in run.reports().parsed()["checks"]}
        self.assertEqual({name for name, verdict in verdicts.items() if verdict == "pass"},
                         {f"stage.{name}" for name in POINTS})
        self.assertEqual({name for name, verdict in verdicts.items() if verdict == "skip"},
                         {f"stage.{name}" for name in LEVELS})

    def test_in_bochs(self):
        from test_bochs import bochs_run

        done = bochs_run(self.folder, only(*(f"stage.{name}" for name in POINTS)))
        self.assertEqual(done.status, 0, "\n".join(done.lines[-30:]) + done.stderr)
        self.assertEqual([check["verdict"] for check in done.report["checks"]], ["pass"] * len(POINTS))
