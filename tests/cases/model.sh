#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The model of a buffer's life: spin finds what model/claims says and the page shows, each
# claim that holds is broken by an error that is planted, and the automaton, the guard's
# core and the kernel's own tools agree on what is legal.
set -eu
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

PAGE=${PAGE:-$TOP/Documentation/dev-tools/btrfs-eb-debug-model.rst}
DOT=$TOP/Documentation/dev-tools/btrfs-eb-debug-life.dot

list()
{
	printf '%s\t%s\n' \
		model-claims "all schedules: what holds and what does not is what model/claims and the page say" \
		model-2020 "without the dance spin finds the crash of 2020, by the schedule of its changelog" \
		model-window "as it is, spin finds the dirty buffer that reclaim lets go, on each kernel" \
		model-drift "the guard's core reports what is no edge of the automaton, and nothing else" \
		model-dot "the automaton is one that the kernel's own tools for Runtime Verification read" \
		model-can-fail "a claim, a cell of the page, an edge or a rule that is wrong is found"
}

# blocks: the literal blocks of the page that begin with a command of model/run, each in a
# file of its own: the words of the command in N.command, what follows in N.shown.
blocks()
{
	awk -v dir="$LOG/page" '
		/^    [$] model\/run/ { n++; sub(/^    [$] model\/run */, ""); print >(dir "/" n ".command"); open = 1; next }
		/^[^ ]/ { open = 0 }
		open && /[^ ]/ { sub(/^    /, ""); print >(dir "/" n ".shown") }' "$PAGE"
}

# said FILE: what model/run printed, as the page shows it.
said() { grep -vE '^states | cells, ' "$1" | grep .; }

# shown: each command of the page prints what the page shows, and each group is shown.
shown()
{
	rm -rf "$LOG/page"
	mkdir -p "$LOG/page"
	blocks
	commands=0
	for command in "$LOG"/page/*.command; do
		[ -e "$command" ] || { echo "the page has no command of model/run"; return 1; }
		xargs "$TOP/model/run" <"$command" >"$LOG/out" 2>"$LOG/err" ||
			{ cat "$LOG/err"; echo "model/run $(cat "$command") failed"; return 1; }
		said "$LOG/out" >"$LOG/said"
		diff "$LOG/said" "${command%.command}.shown" ||
			{ echo "the page shows something else than model/run $(cat "$command") prints"; return 1; }
		commands=$((commands + 1))
	done
	sed -n 's/^group | *\([^ ]*\) .*/\1/p' "$TOP/model/claims" >"$LOG/groups"
	while read -r group; do
		grep -q "^  $group  *5[.]10 " "$LOG"/page/*.shown || { echo "the page does not show $group"; return 1; }
	done <"$LOG/groups"
}

claims()
{
	"$TOP/model/run" >"$LOG/all" 2>"$LOG/err" ||
		{ cat "$LOG/err"; fail "model/run found something else than model/claims says"; }
	shown || fail "the page is not what model/run prints"
	pass "$(tail -n 1 "$LOG/all"); the page shows $commands"
}

# in_order FILE: the lines on stdin, as "task|function|what", are steps of the schedule, in
# this order.
in_order()
{
	awk -F '|' '
		FNR == NR { want[++n] = $0; next }
		at < n {
			split(want[at + 1], w, "|")
			if (index($0, " " w[1] " ") && index($0, " " w[2] "()") && index($0, w[3])) at++
		}
		END { if (at < n) { print "no such step, or not in this order: " want[at + 1]; exit 1 } }' - "$1"
}

# The two that race in the changelog of "btrfs: fix fatal extent_buffer readahead vs
# releasepage race", from where the buffer is there, not read, with one reference.
schedule_2020()
{
	for kernel in 5.10 6.1; do
		"$TOP/model/run" --schedule no-dance FREED_READ "$kernel" >"$LOG/$kernel"
		in_order "$LOG/$kernel" <<-'END' || { cat "$LOG/$kernel"; fail "not the schedule of the changelog on $kernel"; }
			reclaim|spin_lock|refs_lock
			reclaim|try_release_extent_buffer|reads refs: 1?
			readahead|find_extent_buffer|refs + 1
			readahead|check_buffer_tree_ref|the fast path
			reclaim|test_and_clear_bit|TREE_REF
			reclaim|release_extent_buffer|refs - 1
			readahead|read_extent_buffer_pages|locks page 0
			readahead|read_extent_buffer_pages|sets io_pages
			readahead|submit_bio|goes out
			readahead|release_extent_buffer|at 0 it is freed
		END
		tail -n 1 "$LOG/$kernel" | grep -q 'refs=0 .*io_pages=[1-9]' || fail "it does not end with a buffer freed under IO on $kernel"
	done
	pass "2 kernels, $(wc -l <"$LOG/6.1") steps on 6.1"
}

window()
{
	for kernel in 5.10 6.1 6.1-subpage 6.12 7.x; do
		"$TOP/model/run" --schedule dirty FREED_DIRTY "$kernel" >"$LOG/$kernel"
		in_order "$LOG/$kernel" <<-'END' || { cat "$LOG/$kernel"; fail "another schedule on $kernel"; }
			reclaim|try_release_extent_buffer|reads refs: 1?
			dirtier|find_extent_buffer|refs + 1
			dirtier|check_buffer_tree_ref|the fast path
			dirtier|check_buffer_tree_ref|the fast path
			reclaim|test_and_clear_bit|TREE_REF
			dirtier|release_extent_buffer|at 0 it is freed
		END
		tail -n 1 "$LOG/$kernel" | grep -q 'refs=0 .*DIRTY' || fail "it does not end with a dirty buffer freed on $kernel"
	done
	pass "5 kernels, $(wc -l <"$LOG/7.x") steps on 7.x"
}

# The kernel's parser, in a place where python finds it.
dot()
{
	tree=$("$TOP/tools/tree" "$BASE" pristine)
	if [ -d "$tree/tools/verification/dot2" ]; then
		mkdir -p "$LOG/python"
		cp -r "$tree/tools/verification/dot2" "$LOG/python/dot2"
		(cd "$LOG/python" && PYTHONPATH=. python3 dot2/dot2c "$DOT") >"$LOG/automaton.h" || fail "dot2c does not take it"
	else
		skip "this kernel has no dot2c"
	fi
	printf '%s\n' '#include <stdbool.h>' | cat - "$LOG/automaton.h" >"$LOG/automaton.c"
	gcc -c -o "$LOG/automaton.o" "$LOG/automaton.c" || fail "what dot2c makes of it is no C"
	edges=$(grep -cE ' -> .*label' "$DOT")
	known=$(awk '/\.function = /{ on = 1; next } on && /^\t},/{ exit }
		on { gsub(/[{}, \t]+/, " "); for (i = 1; i <= NF; i++) n += $i != "INVALID_STATE" } END { print n + 0 }' "$LOG/automaton.h")
	[ "$edges" -eq "$known" ] || fail "it has $edges edges, and dot2c knows $known"
	have dot || fail "there is no dot; tools/deps installs it"
	command dot -Tsvg "$DOT" >"$LOG/life.svg" || fail "graphviz can't draw it"
	pass "$edges edges"
}

# wrong_if WORDS COMMAND...: the command must fail, and say these words.
wrong_if()
{
	words=$1
	shift
	! "$@" >"$LOG/said" 2>&1 || fail "not noticed: $words"
	grep -qF -- "$words" "$LOG/said" || { tail -n 5 "$LOG/said"; fail "it failed, but not with '$words'"; }
	count=$((count + 1))
}

# altered FILE SED: a copy with that change, which must be one.
altered()
{
	sed "$2" "$1" >"$LOG/altered"
	! cmp -s "$1" "$LOG/altered" || fail "the offence '$2' changes nothing"
	echo "$LOG/altered"
}

can_fail()
{
	count=0
	claims=$TOP/model/claims
	core=$TOP/fs/btrfs/eb_debug.c
	wrong_if 'unmount: UNMOUNT on 6.12: broken, model/claims says holds' \
		env CLAIMS="$(altered "$claims" 's/^UNMOUNT | all | 6.12 | /&6.12:PLANT_NO_WAIT /;s/^UNMOUNT | all | 6.12 /UNMOUNT | all | - /')" "$TOP/model/run" unmount
	wrong_if 'unmount: UNMOUNT on 7.x: holds, model/claims says broken' \
		env CLAIMS="$(altered "$claims" 's/^UNMOUNT | all | 6.12 /UNMOUNT | all | 6.12 7.x /')" "$TOP/model/run" unmount
	wrong_if 'UNMOUNT on 7.x holds with an error planted, too' \
		env CLAIMS="$(altered "$claims" '/^UNMOUNT/s/PLANT_END_IN_TWO/PLANT_NOTHING/')" "$TOP/model/run" unmount
	wrong_if 'no error is planted' \
		env CLAIMS="$(altered "$claims" '/^UNMOUNT/s/7.x:PLANT_END_IN_TWO//')" "$TOP/model/run" unmount
	mkdir -p "$LOG/model"
	cp "$TOP"/model/*.pml "$LOG/model"
	cp "$(altered "$TOP/model/eb-refs.pml" 's/d_step { refs_lock = 0; did/d_step { did/')" "$LOG/model/eb-refs.pml"
	wrong_if 'the tasks can get stuck' \
		env MODEL="$LOG/model" "$TOP/model/run" stale
	wrong_if 'the page shows something else' \
		env PAGE="$(altered "$PAGE" 's/^\(    UNMOUNT .*\)broken/\1holds /')" LOG="$LOG/inner" "$0" run model-claims
	for edge in '/"tied" -> "dirty"/d' '/"read_danced" -> "reading"/s/"reading"/"tied"/'; do
		wrong_if 'drift: ' env DOT="$(altered "$DOT" "$edge")" "$TOP/model/drift"
	done
	wrong_if 'last_put in dirty is illegal by the automaton, and not reported' \
		env CORE="$(altered "$core" '/judge(verdict, EB_RULE_FREED_/,/;/s/judge(verdict, EB_RULE_FREED_[A-Z_]*,/(void)(/')" "$TOP/model/drift"
	wrong_if 'tree_ref_clear in tied is legal by the automaton, and reported' \
		env CORE="$(altered "$core" 's/judge(verdict, EB_RULE_TREE_REF_CLEARED_UNLOCKED, look->locked)/judge(verdict, EB_RULE_TREE_REF_CLEARED_UNLOCKED, !look->locked)/')" "$TOP/model/drift"
	pass "$count offences planted, $count found"
}

prepare() { :; }

run()
{
	have spin || fail "there is no spin; tools/deps installs it"
	case $1 in
	model-claims) claims ;;
	model-2020) schedule_2020 ;;
	model-window) window ;;
	model-drift) "$TOP/model/drift" ;;
	model-dot) dot ;;
	model-can-fail) can_fail ;;
	*) die "there is no test '$1' here" ;;
	esac
}

case_main list run prepare "$@"
