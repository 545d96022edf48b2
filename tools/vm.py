"""Virtual machines for tools/run, tools/debug and the boot tests: QEMU with OVMF, seen from outside. (Bochs is in
bochs.py, and shares what is here in class Running.)

    with Guest(Machine(options="--list"), folder) as guest:
        guest.wait_line(r"^VERDICT: (\\w+)", 60)
        guest.screendump("screen.png")

A Guest is driven by one thread: every wait_* pumps the serial line and QMP until what it waits for has
come, the guest has gone, or the time is up. Nothing here sleeps.
"""
import contextlib
import ctypes
import dataclasses
import fcntl
import functools
import json
import os
import re
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import zlib

QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
DEBUG_EXIT_PORT = 0xF4
POLL = 0.2  # seconds: how often a condition is asked while the guest says nothing
# Seconds. A serial port writes byte by byte: to wake up for each would cost us, and the emulator, more than the byte.
GATHER = 0.01
EXIT_BYTE_BASE = 0x10  # the application writes 0x10 + exit status

# Firmware images by distribution: (code, variables). The 2-MiB build comes first: it starts faster.
OVMF_PAIRS = [
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),  # Debian 12, Ubuntu 22.04
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),  # Debian 13, Ubuntu 24.04
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),  # Fedora
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),  # Arch
    ("/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"),  # Arch, older
]


class VmError(Exception):
    """Something about the virtual machine is wrong; the text is for the user."""


class WaitTimeout(VmError):
    """What was waited for did not come in time."""


class GuestGone(VmError):
    """The emulator ended while something was waited for."""


@dataclasses.dataclass
class Drive:
    path: str
    bus: str = "ide"  # ide, virtio, usb (on xHCI)
    readonly: bool = False
    snapshot: bool = False  # what the guest writes is forgotten


@dataclasses.dataclass
class Machine:
    """What to build; every field has the default of `make run`."""

    accel: str = "tcg"
    cpu: str = "max"
    smp: int = 1
    memory: str = "256M"
    ovmf_code: str = ""  # empty: the first of OVMF_PAIRS that exists
    ovmf_vars: str = ""  # empty: the one that belongs to ovmf_code
    drives: list = dataclasses.field(default_factory=list)
    options: str = None  # the application's, by fw_cfg; None: no such carrier
    serial: bool = True
    screen: bool = True  # a graphics adapter
    window: bool = False  # show it
    exits: str = "byte"  # debug-exit port: "byte" reports and goes on, "quit" ends QEMU, "none"
    extra: list = dataclasses.field(default_factory=list)


@functools.lru_cache
def qemu_version():
    """'7.2.22'; VmError when there is no QEMU."""
    try:
        text = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise VmError(f"{QEMU} does not run: {error} (tools/setup installs it)") from error
    found = re.search(r"version (\d+(?:\.\d+)*)", text)
    if not found:
        raise VmError(f"{QEMU} --version says no version: {text.strip()!r}")
    return found.group(1)


def find_ovmf(code=""):
    """(code, variables) of the firmware; @code overrides. Variables "" : an image that holds both."""
    if code:
        if not os.path.isfile(code):
            raise VmError(f"OVMF_CODE={code}: no such file")
        for known, variables in OVMF_PAIRS:
            if os.path.realpath(known) == os.path.realpath(code):
                return code, variables
        beside = re.sub(r"CODE([^/]*)$", r"VARS\1", code)
        return code, beside if beside != code and os.path.isfile(beside) else ""
    for pair in OVMF_PAIRS:
        if all(map(os.path.isfile, pair)):
            return pair
    raise VmError("no OVMF firmware found (tools/setup installs it; OVMF_CODE=FILE names one)")


def choose_accelerator(probe, wanted=""):
    """(accelerator, why): KVM only when a guest takes page faults under it.

    @probe is the image of kvm-probe.S. A device that opens proves nothing, so the guest is run.
    """
    if wanted:
        return wanted, "ACCEL says so"
    if not os.path.exists("/dev/kvm"):
        return "tcg", "there is no /dev/kvm"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg", "/dev/kvm is there, but this user may not open it"
    status = run_probe(probe, "kvm")
    if status == 0:
        return "kvm", "a test guest took 1,000 page faults under it"
    return "tcg", f"/dev/kvm is there, but the test guest {status}"


def run_probe(probe, accel):
    """0, or words for what became of the test guest under @accel."""
    command = [QEMU, "-accel", accel, "-cpu", "max", "-m", "16", "-nodefaults", "-display", "none",
               "-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT},iosize=1", "-bios", probe]
    try:
        status = subprocess.run(command, timeout=2, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        return "did not take its page faults within 2 s"
    if status == 2 * EXIT_BYTE_BASE + 1:
        return 0
    if status < 0:
        return f"died (QEMU ended with signal {-status})"
    if status & 1 and status > 1:
        return "saw wrong page faults"
    return f"did not start (QEMU ended with status {status})"


def application_options(extra="", debug_exit=True, emulator=None, port=DEBUG_EXIT_PORT):
    """The option text that a run from here passes: who the emulator is, never wait, then the user's."""
    words = [f"--emulator {emulator or 'qemu-' + qemu_version()}", "--no-wait"]
    if debug_exit:
        words.append(f"--debug-exit=0x{port:x}")
    return " ".join(words + ([extra] if extra else []))


def plain_text(raw):
    """Terminal output as text: escape sequences removed, cursor jumps as line ends."""
    text = raw.decode("utf-8", "replace")
    text = re.sub(r"\x1b\[\d*;?\d*[Hf]", "\n", text)
    text = re.sub(r"\x1b(\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|[=>c78])", "", text)
    return text.replace("\r", "").replace("\0", "")


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    """However we end, the emulator does not outlive us."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def widen(pipe):
    """Give @pipe the widest buffer that a user may have: 1 MiB, or less for one with many wide pipes."""
    with contextlib.suppress(PermissionError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


class Running:
    """One running emulator. @folder takes its private files; @on_line gets each serial line as it ends."""

    NAME = ""  # of the emulator, for messages

    def __init__(self, folder, on_line=None):
        self.folder = folder
        self.on_line = on_line
        self.lines = []  # of the serial port, plain text
        self.tail = ""  # what came after the last line end
        self.exit_bytes = b""  # what the debug-exit port was given
        self.status = None  # the emulator's, when it has ended
        self.stderr_path = os.path.join(folder, "emulator.stderr")
        self.started = None  # time.monotonic() of its start
        self.process = None
        self._line_cursor = 0
        self._raw = b""
        self._ours = []  # open files that go when it has gone
        self._selector = selectors.DefaultSelector()

    def _spawn(self, argv, **keywords):
        """Start @argv with its errors in a file; it ends with us, and Ctrl-C is for us, and for gdb."""
        self.started = time.monotonic()
        with open(self.stderr_path, "wb") as errors:
            try:
                self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                                start_new_session=True, preexec_fn=_die_with_parent, **keywords)
            except OSError as error:
                raise VmError(f"{argv[0]} does not run: {error} (tools/setup installs it)") from error
        self._ours += [self.process.stdin, self.process.stdout]

    def _listen(self, file, take):
        """Whatever comes from @file goes to @take."""
        self._selector.register(file, selectors.EVENT_READ, take)

    def seconds(self):
        """Since the emulator's start."""
        return time.monotonic() - self.started

    def errors(self):
        """What the emulator itself said."""
        with open(self.stderr_path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    def close(self):
        """End the emulator if it still runs; idempotent."""
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.status = self.process.wait()
        for end in self._ours:
            end.close()
        self._selector.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- pump ----------------------------------------------------------------------------------

    def _pump(self, timeout):
        """Take what has come; wait at most @timeout for it. False once the emulator has gone."""
        if not self._selector.get_map():
            self.status = self.process.wait()
            return False
        ready = self._selector.select(max(timeout, 0))
        if any(key.data == self._take_serial for key, _ in ready):
            time.sleep(GATHER)
        for key, _ in ready:
            try:
                data = os.read(key.fd, 1 << 20)
            except ConnectionResetError:
                data = b""
            if data:
                key.data(data)
            else:
                self._selector.unregister(key.fileobj)
        return True

    def _take_serial(self, data):
        self._raw += data
        *complete, self._raw = self._raw.split(b"\n")
        for raw in complete:
            parts = plain_text(raw).split("\n")
            for line in parts if len(parts) == 1 else filter(None, parts):
                self.lines.append(line)
                if self.on_line:
                    self.on_line(line)
        self.tail = plain_text(self._raw)

    def _take_exit(self, data):
        self.exit_bytes += data

    def wait_for(self, condition, timeout, what):
        """Pump until @condition() gives something true, and return that.

        WaitTimeout and GuestGone name @what; what came before is in lines, events and exit_bytes.
        """
        deadline = time.monotonic() + timeout
        while True:
            result = condition()
            if result:
                return result
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeout(f"no {what} within {timeout:.0f} s")
            if not self._pump(min(left, POLL)):
                result = condition()
                if result:
                    return result
                raise GuestGone(f"{self.NAME} ended (status {self.status}) before {what}: {self.errors()}")

    def wait_line(self, pattern, timeout):
        """The match of the next complete serial line that @pattern is found in."""
        regex = re.compile(pattern)

        def look():
            while self._line_cursor < len(self.lines):
                self._line_cursor += 1
                found = regex.search(self.lines[self._line_cursor - 1])
                if found:
                    return found
            return None

        return self.wait_for(look, timeout, f"line like {pattern!r}")

    def wait_prompt(self, text, timeout):
        """Until the serial console's unfinished last line ends with @text, blanks apart."""
        self.wait_for(lambda: self.tail.rstrip().endswith(text), timeout, f"prompt {text!r}")

    def wait_exit(self, timeout):
        """The emulator's exit status."""
        self.wait_for(lambda: self.status is not None, timeout, f"end of {self.NAME}")
        return self.status

    def wait_end(self, timeout, shell=False):
        """How the application ended: ("byte", exit status) by the debug-exit port, ("shutdown", reason),
        ("returned", status) to firmware that it would not start or that it failed in, or ("quit", the emulator's
        status).

        The guest still stands, unless it is the last, so its screen can be taken. With @shell, firmware's
        shell is where the application is started from, so that firmware itself finds none.
        """
        returned = re.compile(r"BdsDxe: failed to \w+ Boot\d+ .*: (.*)")

        def look():
            if self.exit_bytes:
                return "byte", self.exit_bytes[0] - EXIT_BYTE_BASE
            reason = self._shut_down()
            if reason is not None:
                return "shutdown", reason
            while not shell and self._line_cursor < len(self.lines):
                self._line_cursor += 1
                found = returned.match(self.lines[self._line_cursor - 1])
                if found:
                    return "returned", found.group(1)
            return ("quit", self.status) if self.status is not None else None

        return self.wait_for(look, timeout, "end of the run")

    def _shut_down(self):
        """Why the guest switched its machine off; None: it did not."""
        raise NotImplementedError


class Guest(Running):
    """One running QEMU."""

    NAME = "QEMU"

    def __init__(self, machine, folder, on_line=None):
        super().__init__(folder, on_line)
        self.machine = machine
        self.events = []  # of QMP, as they came
        self._event_cursor = 0
        self._qmp_raw = b""
        self._answers = {}
        self._next_id = 0
        self._sockets = {}
        self._start()

    def command(self, descriptors):
        """QEMU's command line; @descriptors: name -> number of an open socket."""
        m = self.machine
        code, variables = find_ovmf(m.ovmf_code)
        variables = m.ovmf_vars or variables
        line = [QEMU, "-machine", "pc", "-accel", m.accel,
                "-cpu", m.cpu, "-smp", str(m.smp), "-m", m.memory, "-nodefaults", "-no-user-config",
                "-action", "shutdown=pause"]
        if variables:
            private = os.path.join(self.folder, "variables.fd")
            if not os.path.exists(private):
                shutil.copyfile(variables, private)
            line += ["-drive", f"if=pflash,format=raw,readonly=on,file={code}",
                     "-drive", f"if=pflash,format=raw,cache=unsafe,file={private}"]
        else:
            line += ["-bios", code]
        line += ["-display", "gtk,show-menubar=off" if m.window else "none"]
        if m.screen:
            line += ["-device", "VGA,vgamem_mb=64"]
        for name, number in descriptors.items():
            line += ["-chardev", f"socket,id={name},fd={number}"]
        line += ["-mon", "chardev=qmp,mode=control"]
        if m.serial:
            line += ["-chardev", "stdio,id=serial,signal=off", "-serial", "chardev:serial"]
        if m.exits == "byte":
            line += ["-device", f"isa-debugcon,iobase={DEBUG_EXIT_PORT},chardev=exit"]
        elif m.exits == "quit":
            line += ["-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT},iosize=1"]
        if any(drive.bus == "usb" for drive in m.drives):
            line += ["-device", "qemu-xhci,id=xhci"]
        for number, drive in enumerate(m.drives):
            device = {"ide": "ide-hd", "virtio": "virtio-blk-pci", "usb": "usb-storage,bus=xhci.0"}
            # Not on the host's disk at each flush of the guest: these are copies, and what the host's power cut
            # would take is of no use to anybody.
            line += ["-drive", f"if=none,id=drive{number},format=raw,cache=unsafe,file={drive.path}"
                               + (",readonly=on" if drive.readonly else "")
                               + (",snapshot=on" if drive.snapshot else ""),
                     "-device", f"{device[drive.bus]},drive=drive{number},bootindex={number + 1}"]
        if m.options is not None:
            options = os.path.join(self.folder, "options")
            with open(options, "w", encoding="ascii") as file:
                file.write(m.options)
            line += ["-fw_cfg", f"name=opt/faultline/options,file={options}"]
        return line + m.extra

    def _start(self):
        theirs = {}
        takers = {"qmp": self._take_qmp, "exit": self._take_exit}
        for name in ["qmp"] + ["exit"] * (self.machine.exits == "byte"):
            ours, other = socket.socketpair()
            theirs[name] = other
            self._sockets[name] = ours
            self._ours.append(ours)
            self._listen(ours, takers[name])
        self.argv = self.command({name: end.fileno() for name, end in theirs.items()})
        self._spawn(self.argv, pass_fds=[end.fileno() for end in theirs.values()])
        for end in theirs.values():
            end.close()
        # The serial line is a pipe and a wide one: it must take all that the guest says while we do
        # something else, or the guest's driver times out and loses bytes. (Of a socket, each byte that is
        # written by itself takes a buffer.)
        widen(self.process.stdout)
        self._listen(self.process.stdout, self._take_serial)
        try:
            self.qmp("qmp_capabilities")
        except GuestGone:
            raise VmError(f"QEMU did not start: {self.errors()}") from None

    def _take_qmp(self, data):
        self._qmp_raw += data
        *complete, self._qmp_raw = self._qmp_raw.split(b"\n")
        for raw in complete:
            message = json.loads(raw)
            if "event" in message:
                self.events.append(message)
            elif "id" in message:
                self._answers[message["id"]] = message

    def _shut_down(self):
        for event in self.events:
            if event["event"] == "SHUTDOWN":
                return event["data"].get("reason", "")
        return None

    def wait_event(self, name, timeout):
        """The next QMP event called @name."""

        def look():
            while self._event_cursor < len(self.events):
                self._event_cursor += 1
                event = self.events[self._event_cursor - 1]
                if event["event"] == name:
                    return event
            return None

        return self.wait_for(look, timeout, f"event {name}")

    # ---- controls ------------------------------------------------------------------------------

    def qmp(self, execute, timeout=20, **arguments):
        """One QMP command; its return value, or VmError with QEMU's words."""
        self._next_id += 1
        number = self._next_id
        message = {"execute": execute, "arguments": arguments, "id": number}
        try:
            self._sockets["qmp"].sendall(json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            pass  # wait_for says that QEMU has gone
        answer = self.wait_for(lambda: self._answers.pop(number, None), timeout, f"answer to {execute}")
        if "error" in answer:
            raise VmError(f"{execute}: {answer['error'].get('desc')}")
        return answer["return"]

    def send_serial(self, text):
        """Type @text at the serial console."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def send_key(self, *keys):
        """Press each of @keys (QEMU's names; "ctrl-x" together) at the keyboard."""
        for key in keys:
            self.qmp("send-key", keys=[{"type": "qcode", "data": part} for part in key.split("-")])

    def reset(self):
        """The reset button."""
        self.qmp("system_reset")

    def picture(self):
        """The screen as it is now."""
        with tempfile.NamedTemporaryFile(suffix=".ppm", dir=self.folder) as file:
            self.qmp("screendump", filename=file.name)
            return Picture.from_ppm(file.read())

    def screendump(self, path):
        """The screen as a PNG file."""
        picture = self.picture()
        picture.save_png(path)
        return picture

    def leave(self, folder):
        """End the run: its last screen goes to @folder."""
        if self.status is None:
            self.screendump(os.path.join(folder, "report.png"))
            self.qmp("quit")
            self.wait_exit(20)


@dataclasses.dataclass
class Picture:
    """Pixels, 3 bytes each, row after row. (QEMU before 7.1 writes no PNG, so we do.)"""

    width: int
    height: int
    pixels: bytes

    @staticmethod
    def from_ppm(data):
        """Parse QEMU's PPM (P6, 255)."""
        header = re.match(rb"P6\s+(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)\s+255\s", data)
        if not header:
            raise VmError("the screendump is no PPM picture")
        width, height = map(int, header.groups())
        pixels = data[header.end():]
        if len(pixels) != width * height * 3:
            raise VmError("the screendump is cut short")
        return Picture(width, height, pixels)

    @staticmethod
    def from_png(data):
        """Parse a PNG file that save_png made."""
        width, height = struct.unpack_from(">II", data, 16)
        length = struct.unpack_from(">I", data, 33)[0]
        rows = zlib.decompress(data[41:41 + length])
        stride = 1 + 3 * width
        return Picture(width, height, b"".join(rows[y * stride + 1:(y + 1) * stride] for y in range(height)))

    def save_png(self, path):
        """Write an RGB PNG file."""

        def chunk(kind, body):
            body = kind + body
            return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))

        stride = self.width * 3
        rows = b"".join(b"\0" + self.pixels[y * stride:(y + 1) * stride] for y in range(self.height))
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n"
                       + chunk(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0))
                       + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))
