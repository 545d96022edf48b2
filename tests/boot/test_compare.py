"""tools/compare: every kind of difference between two reports is told, and nothing else is."""
import copy
import json
import os
import re
import subprocess

import boot

TOOL = os.path.join(boot.TREE, "tools", "compare")

MACHINE = {"vendor": "GenuineIntel", "brand": "One", "family": 6, "model": 1, "stepping": 0, "physical_bits": 40,
           "linear_bits": 57, "levels": 4, "features": ["NX", "SMEP", "PKS"], "missing": ["CET"], "emulator": "QEMU TCG",
           "emulator_version": "7.2", "board": "q35", "processors": 1, "processor": 0, "memory_bytes": 1 << 28,
           "firmware": "EDK II", "firmware_revision": "0x1", "uefi_revision": "0x20046", "secure_boot": "off",
           "ticks_per_second": 1000000000}
OPTIONS = {"only": [], "skip": [], "matrix": "quick", "soak_seconds": 0, "seed": "0x1", "repeat": 1, "cpus": 1,
           "levels": "both", "emulator": "", "sabotage": ""}


def comparison(field="error_code", expected="0xd", got="0xc", mask="0xffffffff"):
    return {"field": field, "detail": 0, "expected": expected, "mask": mask, "got": got, "differs": True,
            "text": f"{field}: expected {expected[2:]}, got {got[2:]}"}


def check(name, verdict="pass", **more):
    return {"number": 1, "id": name, "rule": "R2.2", "verdict": verdict, "compared": 1, "expected": None, "got": None, **more}


def report():
    checks = [check("not_present.read_faults/4k.l1.user"), check("reserved.bit_faults/4k.l1.user"),
              check("reserved.bit_faults/4k.l2.user")]
    return {"schema": "faultline-report", "version": 1, "faultline": "0.1", "date": None, "report_number": 1,
            "machine": dict(MACHINE), "options": dict(OPTIONS), "planned": 3, "checks": checks,
            "totals": {"passed": 3, "failed": 0, "known": 0, "skipped": 0, "errors": 0}, "verdict": "pass", "exit_status": 0}


def with_matrix():
    """A report whose fourth check is a part of the matrix, and the fifth a fold."""
    one = report()
    row = {"row": "absent", "rule": "R2.1", "what": "P=0 ends the walk"}
    choice = {"row": "plain_either", "rule": "R4.W", "what": "a plain read-modify-write: either", "open": 500,
              "taken": [500, 0, 0], "ways": ["as a write", "as a read"]}
    one["checks"] += [
        check("matrix.pairs", part={"planned": 20000, "run": 20000, "passed": 18766, "known": 0, "failed": 1234, "ticks": 99,
                                    "ended": False}),
        check("matrix:access=write,ring=0,rsvd=pte", "fail", point={"access": "write"}, fold={
            "where": "walk=reserved,ring=0", "points": 1234, "repeats": True,
            "symptom": {"expected": 14, "got": 14, "error_differs": "0x1", "error_got": "0x0", "flags": "0x0",
                        "text": "P missing in the error code"}})]
    one["matrix"] = {"unfolded": 0, "lacking": {"LA57": "levels=5", "PKS": "pks=1 pkrs=ad pkrs=wd"}, "rules": [{**row, "count": 77}]}
    one["fingerprint"] = {"digest": "0x1", "choices": [choice]}
    return one


class Compare(boot.Case):
    COST = 2

    def compare(self, one, other, *options):
        """Exit status, output and complaints; a report may be bytes."""
        paths = [os.path.join(self.new_folder(), name) for name in ("one.json", "other.json")]
        for path, content in zip(paths, (one, other)):
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else json.dumps(content).encode())
        done = subprocess.run([TOOL, *paths, *options], capture_output=True, text=True)
        for line in done.stdout.splitlines():
            self.assertLessEqual(len(line), 100, line)
        said = done.stdout.replace(os.path.dirname(paths[0]) + "/", "").replace(os.path.dirname(paths[1]) + "/", "")
        return done.returncode, said, done.stderr

    def differ(self, change, *options):
        """The sections that tell how a changed report differs from report(): {heading: text of one line}."""
        other = report()
        change(other)
        status, said, complaint = self.compare(report(), other, *options)
        self.assertEqual((status, complaint), (1, ""), said)
        sections = {}
        for section in said.split("\n\n")[1:]:
            title, _, body = section.partition("\n")
            sections[title] = body
        return sections

    # ---- the same ----

    def test_same_reports_are_the_same(self):
        status, said, complaint = self.compare(report(), report())
        self.assertEqual((status, complaint), (0, ""))
        self.assertIn("Both tell the same.", said)

    def test_what_differs_between_any_two_runs_does_not_count(self):
        other = report()
        other.update(date="2026-01-01T00:00:00Z", report_number=9, added_later=True)
        other["machine"]["ticks_per_second"] += 12345
        other["checks"][0].update(number=7, compared=3, expected="error code 4", got="error code 4")
        self.assertEqual(self.compare(report(), other)[0], 0)

    def test_order_of_checks_does_not_count(self):
        other = report()
        other["checks"].reverse()
        self.assertEqual(self.compare(report(), other)[0], 0)

    # ---- the machine ----

    def test_facts(self):
        def change(other):
            other["machine"].update(vendor="AuthenticAMD", physical_bits=46, emulator="")
        sections = self.differ(change)
        self.assertEqual(list(sections), ["Machine"])
        self.assertEqual([line.split() for line in sections["Machine"].splitlines()],
                         [["vendor", "a", "GenuineIntel"], ["b", "AuthenticAMD"],
                          ["physical", "bits", "a", "40"], ["b", "46"],
                          ["emulator", "a", "QEMU", "TCG"], ["b", "(none)"]])

    def test_each_fact_counts(self):
        for name in MACHINE:
            if name in ("features", "missing", "ticks_per_second"):
                continue
            with self.subTest(name):
                def change(other, name=name):
                    value = other["machine"][name]
                    other["machine"][name] = value + 1 if isinstance(value, int) else value + "x"
                self.assertIn(name.replace("_", " "), self.differ(change)["Machine"])

    def test_features(self):
        def change(other):
            other["machine"].update(features=["CET", "NX", "SMEP"], missing=["PKS"])
        self.assertEqual([line.split() for line in self.differ(change)["Machine"].splitlines()],
                         [["features", "only", "in", "a", "PKS"], ["features", "only", "in", "b", "CET"]])

    def test_options_and_version(self):
        def change(other):
            other["options"].update(matrix="full", only=["x.*", "y.*"])
            other["faultline"] = "0.2"
        sections = self.differ(change)
        self.assertEqual(len(sections), 2)
        self.assertRegex(sections["Version"], r"a  0\.1\n +b  0\.2")
        options = sections["Options: runs of different options need not agree"]
        self.assertRegex(options, r"matrix +a  quick\n +b  full")
        self.assertRegex(options, r"only +a  \(none\)\n +b  x\.\* y\.\*")

    # ---- checks ----

    def test_verdicts_and_first_difference(self):
        def change(other):
            other["checks"][1].update(verdict="fail", comparisons=[
                dict(comparison("vector", "0xe", "0xe"), differs=False), comparison(), comparison("cr2")])
        lines = [line.strip() for line in self.differ(change)["Checks"].splitlines()]
        self.assertEqual(lines, ["1 check", "a  PASS", "b  FAIL; error_code: expected d, got c (and 1 field more)",
                                 "reserved.bit_faults/4k.l1.user"])

    def test_each_verdict_in_words(self):
        for verdict, more, words in (
                ("skip", {"reason": {"code": "feature", "detail": 4, "text": "the processor has no PKS"}},
                 "SKIP; the processor has no PKS"),
                ("error", {"reason": {"code": "oops", "detail": 0, "text": "an unexpected exception"}},
                 "ERROR; an unexpected exception"),
                ("known", {"comparisons": [comparison()], "deviation": {"machine": "M", "versions": "1", "sentence": "says so"}},
                 "KNOWN; error_code: expected d, got c; M: says so"),
                ("pass", {"deviation": {"machine": "M", "versions": "1", "sentence": "says so"}}, "PASS; apart from M: says so"),
                ("known", {"comparisons": [comparison()], "baseline": True}, "KNOWN; error_code: expected d, got c; in the baseline"),
                ("fail", {"lost": True, "expected": "error d", "got": "error c"}, "FAIL; expected error d, got error c")):
            with self.subTest(words):
                self.assertIn("b  " + words, self.differ(
                    lambda other, v=verdict, m=more: other["checks"][0].update(verdict=v, **m))["Checks"])

    def test_checks_of_one_report_only(self):
        self.assertIn("b  did not run it", self.differ(lambda other: other["checks"].pop())["Checks"])
        self.assertIn("a  did not run it", self.differ(lambda other: other["checks"].append(check("new.one")))["Checks"])

    def test_rounds_are_compared_one_by_one(self):
        one, other = report(), report()
        one["checks"] = [check("s.c"), check("s.c")]
        other["checks"] = [check("s.c"), check("s.c", "error", reason={"code": "silent", "detail": 0, "text": "silent"})]
        self.assertIn("s.c (round 2)", self.compare(one, other)[1])

    def test_equally_wrong_elsewhere_is_the_same(self):
        one, other = report(), report()
        one["checks"][0].update(verdict="fail", comparisons=[comparison("cr2", "0x1000", "0x1008")])
        other["checks"][0].update(verdict="fail", comparisons=[comparison("cr2", "0x5000", "0x5008")])
        self.assertEqual(self.compare(one, other)[0], 0)
        other["checks"][0].update(comparisons=[comparison("cr2", "0x5000", "0x5010")])
        self.assertIn("b  FAIL; cr2: expected 5000, got 5010", self.compare(one, other)[1])

    def test_checks_that_differ_in_the_same_way_are_a_group(self):
        one, other = report(), report()
        one["checks"] = [check(f"s.c/bit{number}") for number in range(40)]
        other["checks"] = [check(f"s.c/bit{number}", "fail", comparisons=[comparison()]) for number in range(40)]
        other["checks"][7]["comparisons"][0].update(got="0x5")
        said = self.compare(one, other)[1]
        self.assertIn("  39 checks\n", said)
        self.assertIn("  1 check\n", said)
        self.assertIn("and 34 more (-a lists them)", said)
        self.assertEqual(len(re.findall(r"s\.c/bit\d+", said)), 6)
        self.assertEqual(len(re.findall(r"s\.c/bit\d+", self.compare(one, other, "-a")[1])), 40)

    def test_totals(self):
        def change(other):
            other["totals"].update(passed=2, failed=1)
            other["verdict"] = "fail"
        lines = [line.split() for line in self.differ(change)["Totals"].splitlines()]
        self.assertEqual(lines, [["a", "b"], ["passed", "3", "2"], ["failed", "0", "1"], ["verdict", "PASS", "FAIL"]])

    # ---- the matrix ----

    def test_same_matrices_are_the_same(self):
        self.assertEqual(self.compare(with_matrix(), with_matrix())[0], 0)

    def test_time_and_other_witnesses_do_not_count(self):
        def change(other):
            other["checks"][3]["part"]["ticks"] += 1
            other["checks"][4]["id"] = "matrix:access=write,pml4e.xd=1,nxe=0"
            other["checks"][4]["fold"]["symptom"]["text"] = "in other words"
            other["fingerprint"]["choices"][0].update(open=1000, taken=[900, 0])
            other["matrix"]["rules"][0]["count"] += 1
        other = with_matrix()
        change(other)
        self.assertEqual(self.compare(with_matrix(), other)[:2][0], 0)

    def differ_matrix(self, change, one=None):
        """As differ(), of reports that have a matrix: lines without their indents, by section."""
        one, other = one or with_matrix(), with_matrix()
        change(other)
        status, said, complaint = self.compare(one, other)
        self.assertEqual((status, complaint), (1, ""), said)
        return {lines[0]: [line.strip() for line in lines[1:]]
                for lines in (section.splitlines() for section in said.split("\n\n")[1:])}

    def test_one_without_a_matrix(self):
        status, said, _ = self.compare(report(), with_matrix())
        self.assertEqual(status, 1)
        self.assertRegex(said, r"Matrix\n +a  did not run it\n +b  ran it")

    def test_numbers_of_parts(self):
        sections = self.differ_matrix(lambda other: other["checks"][3]["part"].update(run=21000, ended=True))
        self.assertEqual([line.split() for line in sections.pop("Parts of the matrix")],
                         [["matrix.pairs", "a", "b"], ["run", "20,000", "21,000"], ["ended", "0", "1"]])
        self.assertEqual(sections, {})

    def test_verdict_of_a_part(self):
        sections = self.differ_matrix(lambda other: other["checks"][3].update(
            verdict="error", reason={"code": "uncovered", "detail": 1, "text": "the points do not cover what they should"}))
        self.assertEqual(sections, {"Checks": ["1 check", "a  PASS", "b  ERROR; the points do not cover what they should",
                                               "matrix.pairs"]})

    def test_fold_of_one_report_only(self):
        one = with_matrix()
        fold = one["checks"].pop(4)
        sections = self.differ_matrix(lambda other: None, one)
        self.assertEqual(sections, {"Folds": ["P missing in the error code", "walk=reserved,ring=0", "a  no such fold",
                                              "b  FAIL, 1,234 points", "--only " + fold["id"]]})
        sections = self.differ_matrix(lambda other: other["checks"].pop(4))
        self.assertEqual(sections["Folds"][2:4], ["a  FAIL, 1,234 points", "b  no such fold"])

    def test_why_there_is_no_such_fold(self):
        for witness, where, change, words in (
                ("matrix:levels=5", "levels=5", {}, "this machine lacks LA57, so not levels=5"),
                ("matrix:pks=1,pkrs=ad", "walk=complete", {}, "its witness cannot be here: this machine lacks PKS, so not pks=1"),
                ("matrix:rsvd=pte,rbit=44", "walk=reserved", {"physical_bits": 46},
                 "its witness cannot be here: with 46 physical-address bits, bit 44 is")):
            with self.subTest(words):
                one, other = with_matrix(), with_matrix()
                one["checks"][4]["id"] = witness
                one["checks"][4]["fold"]["where"] = where
                other["checks"].pop(4)
                other["machine"].update(change)
                self.assertIn("b  no such fold: " + words, self.compare(one, other)[1])
                self.assertNotIn("a  no such fold", self.compare(one, other)[1])

    def test_the_same_fold_otherwise(self):
        known = {"machine": "QEMU TCG", "versions": "7.2", "sentence": "a reserved-bit fault comes without P"}
        for change, words in (({"verdict": "known", "deviation": known},
                               "b  KNOWN, 1,234 points; QEMU TCG: a reserved-bit fault comes without P"),
                              ({"verdict": "known", "baseline": True}, "b  KNOWN, 1,234 points; in the baseline"),
                              ({"points": 1}, "b  FAIL, 1 point"),
                              ({"repeats": False}, "b  FAIL, 1,234 points; its witness did not fail again by itself")):
            with self.subTest(words):
                def alter(other, change=change):
                    check = other["checks"][4]
                    for name, value in change.items():
                        (check["fold"] if name in check["fold"] else check)[name] = value
                self.assertEqual(self.differ_matrix(alter)["Folds"][2:4], ["a  FAIL, 1,234 points", words])

    def test_another_symptom_is_another_fold(self):
        for name, value in (("expected", None), ("got", 13), ("error_differs", "0x3"), ("error_got", "0x1"), ("flags", "0x4")):
            with self.subTest(name):
                folds = self.differ_matrix(lambda other, n=name, v=value: other["checks"][4]["fold"]["symptom"].update({n: v}))
                self.assertEqual([line for line in folds["Folds"] if "no such fold" in line],
                                 ["b  no such fold", "a  no such fold"])

    def test_folds_of_other_points_are_not_told_one_by_one(self):
        def change(other):
            other["checks"][3]["part"].update(run=21000)
            other["checks"][4]["fold"]["points"] = 2000
        self.assertEqual(self.differ_matrix(change)["Folds"],
                         ["1 fold of both with other numbers of points: the parts ran other points"])

    def test_points_in_no_fold(self):
        sections = self.differ_matrix(lambda other: other["matrix"].update(unfolded=5))
        self.assertEqual([line.split() for line in sections["Folds"]],
                         [["in", "no", "fold", "a", "0", "points"], ["b", "5", "points"]])

    def test_of_a_soak_no_numbers_count(self):
        one, other = with_matrix(), with_matrix()
        for each in (one, other):
            each["options"]["matrix"] = "soak"
        other["checks"][3]["part"]["run"] = 5
        other["checks"][4]["fold"]["points"] = 5
        self.assertEqual(self.compare(one, other)[0], 0)

    def test_choices(self):
        def change(other):
            other["fingerprint"]["digest"] = "0x2"
            other["fingerprint"]["choices"][0]["taken"] = [3, 497]
        self.assertEqual(self.differ_matrix(change)["Fingerprint"],
                         ["digest             a  0x1", "b  0x2", "R4.W: a plain read-modify-write: either",
                          "a  as a write (500 times)", "b  as a write (3 times), as a read (497 times)"])

    def test_a_choice_that_only_one_has(self):
        for change, words in ((lambda other: other["fingerprint"].update(choices=[]), "never had the choice"),
                              (lambda other: other["fingerprint"]["choices"][0].update(open=0, taken=[0, 0]), "never had the choice"),
                              (lambda other: other["fingerprint"]["choices"][0].update(taken=[0, 0]), "took none that shows"),
                              (lambda other: other["fingerprint"]["choices"][0].update(taken=[0, 0, 0, 9]), "way 4 (9 times)")):
            with self.subTest(words):
                self.assertEqual(self.differ_matrix(change)["Fingerprint"][-1], "b  " + words)

    def test_rules_that_only_one_exercised(self):
        self.assertEqual(self.differ_matrix(lambda other: other["matrix"]["rules"][0].update(count=0)),
                         {"Rules that only one run exercised": ["R2.1: P=0 ends the walk (a: 77 times, b: never)"]})

    # ---- form ----

    def test_long_texts_are_wrapped_and_nothing_is_lost(self):
        name = "matrix:" + ",".join(f"axis{number}=value{number}" for number in range(40)) + "," + "x" * 150
        one, other = report(), report()
        one["checks"].append(check(name))
        self.assertIn(name, re.sub(r"\s", "", self.compare(one, other)[1]))

    def test_output_is_repeatable(self):
        other = report()
        other["machine"].update(features=["CET", "LAM", "NX"], missing=[])
        other["checks"].pop(1)
        self.assertEqual(self.compare(report(), other), self.compare(copy.deepcopy(report()), copy.deepcopy(other)))

    # ---- bad input ----

    def test_bad_input_is_named(self):
        good = report()
        bad_check, bad_verdict, bad_machine = report(), report(), report()
        del bad_check["checks"][1]["id"]
        bad_verdict["checks"][2]["verdict"] = "good"
        bad_machine["machine"]["physical_bits"] = "forty"
        for content, words in ((b"", "is no JSON"), (b"{", "is no JSON"), (b"\xff\xfe\0", "is no JSON"), (b"[" * 100000, "is no JSON"),
                               (b"[]", "not a report"), (b"{}", "not a report"), (b"null", "not a report"),
                               (dict(good, version=2), "version 2"), (dict(good, version=None), "version None"),
                               (dict(good, checks=5), "checks is not an array"),
                               (dict(good, machine=[]), "machine is not an object"),
                               (dict(good, verdict="fine"), "verdict is not one of error, fail, pass"),
                               (dict(good, planned=True), "planned is not a number"),
                               ({key: good[key] for key in good if key != "totals"}, "lacks 'totals'"),
                               (dict(with_matrix(), matrix=3), "matrix is not an object"),
                               (dict(with_matrix(), fingerprint={"digest": 5}), "fingerprint.digest is not a text"),
                               (dict(with_matrix(), fingerprint={"digest": "0x1", "choices": [{}]}), "choices[0] lacks 'row'"),
                               (bad_check, "checks[1] lacks 'id'"), (bad_verdict, "checks[2].verdict is not one of"),
                               (bad_machine, "machine.physical_bits is not a number")):
            with self.subTest(words):
                status, said, complaint = self.compare(good, content)
                self.assertEqual((status, said), (2, ""))
                self.assertIn("other.json: ", complaint)
                self.assertNotIn("one.json", complaint)
                self.assertIn(words, complaint)
                self.assertEqual(complaint.count("\n"), 1)

    def test_both_files_are_named(self):
        status, _, complaint = self.compare(b"{", b"[]")
        self.assertEqual(status, 2)
        self.assertEqual([line.split(": ")[2] for line in complaint.splitlines()], ["is no JSON", "is not a report of Faultline's"])

    def test_usage_and_missing_file(self):
        for arguments, words in ((["x.json"], "tools/compare A.json B.json"), (["a", "b", "--fast"], "tools/compare A.json"),
                                 (["/nowhere/a.json", "/nowhere/b.json"], "/nowhere/b.json: No such file")):
            with self.subTest(words):
                done = subprocess.run([TOOL, *arguments], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(words, done.stderr)


class Machines(boot.Case):
    """Reports of runs."""

    COST = 30

    def run_on(self, cpu):
        """The path of a report."""
        path = os.path.join(self.new_folder(), "report.json")
        run = boot.run(self.folder, '--only "matrix.*" --only "not_present.*"', cpu=cpu)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(run.reports().parsed(), file)
        return path

    def test_one_machine_twice_and_another(self):
        first, again, other = self.run_on("max"), self.run_on("max"), self.run_on("Nehalem")
        done = subprocess.run([TOOL, first, again], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        done = subprocess.run([TOOL, first, other], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
        for words in (r"features only in a +.*SMEP, SMAP, PKU, PKS", r"b  SKIP; .*1-GiB", r"matrix\.pairs +a +b\n",
                      r"no such fold: this machine lacks CLWB, so not access=clwb", r"b  never had the choice",
                      r"R3\.5: .*b: never"):
            self.assertRegex(done.stdout, words)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)
