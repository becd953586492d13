#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Races, replayed step by step by the points of CONFIG_BTRFS_EB_DEBUG_POINTS, with two
# CPUs and with operations on files.  A test is some boots of the same workload, each
# of another kernel or with the guard off, and each must end as its row says: dead by a
# BUG() below that function, or alive, with all files there afterwards.  A fixed kernel
# must have come as far as its fix lets it, so often.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# name | workload and options of all boots | what it proves
table()
{
	cat <<'END_TABLE'
race-release-dirty | release_dirty size=128M mkfs=-n+4096+-m+single | reclaim clears TREE_REF of a buffer that was found and made dirty since it looked, and the dirty buffer is freed
race-write-root    | write_root size=128M mkfs=-n+4096+-m+single | a tree block that lost TREE_REF like that, and lives on as a root, is freed while it is written, unless writes check TREE_REF too
END_TABLE
	# Where a read has a reference of its own, a lost TREE_REF kills nobody.
	case $BASE in
	5.10 | 6.1) cat <<'END_TABLE' ;;
race-readahead-2020 | readahead_2020 mkfs=-n+4096+-m+single throttle=20 | the crash that made check_buffer_tree_ref() part of reads, as its changelog tells it
END_TABLE
	esac
	[ "$BASE" != 6.12 ] || cat <<'END_TABLE'
race-release-dirty-kasan | release_dirty size=128M mkfs=-n+4096+-m+single mem=1024 | the first under KASAN, which has no word: it ends in a BUG() before anything is freed
END_TABLE
	# A page of 64 KiB, on arm64, has many blocks, which are read by a path of their own.
	[ "$BASE" != 6.1 ] || cat <<'END_TABLE'
race-readahead-2020-subpage | readahead_2020_subpage machine=arm64-64k mkfs=-n+4096+-m+single throttle=20 | the same where a page has many blocks
race-read-subpage | read_subpage machine=arm64-64k mkfs=-n+4096+-m+single throttle=20 | there a read with its dance fits between reclaim's test and its clear, and the buffer is freed under IO
END_TABLE
}

# The boots of a test, in order, as kernel() and judge_reported() take them; "-" is no
# report, and none of another rule.
#
# name | boot | kernel | rule | function | also | how it ends | options
boots()
{
	cat <<'END_TABLE'
race-release-dirty  | as-it-is | points | tree_ref_cleared_under_io | try_release_extent_buffer | - | dead free_extent_buffer | until_put=1 refusals=100
race-release-dirty  | off      | points | - | - | - | dead free_extent_buffer | until_put=1 refusals=100 btrfs.eb_debug=off
race-release-dirty  | fixed    | points@fixes | - | - | - | alive |
race-release-dirty-kasan | as-it-is | kasan-points | tree_ref_cleared_under_io | try_release_extent_buffer | - | dead free_extent_buffer | until_put=1 refusals=100 timeout=400 seconds=300
race-write-root     | as-it-is | points | tree_ref_cleared_under_io | try_release_extent_buffer | - | dead release_extent_buffer | refusals=100
race-write-root     | off      | points | - | - | - | dead release_extent_buffer | refusals=100 btrfs.eb_debug=off
race-write-root     | dance    | points@dance | tree_ref_cleared_under_io | try_release_extent_buffer | - | alive | refusals=100
race-write-root     | fixed    | points@fixes | - | - | - | alive | refusals=3
race-readahead-2020 | as-it-was | mutants-points | io_without_dance | read_extent_buffer_pages | - | dead btrfs_release_extent_buffer_pages | btrfs.eb_mutant=read_dance btrfs.eb_mutant_deadly=1
race-readahead-2020 | off       | mutants-points | - | - | - | dead btrfs_release_extent_buffer_pages | btrfs.eb_mutant=read_dance btrfs.eb_mutant_deadly=1 btrfs.eb_debug=off
race-readahead-2020 | as-it-is  | mutants-points | - | - | - | alive |
race-readahead-2020-subpage | as-it-was | mutants-points | io_without_dance | read_extent_buffer_subpage | - | dead btrfs_release_extent_buffer_pages | btrfs.eb_mutant=read_dance_subpage btrfs.eb_mutant_deadly=1
race-readahead-2020-subpage | off       | mutants-points | - | - | - | dead btrfs_release_extent_buffer_pages | btrfs.eb_mutant=read_dance_subpage btrfs.eb_mutant_deadly=1 btrfs.eb_debug=off
race-readahead-2020-subpage | as-it-is  | mutants-points | - | - | - | alive |
race-read-subpage | as-it-is | mutants-points | freed_under_io | btrfs_readahead_tree_block | - | dead btrfs_release_extent_buffer_pages | refusals=100
race-read-subpage | off      | mutants-points | - | - | - | dead btrfs_release_extent_buffer_pages | refusals=100 btrfs.eb_debug=off
race-read-subpage | fixed    | points@fixes | - | - | - | alive |
END_TABLE
}

list()
{
	table | sed 's/ *| */|/g' | awk -F '|' '{ print $1 "\treplayed: " $3 }'
}

prepare()
{
	for name; do
		boots | sed 's/ *| */|/g' | awk -F '|' -v name="$name" -v words="$(row "$name" 2)" \
			'$1 == name { print $3, words }'
	done | sort -u | while read -r config words; do
		prepare_kernel "$config" "$words"
	done
}

# judge_dead DIR RULE FUNCTION: the kernel panicked by a BUG() in or below that function,
# and a report of that rule was there before.
judge_dead()
{
	[ "$(status_of "$1")" = 3 ] || { wrong "$1" "the kernel did not panic"; return 1; }
	said=$(clean "$1/console.log" | awk -v rule="$2" -v func_name="$3" '
		!bug && /^BTRFS eb_debug: rule=/ && $3 == "rule=" rule { warned = 1 }
		/^kernel BUG at fs\/btrfs\// { bug = 1 }
		bug && $0 ~ "^( |RIP: [0-9a-f]*:)" func_name "([.][a-z0-9.]+)?[+]" { found = 1 }
		END {
			if (!found) print "there is no BUG() below " func_name "()"
			else if (rule != "-" && !warned) print "the report did not come before the BUG()"
		}')
	[ -z "$said" ] || wrong "$1" "$said"
}

# judge_kasan DIR: the sanitizer was on, and has found nothing.
judge_kasan()
{
	clean "$1/console.log" | grep -q '^kasan: KernelAddressSanitizer initialized' ||
		{ wrong "$1" "KASAN was not on"; return 1; }
	! clean "$1/console.log" | grep -q 'BUG: KASAN' || wrong "$1" "KASAN has a word"
}

# judge DIR RULE FUNCTION ALSO END OPTIONS: as the row of the boot says.
judge()
{
	if [ "$2" != - ]; then
		judge_reported "$1" "$2" "$3" "$4" || return 1
	elif [ -n "$(reports "$1")" ]; then
		wrong "$1" "a report where there must be none"
		return 1
	fi
	case $5:$2:$6 in
	dead*) judge_dead "$1" "$2" "${5#dead }" ;;
	alive:-:*eb_debug=off*) judge_silent "$1" off ;;
	alive:-:*) judge_silent "$1" ;;
	*) judge_ended "$1" && no_trouble "$1" ;;
	esac
}

# no_trouble DIR: beside the guard's reports the kernel warns of nothing.
no_trouble()
{
	said=$(trouble "$1" | head -n 3)
	[ -z "$said" ] || wrong "$1" "beside the report: $said"
}

# told_of DIR: what one boot did, for the line of the test.
told_of()
{
	first=$(reports "$1" | head -n 1)
	if [ "$(status_of "$1")" = 3 ]; then
		echo "${first:-no report}, dead"
	else
		kept=$(awk '$1 == "check" && $2 ~ /^(kept|refused)$/ { print $3 }' "$1/verdict.log")
		echo "${first:-no report}, alive${kept:+, kept $kept times}, $(told "$1" repairs) repairs"
	fi
}

run()
{
	words=$(row "$1" 2)
	[ -n "$words" ] || die "there is no test '$1'"
	need_machine "$words"
	sum=
	boots | sed 's/ *| */|/g' | grep "^$1|" >"$LOG/boots"
	while IFS='|' read -r _ name config rule func also end options <&3; do
		# shellcheck disable=SC2086  # a workload and its options
		boot "$LOG/$name" "$config" $words smp=2 oops=panic timeout=200 $options 3<&-
		judge "$LOG/$name" "$rule" "$func" "$also" "$end" "$options" || exit 1
		case $config in
		kasan-*) judge_kasan "$LOG/$name" || exit 1 ;;
		esac
		sum="$sum${sum:+; }$name: $(told_of "$LOG/$name")"
	done 3<"$LOG/boots"
	pass "$sum"
}

case_main list run prepare "$@"
