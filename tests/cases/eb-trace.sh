#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# tools/eb-trace: on recordings made in the guest it says what the guard has said, it
# is fast, and what it can't read it refuses.
#
# shellcheck disable=SC2016  # awk, and the backquotes of reStructuredText
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

PAGE=${PAGE:-$TOP/Documentation/dev-tools/btrfs-eb-trace.rst}
TRACE=$TOP/tools/eb-trace
MANUAL=$TOP/tools/trace/eb-trace.1.rst

# Mutants whose recordings are replayed: of as many rules as can be had in short boots.
MUTANTS='read_dance clear_unlocked free_dirty put_extra put_locked stale_lookup leak path_node end_twice'
# Those of rules that need no guard, with the guard turned off.
UNGUARDED='read_dance clear_unlocked free_dirty put_extra'

list()
{
	printf '%s\t%s\n' \
		eb-trace-mutants "replay finds in the recording of a mutant the rules and the buffers that the guard found" \
		eb-trace-every "the same of every mutant of this machine whose boot comes to its end" \
		eb-trace-off "and finds them when the guard was off and only its events were on" \
		eb-trace-silent "unbroken kernel, guard on and off: replay finds nothing in the recording of a workload" \
		eb-trace-big "a million events take less than 2 s and 64 MiB" \
		eb-trace-lost "where events are missing nothing is told that is not so" \
		eb-trace-input "empty, truncated, foreign and newer files are refused, by name and line" \
		eb-trace-fuzz "mutated recordings neither crash nor hang it, with ASan and UBSan" \
		eb-trace-life "a buffer's life, what is left, and the pictures, which are XML and have their marks" \
		eb-trace-page "fields and events in the page are those of the kernel, commands in the manual those of --help"
}

prepare()
{
	for name; do
		case $name in
		eb-trace-page) ;;
		*) kernel mutants; return ;;
		esac
	done
}

# mutant_field NAME N: of its row for this base.
mutant_field()
{
	awk -F '|' -v name="$1" -v base="$BASE" -v n="$2" '
		{ for (i = 1; i <= NF; i++) gsub(/^[ \t]+|[ \t]+$/, "", $i) }
		$1 == name && $4 == base { print $n }' "$TOP/tests/mutants/table"
}

# record DIR WORDS...: a boot of the mutants' kernel with a recording in DIR/trace.txt.
record()
{
	to=$1
	shift
	boot "$to" mutants "$@" record=y
	[ -s "$to/trace.txt" ] || fail "the guest left no recording: $to"
	! grep -q 'entries-written: ' "$to/trace.txt" || awk '/entries-written/ {
		split($3, n, "/"); exit n[1] != n[2] }' "$to/trace.txt" || fail "the trace buffer was too small: $to"
}

# replay DIR STATUS: what replay says, in DIR/replay; its exit status must be that.
replay()
{
	status=0
	"$TRACE" replay "$1/trace.txt" >"$1/replay" || status=$?
	[ "$status" -eq "$2" ] || { tail -n 5 "$1/replay"; fail "replay ends with $status, and not $2: $1"; }
}

# of WHO DIR: "rule start serial" of what WHO says is broken.
of() { sed -n "s/^$1: rule=\([a-z_]*\) start=\([0-9]*\) serial=\([0-9]*\) .*/\1 \2 \3/p" "$2/replay" | sort; }

events_of() { tail -n 3 "$1/replay" | sed -n 's/^\([0-9]*\) events of .*/\1/p'; }

# every: the mutants of this base that are reported, and whose workload ends by itself.
every()
{
	awk -F '|' -v base="$BASE" '
		/^[ \t]*(#|$)/ { next }
		{ for (i = 1; i <= NF; i++) gsub(/^[ \t]+|[ \t]+$/, "", $i) }
		$4 == base && $2 !~ /^counted / && $5 !~ /^not-run|until=report|may_hang|machine=|config=/ { print $1 }' "$TOP/tests/mutants/table"
}

# mutants LEAST NAME...: of so many of these at least the recordings must be judged alike.
mutants()
{
	least=$1
	shift
	rules=
	for name; do
		[ -n "$(culprit "$name")" ] || continue
		dir=$LOG/$name
		# shellcheck disable=SC2046  # words
		record "$dir" $(mutant_field "$name" 5) "btrfs.eb_mutant=$name"
		judge_hits "$dir" || exit 1
		rule=$(mutant_field "$name" 2)
		judge_reported "$dir" "$rule" "$(mutant_field "$name" 3)" "$(mutant_field "$name" 6)" || exit 1
		replay "$dir" 1
		of guard "$dir" >"$dir/guard"
		of broken "$dir" >"$dir/broken"
		grep -q "^$rule " "$dir/guard" || fail "$name: the guard's own event is not in the recording"
		diff "$dir/guard" "$dir/broken" || fail "$name: replay and guard differ"
		rules="$rules $rule*$(wc -l <"$dir/broken")"
		rm "$dir/trace.txt"
	done
	[ "$(echo "$rules" | wc -w)" -ge "$least" ] || fail "only$rules"
	pass "$(echo "$rules" | wc -w) mutants:$rules"
}

# With the guard off it is not there to compare with: the rule is the mutant's own, and
# no other.
unguarded()
{
	rules=
	for name in $UNGUARDED; do
		dir=$LOG/$name
		# shellcheck disable=SC2046  # words
		record "$dir" $(mutant_field "$name" 5) "btrfs.eb_mutant=$name" btrfs.eb_debug=off
		judge_hits "$dir" || exit 1
		judge_no_report "$dir" || exit 1
		rule=$(mutant_field "$name" 2)
		replay "$dir" 1
		of broken "$dir" >"$dir/broken"
		[ "$(cut -d ' ' -f 1 "$dir/broken" | sort -u)" = "$rule" ] ||
			fail "$name: replay finds $(cut -d ' ' -f 1 "$dir/broken" | sort -u | tr '\n' ' ')"
		[ -z "$(of guard "$dir")" ] || fail "$name: the guard was on"
		rules="$rules $rule*$(wc -l <"$dir/broken")"
		rm "$dir/trace.txt"
	done
	pass "guard off:$rules"
}

silent()
{
	counts=
	for level in guard off; do
		record "$LOG/$level" meta "btrfs.eb_debug=$level"
		judge_ended "$LOG/$level" || exit 1
		judge_no_report "$LOG/$level" || exit 1
		replay "$LOG/$level" 0
		count=$(events_of "$LOG/$level")
		[ "${count:-0}" -ge 500000 ] || fail "only $count events with level $level"
		grep -q ' 0 unknown, ' "$LOG/$level/replay" || fail "from its first buffer on something is unknown"
		counts="$counts $count events with level $level"
		rm "$LOG/$level/trace.txt"
	done
	pass "nothing in$counts"
}

# small: recordings that are made once for the tests that share them, in $made.
small()
{
	made=$RUN/eb-trace-$BASE
	mkdir -p "$RUN"
	exec 8>"$RUN/.lock-eb-trace"
	flock 8
	[ -e "$made/ready" ] || (
		record "$made/life" reclaim 8>&-
		record "$made/dance" mount btrfs.eb_mutant=read_dance btrfs.eb_debug=off 8>&-
		record "$made/leak" readahead btrfs.eb_mutant=leak 8>&-
		: >"$made/ready"
	) >"$LOG/small" || { cat "$LOG/small"; exit 1; }
	exec 8>&-
}

# repeat FILE N: the recording N times, each time of other buffers and tasks, at other
# addresses, and later.
repeat()
{
	yes "$1" | head -n "$2" | xargs awk '
		FNR == 1 { round++ }
		/^#/ { if (round == 1) print; next }
		match($0, / [0-9]+[.][0-9]+: btrfs_eb_.*/) {
			before = substr($0, 1, RSTART)
			rest = substr($0, RSTART + 1)
			at = index(rest, ":")
			match(rest, /start=[0-9]+ serial=[0-9]+/)
			split(substr(rest, RSTART, RLENGTH), part, /[= ]/)
			printf "%s%.6f%sstart=%.0f serial=%d%s\n", before,
				substr(rest, 1, at - 1) + 1000 * round,
				substr(rest, at, RSTART - at), part[2] + 1099511627776 * round,
				part[4] + 100000 * round, substr(rest, RSTART + RLENGTH)
		}'
}

# cpu_seconds COMMAND...: of user and system, whatever else this machine does.
cpu_seconds()
{
	(
		"$@" >&2
		times
	) | awk 'NR == 2 {
		for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); sum += 60 * t[1] + t[2] }
		printf "%.2f", sum }'
}

big()
{
	small
	wanted=${EVENTS:-1000000}
	"$TRACE" replay "$made/life/trace.txt" >"$LOG/one" || fail "the healthy recording is not healthy"
	one=$(sed -n 's/^\([0-9]*\) events of .*/\1/p' "$LOG/one")
	buffers=$(sed -n 's/^[0-9]* events of \([0-9]*\) buffers.*/\1/p' "$LOG/one")
	rounds=$(((wanted + one - 1) / one))
	repeat "$made/life/trace.txt" "$rounds" >"$LOG/many.txt"
	# 64 MiB of addresses hold the libraries as well.
	seconds=$(cpu_seconds prlimit --as=67108864 "$(built)" replay "$LOG/many.txt" 2>"$LOG/said")
	rm "$LOG/many.txt"
	grep -q "^$((one * rounds)) events of $((buffers * rounds)) buffers .* 0 rules broken, 0 unknown" "$LOG/said" ||
		{ tail -n 3 "$LOG/said"; fail "not what $rounds times $one events must say"; }
	awk -v s="$seconds" -v n="$((one * rounds))" 'BEGIN { exit s >= 2 * n / 1000000 }' || fail "$((one * rounds)) events take $seconds s"
	pass "$((one * rounds)) events take $seconds s of CPU in 64 MiB"
}

# built [CFLAGS]: the program itself, made by the tool.
built()
{
	EB_TRACE_CFLAGS=${1:-} "$TRACE" --help >/dev/null
	name=$EBDEBUG_CACHE/host/eb-trace
	[ -z "${1:-}" ] || name=$name-$(echo "$1" | cksum | cut -d ' ' -f 1)
	echo "$name/eb-trace"
}

# A loss in the middle of what a rule needs to see: of the read without its dance, which
# is a broken rule without the loss.
lost()
{
	small
	from=$made/dance/trace.txt
	count=0
	"$TRACE" replay "$from" >"$LOG/whole" && fail "the recording of a mutant is healthy"
	grep -q '^broken: rule=io_without_dance ' "$LOG/whole" || fail "no read without a dance"
	for words in 'CPU:0 [LOST 12 EVENTS]' 'CPU:0 [12 EVENTS DROPPED]' 'init 22 [000] 1.5: PERF_RECORD_LOST lost 12'; do
		# Behind each event that arms a read its submission follows an unknown past.
		awk -v words="$words" '{ print } / btrfs_eb_io_arm: / { print words; n++ } END { exit !n }' "$from" >"$LOG/lost.txt"
		"$TRACE" replay "$LOG/lost.txt" >"$LOG/said" || { tail -n 3 "$LOG/said"; fail "a rule is broken by what is not known"; }
		grep -qE '^[1-9][0-9]* events were lost' "$LOG/said" || fail "the loss is not told"
		! grep -q ' 0 unknown' "$LOG/said" || fail "nothing is unknown"
		count=$((count + 1))
	done
	# The same healthy life with holes: where a hole is marked nothing is made up.
	for every in 3 7 50 1000; do
		awk -v every="$every" '/ btrfs_eb_/ && n++ % every == 0 { print "CPU:0 [LOST 1 EVENTS]"; next } { print }' \
			"$made/life/trace.txt" >"$LOG/holes.txt"
		"$TRACE" replay "$LOG/holes.txt" >"$LOG/said" || { grep '^broken' "$LOG/said" | head -n 3; fail "a false verdict, one event in $every is lost"; }
		count=$((count + 1))
	done
	# Without its beginning, as from a buffer that was too small.
	for first in 1000 5000 20000; do
		{
			echo '# entries-in-buffer/entries-written: 10/20   #P:1'
			tail -n "+$first" "$made/life/trace.txt"
		} >"$LOG/tail.txt"
		"$TRACE" replay "$LOG/tail.txt" >"$LOG/said" || { grep '^broken' "$LOG/said" | head -n 3; fail "a false verdict without the first $first lines"; }
		grep -q '^10 events at the beginning were overwritten' "$LOG/said" || fail "that it has no beginning is not told"
		count=$((count + 1))
	done
	pass "$count recordings with holes"
}

# refused WORDS FILE: status 2, and these words.
refused()
{
	status=0
	"$TRACE" replay "$2" >"$LOG/out" 2>"$LOG/said" || status=$?
	[ "$status" -eq 2 ] || fail "exit status $status for what '$1' is to be said of"
	grep -qF -- "$1" "$LOG/said" || { cat "$LOG/said"; fail "it does not say '$1'"; }
	count=$((count + 1))
}

# changed SED: the recording of a mount with that change.
changed()
{
	sed "$1" "$made/dance/trace.txt" >"$LOG/changed.txt"
	! cmp -s "$made/dance/trace.txt" "$LOG/changed.txt" || fail "'$1' changes nothing"
	echo "$LOG/changed.txt"
}

# foreign WHAT PROGRAM BYTES: a file that only another program can read, and which has
# nothing but its beginning.
foreign()
{
	# shellcheck disable=SC2059  # the bytes are a format
	printf "$3" >"$LOG/$1"
	status=0
	PATH=$LOG "$program" replay "$LOG/$1" 2>"$LOG/said" || status=$?
	[ "$status" -eq 2 ] || fail "exit status $status for a $1 without $2"
	grep -q "only $2 can read this, and that is not installed" "$LOG/said" || { cat "$LOG/said"; fail "it does not ask for $2"; }
	status=0
	"$program" replay <"$LOG/$1" 2>"$LOG/said" || status=$?
	[ "$status" -eq 2 ] || fail "exit status $status for a $1 on standard input"
	grep -q "is a $1, which $2 must read" "$LOG/said" || { cat "$LOG/said"; fail "it does not know a $1"; }
	count=$((count + 2))
	have "$2" || return 0
	refused "$2 could not read it to its end" "$LOG/$1"
}

input()
{
	small
	count=0
	line=$(grep -n -m 1 ' btrfs_eb_alloc: ' "$made/dance/trace.txt" | cut -d : -f 1)
	: >"$LOG/empty"
	refused 'is empty' "$LOG/empty"
	refused 'No such file' "$LOG/not-there"
	echo 'some text' >"$LOG/foreign"
	refused 'no event of the guard' "$LOG/foreign"
	program=$(built)
	foreign trace.dat trace-cmd '\027\010\104tracing6'
	foreign perf.data perf 'PERFILE2....'
	head -c 9999 /dev/zero >"$LOG/zero"
	refused 'is no trace' "$LOG/zero"
	head -c 20000 "$made/dance/trace.txt" >"$LOG/cut"
	refused 'is cut off' "$LOG/cut"
	refused "line $line lacks a field" "$(changed "$line s/ serial=[0-9]*//")"
	refused "line $line has a number that is too large" "$(changed "$line s/ refs=/ refs=99999999999/")"
	refused "line $line has something else where a number" "$(changed "$line s/ refs=/ refs=x/")"
	refused "line $line has a name that this program does not know" "$(changed "$line s/ flags=/ flags=SHINY/")"
	refused "line $line has an event that this program does not know" "$(changed "$line s/btrfs_eb_alloc/btrfs_eb_born/")"
	refused "line $line says the same thing twice" "$(changed "$line s/ refs=/ refs=1 refs=/")"
	refused 'is the kernel newer' "$(changed 's/ step=refs_lock / step=new_thing /')"
	! "$TRACE" draw 1 "$made/dance/trace.txt" >/dev/null 2>"$LOG/said" || fail "there is a picture of nothing"
	grep -q 'no event is about this buffer' "$LOG/said" || fail "that there is no such buffer is not said"
	# What trace-cmd and perf print before the name of an event.
	"$TRACE" replay "$made/dance/trace.txt" >"$LOG/text" || :
	for form in 's/ [.d][^ ]* *\([0-9]*[.][0-9]*: btrfs_eb_[a-z_]*:\) /  \1      /' \
		's/ [.d][^ ]* *\([0-9]*[.][0-9]*\): btrfs_eb_/     \1:          btrfs:btrfs_eb_/'; do
		"$TRACE" replay "$(changed "$form")" >"$LOG/other" || :
		diff "$LOG/text" "$LOG/other" || fail "the form of another program is not read alike"
		count=$((count + 1))
	done
	pass "$count files"
}

fuzz()
{
	small
	built '-fsanitize=address,undefined -fno-sanitize-recover=undefined -DEB_TRACE_FUZZ' >"$LOG/name"
	head -n 300 "$made/dance/trace.txt" >"$LOG/seed.txt"
	"$(cat "$LOG/name")" fuzz "${MUTATIONS:-3000}" "${SEED:-1}" "$LOG/seed.txt" "$LOG/bad" >"$LOG/said" 2>&1 ||
		{ tail -n 20 "$LOG/said"; fail "see $LOG/bad"; }
	pass "$(tail -n 1 "$LOG/said")"
}

# picture FILE WHICH TRACE WORDS...: it is XML, and has these words.
picture()
{
	"$TRACE" draw "$2" "$3" >"$1" || [ $? -eq 1 ] || fail "no picture of $2"
	python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$1" || fail "$1 is no XML"
	shift 3
	for words; do
		grep -qF -- "$words" "$LOG/picture.svg" || fail "the picture has no '$words'"
	done
	count=$((count + 1))
}

life()
{
	small
	count=0
	start=$("$TRACE" replay "$made/dance/trace.txt" | sed -n 's/^broken: .* start=\([0-9]*\) .*/\1/p' | head -n 1)
	"$TRACE" buffer "$start" "$made/dance/trace.txt" >"$LOG/buffer" || :
	grep -q '^buffer start=' "$LOG/buffer" || fail "a life has no heading"
	grep -q ' io_submit .*<- rule=io_without_dance: ' "$LOG/buffer" || fail "a life does not say what is broken in it"
	[ "$(grep -c "us  " "$LOG/buffer")" -eq "$(grep -c " start=$start " "$made/dance/trace.txt")" ] || fail "a life lacks events"
	picture "$LOG/picture.svg" "$start" "$made/dance/trace.txt" 'class="broken"' io_without_dance TREE_REF 'under IO' ' us<' '</svg>'
	# The leak is seen as what is left when the task has returned.
	sed '/btrfs_eb_step: .* step=\(task_end\|unmount\) /,$d' "$made/leak/trace.txt" >"$LOG/leak.txt"
	"$TRACE" left "$LOG/leak.txt" >"$LOG/left" || fail "what is left is no broken rule"
	grep -q '^held=.* readahead:task=[0-9]' "$LOG/left" || { cat "$LOG/left"; fail "who holds the buffer is not said"; }
	"$TRACE" left "$made/life/trace.txt" >"$LOG/left" || fail "a healthy recording is not healthy"
	grep -q '^0 buffers have references left' "$LOG/left" || { head -n 5 "$LOG/left"; fail "something is left after unmount"; }
	# The most events, and one event.
	awk 'match($0, / serial=[0-9]+/) { n[substr($0, RSTART + 8, RLENGTH - 8)]++ }
		END { for (s in n) if (n[s] > most) { most = n[s]; which = s } print which, most }' "$made/life/trace.txt" >"$LOG/most"
	read -r serial most <"$LOG/most"
	[ "$most" -ge 2000 ] || fail "no buffer has 2,000 events"
	picture "$LOG/picture.svg" "serial=$serial" "$made/life/trace.txt" 'class="dance"' 'class="path"' UPTODATE refs
	grep -m 1 ' btrfs_eb_alloc: ' "$made/life/trace.txt" >"$LOG/one.txt"
	picture "$LOG/picture.svg" "$(sed 's/.* start=\([0-9]*\) .*/\1/' "$LOG/one.txt")" "$LOG/one.txt" alloc '1 events drawn'
	pass "$count pictures, one of $most events"
}

page()
{
	grep -oE '^DEFINE_EB(_REF)?_EVENT\([a-z_]+|^EB_TRACE_EVENT\([a-z_]+|^TRACE_EVENT\(btrfs_eb_[a-z_]+' "$TOP/include/trace/events/btrfs_eb.h" |
		sed -E 's/.*\((btrfs_eb_)?//' | sort >"$LOG/code"
	{
		sed -n 's/^``btrfs_eb_\([a-z_]*\)`` .*/\1/p' "$PAGE"
		sed -n '/^Those without one are/,/^$/p' "$PAGE" | grep -o '``[a-z_]*``' | tr -d '`'
	} | sort >"$LOG/page"
	diff "$LOG/code" "$LOG/page" || fail "the page has other events than the kernel"
	sed -n '/^Each line has/,/^Before /p' "$PAGE" | grep '^``' | grep -o '``[a-z_]*``' | tr -d '`' | sort >"$LOG/page"
	sed -n '/^#define EB_PRINT/,/ip)$/p' "$TOP/include/trace/events/btrfs_eb.h" | grep -oE '[a-z_]+=%' | tr -d '=%' | sort >"$LOG/code"
	diff "$LOG/code" "$LOG/page" || fail "the page has other fields than the kernel"
	fields=$(wc -l <"$LOG/code")
	rst2man --halt=2 "$MANUAL" >"$LOG/eb-trace.1" || fail "the manual page is not sound"
	sed -n 's/^.*"[usage: ]*eb-trace \([a-z]*\) .*/\1/p' "$TOP/tools/trace/eb-trace.c" | sort >"$LOG/code"
	sed -n 's/^| \*\*eb-trace \([a-z]*\)\*\*.*/\1/p' "$MANUAL" | sort >"$LOG/page"
	diff "$LOG/code" "$LOG/page" || fail "the manual has other commands than --help"
	sed -n '/^COMMANDS/,/^LOST/s/^\*\*\([a-z]*\)\*\*$/\1/p' "$MANUAL" | sort >"$LOG/page"
	diff "$LOG/code" "$LOG/page" || fail "the manual does not explain each command"
	pass "$fields fields, $(wc -l <"$LOG/code") commands"
}

run()
{
	# shellcheck disable=SC2046,SC2086  # names
	case $1 in
	eb-trace-mutants) mutants 5 $MUTANTS ;;
	eb-trace-every) mutants 25 $(every) ;;
	eb-trace-off) unguarded ;;
	eb-trace-silent) silent ;;
	eb-trace-big) big ;;
	eb-trace-lost) lost ;;
	eb-trace-input) input ;;
	eb-trace-fuzz) fuzz ;;
	eb-trace-life) life ;;
	eb-trace-page) page ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
