#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The long run, short; `make soak HOURS=n` is the long one.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		soak 'stress-ng, fio, snapshots, balance, defragmentation and reclaim at once, three minutes of them, no report' \
		soak-errors 'a time that is none is refused by its name'
}

prepare()
{
	case " $* " in
	*' soak '*) "$TOP/tools/image" && kernel soak ;;
	esac
}

soak()
{
	SECONDS_EACH=60 "$TOP/tests/soak/run" 0.05 >"$LOG/out" 2>"$LOG/err" || {
		tail -n 20 "$LOG/out" "$LOG/err"
		fail "the long run does not hold"
	}
	pass "$(tail -n 1 "$LOG/out")"
}

errors()
{
	for hours in '' x 1h -1 0 . 1.2.3; do
		status=0
		"$TOP/tests/soak/run" "$hours" >"$LOG/out" 2>"$LOG/err" || status=$?
		[ "$status" -eq 1 ] || fail "'$hours' hours: status $status"
		grep -q 'usage: tests/soak/run HOURS' "$LOG/err" || fail "'$hours' hours: it is not said what to do"
		[ -z "$hours" ] || grep -qF "'$hours'" "$LOG/err" || fail "'$hours' is not named"
	done
	pass "7 times refused"
}

run()
{
	case $1 in
	soak) soak ;;
	soak-errors) errors ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
