"""What no check expects, provoked on purpose: reported in full, and the run goes on."""
import functools
import re

import boot

# case: (reason, vector, error code as printed, a function that RIP or the call trace names)
OOPSES = {
    "unexpected_vector": ("an exception that nothing was waiting for", "vector 77", "0", "unexpected_vector"),
    "nmi": ("an exception that nothing was waiting for", "NMI", "0", "nmi"),
    "no_fixup": ("a page fault in ring 0 that nothing explains", "#PF", "0 (not-present)", "no_fixup"),
    "stack_overflow": ("a stack ran into its guard page", "#DF", "0", "deeper"),
    "double_fault": ("a fault while a fault was delivered", "#DF", "0", "double_fault"),
    "fault_loop": ("the same fault came back without end", "#PF", "0 (not-present)", "fault_loop"),
    "uaccess_kernel_address": ("a page fault in ring 0 that nothing explains", "#PF", "0 (not-present)",
                               "uaccess_kernel_address"),
    "uaccess_noncanonical": ("an exception that nothing was waiting for", "#GP", "0", "uaccess_noncanonical"),
    "assertion": ("a broken invariant of Faultline's own", "no exception", "none", "assertion"),
    "kprobe_dies": ("a page fault in ring 0 that nothing explains", "#PF", "0 (not-present)", "kprobe_dies"),
    "dies_twice": ("an exception that nothing was waiting for", "#UD", "0", "dies_twice"),
    "dies_in_its_second_step": ("an exception that nothing was waiting for", "#UD", "0",
                                "dies_in_its_second_step"),
    "wild_jump": ("a page fault in ring 0 that nothing explains", "#PF", "10 (not-present I)", "wild_jump"),
}
BENIGN = ("passes", "fails", "silent", "takes_steps", "broken_gs", "recovers")
NORMAL = ("not_present.read_faults/4k.*", "not_present.present_is_allowed/4k.*", "takeover.*")
REGISTERS = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{n}" for n in range(8, 16)))


def hexadecimal(text):
    return int(text, 16)


class Oops(boot.Case):
    """One run: the normal checks, every provocation, and all of it a second time."""

    COST = 20

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        globs = [*NORMAL, *(f"harness.{name}" for name in (*OOPSES, *BENIGN))]
        cls.run_ = boot.run(cls.folder, "--repeat 2 " + " ".join(f"--only {glob}" for glob in globs))

    @functools.cached_property
    def checks(self):
        """{id: its results, one a round}"""
        found = {}
        for check in self.run_.reports().parsed()["checks"]:
            found.setdefault(check["id"], []).append(check)
        return found

    def each_oops(self):
        for name, expected in OOPSES.items():
            for check in self.checks[f"harness.{name}"]:
                yield name, check["oops"], expected

    def test_verdict_is_error(self):
        self.assertEqual(self.run_.status, 2, self.run_.last_words())
        totals = self.run_.reports().totals
        self.assertEqual(totals["errors"], 2 * (len(OOPSES) + 1))  # and harness.silent
        self.assertEqual(totals["failed"], 2)

    def test_every_check_has_two_results(self):
        for name in (*OOPSES, *BENIGN):
            self.assertEqual(len(self.checks[f"harness.{name}"]), 2, name)

    def test_benign_cases(self):
        for name, verdict in (("passes", "pass"), ("fails", "fail"), ("silent", "error"), ("broken_gs", "pass"), ("recovers", "pass")):
            for check in self.checks[f"harness.{name}"]:
                self.assertEqual(check["verdict"], verdict, name)
                self.assertNotIn("oops", check)

    def test_reason_vector_and_error_code(self):
        for name, oops, (reason, vector, error, _) in self.each_oops():
            with self.subTest(name):
                self.assertEqual(oops["reason"], reason)
                self.assertIn(f"\n  {vector}, error code {error}\n", oops["text"])
                for check in self.checks[f"harness.{name}"]:
                    self.assertEqual((check["verdict"], check["reason"]["code"]), ("error", "oops"))

    def test_registers(self):
        for name, oops, _ in self.each_oops():
            with self.subTest(name):
                for register in (*REGISTERS, "rip", "rflags", "cs", "ss", "cr0", "cr2", "cr3", "cr4", "efer"):
                    self.assertIn(register, oops)
                shown = dict(re.findall(r"\b(r[a-z0-9]{1,2}) +([0-9a-f]{16})", oops["text"]))
                shown.update((key.lower(), value) for key, value in
                             re.findall(r"\b(CR[0234]|EFER|CS|SS|RFLAGS|RIP) +([0-9a-f]+)", oops["text"])
                             if key.lower() not in shown)
                for register, value in shown.items():
                    self.assertEqual(hexadecimal(value), hexadecimal(oops[register]), register)
                self.assertEqual(set(shown) & set(REGISTERS), set(REGISTERS))
                # Long mode, paging, write protection; ring 0 with interrupts off.
                self.assertEqual(hexadecimal(oops["cr0"]) & 0x80010001, 0x80010001)
                self.assertEqual(hexadecimal(oops["cr4"]) & 0x20, 0x20)
                self.assertEqual(hexadecimal(oops["efer"]) & 0x500, 0x500)
                self.assertEqual(hexadecimal(oops["rflags"]) & 0x202, 2)
                self.assertEqual((hexadecimal(oops["cs"]) & 3, hexadecimal(oops["ss"]) & 3), (0, 0))

    def test_cr2(self):
        addresses = {"no_fixup": 0x10, "fault_loop": 0x10, "double_fault": 0x10, "wild_jump": 0, "kprobe_dies": 0x10}
        for name, oops, _ in self.each_oops():
            with self.subTest(name):
                if name in addresses:
                    self.assertEqual(hexadecimal(oops["cr2"]), addresses[name])
        for oops in (check["oops"] for check in self.checks["harness.stack_overflow"]):
            self.assertLess(hexadecimal(oops["rsp"]) - hexadecimal(oops["cr2"]), 4096)

    def test_walks(self):
        for name, oops, _ in self.each_oops():
            with self.subTest(name):
                for register in ("cr2", "rip"):
                    walk = oops[f"{register}_walk"]
                    self.assertIn(walk["levels"], (4, 5))
                    address = f"{hexadecimal(oops[register]):016x}"
                    lines = re.search(rf"walk of {register.upper()} {address}\n((?:    .*\n)+)", oops["text"])
                    self.assertIsNotNone(lines, register)
                    entries = lines.group(1).splitlines()
                    self.assertEqual(len(entries), walk["levels"] - walk["last"] + 1)
                    for level, line in zip(range(walk["levels"], 0, -1), entries):
                        entry = hexadecimal(walk["entries"][level - 1])
                        title = ("PTE", "PDE", "PDPTE", "PML4E", "PML5E")[level - 1]
                        words = " ".join(word if entry & bit else "--"
                                         for word, bit in (("P", 1), ("RW", 2), ("US", 4)))
                        self.assertRegex(line, rf"^    {title} +{entry:016x} {words} ")
                    # All the way down to a present page, or up to the entry that is not.
                    bottom = hexadecimal(walk["entries"][walk["last"] - 1])
                    present = register == "rip" and name != "wild_jump"
                    self.assertEqual(bottom & 1, present)

    def test_code_bytes(self):
        starts = {"no_fixup": "", "uaccess_kernel_address": "f348a5", "uaccess_noncanonical": "f348a5"}
        for name, oops, _ in self.each_oops():
            with self.subTest(name):
                if name == "wild_jump":
                    self.assertEqual(oops["code"], "")
                    self.assertIn("code at RIP: not readable", oops["text"])
                    continue
                self.assertEqual(len(oops["code"]), 32)
                self.assertTrue(oops["code"].startswith(starts.get(name, "")))
                self.assertIn("code at RIP " + " ".join(re.findall("..", oops["code"])), oops["text"])

    def test_call_trace_names_functions(self):
        for name, oops, (*_, function) in self.each_oops():
            with self.subTest(name):
                rip, _, trace = oops["text"].partition("called from\n")
                rip = re.search(r"RIP (\S+)(?: (\S+)\+0x[0-9a-f]+)?\n", rip)
                calls = re.findall(r"^    (\S+) (\S+)\+0x[0-9a-f]+$", trace, re.M)
                names = [rip.group(2)] + [call for _, call in calls]
                self.assertIn(function, names)
                self.assertEqual(len(calls), len(oops["trace"]), trace)
                if name not in ("stack_overflow", "dies_twice"):  # innermost frames fill the trace; it ends there
                    self.assertIn("batch_run", names)

    def test_the_next_checks_run_as_ever(self):
        normal = {id_: results for id_, results in self.checks.items() if not id_.startswith("harness.")}
        self.assertTrue(any(id_.startswith("not_present.") for id_ in normal))
        for id_, results in normal.items():
            verdicts = [check["verdict"] for check in results]
            self.assertIn(verdicts, (["pass"] * 2, ["known"] * 2), id_)  # TCG: RF is clear in every #PF frame
        self.assertEqual(self.checks["not_present.present_is_allowed/4k.user"][1]["verdict"], "pass")

    def test_the_machine_was_given_back(self):
        for part in ("world", "gdt", "idt", "pages"):
            self.assertEqual(self.checks[f"takeover.{part}_given_back"][1]["verdict"], "pass")

    def test_the_same_in_tap_and_xml(self):
        reports = self.run_.reports()
        self.assertEqual(boot.xml_totals(reports.xml), reports.totals)
        self.assertEqual(boot.tap_totals(boot.parse_tap(reports.tap.decode())), reports.totals)
        for reason, *_ in OOPSES.values():
            self.assertIn(reason.encode(), reports.tap)
