"""The small tools: what lint forbids is found, and what is added up is right."""
import os
import shutil
import subprocess
import unittest.mock

import boot


class Lint(boot.Case):
    """Each rule of tools/lint-includes can fail."""

    def lint(self, name, text):
        tree = self.new_folder()
        for header in ("x86/pte.h", "paging/table.h", "fault/probe.h", "tests/model/model.h", "tests/harness/a.h"):
            os.makedirs(os.path.dirname(os.path.join(tree, header)), exist_ok=True)
            with open(os.path.join(tree, header), "w"):
                pass
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        done = subprocess.run([os.path.join(boot.TREE, "tools", "lint-includes"), name], cwd=tree,
                              capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def test_offences(self):
        for name, text, words in (
                ("x86/a.h", '#include "paging/table.h"', "below"),
                ("paging/a.c", '#include "fault/probe.h"', "below"),
                ("fault/a.c", '#include "tests/harness/a.h"', "below"),
                ("tests/suites/a.c", '#include "efi/main.h"', "below"),
                ("tests/suites/a.c", "#include <efi.h>", "firmware's headers"),
                ("x86/a.h", "#include <efilib.h>", "firmware's headers"),
                ("tests/model/model.c", '#include "x86/pte.h"', "reference model"),
                ("tests/model/model.c", "#include <string.h>", "reference model"),
                ("fault/a.c", "#include <stdio.h>", "no C library"),
                ("efi/a.c", " # include <stdlib.h>", "no C library"),
                ("fault/a.c", '#include "../x86/pte.h"', "root")):
            with self.subTest(name=name, text=text):
                status, said = self.lint(name, "/* head */\n" + text + "\n")
                self.assertEqual(status, 1)
                self.assertIn(f"{name}:2: ", said)
                self.assertIn(words, said)

    def test_what_is_allowed(self):
        for name, text in (
                ("paging/a.c", '#include "x86/pte.h"\n#include "table.h"\n#include <stdint.h>\n'),
                ("tests/model/model.c", '#include "model.h"\n#include <stdbool.h>\n'),
                ("efi/a.c", '#include <efi.h>\n#include "tests/harness/a.h"\n'),
                ("tests/boot/hostile/a.c", "#include <efi.h>\n"),
                ("tests/host/a.c", "#include <stdio.h>\n")):
            with self.subTest(name):
                self.assertEqual(self.lint(name, text), (0, ""))

    def test_format_and_shell_lint_can_fail(self):
        folder = self.new_folder()
        shutil.copy(os.path.join(boot.TREE, ".clang-format"), folder)
        for name, text, command in (("a.c", "int  a ;\n", ["clang-format", "--dry-run", "-Werror", "a.c"]),
                                    ("a.sh", "#!/bin/sh\necho $1\n", ["shellcheck", "a.sh"])):
            with self.subTest(name):
                with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                    file.write(text)
                self.assertNotEqual(subprocess.run(command, cwd=folder, capture_output=True).returncode, 0)

    def test_includes_of_this_tree_keep_to_the_floors(self):
        files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h", "*.S"], cwd=boot.TREE,
                               capture_output=True, text=True, check=True).stdout.split()
        done = subprocess.run([os.path.join(boot.TREE, "tools", "lint-includes"), *files], cwd=boot.TREE,
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertGreater(len(files), 50)


class Total(boot.Case):
    """tools/total, which makes the last line."""

    def total(self, *texts):
        folder = self.new_folder()
        for number, text in enumerate(texts):
            if text is not None:
                with open(os.path.join(folder, str(number)), "w", encoding="ascii") as file:
                    file.write(text)
        done = subprocess.run([os.path.join(boot.TREE, "tools", "total"), *map(str, range(len(texts)))], cwd=folder,
                              capture_output=True, text=True)
        return done.returncode, done.stdout

    def test_sums(self):
        self.assertEqual(self.total("3 passed, 0 failed\n", "40 passed, 0 failed\n"), (0, "43 passed, 0 failed\n"))
        self.assertEqual(self.total("3 passed, 1 failed\n", "4 passed, 2 failed\n"), (1, "7 passed, 3 failed\n"))

    def test_what_did_not_end_has_failed(self):
        self.assertEqual(self.total("3 passed, 0 failed\n", None), (1, "3 passed, 1 failed\n"))
        self.assertEqual(self.total("3 passed, 0 failed\n", ""), (1, "3 passed, 1 failed\n"))
        self.assertEqual(self.total("3 passed\n"), (1, "0 passed, 1 failed\n"))

    def test_nothing_at_all_has_failed(self):
        self.assertEqual(self.total("0 passed, 0 failed\n")[0], 1)


class TestFull(boot.Case):
    """tools/test-full judges a report by more than its verdict."""

    @staticmethod
    def report():
        part = {"planned": 10, "run": 10, "passed": 7, "known": 3, "failed": 0, "ended": False,
                "tuples_covered": 5, "tuples_here": 5}
        checks = [{"id": "matrix." + name, "verdict": "known", "part": dict(part)}
                  for name in ("pairs", "needed", "exhaustive", "triples")]
        checks.append({"id": "matrix:wp=0", "verdict": "known", "fold": {"points": 3}})
        return {"checks": checks, "matrix": {"unfolded": 0}}

    def test_each_thing_that_is_wrong_is_named(self):
        module = boot.load_tool("test-full")
        self.assertEqual(module.problems(self.report()), [])
        for change, words in (
                (lambda r: r["checks"].pop(2), "matrix.exhaustive did not run"),
                (lambda r: r["checks"][0].pop("part"), "matrix.pairs did not run"),
                (lambda r: r["checks"][1]["part"].update(run=0, planned=0, passed=0, known=0), "0 of 0 points run"),
                (lambda r: r["checks"][1]["part"].update(planned=11), "10 of 11 points run"),
                (lambda r: r["checks"][2]["part"].update(ended=True), "matrix.exhaustive: 10 of 10"),
                (lambda r: r["checks"][3]["part"].update(passed=8), "contradict"),
                (lambda r: r["checks"][3]["part"].update(tuples_covered=4), "4 of 5 combinations covered"),
                (lambda r: r["checks"][4].update(verdict="fail"), "unexplained: matrix:wp=0"),
                (lambda r: r["matrix"].update(unfolded=2), "2 failing points in no fold")):
            with self.subTest(words):
                report = self.report()
                change(report)
                [problem] = module.problems(report)
                self.assertIn(words, problem)


class Skips(boot.Case):
    """tests/boot/run: a test that skips itself has failed, unless this system cannot run it."""

    def test_counts(self):
        runner = boot.load_tool("run", os.path.join("tests", "boot"))

        def fate(reason):
            class Skipping(unittest.TestCase):
                def test(self):
                    raise reason

            with unittest.mock.patch.object(runner, "print", create=True) as said:  # other threads print, too
                counts = runner.run_class([Skipping("test")])
            return counts, str(said.call_args_list[0].args[0])

        counts, said = fate(boot.cannot_run_here("no machine"))
        self.assertEqual(counts, (0, 0, 1))
        self.assertRegex(said, "^SKIPPED test.*: cannot run here: no machine$")
        self.assertEqual(fate(unittest.SkipTest("no mood"))[0], (0, 1, 0))
