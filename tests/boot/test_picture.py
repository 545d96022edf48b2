"""docs/pictures/matrix.svg is what the reference model says today, and says what the rules say."""
import json
import os
import subprocess
import xml.etree.ElementTree

import boot

PICTURE = os.path.join(boot.TREE, "docs", "pictures", "matrix.svg")
SVG = "{http://www.w3.org/2000/svg}"

# Worked out by hand from docs/rules.md.
BY_HAND = {
    "ring 3 read, user r--, WP=1 NXE=1": "goes through",
    "ring 3 write, user r-x, WP=0": "#PF error 7 (P W U); R3.2",
    "ring 3 read, supervisor rwx, WP=1 NXE=1": "#PF error 5 (P U); R3.1",
    "ring 3 fetch, supervisor rw-, WP=1 NXE=1": "#PF error 15 (P U I/D); R3.4",
    "ring 3 fetch, not present, NXE=0": "#PF error 4 (U); R2.1",
    "ring 0 read, not present, WP=1 NXE=1": "#PF error 0 (no bit); R2.1",
    "ring 0 read, user rw-, NXE=0": "#PF error 9 (P RSVD); R2.2",
    "ring 0 write, reserved bit, SMEP=1": "#PF error b (P W RSVD); R2.2",
    "ring 0 write, supervisor r--, WP=1 NXE=1": "#PF error 3 (P W); R3.3",
    "ring 0 write, supervisor r--, WP=0": "goes through",
    "ring 0 fetch, user rwx, SMEP=1": "#PF error 11 (P I/D); R3.5",
    "ring 0 fetch, user rwx, SMAP=1 AC=0": "goes through",
    "ring 0 read, user rwx, SMAP=1 AC=0": "#PF error 1 (P); R3.6",
    "ring 0 read, user rwx, SMAP=1 AC=1": "goes through",
    "implicit table, user rwx, SMAP=1 AC=1": "#PF error 1 (P); R3.7",
    "implicit table, supervisor rwx, SMAP=1 AC=0": "goes through",
    "implicit frame, user rwx, SMAP=1 AC=1": "goes through or #PF error 3 (P W); R3.6",
    "ring 0 write, user r-x, PKE=1 PKRU.AD": "#PF error 23 (P W PK); R3.3, R3.8",
    "ring 3 fetch, user rwx, PKE=1 PKRU.AD": "goes through",
    "ring 3 write, user rwx, PKRU.WD PKRS.WD WP=0": "#PF error 27 (P W U PK); R3.8",
    "ring 0 write, user rwx, PKRU.WD PKRS.WD WP=0": "goes through",
    "ring 3 read, supervisor r-x, PKS=1 PKRS.AD": "#PF error 5 (P U) or #PF error 25 (P U PK); R3.1",
    "ring 0 read, supervisor rw-, PKS=1 PKRS.WD": "goes through",
}


def draw(data):
    return subprocess.run([os.path.join(boot.TREE, "tools", "matrix-picture")], input=data, capture_output=True,
                          check=True).stdout


class Drawn(boot.Case):
    COST = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = subprocess.run([os.path.join(boot.BUILD, "matrix-cells")], capture_output=True, check=True).stdout
        with open(PICTURE, "rb") as file:
            cls.picture = file.read()

    def test_picture_is_that_of_the_model(self):
        self.assertEqual(draw(self.data), self.picture, "the model has changed: make picture")

    def test_another_model_gives_another_picture(self):
        data = json.loads(self.data)
        data["blocks"][3]["cells"][2][1]["errors"] = [3]
        self.assertNotEqual(draw(json.dumps(data).encode()), self.picture)

    def test_cells_say_what_the_rules_say(self):
        titles = [title.text for title in xml.etree.ElementTree.fromstring(self.picture).iter(SVG + "title")]
        said = dict(title.split(": ", 1) for title in titles if ": " in title)
        data = json.loads(self.data)
        self.assertEqual(len(said), len(data["blocks"]) * len(data["rows"]) * len(data["columns"]))
        for cell, words in BY_HAND.items():
            with self.subTest(cell):
                self.assertEqual(said.get(cell), words)

    def test_a_cell_faults_where_a_rule_forbids_and_only_there(self):
        for block in json.loads(self.data)["blocks"]:
            for cell in (cell for row in block["cells"] for cell in row):
                self.assertEqual(bool(cell["errors"]), bool(cell["rules"]))
                self.assertTrue(cell["errors"] or cell["passes"])

    def test_picture_can_be_read_without_seeing_it(self):
        root = xml.etree.ElementTree.fromstring(self.picture)
        self.assertEqual(root.get("role"), "img")
        named = [root.find(f"{SVG}{tag}[@id='{name}']").text for tag, name in
                 zip(("title", "desc"), root.get("aria-labelledby").split())]
        self.assertTrue(all(named))
        texts = [text.text for text in root.iter(SVG + "text")]
        for rule, what in json.loads(self.data)["rules"].values():
            with self.subTest(rule):
                self.assertIn(what, texts)
                self.assertIn(rule[1:], texts)
