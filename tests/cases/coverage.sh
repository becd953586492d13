#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# How much of the guard do its tests execute, by lines and by branches?  Counted by gcov in
# User Mode Linux, over some boots of one kernel: its KUnit tests, and what workloads reach.
# What is never executed must stand in tests/coverage.known, with the reason.
#
# Of fs/btrfs/eb_debug* all is counted that this kernel has, but the KUnit tests themselves.
# On x86-64 eb_debug_stack.c has a way of its own, which is not in it.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

CONFIG=mutants-points+coverage
MACHINE=machine=um
KNOWN=$TOP/tests/coverage.known

# At least so many of a hundred must be executed, or taken.  Of the branches that are left
# most are of races, of interrupts, of memory that can't be had at boot, and of kernels that
# are otherwise; the log has them all.  Some are taken by chance, so that it is 95.2 one
# time and a little less another.
LINES=95
BRANCHES=94

# All events of btrfs are traced from the start; a part of a name is not taken here.
EVENTS='trace_event=btrfs:*'

# name | how it ends | workload and options.  "silent", "off": no report; a rule: that is
# reported first, and nothing else but a second one that stands behind it.
table()
{
	cat <<'END_TABLE'
kunit    | kunit  | mount
off      | off    | remount_cycles rounds=2 btrfs.eb_debug=off
history  | silent | meta smp=2 btrfs.eb_debug=history btrfs.eb_debug_coverage=1
debugfs  | silent | debugfs rounds=4 smp=2
toggle   | silent | toggle smp=2 level=stacks rounds=200
points   | silent | points mkfs=-n+4096 timeout=200
schedule | tree_ref_cleared_under_io | write_root size=128M mkfs=-n+4096+-m+single smp=2 refusals=100 timeout=200
garbage  | silent | garbage seconds=1 smp=2
trace    | silent | trace
told     | off    | trace btrfs.eb_debug=off
tasks    | silent | many_tasks smp=2
enomem   | silent | enomem part=guard want=70 timeout=150 btrfs.eb_debug=stacks
no_pages | silent | no_pages level=no
shutdown | silent | shutdown
poor     | silent | mount stack_depot_disable=on btrfs.eb_debug=stacks
rearm    | io_without_dance | rearm btrfs.eb_mutant=read_dance
freeze   | io_without_dance | freeze btrfs.eb_debug=history
foreign  | put_without_reference | mount btrfs.eb_mutant=put_foreign
owned    | freed_owned | mount btrfs.eb_mutant=free_owned
path     | put_without_reference | meta rounds=10 btrfs.eb_mutant=put_path_node
leak     | left_by_task | meta rounds=10 btrfs.eb_mutant=del_items
unmount  | buffer_leaked | balance smp=2 btrfs.eb_mutant=reloc_node btrfs.eb_debug=stacks
traced   | silent | meta rounds=10 smp=2 EVENTS
untold   | off    | meta rounds=10 smp=2 EVENTS btrfs.eb_debug=off
killed   | silent | killed smp=2
send     | silent | send smp=2 EVENTS
failed   | write_on_failed_fs | shutdown btrfs.eb_mutant=write_failed_fs EVENTS
locked   | freed_locked | reclaim btrfs.eb_mutant=free_locked EVENTS
listed   | freed_on_list | reclaim btrfs.eb_mutant=free_on_list EVENTS
repaired | silent | mount btrfs.eb_mutant=lost_before_dance EVENTS
extra    | put_without_reference | readahead btrfs.eb_mutant=put_extra EVENTS
in_path  | left_in_path | meta rounds=10 btrfs.eb_mutant=path_node
unlocked | put_locked | reclaim btrfs.eb_mutant=put_locked
many     | left_by_task buffer_leaked | readahead btrfs.eb_mutant=leak btrfs.eb_mutant_again=1 btrfs.eb_debug=history
END_TABLE
}

list()
{
	[ "$BASE" = 7.x ] || return 0
	printf '%s\t%s\n' \
		coverage "of the guard's lines and branches $LINES and $BRANCHES % are executed by its tests, and it is known why the rest is not" \
		coverage-can-fail 'KUnit alone is too little, and what is missing is named'
}

prepare() { prepare_kernel "$CONFIG" "$MACHINE"; }

# faults NAME: what the kernel is told where allocations fail.
faults() { case $(row "$1" 3) in enomem*) echo "$FAULT_CACHES ignore_loglevel" ;; esac; }

# blamed_in NAME: the function that its report must name.
blamed_in()
{
	case $1 in
	schedule) echo try_release_extent_buffer ;;
	freeze) culprit read_dance ;;
	*) culprit "$(row "$1" 3 | tr ' ' '\n' | sed -n 's/^btrfs.eb_mutant=//p')" ;;
	esac
}

# judge NAME
judge()
{
	end=$(row "$1" 2)
	case $end in
	kunit)
		clean "$LOG/$1/console.log" | grep -qE '^ok [0-9]+ (- )?btrfs_eb_debug$' ||
			{ wrong "$LOG/$1" "the KUnit suite did not pass"; return 1; }
		judge_ended "$LOG/$1" ;;
	silent) judge_silent "$LOG/$1" on "$EXPECTED_SPLATS" ;;
	off) judge_silent "$LOG/$1" off ;;
	*)
		also=${end#* }
		[ "$also" != "$end" ] || also=-
		judge_reported "$LOG/$1" "${end%% *}" "$(blamed_in "$1")" "$also" &&
		judge_ended "$LOG/$1" ;;
	esac
}

# counted NAME...: boots these, whose counts are added up in $counts.  What a kernel counts
# it writes to the path of its objects, below GCOV_PREFIX.
counted()
{
	image=$(kernel "$CONFIG" um) || fail "the kernel could not be built"
	obj=$(dirname "$image")
	counts=$LOG/counts$obj/fs/btrfs
	for name; do
		enable=1
		[ "$name" = kunit ] || enable=0
		# shellcheck disable=SC2046  # a workload and its options
		GCOV_PREFIX=$LOG/counts boot "$LOG/$name" "$CONFIG" \
			$(row "$name" 3 | sed "s/EVENTS/$EVENTS/") $(faults "$name") \
			"$MACHINE" "kunit.enable=$enable"
		judge "$name" || exit 1
		[ -e "$counts/eb_debug.gcda" ] || fail "the kernel has left no counts"
	done
	for gcda in "$counts"/*.gcda; do
		ln -sf "$obj/fs/btrfs/$(basename "$gcda" .gcda).gcno" "$counts"
	done
	(cd "$obj" && gcov -b -c -t "$counts"/*.gcda) >"$LOG/gcov" 2>"$LOG/gcov.err" || fail "gcov: $(cat "$LOG/gcov.err")"
}

# judged KNOWN OUTPUT
judged() { awk -v lines=$LINES -v branches=$BRANCHES -f "$TOP/tests/coverage.awk" "$1" "$LOG/gcov" >"$2"; }

coverage()
{
	# shellcheck disable=SC2046  # names
	counted $(table | sed 's/ .*//')
	judged "$KNOWN" "$LOG/coverage" || {
		grep -E '^wrong: |^[a-z_.]+ +[0-9]+ of ' "$LOG/coverage"
		fail "see $LOG/coverage"
	}
	grep -E '^[a-z_.]+ +[0-9]+ of ' "$LOG/coverage"
	pass "$(table | wc -l) boots, $(sed -n 's/^all *//p' "$LOG/coverage" | tr -s ' ')"
}

can_fail()
{
	counted kunit
	# The core is what KUnit is for.
	{ cat "$KNOWN"; echo 'eb_debug.c | judge | never 1 | a reason'; } >"$LOG/known"
	! judged "$LOG/known" "$LOG/coverage" || fail "KUnit alone is enough"
	for words in 'of the lines' 'of the branches' 'eb_debug_who.c dump_buffer() were never' \
		'all of eb_debug.c judge() was executed'; do
		grep "^wrong: " "$LOG/coverage" | grep -qF "$words" || fail "'$words' is not said, see $LOG/coverage"
	done
	pass "$(sed -n 's/^all *//p' "$LOG/coverage" | tr -s ' ')"
}

run()
{
	need_machine "$MACHINE"
	have gcov || fail "there is no gcov; it comes with gcc"
	case $1 in
	coverage) coverage ;;
	coverage-can-fail) can_fail ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
