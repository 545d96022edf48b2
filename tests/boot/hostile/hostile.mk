# hostile.efi, for tests/boot/test_hostile.py: linked as the application is, without core. Included by the Makefile.

HOSTILE_SOURCES := $(wildcard tests/boot/hostile/*.c tests/boot/hostile/*.S) efi/firmware.c efi/console.c \
                   efi/serial.c efi/volume.c tests/report/sink.c x86/memory.S
HOSTILE_OBJECTS := $(patsubst %,$(O)/efi/%.o,$(HOSTILE_SOURCES))

$(O)/hostile.so: $(HOSTILE_OBJECTS) efi/faultline.lds $(EFI_CRT0) $(EFI_LIBRARY)
	$(call say,LD,$@)
	$(Q)$(LD) -shared -Bsymbolic -nostdlib --no-undefined --fatal-warnings -z max-page-size=4096 \
	    -z noexecstack -z norelro --defsym=_entry=efi_main --build-id=none -T efi/faultline.lds $(EFI_CRT0) $(HOSTILE_OBJECTS) $(EFI_LIBRARY) -o $@

$(O)/hostile.efi: $(O)/hostile.so $(O)/efi/pe_finish
	$(call say,PE,$@)
	$(Q)$(OBJCOPY) -S $(EFI_SECTIONS:%=-j %) -O efi-app-x86_64 $< $@
	$(Q)$(O)/efi/pe_finish $@ $(EFI_SECTIONS)

boot-test: $(O)/hostile.efi

-include $(HOSTILE_OBJECTS:.o=.d)
