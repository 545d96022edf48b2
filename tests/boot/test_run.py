"""The default run, as `make run` does it, and everything that it leaves behind."""
import json
import os
import re
import shutil
import subprocess

import boot
import vm

TOTALS = ("passed", "failed", "known", "skipped", "errors")


class Standard(boot.Case):
    """One run by tools/run; each test looks at another thing that it left."""

    COST = 20

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("run.img", "kvm-probe.bin"):
            shutil.copy(os.path.join(boot.BUILD, name), cls.folder)
        cls.done = subprocess.run([os.path.join(boot.TREE, "tools", "run"), cls.folder], capture_output=True,
                                  text=True, env=dict(os.environ, ACCEL="tcg"), timeout=boot.LIMIT)

    def report(self, kind):
        with open(os.path.join(self.folder, f"report.{kind}"), "rb") as file:
            return file.read()

    @property
    def json(self):
        return json.loads(self.report("json"))

    def test_picture_shows_the_verdict(self):
        picture = vm.Picture.from_png(self.report("png"))
        self.assertTrue(any(line.startswith(" VERDICT: PASS") for line in boot.read_screen(picture)))

    def test_passes(self):
        """Every deviation of QEMU's is a listed one, and nothing else is wrong."""
        self.assertEqual(self.done.returncode, 0, self.done.stdout[-3000:] + self.done.stderr)
        self.assertEqual((self.json["totals"]["failed"], self.json["totals"]["errors"]), (0, 0))
        self.assertEqual((self.json["verdict"], self.json["exit_status"]), ("pass", 0))

    def test_says_which_accelerator_and_why(self):
        self.assertRegex(self.done.stderr, r"(?m)^run: accelerator tcg: ACCEL says so$")

    def test_last_serial_line_is_the_verdict(self):
        lines = [line for line in self.done.stdout.splitlines() if line.strip()]
        found = re.match(boot.VERDICT_LINE + r".*  exit (\d)$", lines[-1])
        self.assertIsNotNone(found, lines[-5:])
        self.assertEqual(found.group(1).lower(), self.json["verdict"])
        self.assertEqual(int(found.group(4)), self.done.returncode)

    def test_reports_agree(self):
        totals = self.json["totals"]
        points = boot.parse_tap(self.report("tap").decode())
        self.assertEqual(boot.tap_totals(points), totals)
        self.assertEqual(boot.xml_totals(self.report("xml")), totals)
        counted = dict.fromkeys(TOTALS, 0)
        keys = {"pass": "passed", "fail": "failed", "known": "known", "skip": "skipped", "error": "errors"}
        for check in self.json["checks"]:
            counted[keys[check["verdict"]]] += 1
        self.assertEqual(counted, totals)
        self.assertEqual([point.name for point in points], [check["id"] for check in self.json["checks"]])
        self.assertEqual(self.json["planned"], sum(totals.values()))
        self.assertGreater(totals["passed"], 100)

    def test_ids_are_unique(self):
        ids = [check["id"] for check in self.json["checks"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_serial_line_is_the_tap_report(self):
        run = boot.Run("", 0, self.done.stdout.splitlines(), None, "", 0, None)
        self.assertEqual(run.serial_tap(), self.report("tap").decode())

    def test_emulator_is_known(self):
        self.assertEqual(self.json["machine"]["emulator"], "QEMU TCG")
        self.assertEqual(self.json["machine"]["emulator_version"], vm.qemu_version())

    def test_known_deviations_tell_the_sentence_and_skips_the_reason(self):
        for check in self.json["checks"]:
            if check["verdict"] == "known" and "part" not in check:  # a part's folds tell
                self.assertTrue(check["deviation"]["sentence"], check)
                self.assertEqual(check["deviation"]["machine"], "QEMU TCG")
            if check["verdict"] == "skip":
                self.assertTrue(check["reason"]["text"], check)


class Screen(boot.Case):
    """The final screen, in several sizes: a person's reading (tesseract), and the counts cell by cell."""

    COST = 15

    def check_screen(self, run):
        totals = run.reports().totals
        lines = boot.read_screen(run.picture)
        self.assertNotIn("\0", "".join(lines), "\n".join(lines))
        [row] = [line for line in lines if line.startswith(" total ")]
        counts = [0 if word == "." else int(word) for word in row.split()[1:]]
        self.assertEqual(counts, [totals[key] for key in ("passed", "failed", "known", "skipped", "errors")])
        [verdict] = [line for line in lines if line.startswith(" VERDICT: ")]
        said = re.match(boot.VERDICT_LINE, verdict[1:])
        self.assertEqual(said.group(1).lower(), run.reports().parsed()["verdict"])
        self.assertEqual(int(said.group(2)), totals["failed"])
        self.assertEqual(int(said.group(3)), sum(totals.values()))
        return lines

    def test_as_firmware_has_it(self):
        run = boot.shared_run()
        self.assertEqual(run.status, 0, run.last_words())
        lines = self.check_screen(run)
        self.assertIn("Faultline", lines[0])
        self.assertIn("VERDICT: PASS", boot.recognise(run.picture, self.folder))

    def test_every_suite_has_its_line(self):
        run = boot.run(self.folder, "--mode=1280x800")
        lines = boot.read_screen(run.picture)
        for suite in {re.split("[.:]", check["id"])[0] for check in run.reports().parsed()["checks"]}:
            self.assertTrue(any(line[1:].startswith(suite + " ") for line in lines), suite)

    def test_sizes(self):
        for width, height in ((800, 600), (3840, 2160)):
            with self.subTest(size=(width, height)):
                run = boot.run(self.folder, f"--mode={width}x{height}")
                self.assertEqual((run.picture.width, run.picture.height), (width, height))
                self.check_screen(run)
                self.assertIn("VERDICT: PASS", boot.recognise(run.picture, self.folder))

    def test_mode_that_does_not_exist_is_named(self):
        run = boot.run(self.folder, "--mode=1234x567")
        self.assertEqual(run.status, 2)
        self.assertIn("1234x567 is no mode of this screen", "\n".join(run.lines))


class Status(boot.Case):
    """The exit status by isa-debug-exit itself, and words that are not understood."""

    COST = 8

    def test_device_ends_qemu_with_the_status(self):
        for options, status in (("", 0), ("--only no.such.check", 2)):
            with self.subTest(options=options):
                run = boot.run(self.folder, options, exits="quit")
                self.assertEqual((run.end, run.value), ("quit", 2 * (0x10 + status) + 1), run.last_words())

    def test_unknown_word_is_named_and_nothing_runs(self):
        for word in ("--ony", "not_present", "--repeat=0", "--matrix=huge"):
            with self.subTest(word):
                run = boot.run(self.folder, word)
                text = "\n".join(run.lines)
                self.assertEqual(run.status, 2, run.last_words())
                self.assertIn(word.split("=")[0], text)
                self.assertNotIn("TAP version", text)
                self.assertEqual(boot.disk.report_folders(run.image), [])

    def test_time_out_keeps_what_was_printed(self):
        folder = self.new_folder()
        for name in ("run.img", "kvm-probe.bin"):
            shutil.copy(os.path.join(boot.BUILD, name), folder)
        environment = dict(os.environ, ACCEL="tcg", OPTIONS="--debug-wait", TIMEOUT="15")
        done = subprocess.run([os.path.join(boot.TREE, "tools", "run"), folder], capture_output=True, text=True,
                              env=environment, timeout=boot.LIMIT)
        self.assertEqual(done.returncode, 2)
        self.assertIn("image base 0x", done.stdout)
        self.assertIn("time-out: no verdict after 15 s", done.stderr)

    def test_list_runs_nothing(self):
        run = boot.run(self.folder, "--list --only not_present.*")
        self.assertEqual(run.status, 0, run.last_words())
        ids = [line for line in run.lines if line.startswith("not_present.")]
        self.assertGreater(len(ids), 5)
        self.assertEqual(boot.disk.report_folders(run.image), [])
