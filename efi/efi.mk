# The application: efi/ and the embedded core, gcc -> ELF shared object -> PE. Included by the Makefile.

HOSTCC ?= cc

# Firmware's types and start-up code (package gnu-efi), and the console fonts (package fonts-spleen).
GNU_EFI_INCLUDE ?= /usr/include/efi
EFI_CRT0        := $(firstword $(wildcard $(addsuffix /crt0-efi-x86_64.o,/usr/lib /usr/lib/gnuefi \
                     /usr/lib64/gnuefi /usr/lib64)) /usr/lib/crt0-efi-x86_64.o)
EFI_LIBRARY     := $(dir $(EFI_CRT0))libgnuefi.a
FONT_FOLDERS    := /usr/share/consolefonts /usr/share/kbd/consolefonts /usr/lib/kbd/consolefonts
FONT_FOLDER     := $(patsubst %/,%,$(dir $(firstword $(wildcard $(FONT_FOLDERS:%=%/spleen-8x16.psfu.gz)) \
                     /usr/share/consolefonts/)))
FONTS           := 8x16 12x24 16x32 32x64

# Of core's sources, those that are pure are compiled a second time, position-independent.
EFI_TOOLS   := efi/pe_finish.c efi/font_trim.c
EFI_SOURCES ?= $(filter-out $(EFI_TOOLS),$(sort $(wildcard efi/*.c efi/*.S)))
EFI_SHARED  ?= x86/memory.S paging/phys.c paging/frames.c paging/table.c fault/world_read.c tests/report/sink.c
EFI_OBJECTS := $(patsubst %,$(O)/efi/%.o,$(EFI_SOURCES) $(EFI_SHARED))
EFI_FLAGS   := $(COMMON) -isystem $(GNU_EFI_INCLUDE) -isystem $(GNU_EFI_INCLUDE)/x86_64 -DGNU_EFI_USE_MS_ABI \
               -ffreestanding -fpic -fshort-wchar -mno-red-zone -mgeneral-regs-only -fvisibility=hidden \
               -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-common \
               -DVERSION='"$(VERSION)"'

# Each section of faultline.lds that the PE carries; pe_finish fails when one is missing.
EFI_SECTIONS := .text .rodata .reloc .rela .data .dynamic .bss

$(O)/efi/%.c.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(EFI_FLAGS) -c $< -o $@
$(O)/efi/%.S.o: %.S
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(EFI_FLAGS) -D__ASSEMBLY__ -Wa,-I,$(O) -Wa,-I,$(O)/efi -c $< -o $@
$(O)/efi/efi/core_image.S.o: $(O)/core.stripped
$(O)/efi/efi/font_image.S.o: $(FONTS:%=$(O)/efi/spleen-%.font)

$(FONTS:%=$(O)/efi/spleen-%.font): $(O)/efi/spleen-%.font: $(FONT_FOLDER)/spleen-%.psfu.gz $(O)/efi/font_trim
	$(Q)gzip -dc $< > $@.psf && $(O)/efi/font_trim $@.psf $@ && rm $@.psf
$(O)/efi/pe_finish $(O)/efi/font_trim: $(O)/efi/%: efi/%.c
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -O1 $(WARNINGS) $< -o $@

# _entry is what newer start-up code (gnu-efi 3.0.18) calls instead of efi_main.
$(O)/faultline.so: $(EFI_OBJECTS) efi/faultline.lds $(EFI_CRT0) $(EFI_LIBRARY)
	$(call say,LD,$@)
	$(Q)$(LD) -shared -Bsymbolic -nostdlib --no-undefined --fatal-warnings -z max-page-size=4096 \
	    -z noexecstack -z norelro --defsym=_entry=efi_main --build-id=none -T efi/faultline.lds $(EFI_CRT0) $(EFI_OBJECTS) $(EFI_LIBRARY) -o $@

$(O)/faultline.efi: $(O)/faultline.so $(O)/efi/pe_finish
	$(call say,PE,$@)
	$(Q)$(OBJCOPY) -S $(EFI_SECTIONS:%=-j %) -O efi-app-x86_64 $< $@
	$(Q)$(O)/efi/pe_finish $@ $(EFI_SECTIONS)

-include $(EFI_OBJECTS:.o=.d)
