#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guard's KUnit tests: legal and illegal sequences for every rule, judged
# without a disk.  The last of them makes the guard find a mistake of its own, and turns it
# on again.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		kunit 'every rule judges its legal and its illegal sequences right, without a disk' \
		kunit-um 'the same by User Mode Linux, which has no static keys' \
		kunit-distrust 'a check inside the guard that fails turns it off, with a word that no log checker takes for a bug'
}

prepare()
{
	case " $* " in
	*' kunit '* | *' kunit-distrust '*) kernel kunit ;;
	esac
	case " $* " in
	*' kunit-um '*) prepare_kernel kunit machine=um ;;
	esac
}

# booted [WORD]...: a boot that has run the suite.
booted()
{
	boot "$LOG" kunit mount "$@"
	judge_ended "$LOG" || exit 1
	[ -z "$(trouble "$LOG")" ] || fail "the console has a warning: $(trouble "$LOG" | head -n 3)"
	clean "$LOG/console.log" >"$LOG/clean.log"
}

suite()
{
	booted "$@"
	# Older kernels have a dash between number and name.
	cases=$(grep -cE '^\s*ok [0-9]+ (- )?eb_test_' "$LOG/clean.log" || :)
	want=$(grep -c '^[[:space:]]KUNIT_CASE(' "$TOP/fs/btrfs/eb_debug_kunit.c")
	grep -qE '^ok [0-9]+ (- )?btrfs_eb_debug$' "$LOG/clean.log" ||
		fail "the suite did not pass: $(grep -E 'not ok|EXPECTATION|_kunit.c' "$LOG/clean.log" | head -n 5)"
	[ "$cases" = "$want" ] || fail "$cases cases passed, there are $want"
	sequences=$(grep -cE '^[[:space:]](LEGAL|ILLEGAL)\(' "$TOP/fs/btrfs/eb_debug_kunit.h")
	pass "$cases cases, $sequences sequences"
}

distrust()
{
	booted
	line=$(grep 'the guard is turned off, its own check failed' "$LOG/clean.log") ||
		fail "the guard did not say that it turned itself off"
	echo "$line" | grep -qE 'BUG:|WARNING:' && fail "'$line' looks like a bug of the kernel"
	grep -qE '^[[:space:]]*ok [0-9]+ (- )?eb_test_distrust$' "$LOG/clean.log" || fail "it was not off after that"
	[ "$(told "$LOG" on)" = 1 ] || fail "the guard is off for good"
	[ "$(told "$LOG" reports)" = 0 ] || fail "the guard blamed somebody"
	pass "$line"
}

run()
{
	case $1 in
	kunit) suite ;;
	kunit-um)
		need_machine machine=um
		suite machine=um ;;
	kunit-distrust) distrust ;;
	esac
}

case_main list run prepare "$@"
