#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Much of everything: buffers, owners, CPUs, leaked references.  What is measured is
# instructions of the guest, under icount one a nanosecond, or two with several CPUs.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# What a file of the guard may take, in microseconds, and how long its lock may be held, in
# nanoseconds.
FILE_US=2000000
HELD_NS=1000000
# What a get and put may cost more with more of anything, in percent: tasks that take turns on
# a CPU come to their lists anew.
MORE_PERCENT=10
# Lines that an unmount may print, whatever is left.
LINES=100
# Tree blocks that are read, the files that they are made of, and the room to make them.
BLOCKS=1000000
FILES=990000
FILE_SIZE=3000
NEED_MB=12000
# The numbers of CPUs with which a get and put are measured; all of them are one thread of QEMU.
CPUS=${CPUS:-1 2 4 8}

list()
{
	printf '%s\t%s\n' \
		scale-buffers 'a million blocks are read and stay: each file of the guard takes 2 s at most, and no lock is held for 1 ms; what a buffer takes of memory' \
		scale-leaks '100,000 references are leaked: the report at unmount is short and ranked, no lock is held for 1 ms, and the machine goes on' \
		scale-cost 'a get and put costs the same with 1, 2, 4 and 8 CPUs, 1,000 and 100,000 live buffers, one owner and 96, of one block or each of its own'
}

prepare() { kernel scale; }

# counted DIR WORKLOAD [WORD]...: a boot whose time is instructions.
counted()
{
	log=$1
	load=$2
	shift 2
	boot "$log" scale "$load" icount=y limit=1400 timeout=1400 nokaslr norandmaps "$@"
}

# most DIR PREFIX LIMIT: none of these figures is above that.
most()
{
	found=$(awk -v prefix="$2" -v max="$3" 'index($1, prefix) == 1 && $2 > max' "$1/verdict.log" | tr '\n' ';')
	[ -z "$found" ] || fail "above $3: $found"
}

# figures_of DIR PREFIX: all these figures, for the line of a test that passed.
figures_of()
{
	awk -v prefix="$2" 'index($1, prefix) == 1 { printf "%s%s %s", n++ ? ", " : "", substr($1, length(prefix) + 1), $2 }' "$1/verdict.log"
}

# million: a disk with a million tree blocks, made once: of these files each fills a leaf.
million()
{
	disk=$EBDEBUG_CACHE/image/million.img
	if [ ! -e "$disk" ]; then
		free=$(free_mb "$EBDEBUG_CACHE")
		[ "$free" -ge $NEED_MB ] || fail "$free MB free in $EBDEBUG_CACHE, a million blocks need $NEED_MB"
		rm -rf "$disk.tmp" "$disk.files"
		mkdir -p "$disk.files"
		head -c $((FILES * FILE_SIZE)) /dev/zero | (cd "$disk.files" && split -b $FILE_SIZE -a 5 -) ||
			fail "the files could not be made"
		truncate -s 6G "$disk.tmp"
		PATH=$PATH:/usr/sbin:/sbin mkfs.btrfs -q -n 4096 -m single --rootdir "$disk.files" "$disk.tmp" >"$LOG/mkfs" 2>&1 ||
			fail "mkfs.btrfs: $(tail -n 3 "$LOG/mkfs")"
		rm -rf "$disk.files"
		mv "$disk.tmp" "$disk"
	fi
}

buffers()
{
	million
	# In the guest waiting for the disk takes most of the time.
	counted "$LOG" scale_buffers mem=8192 disk="$disk" count=$BLOCKS files=$FILES limit=3000 timeout=9000
	judge_silent "$LOG" || exit 1
	most "$LOG" time_us_ $FILE_US
	most "$LOG" held_ns_ $HELD_NS
	for name in owners buffers mount; do
		[ "$(told "$LOG" "held_ns_$name")" -gt 0 ] || fail "$name did not take the lock"
	done
	pass "$(told "$LOG" buffers) buffers, $(told "$LOG" reads) reads; us: $(figures_of "$LOG" time_us_); the lock is held for ns: $(figures_of "$LOG" held_ns_); bytes of slab a buffer: $(figures_of "$LOG" slab_bytes_)"
}

# at_unmount DIR: what the console has of it.
at_unmount() { clean "$1/console.log" | sed -n '/eb-test: unmount begins/,/eb-test: unmount ended/p'; }

# counts: of the groups on stdin, in their order.
counts() { sed -n 's/.*left: count=\([0-9]*\) kind=.* site=.*/\1/p'; }

leaks()
{
	counted "$LOG" scale_leaks mem=3072 size=4G mkfs=-n+4096+-m+single
	judge_ended "$LOG" || exit 1
	judge_reported "$LOG" left_by_task "$(culprit leak)" buffer_leaked || exit 1
	[ "$(told "$LOG" leaks)" -ge 100000 ] || fail "only $(told "$LOG" leaks) references were leaked"
	at_unmount "$LOG" >"$LOG/unmount"
	grep -q 'rule=buffer_leaked' "$LOG/unmount" || fail "nothing is reported at unmount"
	grep -q 'left: count=[0-9]* reported before' "$LOG/unmount" || fail "it is not told what was reported before"
	lines=$(grep -c 'eb_debug' "$LOG/unmount")
	[ "$lines" -le $LINES ] || fail "$lines lines at unmount"
	counts <"$LOG/unmount" >"$LOG/counts"
	[ "$(wc -l <"$LOG/counts")" -ge 2 ] || fail "there is nothing to rank: $(grep 'left:' "$LOG/unmount")"
	sort -rnc "$LOG/counts" 2>/dev/null || fail "the groups are not ranked: $(grep 'left:' "$LOG/unmount")"
	most "$LOG" held_ns_ $HELD_NS
	pass "$(told "$LOG" leaks) references; $lines lines at unmount, $(sed -n 's/.*left: //p' "$LOG/unmount" | tr '\n' ';'); us: $(figures_of "$LOG" time_us_); the lock is held for ns: $(figures_of "$LOG" held_ns_)"
}

# pairs: "cpus what owners live cost" of each boot: instructions that the guard takes of a
# get and put.
pairs()
{
	for cpus in $CPUS; do
		awk -v cpus="$cpus" '
			split($1, is, "_") == 5 && is[1] == "pair" {
				key = is[3] " " (is[4] == cpus ? "one-a-cpu" : "many") " " is[5]
				if (is[2] == "off") off[key] = $2
				else printf "%d %s %.2f\n", cpus, key, ($2 - off[key]) / (cpus > 1 ? 2 : 1)
			}' "$LOG/$cpus/verdict.log"
	done
}

# grown: of pairs on stdin those that cost more than one CPU with one owner and few buffers.
grown()
{
	awk -v percent=$MORE_PERCENT '
		$1 == 1 && $3 == "one-a-cpu" && $4 == "few" { first[$2] = $5 }
		$5 > first[$2] * (1 + percent / 100) { print $0 " instead of " first[$2] }'
}

cost()
{
	for cpus in $CPUS; do
		counted "$LOG/$cpus" scale_cost smp="$cpus" mem=2048 size=2G mkfs=-n+4096
		judge_silent "$LOG/$cpus" || exit 1
	done
	pairs >"$LOG/pairs"
	[ "$(grep -c . "$LOG/pairs")" -eq $((8 * $(echo "$CPUS" | wc -w))) ] || fail "not all was measured"
	found=$(grown <"$LOG/pairs" | tr '\n' ';')
	[ -z "$found" ] || fail "it grows: $found"
	pass "$(awk '{ if (!n++ || $5 < min) min = $5; if ($5 > max) max = $5 }
		END { printf "%.1f to %.1f instructions in %d cases", min, max, n }' "$LOG/pairs"): $(cut -d ' ' -f 2- "$LOG/pairs" | tr '\n' ';')"
}

run()
{
	case $1 in
	scale-buffers) buffers ;;
	scale-leaks) leaks ;;
	scale-cost) cost ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
