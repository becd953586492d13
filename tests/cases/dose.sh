#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Dose and response, with few and short doses; "make dose" takes half an hour for it.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		dose 'longer delays are felt and repaired, never reported, and not felt at all with the fix of the race'
}

prepare()
{
	kernel points
	kernel "$(fixed points)"
}

run()
{
	[ "$1" = dose ] || die "there is no test '$1'"
	SERIES='reads others fixed' DOSES='0 2000' SECONDS_EACH=15 "$TOP/tests/dose/run" || fail "the response is not what it should be"
	pass "$(awk -F , '$1 == "reads" { text = text sprintf("%s us: %d of %d releases, ", $2, $7, $6) }
		$1 == "fixed" { fixed += $6; n += $7 }
		END { print text "fixed: " n " of " fixed }' "$EBDEBUG_CACHE/log/dose/$BASE.csv")"
}

case_main list run prepare "$@"
