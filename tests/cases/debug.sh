#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guard in the kernel that btrfs developers test with: lockdep, sleep in
# atomic context, slab and list checks, btrfs's assertions, leak list and
# self-tests.  None of them may have a word about the guard, nor the guard.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		debug-reclaim 'a kernel with lockdep and all checks says nothing, reclaim with two CPUs' \
		debug-debugfs 'the same while debugfs is read through load, unmount and mount' \
		debug-toggle 'the same while the guard is turned off and on' \
		debug-report 'reports printed under refs_lock, under page locks and in irq context: no other check has a word'
}

prepare() { kernel debug; }

# report MUTANT WORKLOAD RULE FUNCTION
report()
{
	boot "$LOG/$1" debug "$2" timeout=300 "btrfs.eb_mutant=$1"
	judge_reported "$LOG/$1" "$3" "$4" - || exit 1
	judge_ended "$LOG/$1" || exit 1
	[ -z "$(trouble "$LOG/$1")" ] || fail "beside the report: $(trouble "$LOG/$1" | head -n 3)"
}

all_reports()
{
	report read_dance mount io_without_dance read_extent_buffer_pages
	report clear_unlocked reclaim tree_ref_cleared_unlocked try_release_extent_buffer
	report writeback_early mount writeback_cleared_early end_bio_extent_buffer_writepage
	pass "3 reports"
}

run()
{
	case $1 in
	debug-reclaim | debug-debugfs | debug-toggle) ;;
	debug-report) all_reports ;;
	*) die "there is no test '$1'" ;;
	esac
	boot "$LOG" debug "${1#debug-}" smp=2 timeout=300
	judge_silent "$LOG" || exit 1
	clean "$LOG/console.log" | grep -q 'selftest: running extent buffer operation tests' ||
		fail "the self-tests of btrfs did not run"
	clean "$LOG/console.log" | grep -q 'turning off the locking correctness validator' &&
		fail "lockdep gave up"
	pass "$(figures "$LOG")"
}

case_main list run prepare "$@"
