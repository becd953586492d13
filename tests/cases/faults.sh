#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The unbroken kernel on its error paths: requests that fail, allocations that
# fail one after the other, functions that fail, a machine that loses its power.
# The guard must stay silent there too, and the workload must reach them.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# name | workload and options | what it proves
table()
{
	cat <<'END'
silent-dm-read-error   | dm_read_error                      | reads fail in a part of the disk, everywhere, and of one copy
silent-dm-write-error  | dm_write_error                     | commits fail by errors of all or of a part of the disk
silent-dm-lost-write   | dm_lost_write                      | blocks that never arrived are read again
silent-shutdown        | shutdown                           | the file system is shut down with changed blocks in memory
silent-error-in-commit | error_in_commit mkfs=-n+4096       | the file system is in error while a commit writes its blocks
silent-enomem-files    | enomem part=files want=800     | each allocation fails once in operations on files
silent-enomem-trees    | enomem part=trees want=900      | the same with subvolumes, quotas, send, searches
silent-enomem-chunks   | enomem part=chunks want=220 | the same with scrub, balance, resizing
silent-enomem-guard    | enomem part=guard want=70 config=mutants-points btrfs.eb_debug=stacks | the same with the files, levels and histories of the guard itself
silent-no-pages        | no_pages btrfs.eb_debug=guard | tables of the guard can't be had, for a level and for a reader: ENOMEM, and all is as before
silent-enomem-mounts   | enomem part=mounts want=450   | the same with mounts, replay of a log, unmounts
silent-enomem-random   | enomem_random want=10000 btrfs.eb_debug=stacks size=4G timeout=1400 slub_debug=A,btrfs_*,kmalloc-8,kmalloc-16,kmalloc-32,kmalloc-96,kmalloc-128,kmalloc-192,kmalloc-256,kmalloc-512,kmalloc-1k,kmalloc-2k,kmalloc-4k,radix_tree_node,bio-*,biovec-* | 10,000 allocations fail by chance, in operations on files and trees
silent-refused-mounts  | mounts_refused disks=2 want=300 timeout=600 | mounts fail at each step, with many errors, and leave no buffer
silent-vanish          | vanish disks=2 together=y mkfs=-m+raid1+-d+raid1 smp=2 timeout=300 | disks are pulled out under load, one of two, then both, and put in again
silent-power-off       | power_cuts config=guard+nullblk null_blk.nr_devices=0 programs=btrfs size=512M mem=1024 smp=2 timeout=1300 | the power goes off at 100 random moments: btrfs check passes, and what was forced to disk is there
END
}

# silent-enomem-random has no kmalloc-64: clear_state_bit() has BUG_ON(ret < 0) for a node
# of a ulist that can't be had, and only a second fault in the same operation comes there.

# of_base: workloads and options that are others on a base: base, name, words.  In
# 5.10 fewer allocations may fail, a clone of more than one page that can't be had and,
# in relocation, an inode that can't be had crash the kernel, and a mount that goes on with a backup root may use a root that
# is not there.  On 7.3 a transaction that is aborted while the file system shrinks can
# leave a disk that is not mounted again: its total bytes are not those of its devices.
of_base()
{
	cat <<'END'
5.10 silent-enomem-files enomem part=files want=300 mkfs=-n+4096
5.10 silent-enomem-trees enomem part=trees want=300 mkfs=-n+4096 slub_debug=A,kmalloc-8,radix_tree_node,bio-*,biovec-*,btrfs_trans_handle,btrfs_prelim_ref
5.10 silent-enomem-chunks enomem part=chunks want=220 mkfs=-n+4096 slub_debug=A,kmalloc-8,kmalloc-16,kmalloc-32,kmalloc-64,kmalloc-128,kmalloc-192,kmalloc-256,kmalloc-512,kmalloc-1k,kmalloc-2k,kmalloc-4k,radix_tree_node,bio-*,biovec-*,btrfs_trans_handle,btrfs_delayed_extent_op,btrfs_delayed_node,btrfs_prelim_ref,btrfs_free_space,btrfs_extent_map,btrfs_ordered_extent
5.10 silent-enomem-mounts enomem part=mounts want=300 skip=mount_options mkfs=-n+4096
7.x silent-enomem-chunks enomem part=chunks want=60 skip=shrink
END
}

list()
{
	printf 'expected-splats\tjudge: a warning that a test expects is no trouble, any other is\n'
	printf 'silent-log-replay\tno report on the unbroken kernel: the power goes off, and the log brings all back\n'
	table | sed 's/ *| */|/g' | awk -F '|' '{ print $1 "\tno report on the unbroken kernel: " $3 }'
}

prepare()
{
	for name; do
		case $name in silent-*) config_of guard "$(row "$name" 2)" ;; esac
	done | sort -u | while read -r config; do
		kernel "$config"
	done
}

# splat WHERE [LINE] [MESSAGE]: a warning as the kernel prints it.
splat()
{
	echo '[    1.000000] ------------[ cut here ]------------'
	[ -z "${3:-}" ] || echo "[    1.000000] $3"
	echo "[    1.000000] WARNING: CPU: 0 PID: 22 at $1+0xca/0xe0"
	[ -z "${2:-}" ] || echo "[    1.000000] $2"
	echo '[    1.000000] Call Trace:'
	echo '[    1.000000] ---[ end trace 0000000000000000 ]---'
}

# fault: the stack of an allocation that fails as it was told to.
fault()
{
	echo '[    1.000000] FAULT_INJECTION: forcing a failure.'
	echo '[    1.000000] name failslab, interval 1, probability 0, space 0, times 1'
	echo '[    1.000000] Call Trace:'
}

# lines_of_trouble EXPECTED: in the console that is given on stdin.
lines_of_trouble()
{
	cat >"$LOG/console.log"
	trouble "$LOG" "$1" | wc -l
}

run_expected()
{
	known='fs/btrfs/space-info.h:191 btrfs_space_info_update_bytes_may_use'
	[ "$(splat "$known" | lines_of_trouble "$EXPECTED_SPLATS")" -eq 0 ] || fail "what is expected is trouble"
	[ "$(splat "$known" | lines_of_trouble '')" -eq 2 ] || fail "it is no trouble where it is not expected"
	[ "$(splat 'fs/btrfs/inode.c:191 btrfs_evict_inode' | lines_of_trouble "$EXPECTED_SPLATS")" -eq 2 ] ||
		fail "another warning is no trouble"
	[ "$(splat "$known" 'kernel BUG at fs/btrfs/ctree.c:1!' | lines_of_trouble "$EXPECTED_SPLATS")" -eq 3 ] ||
		fail "a BUG behind an expected warning is no trouble"
	[ "$({ splat "$known"; echo 'BUG: unable to handle page fault'; } | lines_of_trouble "$EXPECTED_SPLATS")" -eq 1 ] ||
		fail "a BUG after an expected warning is no trouble"
	aborted='BTRFS: Transaction aborted (error -17)'
	other='fs/btrfs/qgroup.c:1042 btrfs_quota_enable'
	[ "$(splat "$other" '' "$aborted" | lines_of_trouble "$EXPECTED_SPLATS")" -eq 0 ] ||
		fail "an aborted transaction is trouble where something fails"
	[ "$(splat "$other" '' "$aborted" | lines_of_trouble '')" -eq 2 ] ||
		fail "an aborted transaction is no trouble where nothing fails"
	[ "$({ splat "$other" '' "$aborted"; splat "$other"; } | lines_of_trouble "$EXPECTED_SPLATS")" -eq 2 ] ||
		fail "a warning after that of an aborted transaction is no trouble"
	# Newer kernels say it behind the warning; the first line may be held back.
	newer='fs/btrfs/qgroup.c:1077 at btrfs_quota_enable'
	first='BTRFS error (device vda state A): Transaction 127 aborted (-17)'
	second='BTRFS: error (device vda state A) in btrfs_quota_enable:1077: errno=-17 Object already exists'
	[ "$({ splat "$newer"; echo "$first"; echo "$second"; } | lines_of_trouble "$EXPECTED_SPLATS")" -eq 0 ] ||
		fail "an aborted transaction of a newer kernel is trouble where something fails"
	[ "$({ splat "$newer"; echo "$second"; } | lines_of_trouble "$EXPECTED_SPLATS")" -eq 0 ] ||
		fail "an aborted transaction of which one line is held back is trouble"
	[ "$({ splat "$newer"; echo "$second"; } | lines_of_trouble '')" -eq 2 ] ||
		fail "an aborted transaction of a newer kernel is no trouble where nothing fails"
	[ "$({ splat "$newer"; echo "$second" | sed 's/:1077:/:1078:/'; } | lines_of_trouble "$EXPECTED_SPLATS")" -eq 2 ] ||
		fail "a warning at another line than that of an aborted transaction is no trouble"
	[ "$({ splat "$newer"; splat "$newer"; echo "$second"; } | lines_of_trouble "$EXPECTED_SPLATS")" -eq 2 ] ||
		fail "a warning before that of an aborted transaction is no trouble"
	[ "$({ splat "$newer" 'kernel BUG at fs/btrfs/ctree.c:1!'; echo "$second"; } | lines_of_trouble "$EXPECTED_SPLATS")" -eq 3 ] ||
		fail "a BUG before an aborted transaction is no trouble"
	[ "$(splat "$newer" | lines_of_trouble "$EXPECTED_SPLATS")" -eq 2 ] || fail "a warning at the end is no trouble"
	[ "$(fault | lines_of_trouble '')" -eq 0 ] || fail "the stack of a fault that was asked for is trouble"
	[ "$({ fault; echo 'Call Trace:'; } | lines_of_trouble '')" -eq 1 ] ||
		fail "a stack after that of a fault is no trouble"
	pass "17 consoles judged"
}

# injections DIR: the words about faults, for the line of a test that passed, or about
# what else was reached.
injections()
{
	count=$(awk '$1 == "check" && $2 == "injections" { print $3 }' "$1/verdict.log")
	[ -n "$count" ] || { reached "$1"; return 0; }
	echo "$count faults, $(told "$1" aborted) transactions aborted, "
}

# run_replay: two boots with one disk, between which the power goes off.
run_replay()
{
	power_disk=$LOG/power.img
	rm -f "$power_disk"
	trap 'rm -f "$power_disk"' EXIT
	boot "$LOG/off" guard power_off power=off "disk=$power_disk"
	judge_no_report "$LOG/off" && judge_ended "$LOG/off" || exit 1
	found=$(trouble "$LOG/off" | head -n 3)
	[ -z "$found" ] || fail "a warning before the power went off: $found"
	boot "$LOG/on" guard log_replay "disk=$power_disk"
	judge_silent "$LOG/on" || exit 1
	pass "$(figures "$LOG/on")"
}

# expected NAME: what that test expects.  After several faults in one operation btrfs may
# forget a reference to an inode, as it does after one in btrfs_link(): "Busy inodes".
expected()
{
	[ "$1" != silent-enomem-random ] || printf '%s|' 'fs/super[.]c:[0-9]+( at)? generic_shutdown_super[+]'
	echo "$EXPECTED_SPLATS"
}

run()
{
	case $1 in
	expected-splats) run_expected ;;
	silent-log-replay) run_replay ;;
	esac
	words=$(of_base | sed -n "s/^$BASE $1 //p")
	[ -n "$words" ] || words=$(row "$1" 2)
	[ -n "$words" ] || die "there is no test '$1'"
	[ "$words" != shutdown ] ||
		grep -q BTRFS_IOC_SHUTDOWN "$("$TOP/tools/tree" "$BASE" guard)/include/uapi/linux/btrfs.h" ||
		skip "this kernel has no BTRFS_IOC_SHUTDOWN"
	[ "${words%% *}" != error_in_commit ] ||
		grep -q 'ALLOW_ERROR_INJECTION(btrfs_cow_block,' "$("$TOP/tools/tree" "$BASE" guard)/fs/btrfs/ctree.c" ||
		skip "btrfs_cow_block() can't be made to fail in this kernel"
	case $words in
	*slub_debug=*) ;;
	*) words="$words $FAULT_CACHES" ;;
	esac
	case $words in
	*' timeout='*) ;;
	*) words="$words timeout=150" ;;
	esac
	# An aborted transaction says why at a level that is not shown otherwise.
	# shellcheck disable=SC2086  # a workload and its options
	boot "$LOG" "$(config_of guard "$words")" $words ignore_loglevel
	judge_silent "$LOG" on "$(expected "$1")" || exit 1
	pass "$(injections "$LOG")$(figures "$LOG")"
}

case_main list run prepare "$@"
