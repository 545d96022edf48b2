# Faultline. `make help` lists the targets; each is explained by the "##" behind it.
#
# Two link units (docs/architecture.md): core, a static ELF at -2 GiB, and the PE that carries it.

O       ?= build
VERSION := 0.1
CC      := gcc
OBJCOPY := objcopy
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := build

WARNINGS := -Wall -Wextra -Wconversion -Wswitch-enum -Wundef -Wshadow -Wmissing-prototypes -Wvla -Werror
COMMON   := -std=gnu11 -I. -I$(O) -O2 -g -MMD -MP -ffile-prefix-map=$(CURDIR)=. $(WARNINGS)

# ---- core ------------------------------------------------------------------------------------------
CORE_FOLDERS := x86 paging fault mm os tests/harness tests/report tests/model tests/matrix tests/suites
CORE_SOURCES := $(sort $(wildcard $(addsuffix /*.c,$(CORE_FOLDERS)) $(addsuffix /*.S,$(CORE_FOLDERS)))) \
                tests/deviations.c
CORE_SOURCES := $(wildcard $(CORE_SOURCES))
CORE_OBJECTS := $(addprefix $(O)/core/,$(addsuffix .o,$(CORE_SOURCES)))
# A frame smaller than a page cannot step over the guard page below its stack.
CORE_FLAGS   := $(COMMON) -ffreestanding -mcmodel=kernel -fno-pic -fno-pie -mno-red-zone \
                -mgeneral-regs-only -fno-stack-protector -fno-omit-frame-pointer -fcf-protection=none \
                -fno-asynchronous-unwind-tables -fno-common -Wframe-larger-than=3072 -DVERSION='"$(VERSION)"'

$(O)/core/%.c.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CORE_FLAGS) -c $< -o $@
$(O)/core/%.S.o: %.S
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CORE_FLAGS) -D__ASSEMBLY__ -Wa,-I,$(O) -c $< -o $@

# core.elf keeps its debug information for gdb; the PE carries core.stripped, which keeps only symbols.
# Of mm/ and os/ it takes what the suites reach.
CORE_SYSTEM := $(filter $(O)/core/mm/% $(O)/core/os/%,$(CORE_OBJECTS))
$(O)/core/system.a: $(CORE_SYSTEM)
	@rm -f $@
	$(Q)ar rcsD $@ $^
$(O)/core.elf: $(CORE_OBJECTS) $(O)/core/system.a fault/core.lds
	$(call say,LD,$@)
	$(Q)$(CC) -nostdlib -static -no-pie -Wl,-T,fault/core.lds -Wl,--build-id=sha1 -Wl,--fatal-warnings \
	    -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack $(filter-out $(CORE_SYSTEM),$(CORE_OBJECTS)) \
	    $(O)/core/system.a -o $@
$(O)/core.stripped: $(O)/core.elf
	$(Q)$(OBJCOPY) --strip-debug $< $@

-include $(CORE_OBJECTS:.o=.d)

# ---- the rest ----------------------------------------------------------------------------------------
include $(wildcard efi/efi.mk tests/host/host.mk tests/boot/hostile/hostile.mk tests/programs/programs.mk)

.PHONY: build run test test-full boot-test bench debug picture image usb setup format lint analyze compile_commands clean help
build: $(O)/faultline.efi ## build the application: build/faultline.efi

# What is installed decides what make finds, so targets that install start a second make.
# It works on as many processors as there are, unless the first one was told how many.
JOBS  ?= $(shell nproc)
AGAIN  = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

run: ## build, boot in QEMU, show the report (OPTIONS= EMULATOR=bochs CPU= SMP= MEM= ACCEL= OVMF_CODE= TIMEOUT=)
	$(Q)tools/setup run $(filter bochs,$(EMULATOR))
	$(Q)+$(AGAIN) $(O)/run.img $(O)/kvm-probe.bin
	$(Q)tools/run $(O)

test: ## host tests, then boot tests; the last line counts both (BOOT=GLOB: only these boot tests)
	$(Q)tools/setup run test debug bochs
	$(Q)rm -f $(O)/host/summary $(O)/boot/summary
	$(Q)+$(AGAIN) check || true
	$(Q)+$(AGAIN) boot-test || true
	$(Q)tools/total $(O)/host/summary $(O)/boot/summary

test-full: ## the whole access matrix in QEMU: minutes of one core (CPU= TIMEOUT=)
	$(Q)tools/setup run
	$(Q)+$(AGAIN) $(O)/run.img $(O)/kvm-probe.bin
	$(Q)tools/test-full $(O)

boot-test: $(O)/run.img $(O)/faultline.img $(O)/kvm-probe.bin $(O)/matrix.svg ## boot tests only
	$(Q)tests/boot/run $(O) $(BOOT)

bench: ## seconds to the verdict, probes and checks per second, instructions of each (RUNS= KUT=)
	$(Q)tools/setup run
	$(Q)$(AGAIN) $(O)/run.img
	$(Q)tools/bench $(O)

debug: ## stop in gdb at one check: make debug ID=write_protect.user_write_faults/4k.l1.user
	$(Q)tools/setup run debug
	$(Q)+$(AGAIN) $(O)/run.img $(O)/kvm-probe.bin $(O)/core.elf
	$(Q)tools/debug $(O) $(ID)

picture: $(O)/matrix.svg ## draw docs/pictures/matrix.svg from the reference model
	$(Q)cp $< docs/pictures/matrix.svg
$(O)/matrix-cells: tools/matrix-cells.c $(wildcard tests/model/*.c tests/model/*.h)
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(COMMON)) $(filter %.c,$^) -o $@
$(O)/matrix.json: $(O)/matrix-cells
	$(Q)$< >$@
$(O)/matrix.svg: $(O)/matrix.json tools/matrix-picture
	$(call say,DRAW,$@)
	$(Q)tools/matrix-picture <$< >$@

setup: ## install what is missing for every target (SETUP=auto|never)
	$(Q)tools/setup all

ESP_FILES := $(wildcard esp/*)
image: $(O)/run.img ## the disk that make run boots from: build/run.img
$(O)/run.img: $(O)/faultline.efi $(ESP_FILES) tools/image tools/disk.py
	$(call say,IMAGE,$@)
	$(Q)tools/image run $@ $<
usb: $(O)/faultline.img ## the image for a USB stick: build/faultline.img
$(O)/faultline.img: $(O)/faultline.efi $(ESP_FILES) tools/image tools/disk.py
	$(call say,IMAGE,$@)
	$(Q)tools/image usb $@ $<

$(O)/kvm-probe.bin: tools/kvm-probe.S
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -c $< -o $@.o
	$(Q)$(LD) -Ttext=0xf0000 --oformat=binary -e start $@.o -o $@

# ---- care --------------------------------------------------------------------------------------------
C_FILES  = $(shell git ls-files -co --exclude-standard '*.c' '*.h')
S_FILES  = $(shell git ls-files -co --exclude-standard '*.S')
SCRIPTS  = $(shell git grep -lI --untracked -m1 -E '^\#!.*(/sh|bash)$$' -- .)

format: ## put every C file into the house's format
	$(Q)tools/setup test lint
	$(Q)clang-format -i $(C_FILES)

lint: ## floors of includes, format of C, shell scripts
	$(Q)tools/setup test lint
	$(Q)tools/lint-includes $(C_FILES) $(S_FILES)
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)shellcheck $(SCRIPTS)

ANALYZED := $(filter %.c,$(CORE_SOURCES))
analyze: ## clang-tidy and cppcheck over core
	$(Q)tools/setup test lint
	$(Q)clang-tidy --quiet $(ANALYZED) -- $(filter-out -MMD -MP,$(CORE_FLAGS))
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -I. -I/usr/include --suppress='*:/usr/include/*' \
	    --suppress=comparePointers --enable=warning,performance,portability $(ANALYZED) # symbols of core.lds bound arrays

compile_commands: ## compile_commands.json for editors
	$(Q)$(MAKE) -nB V=1 O=$(O) build | tools/compile-commands >$@.json

clean: ## remove everything that was built
	$(Q)rm -rf $(O) compile_commands.json

help: ## list the targets
	@awk -F':.*## ' '/^[a-z_-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST) | sort
