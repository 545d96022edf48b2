"""What the matrix finds on each machine: quick on QEMU's processors and in Bochs, seeds, levels, a soak, witnesses alone."""
import os
import re

import boot
from test_bochs import bochs_run, known_deviations, listed_deviations
from test_matrix_run import MATRIX, folds, part

PARTS = ("pairs", "needed")


def read(*path):
    with open(os.path.join(boot.TREE, *path), encoding="ascii") as file:
        return file.read()


def profiles():
    """The machines of the boot tests as tests/host/test_quick.c believes them to be: {name: (bits, features)}."""
    names = dict(re.findall(r'^    X\((\w+), "([^"]+)",', read("x86", "cpuid.h"), flags=re.M))
    table = re.search(r"profiles\[\] = \{(.*?)^\};", read("tests", "host", "test_quick.c"), flags=re.M | re.S).group(1)
    found = {}
    for name, body in re.findall(r'\{"([^"]+)",\s+true,\s+(\{.*?\}\s*\})', table, flags=re.S):
        bits = int(re.search(r"physical_bits = (\d+)", body).group(1))
        vendor = re.search(r"vendor = VENDOR_(\w+)", body).group(1)
        found[name] = (vendor, bits, {names[word] for word in re.findall(r"HAS\((\w+)\)", body)})
    return found


def digest(report):
    return report["fingerprint"]["digest"]


def rule_counts(report):
    return {rule["row"]: rule["count"] for rule in report["matrix"]["rules"]}


class Quick(boot.Case):
    """What every quick run must be, whichever machine it runs on."""

    def run_quick(self, cpu, options=""):
        """report.json of the matrix alone under QEMU, judged."""
        run = boot.run(self.folder, MATRIX + options, cpu=cpu)
        self.assertEqual(run.status, 0, run.last_words())
        report = run.reports().parsed()
        self.check(report)
        return report

    def check(self, report):
        self.assertEqual((report["verdict"], report["exit_status"]), ("pass", 0))
        self.assertEqual((report["totals"]["failed"], report["totals"]["errors"]), (0, 0))
        self.assertEqual(part(report, "every_rule_exercised")["verdict"], "pass")
        for name in PARTS:
            counts = part(report, name)["part"]
            self.assertEqual(counts["run"], counts["passed"] + counts["known"] + counts["failed"])
            self.assertEqual((counts["run"], counts["failed"], counts["ended"]), (counts["planned"], 0, False))
            self.assertGreater(counts["run"], 30)
            self.assertEqual(part(report, name)["verdict"], "known" if counts["known"] else "pass")
        pairs, needed = (part(report, name)["part"] for name in PARTS)
        self.assertEqual(pairs["tuples_covered"], pairs["tuples_here"])
        self.assertGreater(pairs["tuples_here"], 10000)
        self.assertGreaterEqual(pairs["tuples"], pairs["tuples_here"])
        self.assertGreaterEqual(needed["total"], needed["legal"])
        self.check_folds(report, pairs["known"] + needed["known"])
        # The digest stands for choices that this machine made.
        self.assertRegex(digest(report), r"^0x[0-9a-f]{1,16}$")
        self.assertTrue(report["fingerprint"]["choices"])
        for choice in report["fingerprint"]["choices"]:
            self.assertLessEqual(sum(choice["taken"]), choice["open"])

    def check_folds(self, report, points):
        """Each is explained, and together they have enough points for all that failed."""
        if report["matrix"]:  # not where only a part ran
            self.assertEqual(report["matrix"]["unfolded"], 0)
        for fold in folds(report):
            self.assertEqual(fold["verdict"], "known", fold["id"])
            self.assertEqual(fold["deviation"]["machine"], report["machine"]["emulator"])
            self.assertGreater(fold["fold"]["points"], 0)
            self.assertLessEqual(fold["fold"]["points"], points)
            self.assertTrue(fold["fold"]["repeats"], fold["id"])
        self.assertGreaterEqual(sum(fold["fold"]["points"] for fold in folds(report)), points)

    def check_profile(self, report, name):
        """What quick's host test proves of this machine, it proves of the one that is there."""
        vendor, bits, features = profiles()[name]
        relevant = set().union(*(has for _, _, has in profiles().values())) | {"LAM"}
        self.assertEqual(relevant & set(report["machine"]["features"]), features)
        self.assertEqual(report["machine"]["physical_bits"], bits)
        self.assertEqual(report["machine"]["vendor"], {"AMD": "AuthenticAMD", "INTEL": "GenuineIntel"}[vendor])


class Processors(Quick):
    """QEMU's models."""

    COST = 35

    def test_max(self):
        report = self.run_quick("max")
        self.check_profile(report, "QEMU -cpu max")
        self.assertNotIn("LA57", report["matrix"]["lacking"])
        counts = rule_counts(report)
        self.assertGreater(counts["pml5e_7"], 0)  # only points of 5 levels meet it
        reserved = [fold for fold in folds(report) if "P missing" in fold["fold"]["symptom"]["text"]]
        self.assertEqual([fold["fold"]["where"] for fold in reserved], ["fault=reserved"])
        self.assertGreater(reserved[0]["fold"]["points"], 100)

    def test_max_without_5_levels(self):
        report = self.run_quick("max,-la57")
        self.assertEqual(report["matrix"]["lacking"]["LA57"], "levels=5")
        self.assertEqual(rule_counts(report)["pml5e_7"], 0)
        self.assertNotIn("levels=5", str(report["checks"]))

    def test_qemu64(self):
        report = self.run_quick("qemu64")
        self.check_profile(report, "QEMU -cpu qemu64")
        for feature in ("SMEP", "SMAP", "PKU", "PKS", "LA57", "CET", "LAM"):
            self.assertIn(feature, report["matrix"]["lacking"])
        self.assertGreater(part(report, "needed")["part"]["skipped"], 10)

    def test_epyc(self):
        self.assertNotIn("SMAP", self.run_quick("EPYC")["matrix"]["lacking"])

    def test_nehalem(self):
        self.assertIn("SMEP", self.run_quick("Nehalem")["matrix"]["lacking"])


class SecondWitness(Quick):
    """Bochs, whose page walk shares nothing with QEMU's."""

    COST = 40

    def bochs_quick(self, **environment):
        done = bochs_run(self.new_folder(), MATRIX, **environment)
        self.assertEqual(done.status, 0, "\n".join(done.lines[-30:]) + done.stderr)
        self.check(done.report)
        return done.report

    def test_intel(self):
        report = self.bochs_quick()
        self.check_profile(report, "Bochs tigerlake")
        self.assertEqual(known_deviations(report), listed_deviations(in_matrix=True))
        self.assertEqual(report["matrix"]["lacking"].keys(), {"LA57", "PKS", "LAM"})
        # Its reserved-bit faults are right, and so are those of shadow-stack accesses.
        self.assertFalse([fold for fold in folds(report) if "reserved" in fold["fold"]["where"]])
        self.assertGreater(rule_counts(report)["error_ss"], 0)

    def test_amd(self):
        report = self.bochs_quick(CPU="phenom_8650_toliman")
        self.assertEqual(report["machine"]["vendor"], "AuthenticAMD")
        self.assertEqual(known_deviations(report), listed_deviations("AMD") - listed_deviations())
        self.assertTrue(all("reserved=8" in fold["fold"]["where"] for fold in folds(report)))


class Seeds(Quick):
    COST = 20

    @staticmethod
    def found(report):
        """Everything that the matrix found, but for the time it took."""
        return [{key: {name: value for name, value in what.items() if name != "ticks"} if key == "part" else what
                 for key, what in check.items()} for check in report["checks"]]

    def test_the_same_finds_the_same_and_another_the_same_machine(self):
        one, again = self.run_quick("max", "--seed 5"), self.run_quick("max", "--seed 5")
        self.assertEqual(self.found(one), self.found(again))
        self.assertEqual((one["fingerprint"], one["matrix"]), (again["fingerprint"], again["matrix"]))
        other = self.run_quick("max", "--seed 6")
        self.assertNotEqual(self.found(one), self.found(other))
        self.assertEqual(digest(one), digest(other))
        self.assertEqual(known_deviations(one), known_deviations(other))

    def test_seeds_that_once_had_different_digests(self):
        self.assertEqual(*(digest(self.run_quick("qemu64", f"--seed {seed}")) for seed in (1, 2)))


class Levels(Quick):
    COST = 15

    def test_each_mode_alone(self):
        """What is not of the mode is not there; in 5 levels a PML5E is."""
        four, five = self.run_quick("max", "--levels 4"), self.run_quick("max", "--levels 5")
        self.assertEqual(rule_counts(four)["pml5e_7"], 0)
        self.assertGreater(rule_counts(five)["pml5e_7"], 0)
        self.assertFalse([fold["id"] for fold in folds(four) if "levels=5" in fold["id"]])
        self.assertEqual([fold["id"] for fold in folds(five) if "levels=5" not in fold["id"]], [])
        self.assertTrue(folds(four) and folds(five))


class Witnesses(Quick):
    COST = 15

    def test_each_has_the_same_verdict_alone(self):
        report = self.run_quick("max")
        first = {fold["id"]: fold for fold in folds(report)}
        self.assertGreater(len(first), 3)
        run = boot.run(self.folder, " ".join(f'--only "{name}"' for name in first))
        self.assertEqual(run.status, 0, run.last_words())
        alone = {check["id"]: check for check in run.reports().parsed()["checks"]}
        self.assertEqual(alone.keys(), first.keys())
        for name, check in alone.items():
            # A fold is of one thing that is wrong; alone, a point is judged by all that is wrong there.
            self.assertEqual(check["verdict"], "known")
            for key in ("access", "allowed", "got", "rules"):
                self.assertEqual(check["point"][key], first[name]["point"][key], name)


class Soak(Quick):
    COST = 45

    def test_10_seconds(self):
        """As many points as time allows; every one that fails is explained."""
        run = boot.run(self.folder, "--matrix soak:10 --only matrix.random")
        self.assertEqual(run.status, 0, run.last_words())
        report = run.reports().parsed()
        self.assertEqual(report["verdict"], "pass")
        counts = part(report, "random")["part"]
        self.assertEqual(counts["run"], counts["passed"] + counts["known"] + counts["failed"])
        self.assertEqual((counts["failed"], counts["ended"]), (0, False))
        self.assertGreater(counts["run"], 10000)
        self.check_folds(report, counts["known"])


if __name__ == "__main__":
    boot.unittest.main()
