#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The mutants of tests/mutants/table: real call sites of btrfs with one mistake.
# Each is three boots of one kernel: not chosen, the workload is silent; chosen,
# the report is the one that the table says, with no other before it; chosen
# with the guard off, the mistake happens and nothing is reported.
#
# Words among the options that are for us:
#   until=report   the guest is stopped after the report; it may hang later
#   may_hang       the workload may fail or hang, for the mistake is a real one
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

TABLE=$TOP/tests/mutants/table

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
	rows | awk -F '|' '{ print "mutant-" $1 "\t" $2 " in " $3 ": " $6 }'
}

prepare() { kernel mutants; }

# every_rule: the names in the guard's sources against those in the table.
every_rule()
{
	missing=
	n=0
	for rule in $(awk '/^\tEB_RULE_/ { print tolower(substr($1, 9)) }' "$TOP/fs/btrfs/eb_debug_internal.h" | tr -d ,); do
		case $rule in
		none | count) continue ;;
		esac
		n=$((n + 1))
		grep -q "\"$rule\"" "$TOP/fs/btrfs/eb_debug_report.c" || fail "rule $rule has no name in eb_debug_report.c"
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

# baseline WORDS: the workload without a mutant, once for all mutants that use it.
baseline()
{
	dir=$RUN/baseline-$(echo "$1" | tr -c 'a-z0-9\n' _)
	mkdir -p "$dir"
	(
		flock 8
		# shellcheck disable=SC2086  # words
		[ -e "$dir/status" ] || boot "$dir" mutants $1
	) 8>"$dir.lock"
	expected=
	case $1 in
	enomem*) expected=$EXPECTED_SPLATS ;;
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

# reported NAME WORDS MAY_FAIL
reported()
{
	# shellcheck disable=SC2086  # words
	boot "$LOG/chosen" mutants $2 "btrfs.eb_mutant=$1"
	case $(field "$1" 2) in
	'counted '*)
		stat=$(field "$1" 2)
		counted "$1" "${stat#counted }"
		return 0 ;;
	esac
	judge_reported "$LOG/chosen" "$(field "$1" 2)" "$(field "$1" 3)" "$(field "$1" 5)" ||
		fail "the mutant is not reported as the table says"
	judge_ended "$LOG/chosen" "$3" || fail "the boot with the mutant did not end"
	judge_hits "$LOG/chosen" || fail "the mutant is reported but was not executed"
}

# unreported NAME WORDS MAY_FAIL: with the guard off nobody waits for a report.
unreported()
{
	# shellcheck disable=SC2086  # words
	boot "$LOG/guard-off" mutants $2 "btrfs.eb_mutant=$1" btrfs.eb_debug=off
	judge_no_report "$LOG/guard-off" || fail "reported although the guard is off"
	judge_ended "$LOG/guard-off" "$3" || fail "the boot with the guard off did not end"
	judge_hits "$LOG/guard-off" || fail "the mutant was not executed with the guard off"
}

run()
{
	[ "$1" != mutant-table ] || every_rule
	name=${1#mutant-}
	words=$(field "$name" 4)
	case $words in
	'') die "there is no mutant '$name' for base $BASE" ;;
	not-run:*) skip "${words#not-run: }" ;;
	esac
	case $words in
	enomem*) words="$words timeout=60 $FAULT_CACHES" ;;
	esac
	may_fail=
	case " $words " in
	*' until=report '* | *' may_hang '*) may_fail=may-fail ;;
	esac
	# shellcheck disable=SC2086  # words
	{
		words=$(without may_hang $words)
		plain=$(without 'until=*' $words)
		case $plain in
		enomem*) ;;
		*) plain=$(without 'timeout=*' $plain) ;;
		esac
		off=$(without 'until=*' $words)
	}
	case $may_fail$off in
	may-fail*timeout=*) ;;
	may-fail*) off="$off timeout=15" ;;
	esac
	baseline "$plain"
	reported "$name" "$words" "$may_fail"
	unreported "$name" "$off" "$may_fail"
	seen=$(reports "$LOG/chosen" | head -n 1)
	pass "${seen:-$(field "$name" 2)}, executed $(told "$LOG/chosen" mutant_hits) times"
}

case_main list run prepare "$@"
