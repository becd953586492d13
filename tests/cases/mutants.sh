#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The mutants of tests/mutants/table: real call sites of btrfs with one mistake.
# Each is three boots of one kernel: not chosen, the workload is silent; chosen,
# the report is the one that the table says, with no other before it; chosen
# with the guard off, the mistake happens and nothing is reported.  Where it is
# about a reference, there is a fourth one at level stacks: the report is the same,
# and shows where the reference was taken.
#
# Words among the options that are for us:
#   until=report   the guest is stopped after the report; it may hang later
#   may_hang       the workload may fail or hang, for the mistake is a real one
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

TABLE=$TOP/tests/mutants/table

# The rules that are about whose a reference is.
OWNERS='^(put_without_reference|put_locked|left_in_path|left_by_task|freed_owned|freed_locked|buffer_leaked)$'

# What each mutant of this run was reported as, for mutant-blame.
BLAME=$RUN/blame-$BASE

rows()
{
	awk -F '|' -v base="$BASE" '
		/^[ \t]*(#|$)/ { next }
		{ for (i = 1; i <= NF; i++) gsub(/^[ \t]+|[ \t]+$/, "", $i) }
		$4 == base { print $1 "|" $2 "|" $3 "|" $5 "|" $6 "|" $7 }' "$TABLE"
}

# field NAME N: of the row: name, rule, function, workload, also, bug
field() { rows | awk -F '|' -v name="$1" -v n="$2" '$1 == name { print $n }'; }

list()
{
	printf 'mutant-table\tevery rule of the guard has a mutant in the table\n'
	printf 'mutant-suspect\tbelow level stacks too: who loses a reference the second time is told with the stack\n'
	rows | awk -F '|' '{ print "mutant-" $1 "\t" $2 " in " $3 ": " $6 }'
	printf 'mutant-blame\tof the mutants of this run, how many are blamed right, at levels guard and stacks\n'
}

prepare()
{
	for name; do
		words=$(field "${name#mutant-}" 4)
		[ "$name" = mutant-table ] || echo "$(config_of mutants "$words") machine=$(machine_of "$words")"
	done | sort -u | while read -r config machine; do
		prepare_kernel "$config" "$machine"
	done
}

# every_rule: the names in the guard's sources against those in the table.  A rule that
# this base does not judge can have no mutant.
every_rule()
{
	missing=
	n=0
	decided_by "$BASE" >"$LOG/decided" || fail "what the sources say of $BASE is not understood"
	for rule in $(awk '/^\tEB_RULE_/ { print tolower(substr($1, 9)) }' "$TOP/fs/btrfs/eb_debug_internal.h" | tr -d ,); do
		case $rule in
		none | count) continue ;;
		esac
		n=$((n + 1))
		grep -q "\"$rule\"" "$TOP/fs/btrfs/eb_debug_names.h" || fail "rule $rule has no name in eb_debug_names.h"
		! grep -qx "$rule $BASE not judged" "$LOG/decided" || continue
		rows | grep -Eq "^[^|]*[|](counted broken_)?${rule}[|]" || missing="$missing $rule"
	done
	[ -z "$missing" ] || fail "no mutant in $TABLE for:$missing"
	[ "$n" -ge 20 ] || fail "only $n rules found"
	pass "$n rules, $(rows | grep -vc '|not-run') mutants that run"
}

# without PATTERN WORD...: the words that do not match.
without()
{
	drop=$1
	shift
	for word; do
		# shellcheck disable=SC2254  # it is a pattern
		case $word in
		$drop) ;;
		*) printf '%s ' "$word" ;;
		esac
	done
}

# blamed NAME LEVEL DIR: notes whether rule and function of the first report are the
# row's.
blamed()
{
	first=$(reports "$3" | head -n 1)
	rule=wrong
	func=wrong
	[ "${first%% *}" != "$(field "$1" 2)" ] || rule=right
	[ "${first##* }" != "$(field "$1" 3)" ] || func=right
	echo "$rule $func" >"$BLAME/$1.$2"
}

# to_blame: the mutants of this run of which a report is expected.
to_blame()
{
	sed -n 's|^.*/mutants[.]sh mutant-||p' "$RUN/tests" 2>/dev/null | while read -r name; do
		rows | awk -F '|' -v name="$name" \
			'$1 == name && $2 !~ /^counted / && $4 !~ /^not-run/ { print $1, $2 }'
	done
}

# await NAME: until that test of this run, which was begun before us, is over, as tests/run says:
# one that was killed could not.
await() { while [ ! -e "$RUN/over-$BASE-mutant-$1" ]; do sleep 0.5; done; }

# share LEVEL NUMBER PERCENT: the words about a level, and whether enough of NUMBER
# mutants have the right rule, and enough the right function.
share()
{
	while read -r name _; do
		[ ! -e "$BLAME/$name.$1" ] || cat "$BLAME/$name.$1"
	done <"$LOG/rows" | awk -v level="$1" -v number="$2" -v percent="$3" '
		{ rules += $1 == "right"; functions += $2 == "right" }
		END {
			printf "rule %d/%d, function %d/%d at %s", rules, number, functions, number, level
			exit rules * 100 < percent * number || functions * 100 < percent * number
		}'
}

# not_right: which ones.  A mutant that failed before it was reported at a level is not.
not_right()
{
	while read -r name rule; do
		[ "$(cat "$BLAME/$name.guard" 2>/dev/null)" = 'right right' ] || printf ' %s' "$name"
		! echo "$rule" | grep -Eq "$OWNERS" || [ "$(cat "$BLAME/$name.stacks" 2>/dev/null)" = 'right right' ] ||
			printf ' %s at stacks' "$name"
	done <"$LOG/rows"
}

# every_blame: what was really reported in this run, counted.
every_blame()
{
	to_blame >"$LOG/rows"
	number=$(wc -l <"$LOG/rows")
	owners=$(awk -v owners="$OWNERS" '$2 ~ owners' "$LOG/rows" | wc -l)
	[ "$number" -gt 0 ] || skip "no mutant is part of this run"
	while read -r name _; do await "$name"; done <"$LOG/rows"
	enough=y
	guard=$(share guard "$number" 90) || enough=
	stacks=$(share stacks "$owners" 100) || enough=
	[ -n "$enough" ] || fail "$guard; $stacks; at least 90 % and 100 % must be right, and are not:$(not_right)"
	pass "$number rows: $guard; $stacks"
}

# baseline WORDS: the workload without a mutant, once for all mutants that use it.
baseline()
{
	dir=$RUN/baseline-$(echo "$1" | tr -c 'a-z0-9\n' _ | cut -c 1-80)-$(echo "$1" | cksum | cut -d ' ' -f 1)
	mkdir -p "$dir"
	(
		flock 8
		# shellcheck disable=SC2086  # words
		[ -e "$dir/status" ] || boot "$dir" "$(config_of mutants "$1")" $1
	) 8>"$dir.lock"
	expected=
	case $1 in
	enomem* | *slub_debug=*) expected=$EXPECTED_SPLATS ;;
	*zoned=*) expected=$ZONED_SPLATS ;;
	esac
	judge_silent "$dir" on "$expected" || fail "the kernel with no mutant chosen is not silent"
	cp -r "$dir" "$LOG/not-chosen"
}

# counted NAME STAT: seen, counted, and no report.
counted()
{
	judge_no_report "$LOG/chosen" || fail "what is only to be counted was reported"
	[ "$(told "$LOG/chosen" "$2")" -ge 1 ] || fail "$2 was not counted"
	judge_ended "$LOG/chosen" || fail "the boot with the mutant did not end"
	judge_hits "$LOG/chosen" || fail "the mutant was not executed"
}

# boot_mutant DIR CONFIG WORKLOAD [WORD]...: some workloads meet what the mutant stands in by
# their timing.  A boot that ended well, without a report, and in which that line was never
# executed says nothing, and there is one more of it.
boot_mutant()
{
	boot "$@"
	if [ "$(status_of "$1")" = 0 ] && [ -z "$(reports "$1")" ] && ! judge_hits "$1" >/dev/null; then
		echo "the mutant was not executed: once more"
		boot "$@"
	fi
}

# reported NAME WORDS MAY_FAIL
reported()
{
	# shellcheck disable=SC2086  # words
	boot_mutant "$LOG/chosen" "$(config_of mutants "$2")" $2 "btrfs.eb_mutant=$1"
	case $(field "$1" 2) in
	'counted '*)
		stat=$(field "$1" 2)
		counted "$1" "${stat#counted }"
		return 0 ;;
	esac
	blamed "$1" guard "$LOG/chosen"
	judge_reported "$LOG/chosen" "$(field "$1" 2)" "$(field "$1" 3)" "$(field "$1" 5)" ||
		fail "the mutant is not reported as the table says"
	judge_ended "$LOG/chosen" "$3" || fail "the boot with the mutant did not end"
	judge_hits "$LOG/chosen" || fail "the mutant is reported but was not executed"
}

# with_stacks NAME WORDS MAY_FAIL: the same report, and where references were taken.
with_stacks()
{
	field "$1" 2 | grep -Eq "$OWNERS" || return 0
	# shellcheck disable=SC2086  # words
	boot_mutant "$LOG/stacks" "$(config_of mutants "$2")" $2 until=report "btrfs.eb_mutant=$1" btrfs.eb_debug=stacks
	blamed "$1" stacks "$LOG/stacks"
	judge_reported "$LOG/stacks" "$(field "$1" 2)" "$(field "$1" 3)" "$(field "$1" 5)" ||
		fail "the mutant is not reported as the table says at level stacks"
	judge_stacks "$LOG/stacks" "$(field "$1" 2)" "$(field "$1" 3)" ||
		fail "the report does not show where a reference was taken"
	judge_ended "$LOG/stacks" "$3" || fail "the boot at level stacks did not end"
	judge_hits "$LOG/stacks" || fail "the mutant is reported at level stacks but was not executed"
}

# unreported NAME WORDS MAY_FAIL: with the guard off nobody waits for a report.
unreported()
{
	# shellcheck disable=SC2086  # words
	boot_mutant "$LOG/guard-off" "$(config_of mutants "$2")" $2 "btrfs.eb_mutant=$1" btrfs.eb_debug=off
	judge_no_report "$LOG/guard-off" || fail "reported although the guard is off"
	judge_on "$LOG/guard-off" off || fail "the guard was not off"
	judge_ended "$LOG/guard-off" "$3" || fail "the boot with the guard off did not end"
	judge_hits "$LOG/guard-off" || fail "the mutant was not executed with the guard off"
}

# with_stack FUNCTION DIR: of each report about a reference that it has lost, whether the stack
# of who took it is there: "stack", another one's "other", or "none".
with_stack()
{
	clean "$2/console.log" | awk -v function_name="$1" '
		/it was taken at:/ { taken = 1 }
		taken && index($0, function_name "+0x") { named = 1 }
		/^BTRFS eb_debug: .* in / { mine = $NF == function_name }
		/^BTRFS eb_debug: rule=left_by_task/ && mine { print taken ? (named ? "stack" : "other") : "none" }
		/^BTRFS eb_debug: rule=/ { taken = named = mine = 0 }'
}

# in_one_mount: the second loss is told with the stack, and nothing after it.
in_one_mount()
{
	boot "$LOG/one-mount" mutants nowait smp=2 timeout=200 btrfs.eb_mutant=try_lock
	seen=$(with_stack btrfs_try_read_lock_root_node "$LOG/one-mount" | tr '\n' ' ')
	[ "$seen" = 'none stack ' ] || fail "in one mount the reports were: $seen"
	hits=$(told "$LOG/one-mount" mutant_hits)
	[ "$hits" -gt 2 ] || fail "the reference was lost $hits times only"
}

# second_time: the first loss makes a suspect, and from then on its stacks are kept.  Each
# mount begins anew to tell.
second_time()
{
	[ "$BASE" != 5.10 ] || skip "in this kernel only one error of copying a root can be had in a boot"
	boot "$LOG" mutants enomem part=trees want=1000 timeout=150 "$FAULT_CACHES" ignore_loglevel \
		btrfs.eb_mutant=copy_root
	with_stack btrfs_copy_root "$LOG" >"$LOG/reports"
	[ "$(head -n 1 "$LOG/reports")" = none ] || fail "the first report has a stack, or there is none"
	[ "$(sed -n 2p "$LOG/reports")" = stack ] || fail "the second report has no stack of btrfs_copy_root()"
	found=$(sed 1d "$LOG/reports" | grep -cv '^stack$') || :
	[ "$found" -eq 0 ] || fail "$found later reports have no stack of btrfs_copy_root(), see $LOG/reports"
	# Only this kernel forgets a reference so often.
	[ "$BASE" != 6.1 ] || in_one_mount
	pass "$(grep -c stack "$LOG/reports") of $(wc -l <"$LOG/reports") reports have the stack, all but the first"
}

run()
{
	[ "$1" != mutant-suspect ] || second_time
	[ "$1" != mutant-table ] || every_rule
	[ "$1" != mutant-blame ] || every_blame
	name=${1#mutant-}
	mkdir -p "$BLAME"
	words=$(field "$name" 4)
	case $words in
	'') die "there is no mutant '$name' for base $BASE" ;;
	not-run:*) skip "${words#not-run: }" ;;
	esac
	need_machine "$words"
	case $words in
	enomem*slub_debug=*) words="$words timeout=150 ignore_loglevel" ;;
	enomem*) words="$words timeout=150 $FAULT_CACHES ignore_loglevel" ;;
	esac
	may_fail=
	case " $words " in
	*' until=report '* | *' may_hang '*) may_fail=may-fail ;;
	esac
	# shellcheck disable=SC2086  # words
	{
		words=$(without may_hang $words)
		plain=$(without 'until=*' $words)
		stacks="$plain"
		case $plain in
		enomem*) ;;
		*) plain=$(without 'timeout=*' $plain) ;;
		esac
		off=$(without 'until=*' $words)
	}
	# What goes on for ever is ended there when the mutant was executed.
	[ -z "$may_fail" ] || off="$off until=hit"
	baseline "$plain"
	reported "$name" "$words" "$may_fail"
	with_stacks "$name" "$stacks" "$may_fail"
	unreported "$name" "$off" "$may_fail"
	seen=$(reports "$LOG/chosen" | head -n 1)
	pass "${seen:-$(field "$name" 2)}, executed $(told "$LOG/chosen" mutant_hits) times"
}

case_main list run prepare "$@"
