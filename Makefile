# SPDX-License-Identifier: GPL-2.0-only
# The entry for people; it holds no rules of its own. `make help` lists what there is.

PREFIX ?= /usr/local
KDIR ?= /lib/modules/$(shell uname -r)/build
BUILD := build/make

help:
	@echo 'make demo       the demo in a virtual machine (scripts/demo)'
	@echo 'make check      all tests (scripts/check)'
	@echo 'make bench      measure against the peers (on an idle machine)'
	@echo 'make bench-device  count what commands on a device cost, in a virtual machine'
	@echo 'make lint       style and static checks (scripts/lint)'
	@echo 'make format     lay the sources out by tool'
	@echo 'make abi        is the binary interface that of the last release? (REVISION=...)'
	@echo 'make fuzz-parsers SECONDS=60  fuzz each parser of the library so long'
	@echo 'make fuzz MINUTES=10 SEED=  throw wild system calls at the devices so long'
	@echo 'make coverage   how much of the modules the tests reach'
	@echo 'make check-matrix      the device tests on every kernel and architecture'
	@echo 'make valgrind   the unit tests as they ship under valgrind'
	@echo 'make inject MOST=0       have every call of the library fail once in each of its tests'
	@echo 'make modules    the kernel modules, for the kernel in KDIR=$(KDIR)'
	@echo 'make userspace  the library, its tools and examples'
	@echo 'make install    the library and tools: DESTDIR= PREFIX=$(PREFIX)'
	@echo 'make clean      remove everything that was built in this folder'

demo:
	scripts/demo

check:
	scripts/check

bench:
	scripts/bench

bench-device:
	scripts/bench-device $(BENCH)

lint:
	scripts/lint

abi:
	scripts/abi $(REVISION)

format:
	scripts/lint --fix

SECONDS ?= 60
fuzz-parsers:
	scripts/fuzz-parsers $(SECONDS)

MINUTES ?= 10
fuzz:
	scripts/fuzz-device --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

coverage:
	scripts/coverage

check-matrix:
	scripts/check-matrix

valgrind:
	scripts/valgrind

MOST ?= 0
inject:
	scripts/inject --most $(MOST)

modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

userspace: $(BUILD)/build.ninja
	meson compile -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup --prefix=$(PREFIX) -Dtests=disabled $(BUILD) userspace

# The prefix is part of the build (pkg-config), so a new one is told to it.
install: userspace
	meson configure $(BUILD) --prefix=$(PREFIX)
	meson install -C $(BUILD) $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))

clean:
	rm -rf build
	find . -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name Module.symvers -o -name modules.order | xargs -r rm -f

.PHONY: help demo check lint format abi
.PHONY: bench bench-device
.PHONY: fuzz fuzz-parsers inject valgrind coverage check-matrix
.PHONY: modules modules_install userspace install clean
