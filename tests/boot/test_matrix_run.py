"""The matrix in a run: points by themselves, parts, Esc, deaths, a wrong model, and what a baseline accepts."""
import json
import re
import time

import boot
import disk
import vm

RESET = "it reset or hung this machine"
MATRIX = "--only matrix.* "


def folds(report):
    return [check for check in report["checks"] if "fold" in check]


def new_folds(report):
    return [fold for fold in folds(report) if fold["verdict"] == "fail"]


def part(report, name):
    [found] = [check for check in report["checks"] if check["id"] == "matrix." + name]
    return found


class Points(boot.Case):
    """--only and --explain with the id of a point."""

    COST = 10

    def test_each_runs_alone_and_is_called_as_always(self):
        run = boot.run(self.folder, "--only matrix:pte.rw=0,access=write --only matrix:default --only matrix:cet=1 "
                                    "--only matrix:wp=0,access=fetch --skip matrix:access=fetch,wp=0")
        self.assertEqual(run.status, 0, run.last_words())
        report = run.reports().parsed()
        self.assertEqual([(check["id"], check["verdict"]) for check in report["checks"]],
                         [("matrix:access=write,pte.rw=0", "pass"), ("matrix:default", "pass"),
                          ("matrix:cet=1", "skip")])
        self.assertEqual(report["checks"][0]["rule"][:1], "R")
        self.assertGreater(report["checks"][0]["compared"], 5)
        self.assertIn("CET", report["checks"][2]["reason"]["text"])

    def test_what_is_none_is_named(self):
        for option, point, word in (("--only", "matrix:wp=0,axcess=write", "axcess=write"),
                                    ("--skip", "matrix:access=wirte", "access=wirte"),
                                    ("--explain", "matrix:rsvd=pte,rbit=32", "rbit=32"), ("--only", "matrix:*", "*")):
            with self.subTest(point=point, option=option):
                run = boot.run(self.folder, f"{option} {point}")
                self.assertEqual(run.status, 2)
                self.assertRegex("\n".join(run.lines), rf"faultline: fw_cfg: '{re.escape(word)}' .*; nothing runs")

    def test_explain(self):
        run = boot.run(self.folder, "--explain matrix:place=both,access=xchg,pde.p=0")
        text = "\n".join(run.lines)
        for words in ("matrix:place=both,access=xchg,pde.p=0", "across the edge", "below PDE ", "above PDE ",
                      "allowed  #PF", "CR2 00004080", "by R2.1 ", "CR0.WP=1"):
            self.assertIn(words, text)

    def test_a_point_that_oopses_is_an_error_and_the_next_one_runs(self):
        """No point does that: the exception comes from a check between two of them."""
        run = boot.run(self.folder, "--only matrix:default --only harness.unexpected_vector --repeat 2")
        self.assertEqual([check["verdict"] for check in run.reports().parsed()["checks"]],
                         ["pass", "error", "pass", "error"])


class Parts(boot.Case):
    COST = 15

    def listed(self, options):
        run = boot.run(self.folder, "--list " + options)
        return [line for line in run.lines if line.startswith("matrix")]

    def test_list(self):
        quick = ["matrix.pairs", "matrix.needed", "matrix.every_rule_exercised"]
        self.assertEqual(self.listed(""), quick)
        self.assertEqual(self.listed("--matrix full"), ["matrix.pairs", "matrix.needed", "matrix.exhaustive",
                                                        "matrix.triples", "matrix.every_rule_exercised"])
        self.assertEqual(self.listed("--matrix soak"), ["matrix.random", "matrix.every_rule_exercised"])
        self.assertEqual(self.listed("--matrix none"), [])
        self.assertEqual(self.listed("--only matrix:wp=0,access=write"), ["matrix:access=write,wp=0"])

    def test_one_part_alone(self):
        report = boot.run(self.folder, "--only matrix.needed --only not_present.*/4k.*").reports().parsed()
        self.assertEqual([check["id"] for check in report["checks"] if check["id"].startswith("matrix.")],
                         ["matrix.needed"])
        counts = part(report, "needed")["part"]
        self.assertEqual(counts["run"], counts["passed"] + counts["known"] + counts["failed"])
        self.assertGreater(counts["run"], 10)
        self.assertIsNone(report["fingerprint"])

    def test_rounds(self):
        """Each round sweeps anew, and finds the same."""
        report = boot.run(self.folder, "--repeat 2 " + MATRIX).reports().parsed()
        ids = [check["id"] for check in report["checks"]]
        half = len(ids) // 2
        self.assertEqual(ids[:half], ids[half:])
        for one, other in zip(report["checks"][:half], report["checks"][half:]):
            for check in (one, other):
                check.pop("number")
                check.get("part", {}).pop("ticks", None)
            self.assertEqual(one, other)
        self.assertEqual(report["planned"], len(ids))
        self.assertTrue(folds(report))

    def test_a_mode_that_is_missing_is_skipped_by_name(self):
        run = boot.run(self.folder, "--levels 5 --only takeover.* " + MATRIX, cpu="max,-la57")
        self.assertEqual(run.status, 0, run.last_words())
        report = run.reports().parsed()
        for name in ("pairs", "needed"):
            self.assertEqual(part(report, name)["verdict"], "skip")
            self.assertIn("LA57", part(report, name)["reason"]["text"])
        both = boot.run(self.folder, MATRIX, cpu="max,-la57").reports().parsed()
        self.assertEqual(both["matrix"]["lacking"]["LA57"], "levels=5")
        self.assertIn(part(both, "pairs")["verdict"], ("pass", "known"))

    def test_reports_agree(self):
        run = boot.shared_run(MATRIX)
        reports = run.reports()
        report = reports.parsed()
        points = boot.parse_tap(reports.tap.decode())
        self.assertEqual([point.name for point in points], [check["id"] for check in report["checks"]])
        self.assertEqual(boot.tap_totals(points), reports.totals)
        self.assertEqual(boot.xml_totals(reports.xml), reports.totals)
        self.assertEqual(run.serial_tap(), reports.tap.decode())
        self.assertEqual(sum(reports.totals.values()), report["planned"])
        self.assertIn(f"\n# fingerprint {int(report['fingerprint']['digest'], 16):016x}\n", reports.tap.decode())
        self.assertTrue(all(rule["count"] or not rule["rule"].startswith("R2.1") for rule in report["matrix"]["rules"]))
        screen = "\n".join(boot.read_screen(run.picture))
        for name in ("pairs", "needed"):
            counts = part(report, name)["part"]
            shown = [str(counts[key] or ".") for key in ("passed", "failed", "known", "skipped")]
            self.assertRegex(screen, rf"(?m)^   {name} +" + " +".join(map(re.escape, shown)) + r" ")


class WrongModel(boot.Case):
    """--sabotage model:...: the run fails with the right fold; and what a baseline makes of it."""

    COST = 15

    def test_a_dropped_rule_is_found(self):
        run = boot.run(self.folder, "--sabotage model:smep:dropped " + MATRIX)
        self.assertEqual(run.status, 1, run.last_words())
        report = run.reports().parsed()
        healthy = boot.shared_run(MATRIX).reports().parsed()
        known = {json.dumps(fold["fold"]["symptom"]) for fold in folds(healthy)}
        [fold] = [fold for fold in new_folds(report) if json.dumps(fold["fold"]["symptom"]) not in known]
        self.assertIn("#PF instead of no exception", fold["fold"]["symptom"]["text"])
        self.assertIn("smep=1", fold["fold"]["where"].split(","))
        self.assertIn("fetch", fold["point"]["access"])
        self.assertTrue(fold["fold"]["repeats"])
        # The fold's point fails alone as well, and only with the wrong rule.
        alone = boot.run(self.folder, "--sabotage model:smep:dropped --only " + fold["id"])
        self.assertEqual(alone.status, 1, alone.last_words())
        self.assertEqual(boot.run(self.folder, "--only " + fold["id"]).status, 0)

    def test_a_baseline_accepts_what_it_lists_and_nothing_else(self):
        image = boot.copy_image(self.folder)
        options = "--sabotage model:error_u:dropped --only harness.fails --only matrix.*"
        first = boot.run(self.folder, options, image=image)
        self.assertEqual(first.status, 1, first.last_words())
        self.assertTrue(new_folds(first.reports().parsed()))
        text = disk.read_file(image, "/faultline/0001/baseline.txt")
        self.assertIn(b"\ncheck harness.fails ", text)
        self.assertTrue(text.startswith(b"faultline baseline 1 ") and text.endswith(b"\nend\n"), text)

        disk.write_file(image, "/faultline/baseline.txt", text.replace(b"\n", b"\r\n"))
        second = boot.run(self.folder, options + " --baseline", image=image)
        self.assertEqual(second.status, 0, second.last_words())
        report = second.reports().parsed()
        self.assertEqual(new_folds(report), [])
        accepted = [check["id"] for check in report["checks"] if check.get("baseline")]
        self.assertIn("harness.fails", accepted)
        self.assertTrue(any(name.startswith("matrix:") for name in accepted))
        self.assertIn("harness.fails # TODO in the baseline", second.reports().tap.decode())
        # What is accepted stays on the list of the next run.
        self.assertEqual(disk.read_file(image, "/faultline/0002/baseline.txt"), text)

        other = boot.run(self.folder, "--sabotage model:smep:dropped --only matrix.* --baseline=/faultline/baseline.txt",
                         image=image)
        self.assertEqual(other.status, 1, other.last_words())
        self.assertTrue(new_folds(other.reports().parsed()))

    def test_a_baseline_that_is_none_is_named(self):
        image = boot.copy_image(self.folder)
        disk.write_file(image, "/old.txt", b"faultline baseline 1 0.0\nend\n")
        disk.write_file(image, "/large.txt", b"#" * (1 << 20))
        for name, words in (("/none.txt", "cannot be read"), ("/old.txt", "another version"),
                            ("/large.txt", "too large"), ("/faultline.cfg", "is no baseline")):
            with self.subTest(name):
                if name == "/faultline.cfg":
                    disk.write_file(image, name, b"# nothing\n")
                run = boot.run(self.folder, f"--baseline={name} --only not_present.*", image=image)
                self.assertEqual(run.status, 2)
                self.assertRegex("\n".join(run.lines), f"faultline: options: '{name}' .*{words}")
                self.assertEqual(disk.report_folders(image), [])


class Ends(boot.Case):
    """Esc and deaths in the middle of a sweep."""

    COST = 40

    def wait_points(self, guest, name):
        """Until the screen counts points of a part: then what was about to run is in the journal, too."""
        deadline = time.monotonic() + boot.LIMIT
        while not any(re.match(rf"   {name} +\d", line) for line in boot.read_screen(guest.picture())):
            if time.monotonic() > deadline:
                raise AssertionError(f"no points of {name}:\n" + "\n".join(guest.lines[-30:]))

    def run_with(self, image, options, script, **fields):
        with vm.Guest(boot.machine(image, options, **fields), self.new_folder()) as guest:
            try:
                script(guest)
                end, value = guest.wait_end(boot.LIMIT)
            except vm.VmError as error:
                raise AssertionError(f"{error}\n" + "\n".join(guest.lines[-30:])) from error
            picture = guest.picture()
        return boot.Run(end, value, guest.lines, picture, image, guest.seconds(), guest)

    def test_esc_ends_the_sweep_with_what_it_has(self):
        def script(guest):
            guest.wait_line(r"^# matrix\.random begins$", boot.LIMIT)
            self.wait_points(guest, "random")
            guest.send_key("esc")

        run = self.run_with(boot.copy_image(self.folder), "--matrix soak:600 --only matrix.* --only harness.passes", script)
        report = run.reports().parsed()
        random = part(report, "random")
        self.assertTrue(random["part"]["ended"])
        self.assertGreater(random["part"]["run"], 0)
        self.assertIn(random["verdict"], ("pass", "known", "fail"))
        self.assertEqual(report["checks"][-1]["id"], "harness.passes")  # what follows the matrix runs
        self.assertEqual(sum(report["totals"].values()), report["planned"])
        self.assertEqual(report["totals"]["errors"], 0)
        self.assertRegex(run.reports().tap.decode(), r"\n# matrix soak 600 s: ended by Esc: \d+ of \d+ points run, ")
        self.assertNotIn("Bail out!", run.reports().tap.decode())
        self.assertRegex("\n".join(boot.read_screen(run.picture)), r"(?m)^   random +\d.*Esc")

    def test_reset_in_a_part_blames_it_and_the_others_run(self):
        def script(guest):
            guest.wait_line(r"^# matrix\.exhaustive begins$", boot.LIMIT)
            self.wait_points(guest, "exhaustive")
            guest.reset()

        image = boot.copy_image(self.folder)
        run = self.run_with(image, "--matrix full --only not_present.*/4k.* --only matrix.pairs --only matrix.exhaustive "
                                   "--only matrix.every* --only harness.passes", script)
        self.assertEqual(run.status, 2, run.last_words())
        report = run.reports().parsed()
        exhaustive = part(report, "exhaustive")
        self.assertEqual((exhaustive["verdict"], exhaustive["reason"]["code"], exhaustive["part"]["run"]),
                         ("error", "reset", 0))
        self.assertGreater(part(report, "pairs")["part"]["run"], 100)
        self.assertEqual(part(report, "every_rule_exercised")["verdict"], "skip")
        self.assertEqual(report["totals"]["errors"], 1)
        self.assertEqual(report["checks"][-1]["id"], "harness.passes")
        self.assertIn("# matrix.exhaustive reset or hung this machine; the journal on the stick tells what was before",
                      run.lines)
        self.assertEqual(disk.report_folders(image), ["0001"])
        self.assertEqual(run.serial_tap(), run.reports().tap.decode())

    def test_results_outlive_a_later_death(self):
        """On the stick and in variables."""
        for readonly in (False, True):
            with self.subTest(readonly=readonly):
                image = boot.copy_image(self.folder, boot.STICK_IMAGE)
                run = boot.run(self.folder, "--only matrix.* --only harness.triple_fault --only harness.passes",
                               image=image, readonly=readonly)
                self.assertEqual(run.status, 2, run.last_words())
                starts = [at for at, line in enumerate(run.lines) if line == "TAP version 14"]
                self.assertEqual(len(starts), 2)
                ids = r"(not )?ok \d+ - |  fold:|  again:|  in_each:"
                before, after = ([line for line in lines if re.match(ids, line)]
                                 for lines in (run.lines[starts[0]:starts[1]], run.lines[starts[1]:]))
                self.assertEqual(after[:len(before)], before)
                self.assertGreater(len(before), 8)
                self.assertEqual(sum(line.endswith(" begins") for line in run.lines[starts[1]:]), 0)
                if not readonly:
                    report = run.reports().parsed()
                    self.assertTrue(folds(report) and report["fingerprint"]["choices"])
                    self.assertEqual(sum(report["totals"].values()), report["planned"])
                    self.assertEqual(report["totals"]["errors"], 1)
