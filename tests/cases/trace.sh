#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guard's trace events, read through tracefs in the guest.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# What a run on an unbroken kernel must show; a repair is a race that was healed.
EVENTS='alloc insert lookup get put hold give take tree_ref_set tree_ref_clear io_arm
	io_dance io_submit io_end writeback dirty clean stale release free step'

list()
{
	printf '%s\t%s\n' \
		trace-events 'each trace event comes, with fields and flags by name, and none comes while disabled' \
		trace-off 'each comes with the guard turned off, too, which stays silent' \
		trace-violation 'a broken rule is a trace event too, every time' \
		trace-freeze 'with traceoff_on_warning a recording ends with the first report'
}

prepare()
{
	case " $* " in *' trace-events '* | *' trace-off '*) kernel guard ;; esac
	case " $* " in *' trace-violation '* | *' trace-freeze '*) kernel mutants ;; esac
}

# traced NAME: how many lines of an event there were.
traced() { awk -v name="btrfs_eb_$1" '$1 == "traced" && $2 == name { print $3 }' "$LOG/verdict.log"; }

# sample NAME: the first line of an event.
sample() { clean "$LOG/console.log" | grep -m 1 "eb-test: trace btrfs_eb_$1: " || :; }

# shaped NAME: its fields are what the user's page says.
shaped()
{
	look=' seen=[A-Z_|]* at=[a-z_]+'
	more=
	case $1 in
	violation) look= ;;
	get | put | hold | give | take) more=' kind=[a-z_]+' ;;
	io_end) more=' error=-?[0-9]+' ;;
	release) more=' result=[a-z_]+' ;;
	step) more=' step=[a-z_]+ arg=-?[0-9]+' ;;
	esac
	sample "$1" | grep -Eq ": fsid=[0-9a-f-]{36} (rule=[a-z_]+ )?start=[0-9]+ serial=[0-9]+ level=[0-9]+ refs=[0-9]+ io_pages=[0-9]+ flags=[A-Z_|]*$look task=[0-9]+$more site=[a-z_0-9.]+( \\[btrfs\\])?\$" ||
		fail "$1 looks like this: $(sample "$1")"
}

events()
{
	boot "$LOG" guard trace "btrfs.eb_debug=$1"
	judge_silent "$LOG" "$1" || exit 1
	for name in $EVENTS; do
		count=$(traced "$name")
		[ "${count:-0}" -ge 1 ] || fail "btrfs_eb_$name did not come"
		shaped "$name"
	done
	sample io_end | grep -q 'flags=[A-Z_|]*TREE_REF' || fail "flags have no names: $(sample io_end)"
	pass "$(awk '$1 == "check" && $2 == "lines" { print $3 " lines of" }' "$LOG/verdict.log") $(echo "$EVENTS" | wc -w) events"
}

violation()
{
	boot "$LOG" mutants trace btrfs.eb_mutant=read_dance
	judge_ended "$LOG" || exit 1
	shaped violation
	sample violation | grep -q ' rule=io_without_dance ' || fail "the event does not name its rule: $(sample violation)"
	count=$(traced violation)
	[ "$count" -gt "$(told "$LOG" reports)" ] || fail "only $count events, although reports are limited"
	pass "$count events, $(told "$LOG" reports) reports"
}

freeze()
{
	boot "$LOG" mutants freeze
	judge_ended "$LOG" || exit 1
	count=$(traced violation)
	broken=$(told "$LOG" broken_io_without_dance)
	[ "$count" -eq 1 ] || fail "$count broken rules are in the recording"
	[ "${broken:-0}" -ge 2 ] || fail "the rule was broken only ${broken:-0} times"
	pass "1 of $broken broken rules is in the recording, $(awk '$1 == "check" && $2 ~ /^lines_/ { printf "%s%s", sep, $3; sep = " lines well, " }' "$LOG/verdict.log") in all"
}

run()
{
	case $1 in
	trace-events) events on ;;
	trace-off) events off ;;
	trace-violation) violation ;;
	trace-freeze) freeze ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
