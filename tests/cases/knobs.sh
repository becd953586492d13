#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guard's knobs: on and off, debugfs, once and again, panic_on_warn,
# coverage at unmount, the points, and btrfs as a module.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

MUTANT=btrfs.eb_mutant=read_dance

list()
{
	printf '%s\t%s\n' \
		knob-toggle 'the guard is turned off and on under load 300 times: no false report, and what it missed is unknown' \
		knob-debugfs 'buffers, stats and coverage are read through load, unmount and mount; a buffer is dumped, owners are compared' \
		knob-owners 'owners tells of all that holds references: also of reads and transaction handles, where they do' \
		knob-boot-off 'btrfs.eb_debug=off at boot: nothing is seen, nothing is reported' \
		knob-coverage 'btrfs.eb_debug_coverage=1 tells at unmount which rule was judged where' \
		knob-rearm 'a report comes once, again after clear_warn_once, again with each mount' \
		knob-rearm-module 'the same with btrfs as a module' \
		knob-points 'bad input to the points is refused, each point is come to and delays, locks are refused, and no schedule holds anybody for ever' \
		knob-garbage 'bad, random, huge and partial text to each file, from many tasks and from nobody: right errno, nothing changed, no address shown' \
		knob-lockdown 'on a kernel that is locked down files that change something are shut, and the others show no address' \
		knob-panic-on-warn 'with panic_on_warn the kernel panics with the report on the console' \
		knob-module 'btrfs.ko is loaded and unloaded three times, also while it is traced, and silent' \
		knob-module-mutant 'btrfs.ko reports as built-in btrfs does'
}

prepare()
{
	case " $* " in
	*' knob-toggle '* | *' knob-debugfs '* | *' knob-owners '* | *' knob-boot-off '* | *' knob-coverage '*) kernel guard ;;
	esac
	case " $* " in
	*' knob-rearm '* | *' knob-panic-on-warn '*) kernel mutants ;;
	esac
	case " $* " in
	*' knob-points '* | *' knob-garbage '*) kernel mutants-points ;;
	esac
	case " $* " in
	*' knob-lockdown '*) kernel points+lockdown ;;
	esac
	case " $* " in
	*' knob-rearm-module '* | *' knob-module'*) kernel module ;;
	esac
}

# silent CONFIG WORKLOAD [WORD]...
silent()
{
	boot "$LOG" "$@"
	judge_silent "$LOG" || exit 1
}

toggle()
{
	silent guard toggle smp=2 thread=single
	pass "$(told "$LOG" unknown) unknown, $(figures "$LOG")"
}

debugfs()
{
	silent guard debugfs smp=2
	dumps=$(clean "$LOG/console.log" | awk '/eb-test: dump of / { want = $NF; n++ }
		/^BTRFS eb_debug: owners of buffer start=/ { sub(/^start=/, "", $6); sub(/,/, "", $6); told += $6 == want }
		END { print n == told ? n + 0 : 0 }')
	[ "$dumps" -ge 8 ] || fail "what was dumped is not on the console"
	pass "$dumps dumps, $(figures "$LOG")"
}

# holders: "kind function" of what is seen in owners while btrfs works, as far as this
# kernel has it.
holders()
{
	echo 'tree check_buffer_tree_ref'
	! grep -q '(.*EB_KIND_READ)' "$TOP/patches/$BASE"/*.patch || echo 'read read_extent_buffer_pages_nowait'
	! grep -q '(.*EB_KIND_TRANS)' "$TOP/patches/$BASE"/*.patch || echo 'trans btrfs_inhibit_eb_writeback'
}

owners()
{
	holders >"$LOG/holders"
	silent guard owners "want=$(cut -d ' ' -f 1 "$LOG/holders" | paste -s -d ,)" throttle=60 mkfs=-n+4096 smp=2
	while read -r kind site; do
		found=$(told "$LOG" "owner_$kind")
		[ "$found" = "$site" ] || fail "kind=$kind is told with site=$found, it is $site"
	done <"$LOG/holders"
	pass "$(paste -s -d , "$LOG/holders")"
}

boot_off()
{
	boot "$LOG" guard remount_cycles rounds=3 btrfs.eb_debug=off
	judge_silent "$LOG" off || exit 1
	[ "$(told "$LOG" events)" = 0 ] || fail "the guard is off and counts $(told "$LOG" events) events"
	pass "0 events"
}

coverage()
{
	silent guard remount_cycles rounds=2 btrfs.eb_debug_coverage=1
	lines=$(clean "$LOG/console.log" | grep -c '^BTRFS eb_debug: judged ' || :)
	[ "$lines" -ge 20 ] || fail "only $lines lines of coverage at two unmounts"
	clean "$LOG/console.log" | grep -q '^BTRFS eb_debug: judged io_without_dance at read [1-9]' ||
		fail "the coverage does not tell how often reads were judged"
	pass "$lines lines at 2 unmounts"
}

points()
{
	silent mutants-points points mkfs=-n+4096 timeout=200
	judge_points "$LOG" || exit 1
	pass "$(told_points "$LOG"), $(figures "$LOG")"
}

garbage()
{
	silent mutants-points garbage smp=2 thread=single timeout=200
	# Nor does the console: what the guard prints has names, and offsets in functions.
	! clean "$LOG/console.log" | grep -E 'eb_debug: .*ffff[0-9a-f]{12}' ||
		fail "the guard prints an address of the kernel, see $LOG/console.log"
	pass "$(told "$LOG" texts_refused) texts refused, $(told "$LOG" texts_taken) taken, $(figures "$LOG")"
}

lockdown()
{
	silent points+lockdown locked_down lockdown=confidentiality
	clean "$LOG/console.log" | grep -q '^Kernel is locked down from command line' ||
		fail "the kernel is not locked down"
	pass "$(awk '$1 == "check" && /files_/ { printf "%s %d, ", $2, $3 }' "$LOG/verdict.log")$(figures "$LOG")"
}

# between PHASE: how many reports came in a phase of the workload.
between()
{
	clean "$LOG/console.log" | awk -v phase="$1" '
		/eb-test: phase / { on = ($NF == phase) }
		on && /^BTRFS eb_debug: rule=io_without_dance/ { n++ }
		END { print n + 0 }'
}

rearm()
{
	boot "$LOG" "$1" rearm $MUTANT
	judge_ended "$LOG" || exit 1
	judge_reported "$LOG" io_without_dance "$(culprit read_dance)" - || exit 1
	counts="$(between first-mount) $(between more-reads) $(between clear-warn-once) $(between second-mount)"
	[ "$counts" = "1 0 1 1" ] ||
		fail "reports at first mount, more reads, clear_warn_once, second mount: $counts; expected 1 0 1 1"
	pass "reports in the four phases: $counts"
}

panic_on_warn()
{
	boot "$LOG" mutants mount $MUTANT panic_on_warn=1
	[ "$(status_of "$LOG")" = 3 ] || fail "the kernel did not panic (status $(status_of "$LOG"))"
	clean "$LOG/console.log" | grep -q 'Kernel panic - not syncing: .*panic_on_warn set' ||
		fail "the panic is not that of panic_on_warn"
	judge_reported "$LOG" io_without_dance "$(culprit read_dance)" - || exit 1
	pass "panic after the report"
}

run()
{
	case $1 in
	knob-toggle) toggle ;;
	knob-debugfs) debugfs ;;
	knob-owners) owners ;;
	knob-boot-off) boot_off ;;
	knob-coverage) coverage ;;
	knob-rearm) rearm mutants ;;
	knob-rearm-module) rearm module ;;
	knob-points) points ;;
	knob-garbage) garbage ;;
	knob-lockdown) lockdown ;;
	knob-panic-on-warn) panic_on_warn ;;
	knob-module) silent module module_cycle; pass "$(figures "$LOG")" ;;
	knob-module-mutant)
		boot "$LOG" module mount $MUTANT
		judge_ended "$LOG" || exit 1
		judge_reported "$LOG" io_without_dance "$(culprit read_dance)" - || exit 1
		pass "$(reports "$LOG" | head -n 1)" ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
