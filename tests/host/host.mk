# Tests that run on the build machine.
#
#   tests/host/test_NAME.c   one cmocka program each; every case counts
#   tests/host/fuzz_NAME.c   one libFuzzer target each; a bounded run counts as one case. Its seed
#                            inputs are tests/host/corpus/NAME/*
#   tests/host/prove_NAME.c  one cmocka program each that tries every point there is: optimised, and
#                            without sanitizers, which tests of the same code have
#   tests/host/*.c (others)  helpers and host stand-ins for core's assembly symbols
#
# All of core's C files and the helpers go into one archive, from which a program takes what it
# needs: a test that defines a core symbol itself (a recorder, say) thereby replaces it. Everything
# is built with AddressSanitizer and UndefinedBehaviorSanitizer, by gcc and by clang.
# One program alone: make check HOST=test_options. While other files of core are being written:
# make check HOST=test_options HOST_CORE="tests/harness/options.c tests/report/sink.c".

FUZZ_RUNS  ?= 20000
# A run of these costs more: there are fewer of them.
FUZZ_COST_mm := 2
FUZZ_COST_system_calls := 4
HOST       ?= *
HOST_TESTS := $(patsubst %.c,%,$(filter tests/host/test_%,$(wildcard tests/host/$(HOST).c)))
HOST_FUZZ  := $(patsubst %.c,%,$(filter tests/host/fuzz_%,$(wildcard tests/host/$(HOST).c)))
HOST_PROOFS := $(patsubst %.c,%,$(filter tests/host/prove_%,$(wildcard tests/host/$(HOST).c)))
HOST_CORE  := $(filter %.c,$(CORE_SOURCES)) \
              $(filter-out tests/host/test_% tests/host/fuzz_% tests/host/prove_% tests/host/unit.c,\
                           $(wildcard tests/host/*.c))
HOST_SOURCES := $(HOST_CORE) tests/host/unit.c $(HOST_TESTS:=.c) $(HOST_FUZZ:=.c) $(HOST_PROOFS:=.c)

HOST_FLAGS    := $(COMMON) -O1 -mno-red-zone -fno-omit-frame-pointer -DVERSION='"$(VERSION)"'
HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

# A variant is a compiler with its flags. Coverage for the fuzzer is free of cost to other programs.
# clang takes an object at a fixed address, such as the session, for one of size 0.
HOST_CLANG            := clang $(HOST_FLAGS) -Wno-fortify-source
HOST_COMPILE_gcc      := gcc $(HOST_FLAGS) $(HOST_SANITIZE)
HOST_COMPILE_clang    := $(HOST_CLANG) $(HOST_SANITIZE) -fsanitize=fuzzer-no-link
HOST_COMPILE_gcc-fast   := gcc $(HOST_FLAGS) -O2
HOST_COMPILE_clang-fast := $(HOST_CLANG) -O2
HOST_COMPILE_coverage := $(HOST_CLANG) -O0 -fprofile-instr-generate -fcoverage-mapping

# What judges each step of a fuzzed program is not what is explored, and has to be fast.
HOST_JUDGES := mm/audit.c tests/host/machine_simulated.c tests/host/mm_model.c tests/host/tlb_simulated.c
$(HOST_JUDGES:%=$(O)/host/clang/%.o): HOST_COMPILE_clang := $(HOST_CLANG) -O2 $(HOST_SANITIZE)

# What proofs are about, and what that needs.
HOST_CORE_gcc-fast   := $(filter tests/model/% tests/matrix/% tests/report/%,$(HOST_CORE))
HOST_CORE_clang-fast := $(HOST_CORE_gcc-fast)

# $(call host_variant,NAME): objects, archive and programs below $(O)/host/NAME.
define host_variant
$(O)/host/$(1)/%.c.o: %.c
	$$(call say,HOSTCC,"$$< ($(1))")
	@mkdir -p $$(@D)
	$$(Q)$$(HOST_COMPILE_$(1)) -c $$< -o $$@
$(O)/host/$(1)/core.a: $(patsubst %,$(O)/host/$(1)/%.o,$(or $(HOST_CORE_$(1)),$(HOST_CORE)))
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
$(O)/host/$(1)/test_%: $(O)/host/$(1)/tests/host/test_%.c.o $(O)/host/$(1)/tests/host/unit.c.o \
                        $(O)/host/$(1)/core.a
	$$(Q)$$(HOST_COMPILE_$(1)) $$^ -lcmocka -o $$@
$(O)/host/$(1)/prove_%: $(O)/host/$(1)/tests/host/prove_%.c.o $(O)/host/$(1)/tests/host/unit.c.o \
                         $(O)/host/$(1)/core.a
	$$(Q)$$(HOST_COMPILE_$(1)) $$^ -lcmocka -o $$@
$(O)/host/$(1)/fuzz_%: $(O)/host/$(1)/tests/host/fuzz_%.c.o $(O)/host/$(1)/core.a
	$$(Q)$$(HOST_COMPILE_$(1)) -fsanitize=fuzzer $$^ -o $$@
.SECONDARY: $(HOST_SOURCES:%=$(O)/host/$(1)/%.o) \
            $(patsubst tests/host/%,$(O)/host/$(1)/%,$(HOST_TESTS) $(HOST_FUZZ) $(HOST_PROOFS))
-include $(HOST_SOURCES:%=$(O)/host/$(1)/%.d)
endef
$(foreach variant,gcc clang gcc-fast clang-fast coverage,$(eval $(call host_variant,$(variant))))

# Running a program leaves PROGRAM.log and PROGRAM.count ("passed failed"); a failure is printed at
# once and does not stop the others.
HOST_COUNTS := $(foreach variant,gcc clang,$(HOST_TESTS:tests/host/%=$(O)/host/$(variant)/%.count)) \
               $(HOST_FUZZ:tests/host/%=$(O)/host/clang/%.count) \
               $(foreach variant,gcc-fast clang-fast,$(HOST_PROOFS:tests/host/%=$(O)/host/$(variant)/%.count))

.PHONY: host-run
$(O)/host/%.count: $(O)/host/% host-run
	$(Q)FUZZ_RUNS=$$(($(FUZZ_RUNS) / $(or $(FUZZ_COST_$(patsubst fuzz_%,%,$(notdir $*))),1))) \
	    tests/host/run $<

.PHONY: check
check: $(HOST_COUNTS) ## run the host tests, with sanitizers, as built by gcc and by clang
	$(Q)cat $(HOST_COUNTS) /dev/null | awk '{ passed += $$1; failed += $$2 } END { \
	    printf "%d passed, %d failed\n", passed, failed; exit failed || !passed }' \
	    >$(O)/host/summary; status=$$?; cat $(O)/host/summary; exit $$status

HOST_COVERED := $(HOST_TESTS:tests/host/%=$(O)/host/coverage/%)

$(O)/host/coverage/test_%.profraw: $(O)/host/coverage/test_% host-run
	$(Q)LLVM_PROFILE_FILE=$@ $< >$(@:.profraw=.log) 2>&1

.PHONY: coverage
coverage: $(HOST_COVERED:=.profraw) ## how many of core's lines the host tests run, file by file
	$(Q)llvm-profdata merge -o $(O)/host/coverage.profdata $^
	$(Q)llvm-cov report -instr-profile=$(O)/host/coverage.profdata \
	    -ignore-filename-regex='tests/host/' $(firstword $(HOST_COVERED)) \
	    $(addprefix -object ,$(wordlist 2,$(words $(HOST_COVERED)),$(HOST_COVERED))) \
	    >$(O)/host/coverage.txt
	$(Q)cat $(O)/host/coverage.txt
