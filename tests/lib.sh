# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# What the test cases share: building and booting the kernel that a test needs,
# and judging what a boot left behind.  Sourced by tests/cases/*.sh.
#
# A judge looks at the directory of one boot (console.log, verdict.log, and the
# boot's exit status in a file), says in words what is wrong, and fails; it
# decides by that evidence alone, so the tests of the harness can feed it any.
#
# tests/run gives a case: BASE, LOG (a directory for the test's logs), RUN (a
# directory that all tests of this run share).

up=$(dirname "$(readlink -f "$0")")
while [ ! -f "$up/BASES" ]; do up=$up/..; done
# shellcheck source=/dev/null
. "$up/tools/lib.sh"
BASE=$(chosen_base)
LOG=${LOG:-$EBDEBUG_CACHE/log/test/$BASE/by-hand}
RUN=${RUN:-$LOG}
export BASE LOG RUN

# The slab caches whose allocations may fail: those of btrfs, and the general
# ones, without what the VFS allocates before btrfs is asked.  What an operation
# must not meet is said where it stands in tests/guest/fault_*.c.
FAULT_CACHES='slub_debug=A,btrfs_*,kmalloc-*,radix_tree_node,bio-*,biovec-*'

# What btrfs says itself when a transaction was aborted, or a mount given up, with
# reservations of space that nobody returns: its accounts do not add up then.
EXPECTED_SPLATS='fs/btrfs/(space-info[.]h|block-rsv[.]c):[0-9]+( at)? btrfs_(space_info_update_bytes_may_use|free_reserved_data_space|free_reserved_data_space_noquota|release_global_block_rsv)[+]'
case $BASE in
5.10)
	# A path, a delayed reference, the state of an extent or a work item of reada.c
	# (of kmalloc-96) that can't be had ends in a BUG() or worse in this kernel.
	FAULT_CACHES='slub_debug=A,kmalloc-8,kmalloc-16,kmalloc-32,kmalloc-64,kmalloc-128,kmalloc-192,kmalloc-256,kmalloc-512,kmalloc-1k,kmalloc-2k,kmalloc-4k,radix_tree_node,bio-*,biovec-*,btrfs_trans_handle,btrfs_inode,btrfs_delayed_extent_op,btrfs_delayed_node,btrfs_prelim_ref,btrfs_free_space,btrfs_extent_map,btrfs_ordered_extent'
	EXPECTED_SPLATS="$EXPECTED_SPLATS|fs/btrfs/(block-rsv|block-group|delayed-inode|extent-tree|qgroup)[.]c:[0-9]+( at)? (btrfs_release_global_block_rsv|btrfs_qgroup_account_extents|btrfs_free_block_groups|btrfs_put_block_group|btrfs_assert_delayed_root_empty|__btrfs_free_extent)[+]" ;;
esac
# shellcheck disable=SC2034  # for the cases
export FAULT_CACHES EXPECTED_SPLATS

# On a zoned file system, with the guard off, too: "block group N is removed before metadata
# write out".
ZONED_SPLATS=
[ "$BASE" != 6.1 ] || ZONED_SPLATS='fs/btrfs/block-group[.]c:[0-9]+( at)? btrfs_remove_block_group([.]cold)?[+]'
export ZONED_SPLATS

# A test ends with one of these; what it prints last is shown beside its name.
pass() { printf '%s\n' "$*"; exit 0; }
fail() { printf 'failed: %s\n' "$*"; exit 1; }
skip() { printf 'skip: %s\n' "$*"; exit 77; }

# variant_of CONFIG: the tree that a configuration is built in; the first word of several
# that are joined by + decides.
variant_of()
{
	case ${1%%+*} in
	pristine) echo pristine ;;
	perf-guard) echo perf ;;
	scale) echo scale ;;
	perf-*) echo perf-none ;;
	mutants | mutants-points | module | debug | tools | mutants-zoned) echo mutants ;;
	*) echo guard ;;
	esac
}

# fixed CONFIG: that configuration with the fixes of btrfs, for kernel() and boot().
fixed() { echo "$1@fixes"; }

# kernel CONFIG[@VARIANT] [MACHINE]: builds it when needed, prints its image.
kernel()
{
	config=${1%@*}
	variant=${1#"$config"}
	variant=${variant#@}
	tree=$("$TOP/tools/tree" "$BASE" "${variant:-$(variant_of "$config")}") || return 1
	"$TOP/tools/build" "$tree" "$config" ${2:+"$2"}
}

# machine_of WORDS...: which machine a boot is of, machine=NAME; nothing is this one.
machine_of() { echo "$*" | tr ' ' '\n' | sed -n 's/^machine=//p'; }

# config_of DEFAULT WORDS...: the configuration that they name, config=NAME, or that one.
config_of()
{
	default=$1
	shift
	named=$(echo "$*" | tr ' ' '\n' | sed -n 's/^config=//p')
	echo "${named:-$default}"
}

# need_machine WORDS: ends the test when that machine can't be had here.
need_machine()
{
	machine=$(machine_of "$1")
	[ -n "$machine" ] || return 0
	lacks=$(machine_cant_boot "$machine")
	[ -z "$lacks" ] || skip "$lacks"
}

# prepare_kernel CONFIG[@VARIANT] WORDS: that of a boot, if its machine can be had.
prepare_kernel()
{
	machine=$(machine_of "$2")
	[ -z "$machine" ] || [ -z "$(machine_cant_boot "$machine")" ] || return 0
	kernel "$1" "$machine"
}

# need_user_mode DIR: ends the test when User Mode Linux has not come to its kernel in that
# boot: some machines forbid what it lives by, and it says so at its start.
need_user_mode()
{
	# That is no word of User Mode Linux, but of tools/boot.
	[ "$(cat "$1/status")" != 1 ] || fail "$(head -n 1 "$1/boot.err")"
	grep -q 'Linux version' "$1/console.log" ||
		skip "User Mode Linux does not start on this machine: $(cat "$1/qemu.log" "$1/console.log" | tail -n 1)"
}

# boot DIR CONFIG[@VARIANT] WORKLOAD [WORD]...: one boot, its evidence in DIR.
boot()
{
	dir=$1
	image=$(kernel "$2" "$(machine_of "$@")") || fail "the kernel with configuration $2 could not be built"
	workload=$3
	shift 3
	mkdir -p "$dir"
	status=0
	"$TOP/tools/boot" "$image" "$workload" log="$dir" "$@" 2>"$dir/boot.err" || status=$?
	echo "$status" >"$dir/status"
	case $image in */linux) need_user_mode "$dir" ;; esac
	echo "boot: $workload $*: status $status, $dir"
}

# row NAME FIELD: of the table() that a case has, whose fields are between "|".
row()
{
	table | awk -F '|' -v name="$1" -v n="$2" '
		{ for (i = 1; i <= NF; i++) gsub(/^ +| +$/, "", $i) }
		$1 == name { print $n }'
}

# --- what a base judges -------------------------------------------------------

# The repository, or a copy of it, that decides what is judged on which base.
SOURCES=${SOURCES:-$TOP}

# decided_by BASE: "rule base word" for each rule, from the sources.
decided_by()
{
	# Of a pipe only the last status is known.
	decided=$(cd "$SOURCES" && awk -f "$TOP/tests/matrix.awk" \
		./fs/btrfs/eb_debug.c fs/btrfs/eb_debug_[!k]*.[ch] include/linux/eb_debug.h \
		"patches/$1/eb_debug_base.h" "patches/$1"/*.patch) || return 1
	echo "$decided" | awk -F '\t' -v base="$1" '{ print $1, base, $2 }'
}

# culprit MUTANT: the function that it is reported in on this base, as the table
# says; nothing if it can't be run here.
culprit()
{
	awk -F '|' -v name="$1" -v base="$BASE" '
		{ for (i = 1; i <= NF; i++) gsub(/^[ \t]+|[ \t]+$/, "", $i) }
		$1 == name && $4 == base && $5 !~ /^not-run/ { print $3 }' "$TOP/tests/mutants/table"
}

# --- reading the evidence ---------------------------------------------------

# clean LOGFILE: without carriage returns and times.
clean() { tr -d '\r' <"$1" | sed 's/^\[ *[0-9]*\.[0-9]*\] //'; }

# reports DIR: "rule function" for each report on the console, in order.  A dump that was
# asked for has "rule=none".
reports()
{
	clean "$1/console.log" | awk '
		/^BTRFS eb_debug: .* in [^ ]+( \[btrfs\])?$/ {
			sub(/ \[btrfs\]$/, ""); func_name = $NF; next }
		/^BTRFS eb_debug: rule=/ {
			sub(/^rule=/, "", $3); if ($3 != "none") print $3, func_name }'
}

# report_text DIR: the first report, from the owners before its "cut here" to its
# end.
report_text()
{
	clean "$1/console.log" | awk '
		/^BTRFS eb_debug: owners of buffer/ { text = ""; on = before = 1 }
		/-\[ cut here \]-/ { if (!before) text = ""; on = 1; before = 0 }
		on { text = text $0 "\n"; if (/^BTRFS eb_debug: rule=/) ours = 1 }
		on && /---\[ end trace/ { on = 0; if (ours) exit }
		END { if (ours) printf "%s", text }'
}

# judge_stacks DIR RULE FUNCTION: the first report shows what level stacks keeps: the
# stack of each reference that a task holds, and where the one that was lost was taken,
# which is below that function.  Structures share one stack, so theirs is not awaited.
judge_stacks()
{
	found=$(report_text "$1" | awk -v rule="$2" -v func_name="$3" '
		function missing() { print want; want = ""; done = 1 }
		/-\[ cut here \]-/ { exit }
		/^ +[a-z_0-9.]+[+]0x/ {
			if (want == "owner") want = ""
			else if (want == "taken" && index($1, func_name "+") == 1) want = ""
			next
		}
		want { missing(); exit }
		/^BTRFS eb_debug:     [a-z_]+ +[^ ]+ +pid [0-9]+/ { want = "owner" }
		/^BTRFS eb_debug: it was taken at:/ { want = "taken"; taken = 1 }
		END {
			if (want && !done) missing()
			else if (!done && !taken && rule ~ /^left_/) print "none"
		}')
	[ -z "$found" ] || wrong "$1" "the report lacks a stack, or it is of another function: $found"
}

# trouble DIR [EXPECTED]: lines on the console that fstests would fail a test for,
# and that belong to no report of ours.  Where EXPECTED is given a warning at a
# place that this regular expression matches, "file:line function+", is none
# either, nor is that of an aborted transaction: whatever fails may end in one.  Newer
# kernels say that right behind the warning, with the same line, others say it in the
# warning.  The stack that the kernel shows of an allocation which it was told to let
# fail is none.
trouble()
{
	clean "$1/console.log" | awk -v expected="${2:-}" '
		function bad(line) { return line ~ /WARNING:|BUG:|Oops|kernel BUG|Call Trace|INFO: task .* blocked|rcu:.*stall|general protection|Kernel panic/ }
		function line_of(text) { return match(text, /[.][ch]:[0-9]+ at /) ? substr(text, RSTART + 2, RLENGTH - 6) ":" : "?" }
		function known(line) { return line ~ /^WARNING:/ && expected != "" && (aborted || line ~ "^WARNING: (.* at )?(" expected ")") }
		waits {
			if (/^BTRFS: error [(]device .* in / && index($0, line_of(held) " errno=-")) waits = 0
			else if (!/^BTRFS error [(]device .*: Transaction [0-9]+ aborted/) { printf "%s", held; waits = 0 }
		}
		/-\[ cut here \]-/ { held = ""; on = 1; ours = is_known = others = aborted = worse = 0 }
		/^FAULT_INJECTION: forcing a failure/ { asked = 1 }
		!on && bad($0) && !(asked && /^Call Trace:/)
		/^Call Trace:/ { asked = 0 }
		on && /^BTRFS: Transaction aborted \(error -/ { aborted = 1 }
		on && bad($0) { held = held $0 "\n" }
		on && known($0) { is_known = 1 }
		on && bad($0) && !known($0) && !/Call Trace:/ { others = 1 }
		on && bad($0) && !/^WARNING:|Call Trace:/ { worse = 1 }
		on && /^BTRFS eb_debug: rule=/ { ours = 1 }
		on && /---\[ end trace/ {
			waits = !ours && others && !worse && expected != ""
			if (!ours && !waits && (others || !is_known)) printf "%s", held
			on = 0
		}
		END { if (waits || on && !ours) printf "%s", held }'
}

# told DIR NAME: the value of a "stat NAME value" or "NAME value" line.
told()
{
	awk -v name="$2" '$1 == "stat" && $2 == name { print $3; exit }
		$1 == name { print $2; exit }' "$1/verdict.log" 2>/dev/null
}

status_of() { cat "$1/status" 2>/dev/null || echo 1; }

# --- judging ----------------------------------------------------------------

# evidence DIR: where to look, and the end of the console.
evidence()
{
	echo "logs: $1"
	if grep -qs '^    | ' "$1/boot.err"; then
		sed 's/^/    /' "$1/boot.err"
	else
		clean "$1/console.log" 2>/dev/null | tail -n 12 | sed 's/^/    | /'
	fi
}

# wrong DIR WORDS: a judge's verdict.
wrong()
{
	echo "wrong: $2"
	evidence "$1"
	return 1
}

# judge_ended DIR [may-fail]: the guest came to its end and said so.
judge_ended()
{
	case $(status_of "$1") in
	0) return 0 ;;
	2)
		[ "${2:-}" != may-fail ] || return 0
		wrong "$1" "the workload failed: $(grep -E '^(failed|child)|low$' "$1/verdict.log" | tr '\n' ';')" ;;
	3) wrong "$1" "the kernel panicked" ;;
	4) wrong "$1" "the guest hung" ;;
	5) wrong "$1" "the guest ended without a verdict" ;;
	*) wrong "$1" "the guest could not be booted" ;;
	esac
}

# judge_no_report DIR: neither the console nor the counters know of a report.
judge_no_report()
{
	found=$(reports "$1" | head -n 1)
	[ -z "$found" ] || { wrong "$1" "a report where there must be none: $found"; return 1; }
	count=$(told "$1" reports)
	[ "${count:-0}" -eq 0 ] || wrong "$1" "the guard counts $count reports, the console shows none"
}

# only_counted: the counters of the rules that this base only counts.
only_counted()
{
	printf ' '
	grep -o 'BIT_ULL(EB_RULE_[A-Z_]*)' "$TOP/patches/$BASE/eb_debug_base.h" |
		sed 's/.*EB_RULE_/broken_/;s/)$//' | tr 'A-Z\n' 'a-z '
}

# judge_on DIR [off]: the guard was in the kernel, on to the end of the boot (or off from
# its start).
judge_on()
{
	want=1
	[ "${2:-on}" = on ] || want=0
	is=$(told "$1" on)
	[ -n "$is" ] || { wrong "$1" "the guest has no counters of a guard: it is not in this kernel"; return 1; }
	[ "$is" = "$want" ] || { wrong "$1" "the guard is $(on_off "$is"), it must be $(on_off $want)"; return 1; }
	if clean "$1/console.log" | grep -q 'the guard is turned off'; then
		wrong "$1" "the guard turned itself off"
		return 1
	fi
	for counter in reports dropped distrusted broken_io_without_dance; do
		[ -n "$(told "$1" "$counter")" ] || { wrong "$1" "the guard does not tell its counter $counter"; return 1; }
	done
}

# judge_guard DIR [off]: the same, and it counted nothing that is wrong.  What it only
# counts on this base, the mistakes of btrfs after an error, is not wrong.
judge_guard()
{
	judge_on "$1" "${2:-on}" || return 1
	found=$(awk -v counted="$(only_counted)" '$1 == "stat" && $3 != 0 && !index(counted, " " $2 " ") &&
		$2 ~ /^(reports|dropped|distrusted|broken_.*)$/ { print $2, $3 }' "$1/verdict.log" | tr '\n' ';')
	[ -z "$found" ] || wrong "$1" "counters that must be 0: $found"
}

on_off() { if [ "$1" = 1 ]; then echo on; else echo off; fi; }

# judge_silent DIR [on|off [EXPECTED]]: unbroken kernel: it ended well, its guard
# watched it (or was off, if that is asked for), and nothing was reported; EXPECTED
# as of trouble().
judge_silent()
{
	judge_no_report "$1" || return 1
	judge_ended "$1" || return 1
	judge_guard "$1" "${2:-on}" || return 1
	# A workload may come to its end although a task beside it did not.
	found=$(grep '^failed: ' "$1/verdict.log" | head -n 1)
	[ -z "$found" ] || { wrong "$1" "a task of the workload $found"; return 1; }
	found=$(trouble "$1" "${3:-}" | head -n 3)
	[ -z "$found" ] || wrong "$1" "the console has a warning: $found"
}

# judge_rule DIR RULE: in words for tools/bisect-run, what a boot says of a rule, or of
# all with "any".  Status 1: it was reported, whatever came after that.  0: it was judged
# to the end of the workload, and held.  125: neither can be told.
judge_rule()
{
	first=$(reports "$1" | awk -v rule="$2" 'rule == "any" || $1 == rule { print $1 " in " $2; exit }')
	[ -z "$first" ] || { echo "$first"; return 1; }
	why=$({ judge_ended "$1" && judge_counted "$1" "$2"; } | sed -n 's/^wrong: //p')
	[ -z "$why" ] || { echo "no report, but $why"; return 125; }
	others=$(reports "$1" | sed 's/ / in /' | sort -u | tr '\n' ',' | sed 's/,$//;s/,/, /g')
	echo "no report, judged $(judged "$1" "$2") times${others:+; others: $others}"
}

# judge_counted DIR RULE: the counters bear out that there was no report of it.
judge_counted()
{
	judge_on "$1" || return 1
	# Told to wait for a report of any rule, the guest did not come to its end.
	! grep -q '^child: stopped' "$1/verdict.log" || { wrong "$1" "another rule's ended the workload"; return 1; }
	[ "$2" != any ] || judge_guard "$1" || return 1
	# Where references have no hook the rules of owners rest; a report may find no room.
	[ "$2" = any ] || [ "$(told "$1" "broken_$2")" = 0 ] ||
		{ wrong "$1" "it was broken $(told "$1" "broken_$2") times and only counted"; return 1; }
	[ "$(judged "$1" "$2")" -gt 0 ] || wrong "$1" "it was never judged, the workload is not for it"
}

# judged DIR RULE: how often.
judged()
{
	awk -v name="judged_$2" '$1 == "stat" && ($2 == name || name == "judged_any" && $2 ~ /^judged_/) { n += $3 }
		END { print n + 0 }' "$1/verdict.log"
}

# no_point: the points that this base lacks.
no_point()
{
	grep -q EB_POINT_READ_TRYLOCK "$TOP/patches/$BASE"/*.patch || echo read_trylock
	grep -q 'eb_debug_writeback_end(' "$TOP/patches/$BASE"/*.patch || echo written
}

# judge_points DIR: each point was come to, and what can be refused was.
judge_points()
{
	no_point >"$1/no-point"
	[ "$(grep -c '^delayed ' "$1/verdict.log")" -ge 24 ] || { wrong "$1" "not all points were asked for"; return 1; }
	found=$(awk 'FILENAME == ARGV[1] { none[$1]; next }
		$1 == "delayed" && ($3 > 0) == ($2 in none) { print $2, $3 }
		$1 == "failed_at" && ($3 > 0) == ($2 in none) { print $2, "refused", $3 }' "$1/no-point" "$1/verdict.log" | tr '\n' ';')
	[ -z "$found" ] || wrong "$1" "points that should be reached and are not, or the other way round: $found"
}

# told_points DIR: for the line of a test that passed.
told_points()
{
	awk '$1 == "delayed" { n += $3; points += $3 > 0 } $1 == "failed_at" { refused += $3 }
		$1 == "check" && $2 == "refusals" { garbage = $3 }
		END { print points " points, " n " delays, " refused " locks refused, " garbage " bad texts refused" }' "$1/verdict.log"
}

# judge_hits DIR: the mutated line was really executed.
judge_hits()
{
	count=$(told "$1" mutant_hits)
	[ "${count:-0}" -ge 1 ] || wrong "$1" "the mutant was never executed"
}

# judge_reported DIR RULE FUNCTION ALSO: the first report is this one, and any
# other one is of a rule in ALSO (joined by commas, - for none).
judge_reported()
{
	first=$(reports "$1" | head -n 1)
	[ -n "$first" ] ||
		{ wrong "$1" "no report; expected $2 in $3 (the mutant was executed $(told "$1" mutant_hits) times)"; return 1; }
	[ "$first" = "$2 $3" ] ||
		{ wrong "$1" "the first report is '$first'; expected '$2 $3'"; return 1; }
	found=$(reports "$1" | while read -r rule func; do
		case ",$2,$4," in
		*",$rule,"*) ;;
		*) echo "$rule in $func" ;;
		esac
	done | head -n 1)
	[ -z "$found" ] || wrong "$1" "another report that is not expected: $found"
}

# figures DIR: what the guard saw, for the line of a test that passed.
figures()
{
	[ -n "$(told "$1" events)" ] || { echo "no guard"; return 0; }
	echo "$(told "$1" reads) reads, $(told "$1" writes) writes, $(told "$1" puts) puts," \
		"$(told "$1" release_done) releases, $(told "$1" repairs) repairs, $(told "$1" reports) reports"
}

# reached DIR: what a workload has counted itself, for the line of a test that passed.  What
# only can be right or wrong is no figure, and what the guard counts is in figures().
reached()
{
	awk '$1 == "check" && $4 != 1 && $2 !~ /^(reads|writes|puts|free|release_done)$/ { gsub("_", " ", $2); printf "%d %s, ", $3, $2 }' "$1/verdict.log"
}

# --- trees and machines made for a test ----------------------------------------

# small_tree DIR: the part of the base that the hooks change.
small_tree()
{
	src=$("$TOP/tools/source" "$BASE")
	for file in "$(base_field "$BASE" 4)" $("$TOP/tools/apply" --touched "$src"); do
		[ -e "$src/$file" ] || continue
		mkdir -p "$1/$(dirname "$file")"
		cp "$src/$file" "$1/$file"
	done
}

# commit_all DIR: as a commit, of a new git tree if it is none.
commit_all()
{
	git -C "$1" init -q
	git -C "$1" add -A
	git -C "$1" -c user.name=test -c user.email=test@localhost commit -q -m commit
}

# commands_without COMMAND...: a directory of all commands but these, in "bin".
commands_without()
{
	bin=$LOG/bin
	rm -rf "$bin"
	mkdir -p "$bin"
	for dir in $(echo "$PATH:/usr/sbin:/sbin" | tr : ' '); do
		[ ! -d "$dir" ] || find "$dir/" -maxdepth 1 ! -type d -exec ln -sf -t "$bin" {} +
	done
	for cmd; do find "$bin" -name "$cmd" -delete; done
}

# --- what every case script ends with ---------------------------------------

# case_main list_function run_function prepare_function ARGUMENTS...
case_main()
{
	list=$1 run=$2 prepare=$3
	shift 3
	case ${1:-} in
	list) $list ;;
	prepare) shift; $prepare "$@" ;;
	run)
		[ $# -eq 2 ] || die "usage: $0 run NAME"
		mkdir -p "$LOG"
		$run "$2" ;;
	*) die "usage: $0 list | prepare [NAME]... | run NAME" ;;
	esac
}
