# SPDX-License-Identifier: BSD-2-Clause
#
# sallyport - `make help` lists the targets.
#
# One Makefile, no recursion, nothing to configure.  Each .c under src/ is
# found by itself: src/cli/main.c is the program, all else a library that the
# tests link too.  `make san` and `make coverage` build with other flags into a
# directory of their own, so they are the only goal of their run.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 30
SOAK ?= 7200 50000
TESTS ?=

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang

# Libraries by their pkg-config names: add one here and its Debian package in
# tests/lib/deps, and that is all.
LIBS := libmnl libnftnl libpcap libseccomp

# ---- modes -----------------------------------------------------------------

MODES := $(or $(filter san coverage,$(MAKECMDGOALS)),$(if $(SAN),san))
ifneq ($(MODES),)
ifneq ($(words $(MAKECMDGOALS)),1)
$(error $(MODES): give it as the only goal)
endif
endif

OPT := -O2 -g
# What each packet goes through: an eighth fewer instructions for a new flow
$(BUILD)/src/nat/%.o: OPT := -O3 -g
HARDEN := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
ifeq ($(MODES),)
O := $(BUILD)
else ifeq ($(MODES),san)
O := $(BUILD)-san
OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
HARDEN :=
else
O := $(BUILD)-cov
OPT := -O0 -g --coverage
HARDEN :=
endif

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef
ifneq ($(filter 1 true,$(STRICT) $(CI)),)
WARN += -Werror
endif
STRICT_FLAG := $(if $(filter 1,$(STRICT)),--strict)

# Asked at first use and not when this file is read: `make check` may have to
# install pkg-config first.
pc = $(or $(shell pkg-config $(1) $(LIBS) 2>/dev/null && echo " "),\
	$(error libraries are missing ($(LIBS)): run `make deps`))
PC_CFLAGS = $(eval PC_CFLAGS := $$(call pc,--cflags))$(PC_CFLAGS)
PC_LIBS = $(eval PC_LIBS := $$(call pc,--libs))$(PC_LIBS)

CPPFLAGS_ALL = -Iinclude -Isrc -D_GNU_SOURCE $(PC_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL = -std=gnu17 $(OPT) $(WARN) $(HARDEN) -fPIE $(CFLAGS)
LDFLAGS_ALL = $(OPT) -pie -Wl,-z,relro,-z,now $(LDFLAGS)

# ---- what there is ---------------------------------------------------------

SRC := $(sort $(shell find src -name '*.c'))
MAIN_SRC := $(filter src/cli/main.c,$(SRC))
LIB_SRC := $(filter-out $(MAIN_SRC),$(SRC))
LIB := $(O)/libsallyport.a
PROGRAM := $(if $(MAIN_SRC),$(O)/sallyport)
obj = $(patsubst %.c,$(O)/%.o,$(1))

# Each of these is a program of its own; what several tests share stands in
# tests/lib/*.c, a library that each links.
TEST_SRC := $(sort $(wildcard tests/unit/test_*.c tests/diff/*.c tests/e2e/*.c \
	tests/golden/*.c tests/bench/*.c))
TEST_LIB_SRC := $(filter-out tests/lib/fuzz_replay.c,$(wildcard tests/lib/*.c))
TEST_LIB := $(O)/tests/libtest.a
TEST_PROGS := $(patsubst %.c,$(O)/%,$(TEST_SRC))

# The requirements on a NAT: one program of several files
CONF_SRC := $(sort $(wildcard tests/conformance/*.c))
CONF := $(O)/tests/conformance/conformance

FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
REPLAY_PROGS := $(patsubst tests/fuzz/fuzz_%.c,$(O)/tests/fuzz/replay_%,$(FUZZ_SRC))
FUZZ_PROGS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC))
FUZZ_CC := $(CLANG) -std=gnu17 -O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all

ALL_OBJ := $(call obj,$(SRC) $(TEST_SRC) $(CONF_SRC) $(TEST_LIB_SRC) $(FUZZ_SRC) tests/lib/fuzz_replay.c) \
	$(patsubst %.c,$(BUILD)/fuzz/%.o,$(LIB_SRC) $(FUZZ_SRC))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY: $(ALL_OBJ)
.PHONY: all tests deps check check-strict san lint fuzz coverage conformance bench soak demo constructs install clean help

# Quiet by default, `make V=1` shows the commands.
ifneq ($(V),1)
Q := @
say = @printf '  %-7s %s\n'
else
say = @:
endif

all: $(PROGRAM) $(LIB)	## the program, as $(BUILD)/sallyport

# ---- packages --------------------------------------------------------------

# A stamp for each group, so that asking costs nothing once all is there.
deps_of = $(patsubst %,$(BUILD)/.deps-%,$(1))
ifneq ($(filter check check-strict san coverage fuzz,$(MAKECMDGOALS)),)
NEED += build tests
endif
ifneq ($(filter demo bench soak conformance,$(MAKECMDGOALS)),)
NEED += build tests
endif
ifneq ($(filter bench-live,$(MAKECMDGOALS)),)
NEED += build tests live
endif
ifneq ($(filter lint fuzz,$(MAKECMDGOALS)),)
NEED += build lint
endif
NEED_STAMPS := $(call deps_of,$(sort $(NEED)))

deps: $(call deps_of,build tests lint)	## install what is missing (Debian, as root; else say how)

$(BUILD)/.deps-%: tests/lib/deps
	$(Q)mkdir -p $(@D)
	$(Q)tests/lib/deps $*
	$(Q)touch $@

# ---- compile ---------------------------------------------------------------

# Other flags, other objects.
FLAGS_NOW = $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(O)/.flags: FORCE | $(NEED_STAMPS)
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' >$@
FORCE:

$(O)/%.o: %.c $(O)/.flags
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(if $(filter tests/%,$<),-Itests/lib) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Built anew, so that a removed file leaves nothing in it.
$(LIB): $(call obj,$(LIB_SRC))
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(TEST_LIB): $(call obj,$(TEST_LIB_SRC)) $(O)/.flags
	$(say) AR $@
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

# The program loads libpcap when it needs it (src/port/pcap_lazy.c)
link = $(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(filter %.a,$^) -Wl,--as-needed $(PC_LIBS)

$(PROGRAM): $(call obj,$(MAIN_SRC)) $(LIB)
	$(say) LINK $@
	$(Q)$(link)

$(TEST_PROGS): $(O)/%: $(O)/%.o $(TEST_LIB) $(LIB)
	$(say) LINK $@
	$(Q)$(link)

$(CONF): $(call obj,$(CONF_SRC)) $(TEST_LIB) $(LIB)
	$(say) LINK $@
	$(Q)$(link)

$(REPLAY_PROGS): $(O)/tests/fuzz/replay_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/lib/fuzz_replay.o $(LIB)
	$(say) LINK $@
	$(Q)$(link)

$(BUILD)/fuzz/%.o: %.c | $(NEED_STAMPS)
	$(say) CLANG $<
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer-no-link $(FUZZ_CFLAGS) $(CPPFLAGS_ALL) -Itests/lib -MMD -MP -c -o $@ $<

# Comparisons there are UBSan's, mostly: to trace them takes two thirds of the time
$(BUILD)/fuzz/src/nat/%.o $(BUILD)/fuzz/tests/fuzz/fuzz_nat.o: \
	FUZZ_CFLAGS := -O2 -fno-sanitize-coverage=trace-cmp
$(FUZZ_PROGS): $(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(patsubst %.c,$(BUILD)/fuzz/%.o,$(LIB_SRC))
	$(say) LINK $@
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer -o $@ $^ $(PC_LIBS)

tests: all $(TEST_PROGS) $(CONF) $(REPLAY_PROGS)	## the test programs, without running them

# ---- check -----------------------------------------------------------------

RUN = BUILD=$(O) SALLYPORT=$(O)/sallyport tests/run

check: $(NEED_STAMPS) tests	## build and run all tests; STRICT=1: a skip fails; TESTS=PATTERN
	$(Q)$(RUN) $(STRICT_FLAG) $(TESTS)

check-strict: $(NEED_STAMPS) tests	## as check STRICT=1
	$(Q)$(RUN) --strict $(TESTS)

# What BUG_IF() and the sanitizers find must not look like a refusal (1).
san: export ASAN_OPTIONS ?= abort_on_error=1:detect_stack_use_after_return=1
san: export UBSAN_OPTIONS ?= print_stacktrace=1:abort_on_error=1
san: $(NEED_STAMPS) tests	## the same tests under ASan and UBSan
	$(Q)$(RUN) $(STRICT_FLAG) $(TESTS)

coverage: export NAT_ANY_RUNS ?= 20000
coverage: $(NEED_STAMPS) tests	## run the tests and print the lines covered, by file
	$(Q)find $(O) -name '*.gcda' -delete
	$(Q)$(RUN) $(TESTS) || true
	$(Q)tests/lib/coverage $(O)

conformance: $(NEED_STAMPS) $(CONF)	## what RFCs ask of a NAT, line by line; fails when a MUST does
	$(Q)$(CONF)

lint: $(NEED_STAMPS)	## layers, contracts, codes, byte order, clang-tidy, cppcheck, shellcheck
	$(Q)BUILD=$(BUILD) CLANG=$(CLANG) LINT_CPPFLAGS="$(CPPFLAGS_ALL)" tests/lib/lint/run

fuzz: $(NEED_STAMPS) $(FUZZ_PROGS)	## fuzz each parser for FUZZ_SECONDS, the NAT FUZZ_NAT_RUNS times
	$(Q)tests/lib/fuzz $(FUZZ_SECONDS) $(FUZZ_PROGS)

bench: $(NEED_STAMPS) tests	## measure: NAME VALUE UNIT a line
	$(Q)SALLYPORT=$(O)/sallyport BUILD=$(O) tests/lib/bench $(filter $(O)/tests/bench/%,$(TEST_PROGS))

bench-live: $(NEED_STAMPS) tests	## the live NAT beside its peers; LIVE="nft ours" picks some
	$(Q)SALLYPORT=$(O)/sallyport BUILD=$(abspath $(O)) tests/bench/live $(LIVE)

# What was freed must not be kept for a look where growth is looked for
soak: export ASAN_OPTIONS ?= abort_on_error=1:detect_stack_use_after_return=1:quarantine_size_mb=1
soak: export UBSAN_OPTIONS ?= print_stacktrace=1:abort_on_error=1
soak: $(NEED_STAMPS) tests	## the live NAT for two hours, or SOAK="SECONDS RATE"; SAN=1: sanitized
	$(Q)SALLYPORT=$(abspath $(O)/sallyport) BUILD=$(abspath $(O)) SALLYPORT_SOAK="$(SOAK)" tests/e2e/natsoak.sh

demo: $(NEED_STAMPS) all	## the main job with real traffic, in network namespaces
	$(Q)SALLYPORT=$(abspath $(O)/sallyport) examples/web-db/demo.sh

constructs: all	## write what becomes of each construct of pf.conf and ipfw as Markdown
	$(Q)for l in pf ipfw; do $(O)/sallyport explain $$l >src/lang/$$l/CONSTRUCTS.md; done

# ---- install ---------------------------------------------------------------

install: all	## to $(DESTDIR)$(PREFIX)
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/sbin/sallyport
	$(Q)set -e; for f in $$(find rules -type f ! -path '*/expect/*' 2>/dev/null); do \
		install -D -m 644 "$$f" "$(DESTDIR)$(PREFIX)/share/sallyport/$$f"; done
	install -D -m 644 src/cli/sallyport.8 $(DESTDIR)$(PREFIX)/share/man/man8/sallyport.8
	$(Q)set -e; cd examples/hooks; for f in lxc-hook oci-hook run-jail; do \
		install -D -m 755 $$f "$(DESTDIR)$(PREFIX)/share/sallyport/hooks/$$f"; done; \
	find systemd -type f -exec install -D -m 644 {} \
		"$(DESTDIR)$(PREFIX)/share/sallyport/hooks/{}" \;

clean:	## remove what was built
	rm -rf $(BUILD) $(BUILD)-san $(BUILD)-cov

help:	## this list
	$(Q)awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

-include $(ALL_OBJ:.o=.d)
