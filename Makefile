# SPDX-License-Identifier: GPL-2.0
# The front door.  Every recipe is a line or two; the work is in tools/ and tests/.
#
#   BASE=6.1               the kernel to use, a row of BASES
#   KSRC=/path/to/linux    use this tree instead; it is only read
#   EBDEBUG_CACHE=DIR      where sources and builds are kept; default: build/

asked := $(BASE)$(KSRC)
BASE ?= 6.1
HOURS ?= 2
export BASE
export KSRC EBDEBUG_CACHE ROUNDS FSTESTS ARGS BASELINE

help:
	@sed -n 's/^## //p' Makefile

## make run     build a kernel with the guard, see it judge, see it catch the 2020 bug
run:
	@tools/run

## make quick   a verdict on your change in a minute, by User Mode Linux: the first half, KSRC=
##              names your tree of 7.x, and what you changed in a git tree is committed
quick:
	@BASE=$(if $(asked),$(BASE)) tools/run --quick

## make test    what takes an hour with nothing built: tests/sets says what; what has not
##              begun then is skipped; with BASE or KSRC all tests of that one
test:
	@tools/deps $(if $(asked),test-all,test)
	@$(if $(asked),,EBDEBUG_MINUTES=$${EBDEBUG_MINUTES:-55}) tests/run $(if $(asked),,--set test)

## make test-all  all tests of all bases; takes hours, EBDEBUG_SLOW=1 adds the slowest
test-all:
	@for base in $$(sed -n 's/^\([0-9][^ |]*\).*/\1/p' BASES); do BASE=$$base tools/deps test-all || exit; done
	@tests/run --set all

## make fstests  your fstests under the guard: FSTESTS=/path/to/built/fstests
##              ARGS="-g quick" is for its check, BASELINE=y tells what fails without as well;
##              7.x by User Mode Linux, if neither BASE nor KSRC is said
fstests:
	@BASE=$(if $(asked),$(BASE)) tools/fstests

## make perf    what the guard costs, in instructions; ROUNDS=5 for more boots of each kernel
perf:
	@tools/deps test
	@tests/perf/run

## make dose    what longer and longer delays do to an unbroken kernel: half an hour, a picture
dose:
	@tools/deps test
	@tests/dose/run

## make soak    hours of load on an unbroken kernel, two if HOURS does not say how many
soak:
	@tools/deps test-all
	@tests/soak/run "$(HOURS)"

## make model   what spin finds in the model of a buffer's life, for each kernel
model:
	@tools/deps model
	@model/run

## make series  the patches that one would mail, with their cover letter; BASE=7.3
series:
	@tools/series $(BASE)

## make lint    only the style and warning checks
lint:
	@tools/deps test
	@tests/run 'lint*'

## make list    each test with a line on what it proves
list:
	@tests/run --list

## make deps    install what is missing to build, boot and test; no other target has to
deps:
	@tools/deps test-all

## make clean   remove kernel trees, builds and logs; the sources stay
clean:
	@tools/clean

## make distclean   remove the sources as well, and the cache when nothing else is in it
distclean:
	@tools/clean --all

.PHONY: help run quick test test-all fstests perf dose soak model series lint list deps clean distclean
