"""Disk images, by mtools and the Python library: FAT file systems, a GPT around one, files in and out.

Images are reproducible: the same files give the same bytes, whenever and wherever they are made.
(So identifiers are constants and every time stamp is SOURCE_DATE_EPOCH.)
"""
import os
import re
import shutil
import struct
import subprocess
import tempfile
import uuid
import zlib

SECTOR = 512
PARTITION_START = 2048  # sectors: 1 MiB, where every partitioner puts it
EFI_SYSTEM = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
DISK_GUID = uuid.UUID("fa017111-4e00-4d15-8c00-000000000001")
PARTITION_GUID = uuid.UUID("fa017111-4e00-4d15-8c00-000000000002")
VOLUME_SERIAL = "FA017111"
VOLUME_LABEL = "FAULTLINE"
DEFAULT_EPOCH = 1577836800  # 2020-01-01, when SOURCE_DATE_EPOCH is not set
ENTRIES, ENTRY_BYTES = 128, 128


class DiskError(Exception):
    """An image could not be made or read; the text is for the user."""


def _mtools(*command):
    """Run one mtools command; its standard output."""
    environment = dict(os.environ, TZ="UTC", MTOOLS_SKIP_CHECK="1", MTOOLSRC="/dev/null",
                       SOURCE_DATE_EPOCH=str(_epoch()), LC_ALL="C")
    try:
        done = subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise DiskError(f"{command[0]} is not installed (tools/setup installs it)") from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise DiskError(f"{' '.join(command)}: {words or done.returncode}")
    return done.stdout


def _epoch():
    text = os.environ.get("SOURCE_DATE_EPOCH", str(DEFAULT_EPOCH))
    if not text.isdigit():
        raise DiskError(f"SOURCE_DATE_EPOCH={text}: not a number of seconds")
    return int(text)


def copy(source, target):
    """Copy an image or a device; holes stay holes, as most of an image is. Out: @target."""
    done = subprocess.run(["cp", "--", source, target], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise DiskError(done.stderr.strip())
    return target


def make_fat(path, megabytes, files, offset=0):
    """A FAT32 file system in @path at byte @offset, with @files: {"EFI/BOOT/BOOTX64.EFI": host path}."""
    image = f"{path}@@{offset}"
    if not offset:
        with open(path, "wb") as file:
            file.truncate(megabytes << 20)
    _mtools("mformat", "-i", image, "-T", str((megabytes << 20) // SECTOR), "-h", "64", "-s", "32",
            "-H", str(offset // SECTOR), "-c", "1", "-F", "-N", VOLUME_SERIAL, "-v", VOLUME_LABEL, "::")
    with tempfile.TemporaryDirectory() as stage:
        for name, source in sorted(files.items()):
            target = os.path.join(stage, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)
        for folder, _, names in os.walk(stage, topdown=False):
            for name in names + [""]:
                os.utime(os.path.join(folder, name), (_epoch(), _epoch()))
        tops = [os.path.join(stage, name) for name in sorted(os.listdir(stage))]
        # Depth first in mcopy's own directory order would depend on the host: one level at a time.
        for top in tops:
            _copy_tree(image, top, "::")
    return path


def _copy_tree(image, source, target):
    if not os.path.isdir(source):
        _mtools("mcopy", "-m", "-i", image, source, target)
        return
    folder = f"{target}/{os.path.basename(source)}"
    _mtools("mmd", "-i", image, folder)
    for name in sorted(os.listdir(source)):
        _copy_tree(image, os.path.join(source, name), folder)


def make_stick(path, megabytes, files):
    """A GPT disk of @megabytes whose one partition is an EFI system partition with @files."""
    sectors = (megabytes << 20) // SECTOR
    last_usable = sectors - 34
    megabytes_inside = (last_usable + 1 - PARTITION_START) * SECTOR >> 20
    partition_end = PARTITION_START + (megabytes_inside << 20) // SECTOR - 1
    with open(path, "wb") as file:
        file.truncate(megabytes << 20)
    make_fat(path, megabytes_inside, files, PARTITION_START * SECTOR)

    entry = struct.pack("<16s16sQQQ72s", EFI_SYSTEM.bytes_le, PARTITION_GUID.bytes_le, PARTITION_START,
                        partition_end, 0, VOLUME_LABEL.encode("utf-16-le"))
    entries = entry.ljust(ENTRIES * ENTRY_BYTES, b"\0")

    def header(here, other, entries_at):
        def pack(crc):
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, 34,
                               last_usable, DISK_GUID.bytes_le, entries_at, ENTRIES, ENTRY_BYTES,
                               zlib.crc32(entries))
        return pack(zlib.crc32(pack(0)))

    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1,
                             min(sectors - 1, 0xFFFFFFFF))
    with open(path, "r+b") as file:
        file.write(protective.rjust(446 + 16, b"\0").ljust(510, b"\0") + b"\x55\xaa")
        file.write(header(1, sectors - 1, 2).ljust(SECTOR, b"\0") + entries)
        file.seek((sectors - 33) * SECTOR)
        file.write(entries + header(sectors - 1, 1, sectors - 33).ljust(SECTOR, b"\0"))
    return path


def read_gpt(path):
    """[(type, first sector, last sector)] of a GPT disk; DiskError unless both copies are sound."""
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        sectors = file.tell() // SECTOR

        def copy(at):
            file.seek(at * SECTOR)
            raw = file.read(92)
            (magic, _, size, crc, _, here, other, _, _, _, entries_at, count, bytes_each,
             entries_crc) = struct.unpack("<8sIIIIQQQQ16sQIII", raw)
            if magic != b"EFI PART" or size != 92 or here != at:
                raise DiskError(f"{path}: no GPT header in sector {at}")
            if zlib.crc32(raw[:16] + bytes(4) + raw[20:]) != crc:
                raise DiskError(f"{path}: checksum of the GPT header in sector {at} is wrong")
            file.seek(entries_at * SECTOR)
            entries = file.read(count * bytes_each)
            if zlib.crc32(entries) != entries_crc:
                raise DiskError(f"{path}: checksum of the partitions in sector {entries_at} is wrong")
            return other, entries, bytes_each

        backup_at, entries, bytes_each = copy(1)
        if backup_at != sectors - 1:
            raise DiskError(f"{path}: the second GPT is not at the end of the disk")
        if copy(backup_at)[1] != entries:
            raise DiskError(f"{path}: the two GPTs differ")
    found = []
    for at in range(0, len(entries), bytes_each):
        kind, _, first, last = struct.unpack_from("<16s16sQQ", entries, at)
        if kind != bytes(16):
            found.append((uuid.UUID(bytes_le=kind), first, last))
    return found


def file_system(path):
    """mtools' name of the file system in @path: that of the EFI system partition, or the whole image."""
    with open(path, "rb") as file:
        file.seek(SECTOR)
        partitioned = file.read(8) == b"EFI PART"
    if not partitioned:
        return path
    for kind, first, _ in read_gpt(path):
        if kind == EFI_SYSTEM:
            return f"{path}@@{first * SECTOR}"
    raise DiskError(f"{path}: no EFI system partition")


def list_folder(path, folder):
    """Names in @folder ("/faultline"); [] when it is not there."""
    try:
        text = _mtools("mdir", "-b", "-i", file_system(path), f"::{folder}").decode(errors="replace")
    except DiskError as error:
        if "not found" in str(error) or "No such" in str(error):
            return []
        raise
    return [line.rstrip("/").rsplit("/", 1)[-1] for line in text.splitlines() if line]


def read_file(path, name):
    """The bytes of file @name in image @path."""
    return _mtools("mcopy", "-i", file_system(path), f"::{name}", "-")


def write_file(path, name, data):
    """Put @data into image @path as @name, replacing it; its folder must be there."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        _mtools("mcopy", "-o", "-i", file_system(path), file.name, f"::{name}")


def free_bytes(path):
    """How much the file system of image @path still takes."""
    text = _mtools("mdir", "-i", file_system(path), "::/").decode(errors="replace")
    found = re.search(r"([\d  ]+) bytes free", text)
    if not found:
        raise DiskError(f"{path}: mdir does not say how much is free")
    return int(re.sub(r"\D", "", found.group(1)))


def report_folders(path):
    """The names NNNN of report folders on the image, oldest first."""
    return sorted(name for name in list_folder(path, "/faultline") if re.fullmatch(r"\d{4}", name))
