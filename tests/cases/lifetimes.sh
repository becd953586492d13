#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Things whose life ends while others still work with them: the module, a CPU, a file
# system of many, one that is frozen, and those of btrfs's own tests, which have no disk.
# The guard must stay silent, and nothing may be left.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# name | configuration | workload and options | what it proves
table()
{
	cat <<'END'
life-module  | module | module_life smp=2 timeout=900 mkfs=-n+4096 | btrfs.ko is loaded and unloaded 100 times under readers of the guard's files, and no memory is lost
life-freeze  | guard  | fs_freeze smp=2 | a file system is frozen and thawed under load, also with all tasks frozen
life-hotplug | guard  | cpu_hotplug smp=2 thread=single timeout=300 | a CPU goes and comes back under load, and what it has counted stays
life-many    | guard  | many_fs programs=mkfs.btrfs size=8G mem=1024 smp=2 timeout=500 | 64 file systems at once, and a half of them goes and comes
life-sanity  | guard+sanity | mount timeout=200 | the self-tests of btrfs pass, with buffers of file systems that do not exist
END
}

list()
{
	table | sed 's/ *| */|/g' | awk -F '|' '{ print $1 "\tno report on the unbroken kernel: " $4 }'
}

prepare()
{
	for name; do row "$name" 2; done | sort -u | while read -r config; do
		kernel "$config"
	done
}

# self_tests DIR: how many of btrfs's own tests have begun, in $tests; fails if one did not
# pass.  A test that fails says so, and btrfs is not there then.
self_tests()
{
	! clean "$1/console.log" | grep -E 'BTRFS: selftest: .*(error|fail|expected)' ||
		fail "a test of btrfs did not pass, see $1/console.log"
	tests=$(clean "$1/console.log" | grep -c 'BTRFS: selftest: running ' || :)
}

# run_sanity: at the default level and with all that the guard can record.
run_sanity()
{
	for level in guard stacks; do
		dir=$LOG/$level
		boot "$dir" guard+sanity mount timeout=200 "btrfs.eb_debug=$level"
		judge_silent "$dir" || exit 1
		[ "$(told "$dir" level)" = "$level" ] || fail "the guard is not at level $level"
		self_tests "$dir"
		sizes=$(clean "$dir/console.log" | grep -c 'BTRFS: selftest: sectorsize: ')
		[ "$sizes" -ge 3 ] || fail "tests of btrfs were seen with $sizes sizes of nodes"
		[ "$tests" -ge $((sizes * 10)) ] ||
			fail "only $tests tests of btrfs with $sizes sizes of nodes were seen"
		# Without the tests a mount makes less.
		[ "$(told "$dir" free)" -ge 100 ] || fail "only $(told "$dir" free) buffers were freed"
	done
	pass "$tests tests of btrfs with $sizes sizes of nodes at 2 levels, $(told "$dir" free) buffers freed, 0 reports"
}

run()
{
	[ "$1" != life-sanity ] || run_sanity
	words=$(row "$1" 3)
	[ -n "$words" ] || die "there is no test '$1'"
	# shellcheck disable=SC2086  # a workload and its options
	boot "$LOG" "$(row "$1" 2)" $words
	judge_silent "$LOG" || exit 1
	growth=$(told "$LOG" memory_growth)
	pass "${growth:+$growth kB more memory, }$(reached "$LOG")$(figures "$LOG")"
}

case_main list run prepare "$@"
