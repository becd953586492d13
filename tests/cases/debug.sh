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
		debug-toggle 'the same while the guard is turned off and on'
}

prepare() { kernel debug; }

run()
{
	case $1 in
	debug-reclaim | debug-debugfs | debug-toggle) ;;
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
