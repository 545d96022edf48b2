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
COMMON   := -std=gnu11 -I. -O2 -g -MMD -MP -ffile-prefix-map=$(CURDIR)=. $(WARNINGS)

# ---- core ------------------------------------------------------------------------------------------
CORE_FOLDERS := x86 paging fault mm os tests/harness tests/report tests/model tests/matrix tests/suites
CORE_SOURCES := $(sort $(wildcard $(addsuffix /*.c,$(CORE_FOLDERS)) $(addsuffix /*.S,$(CORE_FOLDERS)))) \
                tests/deviations.c
CORE_SOURCES := $(wildcard $(CORE_SOURCES))
CORE_OBJECTS := $(addprefix $(O)/core/,$(addsuffix .o,$(CORE_SOURCES)))
CORE_FLAGS   := $(COMMON) -ffreestanding -mcmodel=kernel -fno-pic -fno-pie -mno-red-zone \
                -mgeneral-regs-only -fno-stack-protector -fno-omit-frame-pointer -fcf-protection=none \
                -fno-asynchronous-unwind-tables -fno-common -DVERSION='"$(VERSION)"'

$(O)/core/%.c.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CORE_FLAGS) -c $< -o $@
$(O)/core/%.S.o: %.S
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CORE_FLAGS) -D__ASSEMBLY__ -c $< -o $@

# core.elf keeps its debug information for gdb; the PE carries core.stripped, which keeps only symbols.
$(O)/core.elf: $(CORE_OBJECTS) fault/core.lds
	$(call say,LD,$@)
	$(Q)$(CC) -nostdlib -static -no-pie -Wl,-T,fault/core.lds -Wl,--build-id=sha1 -Wl,--fatal-warnings \
	    -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack $(CORE_OBJECTS) -o $@
$(O)/core.stripped: $(O)/core.elf
	$(Q)$(OBJCOPY) --strip-debug $< $@

-include $(CORE_OBJECTS:.o=.d)

# ---- the rest ----------------------------------------------------------------------------------------
include $(wildcard efi/efi.mk tests/host/host.mk tests/boot/boot.mk)

.PHONY: build clean
build: $(O)/faultline.efi ## build the application: build/faultline.efi

clean: ## remove everything that was built
	$(Q)rm -rf $(O)
