"""The readers that boot tests judge by are strict: what is wrong is not read as something else."""
import os
import tempfile
import unittest

import boot
import vm

TAP = """TAP version 14
1..4
# a comment
ok 1 - a.b/4k.l1.user
not ok 2 - a.c
  ---
  verdict: FAIL
  ...
ok 3 - a.d # SKIP no PKU
not ok 4 - a.e # TODO known: QEMU
  ---
  verdict: known
  ...
"""


class Tap(unittest.TestCase):
    def test_reads_every_kind_of_point(self):
        points = boot.parse_tap(TAP)
        self.assertEqual([point.name for point in points], ["a.b/4k.l1.user", "a.c", "a.d", "a.e"])
        self.assertEqual(points[1].yaml, ["verdict: FAIL"])
        self.assertEqual(boot.tap_totals(points),
                         {"passed": 1, "failed": 1, "known": 1, "skipped": 1, "errors": 0})

    def test_refuses_what_is_no_tap(self):
        wrong = {
            "no version": TAP[len("TAP version 14\n"):],
            "no plan": TAP.replace("1..4\n", ""),
            "another plan": TAP.replace("1..4", "1..5"),
            "two plans": TAP.replace("1..4\n", "1..4\n1..4\n"),
            "a number left out": TAP.replace("ok 3", "ok 5"),
            "other text": TAP.replace("# a comment", "a comment"),
            "an open block": TAP.replace("  ...\nok 3", "ok 3"),
            "a bare hash": TAP.replace("a.c", "a # c"),
            "no line end": TAP[:-1],
            "bail out": TAP + "Bail out! no\n",
        }
        for what, text in wrong.items():
            with self.subTest(what), self.assertRaises(boot.TapError):
                boot.parse_tap(text)


class Xml(unittest.TestCase):
    def test_suite_that_miscounts_is_seen(self):
        text = ('<testsuites><testsuite name="s" tests="%d" failures="1" errors="0" skipped="0">'
                '<testcase name="a"><failure/></testcase><testcase name="b"/></testsuite></testsuites>')
        self.assertEqual(boot.xml_totals(text % 2)["failed"], 1)
        with self.assertRaises(AssertionError):
            boot.xml_totals(text % 3)


class Screen(unittest.TestCase):
    """Pictures drawn here with the console font, so that the reader's answer is known."""

    TEXT = [" Faultline 0.1        CPU 1 of 4", " not_present  412  .", " VERDICT: PASS  0 of 17"]

    @staticmethod
    def draw(lines, width, height, spoil=None, scale=1):
        shapes = {glyph: rows for rows, glyph in boot.load_font(width, height).items()}
        columns = max(map(len, lines)) + 3
        pixels = bytearray()
        for number, line in enumerate(lines):
            ink, paper = (b"\xff\xff\xff", b"\0\x50\0") if number % 2 else (b"\0\0\0", b"\xc0\xc0\xc0")
            for y in range(height):
                row = b"".join((ink if shapes[glyph][y] >> (width - 1 - x) & 1 else paper) * scale
                               for glyph in line.ljust(columns) for x in range(width))
                pixels += row * scale
        if spoil is not None:
            pixels[spoil * 3:spoil * 3 + 3] = bytes(255 - value for value in pixels[spoil * 3:spoil * 3 + 3])
        return vm.Picture(columns * width * scale, len(lines) * height * scale, bytes(pixels))

    def test_cells_are_read_in_every_size(self):
        for width, height in boot.FONT_SIZES:
            with self.subTest(size=(width, height)):
                self.assertEqual(boot.read_screen(self.draw(self.TEXT, width, height)), self.TEXT)

    def test_cells_are_read_enlarged(self):
        self.assertEqual(boot.read_screen(self.draw(self.TEXT, 8, 16, scale=5)), self.TEXT)

    def test_one_wrong_pixel_is_no_glyph(self):
        picture = self.draw(self.TEXT, 8, 16, spoil=5 * 35 * 8 + 8 + 3)
        self.assertIn("\0", boot.read_screen(picture)[0])

    def test_empty_screen_is_an_error(self):
        with self.assertRaises(AssertionError):
            boot.read_screen(vm.Picture(640, 400, bytes(640 * 400 * 3)))

    def test_tesseract_reads_the_verdict(self):
        with tempfile.TemporaryDirectory() as folder:
            text = boot.recognise(self.draw(self.TEXT, 12, 24), folder)
        self.assertIn("VERDICT: PASS", text)

    def test_png_is_read_by_others(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.png")
            picture = self.draw(self.TEXT, 16, 32)
            picture.save_png(path)
            found = boot.subprocess.run(["tesseract", path, "-", "--psm", "6"], capture_output=True, text=True)
        self.assertIn("VERDICT", found.stdout)
