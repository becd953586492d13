#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Does the guard judge as its rules mean?  model/fuzz feeds random events to its core, ledger,
# owners and hooks in line, compiled in user space with ASan and UBSan, and to a slow model
# that was written after the rules.
#
#   EVENTS=50000000 tests/run fuzz-core    that many in place of 2 million; takes minutes
#   SEED=N                                 that seed in place of the clock
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# So many are enough to find what is planted.
ENOUGH=100000

list()
{
	printf '%s\t%s\n' \
		fuzz-core "random events: the guard in user space says what the rules mean, each rule reported and kept" \
		fuzz-can-fail "an error that is planted in core, ledger, owners or hooks is found within $ENOUGH events"
}

core()
{
	"$TOP/model/fuzz" "${EVENTS:-2000000}" ${SEED:+"$SEED"} >"$LOG/said" 2>&1 ||
		{ cat "$LOG/said"; fail "guard and meaning differ, or something was never said"; }
	cat "$LOG/said"
	pass "$(tail -n 1 "$LOG/said"), $(grep -c '^rule ' "$LOG/said") rules, $(head -n 1 "$LOG/said")"
}

# plants: file | what sed does to it | what is wrong then
plants()
{
	cat <<'END'
eb_debug.c | /^static void io_dance/,/^}/s/if (armed_by_us(rec, look))/if (look)/ | anybody dances for anybody
eb_debug.c | /^static bool armed_by_us/,/^}/s/rec->io_epoch == look->epoch/rec->io_epoch/ | IO from before the guard was on
eb_debug.c | /^static bool in_our_section/,/^}/s/rec->section_epoch == look->epoch/rec/ | a section from before it
eb_debug.c | /^static void tree_ref_clear/,/^}/s/WRITE_ONCE(rec->section_task, NULL);/;/ | two clears in one section
eb_debug.c | /^static void io_arm/,/^}/s/rec->io_danced = false;/;/ | the dance of the IO before
eb_debug.c | /^static void io_arm/,/^}/s/WRITE_ONCE(rec->wb_task, NULL);/;/ | a write that was armed is owed
eb_debug.c | /^static void reading_clear/,/^}/s/rec->reading_io = false;/;/ | the end of a read is judged twice
eb_debug.c | /^static void put(/,/^}/s/look->refs >= 1/look->refs >= 0/ | a put of nothing
eb_debug.c | /^bool btrfs_eb_core_structure_get/,/^}/s/== 0xff)/== 0x100)/ | a counter runs over into the next
eb_debug.c | /^void btrfs_eb_core_lookup/,/^}/s/READ_ONCE(rec->stale_seq) != token->stale_seq/!token/ | STALE was taken back meanwhile
eb_debug_internal.h | s/&& !READ_ONCE(rec->unrecorded)/\&\& rec/ | owners are judged where one is not known
eb_debug_internal.h | s/\[next % EB_HISTORY\]/[next % (EB_HISTORY - 1)]/ | the ring of history is short of one
eb_debug_ledger.h | s/t->top >= t->limit/t->top > t->limit/ | one reference more than there is room for
eb_debug_ledger.h | /eb_ledger_add(/,/^}/s/t->releasing = NULL;/;/ | the release of a path never ends
eb_debug_ledger.h | /eb_ledger_find(/,/^}/s/other->path \&\& !held->path/other->path/ | the wrong one of several is given back
eb_debug_ledger.h | /eb_ledger_drop(/,/^}/s/(last - held)/(last - held - 1)/ | the newest is lost when an older one goes
eb_debug_ledger.h | s/i <= EB_DOUBTS/i < EB_DOUBTS - 1/ | two doubts are remembered
eb_debug_ledger.h | s/ && doubt->serial == serial// | the doubt is of the buffer that was there before
eb_debug_ledger.h | s/doubt->path == t->releasing/doubt->path/ | any put suffers from what a path has lost
eb_debug_fast.h | /eb_fast_put(/,/^}/s/held->path != t->releasing/!t/ | a put in line does not look at the path
eb_debug_fast.h | /eb_fast_put(/,/^}/s/READ_ONCE(eb->debug.wb_task) == current/!t/ | nor at the write that is owed
eb_debug_owner.c | /^void btrfs_eb_debug_give/,/^}/s/eb_ledger_drop(t, held);/;/ | what is given to a structure stays
eb_debug_owner.c | /^void btrfs_eb_debug_take/,/^}/s/if (!btrfs_eb_core_structure_put(&eb->debug, kind))/if (!eb)/ | what a structure never had is taken
END
}

# plant FILE SED: in a copy of the guard.
plant()
{
	rm -rf "$LOG/guard"
	mkdir -p "$LOG/guard"
	cp "$TOP"/fs/btrfs/eb_debug*.[ch] "$LOG/guard"
	sed -i "$2" "$LOG/guard/$1"
	! cmp -s "$TOP/fs/btrfs/$1" "$LOG/guard/$1" || fail "nothing was planted in $1: $2"
}

can_fail()
{
	count=0
	latest=0
	plants >"$LOG/plants"
	while IFS='|' read -r file change what; do
		plant "$(echo "$file" | tr -d ' ')" "$(echo "$change" | sed 's/^ //;s/ $//')"
		! SOURCES="$LOG/guard" "$TOP/model/fuzz" "$ENOUGH" 1 >"$LOG/said" 2>&1 || fail "not found:$what"
		found=$(sed -n 's/^fuzz: .*: seed 1 world [0-9]* event \([0-9]*\)$/\1/p' "$LOG/said")
		[ -n "$found" ] || { tail -n 5 "$LOG/said"; fail "it failed, but not since the two differ:$what"; }
		grep -q '^of that world these [0-9]* events are enough:$' "$LOG/said" || fail "it does not say how:$what"
		echo "event $found, $(sed -n 's/^of that world these \([0-9]*\) .*/\1/p' "$LOG/said") needed:$what"
		[ "$found" -le "$latest" ] || latest=$found
		count=$((count + 1))
	done <"$LOG/plants"
	pass "$count errors planted, $count found, the last one at event $latest"
}

prepare() { :; }

run()
{
	case $1 in
	fuzz-core) core ;;
	fuzz-can-fail) can_fail ;;
	*) die "there is no test '$1' here" ;;
	esac
}

case_main list run prepare "$@"
