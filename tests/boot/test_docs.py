"""The manual says what is there: names of files, targets, options, suites, cases, and words of --sabotage."""
import glob
import os
import re
import unittest

import boot
import programs

PAGES = ["README.md", "tests/programs/README.md"] + sorted(
    os.path.relpath(page, boot.TREE) for page in glob.glob(os.path.join(boot.TREE, "docs", "*.md")))
FOLDERS = ("x86", "paging", "fault", "mm", "os", "tests", "efi", "esp", "tools", "docs")  # not build/: it is made


def read(path):
    with open(os.path.join(boot.TREE, path), encoding="utf-8") as file:
        return file.read()


def spans(text):
    """The code spans of a page, blocks left out."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def anchor(heading):
    """The fragment that a Markdown viewer gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Manual(boot.Case):
    COST = 5

    def test_links_lead_somewhere(self):
        count = 0
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s]+)\)", read(page)):
                if re.match(r"\w+://", target):
                    continue
                count += 1
                name, _, fragment = target.partition("#")
                path = os.path.normpath(os.path.join(os.path.dirname(page), name)) if name else page
                with self.subTest(page=page, target=target):
                    self.assertTrue(os.path.exists(os.path.join(boot.TREE, path)))
                    if fragment:
                        headings = re.findall(r"^#+ (.*)$", read(path), flags=re.M)
                        self.assertIn(fragment, [anchor(heading) for heading in headings])
        self.assertGreater(count, 20)

    def test_picture_is_one(self):
        with open(os.path.join(boot.TREE, "docs", "pictures", "report.png"), "rb") as file:
            picture = boot.vm.Picture.from_png(file.read())
        self.assertGreaterEqual((picture.width, picture.height), (800, 600))
        self.assertTrue(any("VERDICT: PASS" in line for line in boot.read_screen(picture)))

    def test_paths_exist(self):
        for page in PAGES:
            words = {word for span in spans(read(page)) for word in span.split()
                     if re.fullmatch(r"[\w.*-]+(/[\w.*-]*)+", word) and word.split("/")[0] in FOLDERS}
            self.assertTrue(words or page != "README.md")
            for word in words:
                with self.subTest(page=page, path=word):
                    self.assertTrue(glob.glob(os.path.join(boot.TREE, word)))

    def test_functions_exist(self):
        """What has "()" behind it is a function of ours, or a system call."""
        sources = [path for folder in FOLDERS
                   for path in glob.glob(os.path.join(boot.TREE, folder, "**", "*.[chS]"), recursive=True)]
        names = set(re.findall(r"\b(?:sys_)?(\w+)\(", "".join(map(read, sources))))
        count = 0
        for page in PAGES:
            said = set(re.findall(r"\b(\w+)\(\)", read(page)))
            count += len(said)
            with self.subTest(page):
                self.assertEqual(said - names, set())
        self.assertGreater(count, 30)

    def test_targets_exist(self):
        rules = "".join(map(read, ("Makefile", "efi/efi.mk", "tests/host/host.mk", "tests/programs/programs.mk")))
        targets = set(re.findall(r"^([a-z_-]+):.*## ", rules, flags=re.M))
        self.assertIn("run", targets)
        named = {word for page in PAGES for word in re.findall(r"(?:^|`)make ([a-z_-]+)", read(page), flags=re.M)}
        self.assertGreater(len(named), 5)
        self.assertEqual(named - targets, set())

    def test_options_exist(self):
        known = set(re.findall(r'LINE\("(--[a-z-]+)', read("tests/harness/options.c")))
        self.assertIn("--only", known)
        for page in PAGES:
            # sbsign has options of its own
            text = "\n".join(line for line in read(page).splitlines() if "sbsign" not in line)
            with self.subTest(page):
                self.assertEqual(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - known, set())

    def test_suites_are_those_of_the_tree(self):
        table = re.search(r"suites\[\] = \{(.*?)\};", read("tests/suites/suites.c"), flags=re.S).group(1)
        suites = re.findall(r"&(\w+)_suite", table)
        self.assertIn("not_present", suites)
        page = read("docs/suites.md")
        self.assertEqual([name for name in re.findall(r"^## (\w+)$", page, flags=re.M) if name in suites], suites)
        rows = re.findall(r"^\| `(\w+)` \|", re.split(r"^## ", read("README.md"), flags=re.M)[1], flags=re.M)
        self.assertEqual(rows, suites)

    def test_cases_are_those_of_the_application(self):
        run = boot.run(self.folder, "--list --only *")
        self.assertEqual(run.status, 0, run.last_words())
        there = {}
        for suite, case in re.findall(r"^(\w+)\.(\w+)(?:/\S+)?$", "\n".join(run.lines), flags=re.M):
            there.setdefault(suite, set()).add(re.sub(r"_with(_smep_and)?_smap$", "", case))
        self.assertIn("write_protect", there)
        there["run"] = {"every_rule_exercised"}  # judges whole runs: --only leaves it out
        there["matrix"] |= {"exhaustive", "triples", "random"}  # of other words of --matrix
        written = {}
        for section in re.split(r"^## ", read("docs/suites.md"), flags=re.M)[1:]:
            cells = re.findall(r"^\| (`.*?) \|", section, flags=re.M)
            written[section.split("\n")[0]] = {name for cell in cells for name in spans(cell)}
        written["programs"] = set(programs.names())  # each says at its head what it does
        for suite, cases in there.items():
            with self.subTest(suite):
                self.assertEqual(written.get(suite), cases)

    def test_sabotage_is_that_of_the_harness(self):
        section = read("docs/suites.md").split("## Sabotage")[1]
        listed = set(re.findall(r"^\| `([\w:-]+)` \|", section, flags=re.M)) - {"model:ROW:SLIP"}  # matrix/wrong.c
        source = read("tests/harness/sabotage.c")
        words = set(re.findall(r'^    \{"([\w:-]+)",', source, flags=re.M))
        self.assertIn("leak-page", words)
        self.assertEqual({re.sub("^world:.*", "world:NAME", word) for word in words}, listed)

    def test_deviations_are_those_listed(self):
        said = set(re.findall(r'\.sentence = "([^"]+)"', read("tests/deviations.c")))
        self.assertTrue(said)
        section = read("docs/suites.md").split("## Known deviations")[1].split("\n## ")[0]
        rows = {row.split(" | ")[-1].rstrip(" |") for row in re.findall(r"^\| [^|-].*$", section, flags=re.M)}
        self.assertEqual(rows - {"what is wrong"}, said)


class Matrix(unittest.TestCase):
    """docs/matrix.md has the axes, accesses and attributes of the matrix, no fewer and no others."""

    @staticmethod
    def values(text):
        return re.findall(r'"([^"]*)"', text)

    def rows(self, title):
        """The tables' rows of a section, as lists of cells."""
        section = re.search(rf"^(#+) {title}\n(.*?)(?=^#|\Z)", read("docs/matrix.md"), flags=re.M | re.S).group(2)
        return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in re.findall(r"^\| `.*$", section, flags=re.M)]

    def test_axes(self):
        source = read("tests/matrix/axes.c")
        table = re.search(r"axes\[AXIS_COUNT\] = \{\n(.*?)^\};", source, flags=re.M | re.S).group(1)
        of_entry = re.findall(r'name "(\.\w+)", VALUES\(([^)]*)\)', source.replace("\\\n", " "))
        self.assertEqual(len(of_entry), 5)
        axes = {name: self.values(values) for name, values in
                re.findall(r'\{"([\w.]+)", VALUES\(([^)]*)\)', table)}
        for entry in re.findall(r'ENTRY\("(\w+)"\)', table):
            axes.update({entry + name: self.values(values) for name, values in of_entry})
        self.assertIn("pml5e.a", axes)
        self.assertEqual(len(axes) + 1, len(re.findall(r"\[AXIS_\w+\]", table)) + 5 * 5 - 1)  # access is told apart
        written = {name: spans(row[1]) for row in self.rows("Axes") for name in spans(row[0])}
        self.assertEqual(written.pop("access"), [])
        self.assertEqual(written, axes)

    def test_accesses(self):
        rings = {"BOTH": "3 0", "RING_3": "3", "RING_0": "0"}
        accesses = re.findall(r'ACCESS\("([\w-]+)", MODEL_(\w+), (\w+),', read("tests/matrix/axes.c"))
        self.assertGreater(len(accesses), 30)
        written = [(spans(row[0])[0], row[3]) for row in self.rows("Accesses")]
        self.assertEqual(written, [(name, rings[which]) for name, _, which in accesses])
        kinds = {"RMW_LOCKED": "locked", "RMW_PLAIN": "rmw", "SHADOW_WRITE": "shadow-write"}
        self.assertEqual([row[2].split(",")[0] for row in self.rows("Accesses")],
                         [kinds.get(kind, kind.lower()) for _, kind, _ in accesses])

    def test_attributes(self):
        table = re.search(r"derived\[DERIVED_COUNT\] = \{(.*?)^\};", read("tests/matrix/point.c"), flags=re.M | re.S).group(1)
        said = {name: self.values(values) for name, values in re.findall(r'\{"(\w+)",\s*\{(.*?)\}', table, flags=re.S)}
        self.assertGreater(len(said), 4)
        self.assertEqual({spans(row[0])[0]: spans(row[1]) for row in self.rows("Attributes that the model adds")}, said)

    def test_places(self):
        names = re.search(r'"place", VALUES\(([^)]*)\)', read("tests/matrix/axes.c")).group(1)
        self.assertEqual([spans(row[0])[0] for row in self.rows("Places")], self.values(names))

    def test_choices(self):
        rows = re.findall(r'ROW\(\w+, "([\w.]+)",(?:(?!ROW\().)*?CHOICE', read("tests/model/rows.h"), flags=re.S)
        self.assertGreater(len(rows), 5)
        section = read("docs/matrix.md").split("## The fingerprint")[1].split("\n## ")[0]
        self.assertEqual(set(re.findall(r"^\| (R[\w.]+) \|", section, flags=re.M)), set(rows))
