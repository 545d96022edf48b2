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
