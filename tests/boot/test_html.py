"""tools/report-html: the page tells what the JSON tells, and bad input is named."""
import html.parser
import json
import os
import subprocess

import boot

TOOL = os.path.join(boot.TREE, "tools", "report-html")


class Reader(html.parser.HTMLParser):
    """Text and tags of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.outside = [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.outside += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


class Html(boot.Case):
    COST = 4

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.report = boot.run(cls.folder, "--only not_present.* --only programs.mixture").reports().parsed()

    def convert(self, text):
        path = os.path.join(self.new_folder(), "report.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([TOOL, path], capture_output=True, text=True)

    def test_page_tells_what_the_report_tells(self):
        done = self.convert(json.dumps(self.report))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        page = Reader(done.stdout)
        self.assertIn("VERDICT: " + self.report["verdict"].upper(), page.text)
        self.assertEqual(page.outside, [])
        self.assertNotIn("script", page.tags)
        for check in self.report["checks"]:
            self.assertIn(check["id"], page.text)
            if "deviation" in check:
                self.assertIn(check["deviation"]["sentence"], page.text)

    def test_page_shows_the_memory_of_programs(self):
        [program] = [check["program"] for check in self.report["checks"] if "program" in check]
        page = Reader(self.convert(json.dumps(self.report)).stdout)
        text = page.text.split("Memory of programs")[1]
        for row in program["maps"]:
            self.assertIn(f'{row["start"]}-{row["end"]} {row["rights"]}{row["name"]}{row["strip"]}', text)
        self.assertIn("d the file's, written", text)
        self.assertGreaterEqual(set("".join(row["strip"] for row in program["maps"])), set(".zfad"))
        without = dict(self.report, checks=[check for check in self.report["checks"] if "program" not in check])
        self.assertNotIn("Memory of programs", self.convert(json.dumps(without)).stdout)

    def test_page_tells_of_the_matrix(self):
        report = boot.run(self.folder, "--sabotage model:smep:dropped --only matrix.*").reports().parsed()
        done = self.convert(json.dumps(report))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        page = Reader(done.stdout)
        folds = [check for check in report["checks"] if "fold" in check]
        self.assertTrue(folds)
        for check in folds:
            for words in (check["id"], f'{check["fold"]["where"]}: {check["fold"]["points"]} failing points',
                          check["fold"]["symptom"]["text"], check["point"]["got"], *check["point"]["allowed"]):
                self.assertIn(words, page.text)
        self.assertIn("Fingerprint " + report["fingerprint"]["digest"], page.text)
        for row in report["matrix"]["rules"] + report["fingerprint"]["choices"]:
            self.assertIn(row["what"], page.text)
        for check in report["checks"]:
            if "part" in check:
                self.assertIn(f'{check["part"]["run"]} of {check["part"]["planned"]} points run', page.text)

    def test_text_is_never_markup(self):
        self.report["machine"]["brand"] = brand = "<script>alert('x')</script> & Co"
        page = Reader(self.convert(json.dumps(self.report)).stdout)
        self.assertNotIn("script", page.tags)
        self.assertIn(brand, page.text)

    def test_bad_input_is_named(self):
        for text, words in (("{", "Expecting"), ("[]", "not a report"), ("{}", "not a report"),
                            (json.dumps(dict(self.report, version=99)), "version 99"),
                            (json.dumps({key: self.report[key] for key in self.report if key != "totals"}), "'totals'")):
            with self.subTest(words):
                done = self.convert(text)
                self.assertEqual(done.returncode, 2)
                self.assertIn(words, done.stderr)
                self.assertIn("report.json", done.stderr)
