#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The unbroken kernel: the guard must stay silent whatever the workload does,
# and the workload must reach what it is for.  `run` is the user's `make run`.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# name | workload and options | what it proves
table()
{
	cat <<'END'
silent-mount               | mount                                     | reads of a mount, 1 CPU
silent-meta                | meta                                      | 10,000 puts, 1,000 reads and writes, 100 reclaim releases
silent-meta-smp            | meta smp=2                                | the same with two CPUs
silent-meta-4k             | meta mkfs=-n+4096                         | the same with a node in a single page
silent-meta-64k            | meta mkfs=-n+65536 enough=25              | the same with the largest nodes
silent-reclaim             | reclaim                                   | reads race with reclaim
silent-reclaim-smp         | reclaim smp=2                             | the same with two CPUs
silent-cow-under-writeback | cow_under_writeback throttle=40           | blocks are copied while they are written
silent-write-error         | write_error                               | writes fail, the transaction is aborted, and blocks are read again
silent-bad-log-root        | bad_log_root                              | a read that can't be mapped
silent-stale-lookup        | stale_lookup                              | STALE buffers are found
silent-readahead           | readahead                                 | listing, deletion of snapshots and balance read ahead
silent-remount-cycles      | remount_cycles                            | 20 mounts and unmounts leave no buffer
END
}

# row NAME FIELD
row()
{
	table | awk -F '|' -v name="$1" -v n="$2" '
		{ for (i = 1; i <= NF; i++) gsub(/^ +| +$/, "", $i) }
		$1 == name { print $n }'
}

list()
{
	printf 'run\tmake run: the verdict on the unbroken kernel, and the 2020 bug reported at the first read\n'
	table | sed 's/ *| */|/g' | awk -F '|' '{ print $1 "\tno report on the unbroken kernel: " $3 }'
}

prepare()
{
	kernel guard
	case " $* " in
	*' run '*) kernel mutants ;;
	esac
}

run_run()
{
	"$TOP/tools/run" || fail "make run does not hold"
	"$TOP/tools/run" >"$LOG/second.log" 2>&1 || fail "a second make run does not hold, see $LOG/second.log"
	tail -n 1 "$LOG/second.log"
}

run()
{
	[ "$1" != run ] || { run_run; exit 0; }
	words=$(row "$1" 2)
	[ -n "$words" ] || die "there is no test '$1'"
	# shellcheck disable=SC2086  # a workload and its options
	boot "$LOG" guard $words
	judge_silent "$LOG" || exit 1
	pass "$(figures "$LOG")"
}

case_main list run prepare "$@"
