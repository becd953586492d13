#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tests of the harness itself: what goes wrong must be called a failure, with
# words that tell what it was, and the tools must refuse what they can't do and
# leave everything as it was.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		harness-panic 'a guest that panics is a failure' \
		harness-hang 'a guest that hangs is a failure' \
		harness-silent 'a guest that ends without a verdict is a failure' \
		harness-timeout 'a workload that does not end is a failure' \
		harness-exit 'a workload that fails is a failure' \
		harness-low 'a workload that did not reach what it is for is a failure' \
		harness-no-init 'a kernel that never comes to its init is booted twice, and is a failure' \
		harness-cpus 'a guest with fewer CPUs than were asked for is a failure' \
		harness-report 'a report where none is expected is a failure, in each judge' \
		harness-missing-report 'no report where one is expected is a failure' \
		harness-wrong-report 'a report of another rule or function than expected is a failure' \
		harness-stacks 'a report that lacks a stack, or has one of another function, is a failure' \
		harness-blame 'a mutant that is blamed wrong, or never was reported, is counted as wrong' \
		harness-warning 'a warning that is not ours is a failure' \
		harness-guard-off 'a guard that is missing, is off or turned itself off is a failure' \
		harness-rule 'what a boot says of one rule: reported, held to the end, or nobody knows' \
		harness-hunk 'a hook that finds no place is named with its file, and the tree stays as it was' \
		harness-twice 'a tree that has the guard is refused' \
		harness-unhooked 'a tree with a reference of its own is accepted, the place named and counted' \
		harness-sites-missing-tool 'without Coccinelle it is said that nobody looked, and nothing is taken for counted' \
		harness-base 'an unknown base, and a tree that is none, are refused by name' \
		harness-ksrc-base 'KSRC decides of which base the tests are' \
		harness-ksrc-dirty 'KSRC with uncommitted changes is refused' \
		harness-ksrc 'KSRC is recognised, used, and not modified' \
		harness-option 'an option that Kconfig drops is named, unless it has another name in that kernel' \
		harness-build 'a kernel that does not compile is a failure with the compiler'\''s words' \
		harness-disk 'too little disk space is said before anything is downloaded' \
		harness-clean 'make clean and make distclean remove what is the cache'\''s, and nothing that was there before' \
		harness-run 'tests/run fails when a test fails, and when none ran; rows of a set come in order, what is late is skipped'
}

prepare()
{
	case " $* " in
	*' harness-panic '* | *' harness-hang '* | *' harness-silent '* | *' harness-timeout '* | \
	*' harness-exit '* | *' harness-low '* | *' harness-cpus '* | *' harness-no-init '*) kernel guard ;;
	esac
	case " $* " in
	*report* | *warning*) kernel mutants ;;
	esac
}

# no_init: with so little memory the kernel finds no room for its init.
no_init()
{
	boot "$LOG" guard mount smp=2 mem=36 limit=60
	[ "$(status_of "$LOG")" = 3 ] || fail "the boot's status is $(status_of "$LOG"), expected 3"
	grep -q 'did not come to its init, once more' "$LOG/boot.err" || fail "it is not said that it was tried again"
	[ -s "$LOG/console.first.log" ] || fail "the console of the first boot is not kept"
	refused 'the kernel panicked' judge_silent "$LOG"
	pass "twice, and refused"
}

# refused WORDS COMMAND...: the command fails, and says these words.
refused()
{
	words=$1
	shift
	if "$@" >"$LOG/out" 2>&1; then
		cat "$LOG/out"
		fail "it was accepted: $*"
	fi
	grep -qF -- "$words" "$LOG/out" || { cat "$LOG/out"; fail "no word of '$words'"; }
}

# broken_boot STATUS WORDS WORKLOAD [WORD]...: this boot has that status, and
# the judge of silent runs says these words.
broken_boot()
{
	expected=$1
	words=$2
	shift 2
	boot "$LOG" guard "$@"
	[ "$(status_of "$LOG")" = "$expected" ] ||
		fail "the boot's status is $(status_of "$LOG"), expected $expected"
	refused "$words" judge_silent "$LOG"
	# A slow machine may not have come to it.
	[ "$1" != self_hang ] || grep -q '^hanging' "$LOG/verdict.log" || fail "the guest did not hang, it was slow"
	case $expected in
	2) ;;
	*) grep -q '^    | ' "$LOG/boot.err" || fail "no lines of the console are shown" ;;
	esac
	pass "status $expected: $words"
}

# mutant_boot, plain_boot: a mount with and without a mutant, once for all tests.
mutant_boot() { shared mutant-boot btrfs.eb_mutant=read_dance; }
plain_boot() { shared plain-boot; }

shared()
{
	dir=$RUN/harness-$1
	shift
	mkdir -p "$dir"
	(
		flock 8
		[ -e "$dir/status" ] || boot "$dir" mutants mount "$@" >/dev/null
	) 8>"$dir.lock"
	echo "$dir"
}

report()
{
	dir=$(mutant_boot)
	refused 'a report where there must be none: io_without_dance '"$(culprit read_dance)" judge_silent "$dir"
	refused 'a report where there must be none' judge_no_report "$dir"
	# The same when only the counter tells.
	cp -r "$dir" "$LOG/counter"
	grep -v eb_debug "$dir/console.log" >"$LOG/counter/console.log"
	refused 'the guard counts 1 reports, the console shows none' judge_silent "$LOG/counter"
	pass "refused by console and by counter"
}

missing_report()
{
	dir=$(plain_boot)
	judge_silent "$dir" || fail "the unbroken kernel is not silent"
	refused 'no report; expected io_without_dance' \
		judge_reported "$dir" io_without_dance "$(culprit read_dance)" -
	refused 'the mutant was never executed' judge_hits "$dir"
	pass "refused"
}

wrong_report()
{
	dir=$(mutant_boot)
	judge_reported "$dir" io_without_dance "$(culprit read_dance)" - ||
		fail "the right report is refused"
	refused "the first report is 'io_without_dance" judge_reported "$dir" freed_dirty "$(culprit read_dance)" -
	refused "the first report is 'io_without_dance" judge_reported "$dir" io_without_dance write_one_eb -
	# A second report, of a rule that is not expected.
	cp -r "$dir" "$LOG/second"
	clean "$dir/console.log" | sed 's/rule=io_without_dance/rule=freed_dirty/' >>"$LOG/second/console.log"
	refused 'another report that is not expected: freed_dirty' \
		judge_reported "$LOG/second" io_without_dance "$(culprit read_dance)" -
	judge_reported "$LOG/second" io_without_dance "$(culprit read_dance)" freed_dirty ||
		fail "a report that is expected beside the first is refused"
	pass "refused"
}

# lost FUNCTION [OWNER_FRAME]: a report of a reference that was taken in FUNCTION, of
# a buffer that a task holds another reference to.
lost()
{
	echo 'BTRFS eb_debug: owners of buffer start=1, oldest first:'
	echo 'BTRFS eb_debug:     tree        check_buffer_tree_ref            count 1, 4 ms ago'
	echo 'BTRFS eb_debug:     walk        btrfs_read_lock_root_node        pid 44, 4 ms ago'
	[ -z "${2:-}" ] || echo "     $2+0x1/0x2"
	[ -z "$1" ] || printf 'BTRFS eb_debug: it was taken at:\n     alloc_extent_buffer+0x1/0x2\n     %s+0x1/0x2\n' "$1"
	echo '------------[ cut here ]------------'
	echo 'BTRFS eb_debug: reference taken and never given back in btrfs_copy_root'
	echo 'BTRFS eb_debug: rule=left_by_task start=1'
	printf 'Call Trace:\n btrfs_copy_root+0x1/0x2\n'
	echo '---[ end trace 0000000000000000 ]---'
}

stacks()
{
	lost btrfs_copy_root btrfs_root_node >"$LOG/console.log"
	judge_stacks "$LOG" left_by_task btrfs_copy_root || fail "a report with all its stacks is refused"
	lost btrfs_copy_root_more btrfs_root_node >"$LOG/console.log"
	refused 'of another function: taken' judge_stacks "$LOG" left_by_task btrfs_copy_root
	lost '' btrfs_root_node >"$LOG/console.log"
	refused 'lacks a stack, or it is of another function: none' judge_stacks "$LOG" left_by_task btrfs_copy_root
	judge_stacks "$LOG" put_without_reference btrfs_copy_root || fail "a stack is missed where none is due"
	lost btrfs_copy_root >"$LOG/console.log"
	refused 'of another function: owner' judge_stacks "$LOG" left_by_task btrfs_copy_root
	pass "3 refused"
}

# blame_of RULE FUNCTION STACKS_FUNCTION: what mutant-blame says of a run of ten
# mutants that are all right at level guard, but one; "never" for one without a report.
blame_of()
{
	rm -rf "$LOG/run"
	mkdir -p "$LOG/run/blame-$BASE"
	for name in leak clone commit_root del_items log_walk merge_reloc path_node put_locked read_dance free_dirty; do
		echo "$TOP/tests/cases/mutants.sh mutant-$name" >>"$LOG/run/tests"
		: >"$LOG/run/over-$BASE-mutant-$name"
		echo 'right right' >"$LOG/run/blame-$BASE/$name.guard"
		echo 'right right' >"$LOG/run/blame-$BASE/$name.stacks"
	done
	rm "$LOG/run/blame-$BASE"/read_dance.stacks "$LOG/run/blame-$BASE"/free_dirty.stacks
	echo "$1 $2" >"$LOG/run/blame-$BASE/leak.guard"
	echo "right $3" >"$LOG/run/blame-$BASE/leak.stacks"
	[ "$1" != never ] || rm "$LOG/run/blame-$BASE/leak.guard" "$LOG/run/blame-$BASE/leak.stacks"
	RUN=$LOG/run "$TOP/tests/cases/mutants.sh" run mutant-blame
}

blame()
{
	blame_of right right right >"$LOG/out" || { cat "$LOG/out"; fail "a run with all right is refused"; }
	grep -qx '10 rows: rule 10/10, function 10/10 at guard; rule 8/8, function 8/8 at stacks' "$LOG/out" ||
		fail "it says $(cat "$LOG/out")"
	blame_of right wrong right >"$LOG/out" || fail "nine of ten at guard are refused"
	grep -q 'function 9/10 at guard' "$LOG/out" || fail "it says $(cat "$LOG/out")"
	refused 'function 7/8 at stacks' blame_of right right wrong
	refused 'rule 7/8, function 7/8 at stacks' blame_of never '' ''
	sed -i '$d' "$LOG/run/tests"
	refused 'rule 8/9, function 8/9 at guard' env RUN="$LOG/run" "$TOP/tests/cases/mutants.sh" run mutant-blame
	pass "3 refused"
}

warning()
{
	dir=$(plain_boot)
	cp -r "$dir" "$LOG/warning"
	for line in 'WARNING: CPU: 0 PID: 1 at fs/btrfs/ctree.c:1 x+0x1/0x2' 'BUG: kernel NULL pointer' \
		'Oops: 0000 [#1]' 'kernel BUG at fs/btrfs/extent_io.c:4841!' 'Call Trace:'; do
		{ cat "$dir/console.log"; echo "[    1.000000] $line"; } >"$LOG/warning/console.log"
		refused 'the console has a warning' judge_silent "$LOG/warning"
	done
	# Inside of a report of ours the same words are expected.
	grep -q WARNING: "$(mutant_boot)/console.log" || fail "there is no report of ours to look at"
	[ -z "$(trouble "$(mutant_boot)")" ] || fail "a report of ours is taken for trouble"
	pass "5 kinds refused"
}

# evidence_of DIR ON [SED]: what a good boot leaves behind, changed.
evidence_of()
{
	mkdir -p "$1"
	echo 0 >"$1/status"
	echo '[    1.000000] BTRFS info (device vda): using free space tree' >"$1/console.log"
	{
		printf '%s\n' 'workload: mount' 'child: exit 0' "stat on $2" 'stat events 900' 'stat distrusted 0' \
			'stat reports 0' 'stat dropped 0' 'stat judged_io_without_dance 9' \
			'stat broken_io_without_dance 0' 'stat broken_freed_dirty 0'
		# What this base only counts is not wrong.
		for name in $(only_counted); do echo "stat $name 3"; done
		echo 'end: ok'
	} | sed "${3:-}" >"$1/verdict.log"
}

guard_off()
{
	evidence_of "$LOG/good" 1
	judge_silent "$LOG/good" || fail "a guard that is on and content is refused"
	refused 'the guard is on, it must be off' judge_silent "$LOG/good" off
	evidence_of "$LOG/off" 0
	judge_silent "$LOG/off" off || fail "a guard that is off, as asked for, is refused"
	refused 'the guard is off, it must be on' judge_silent "$LOG/off"
	evidence_of "$LOG/none" 1 's/^stat .*/guard: none/'
	refused 'not in this kernel' judge_silent "$LOG/none"
	refused 'not in this kernel' judge_silent "$LOG/none" off
	evidence_of "$LOG/itself" 1
	echo 'BTRFS eb_debug: the guard is turned off, its own check failed: x' >>"$LOG/itself/console.log"
	refused 'the guard turned itself off' judge_silent "$LOG/itself"
	for name in dropped distrusted broken_freed_dirty; do
		evidence_of "$LOG/$name" 1 "s/^stat $name 0/stat $name 1/"
		refused "counters that must be 0: $name 1" judge_silent "$LOG/$name"
	done
	evidence_of "$LOG/untold" 1 '/^stat dropped/d'
	refused 'does not tell its counter dropped' judge_silent "$LOG/untold"
	evidence_of "$LOG/beside" 1 's/^child: /failed: reading owners (Input\/output error)\n&/'
	refused 'a task of the workload failed: reading owners' judge_silent "$LOG/beside"
	pass "9 kinds refused"
}

# says CODE WORDS DIR RULE: what judge_rule() makes of that.
says()
{
	code=0
	judge_rule "$LOG/$3" "$4" >"$LOG/out" || code=$?
	[ "$code" = "$1" ] || { cat "$LOG/out"; fail "$3 is $code for $4, expected $1"; }
	grep -qF -- "$2" "$LOG/out" || { cat "$LOG/out"; fail "$3: no word of '$2'"; }
	[ "$(wc -l <"$LOG/out")" = 1 ] || fail "$3: it is not one line"
	cases=$((cases + 1))
}

# reported_of DIR RULE: a good boot, but that this was reported.
reported_of()
{
	evidence_of "$LOG/$1" 1 "s/^stat \(reports\|broken_$2\) 0/stat \1 1/"
	printf '%s\n' 'BTRFS eb_debug: some title in some_function' "BTRFS eb_debug: rule=$2 start=1" >>"$LOG/$1/console.log"
}

rule()
{
	cases=0
	evidence_of "$LOG/good" 1
	says 0 'no report, judged 9 times' good io_without_dance
	says 0 'no report, judged 9 times' good any
	says 125 'never judged' good freed_dirty
	reported_of reported io_without_dance
	says 1 'io_without_dance in some_function' reported io_without_dance
	says 1 'io_without_dance in some_function' reported any
	reported_of other freed_dirty
	says 0 'judged 9 times; others: freed_dirty in some_function' other io_without_dance
	says 1 'freed_dirty in some_function' other any
	# Another rule's report ends a workload that awaits one.
	sed -i 's/^child: .*/child: stopped after the report/' "$LOG/other/verdict.log"
	says 125 "another rule's ended the workload" other io_without_dance
	for code_words in '2 the workload failed' '3 the kernel panicked' '4 the guest hung' '5 without a verdict'; do
		echo "${code_words%% *}" | tee "$LOG/good/status" >"$LOG/reported/status"
		says 125 "${code_words#* }" good io_without_dance
		says 125 "${code_words#* }" good any
		says 1 'io_without_dance in some_function' reported io_without_dance
	done
	evidence_of "$LOG/off" 0
	says 125 'the guard is off' off io_without_dance
	says 125 'the guard is off' off any
	evidence_of "$LOG/counted" 1 's/^stat broken_io_without_dance 0/stat broken_io_without_dance 3/'
	says 125 'broken 3 times and only counted' counted io_without_dance
	says 125 'counters that must be 0: broken_io_without_dance 3' counted any
	evidence_of "$LOG/blind" 1 's/^stat judged_.*/stat judged_io_without_dance 0/'
	says 125 'never judged' blind any
	pass "$cases cases"
}

# state DIR: its files and their content, as one line.
state() { (cd "$1" && find . -type f ! -path './.git/*' | sort | xargs cksum) | cksum; }

hunk()
{
	small_tree "$LOG/tree"
	# The last patch fails, so that all before it apply.
	sed -i 's/check_buffer_tree_ref/check_buffer_tree_reference/; s/lock_extent_buffer_for_io/lock_for_io/' \
		"$LOG/tree/fs/btrfs/extent_io.c"
	before=$(state "$LOG/tree")
	refused 'found no place' "$TOP/tools/apply" "$LOG/tree"
	refused 'apply: fs/btrfs/extent_io.c:' "$TOP/tools/apply" "$LOG/tree"
	refused '        eb_debug_dance(eb);' "$TOP/tools/apply" "$LOG/tree"
	[ "$(state "$LOG/tree")" = "$before" ] || fail "the tree was changed"
	pass "$(grep -F ': no place ' "$LOG/out" | head -n 1 | sed 's/^apply: //')"
}

twice()
{
	small_tree "$LOG/tree"
	"$TOP/tools/apply" "$LOG/tree" || fail "the hooks do not apply to their base"
	refused 'has the guard already' "$TOP/tools/apply" "$LOG/tree"
	EBDEBUG_CACHE=$LOG/cache KSRC=$LOG/tree refused 'tools/apply --undo takes it out' "$TOP/tools/tree" "$BASE" guard
	pass "refused"
}

# sites_of TREE: the number that its header gives.
sites_of() { sed -n 's/^#define EB_DEBUG_UNHOOKED_SITES //p' "$1/fs/btrfs/eb_debug_sites.h"; }

# whole_btrfs DIR: the base's fs/btrfs, with all headers that give things a type.
whole_btrfs()
{
	src=$("$TOP/tools/source" "$BASE")
	mkdir -p "$1/fs"
	cp -r "$src/fs/btrfs" "$1/fs/btrfs"
	small_tree "$1"
}

# The overlay's header says 0, so that the number must have been written.
unhooked()
{
	whole_btrfs "$LOG/before"
	cp -r "$LOG/before" "$LOG/tree"
	"$TOP/tools/apply" --write-dance "$LOG/before" 2>"$LOG/out" || fail "the hooks do not apply to their base"
	known=$(sites_of "$LOG/before")
	# A type that only a header tells, and a name that nothing else has.
	printf '%s\n' '' 'void eb_test_get(struct btrfs_root *eb_test)' '{' '	atomic_inc(&eb_test->node->refs);' '}' \
		>>"$LOG/tree/fs/btrfs/locking.c"
	"$TOP/tools/apply" --write-dance "$LOG/tree" 2>"$LOG/out" || fail "a place without a hook is refused"
	grep -q eb_debug_ "$LOG/tree/fs/btrfs/extent_io.c" || fail "the tree lacks the hooks"
	line=$(grep -n 'eb_test->node->refs' "$LOG/tree/fs/btrfs/locking.c" | cut -d : -f 1)
	said="fs/btrfs/locking.c:$line: eb_test_get() changes the reference count of 'eb_test->node' and has no hook"
	grep -qF "$said" "$LOG/out" || { cat "$LOG/out"; fail "it is not said: $said"; }
	grep -q 'the rules that need complete counts of references rest' "$LOG/out" || fail "it is not said what rests"
	[ "$(sites_of "$LOG/tree")" = $((known + 1)) ] ||
		fail "the header says $(sites_of "$LOG/tree"), expected $((known + 1))"
	pass "$said"
}

sites_missing_tool()
{
	small_tree "$LOG/tree"
	commands_without 'spatch*'
	refused 'sites were not checked: install coccinelle' env PATH="$LOG/bin" "$TOP/tools/sites" "$LOG/tree"
	PATH=$LOG/bin "$TOP/tools/apply" "$LOG/tree" 2>"$LOG/out" || { cat "$LOG/out"; fail "the tree is refused"; }
	grep -qF 'sites were not checked: install coccinelle' "$LOG/out" || { cat "$LOG/out"; fail "it is not said"; }
	grep -q 'the rules that need complete counts of references rest' "$LOG/out" || fail "it is not said what rests"
	[ "$(sites_of "$LOG/tree")" = '(-1)' ] || fail "the header says $(sites_of "$LOG/tree"), expected (-1)"
	said=$(grep -F 'not checked' "$LOG/out")
	sites_not_kept
	pass "$said"
}

# sites_not_kept: with a cache that takes nothing, places are found all the same.
sites_not_kept()
{
	have spatch || return 0
	mkdir -p "$LOG/one/fs/btrfs" "$LOG/cache"
	printf '%s\n' 'void eb_test_get(struct extent_buffer *eb)' '{' '	atomic_inc(&eb->refs);' '}' >"$LOG/one/fs/btrfs/one.c"
	: >"$LOG/cache/tree"
	EBDEBUG_CACHE=$LOG/cache "$TOP/tools/sites" --unhooked "$LOG/one" >"$LOG/out" 2>&1 || { cat "$LOG/out"; fail "nobody looked"; }
	grep -q '^fs/btrfs/one.c:3 eb_test_get eb' "$LOG/out" || { cat "$LOG/out"; fail "the place was not found"; }
}

base()
{
	refused "there is no base '9.9'" "$TOP/tools/source" 9.9
	refused "BASES knows: $(base_names | head -n 1)" "$TOP/tools/tree" 9.9 guard
	refused "there is no base '9.9'" "$TOP/tests/run" -b 9.9
	refused 'is not a kernel tree' "$TOP/tools/recognise" "$LOG"
	mkdir -p "$LOG/tree/fs/btrfs"
	refused "$(base_field "$BASE" 5)" "$TOP/tools/recognise" "$LOG/tree"
	# Before anything is installed.
	for target in run quick test fstests perf dose soak model lint deps series; do
		refused "there is no base '9.9'" env -u KSRC make -s -C "$TOP" $target BASE=9.9
	done
	# make quick is of 7.x, if nobody says otherwise, and packages are the first that it needs.
	sandbox
	commands_without apt-get qemu-system-x86_64
	for said in 'KSRC=' 'BASE=7.x'; do
		PATH=$LOG/bin refused 'there is no apt-get' env -u BASE -u KSRC make -s -C "$LOG/repo" quick "$said"
	done
	PATH=$LOG/bin refused 'has one CPU in kernels of base 6.1' env -u BASE -u KSRC make -s -C "$LOG/repo" quick BASE=6.1
	refused 'there is no variant' "$TOP/tools/tree" "$BASE" gaurd
	pass "refused"
}

# first_read ARGUMENT...: where the bug of 2020 is said to be reported.
first_read() { "$TOP/tests/run" "$@" --list mutant-read_dance | sed 's/.* io_without_dance in \([^:]*\):.*/\1/'; }

# KSRC says itself which base it is: its tests are that one's, whatever BASE says.
ksrc_base()
{
	mkdir -p "$LOG/linux/$(dirname "$(base_field 7.x 4)")"
	base_field 7.x 5 >"$LOG/linux/$(base_field 7.x 4)"
	want=$(first_read -b 7.x)
	[ "$want" != "$(first_read -b 6.1)" ] || fail "both bases report it in $want, which tells nothing"
	for say in 6.1 7.x; do
		is=$(KSRC=$LOG/linux BASE=$say first_read)
		[ "$is" = "$want" ] || fail "with BASE=$say a tree of 7.x is tested as one that reports it in $is"
	done
	KSRC=$LOG/linux refused 'is of base 7.x' "$TOP/tests/run" -b 6.1 mutant-table
	KSRC=$LOG/linux refused 'is of base 7.x' "$TOP/tests/run" --set test
	pass "$want"
}

ksrc_dirty()
{
	small_tree "$LOG/linux"
	commit_all "$LOG/linux"
	echo >>"$LOG/linux/fs/btrfs/extent_io.c"
	EBDEBUG_CACHE=$LOG/cache KSRC=$LOG/linux refused 'changes that are not committed' "$TOP/tools/tree" "$BASE" guard
	KSRC=$LOG/nothing refused 'KSRC' "$TOP/tools/tree" "$BASE" guard
	pass "refused"
}

# used KIND: KSRC is copied, the copy has the guard, KSRC itself does not change.
used()
{
	before=$(state "$LOG/$1")
	tree=$(EBDEBUG_CACHE=$LOG/cache KSRC=$LOG/$1 "$TOP/tools/tree" "$BASE" guard 2>"$LOG/out") ||
		{ cat "$LOG/out"; fail "KSRC is not accepted"; }
	grep -q "recognised as base $BASE" "$LOG/out" || fail "the base that was recognised is not told"
	[ -e "$tree/include/linux/eb_debug.h" ] || fail "the copy lacks the guard"
	grep -q eb_debug_ "$tree/fs/btrfs/extent_io.c" || fail "the copy lacks the hooks"
	[ "$(state "$LOG/$1")" = "$before" ] || fail "KSRC was changed"
}

# arrived KIND: a change that is in KSRC by now is in the copy, and nothing else there was
# written, or all of it would be compiled again.
arrived()
{
	used "$1"
	grep -q '/\* changed \*/' "$tree/fs/btrfs/extent_io.c" || fail "a change of KSRC did not arrive"
	found=$(cd "$tree" && find . -type f -newer "$LOG/before-$1" ! -name '.eb-*' ! -path ./fs/btrfs/extent_io.c)
	[ -z "$found" ] || fail "written although nothing has changed: $found"
}

ksrc()
{
	small_tree "$LOG/files"
	# One that has no hook.
	cp "$src/fs/btrfs/acl.c" "$LOG/files/fs/btrfs/acl.c"
	cp -r "$LOG/files" "$LOG/git"
	commit_all "$LOG/git"
	for kind in git files; do
		used $kind
		: >"$LOG/before-$kind"
		echo '/* changed */' >>"$LOG/$kind/fs/btrfs/extent_io.c"
	done
	commit_all "$LOG/git"
	arrived git
	arrived files
	pass "a git tree and plain files, and a change of them"
}

# sandbox: a copy of this repository in which tests may break things.
sandbox()
{
	mkdir -p "$LOG/repo"
	(cd "$TOP" && git ls-files -z | xargs -0 cp --parents -t "$LOG/repo")
}

# scratch_tree: a whole tree of hard links, to configure and build in.
scratch_tree()
{
	src=$("$TOP/tools/source" "$BASE")
	mkdir -p "$LOG/cache/tree/$BASE"
	cp -al "$src" "$LOG/cache/tree/$BASE/pristine"
	scratch=$LOG/cache/tree/$BASE/pristine
}

# uncompilable: a scratch tree with a mistake in the first file that is compiled for the
# target, which is replaced and not written: who gets there has a configuration.
uncompilable()
{
	scratch_tree
	rm "$scratch/kernel/bounds.c"
	echo '#error this must not compile' >"$scratch/kernel/bounds.c"
}

# configured WORDS LINE...: these lines on top of a configuration end in these words.
configured()
{
	said=$1
	shift
	{ cat "$TOP/tests/configs/pristine.config"; printf '%s\n' "$@"; } >"$LOG/repo/tests/configs/pristine.config"
	EBDEBUG_CACHE=$LOG/cache refused "$said" "$LOG/repo/tools/build" "$scratch" pristine
}

option()
{
	sandbox
	uncompilable
	configured CONFIG_EB_NO_ONE=y CONFIG_EB_NO_ONE=y
	# Of two names one must be known, whichever; to have no name for it is no way out.
	configured 'this must not compile' CONFIG_EB_NO_ONE=y '# or' CONFIG_MODULES=y
	configured 'this must not compile' CONFIG_MODULES=y '# or' CONFIG_EB_NO_ONE=y
	configured 'CONFIG_EB_NO_ONE=y or CONFIG_EB_NO_OTHER=y' CONFIG_EB_NO_ONE=y '# or' CONFIG_EB_NO_OTHER=y
	configured CONFIG_EB_NO_ONE=y CONFIG_EB_NO_ONE=y '# or' CONFIG_MODULES=y '# CONFIG_MODULES is not set'
	configured CONFIG_EB_NO_ONE=y CONFIG_MODULES=y '# or' CONFIG_EB_NO_ONE=y '# CONFIG_MODULES is not set'
	configured 'this must not compile' CONFIG_EB_NO_ONE=y '# CONFIG_EB_NO_ONE is not set'
	rm -rf "$LOG/cache"
	pass "4 named, 3 accepted"
}

build()
{
	uncompilable
	EBDEBUG_CACHE=$LOG/cache refused 'this must not compile' "$TOP/tools/build" "$scratch" pristine
	rm -rf "$LOG/cache"
	pass "refused with the compiler's words"
}

disk()
{
	mkdir -p "$LOG/bin"
	printf '#!/bin/sh\necho header\necho "none 100 90 10 90%% /"\n' >"$LOG/bin/df"
	chmod +x "$LOG/bin/df"
	PATH=$LOG/bin:$PATH EBDEBUG_CACHE=$LOG/cache refused 'too little disk space' "$TOP/tools/source" "$BASE"
	[ ! -d "$LOG/cache/src/$BASE/linux" ] || fail "something was unpacked"
	pass "$(head -n 1 "$LOG/out")"
}

# make_it TARGET DIR: with that cache.
make_it() { EBDEBUG_CACHE=$2 make -s -C "$LOG/repo" "$1"; }

# use DIR: as a cache, by a tool of ours.
use() { EBDEBUG_CACHE=$1 "$LOG/repo/tools/recognise" "$LOG/repo" >/dev/null 2>&1 || :; }

# fill DIR: with all that tools of ours make.
fill()
{
	for name in src tree log guest guest-arm64 host image model series; do
		mkdir -p "$1/$name/mine"
		echo mine >"$1/$name/mine/file"
	done
	: >"$1/.lock-source"
}

clean_up()
{
	sandbox
	# A directory of the user's that has such names, and others; one with another program's mark.
	for dir in home src-only tagged; do
		mkdir "$LOG/$dir"
		mkdir "$LOG/$dir/src"
		echo mine >"$LOG/$dir/src/file"
	done
	: >"$LOG/home/letter"
	fill "$LOG/home"
	echo 'Signature: 8a477f597d28d172789f06886806bc55' >"$LOG/tagged/CACHEDIR.TAG"
	for dir in home src-only tagged; do
		before=$(state "$LOG/$dir")
		for target in clean distclean; do
			EBDEBUG_CACHE=$LOG/$dir "$LOG/repo/tools/source" 9.9 2>/dev/null || :
			refused 'nothing was removed' make_it $target "$LOG/$dir"
			[ "$(state "$LOG/$dir")" = "$before" ] || fail "make $target removes what is not ours in $dir"
		done
	done
	# One that we made, an empty one, and one from before there was a mark.
	mkdir "$LOG/empty"
	fill "$LOG/repo/build"
	for dir in new empty repo/build; do
		use "$LOG/$dir"
		fill "$LOG/$dir"
		make_it clean "$LOG/$dir" >"$LOG/out" 2>&1 || { cat "$LOG/out"; fail "make clean fails: $dir"; }
		[ "$(cd "$LOG/$dir" && echo *)" = 'CACHEDIR.TAG image src' ] || fail "make clean leaves $(cd "$LOG/$dir" && echo *)"
		fill "$LOG/$dir"
		make_it distclean "$LOG/$dir" >"$LOG/out" 2>&1 || { cat "$LOG/out"; fail "make distclean fails: $dir"; }
		[ ! -e "$LOG/$dir" ] || fail "make distclean leaves $(ls -A "$LOG/$dir")"
	done
	# With CDPATH another directory of that name is none of ours.
	use "$LOG/repo/cache"
	mkdir -p "$LOG/elsewhere"
	use "$LOG/elsewhere/cache"
	fill "$LOG/elsewhere/cache"
	before=$(state "$LOG/elsewhere")
	CDPATH=$LOG/elsewhere make_it distclean cache >"$LOG/out" 2>&1 || { cat "$LOG/out"; fail "make distclean fails with CDPATH"; }
	[ "$(state "$LOG/elsewhere")" = "$before" ] || fail "make distclean goes where CDPATH says"
	[ ! -e "$LOG/repo/cache" ] || fail "make distclean leaves the cache"
	pass "3 caches removed, and nothing of 3 other directories"
}

# rows_in_order: a base may have more than one row of a set.
rows_in_order()
{
	printf '%s\n' 'two | 6.1 | no' 'two | 6.1 | g*' >"$LOG/repo/tests/sets"
	"$LOG/repo/tests/run" --set two >"$LOG/out" || fail "a set without a failure fails"
	[ "$(cut -c 1-4 "$LOG/out" | head -n 2 | tr -d '\n ')" = skipok ] || fail "the rows of a set do not run in order"
	[ "$(tail -n 1 "$LOG/out")" = '1 passed, 0 failed, 1 skipped' ] || fail "the last line is $(tail -n 1 "$LOG/out")"
}

# no_time: what has not begun when the time is over is skipped, and told.
no_time()
{
	EBDEBUG_MINUTES=1h refused "EBDEBUG_MINUTES=1h is no number of minutes" "$LOG/repo/tests/run" good
	mkdir -p "$LOG/late"
	EBDEBUG_MINUTES=1 RUN_LIMIT=0 RUN="$LOG/late" RUN_BASES=1 \
		"$LOG/repo/tests/run" --one "$LOG/repo/tests/cases/some.sh" bad >"$LOG/out" 2>&1
	[ "$(cat "$LOG/out")" = 'skip bad: not begun within EBDEBUG_MINUTES=1' ] || fail "a test that is late is not skipped: $(cat "$LOG/out")"
	[ "$(cat "$LOG/late/results")" = 'skipped bad' ] || fail "a test that is late counts as $(cat "$LOG/late/results")"
}

runner()
{
	sandbox
	rm "$LOG/repo/tests/cases"/*.sh
	cat >"$LOG/repo/tests/cases/some.sh" <<'END'
#!/bin/sh
case $1 in
list) printf 'good\tpasses\nbad\tfails\nno\tskips\n' ;;
run) case $2 in good) echo fine ;; bad) echo broken; exit 1 ;; no) echo 'skip: for a reason'; exit 77 ;; esac ;;
esac
END
	chmod +x "$LOG/repo/tests/cases/some.sh"
	export EBDEBUG_CACHE="$LOG/cache"
	printf '#!/bin/sh\nexit 1\n' >"$LOG/repo/tests/cases/lost.sh"
	chmod +x "$LOG/repo/tests/cases/lost.sh"
	refused 'lost.sh can not say which tests it has' "$LOG/repo/tests/run"
	refused 'lost.sh can not say which tests it has' "$LOG/repo/tests/run" --list
	rm "$LOG/repo/tests/cases/lost.sh"
	refused '1 passed, 1 failed, 1 skipped' "$LOG/repo/tests/run"
	grep -q '^ok   good  (.* s)  fine$' "$LOG/out" || fail "the line of the test that passed is missing"
	grep -q '^skip no: for a reason$' "$LOG/out" || fail "the line of the test that was skipped is missing"
	grep -q '| broken$' "$LOG/out" || fail "the output of the test that failed is missing"
	grep -q '^failed: bad *$' "$LOG/out" || fail "what failed is not named at the end"
	"$LOG/repo/tests/run" good >"$LOG/out" || fail "a run without a failure fails"
	[ "$(tail -n 1 "$LOG/out")" = '1 passed, 0 failed' ] || fail "the last line is $(tail -n 1 "$LOG/out")"
	# A word that is misspelled, beside others, too.
	refused "no test is called 'nothing'" "$LOG/repo/tests/run" nothing
	refused "no test is called 'not*'" "$LOG/repo/tests/run" good 'not*'
	refused "no test is called 'nothing'" "$LOG/repo/tests/run" --list nothing
	refused '0 passed, 0 failed' "$LOG/repo/tests/run" good '!good' '!nothing'
	refused '0 passed, 0 failed, 1 skipped' "$LOG/repo/tests/run" no
	rows_in_order
	no_time
	pass "counts and exit status"
}

run()
{
	case $1 in
	harness-panic) broken_boot 3 'the kernel panicked' self_panic ;;
	harness-hang) broken_boot 4 'the guest hung' self_hang limit=40 ;;
	harness-silent) broken_boot 5 'the guest ended without a verdict' self_silent ;;
	harness-timeout) broken_boot 2 'child: timeout' self_timeout timeout=2 ;;
	harness-exit) broken_boot 2 'child: exit 7' self_exit ;;
	harness-low) broken_boot 2 'check nothing 0 1 low' self_low ;;
	harness-no-init) no_init ;;
	harness-cpus) broken_boot 2 'failed: 1 CPUs are there' mount smp=2 nosmp ;;
	harness-report) report ;;
	harness-missing-report) missing_report ;;
	harness-wrong-report) wrong_report ;;
	harness-stacks) stacks ;;
	harness-blame) blame ;;
	harness-warning) warning ;;
	harness-guard-off) guard_off ;;
	harness-rule) rule ;;
	harness-hunk) hunk ;;
	harness-twice) twice ;;
	harness-unhooked) unhooked ;;
	harness-sites-missing-tool) sites_missing_tool ;;
	harness-base) base ;;
	harness-ksrc-base) ksrc_base ;;
	harness-ksrc-dirty) ksrc_dirty ;;
	harness-ksrc) ksrc ;;
	harness-option) option ;;
	harness-build) build ;;
	harness-disk) disk ;;
	harness-clean) clean_up ;;
	harness-run) runner ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
