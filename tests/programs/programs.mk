# Ring-3 programs that run on Linux and here, the very same files (tests/programs/README.md). Included by the Makefile.
#
#   tests/programs/NAME.c           one program each: build/programs/NAME
#   tests/programs/library/         what they all are linked with
#   tests/programs/recorder/init.c  the first process of the system that make record boots
#
# Static, at 0x400000, with segments R, RX, R and RW. Nothing but the compiler is needed, and the same compiler
# makes the same bytes wherever the tree lies.

PROGRAMS            := $(patsubst tests/programs/%.c,%,$(sort $(wildcard tests/programs/*.c)))
STATIC_PIE_PROGRAMS := $(filter %_static_pie,$(PROGRAMS))
PROGRAM_LIBRARY     := $(addprefix tests/programs/library/,program.c program.S fpu.S)
# Flags are part of what a log is recorded with: a change asks for make record.
PROGRAM_FLAGS       := -std=gnu11 -O1 -ffreestanding -fno-stack-protector -fno-stack-clash-protection \
                       -fcf-protection=none -fno-asynchronous-unwind-tables -fno-common -mgeneral-regs-only
PROGRAM_LINK        := -nostdlib -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,-z,norelro \
                       -Wl,-z,max-page-size=4096
PROGRAM_FIXED       := -fno-pie -static -no-pie
PROGRAM_PIE         := -fpie -static-pie
PROGRAM_CC           = $(CC) -I. $(PROGRAM_FLAGS) $(WARNINGS) -ffile-prefix-map=$(CURDIR)=. -U_FORTIFY_SOURCE

# $(call program_kind,FOLDER,FLAGS): objects below $(O)/FOLDER, and how programs are linked of them.
define program_kind
$(O)/$(1)/%.c.o: %.c tests/programs/programs.mk
	$$(call say,CC,"$$< ($(1))")
	@mkdir -p $$(@D)
	$$(Q)$$(PROGRAM_CC) $$(filter-out -static -no-pie -static-pie,$(2)) -MMD -MP -c $$< -o $$@
$(O)/$(1)/%.S.o: %.S tests/programs/programs.mk
	$$(call say,AS,"$$< ($(1))")
	@mkdir -p $$(@D)
	$$(Q)$$(PROGRAM_CC) $$(filter-out -static -no-pie -static-pie,$(2)) -MMD -MP -c $$< -o $$@
endef
$(eval $(call program_kind,program-objects,$(PROGRAM_FIXED)))
$(eval $(call program_kind,program-pie-objects,$(PROGRAM_PIE)))

PROGRAM_FILES     := $(PROGRAMS:%=$(O)/programs/%)
PROGRAM_PIE_FILES := $(STATIC_PIE_PROGRAMS:%=$(O)/programs/%)

$(filter-out $(PROGRAM_PIE_FILES),$(PROGRAM_FILES)): $(O)/programs/%: \
    $(O)/program-objects/tests/programs/%.c.o $(PROGRAM_LIBRARY:%=$(O)/program-objects/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(PROGRAM_LINK) $(PROGRAM_FIXED) $^ -o $@
$(PROGRAM_PIE_FILES): $(O)/programs/%: \
    $(O)/program-pie-objects/tests/programs/%.c.o $(PROGRAM_LIBRARY:%=$(O)/program-pie-objects/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(PROGRAM_LINK) $(PROGRAM_PIE) $^ -o $@

$(O)/record-init: $(O)/program-objects/tests/programs/recorder/init.c.o $(PROGRAM_LIBRARY:%=$(O)/program-objects/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(PROGRAM_LINK) $(PROGRAM_FIXED) $^ -o $@

# What a log's head has the hash of; written only when it changes.
.PHONY: programs record record-bench programs-flags
programs-flags:
	@mkdir -p $(O)
	@echo '$(strip $(PROGRAM_FLAGS) $(PROGRAM_LINK) $(PROGRAM_FIXED) $(PROGRAM_PIE))' >$(O)/program-flags.new
	@cmp -s $(O)/program-flags.new $(O)/program-flags || cp $(O)/program-flags.new $(O)/program-flags
	@rm -f $(O)/program-flags.new

programs: $(PROGRAM_FILES) programs-flags ## the ring-3 programs that Linux runs, too: build/programs/*

boot-test: programs

record: ## record Linux's logs of the programs, in QEMU (KERNEL=FILE PROGRAM=GLOB TIMEOUT=)
	$(Q)tools/setup run
	$(Q)+$(AGAIN) programs $(O)/record-init
	$(Q)tools/record $(O) $(PROGRAM)

record-bench: ## record what Linux's faults and system calls cost in instructions (KERNEL=FILE)
	$(Q)tools/setup run
	$(Q)+$(AGAIN) programs $(O)/record-init
	$(Q)tools/record --bench $(O)

.SECONDARY: $(PROGRAMS:%=$(O)/program-objects/tests/programs/%.c.o)
-include $(wildcard $(O)/program-objects/tests/programs/*.d $(O)/program-objects/tests/programs/*/*.d \
                    $(O)/program-pie-objects/tests/programs/*.d)

# ---- the archive: the programs and Linux's logs inside core (tests/suites/program_archive.S) ---------------
# $(O)/program_list.h is included by C and assembly; written only when it changes.
PROGRAM_LOGS   := $(wildcard $(PROGRAMS:%=tests/programs/logs/%.log))
PROGRAM_LOGGED := $(PROGRAM_LOGS:tests/programs/logs/%.log=%)
.PHONY: program-list
$(O)/program_list.h: program-list ;
program-list:
	@mkdir -p $(O)
	@{ printf 'PROGRAM(%s)\n' $(PROGRAM_LOGGED); \
	   printf 'PROGRAM_WITHOUT_LOG(%s)\n' $(filter-out $(PROGRAM_LOGGED) bench_%,$(PROGRAMS)); \
	   printf 'BENCH(%s)\n' $(filter bench_%,$(PROGRAMS)); } | \
	   grep -v '()' >$(O)/program_list.new; \
	cmp -s $(O)/program_list.new $(O)/program_list.h || cp $(O)/program_list.new $(O)/program_list.h
	@rm -f $(O)/program_list.new
# Rows of the README's table about Faultline, as initialisers; "\|" in a cell is a '|'.
$(O)/accepted_lines.h: tests/programs/README.md
	@mkdir -p $(O)
	$(Q)awk -F'[|]' 'function side(cell) { gsub(/\\/, "\\\\\\\\", cell); gsub(/"/, "\\\"", cell); gsub(/\001/, "|", cell); \
	        return cell == "-" ? "0" : "\"" substr(cell, 2, length(cell) - 2) "\"" } \
	    { gsub(/\\[|]/, "\001") } $$1 == "" && NF == 7 { for (i = 2; i < 7; i++) gsub(/^ +| +$$/, "", $$i); \
	        if ($$3 == "Faultline") printf "{\"%s\", %s, %s},\n", $$2, side($$4), side($$5) }' $< >$@

$(O)/core/tests/suites/program_archive.S.o: $(PROGRAM_FILES) $(PROGRAM_LOGS) $(O)/program_list.h
$(foreach place,core host/gcc host/clang host/coverage,$(O)/$(place)/tests/suites/programs.c.o \
    $(O)/$(place)/tests/suites/bench.c.o $(O)/$(place)/tests/suites/mm.c.o $(O)/$(place)/tests/host/program_archive.c.o): \
    $(O)/program_list.h $(O)/accepted_lines.h
