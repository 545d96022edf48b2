"""The stick as a stick: on a USB port, write-protected, full, and with older reports on it."""

import boot
import disk
import vm


class Stick(boot.Case):
    COST = 15

    def check_standard(self, run):
        self.assertEqual(run.status, 0, run.last_words())
        reports = run.reports()
        totals = reports.totals
        self.assertEqual(boot.xml_totals(reports.xml), totals)
        self.assertEqual(boot.tap_totals(boot.parse_tap(reports.tap.decode())), totals)
        self.assertEqual(run.serial_tap(), reports.tap.decode())

    def test_boots_as_usb_storage_and_reports_come_back(self):
        image = boot.copy_image(self.folder, boot.STICK_IMAGE)
        run = boot.run(self.folder, image=image, bus="usb")
        self.check_standard(run)
        disk.read_gpt(image)  # still sound

    def test_reports_are_never_overwritten(self):
        image = boot.copy_image(self.folder, boot.STICK_IMAGE)
        seen = {}
        for number in range(1, 4):
            run = boot.run(self.folder, "--only not_present.*", image=image, bus="usb")
            self.assertEqual(run.status, 0, run.last_words())
            self.assertEqual(disk.report_folders(image), [f"{n:04}" for n in range(1, number + 1)])
            for folder, data in seen.items():
                self.assertEqual(boot.Reports.from_image(image, folder), data)
            seen[f"{number:04}"] = run.reports()

    def test_write_protected_stick_is_said(self):
        for bus in ("usb", "virtio"):
            with self.subTest(bus):
                image = boot.copy_image(self.folder, boot.STICK_IMAGE)
                with open(image, "rb") as file:
                    before = file.read()
                run = boot.run(self.folder, "--only not_present.*", image=image, bus=bus, readonly=True)
                self.assertEqual(run.status, 0, run.last_words())
                with open(image, "rb") as file:
                    self.assertTrue(file.read() == before)
                self.said_on_screen_and_serial(run, "write-protected")

    def test_full_stick_is_said(self):
        for left in (0, 3, 40):  # clusters: nothing at all, the folders only, the first part of a report
            with self.subTest(left=left):
                image = boot.copy_image(self.folder, boot.STICK_IMAGE)
                filling = disk.free_bytes(image) - left * disk.SECTOR
                disk.write_file(image, "/filling", bytes(filling))
                run = boot.run(self.folder, "--only not_present.*", image=image, bus="usb")
                self.assertEqual(run.status, 0, run.last_words())
                self.said_on_screen_and_serial(run, "full")

    def said_on_screen_and_serial(self, run, word):
        [line] = [line for line in boot.read_screen(run.picture) if line.startswith(" report: ")]
        self.assertIn(word, line)
        self.assertTrue(any(line.startswith("# report files: ") and word in line for line in run.lines),
                        run.last_words())

    def test_configuration_on_the_stick(self):
        """Its options count, and it may be written by Notepad."""
        image = boot.copy_image(self.folder, boot.STICK_IMAGE)
        disk.write_file(image, "/faultline.cfg", b"# mine\r\n--only not_present.*\r\n")
        run = boot.run(self.folder, image=image, bus="usb")
        self.assertEqual(run.status, 0, run.last_words())
        ids = [check["id"] for check in run.reports().parsed()["checks"]]
        self.assertEqual([name for name in ids if not name.startswith("not_present.")], [])

    def test_wrong_configuration_is_named_and_left_by_a_key(self):
        image = boot.copy_image(self.folder, boot.STICK_IMAGE)
        disk.write_file(image, "/faultline.cfg", b"--olny not_present.*\n")
        with vm.Guest(boot.machine(image, bus="usb"), self.new_folder()) as guest:
            guest.wait_line("faultline.cfg: '--olny' is not an option", boot.LIMIT)
            guest.send_key("esc")
            self.assertEqual(guest.wait_end(boot.LIMIT), ("returned", "Device Error"))
            guest.qmp("quit")
            guest.wait_exit(20)
        self.assertEqual(disk.report_folders(image), [])
