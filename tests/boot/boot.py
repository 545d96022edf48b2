"""What the boot tests share: one run of the application in a virtual machine, and readers of its reports."""
import atexit
import dataclasses
import functools
import gzip
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import xml.etree.ElementTree

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TREE, "tools"))
import disk  # noqa: E402
import vm  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TREE, "build")))  # tests/boot/run sets it
RUN_IMAGE = os.path.join(BUILD, "run.img")
STICK_IMAGE = os.path.join(BUILD, "faultline.img")
APPLICATION = os.path.join(BUILD, "faultline.efi")
LIMIT = 240  # seconds; only a run that hangs gets there
VERDICT_LINE = r"^VERDICT: (\w+)  (\d+) of (\d+) checks failed"


class Case(unittest.TestCase):
    """A test with a folder of its own, which goes when it is over."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="boot-", dir=BUILD)
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def new_folder(self):
        return tempfile.mkdtemp(dir=self.folder)


@dataclasses.dataclass
class Run:
    """What is left of a run when the machine has gone."""

    end: str  # as Guest.wait_end says
    value: object
    lines: list  # of the serial port
    picture: vm.Picture
    image: str  # the disk
    seconds: float  # from QEMU's start to the end of the run
    guest: vm.Guest

    @property
    def status(self):
        """Exit status, for runs that ended by the debug-exit port."""
        if self.end != "byte":
            raise AssertionError(f"the run ended by {self.end} {self.value}:\n" + self.last_words())
        return self.value

    def last_words(self):
        return "\n".join(self.lines[-30:]) + "\n" + self.guest.errors()

    def reports(self, which=-1):
        """Reports of the run whose folder is number @which on the disk."""
        return Reports.from_image(self.image, disk.report_folders(self.image)[which])

    def serial_tap(self):
        """The last TAP on the serial line: from its version to the verdict, as report.tap has it."""
        starts = [at for at, line in enumerate(self.lines) if line == "TAP version 14"]
        if not starts:
            raise AssertionError("no TAP on the serial line:\n" + self.last_words())
        lines = []
        for line in self.lines[starts[-1]:]:
            if line.startswith("VERDICT: "):
                return "\n".join(lines + ["# " + line]) + "\n"
            lines.append(line)
        raise AssertionError("no verdict on the serial line:\n" + self.last_words())


@dataclasses.dataclass
class Reports:
    """The three files of one run, as bytes."""

    tap: bytes
    xml: bytes
    json: bytes

    @staticmethod
    def from_image(image, number):
        return Reports(*(disk.read_file(image, f"/faultline/{number}/report.{kind}")
                         for kind in ("tap", "xml", "json")))

    def parsed(self):
        """report.json by the stock parser."""
        return json.loads(self.json)

    @property
    def totals(self):
        return self.parsed()["totals"]


def cannot_run_here(why):
    """What a test raises that this system has no machine for; tests/boot/run knows these words."""
    return unittest.SkipTest(f"cannot run here: {why}")


def load_tool(name, folder="tools"):
    """@folder/@name, a script, as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(TREE, folder, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def copy_image(folder, source=RUN_IMAGE):
    """A private copy of a disk image in @folder."""
    path = os.path.join(tempfile.mkdtemp(dir=folder), "disk.img")
    return disk.copy(source, path)


def machine(image, options="", bus="virtio", readonly=False, debug_exit=True, **fields):
    """The machine of make run with @image in it; @options None: none, not even the runner's own."""
    text = None if options is None else vm.application_options(options, debug_exit)
    return vm.Machine(drives=[vm.Drive(image, bus, readonly)], options=text, **fields)


def run(folder, options="", image=None, limit=LIMIT, shell=False, **fields):
    """Boot the run disk (a copy, unless @image), wait for the end, take the screen, read nothing yet.

    @shell: as Guest.wait_end has it.
    """
    image = image or copy_image(folder)
    with vm.Guest(machine(image, options, **fields), tempfile.mkdtemp(dir=folder)) as guest:
        try:
            end, value = guest.wait_end(limit, shell)
        except vm.VmError as error:
            raise AssertionError(f"{error}\n" + "\n".join(guest.lines[-30:])) from error
        seconds = guest.seconds()
        picture = None
        if guest.status is None:
            if guest.machine.screen:
                picture = guest.picture()
            guest.qmp("quit")
            guest.wait_exit(20)
    return Run(end, value, guest.lines, picture, image, seconds, guest)


_sharing, _shared_locks, _shared_runs = threading.Lock(), {}, {}


def shared_run(options=""):
    """The one run of the usual machine with @options, for all tests that only read what it left."""
    with _sharing:
        lock = _shared_locks.setdefault(options, threading.Lock())
    with lock:
        if options not in _shared_runs:
            folder = tempfile.mkdtemp(prefix="boot-", dir=BUILD)
            atexit.register(shutil.rmtree, folder)
            _shared_runs[options] = run(folder, options)
        return _shared_runs[options]


def run_in_shell(folder, script, config=b"", **fields):
    """The run of firmware's shell over the lines of @script, with the application as fs0:\\faultline.efi."""
    image = os.path.join(tempfile.mkdtemp(dir=folder), "shell.img")
    disk.make_fat(image, 64, {"faultline.efi": APPLICATION})
    text = "@echo -off\r\nfs0:\r\n" + "".join(line + "\r\n" for line in script) + "reset -s\r\n"
    disk.write_file(image, "/startup.nsh", text.encode())
    if config:
        disk.write_file(image, "/faultline.cfg", config)
    fields.setdefault("options", None)
    result = run(folder, image=image, shell=True, **fields)
    if result.end != "shutdown":
        raise AssertionError(f"the script ended by {result.end}:\n" + result.last_words())
    return result


# ---- readers of reports ------------------------------------------------------------------------------


class TapError(Exception):
    """The text is no TAP version 14."""


@dataclasses.dataclass
class TapPoint:
    ok: bool
    number: int
    name: str
    directive: str  # "", "SKIP" or "TODO"
    reason: str
    yaml: list  # lines of its diagnostic block


def parse_tap(text):
    """The test points of TAP 14 text without subtests; strict: anything not in the grammar is a TapError."""
    lines = text.split("\n")
    if lines.pop() != "":
        raise TapError("the last line has no end")
    if not lines or lines.pop(0) != "TAP version 14":
        raise TapError("the first line is not the version")
    points, plan, yaml = [], None, None
    for number, line in enumerate(lines, 2):
        where = f"line {number}: {line!r}: "
        if yaml is not None:
            if line == "  ...":
                points[-1].yaml, yaml = yaml, None
            elif line.startswith("  "):
                yaml.append(line[2:])
            else:
                raise TapError(where + "a diagnostic block without its end")
            continue
        if line == "  ---":
            if not points or points[-1].yaml:
                raise TapError(where + "a diagnostic block without its test point")
            yaml = []
        elif re.fullmatch(r"1\.\.\d+", line):
            if plan is not None:
                raise TapError(where + "a second plan")
            plan = int(line[3:])
        elif line.startswith(("ok", "not ok")):
            points.append(_parse_point(line, where))
            if points[-1].number != len(points):
                raise TapError(where + f"number {len(points)} was next")
        elif line.startswith("Bail out!"):
            raise TapError(where + "the run was given up")
        elif line and not line.startswith("#"):
            raise TapError(where + "no TAP")
    if yaml is not None:
        raise TapError("the text ends inside a diagnostic block")
    if plan != len(points):
        raise TapError(f"{plan} test points are planned, {len(points)} came")
    return points


def _parse_point(line, where):
    found = re.fullmatch(r"(not )?ok (\d+) - ((?:[^#\\]|\\[#\\])*?)(?: # (SKIP|TODO)(?: (.*))?)?", line)
    if not found:
        raise TapError(where + "no test point")
    negated, number, name, directive, reason = found.groups()
    return TapPoint(not negated, int(number), re.sub(r"\\([#\\])", r"\1", name), directive or "",
                    reason or "", [])


def tap_totals(points):
    """Totals as report.json has them. A failure's kind is in its diagnostics."""
    totals = dict.fromkeys(("passed", "failed", "known", "skipped", "errors"), 0)
    for point in points:
        if point.directive == "SKIP":
            totals["skipped"] += 1
        elif point.directive == "TODO":
            totals["known"] += 1
        elif point.ok:
            totals["passed"] += 1
        elif "verdict: ERROR" in point.yaml:
            totals["errors"] += 1
        else:
            totals["failed"] += 1
    return totals


def xml_totals(data):
    """Totals of JUnit XML by its elements; AssertionError when a suite's attributes say otherwise."""
    totals = dict.fromkeys(("passed", "failed", "known", "skipped", "errors"), 0)
    root = xml.etree.ElementTree.fromstring(data)
    for suite in root.iter("testsuite"):
        counted = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        for case in suite.iter("testcase"):
            counted["tests"] += 1
            skipped = case.find("skipped")
            if case.find("error") is not None:
                totals["errors"] += 1
                counted["errors"] += 1
            elif case.find("failure") is not None:
                totals["failed"] += 1
                counted["failures"] += 1
            elif skipped is not None:
                known = skipped.get("message", "").startswith("known deviation")
                totals["known" if known else "skipped"] += 1
                counted["skipped"] += 1
            else:
                totals["passed"] += 1
        said = {name: int(suite.get(name)) for name in counted}
        if said != counted:
            raise AssertionError(f"suite {suite.get('name')} says {said}, holds {counted}")
    return totals


# ---- readers of the screen ---------------------------------------------------------------------------

FONT_FOLDERS = ("/usr/share/consolefonts", "/usr/share/kbd/consolefonts", "/usr/lib/kbd/consolefonts")
FONT_SIZES = ((8, 16), (12, 24), (16, 32), (32, 64))


@functools.lru_cache
def load_font(width, height):
    """{rows of set pixels: character} of a Spleen console font (PSF 1 or 2), printable ASCII."""
    for folder in FONT_FOLDERS:
        path = os.path.join(folder, f"spleen-{width}x{height}.psfu.gz")
        if os.path.exists(path):
            break
    else:
        raise AssertionError(f"no Spleen font of {width}x{height} (tools/setup installs it)")
    with gzip.open(path) as file:
        data = file.read()
    if data[:2] == b"\x36\x04":  # version 1: always 8 wide
        header, size, font_height, font_width = 4, data[3], data[3], 8
    else:
        magic, _, header, _, _, size, font_height, font_width = struct.unpack_from("<8I", data)
        if magic != 0x864AB572:
            raise AssertionError(f"{path} is no PSF font")
    if (font_width, font_height) != (width, height):
        raise AssertionError(f"{path} holds glyphs of {font_width}x{font_height}")
    stride = (width + 7) // 8
    glyphs = {}
    for code in range(0x20, 0x7F):
        at = header + code * size
        rows = tuple(int.from_bytes(data[at + y * stride:at + (y + 1) * stride], "big") >> (stride * 8 - width)
                     for y in range(height))
        glyphs.setdefault(rows, chr(code))
    return glyphs


def read_cells(picture, font, scale, rows=None):
    """Lines of text of a screen that is a centred grid of cells of @font, each of its pixels @scale wide.

    Each cell is compared with the font, pixel by pixel, light on dark or dark on light. What is no glyph is
    '\0'. @rows: only the first so many.
    """
    width, height = font
    glyphs = load_font(*font)
    full = (1 << width) - 1
    columns = min(picture.width // (width * scale), 160)
    lines = min(picture.height // (height * scale), 100)
    left = (picture.width - columns * width * scale) // 2
    top = (picture.height - lines * height * scale) // 2
    text = []
    for line in range(min(lines, rows or lines)):
        strips = []
        for y in range(height):
            at = ((top + (line * height + y) * scale) * picture.width + left) * 3
            strip = picture.pixels[at:at + columns * width * scale * 3]
            strips.append(strip if scale == 1 else
                          b"".join(strip[x:x + 3] for x in range(0, len(strip), 3 * scale)))
        read = ""
        for x in range(0, columns * width * 3, width * 3):
            paper = strips[0][x:x + 3]
            shape = tuple(0 if strip[x:x + width * 3] == paper * width else
                          sum(1 << (width - 1 - i) for i in range(width)
                              if strip[x + 3 * i:x + 3 * i + 3] != paper) for strip in strips)
            read += glyphs.get(shape) or glyphs.get(tuple(row ^ full for row in shape)) or "\0"
        text.append(read)
    return text


def read_screen(picture):
    """Lines of the text on @picture in whichever size it is drawn; AssertionError: none fits."""

    def score(lines):
        return sum((glyph != " ") - 2 * (glyph == "\0") for line in lines for glyph in line)

    sizes = [(font, scale) for font in FONT_SIZES for scale in range(1, 9)
             if picture.width >= 20 * font[0] * scale and picture.height >= 2 * font[1] * scale]
    best = max(sizes, key=lambda size: score(read_cells(picture, *size, rows=2)), default=None)
    lines = read_cells(picture, *best) if best else []
    if score(lines[:2]) <= 0:
        raise AssertionError("no text on the screen")
    return [line.rstrip() for line in lines]


def recognise(picture, folder):
    """The text that tesseract, which knows nothing of our font, reads on @picture.

    It gets black on white: what differs clearly from the paper of its row, which shows in the first cell:
    always blank, but the screen's margin may lie before it.
    """
    width, height = picture.width, picture.height
    inside = width // 128  # behind the margin, within the first cell: they grow with the screen
    scale = max(1, 3840 // width)
    path = os.path.join(tempfile.mkdtemp(dir=folder), "screen.pgm")
    with open(path, "wb") as file:
        file.write(b"P5 %d %d 255\n" % (width * scale, height * scale))
        for y in range(height):
            row = picture.pixels[y * width * 3:(y + 1) * width * 3]
            white = -1
            for channel in range(3):
                near = bytes(255 if abs(value - row[inside * 3 + channel]) < 90 else 0 for value in range(256))
                white &= int.from_bytes(row[channel::3].translate(near), "big")
            line = white.to_bytes(width, "big")
            if scale > 1:
                line = b"".join(line[x:x + 1] * scale for x in range(width))
            file.write(line * scale)
    done = subprocess.run(["tesseract", path, "-", "--psm", "6"], capture_output=True, text=True,
                          env=dict(os.environ, OMP_THREAD_LIMIT="1"), check=True)
    return done.stdout
