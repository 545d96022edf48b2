"""An initial file system for Linux: a cpio archive in the "newc" format, of folders, files and the console's node."""
import os
import stat


def entry(name, mode, data=b"", device=(0, 0), inode=0):
    """One member; everything that could differ between two runs (times, owners) is 0."""
    fields = [inode, mode, 0, 0, 1, 0, len(data), 0, 0, device[0], device[1], len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def archive(files):
    """The archive of @files (path from the root -> bytes, or the path of a file on this machine), all executable."""
    members = [("dev", stat.S_IFDIR | 0o755, b"", (0, 0)), ("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))]
    folders = {"dev"}
    for path, data in sorted(files.items()):
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in folders:
                folders.add(folder)
                members.append((folder, stat.S_IFDIR | 0o755, b"", (0, 0)))
        if not isinstance(data, bytes):
            with open(os.fspath(data), "rb") as file:
                data = file.read()
        members.append((path, stat.S_IFREG | 0o755, data, (0, 0)))
    text = b"".join(entry(name, mode, data, device, inode)
                    for inode, (name, mode, data, device) in enumerate(members, 1))
    text += entry("TRAILER!!!", 0)
    return text + bytes(-len(text) % 512)
