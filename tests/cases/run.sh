#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The unbroken kernel: the guard must stay silent whatever the workload does,
# and the workload must reach what it is for.  `run` is the user's `make run`.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# What a verdict on a change of one file may take, in seconds.
QUICK=90

# name | workload and options | what it proves
table()
{
	cat <<'END'
silent-mount               | mount                                     | reads of a mount, 1 CPU
silent-meta                | meta                                      | 10,000 puts, 1,000 reads and writes, 100 reclaim releases
silent-meta-smp            | meta smp=2                                | the same with two CPUs
silent-meta-4k             | meta mkfs=-n+4096                         | the same with a node in a single page
silent-meta-8k             | meta mkfs=-n+8192                         | the same with two pages in a node
silent-meta-32k            | meta mkfs=-n+32768 enough=50              | the same with eight pages in a node
silent-meta-64k            | meta mkfs=-n+65536 enough=25              | the same with the largest nodes
silent-meta-subpage        | meta machine=arm64-64k mkfs=-n+16384 smp=2 timeout=500 | the same with four nodes in a page, on arm64
silent-meta-mixed          | meta mkfs=-M+-n+4096                      | the same with data and metadata in the same block groups
silent-meta-compress       | meta mount=compress-force=zstd            | the same with all that is written compressed
silent-meta-zoned          | meta config=zoned zoned=4 mem=2048 smp=2  | the same where tree blocks are written in order only, to zones
silent-meta-um             | meta machine=um                           | the same by User Mode Linux, which has no static keys
silent-meta-um-smp         | meta machine=um smp=2                     | the same with two CPUs
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
silent-send-compress       | send mount=compress-force=lzo smp=2       | the same with compressed data
silent-scrub               | scrub smp=2                               | all is verified while it changes; broken copies are repaired
silent-raid1               | raid1 disks=2 together=y mkfs=-m+raid1+-d+raid1 smp=2 | of two disks one fails at times, and reads go to the other
silent-balance-zoned       | balance config=zoned zoned=4 mem=2048 smp=2 | relocation, as zones are made free
silent-snapshots-zoned     | snapshots config=zoned zoned=4 mem=2048 mkfs=-n+4096 | snapshots are taken apart there
silent-replace             | replace disks=3 smp=2                     | disks are added, replaced and removed while files change
silent-enospc              | enospc size=128M mkfs=-m+single smp=2     | metadata runs out of space and gets some back
silent-pressure            | pressure smp=2                            | tree blocks are reclaimed under a limit of memory
silent-low-memory          | pressure smp=2 available=16 files=1500 rounds=3 | the same while the whole machine is short of memory
silent-mount-cycles        | mount_cycles                              | 200 mounts and unmounts leave no buffer
silent-remount-ro          | remount_ro smp=2                          | read-only and back while files change
silent-killed              | killed smp=2                              | tasks are killed, and what they had open goes while they end
silent-nowait              | nowait smp=2 timeout=200                  | the root of a tree can't be locked without waiting
silent-many-tasks          | many_tasks smp=2                          | more tasks than the table has places; those at rest make room
silent-tree-log            | tree_log smp=2                            | logs of changed names are written, walked and freed
END
}

# absent: what a base does not have: base, test, why.
absent()
{
	cat <<'END'
7.x silent-pressure tree blocks are charged to no cgroup; silent-low-memory is the same
5.10 silent-meta-subpage this kernel only reads file systems whose blocks are smaller than a page
7.x silent-balance-zoned there a balance of metadata ends with EAGAIN, with the guard off as well
5.10 silent-meta-zoned btrfs knows no zones in this kernel
5.10 silent-balance-zoned btrfs knows no zones in this kernel
5.10 silent-snapshots-zoned btrfs knows no zones in this kernel
5.10 silent-nowait btrfs refuses buffered writes that must not wait, and never tries a lock of a root
END
}

why_absent() { absent | sed -n "s/^$BASE $1 //p"; }

list()
{
	printf 'run\tmake run: the verdict on the unbroken kernel, and the 2020 bug reported at the first read\n'
	printf 'quick\tmake quick: the verdict on a change in a tree of the user, within %s s\n' "$QUICK"
	table | sed 's/ *| */|/g' | awk -F '|' '{ print $1 "\tno report on the unbroken kernel: " $3 }'
}

prepare()
{
	for name; do
		words=$(row "$name" 2)
		if [ "$name" = run ]; then
			printf '%s\n' guard mutants
		elif [ "$name" = quick ]; then
			echo guard machine=um
		elif [ -z "$(why_absent "$name")" ]; then
			echo "$(config_of guard "$words") machine=$(machine_of "$words")"
		fi
	done | sort -u | while read -r config machine; do
		prepare_kernel "$config" "$machine"
	done
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
		# How long it takes depends on what else this machine does.
		[ "$turn" = 1 ] || ! grep -q '^build: ' "$LOG/run-$turn.log" ||
			fail "run $turn builds what is there, see $LOG/run-$turn.log"
		report_complete
	done
	pass "three times, the last in $took s"
}

# verdict_on FILE SED WORDS STATUS: a change in the user's tree, and what is said of it, in
# time.
verdict_on()
{
	cp "$user/$1" "$LOG/before"
	sed -i "$2" "$user/$1"
	! cmp -s "$user/$1" "$LOG/before" || fail "the change '$2' changes nothing"
	start=$(date +%s)
	status=0
	KSRC=$user "$TOP/tools/run" --quick >"$LOG/quick.log" 2>&1 || status=$?
	took=$(($(date +%s) - start))
	[ "$status" -eq "$4" ] || { tail -n 20 "$LOG/quick.log"; fail "status $status after '$2'"; }
	grep -q "$3" "$LOG/quick.log" || { tail -n 20 "$LOG/quick.log"; fail "'$3' is not said"; }
	[ "$took" -le $QUICK ] || fail "the verdict took $took s"
	told_took="${told_took:+$told_took, }$took s"
}

quick()
{
	need_machine machine=um
	user=$LOG/linux
	cp -al "$("$TOP/tools/source" "$BASE")" "$user"
	# The first time all is compiled.
	KSRC=$user "$TOP/tools/run" --quick >"$LOG/first.log" 2>&1 || { tail -n 20 "$LOG/first.log"; fail "an unchanged tree"; }
	# shellcheck disable=SC2016  # for sed
	verdict_on fs/btrfs/ctree.c '$s|$|\n/* The end. */|' 'nothing was reported' 0
	verdict_on fs/btrfs/extent_io.c '/eb->read_mirror = 0;/{n;/check_buffer_tree_ref(eb);/d}' '^  | BTRFS eb_debug: rule=io_without_dance' 1
	rm -rf "$user"
	pass "$told_took"
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

# subpage_judged: the sites that only a page of more than one node has; a read is one only
# where it has a function of its own.
subpage_judged()
{
	while read -r rule site name; do
		grep -q "eb_debug_.*$name" "$TOP/patches/$BASE"/*.patch || continue
		count=$(judged_at "$rule" "$site")
		[ "${count:-0}" -gt 0 ] || fail "$rule was never judged at $site"
	done <<'END'
io_without_dance read_subpage EB_SITE_READ_SUBPAGE
tree_ref_cleared_under_io release_subpage EB_SITE_RELEASE_SUBPAGE
END
}

# judged_at RULE SITE: how often, as the coverage tells.
judged_at() { awk -v rule="$1" -v site="$2" '$1 == "coverage" && $2 == rule && $3 == site { print $4 }' "$LOG/verdict.log"; }

# more_tasks: than the guard's table has places, or nobody had to make room.
more_tasks()
{
	places=$(sed -n 's/^#define EB_TASKS[[:blank:]]*//p' "$TOP/fs/btrfs/eb_debug_internal.h")
	tasks=$(awk '$1 == "check" && $2 == "tasks" { print $3 }' "$LOG/verdict.log")
	[ "$tasks" -gt "$places" ] || fail "$tasks tasks, and the table has $places places"
}

run()
{
	case $1 in
	run) run_run ;;
	quick) quick ;;
	esac
	words=$(row "$1" 2)
	[ -n "$words" ] || die "there is no test '$1'"
	why=$(why_absent "$1")
	[ -z "$why" ] || skip "$why"
	need_machine "$words"
	# shellcheck disable=SC2086  # a workload and its options
	boot "$LOG" "$(config_of guard "$words")" $words
	expected=
	case $BASE/$1 in
	# The accounts of an aborted transaction, see EXPECTED_SPLATS.
	5.10/silent-write-error) expected=$EXPECTED_SPLATS ;;
	*/silent-*-zoned) expected=$ZONED_SPLATS ;;
	esac
	judge_silent "$LOG" on "$expected" || exit 1
	case " $words" in
	*' zoned='*) clean "$LOG/console.log" | grep -q 'zoned mode enabled' || fail "the file system is not zoned" ;;
	esac
	[ "$1" != silent-meta ] || all_judged
	[ "$1" != silent-meta-subpage ] || subpage_judged
	[ "$1" != silent-many-tasks ] || more_tasks
	pass "$(figures "$LOG")"
}

case_main list run prepare "$@"
