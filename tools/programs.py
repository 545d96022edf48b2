"""The ring-3 programs of tests/programs/ and Linux's logs of them: masks, comparison, the run on this machine's Linux.

    recorded = programs.read_log("anon_write")
    problems = programs.judge("anon_write", programs.Output(lines, "exit status 0"), "Faultline", table)

What a log looks like, what is masked and why is said in tests/programs/README.md, whose table of accepted
differences is read here.
"""
import ctypes
import dataclasses
import difflib
import fnmatch
import hashlib
import os
import platform
import re
import resource
import signal
import subprocess

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(TREE, "tests", "programs")
LOGS = os.path.join(FOLDER, "logs")
README = os.path.join(FOLDER, "README.md")
LIBRARY = ("library/abi.h", "library/syscalls.h", "library/program.h", "library/program.c", "library/program.S")
FLAGS = "program-flags"  # in the build's folder: what the programs are built with
LIMIT = 60  # seconds for one program on this machine


class ProgramError(Exception):
    """Something about programs, logs or the table is wrong; the text is for the user."""


@dataclasses.dataclass
class Output:
    """What one run of a program left: masked lines and how it ended."""

    lines: list
    end: str  # "exit status 0", "killed by SIGSEGV"

    @property
    def lacks(self):
        """What the program says that it needs and does not find, or None."""
        for line in self.lines:
            if line.startswith("lacks "):
                return line[len("lacks "):]
        return None


def names(pattern="*", benches=False):
    """Names of all programs (or of all benches) that match @pattern, in order."""
    found = sorted(name[:-2] for name in os.listdir(FOLDER) if name.endswith(".c"))
    return [name for name in found
            if name.startswith("bench_") == benches and fnmatch.fnmatchcase(name, pattern)]


def end_text(status):
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit status {os.WEXITSTATUS(status)}"


# ---- masks ------------------------------------------------------------------------------------------------

MAPS_LINE = re.compile(r"^(?P<where>\s*[0-9a-f]+-[0-9a-f]+ [r-][w-][x-][ps] [0-9a-f]+) "
                       r"(?P<device>[0-9a-f]+:[0-9a-f]+) (?P<inode>\d+)\s*(?P<name>.*)$")
KERNEL_PAGES = re.compile(r"^\[(vdso|vvar\w*|vsyscall)\]$")
PROGRAM_PATH = re.compile(r"^/.*/programs/(\w+)$|^/programs/(\w+)$")


def mask(lines):
    """@lines of a program's output without what may differ from machine to machine."""
    masked = []
    for line in lines:
        found = MAPS_LINE.match(line)
        if not found:
            masked.append(line)
            continue
        if KERNEL_PAGES.match(found["name"]):
            continue
        device = "00:00 0" if found["inode"] == "0" else "DEVICE INODE"
        path = PROGRAM_PATH.match(found["name"])
        name = f"/programs/{path[1] or path[2]}" if path else found["name"]
        masked.append(f"{found['where']} {device} {name}".rstrip())
    return masked


# ---- logs -------------------------------------------------------------------------------------------------


def sources(name):
    """Files that program @name is made of: its own, the library, and what else of library/ it includes, and so on."""
    found = [name + ".c", *LIBRARY]
    for path in found:  # which grows
        with open(os.path.join(FOLDER, path), encoding="utf-8") as file:
            more = re.findall(r'^#include "tests/programs/(library/\w+)\.h"$', file.read(), re.M)
        found += [part for part in (stem + kind for stem in more for kind in (".h", ".S"))
                  if part not in found and os.path.exists(os.path.join(FOLDER, part))]
    return found


def build_hash(name, build):
    """Hash of what program @name is made of: flags and sources."""
    with open(os.path.join(build, FLAGS), "rb") as file:
        digest = hashlib.sha256(file.read())
    for path in sources(name):
        with open(os.path.join(FOLDER, path), "rb") as file:
            data = file.read()
        digest.update(f"{path} {len(data)}\n".encode() + data)
    return digest.hexdigest()[:32]


def log_path(name, folder=LOGS):
    return os.path.join(folder, name + ".log")


def log_text(head, output):
    """The bytes of a log: @head (word -> text), how it ended, a line "#", then what the program wrote."""
    lines = [f"# {word}: {text}" for word, text in head.items()] + [f"# end: {output.end}", "#"]
    return "\n".join(lines + output.lines) + "\n"


def read_log(name, folder=LOGS):
    """(head, Output) of program @name as Linux was recorded."""
    try:
        with open(log_path(name, folder), encoding="ascii", errors="backslashreplace", newline="\n") as file:
            lines = file.read().split("\n")
    except FileNotFoundError as error:
        raise ProgramError(f"{name}: no log of Linux: make record PROGRAM={name}") from error
    head = {}
    if lines.pop() != "" or "#" not in lines:
        raise ProgramError(f"{name}: its log is cut off")
    at = lines.index("#")
    for line in lines[:at]:
        found = re.match(r"^# (\w+): (.*)$", line)
        if not found:
            raise ProgramError(f"{name}: not a line of a log's head: {line!r}")
        head[found[1]] = found[2]
    for word in ("kernel", "source", "machine", "program", "end"):
        if word not in head:
            raise ProgramError(f"{name}: its log's head does not say {word}")
    return head, Output(lines[at + 1:], head["end"])


def stale(name, build):
    """Why the log of @name is not of what @build holds, or None."""
    head, _ = read_log(name)
    if head["program"] != build_hash(name, build):
        return f"{name}: source or flags have changed since its log was recorded: make record PROGRAM={name}"
    return None


# ---- accepted differences -----------------------------------------------------------------------------------


@dataclasses.dataclass
class Accepted:
    """A row of the table: one line of Linux's log that is another line elsewhere. None: no line."""

    program: str
    where: str  # "Faultline", or "Linux >= 6.4" for kernels on which programs run natively
    linux: str
    other: str
    reason: str
    used: bool = False

    def applies(self, system):
        """Is the row about @system: "Faultline" or "Linux 6.18"?"""
        if self.where == system:
            return True
        found = re.match(r"^Linux (>=|<) (\d+)\.(\d+)$", self.where)
        running = re.match(r"^Linux (\d+)\.(\d+)", system)
        if not found or not running:
            return False
        newer = (int(running[1]), int(running[2])) >= (int(found[2]), int(found[3]))
        return newer == (found[1] == ">=")


def parse_table(text):
    """Rows of the table of accepted differences in @text: README.md."""
    rows, inside = [], False
    for line in text.split("\n"):
        if line.startswith("| program | where |"):
            inside = True
            continue
        if not inside or line.startswith("| ---"):
            continue
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 5 or not all(cells):
            raise ProgramError(f"README.md: not a row of program, where, two lines and a reason: {line!r}")
        program, where, linux, other, reason = cells
        if not re.match(r"^(Faultline|Linux (>=|<) \d+\.\d+)$", where):
            raise ProgramError(f"README.md: where is that: {where!r}")
        sides = []
        for side in (linux, other):
            if side != "-" and not re.match(r"^`.+`$", side):
                raise ProgramError(f"README.md: a line stands in backticks, none is '-': {side!r}")
            sides.append(None if side == "-" else side[1:-1].replace("\\|", "|"))
        rows.append(Accepted(program, where, sides[0], sides[1], reason))
    return rows


def parse_bound(text):
    """(glob, system, why) of each row of the table of programs for one kernel in @text: README.md."""
    head = "| programs | natively only on | why |\n| --- | --- | --- |\n"
    if head not in text:
        raise ProgramError("README.md: no table of programs for one kernel")
    rows = []
    for line in text.split(head)[1].split("\n"):
        if not line.startswith("|"):
            return rows
        found = re.match(r"^\| `(\S+)` \| (Linux \d+\.\d+) \| (.+) \|$", line)
        if not found or not names(found[1]):
            raise ProgramError(f"README.md: not a row of programs, a kernel and a reason: {line!r}")
        rows.append(found.groups())
    return rows


def bound(name):
    """Why program @name does not run on this machine's kernel, or None."""
    with open(README, encoding="utf-8") as file:
        for pattern, system, why in parse_bound(file.read()):
            if fnmatch.fnmatchcase(name, pattern) and system != native_system():
                return f"its log is of {system} alone: {why}"
    return None


def read_table():
    with open(README, encoding="utf-8") as file:
        return parse_table(file.read())


def differences(recorded, output):
    """Pairs of lines (Linux's, the other's) that differ; None where one side has no line."""
    one, other = recorded.lines + ["end: " + recorded.end], output.lines + ["end: " + output.end]
    pairs = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        common = min(b - a, d - c)
        pairs += list(zip(one[a:a + common], other[c:c + common]))
        pairs += [(line, None) for line in one[a + common:b]]
        pairs += [(None, line) for line in other[c + common:d]]
    return pairs


def judge(name, output, system, table, recorded=None):
    """What is wrong with @output of program @name on @system ("Faultline", "Linux 6.18"), as lines for a person.

    Rows of @table that explain a difference are marked as used. @recorded: instead of what the log says.
    """
    recorded = recorded or read_log(name)[1]
    problems = []
    for linux, other in differences(recorded, output):
        rows = [row for row in table if row.program == name and row.applies(system)
                and (row.linux, row.other) == (linux, other)]
        for row in rows:
            row.used = True
        if not rows:
            problems.append(f"{name}: Linux: {'(no line)' if linux is None else linux}")
            problems.append(f"{name}: {system}: {'(no line)' if other is None else other}")
    return problems


def stale_rows(table, system, ran):
    """Rows about @system and programs in @ran that explained nothing; call it after every judge()."""
    return [f"README.md: accepted difference of {row.program} on {row.where} does not occur (any more): "
            f"{row.linux!r} / {row.other!r}"
            for row in table if not row.used and row.applies(system)
            and (row.program in ran or row.program not in names())]


# ---- this machine's Linux -------------------------------------------------------------------------------------

C_LIBRARY = ctypes.CDLL(None, use_errno=True)  # before any fork: what a child loads, it may wait for forever
ADDR_NO_RANDOMIZE = 0x0040000
PR_SET_THP_DISABLE = 41
SYS_RT_SIGACTION, SYS_RT_SIGPROCMASK = 13, 14
SIGNALS, SIGNAL_SET, KERNEL_SIGACTION = 64, 8, 32  # signals, and bytes of the kernel's sigset_t and struct sigaction
MIB = 1 << 20


def native_system():
    """'Linux 6.18'."""
    return "Linux " + ".".join(platform.release().split(".")[:2])


def prepare():
    """In the child: what the recorder's system has by its command line and defaults."""
    if C_LIBRARY.personality(ADDR_NO_RANDOMIZE) < 0:
        raise OSError(ctypes.get_errno(), "personality")
    if C_LIBRARY.prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")
    resource.setrlimit(resource.RLIMIT_STACK, (8 * MIB, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Whoever started us may ignore or block signals (shells SIGINT for what runs in the background, others
    # the C library's own 32 and 33), and a program inherits both. By the kernel's call: the C library refuses its own.
    for number in range(1, SIGNALS + 1):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            kernel(SYS_RT_SIGACTION, number, bytes(KERNEL_SIGACTION), None, SIGNAL_SET)
    kernel(SYS_RT_SIGPROCMASK, signal.SIG_SETMASK, bytes(SIGNAL_SET), None, SIGNAL_SET)


def kernel(number, *arguments):
    """One system call of this machine's Linux."""
    if C_LIBRARY.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")


def run_native(name, build):
    """The Output of program @name on this machine's Linux, as it is recorded: alone, without an environment."""
    path = os.path.abspath(os.path.join(build, "programs", name))
    with subprocess.Popen([name], executable=path, env={}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          cwd="/", preexec_fn=prepare) as process:
        try:
            text = process.communicate(timeout=LIMIT)[0]
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise ProgramError(f"{name}: has not ended after {LIMIT} s") from error
    if process.returncode < 0:
        end = f"killed by {signal.Signals(-process.returncode).name}"
    else:
        end = f"exit status {process.returncode}"
    return Output(mask(text.decode("ascii", "backslashreplace").splitlines()), end)
