"""Read the reports of one run with stock parsers and compare them with each other.

report_check.py FOLDER PASSED FAILED KNOWN SKIPPED ERRORS VERDICT

In FOLDER: console.tap, report.tap, report.xml, report.json, baseline.txt. Exit status 1 and a sentence when something is
wrong. TAP is read by Perl's TAP::Parser, which knows version 13; what 14 adds is not used. The YAML in it is
read by PyYAML, JSON is held against docs/report.schema.json.
"""
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

import jsonschema
import yaml

NAMES = ("passed", "failed", "known", "skipped", "errors")
SCHEMA = os.path.join(os.path.dirname(__file__), "../../docs/report.schema.json")

PERL = r"""
use TAP::Parser;
local $/; my $tap = <STDIN>;
$tap =~ s/^TAP version 14/TAP version 13/ or die "no version\n";
my $parser = TAP::Parser->new({ tap => $tap });
my %count; my $blocks = 0;
while (my $result = $parser->next) {
    if ($result->is_yaml) { $blocks++; die "no verdict in YAML\n" unless $result->data->{verdict}; }
    die "unknown line: " . $result->raw . "\n" if $result->is_unknown and $result->raw !~ /^VERDICT: /;
    next unless $result->is_test;
    $count{$result->has_skip ? "skipped" : $result->has_todo ? "known" : $result->is_actual_ok ? "passed" : "bad"}++;
}
die join("; ", $parser->parse_errors) . "\n" if $parser->parse_errors;
print join(" ", map { $count{$_} // 0 } qw(passed bad known skipped)), " $blocks\n";
"""


class Wrong(Exception):
    """Something in the reports."""


def expect(what, got, wanted):
    if got != wanted:
        raise Wrong(f"{what}: {got!r} instead of {wanted!r}")


def check_tap(text, totals):
    """TAP without the closing line of the console."""
    done = subprocess.run(["perl", "-e", PERL], input=text, capture_output=True, check=False)
    if done.returncode != 0:
        raise Wrong("TAP::Parser: " + done.stderr.decode())
    bad = totals["failed"] + totals["errors"]
    expect("TAP's counts", done.stdout.decode().split(),
           [str(n) for n in (totals["passed"], bad, totals["known"], totals["skipped"], bad + totals["known"])])
    blocks = re.findall(r"^  ---\n(.*?)^  \.\.\.\n", text.decode("ascii"), re.M | re.S)
    verdicts = []
    for block in blocks:
        data = yaml.safe_load(block)
        verdicts.append(data["verdict"])
        expect("the option that runs a check again", data["again"].split()[0], "--only")
        for difference in data.get("differences", ()):
            expect("a difference's keys", sorted(difference), ["expected", "field", "got"])
    expect("TAP's errors", verdicts.count("ERROR"), totals["errors"])
    expect("TAP's failures", verdicts.count("FAIL"), totals["failed"])


def check_xml(data, totals):
    root = xml.etree.ElementTree.fromstring(data)
    expect("the root", root.tag, "testsuites")
    found = dict.fromkeys(NAMES, 0)
    for suite in root:
        expect("a child of the root", suite.tag, "testsuite")
        cases = suite.findall("testcase")
        kinds = [case[0].tag if len(case) else "passed" for case in cases]
        for attribute, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            expect(f"{suite.get('name')}'s {attribute}", int(suite.get(attribute)), kinds.count(kind))
        expect(f"{suite.get('name')}'s tests", int(suite.get("tests")), len(cases))
        for case in cases:
            expect("the class", case.get("classname"), suite.get("name"))
            kind = case[0].tag if len(case) else "passed"
            if kind == "skipped":
                kind = "known" if case[0].get("message").startswith("known deviation: ") else "skipped"
            found[{"failure": "failed", "error": "errors"}.get(kind, kind)] += 1
    expect("XML's counts", found, totals)


def unique(pairs):
    """The object of @pairs, whose keys differ."""
    expect("keys of an object", len(dict(pairs)), len(pairs))
    return dict(pairs)


def check_baseline(data, report):
    """A line for each check that failed and is no part, in their order."""
    lines = data.decode("ascii").splitlines()
    expect("the baseline's first words", lines[0].split()[:2], ["faultline", "baseline"])
    expect("the baseline's end", lines[-1], "end")
    wanted = []
    for check in report["checks"]:
        if (check["verdict"] == "fail" or check.get("baseline")) and "part" not in check:
            wanted.append(["fold", check["fold"]["where"]] if "fold" in check else ["check", check["id"]])
    expect("the baseline's lines", [line.split()[:2] for line in lines[1:-1]], wanted)


def check_json(data, totals, verdict):
    report = json.loads(data, object_pairs_hook=unique)
    with open(SCHEMA, encoding="ascii") as file:
        schema = json.load(file)
    # Ubuntu 22.04's jsonschema knows drafts up to 7; the schema uses nothing that has changed since.
    draft = getattr(jsonschema, "Draft202012Validator", jsonschema.Draft7Validator)
    draft.check_schema(schema)
    for error in draft(schema).iter_errors(report):
        raise Wrong(f"JSON, {'/'.join(map(str, error.absolute_path))}: {error.message}")
    expect("JSON's totals", report["totals"], totals)
    expect("JSON's verdict", report["verdict"], verdict)
    expect("the exit status", report["exit_status"], {"pass": 0, "fail": 1, "error": 2}[verdict])
    words = {"passed": "pass", "failed": "fail", "known": "known", "skipped": "skip", "errors": "error"}
    verdicts = [check["verdict"] for check in report["checks"]]
    expect("JSON's checks", {name: verdicts.count(words[name]) for name in NAMES}, totals)
    expect("numbers", [check["number"] for check in report["checks"]], list(range(1, len(verdicts) + 1)))
    for check in report["checks"]:
        part = check.get("part")
        if part:
            expect(f"{check['id']}'s points", part["run"], part["passed"] + part["known"] + part["failed"])
            worst = "fail" if part["failed"] else "known" if part["known"] else "pass"
            expect(f"{check['id']}'s verdict", check["verdict"], worst)
        if "fold" in check:
            expect(f"{check['id']} is a fold", check["id"][:7], "matrix:")
        for row in check.get("comparisons", ()):
            differs = (int(row["expected"], 16) ^ int(row["got"], 16)) & int(row["mask"], 16) != 0
            expect(f"{check['id']}: {row['field']} differs", row["differs"], differs)
    return report


def main():
    folder, *numbers, verdict = sys.argv[1:]
    totals = dict(zip(NAMES, map(int, numbers), strict=True))
    files = {}
    for name in ("console.tap", "report.tap", "report.xml", "report.json", "baseline.txt"):
        with open(os.path.join(folder, name), "rb") as file:
            files[name] = file.read()
    check_tap(files["console.tap"], totals)
    check_tap(files["report.tap"], totals)
    closing = files["console.tap"].splitlines(keepends=True)[-1]
    expect("TAP's plan", re.findall(rb"^1\.\..*$", files["report.tap"], re.M), [b"1..%d" % sum(totals.values())])
    expect("the console's end", closing[:9] + closing[-1:], b"VERDICT: \n")
    expect("report.tap", files["report.tap"], files["console.tap"][:-len(closing)] + b"# " + closing)
    check_xml(files["report.xml"], totals)
    report = check_json(files["report.json"], totals, verdict)
    check_baseline(files["baseline.txt"], report)


if __name__ == "__main__":
    try:
        main()
    except (Wrong, ValueError, KeyError, IndexError, yaml.YAMLError, xml.etree.ElementTree.ParseError) as error:
        sys.exit(f"report_check: {error}"[:1000])
