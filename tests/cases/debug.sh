#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guard in the kernels that btrfs developers test with: lockdep, sleep in
# atomic context, slab and list checks, btrfs's assertions, leak list and
# self-tests; the address sanitizer with the search for lost memory; the detector
# of data races.  None of them may have a word about the guard, nor the guard.
#
# The kernels of the sanitizers take long to build and to boot.  Two tests with the
# address sanitizer are run where they are asked for, the others are skipped unless
# EBDEBUG_SLOW=1 is set.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# The guard with all that it can record, which is what needs memory and others' eyes.
STACKS=btrfs.eb_debug=stacks

list()
{
	printf '%s\t%s\n' \
		debug-reclaim 'a kernel with lockdep and all checks says nothing, reclaim with two CPUs' \
		debug-debugfs 'the same while debugfs is read through load, unmount and mount' \
		debug-toggle 'the same while the guard is turned off and on' \
		debug-points 'the same while each point delays and refuses: none sleeps where it must not' \
		debug-report 'reports printed under refs_lock, under page locks and in irq context: no other check has a word' \
		debug-rt-reclaim 'the first with real-time preemption' \
		debug-rt-debugfs 'debug-debugfs with real-time preemption: what is called under the raw lock of the list does not sleep' \
		debug-rt-points 'each point with real-time preemption' \
		debug-rt-report 'those reports with real-time preemption' \
		debug-kasan-reclaim 'KASAN says nothing at level stacks, reclaim with two CPUs' \
		debug-kasan-balance 'the same while trees are relocated' \
		debug-kasan-enomem 'the same while each allocation fails once, in a new subvolume' \
		debug-kasan-debugfs 'the same while debugfs is read through load, unmount and mount' \
		debug-kasan-toggle 'the same while the guard is turned off and on' \
		debug-kmemleak 'kmemleak finds what a module has lost, and nothing of the guard after unmounts' \
		debug-kcsan 'KCSAN finds no data race in the guard: reclaim, debugfs, on and off'
}

prepare()
{
	case " $* " in
	*' debug-reclaim '* | *' debug-debugfs '* | *' debug-toggle '* | *' debug-points '* | *' debug-report '*) kernel debug ;;
	esac
	case " $* " in
	*' debug-rt-'*) ! real_time || kernel debug+debug-rt ;;
	esac
	case " $* " in
	*' debug-kasan-reclaim '* | *' debug-kmemleak '*) kernel kasan ;;
	*' debug-kasan-'*) [ "${EBDEBUG_SLOW:-}" != 1 ] || kernel kasan ;;
	esac
	case " $* " in
	*' debug-kcsan '*) [ "${EBDEBUG_SLOW:-}" != 1 ] || kernel kcsan ;;
	esac
}

# real_time: does this kernel have real-time preemption on this machine?
real_time() { grep -q 'select ARCH_SUPPORTS_RT' "$("$TOP/tools/tree" "$BASE" pristine)/arch/x86/Kconfig"; }

# debug_config TEST: which kernel of the debug-* that do not name a sanitizer.
debug_config()
{
	case $1 in
	debug-rt-*) echo debug+debug-rt ;;
	*) echo debug ;;
	esac
}

# report MUTANT WORKLOAD RULE FUNCTION
report()
{
	boot "$LOG/$1" "$debug" "$2" timeout=300 "btrfs.eb_mutant=$1"
	judge_reported "$LOG/$1" "$3" "$4" - || exit 1
	judge_ended "$LOG/$1" || exit 1
	[ -z "$(trouble "$LOG/$1")" ] || fail "beside the report: $(trouble "$LOG/$1" | head -n 3)"
}

all_reports()
{
	report read_dance mount io_without_dance "$(culprit read_dance)"
	report clear_unlocked reclaim tree_ref_cleared_unlocked try_release_extent_buffer
	# From the end of an IO.
	if [ -n "$(culprit writeback_early)" ]; then
		report writeback_early mount writeback_cleared_early "$(culprit writeback_early)"
	else
		report end_no_tree_ref mount io_end_without_tree_ref "$(culprit end_no_tree_ref)"
	fi
	pass "3 reports"
}

# --- the checkers were on ---------------------------------------------------

# said DIR LINE: the kernel has said this, a regular expression.
said() { clean "$1/console.log" | grep -Eq "^$2"; }

# our_objects CONFIG: the guard's object files in that kernel, in the cache.
our_objects() { find "$(obj_of "$1")/fs/btrfs" -name 'eb_debug*.o'; }

# obj_of CONFIG: where that kernel was built.
obj_of() { dirname "$(kernel "$1" 2>/dev/null)" | sed 's|/arch/x86/boot$||'; }

# instrumented CONFIG PREFIX: each of the guard's files calls the checker.
instrumented()
{
	our_objects "$1" >"$LOG/objects"
	[ -s "$LOG/objects" ] || fail "the guard is not in the kernel $1"
	while read -r object; do
		nm -u "$object" | grep -q " $2" || fail "${object##*/} has no call of $2*: nothing in it is checked"
	done <"$LOG/objects"
}

# at_level_stacks DIR: to the end of the boot.
at_level_stacks()
{
	[ "$(told "$1" level)" = stacks ] || fail "the guard is at level '$(told "$1" level)', not at stacks"
}

# --- KASAN and kmemleak -----------------------------------------------------

# kasan EXPECTED WORKLOAD [WORD]...: one boot that is silent but for what is EXPECTED.
kasan()
{
	expected=$1
	shift
	boot "$LOG" kasan "$@" mem=1024 timeout=300 $STACKS
	judge_silent "$LOG" on "$expected" || exit 1
	said "$LOG" 'kasan: KernelAddressSanitizer initialized' || fail "KASAN was not on"
	said "$LOG" 'kmemleak: (Kernel memory leak detector disabled|.*[Oo]ut of memory)' && fail "kmemleak gave up"
	instrumented kasan __asan_
	at_level_stacks "$LOG"
}

run_kasan()
{
	case $1 in
	debug-kasan-reclaim) kasan '' reclaim smp=2 ;;
	debug-kasan-balance) kasan '' balance smp=2 rounds=1 ;;
	debug-kasan-enomem)
		# All operations take minutes here; this one aborts a transaction in most turns.
		kasan "$EXPECTED_SPLATS" enomem part=trees only=subvol want=100 "$FAULT_CACHES" ignore_loglevel ;;
	debug-kasan-debugfs) kasan '' debugfs smp=2 ;;
	debug-kasan-toggle) kasan '' toggle smp=2 thread=single level=stacks ;;
	*) die "there is no test '$1'" ;;
	esac
	pass "$(judgements "$LOG"), $(figures "$LOG")"
}

# judgements DIR: how often a rule was judged.
judgements()
{
	awk '$1 == "stat" && $2 ~ /^judged_/ { n += $3 } END { print n + 0, "judgements" }' "$1/verdict.log"
}

# lost DIR: for each object that kmemleak has found, whose it is, by the functions
# that its memory was taken in: ours, the module's that is there for that, or others'.
# The module's own function is gone by then, and has no name.
lost()
{
	sed -n 's/^kmemleak //p' "$1/verdict.log" | awk '
		function tell() { if (whose != "") print whose; whose = "" }
		/^unreferenced object/ { tell(); whose = "other" }
		# Newer kernels print no address before the function.
		/^ +(\[<.*>\] )?[a-z_0-9.]*(btrfs_eb_|eb_debug)[a-z_0-9.]*\+0x/ { whose = "ours" }
		/^ +(\[<.*>\] )?do_init_module\+0x/ && whose == "other" { whose = "module" }
		END { tell() }'
}

kmemleak()
{
	boot "$LOG" kasan kmemleak mem=1024 timeout=300 $STACKS
	judge_silent "$LOG" || exit 1
	said "$LOG" 'kmemleak: Kernel memory leak detector initialized' || fail "kmemleak was not on"
	at_level_stacks "$LOG"
	lost "$LOG" >"$LOG/lost"
	ours=$(grep -c ours "$LOG/lost" || :)
	module=$(grep -c module "$LOG/lost" || :)
	others=$(grep -c other "$LOG/lost" || :)
	[ "$ours" -eq 0 ] || fail "$ours objects of the guard are lost, see $LOG/verdict.log"
	[ "$module" -ge 5 ] || fail "only $module of the objects that a module has lost were found"
	pass "0 objects of the guard lost, $module of the module that loses some, $others of others; $(judgements "$LOG")"
}

# --- KCSAN ------------------------------------------------------------------

# races DIR: the functions of each report, those in which the two accesses stand.
# There is only one if the other access is of code that KCSAN does not see.
races()
{
	clean "$1/console.log" | sed -n 's/^BUG: KCSAN: [a-z: -]* in //p' |
		sed 's/ \[btrfs\]//g; s|+0x[0-9a-f]*/0x[0-9a-f]*||g; s| / | |'
}

# our_races DIR: those in which one of the functions is the guard's.
our_races()
{
	our_objects kcsan | xargs nm | awk '$2 ~ /^[tT]$/ { print $3 }' | sort -u >"$LOG/functions"
	races "$1" | awk 'NR == FNR { ours[$1]; next } ($1 in ours) || ($2 in ours)' "$LOG/functions" -
}

# An access is watched for so long, in microseconds, and one in so many is: an emulated
# CPU may not run at all for the time that is usual.
WATCH='kcsan.udelay_task=1000 kcsan.skip_watch=1000'

# kcsan WORKLOAD [WORD]...: one boot; races inside btrfs are known, and only counted.
kcsan()
{
	dir=$LOG/$1
	# shellcheck disable=SC2086  # words
	boot "$dir" kcsan "$@" smp=2 timeout=300 $STACKS $WATCH
	judge_no_report "$dir" && judge_ended "$dir" && judge_guard "$dir" || exit 1
	at_level_stacks "$dir"
	said "$dir" 'kcsan: enabled early' || fail "KCSAN was not on"
	said "$dir" 'kcsan: selftest: ([0-9]+)/\1 tests passed' || fail "KCSAN's self-tests did not pass"
	watched=$(awk '$1 == "kcsan" && $2 == "setup_watchpoints" { print $3 }' "$dir/verdict.log")
	[ "${watched:-0}" -ge 1000 ] || fail "KCSAN has watched only ${watched:-0} accesses"
	found=$(trouble "$dir" | grep -v '^BUG: KCSAN: ' | head -n 3)
	[ -z "$found" ] || fail "the console has a warning: $found"
	[ "$(races "$dir" | wc -l)" -eq "$(grep -c 'BUG: KCSAN: ' "$dir/console.log")" ] ||
		fail "not all reports of KCSAN were understood, see $dir/console.log"
	found=$(our_races "$dir")
	[ -z "$found" ] || fail "data races in the guard, see $dir/console.log: $(echo "$found" | tr '\n' ';')"
	told_races="${told_races:-}${told_races:+, }$1 $watched accesses watched, $(races "$dir" | wc -l) foreign reports, $(judgements "$dir")"
}

run_kcsan()
{
	kcsan reclaim rounds=10
	instrumented kcsan __tsan_
	kcsan debugfs rounds=3
	kcsan toggle level=stacks rounds=200 thread=single
	pass "$told_races"
}

# lockdep N: what the guest has told of lockdep, "N FIGURE".
lockdep() { awk -v what="$1" '$1 == "lockdep" && $2 == what { print $3 }' "$LOG/verdict.log"; }

# judge_lockdep: no lock of the guard is taken while a tree block is locked, and its locks
# make lockdep remember next to nothing.
judge_lockdep()
{
	[ "$(lockdep with_tree_locks)" -ge 100 ] ||
		fail "lockdep knows only $(lockdep with_tree_locks) chains with a tree lock"
	[ "$(lockdep ours)" -ge 1 ] || fail "lockdep knows no lock of the guard"
	[ "$(lockdep below_tree_locks)" -eq 0 ] ||
		fail "locks of the guard below tree locks: $(sed -n 's/^lockdep_below //p' "$LOG/verdict.log" | sort -u)"
	[ $(($(lockdep ours) * 100)) -le "$(lockdep chains)" ] ||
		fail "$(lockdep ours) of lockdep's $(lockdep chains) chains are the guard's"
	echo "$(lockdep ours) of $(lockdep chains) chains of lockdep with a lock of ours"
}

# checked WORKLOAD WORD...: one boot of that kernel; no check may have a word.
checked()
{
	boot "$LOG" "$debug" "$@" timeout=300
	judge_silent "$LOG" || exit 1
	clean "$LOG/console.log" | grep -q 'selftest: running extent buffer operation tests' ||
		fail "the self-tests of btrfs did not run"
	clean "$LOG/console.log" | grep -q 'turning off the locking correctness validator' &&
		fail "lockdep gave up"
	[ "$debug" = debug ] || said "$LOG" 'Linux version .* PREEMPT_RT ' || fail "this is no real-time kernel"
	if [ "$1" = points ]; then
		# What holds up tasks for tests has a lock wherever a point is.
		judge_points "$LOG" || exit 1
		pass "$(figures "$LOG")"
	fi
	locks=$(judge_lockdep) || fail "${locks#failed: }"
	pass "$(figures "$LOG"), $locks"
}

run()
{
	debug=$(debug_config "$1")
	case $1 in
	debug-kasan-reclaim | debug-kmemleak) ;;
	debug-kasan-* | debug-kcsan)
		[ "${EBDEBUG_SLOW:-}" = 1 ] ||
			skip "its kernel takes long to build and to boot; EBDEBUG_SLOW=1 runs it" ;;
	debug-rt-*) real_time || skip "$BASE has no real-time preemption on this machine" ;;
	esac
	case $1 in
	debug-kasan-*) run_kasan "$1" ;;
	debug-kmemleak) kmemleak ;;
	debug-kcsan) run_kcsan ;;
	debug-report | debug-rt-report) all_reports ;;
	# With btrfs's assertions each stack that is remembered is unwound once more.
	debug-toggle) checked toggle smp=2 thread=single ;;
	# Delays widen the race that btrfs has, if there are two CPUs.
	debug-points | debug-rt-points) checked points mkfs=-n+4096 $STACKS ;;
	debug-reclaim | debug-rt-reclaim) checked reclaim smp=2 $STACKS ;;
	debug-debugfs | debug-rt-debugfs) checked debugfs smp=2 $STACKS ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
