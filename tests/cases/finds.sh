#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Mistakes of btrfs that the guard has found.  Each is two boots of the same
# workload: the kernel as it is, reported as the table says, or dead; with
# patches/<base>/fixes, silent, and the file system can be used.  Both must have
# reached the way on which the mistake is made.  An allocation fails there, or a
# trylock, which may fail at any time: the points let it.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# What makes a buffer that no tree has.
dummy=__alloc_dummy_extent_buffer
[ "$BASE" != 7.x ] || dummy=alloc_dummy_extent_buffer

# "oops" is no rule: the kernel dies below that function, and the guard has no word.
#
# name | rule | function | configuration | workload and options | what it proves
table()
{
	cat <<'END_TABLE'
find-drop-subtree | left_by_task | do_relocation | guard | drop_subtree slub_debug=A,btrfs_path step=10 mkfs=-n+4096 | btrfs_drop_subtree() without memory leaves a block locked
find-reloc-ref    | left_by_task | do_relocation | guard | reloc_ref slub_debug=A,btrfs_delayed_tree_ref,btrfs_delayed_ref_node,btrfs_delayed_ref_head step=7 mkfs=-n+4096 | do_relocation() that can't count a reference leaves a block locked
find-next-leaf-nowait | left_by_task | btrfs_next_old_leaf | points | next_leaf alone=1 mkfs=-n+4096 | btrfs_next_old_leaf() forgets a leaf that it can't lock without waiting
END_TABLE
	cat <<END_TABLE
find-dummy-buffer | oops | $dummy | guard | dummy_buffer callee=$dummy machine=arm64-64k mkfs=-n+16384 slub_debug=A,kmalloc-* oops=panic timeout=500 | a mount that has no memory looks for the lock of a page's mapping, and the page has none
END_TABLE
	# Newer kernels wait for the reads, and older ones lock the pages meanwhile.
	[ "$BASE" != 6.12 ] || cat <<'END_TABLE'
find-reads-at-unmount | buffer_leaked | read_extent_buffer_pages_nowait | guard | reads_at_unmount throttle=40 smp=2 mkfs=-n+4096 | the file system is freed while a block of it is read, and the end of the read crashes
END_TABLE
}

# absent: what a base does not have: base, test, why.
absent()
{
	cat <<'END'
5.10 find-drop-subtree an error of btrfs_drop_subtree() is a BUG_ON() in do_relocation()
5.10 find-reloc-ref an error of btrfs_inc_extent_ref() is a BUG_ON() in do_relocation()
5.10 find-next-leaf-nowait no search of this kernel must not wait
5.10 find-dummy-buffer a page of a buffer that no tree has needs no memory
END
}

list()
{
	table | sed 's/ *| */|/g' | awk -F '|' '{ print $1 "\treported, and fixed: " $6 }'
}

why_not() { absent | sed -n "s/^$BASE $1 //p"; }

prepare()
{
	for name; do
		[ -z "$(why_not "$name")" ] || continue
		prepare_kernel "$(row "$name" 4)" "$(row "$name" 5)"
		prepare_kernel "$(fixed "$(row "$name" 4)")" "$(row "$name" 5)"
	done
}

# judge_oops DIR FUNCTION: the kernel died of a NULL pointer in or below that function.
judge_oops()
{
	[ "$(status_of "$1")" = 3 ] || { wrong "$1" "the kernel did not panic"; return 1; }
	[ -z "$(reports "$1")" ] || { wrong "$1" "a report where there must be none"; return 1; }
	clean "$1/console.log" | awk -v func_name="$2" '
		/NULL pointer dereference/ { oops = 1 }
		oops && $0 ~ "^(pc : | )" func_name "[+]" { found = 1 }
		END { exit !found }' || wrong "$1" "no NULL pointer was followed below $2()"
}

# judge_reached DIR: what failed was what is meant to fail.
judge_reached()
{
	grep -q '^check hit 1 1 ok' "$1/verdict.log" || wrong "$1" "the way of the mistake was not reached"
}

# unfixed NAME: the kernel as it is.
unfixed()
{
	if [ "$(row "$1" 2)" = oops ]; then
		judge_oops "$LOG/unfixed" "$(row "$1" 3)"
	else
		judge_reported "$LOG/unfixed" "$(row "$1" 2)" "$(row "$1" 3)" - &&
		judge_reached "$LOG/unfixed"
	fi
}

run()
{
	why=$(why_not "$1")
	[ -z "$why" ] || skip "$why"
	config=$(row "$1" 4)
	words=$(row "$1" 5)
	[ -n "$words" ] || die "there is no test '$1'"
	need_machine "$words"
	# shellcheck disable=SC2086  # a workload and its options
	boot "$LOG/unfixed" "$config" $words until=report
	unfixed "$1" || exit 1
	# shellcheck disable=SC2086
	boot "$LOG/fixed" "$(fixed "$config")" $words
	judge_silent "$LOG/fixed" on "$EXPECTED_SPLATS" || exit 1
	judge_reached "$LOG/fixed" || exit 1
	said=$(reports "$LOG/unfixed" | head -n 1)
	pass "${said:-dead}; fixed: $(figures "$LOG/fixed")"
}

case_main list run prepare "$@"
