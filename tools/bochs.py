"""Bochs with OVMF, as vm.py has QEMU: a second machine whose processor is another's work altogether.

    with Guest(Machine(image=path), folder) as guest:
        guest.wait_end(300)

What QEMU's runs have and Bochs does not: fw_cfg (so the options go into faultline.cfg on the disk), a screen with
pixels, KVM, QMP, a device that ends the emulator. In place of the last the application writes its exit status to
port 0xe9, which Bochs copies to its standard output.
"""
import dataclasses
import functools
import os
import re
import subprocess

import disk
import vm

BOCHS = os.environ.get("BOCHS", "bochs")
EXIT_PORT = 0xE9
ROM_MOST = 2 << 20  # bytes; from 3.0 on twice that

FIRMWARE = [
    "/usr/share/ovmf/OVMF.fd",  # Debian, Ubuntu
    *(code for code, _ in vm.OVMF_PAIRS),  # they run without their variables
]
VGA_BIOS = [  # OVMF does not run it, but Bochs does not start without one
    "/usr/share/seabios/vgabios-stdvga.bin",  # Debian, Ubuntu
    "/usr/share/seavgabios/vgabios-stdvga.bin",  # Fedora
    "/usr/share/qemu/vgabios-stdvga.bin",  # Arch
    "/usr/share/bochs/VGABIOS-lgpl-latest",
]
DISPLAYS = ("nogui", "term")  # those that want neither a window nor a port of the network
DISPLAY_FOLDERS = ("/usr/lib/x86_64-linux-gnu/bochs/plugins", "/usr/lib64/bochs/plugins", "/usr/lib/bochs/plugins")

# The clock counts instructions: a second of the guest's is so many of them, whatever the host's clock says. Fewer
# make firmware's waits short; with very few, though, firmware is visited after every other check.
INSTRUCTIONS_PER_SECOND = 4_000_000

# Registers that OVMF reads and no model of Bochs' has; all others that do not exist fault, as they must.
# Address, type, value, reserved and ignored bits (high and low half each).
MSRS = "0x017 0 00000000 00000000 00000000 00000000 00000000 00000000\n"  # IA32_PLATFORM_ID

# Processors on which OVMF does not start, and why.
UNFIT = {"ryzen": "says that it has SEV, whose registers it lacks: OVMF does not start"}

CONFIGURATION = """\
display_library: {display}
romimage: file=firmware.fd, address={address:#x}
vgaromimage: file=vga.bin
vga: extension=none, update_freq=1
megs: {megabytes}
cpu: model={cpu}, count={smp}, ips={ips}, reset_on_triple_fault=1, ignore_bad_msrs=0, msrs=msrs
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path=disk.img, mode=flat
boot: disk
com1: enabled=1, mode=file, dev=/dev/fd/{serial}
port_e9_hack: enabled=1
clock: sync=none, time0=utc
log: /dev/fd/{log}
panic: action=fatal
error: action=report
info: action=report, cpu0=ignore
debug: action=ignore
"""


@dataclasses.dataclass
class Machine:
    """What to build; every field has the default of `make run EMULATOR=bochs`."""

    image: str  # the disk; the application's options are in it (put_options)
    cpu: str = "tigerlake"
    smp: int = 1
    memory: str = "256M"
    firmware: str = ""  # empty: the first of FIRMWARE that exists and fits


@functools.lru_cache
def _help():
    """What Bochs says of itself and its processors."""
    try:
        done = subprocess.run([BOCHS, "--help", "cpu"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise vm.VmError(f"{BOCHS} does not run: {error} (tools/setup bochs installs it)") from error
    return done.stdout + done.stderr


def version():
    """'2.7'; VmError when there is no Bochs."""
    found = re.search(r"Bochs x86 Emulator (\d+(?:\.\d+)*)", _help())
    if not found:
        raise vm.VmError(f"{BOCHS} --help says no version: {_help().strip()!r}")
    return found.group(1)


def models():
    """The names that CPU= may have."""
    found = re.search(r"Supported CPU models:\s*\n((?:\w*\n)+)", _help())
    return found.group(1).split() if found else []


class FirmwareTooLarge(vm.VmError):
    """There is firmware, but none that this Bochs can load."""


def find_firmware(wanted=""):
    """The image that Bochs boots from; @wanted overrides."""
    most = ROM_MOST * (2 if int(version().split(".")[0]) >= 3 else 1)
    there = [path for path in ([wanted] if wanted else FIRMWARE) if os.path.isfile(path)]
    if wanted and not there:
        raise vm.VmError(f"OVMF_CODE={wanted}: no such file")
    for path in there:
        if os.path.getsize(path) <= most:
            return path
    if there:
        raise FirmwareTooLarge(f"{', '.join(there)}: too large: Bochs {version()} takes firmware of at most "
                               f"{most >> 20} MiB (OVMF_CODE=FILE names another)")
    raise vm.VmError("no OVMF firmware found (tools/setup installs it; OVMF_CODE=FILE names one)")


def find_vga_bios():
    for path in VGA_BIOS:
        if os.path.isfile(path):
            return path
    raise vm.VmError("no VGA BIOS found, and Bochs does not start without one (tools/setup bochs installs it)")


def find_display():
    """The way of showing nothing that this Bochs has."""
    for name in DISPLAYS:
        if any(os.path.exists(os.path.join(folder, f"libbx_{name}_gui.so")) for folder in DISPLAY_FOLDERS):
            return name
    raise vm.VmError(f"Bochs has none of its displays {', '.join(DISPLAYS)} (tools/setup bochs installs one)")


def application_options(extra=""):
    """As vm.application_options."""
    return vm.application_options(extra, emulator=f"Bochs-{version()}", port=EXIT_PORT)


def put_options(image, text):
    """Add the options @text to the faultline.cfg on disk @image: what is there already counts as well."""
    if re.search(r"(?:^|\s)#", text):
        raise vm.VmError(f"{text!r}: in faultline.cfg, where Bochs' runs take their options from, # starts a comment")
    before = b""
    if "faultline.cfg" in map(str.lower, disk.list_folder(image, "/")):
        before = disk.read_file(image, "/faultline.cfg")
    # Comments are for people, and what this carrier holds is bounded.
    kept = [line for line in before.decode("utf-8", "replace").splitlines() if not line.lstrip().startswith("#")]
    disk.write_file(image, "/faultline.cfg", "\n".join([*filter(None, kept), text, ""]).encode())


class Ends:
    """The first and the last @most bytes of a stream that may be long."""

    def __init__(self, most):
        self.most = most
        self.first = self.last = b""
        self.dropped = 0

    def take(self, data):
        room = self.most - len(self.first)
        self.first += data[:room]
        self.last += data[max(room, 0):]
        if len(self.last) > self.most:
            self.dropped += len(self.last) - self.most
            self.last = self.last[-self.most:]

    def value(self):
        gap = b"\n[... %d bytes ...]\n" % self.dropped if self.dropped else b""
        return self.first + gap + self.last


class Guest(vm.Running):
    """One running Bochs."""

    NAME = "Bochs"

    def __init__(self, machine, folder, on_line=None):
        super().__init__(folder, on_line)
        self.machine = machine
        self._log = Ends(256 << 10)
        if machine.cpu not in models():
            raise vm.VmError(f"CPU={machine.cpu}: Bochs knows {' '.join(models())}")
        if machine.cpu in UNFIT:
            raise vm.VmError(f"CPU={machine.cpu}: this one of Bochs' {UNFIT[machine.cpu]}")
        firmware = find_firmware(machine.firmware)
        # By name, so that no path has to be written as Bochs' configuration wants it.
        for name, path in (("firmware.fd", firmware), ("vga.bin", find_vga_bios()), ("disk.img", machine.image)):
            link = os.path.join(folder, name)
            if not os.path.exists(link):
                os.symlink(os.path.abspath(path), link)
        serial, log = self._pipe(self._take_serial), self._pipe(self._log.take)
        self._write("msrs", MSRS)
        self._write("bochsrc", CONFIGURATION.format(
            display=find_display(), address=(1 << 32) - os.path.getsize(firmware), megabytes=self._megabytes(),
            cpu=machine.cpu, smp=machine.smp, ips=INSTRUCTIONS_PER_SECOND, serial=serial, log=log))
        # The display "term" asks curses for a terminal that it knows; Bochs makes itself one that nobody looks at.
        self._spawn([BOCHS, "-q", "-f", "bochsrc"], cwd=folder, pass_fds=(serial, log),
                    env=dict(os.environ, TERM="vt100"))
        os.close(serial)
        os.close(log)
        self._listen(self.process.stdout, self._take_output)
        # Where Bochs was built with its debugger, that asks for a command first: "continue".
        try:
            self.process.stdin.write(b"c\n")
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended: whoever waits is told

    def _pipe(self, take):
        """A number that Bochs writes to; what comes goes to @take."""
        read, write = os.pipe()
        file = os.fdopen(read, "rb", buffering=0)
        vm.widen(file)
        self._ours.append(file)
        self._listen(file, take)
        return write

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(text)

    def _megabytes(self):
        found = re.fullmatch(r"([1-9]\d{0,5})([MG]?)", self.machine.memory)
        if not found:
            raise vm.VmError(f"MEM={self.machine.memory}: say it as 256M or 1G")
        return int(found.group(1)) << (10 if found.group(2) == "G" else 0)

    def _take_output(self, data):
        """Bochs' own words, and among them what the guest wrote to port 0xe9: its exit status is no letter."""
        self._take_exit(bytes(byte for byte in data if byte - vm.EXIT_BYTE_BASE in (0, 1, 2)))

    def _shut_down(self):
        if self.status is None:
            return None
        return "guest-shutdown" if re.search("soft power off|shutdown requested", self.errors()) else None

    def log(self):
        """What Bochs and the guest (through port 0x402) wrote to the log: its beginning and its end."""
        return self._log.value()

    def errors(self):
        """Why Bochs ended, by its own last words."""
        text = super().errors()
        found = re.search(r"Bochs is exiting with the following message:\n(.*?)\n=====", text, flags=re.S)
        return found.group(1).strip() if found else text[-2000:]

    def leave(self, folder):
        """End the run: its log goes to @folder. (Bochs heeds only the signal that nobody can refuse.)"""
        self.close()
        with open(os.path.join(folder, "bochs.log"), "wb") as file:
            file.write(self.log())
