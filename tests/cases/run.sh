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
silent-meta-subpage        | meta machine=arm64-64k mkfs=-n+16384 smp=2 timeout=500 | the same with four nodes in a page, on arm64
silent-reclaim             | reclaim                                   | reads race with reclaim
silent-reclaim-smp         | reclaim smp=2                             | the same with two CPUs
silent-cow-under-writeback | cow_under_writeback throttle=40           | blocks are copied while they are written
silent-write-error         | write_error                               | writes fail, the transaction is aborted, and blocks are read again
silent-bad-log-root        | bad_log_root                              | a read that can't be mapped
silent-stale-lookup        | stale_lookup                              | STALE buffers are found
silent-readahead           | readahead                                 | listing, deletion of snapshots and balance read ahead
silent-remount-cycles      | remount_cycles                            | 20 mounts and unmounts leave no buffer
silent-snapshots           | snapshots mkfs=-n+4096                    | deleted snapshots are taken apart, also after a mount
silent-balance             | balance smp=2                             | metadata with snapshots is relocated while it changes
silent-qgroups             | qgroups smp=2                             | quotas follow snapshots, relocation and deletion
silent-send                | send smp=2                                | trees are compared and sent while they are relocated
silent-scrub               | scrub smp=2                               | all is verified while it changes; broken copies are repaired
silent-replace             | replace disks=3 smp=2                     | disks are added, replaced and removed while files change
silent-enospc              | enospc size=128M mkfs=-m+single smp=2     | metadata runs out of space and gets some back
silent-pressure            | pressure smp=2                            | tree blocks are reclaimed under a limit of memory
silent-low-memory          | pressure smp=2 available=16 files=1500 rounds=3 | the same while the whole machine is short of memory
silent-mount-cycles        | mount_cycles                              | 200 mounts and unmounts leave no buffer
silent-remount-ro          | remount_ro smp=2                          | read-only and back while files change
silent-nowait              | nowait smp=2                              | the root of a tree can't be locked without waiting
silent-many-tasks          | many_tasks smp=2                          | more tasks than the table has places; those at rest make room
silent-tree-log            | tree_log smp=2                            | logs of changed names are written, walked and freed
END
}

# absent: what a base does not have: base, test, why.
absent()
{
	cat <<'END'
7.x silent-pressure tree blocks are charged to no cgroup; silent-low-memory is the same
7.x silent-meta-subpage a read has no path of its own for blocks that are smaller than a page
6.12 silent-meta-subpage a read has no path of its own for blocks that are smaller than a page
5.10 silent-meta-subpage this kernel only reads file systems whose blocks are smaller than a page
5.10 silent-nowait btrfs refuses buffered writes that must not wait, and never tries a lock of a root
END
}

why_absent() { absent | sed -n "s/^$BASE $1 //p"; }

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
	for name; do
		words=$(row "$name" 2)
		[ -z "$(machine_of "$words")" ] || [ -n "$(why_absent "$name")" ] ||
			prepare_kernel guard "$words"
	done
	case " $* " in
	*' run '*) kernel mutants ;;
	esac
}

# report_complete: the report that make run shows has all that the user's page says.
report_complete()
{
	report=$(report_text "$EBDEBUG_CACHE/log/run/mutated")
	owner='[1-9][0-9]*'
	# There a read is not told of which root it is.
	[ "$BASE" != 5.10 ] || owner=0
	echo "$report" | grep -Eq "rule=io_without_dance start=[1-9][0-9]* level=[0-9] owner=$owner generation=[1-9][0-9]* refs=[23] io_pages=[14] flags=TREE_REF([|][A-Z_]+)*\$" ||
		fail "the facts are not complete: $report"
	reader=$(culprit read_dance)
	echo "$report" | grep -Eq "fsid=[0-9a-f-]{36} armed=$reader submitted=$reader\$" ||
		fail "the sites are missing: $report"
	for event in alloc tree_ref_set insert io_arm io_submit; do
		echo "$report" | grep -Eq " us ago  cpu0 +$event +refs=[123] " || fail "the history lacks $event: $report"
	done
	echo "$report" | grep -Eq " [1-9][0-9]* us ago  cpu0 +alloc " || fail "the ages are not known: $report"
}

# run_run: three in a row; the first may have to build.
run_run()
{
	for turn in 1 2 3; do
		start=$(date +%s)
		"$TOP/tools/run" >"$LOG/run-$turn.log" 2>&1 || fail "make run does not hold, see $LOG/run-$turn.log"
		took=$(($(date +%s) - start))
		grep -q '^1\. Unbroken: .* nothing was reported' "$LOG/run-$turn.log" || fail "half 1 is not told"
		grep -q '^2\. With the 2020 bug: reported at the first metadata read' "$LOG/run-$turn.log" || fail "half 2 is not told"
		[ "$turn" = 1 ] || [ "$took" -lt 60 ] || fail "run $turn took $took s"
		report_complete
	done
	pass "three times, the last in $took s"
}

# all_judged: silence says something of every rule that this base judges; a stale buffer
# is found in a workload of its own.
all_judged()
{
	decided_by "$BASE" >"$LOG/decided" || fail "what the sources say of $BASE is not understood"
	while read -r rule _ word; do
		case $rule/$word in
		*/'not judged' | stale_lookup_unlocked/*) continue ;;
		esac
		count=$(told "$LOG" "judged_$rule")
		[ "${count:-0}" -gt 0 ] || fail "rule $rule was never judged"
	done <"$LOG/decided"
}

# subpage_judged: the sites that only a page of more than one node has.
subpage_judged()
{
	for what in io_without_dance/read_subpage tree_ref_cleared_under_io/release_subpage; do
		count=$(judged_at "${what%/*}" "${what#*/}")
		[ "${count:-0}" -gt 0 ] || fail "${what%/*} was never judged at ${what#*/}"
	done
}

# judged_at RULE SITE: how often, as the coverage tells.
judged_at() { awk -v rule="$1" -v site="$2" '$1 == "coverage" && $2 == rule && $3 == site { print $4 }' "$LOG/verdict.log"; }

run()
{
	[ "$1" != run ] || { run_run; exit 0; }
	words=$(row "$1" 2)
	[ -n "$words" ] || die "there is no test '$1'"
	why=$(why_absent "$1")
	[ -z "$why" ] || skip "$why"
	need_machine "$words"
	# shellcheck disable=SC2086  # a workload and its options
	boot "$LOG" guard $words
	# The accounts of an aborted transaction, see EXPECTED_SPLATS.
	expected=
	[ "$BASE/$1" != 5.10/silent-write-error ] || expected=$EXPECTED_SPLATS
	judge_silent "$LOG" on "$expected" || exit 1
	[ "$1" != silent-meta ] || all_judged
	[ "$1" != silent-meta-subpage ] || subpage_judged
	pass "$(figures "$LOG")"
}

case_main list run prepare "$@"
