"""Disk images: the same bytes wherever and whenever they are made, and sound to others' eyes."""
import os
import subprocess

import boot
import disk


def make(kind, folder, environment=None):
    """An image made in a process of its own, as the Makefile makes it; its path."""
    path = os.path.join(folder, f"{kind}.img")
    subprocess.run([os.path.join(boot.TREE, "tools", "image"), kind, path, boot.APPLICATION], check=True,
                   cwd=folder, env=dict(os.environ, **environment or {}), capture_output=True, text=True)
    return path


def contents(path):
    with open(path, "rb") as file:
        return file.read()


class Images(boot.Case):
    def test_images_are_reproducible(self):
        """Other folder, time zone, locale, umask; and a second that FAT can tell from the first."""
        for kind in ("run", "usb"):
            with self.subTest(kind):
                first = make(kind, self.new_folder())
                away = {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "HOME": self.folder, "TMPDIR": self.new_folder()}
                second = make(kind, self.new_folder(), away)
                self.assertTrue(contents(first) == contents(second), "two builds differ")
                other_day = make(kind, self.new_folder(), {"SOURCE_DATE_EPOCH": "86400000"})
                self.assertFalse(contents(first) == contents(other_day), "the comparison sees no time stamps")

    def test_build_stick_equals_a_new_one(self):
        self.assertTrue(contents(boot.STICK_IMAGE) == contents(make("usb", self.new_folder())))

    def test_stick_is_sound_gpt_with_an_efi_partition(self):
        [(kind, first, last)] = disk.read_gpt(boot.STICK_IMAGE)
        self.assertEqual(kind, disk.EFI_SYSTEM)
        self.assertEqual(first % 2048, 0)
        self.assertLess(last * disk.SECTOR, os.path.getsize(boot.STICK_IMAGE))

    def test_any_changed_byte_of_the_gpt_is_seen(self):
        sectors = os.path.getsize(boot.STICK_IMAGE) // disk.SECTOR
        path = boot.copy_image(self.folder, boot.STICK_IMAGE)
        for sector, byte in ((1, 0), (1, 40), (1, 60), (2, 33), (sectors - 1, 70), (sectors - 33, 20)):
            with self.subTest(sector=sector, byte=byte), open(path, "r+b") as file:
                file.seek(sector * disk.SECTOR + byte)
                old = file.read(1)
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([old[0] ^ 1]))
                file.flush()
                with self.assertRaises(disk.DiskError):
                    disk.read_gpt(path)
                file.seek(-1, os.SEEK_CUR)
                file.write(old)

    def test_stick_holds_what_it_should(self):
        self.assertEqual(disk.read_file(boot.STICK_IMAGE, "/EFI/BOOT/BOOTX64.EFI"), contents(boot.APPLICATION))
        for name in ("faultline.cfg", "README.TXT"):
            self.assertEqual(disk.read_file(boot.STICK_IMAGE, f"/{name}"),
                             contents(os.path.join(boot.TREE, "esp", name)))
        self.assertEqual(sorted(disk.list_folder(boot.STICK_IMAGE, "/")), ["EFI", "README.TXT", "faultline.cfg"])

    def test_application_is_marked_for_strict_firmware(self):
        """NX_COMPAT, no writable and executable section, no time stamp. PE/COFF specification, section 3."""
        data = contents(boot.APPLICATION)
        word = lambda at, size: int.from_bytes(data[at:at + size], "little")
        pe = word(0x3C, 4)
        self.assertEqual(data[pe:pe + 4], b"PE\0\0")
        self.assertEqual(word(pe + 8, 4), 0, "TimeDateStamp")
        optional = pe + 24
        self.assertEqual(word(optional + 68, 2), 10, "subsystem: EFI application")
        self.assertTrue(word(optional + 70, 2) & 0x100, "NX_COMPAT")
        sections = optional + word(pe + 20, 2)
        for number in range(word(pe + 6, 2)):
            flags = word(sections + 40 * number + 36, 4)
            self.assertNotEqual(flags & 0xA0000000, 0xA0000000, f"section {number} is writable and executable")

    def test_bad_requests_are_named(self):
        tool = os.path.join(boot.TREE, "tools", "image")
        for arguments, environment, word in (
                (["run", "a.img", "/no/such/app"], {}, "/no/such/app"),
                (["floppy", "a.img", boot.APPLICATION], {}, "tools/image run"),
                (["run", "a.img", boot.APPLICATION], {"SOURCE_DATE_EPOCH": "soon"}, "SOURCE_DATE_EPOCH=soon"),
                (["run", "/no/such/folder/a.img", boot.APPLICATION], {}, "/no/such/folder")):
            with self.subTest(arguments=arguments):
                done = subprocess.run([tool, *arguments], cwd=self.new_folder(), capture_output=True, text=True,
                                      env=dict(os.environ, **environment))
                self.assertEqual(done.returncode, 2)
                self.assertIn(word, done.stderr)

    def test_application_that_does_not_fit_is_an_error(self):
        folder = self.new_folder()
        big = os.path.join(folder, "big.efi")
        with open(big, "wb") as file:
            file.truncate(65 << 20)
        done = subprocess.run([os.path.join(boot.TREE, "tools", "image"), "usb", "a.img", big], cwd=folder,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertEqual([name for name in os.listdir(folder) if name.startswith("a.img")], [])


class Esp(boot.Case):
    def test_readme_is_for_notepad(self):
        text = contents(os.path.join(boot.TREE, "esp", "README.TXT"))
        self.assertEqual(text.count(b"\n"), text.count(b"\r\n"))
        text.decode("ascii")

    def test_configuration_is_all_comments_and_fits(self):
        text = contents(os.path.join(boot.TREE, "esp", "faultline.cfg")).decode("ascii")
        self.assertLess(len(text), 4096)  # OPTION_LINE: what the application reads of it
        self.assertEqual([line for line in text.splitlines() if line and not line.startswith("#")], [])

    def test_configuration_shows_every_option(self):
        """Those of the grammar's table, less what is there for tests only."""
        source = contents(os.path.join(boot.TREE, "tests", "harness", "options.c")).decode()
        options = set(boot.re.findall(r'LINE\("(--[a-z-]+)"', source)) - {"--sabotage"}
        self.assertGreater(len(options), 10)
        text = contents(os.path.join(boot.TREE, "esp", "faultline.cfg")).decode()
        shown = set(boot.re.findall(r"^# (--[a-z][a-z-]+)", text, boot.re.MULTILINE))
        self.assertEqual(shown, options)
