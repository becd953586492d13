#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the guard costs, in instructions of the guest.  The kernels that it is
# compared with are measured by "make perf" only.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		perf 'no level of the guard costs more than its limit, in instructions and in memory; says which target is missed'
}

prepare()
{
	kernel perf-none
	kernel perf-guard
}

run()
{
	[ "$1" = perf ] || die "there is no test '$1'"
	ROUNDS=1 "$TOP/tests/perf/run" -q || fail "a level costs more than its limit"
	pass "$(awk '$2 == "perf_rounds" { is[$1] = $3 }
		END { n = split("off guard history stacks", level, " ")
		  for (i = 1; i <= n; i++) if (level[i] in is)
			printf "%s %+.2f %%  ", level[i], (is[level[i]] / is["none"] - 1) * 100 }' \
		"$EBDEBUG_CACHE/log/perf/medians"); targets missed: $(wc -l <"$EBDEBUG_CACHE/log/perf/missed")"
}

case_main list run prepare "$@"
