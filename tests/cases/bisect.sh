#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# tools/bisect-run in a kernel tree: git finds the commit that brings a bug, over commits
# that tell nothing, and whatever is so at every commit stops it.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

# What the commits after the first are: g good; b bad, from the mutant on; B does not build;
# R has a hooked function under another name; P panics at boot.  git begins in the middle, and
# from what it skips goes to one of two as far from the ends, by their names: all three are B.
KINDS=ggBggggPgBBggRgbBbbb
COMMITS=${#KINDS}

PROJECT=$EBDEBUG_CACHE/tree/bisect-$BASE
LINUX=$PROJECT/linux

list()
{
	printf '%s\n' \
		"bisect-run	a mutant in a history of $COMMITS commits is found, and the user's files stay" \
		"bisect-errors	what no commit can help stops git, what one commit can't tell is skipped"
}

# in_git ARGUMENT...: git in the tree, and nothing of the user's is asked.
in_git()
{
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		GIT_AUTHOR_DATE=2022-12-12T00:00:00Z GIT_COMMITTER_DATE=2022-12-12T00:00:00Z \
		git -C "$LINUX" -c user.name=test -c user.email=test@localhost -c gc.auto=0 "$@"
}

# kind_of N: that of the Nth commit after the first.
kind_of() { echo "$KINDS" | cut -c "$1"; }

# next_commit N: all that has changed, and its tag.
next_commit()
{
	in_git commit -q -a -m "btrfs: change $1"
	in_git tag "change-$1"
}

# innocent N: a change that the Nth commit makes and no other one; one of them to a header
# that all of btrfs has.
innocent()
{
	file=$(cd "$LINUX/fs/btrfs" && find . -maxdepth 1 -name '*.c' ! -name super.c ! -name extent_io.c | sort | sed -n "$1p")
	[ "$1" != 18 ] || file=ctree.h
	echo "/* change $1 */" >>"$LINUX/fs/btrfs/$file"
}

# append LINE...: to a file of btrfs that is built in and includes what modules need.
append() { printf '%s\n' '' "$@" >>"$LINUX/fs/btrfs/super.c"; }

# change N: what the Nth commit changes.
change()
{
	innocent "$1"
	in_git checkout -q first -- fs/btrfs/super.c fs/btrfs/extent_io.c
	case $(kind_of "$1") in
	B) append 'int eb_test_broken(void)' '{' '	return eb_test_nowhere;' '}' ;;
	R) sed -i 's/\bcheck_buffer_tree_ref\b/look_at_tree_ref/' "$LINUX/fs/btrfs/extent_io.c" ;;
	P) append 'static int __init eb_test_panic(void)' '{' '	panic("a commit that panics");' '}' \
		'late_initcall(eb_test_panic);' ;;
	esac
	case $(echo "$KINDS" | cut -c "-$1") in
	*b*) sed -i "/^int $(culprit read_dance)(/,/^}/{/^\tcheck_buffer_tree_ref(eb);\$/d}" "$LINUX/fs/btrfs/extent_io.c" ;;
	esac
}

# make_history: the base's source as a first commit, tagged, and all others.  What is here of it
# from another run is taken, if it is the same.
make_history()
{
	src=$("$TOP/tools/source" "$BASE")
	stamp=$({ cat "$0"; echo "$src"; } | cksum)
	[ "$(cat "$PROJECT/stamp" 2>/dev/null)" != "$stamp" ] || return 0
	say "bisect: making a history of $COMMITS commits"
	# First, for what is interrupted must not look whole.
	rm -f "$PROJECT/stamp"
	rm -rf "$LINUX"
	mkdir -p "$PROJECT"
	cp -al "$src" "$LINUX"
	# git replaces files, what they are linked to does not change; we do not.
	rm -rf "$LINUX/fs/btrfs"
	cp -a "$src/fs/btrfs" "$LINUX/fs/btrfs"
	in_git init -q -b work
	# As one pack: there are 80,000 files.
	in_git -c core.compression=1 -c core.bigFileThreshold=1 add -A -f
	in_git commit -q -m 'a kernel'
	in_git tag first
	for n in $(seq "$COMMITS"); do
		change "$n"
		next_commit "$n"
	done
	echo "$stamp" >"$PROJECT/stamp"
}

# in_project COMMAND...: with the cache and the tree of these tests.
in_project()
{
	(
		EBDEBUG_CACHE=$PROJECT/cache
		export EBDEBUG_CACHE
		"$@"
	)
}

# cant: why this base has no such history, or nothing.
cant() { [ "$BASE" != 5.10 ] || echo "a hook stands beside the line that the mutant takes away"; }

# The first kernel is compiled from nothing; what bisect-run asks for goes on from it.
prepare()
{
	[ -z "$(cant)" ] || return 0
	case " $* " in
	*' bisect-run '*)
		make_history
		in_git checkout -qf first
		KSRC=$LINUX
		export KSRC
		in_project kernel guard ;;
	esac
}

# belongings: what git says of the tree, and the files in it that git has not.
belongings()
{
	in_git rev-parse HEAD
	in_git symbolic-ref HEAD
	in_git status --porcelain --ignored
	cat "$LINUX/mine" "$LINUX/fs/btrfs/mine.o"
}

# words_of KIND: how the line of such a commit goes on.
words_of()
{
	case $1 in
	g) echo 'good: no report, judged [1-9][0-9]* times, ' ;;
	b) echo "bad: io_without_dance in $(culprit read_dance), " ;;
	B) echo 'skip: it does not build: .*eb_test_nowhere.*, ' ;;
	R) echo 'skip: the guard can.t be put in: no place for eb_debug_dance(eb); at fs/btrfs/extent_io.c:[0-9]*, in check_buffer_tree_ref(), ' ;;
	P) echo 'skip: no report, but the kernel panicked, ' ;;
	esac
}

# each_step: what is said of each commit that was tried is right; prints their kinds.
each_step()
{
	sed -nE 's/^[0-9a-f]{12} btrfs: change ([0-9]+): /\1 /p' "$LOG/steps" | while read -r number words; do
		kind=$(kind_of "$number")
		echo "$words" | grep -q "^$(words_of "$kind")" || fail "of change $number, which is $kind: $words" >&2
		printf %s "$kind"
	done
}

# first_bad: the commit that git has found.
first_bad() { in_git bisect log | sed -n 's/^# first bad commit: \[\([0-9a-f]*\)\].*/\1/p'; }

# by_hand KIND: what git has not met.
by_hand()
{
	in_git checkout -qf "change-$(expr "$KINDS" : "[^$1]*$1")"
	(cd "$LINUX" && in_project "$TOP/tools/bisect-run" io_without_dance mount) >"$LOG/steps" 2>&1 ||
		[ $? = 125 ] || { cat "$LOG/steps"; fail "a commit that is $1 is not skipped"; }
	[ "$(each_step)" = "$1" ] || fail "it is not tried"
}

found()
{
	why=$(cant)
	[ -z "$why" ] || skip "$why"
	make_history
	in_git bisect reset >/dev/null 2>&1 || :
	in_git checkout -qf work
	echo 'a note' >"$LINUX/mine"
	echo 'an object' >"$LINUX/fs/btrfs/mine.o"
	belongings >"$LOG/before"
	in_git bisect start work first >"$LOG/git.log"
	in_project in_git bisect run "$TOP/tools/bisect-run" io_without_dance mount >"$LOG/steps" 2>&1 ||
		{ cat "$LOG/steps"; fail "git bisect run fails"; }
	cat "$LOG/steps"
	echo
	bad=$(in_git rev-parse "change-$(expr "$KINDS" : '[^b]*b')")
	[ "$(first_bad)" = "$bad" ] || fail "the first bad commit is $bad, git has found '$(first_bad)'"
	met=$(each_step) || fail "a commit is taken for what it is not"
	for kind in B.*B g b; do
		expr "$met" : ".*$kind" >/dev/null || fail "no $kind was met in '$met'"
	done
	in_git bisect reset >>"$LOG/git.log" 2>&1
	belongings >"$LOG/after"
	cmp -s "$LOG/before" "$LOG/after" || { diff "$LOG/before" "$LOG/after"; fail "the user's tree is not as before"; }
	for kind in R P; do
		expr "$met" : ".*$kind" >/dev/null || by_hand $kind
	done
	pass "found in ${#met} of $COMMITS commits, of which $(echo "$met" | tr -d gb | wc -m | awk '{ print $1 - 1 }') were skipped: $met"
}

# all_bytes: the tree's files, and git's.
all_bytes() { (cd "$LINUX" && find . -type f | sort | xargs cksum); }

# ends CODE WORDS ARGUMENT...: so it ends, says that, and leaves the tree as it is.
ends()
{
	want=$1
	words=$2
	shift 2
	all_bytes >"$LOG/before"
	code=0
	(cd "$LINUX" && in_project "$TOP/tools/bisect-run" "$@") >"$LOG/out" 2>&1 || code=$?
	[ "$code" = "$want" ] || { cat "$LOG/out"; fail "the status is $code, expected $want: bisect-run $*"; }
	grep -qF -- "$words" "$LOG/out" || { cat "$LOG/out"; fail "no word of '$words': bisect-run $*"; }
	all_bytes >"$LOG/after"
	cmp -s "$LOG/before" "$LOG/after" || fail "the tree was changed: bisect-run $*"
	cases=$((cases + 1))
}

# rule_that WORD: one of which that is decided on this base.
rule_that() { decided_by "$BASE" | sed -n "s/ $BASE $1\$//p" | head -n 1; }

# stops: what is so at every commit.  A mistake in a word is told with all words there are.
stops()
{
	ends 255 usage
	ends 255 "there is no rule 'no_such_rule'" no_such_rule
	ends 255 io_without_dance no_such_rule
	ends 255 "there is no workload 'no_such_workload'" any no_such_workload
	ends 255 cow_under_writeback any no_such_workload
	ends 255 'the option log=x is not for this' any mount log=x
	ends 255 'machine=none: ' any mount machine=none
	commands_without rsync
	PATH=$LOG/bin ends 255 rsync any
	commands_without df
	printf '#!/bin/sh\necho header\necho "none 100 90 10 90%% /"\n' >"$LOG/bin/df"
	chmod +x "$LOG/bin/df"
	PATH=$LOG/bin ends 255 'too little disk space' any
	echo '/* mine */' >>"$LINUX/fs/btrfs/extent_io.c"
	ends 255 'changes that are not committed' any
	in_git checkout -q fs/btrfs/extent_io.c
	mv "$LINUX/.git" "$LOG/git"
	GIT_CEILING_DIRECTORIES=$PROJECT ends 255 'no git tree' any
	mv "$LOG/git" "$LINUX/.git"
	mv "$LINUX/Kbuild" "$LOG/Kbuild"
	ends 255 'is not a kernel tree' any
	mv "$LOG/Kbuild" "$LINUX/Kbuild"
	in_git checkout -q -b guarded first
	mkdir -p "$LINUX/include/linux"
	: >"$LINUX/include/linux/eb_debug.h"
	in_git add -A
	in_git commit -q -m 'the guard'
	ends 255 'tools/apply --undo takes it out' any
	in_git checkout -q work
	in_git bisect start --no-checkout work first >"$LOG/git.log" 2>&1
	ends 255 '--no-checkout' any
	in_git bisect reset >"$LOG/git.log" 2>&1
}

# stops_git: git goes no further, and nothing is said of the commit.
stops_git()
{
	in_git bisect start work first >"$LOG/git.log" 2>&1
	in_git bisect log >"$LOG/before"
	! in_project in_git bisect run "$TOP/tools/bisect-run" any mount machine=none >"$LOG/out" 2>&1 ||
		fail "git bisect run goes on"
	in_git bisect log >"$LOG/after"
	cmp -s "$LOG/before" "$LOG/after" || { diff "$LOG/before" "$LOG/after"; fail "something is said of a commit"; }
	in_git bisect reset >"$LOG/git.log" 2>&1
}

# skips: what one commit can't tell, without a kernel.
skips()
{
	in_git checkout -q first
	rule=$(rule_that 'not judged')
	[ -z "$rule" ] || ends 125 "skip: $rule is not judged on base $BASE" "$rule"
	rule=$(rule_that counts)
	[ -z "$rule" ] || ends 125 "skip: $rule is only counted on base $BASE" "$rule"
	in_git checkout -q change-1
	ends 125 "change 1: skip: the guard is not for it: " any
}

errors()
{
	PROJECT=$LOG
	LINUX=$PROJECT/linux
	cases=0
	marks=$LINUX/$(base_field "$BASE" 4)
	small_tree "$LINUX"
	: >"$LINUX/Kbuild"
	commit_all "$LINUX"
	in_git checkout -q -b work
	in_git tag first
	grep -vF -- "$(base_field "$BASE" 5)" "$marks" >"$LOG/marks"
	cp "$LOG/marks" "$marks"
	next_commit 1
	echo '# nothing' >"$LINUX/Kbuild"
	next_commit 2
	stops
	stops_git
	skips
	pass "$cases kinds"
}

run()
{
	case $1 in
	bisect-run) found ;;
	bisect-errors) errors ;;
	*) die "there is no test '$1' here" ;;
	esac
}

case_main list run prepare "$@"
