#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# tools/apply on a developer's own tree: it does all or nothing, names what stands in
# its way, and takes back what it did.  The trees are small ones, made of the base's
# pristine source.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		apply-place 'where a hook goes when what is around it has changed, and when it goes nowhere' \
		apply-git 'a git tree gets commits, one idea each, and the result is that of plain patch' \
		apply-files 'a tree that is no git tree gets files, those of plain patch, and others that share them keep theirs' \
		apply-undo 'commits and files are taken back to the byte; what came later is not lost' \
		apply-check 'with --check nothing changes, and words and status are those of the real thing' \
		apply-dirty 'a git tree that is dirty, busy or nobody'\''s is refused in clear words' \
		apply-environment 'what git and the shell of the caller have in the environment leads nowhere else' \
		apply-local-changes 'local commits to extent_io.c: each hook stands in its function, a new reference is named' \
		apply-renamed 'a hooked function was renamed: its hooks are named with file and line, nothing changes' \
		apply-moved 'a hook does not follow its lines into another function' \
		apply-partial 'only hooks of owners can be left out, and then their rules rest' \
		apply-errors 'no tree, no base, no disk, no git, read-only, a failure in the middle: said, and nothing changes' \
		apply-interrupted 'a failure in the middle takes nothing that the user has or does meanwhile' \
		apply-at-once 'of two at once on a tree one is refused, and the other can be undone' \
		apply-static 'a mistake in a developer'\''s own commits is told and stops nothing; without one nothing is told' \
		apply-config 'make defconfig btrfs-eb-debug.config gives all that the fragment asks for'
}

APPLY=$TOP/tools/apply
PATCHES=$TOP/patches/$BASE

# who: the identity that the commits get.
who()
{
	GIT_CONFIG_GLOBAL=$LOG/gitconfig
	GIT_CONFIG_NOSYSTEM=1
	export GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM
	printf '[user]\n\tname = A Developer\n\temail = dev@localhost\n[init]\n\tdefaultBranch = work\n' >"$GIT_CONFIG_GLOBAL"
}

# plain_tree DIR: btrfs of the base, and where else the overlay goes.
plain_tree()
{
	src=$("$TOP/tools/source" "$BASE")
	rm -rf "$1"
	mkdir -p "$1/fs" "$1/include/linux" "$1/include/trace/events" "$1/kernel/configs"
	cp -r "$src/fs/btrfs" "$1/fs/btrfs"
	echo 'obj-y += fs/' >"$1/Kbuild"
}

git_tree()
{
	who
	plain_tree "$1"
	# git knows no empty directories.
	find "$1" -type d -empty -delete
	git -C "$1" init -q
	git -C "$1" add -A
	git -C "$1" commit -q -m base
}

# bytes DIR: paths, modes and content of all its files, and its directories, without
# git's.
bytes()
{
	(cd "$1" && find . -path ./.git -prune -o -printf '%P %y %m\n' | sort
		find . -path ./.git -prune -o -type f -print | sort | xargs cksum)
}

# all_bytes DIR: the same with all that git keeps.
all_bytes() { (cd "$1" && bytes . && find .git -type f | sort | xargs -r cksum); }

# git_state DIR: what git says of it.
git_state()
{
	git -C "$1" rev-parse HEAD
	git -C "$1" symbolic-ref HEAD
	git -C "$1" ls-files -s
	git -C "$1" status --porcelain --ignored
}

# same A B WORDS
same() { cmp -s "$1" "$2" || { diff "$1" "$2" | head -n 10; fail "$3"; }; }

# applied OPTION... TREE
applied() { "$APPLY" "$@" 2>"$LOG/out" || { cat "$LOG/out"; fail "it was refused: tools/apply $*"; }; }

# refused WORDS COMMAND...: it fails and says that.
refused()
{
	words=$1
	shift
	! "$@" >"$LOG/out" 2>&1 || { cat "$LOG/out"; fail "it was accepted: $*"; }
	grep -qF -- "$words" "$LOG/out" || { cat "$LOG/out"; fail "no word of '$words'"; }
}

# refused_unchanged WORDS TREE OPTION...: the same, in earnest and with --check, and
# not a byte changes.
refused_unchanged()
{
	words=$1
	tree=$2
	shift 2
	all_bytes "$tree" >"$LOG/before"
	refused "$words" "$APPLY" --check "$@" "$tree"
	cp "$LOG/out" "$LOG/out-check"
	all_bytes "$tree" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "--check changed something ($words)"
	refused "$words" "$APPLY" "$@" "$tree"
	all_bytes "$tree" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "the tree was changed ($words)"
	same "$LOG/out-check" "$LOG/out" "--check says something else ($words)"
}

# by_patch DIR: what plain patch and cp make of a tree, for comparison.
by_patch()
{
	plain_tree "$1"
	for patch in "$PATCHES"/*.patch "$PATCHES"/write-dance/*.patch; do
		patch -s -d "$1" -p1 -F0 --no-backup-if-mismatch <"$patch" || fail "$patch is not for its base"
	done
	(cd "$TOP" && find include fs Documentation kernel -type f -print0 | xargs -0 cp --parents -t "$1")
	cp "$PATCHES/eb_debug_base.h" "$1/fs/btrfs/eb_debug_base.h"
	[ ! -d "$PATCHES/include" ] || (cd "$PATCHES" && cp -rn --parents -t "$1" include)
}

# is_by_patch DIR
is_by_patch()
{
	by_patch "$LOG/by-patch"
	diff -r -x .git -x .eb-debug-undo "$LOG/by-patch" "$1" >"$LOG/diff" || { head "$LOG/diff"; fail "it is not what patch makes of it"; }
}

# The file of the small cases, and patches with a hook behind fourth() in two().
small_c()
{
	printf '%s\n' '#include "a.h"' '#include "b.h"' '' 'int one(void)' '{' '	first();' '	third();' '	fourth();' \
		'	fifth_call();' '	sixth();' '	return 1;' '}' '' 'int two(void)' '{' '	first();' 'again:' '	second();' \
		'	third();' '	fourth();' '	fifth_call();' '	sixth();' '	return 2;' '}'
}

# small_patch HEADING: the hunk begins behind the label, so that only its heading tells.
# small_patch HEADING label: a hook behind a label of its own, at the end of two().
# small_patch HEADING fix: no hook; the line that one may stand behind is replaced.
small_patch()
{
	printf '%s\n' 'Subject: a test' '---' 'diff --git a/small.c b/small.c' '--- a/small.c' '+++ b/small.c'
	case ${2:-} in
	label)
		printf '%s\n' "@@ -21,4 +21,7 @@ $1" ' 	fifth_call();' ' 	sixth();' ' 	return 2;' '+' '+out:' \
			'+	eb_debug_test(eb);' ' }' ;;
	fix)
		printf '%s\n' "@@ -18,5 +18,6 @@ $1" ' 	second();' ' 	third();' '-	fourth();' '+	if (more())' \
			'+		fourth_now();' ' 	fifth_call();' ' 	sixth();' ;;
	*)
		printf '%s\n' "@@ -18,6 +18,7 @@ $1" ' 	second();' ' 	third();' ' 	fourth();' '+	eb_debug_test(eb);' \
			' 	fifth_call();' ' 	sixth();' ' 	return 2;' ;;
	esac
}

# placed WANTED HEADING SED [label | fix]: with the file changed by SED, what comes right before the
# hook and the function it is in, "words" that tell that it has no place, or both.
placed()
{
	mkdir -p "$LOG/work"
	small_c | sed "$3" >"$LOG/work/small.c"
	small_patch "$2" "${4:-}" >"$LOG/small.patch"
	awk -v work="$LOG/work" -v name=small.patch -f "$TOP/tools/apply-place.awk" "$LOG/small.patch" >"$LOG/placed" ||
		fail "it does not run"
	is=$(awk '/^int / { name = $2 } /eb_debug_test/ { print name, last } { last = $1 }' "$LOG/work/small.c")
	[ -n "$is" ] || is=$(sed -n 's/^lost .*	  *//p' "$LOG/placed")
	[ "$is" = "$1" ] || { cat "$LOG/work/small.c" "$LOG/placed"; fail "'$3' with heading '$2': it is '$is', expected '$1'"; }
	cases=$((cases + 1))
}

place()
{
	cases=0
	for heading in 'int two(void)' 'again:'; do
		placed 'two(void) fourth();' "$heading" ''
		placed 'two(void) fourth();' "$heading" '4i int zero(void)\n{\n}\n'
		# One line more between those around it.
		placed 'two(void) fourth();' "$heading" '19i\	more();'
		grep -q '^note small.c:22, in two(): placed where both neighbours are the same' "$LOG/placed" || fail "it is not told"
		placed 'two(void) fourth();' "$heading" '22s/sixth/seventh/'
		# Right beside it: nobody can know on which side of that it belongs.
		placed 'the lines around it have changed; the nearest place is at line 21, in two()' "$heading" '20a\	more();'
		# The same lines, in another function that has the place.
		placed 'the lines around it have changed; the nearest place is at line 21, in two()' "$heading" '20d
			6a\	second();
			11s/1/2/'
	done
	placed 'there is no two() in this file; the same lines are at line 21, in three()' 'int two(void)' 's/two/three/'
	placed 'the lines around it have changed; the same lines are at line 21, in two()' 'again:' 's/again/retry/'
	# Twice in the function: that which is where it was, or none.
	placed 'two(void) fourth();' 'int two(void)' '22a\	return 2;\n	second();\n	third();\n	fourth();\n	fifth_call();\n	sixth();'
	placed 'it fits in several places, at lines 22, 28' 'int two(void)' '1i /* one more */
		22a\	return 2;\n	second();\n	third();\n	fourth();\n	fifth_call();\n	sixth();'
	# Another function ends in the same way, and none is where it was.
	placed 'two(void) out:' 'int two(void)' '1i /* one more */
		s/return 1/return 2/' label
	# A fix of the line that a hook stands behind leaves the hook there.
	placed 'two(void) fourth_now();' 'int two(void)' '20a\	eb_debug_test(eb);' fix
	[ "$(grep -c fifth_call "$LOG/work/small.c")" -eq 2 ] || fail "the fix took more than its line"
	pass "$cases cases"
}

in_git()
{
	git_tree "$LOG/tree"
	git -C "$LOG/tree" checkout -q -b topic
	# Of no interest, and no obstacle.
	echo object >"$LOG/tree/fs/btrfs/left-over.o"
	before=$(git -C "$LOG/tree" rev-parse HEAD)
	# Another time is no change.
	find "$LOG/tree/fs" -exec touch -d 2001-01-01 {} +
	applied --write-dance "$LOG/tree"
	rm "$LOG/tree/fs/btrfs/left-over.o"
	[ "$(git -C "$LOG/tree" symbolic-ref --short HEAD)" = topic ] || fail "it is on another branch"
	[ "$(git -C "$LOG/tree" rev-parse work)" = "$before" ] || fail "another branch has moved"
	[ -z "$(git -C "$LOG/tree" status --porcelain)" ] || fail "something is left uncommitted"
	is_by_patch "$LOG/tree"
	# Each patch is a commit with its own subject, and the overlay one before them.
	git -C "$LOG/tree" log --reverse --format=%s "$before.." | sed 1d >"$LOG/subjects"
	for patch in "$PATCHES"/*.patch "$PATCHES"/write-dance/*.patch; do
		formail_subject "$patch"
	done >"$LOG/wanted"
	same "$LOG/wanted" "$LOG/subjects" "the commits are others than the patches"
	git -C "$LOG/tree" diff --quiet "$before" "$(first_after "$before")" -- fs/btrfs/extent_io.c fs/btrfs/Makefile fs/btrfs/Kconfig ||
		fail "the overlay's commit changes a file of btrfs"
	! git -C "$LOG/tree" log --format='%an <%ae> %cn' "$before.." | grep -vq '^A Developer <dev@localhost> A Developer$' ||
		fail "a commit has another author"
	pass "$(grep -o '[0-9]* commits on topic' "$LOG/out")"
}

# formail_subject PATCH: in one line, without a mail's help.
formail_subject() { git mailinfo /dev/null /dev/null <"$1" | sed -n 's/^Subject: //p'; }
first_after() { git -C "$LOG/tree" rev-list "$1.." | tail -n 1; }

in_files()
{
	plain_tree "$LOG/tree"
	chmod 640 "$LOG/tree/fs/btrfs/ctree.c"
	cp -al "$LOG/tree" "$LOG/shares"
	bytes "$LOG/shares" >"$LOG/before"
	applied --write-dance "$LOG/tree"
	bytes "$LOG/shares" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "a tree with links to the same files was changed"
	[ "$(stat -c %a "$LOG/tree/fs/btrfs/ctree.c")" = 640 ] || fail "a mode has changed"
	is_by_patch "$LOG/tree"
	refused 'has the guard already' "$APPLY" "$LOG/tree"
	# A copy inside of a git tree is not that git tree.
	git_tree "$LOG/outer"
	cp -r "$LOG/shares" "$LOG/outer/inner"
	applied "$LOG/outer/inner"
	[ "$(git -C "$LOG/outer" rev-list --count HEAD)" = 1 ] || fail "the git tree around it got commits"
	pass "those of patch"
}

undo()
{
	git_tree "$LOG/git"
	bytes "$LOG/git" >"$LOG/before"
	git_state "$LOG/git" >"$LOG/state"
	applied "$LOG/git"
	# What is not committed survives, and so does what was committed later.
	echo later >"$LOG/git/later"
	git -C "$LOG/git" add later
	git -C "$LOG/git" commit -q -m later
	head=$(git -C "$LOG/git" rev-parse HEAD)
	refused 'not the top ones' "$APPLY" --undo "$LOG/git"
	# Whoever has done what it says is not told to do it again.
	git -C "$LOG/git" branch reverted
	(cd "$LOG/git" && git checkout -q reverted && eval "$(sed -n 's/^ *\(git revert .*\) takes the guard out.*/\1/p' "$LOG/out")") >"$LOG/git.log" 2>&1 ||
		{ cat "$LOG/git.log"; fail "what it says can't be done"; }
	refused 'nothing to undo' "$APPLY" --undo "$LOG/git"
	git -C "$LOG/git" checkout -q work
	refused 'git rebase --onto' "$APPLY" --undo "$LOG/git"
	[ "$(git -C "$LOG/git" rev-parse HEAD)" = "$head" ] || fail "a refused --undo has moved HEAD"
	git -C "$LOG/git" reset -q --hard HEAD~
	echo '/* mine */' >>"$LOG/git/fs/btrfs/ctree.c"
	refused dirty "$APPLY" --undo "$LOG/git"
	grep -q mine "$LOG/git/fs/btrfs/ctree.c" || fail "a change was lost"
	git -C "$LOG/git" checkout -q fs/btrfs/ctree.c
	bytes "$LOG/git" >"$LOG/with"
	applied --undo --check "$LOG/git"
	bytes "$LOG/git" >"$LOG/after"
	same "$LOG/with" "$LOG/after" "--undo --check changed something"
	applied --undo "$LOG/git"
	bytes "$LOG/git" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "a git tree is not what it was"
	git_state "$LOG/git" >"$LOG/after"
	same "$LOG/state" "$LOG/after" "git is not where it was"
	refused 'nothing to undo' "$APPLY" --undo "$LOG/git"
	# A branch may have moved to another work tree.
	git -C "$LOG/git" checkout -q -b topic
	applied "$LOG/git"
	git -C "$LOG/git" checkout -q work
	git -C "$LOG/git" checkout -q -b amended topic
	git -C "$LOG/git" commit -q --amend -m 'another one'
	refused 'no commits that tools/apply has made' "$APPLY" --undo "$LOG/git"
	git -C "$LOG/git" checkout -q work
	git -C "$LOG/git" worktree add -q "$LOG/worktree" topic
	applied --undo "$LOG/worktree"
	[ "$(git -C "$LOG/git" rev-parse topic)" = "$(git -C "$LOG/git" rev-parse work)" ] || fail "--undo in a work tree leaves commits"
	git -C "$LOG/git" worktree remove "$LOG/worktree"
	undo_files
}

undo_files()
{
	plain_tree "$LOG/files"
	chmod 600 "$LOG/files/fs/btrfs/qgroup.c"
	bytes "$LOG/files" >"$LOG/before"
	applied "$LOG/files"
	echo '/* mine */' >>"$LOG/files/fs/btrfs/ctree.c"
	bytes "$LOG/files" >"$LOG/with"
	refused fs/btrfs/ctree.c "$APPLY" --undo "$LOG/files"
	bytes "$LOG/files" >"$LOG/after"
	same "$LOG/with" "$LOG/after" "a refused --undo has changed something"
	sed -i '$d' "$LOG/files/fs/btrfs/ctree.c"
	touch -d '2001-01-01' "$LOG/files/.eb-debug-undo/old/fs/btrfs/ctree.c"
	applied --undo "$LOG/files"
	bytes "$LOG/files" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "a tree of files is not what it was"
	# Or make would keep an object that has the hooks in it.
	[ -n "$(find "$LOG/files/fs/btrfs/ctree.c" -mmin -60)" ] || fail "a file that came back has its old time"
	refused 'nothing to undo' "$APPLY" --undo "$LOG/files"
	# In a git tree as files, and back.
	bytes "$LOG/git" >"$LOG/before"
	applied --files "$LOG/git"
	[ "$(git -C "$LOG/git" rev-list --count HEAD)" = 1 ] || fail "--files makes commits"
	applied --undo "$LOG/git"
	bytes "$LOG/git" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "a git tree with files is not what it was"
	pass "commits, files, and files in a git tree"
}

check()
{
	git_tree "$LOG/tree"
	all_bytes "$LOG/tree" >"$LOG/before"
	applied --check "$LOG/tree"
	applied --check --write-dance --fixes "$LOG/tree"
	all_bytes "$LOG/tree" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "--check changed a git tree"
	rm -rf "$LOG/tree/.git"
	bytes "$LOG/tree" >"$LOG/before"
	applied --check "$LOG/tree"
	grep -q '^apply: looking for places' "$LOG/out" || fail "it is not said what takes long"
	grep -q 'nothing was changed' "$LOG/out" || fail "it does not say that nothing was changed"
	bytes "$LOG/tree" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "--check changed a tree of files"
	sed -i 's/check_buffer_tree_ref/check_tree_ref/' "$LOG/tree/fs/btrfs/extent_io.c"
	refused_unchanged 'found no place' "$LOG/tree"
	pass "accepted and refused as without it"
}

dirty()
{
	git_tree "$LOG/tree"
	in_tree() { git -C "$LOG/tree" "$@" >"$LOG/git.log" 2>&1; }
	# A file that the guard does not touch is one as well.
	echo '/* changed */' >>"$LOG/tree/fs/btrfs/acl.c"
	refused_unchanged 'is dirty' "$LOG/tree"
	grep -q fs/btrfs/acl.c "$LOG/out" || fail "the file is not named"
	grep -q 'or --files' "$LOG/out" || fail "it is not said what else can be done"
	in_tree add -A
	refused_unchanged 'is dirty' "$LOG/tree"
	in_tree reset -q --hard
	echo mine >"$LOG/tree/fs/btrfs/eb_debug.c"
	refused_unchanged fs/btrfs/eb_debug.c "$LOG/tree"
	rm "$LOG/tree/fs/btrfs/eb_debug.c"
	in_tree checkout -q -b side
	echo '/* side */' >>"$LOG/tree/fs/btrfs/acl.c"
	in_tree commit -qam side
	in_tree checkout -q work
	echo '/* work */' >>"$LOG/tree/fs/btrfs/acl.c"
	in_tree commit -qam work
	! in_tree rebase side || fail "the branches do not conflict"
	refused_unchanged 'in the middle of git rebase' "$LOG/tree"
	in_tree rebase --abort
	! in_tree merge side || fail "the branches do not conflict"
	refused_unchanged 'in the middle of git merge' "$LOG/tree"
	in_tree merge --abort
	in_tree bisect start
	refused_unchanged 'in the middle of git bisect' "$LOG/tree"
	in_tree bisect reset
	: >"$GIT_CONFIG_GLOBAL"
	refused_unchanged 'does not know who makes the commits' "$LOG/tree"
	# Each commit has an author as well.
	printf '[committer]\n\tname = A Developer\n\temail = dev@localhost\n' >"$GIT_CONFIG_GLOBAL"
	refused_unchanged 'does not know who makes the commits' "$LOG/tree"
	who
	applied --check "$LOG/tree"
	rm -rf "$LOG/tree/.git"
	git -C "$LOG/tree" init -q
	refused_unchanged 'has no commit yet' "$LOG/tree"
	pass "9 kinds refused"
}

# environment: with the variables that git sets for hooks, aliases and "rebase -x" in a
# linked worktree, and with CDPATH.
environment()
{
	git_tree "$LOG/other"
	cp -r "$LOG/other" "$LOG/tree"
	all_bytes "$LOG/other" >"$LOG/other-before"
	before=$(git -C "$LOG/tree" rev-parse HEAD)
	theirs="GIT_DIR=$LOG/other/.git GIT_WORK_TREE=$LOG/other GIT_INDEX_FILE=$LOG/other/.git/index"
	# shellcheck disable=SC2086  # words
	env $theirs "$APPLY" "$LOG/tree" 2>"$LOG/out" || { cat "$LOG/out"; fail "it was refused"; }
	[ "$(git -C "$LOG/tree" rev-list --count "$before..")" -gt 1 ] || fail "the tree got no commits"
	# shellcheck disable=SC2086
	env $theirs "$APPLY" --undo "$LOG/tree" 2>"$LOG/out" || { cat "$LOG/out"; fail "--undo was refused"; }
	[ "$(git -C "$LOG/tree" rev-parse HEAD)" = "$before" ] || fail "--undo took nothing back"
	# The tests have trees of their own as well.
	# shellcheck disable=SC2086
	env $theirs LOG="$LOG/inner" "$0" run apply-dirty >"$LOG/out" 2>&1 || { cat "$LOG/out"; fail "apply-dirty fails"; }
	all_bytes "$LOG/other" >"$LOG/other-after"
	same "$LOG/other-before" "$LOG/other-after" "the repository of the caller was changed"
	mkdir -p "$LOG/elsewhere/tree" "$LOG/elsewhere/tools" "$LOG/elsewhere/build"
	(cd "$LOG" && CDPATH=$LOG/elsewhere "$APPLY" --check tree) 2>"$LOG/out" || { cat "$LOG/out"; fail "it was refused with CDPATH"; }
	pass "git's variables and CDPATH"
}

# hooks_by_function FILE: "function hook" for each hook, in order.
hooks_by_function()
{
	awk '/^[a-z].*\(/ && !/;$/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
		/^\t.*eb_debug_[a-z_]*\(/ { sub(/^\t+/, ""); print name, $0 }' "$1"
}

# A developer's changes: lines between those around a hook, an include at the end of
# the list, a new function, a new reference.
change_extent_io()
{
	last=$(grep -n '^#include "' "$1" | tail -n 1 | cut -d : -f 1)
	awk -v last="$last" '
	{ print }
	NR == last { print "#include \"local.h\"" }
	/^void free_extent_buffer_stale\(/ { on = 1 }
	on && /if \(!eb\)/ { print "\t\t/* nothing to put */" }
	on && /^}/ {
		on = 0
		print "\nvoid local_get(struct extent_buffer *eb)\n{\n\tatomic_inc(&eb->refs);\n}"
	}
	/^static struct kmem_cache \*extent_buffer_cache/ {
		print "\nstatic inline void local_trace(struct extent_buffer *eb)\n{\n}"
	}' "$1" >"$1.new"
	mv "$1.new" "$1"
}

local_changes()
{
	git_tree "$LOG/tree"
	file=fs/btrfs/extent_io.c
	change_extent_io "$LOG/tree/$file"
	git -C "$LOG/tree" diff --stat | grep -q . || fail "the developer's changes change nothing"
	git -C "$LOG/tree" commit -qam 'local changes'
	lines=$(git -C "$LOG/tree" show --numstat --format= HEAD | cut -f 1)
	[ "$lines" -ge 8 ] || fail "only $lines lines of the developer's changes arrived"
	applied "$LOG/tree"
	grep -qF 'in free_extent_buffer_stale(): placed where both neighbours are the same' "$LOG/out" ||
		{ cat "$LOG/out"; fail "it is not said that lines around a hook have changed"; }
	plain_tree "$LOG/pristine"
	for patch in "$PATCHES"/*.patch; do
		patch -s -d "$LOG/pristine" -p1 -F0 --no-backup-if-mismatch <"$patch"
	done
	hooks_by_function "$LOG/pristine/$file" >"$LOG/wanted"
	hooks_by_function "$LOG/tree/$file" >"$LOG/found"
	[ "$(wc -l <"$LOG/wanted")" -ge 40 ] || fail "the hooks of extent_io.c are not seen by this test"
	same "$LOG/wanted" "$LOG/found" "a hook is in another function"
	grep -qF "$file:$(line_in local_get "$LOG/tree/$file"): local_get() changes the reference count of 'eb' and has no hook" "$LOG/out" ||
		{ cat "$LOG/out"; fail "the new reference is not named"; }
	pass "$(wc -l <"$LOG/found") hooks of extent_io.c in their functions, $lines lines added around them"
}

# line_in FUNCTION FILE: of its operation on a count.
line_in()
{
	awk -v name="$1" 'index($0, name "(") { on = 1 } on && /&eb->refs/ { print FNR; exit }' "$2"
}

static()
{
	plain_tree "$LOG/tree"
	applied --check "$LOG/tree"
	! grep '^static: ' "$LOG/out" || fail "something is told of the base as it is"
	sed -i '/^int btrfs_copy_root(/,/^}/{/^\t\tfree_extent_buffer(cow);/d}' "$LOG/tree/fs/btrfs/ctree.c"
	applied --check --partial "$LOG/tree"
	grep -q "^static: warning: fs/btrfs/ctree.c:[0-9]*: leak: btrfs_copy_root() returns here, and may hold a reference to 'cow'" "$LOG/out" ||
		{ cat "$LOG/out"; fail "the leak is not told"; }
	gone=$(diff "$src/fs/btrfs/ctree.c" "$LOG/tree/fs/btrfs/ctree.c" | grep -c '^<')
	[ "$(grep -c '^static: ' "$LOG/out")" = "$gone" ] || { cat "$LOG/out"; fail "$gone puts are gone, and something else is told"; }
	pass "$(grep '^static: ' "$LOG/out")"
}

renamed()
{
	git_tree "$LOG/tree"
	file=fs/btrfs/extent_io.c
	sed -i 's/\btry_release_extent_buffer\b/drop_extent_buffer/' "$LOG/tree/$file"
	git -C "$LOG/tree" commit -qam 'a new name'
	for file_mode in --check --files; do
		refused_unchanged 'found no place' "$LOG/tree" $file_mode
	done
	refused_unchanged 'found no place' "$LOG/tree"
	# Each hook of that function, and no other one, is named.
	by_patch "$LOG/by-patch"
	hooks_by_function "$LOG/by-patch/$file" | sed -n 's/^try_release_extent_buffer //p' | sort >"$LOG/wanted"
	sed -n 's/^        \(eb_debug_.*\)/\1/p' "$LOG/out" | sort >"$LOG/found"
	[ -s "$LOG/wanted" ] || fail "the function has no hooks"
	same "$LOG/wanted" "$LOG/found" "other hooks are named than those of the function"
	grep -q "^apply: $file:[0-9]*, in try_release_extent_buffer(): no place for this of 000" "$LOG/out" || fail "no line is named"
	grep -q 'there is no try_release_extent_buffer() in this file; the same lines are at line [0-9]*, in drop_extent_buffer()' "$LOG/out" ||
		fail "the nearest place is not named"
	# As a place without a hook as well.
	grep -q "^apply: $file:[0-9]*: without them .* have no hook .*drop_extent_buffer()" "$LOG/out" || fail "the place is not named"
	pass "$(wc -l <"$LOG/found") hooks named, $(sed -n 's/.*the same/the same/p' "$LOG/out" | head -n 1)"
}

# The lines of a hooked function are in another one, as happens from release to
# release; patch follows them.
moved()
{
	plain_tree "$LOG/tree"
	file=$LOG/tree/fs/btrfs/extent_io.c
	sed -i 's/^static void check_buffer_tree_ref(struct extent_buffer \*eb)/static void another(struct extent_buffer *eb)/' "$file"
	printf '\nstatic void check_buffer_tree_ref(struct extent_buffer *eb)\n{\n\tanother(eb);\n}\n' >>"$file"
	cp -r "$LOG/tree" "$LOG/by-patch"
	for patch in "$PATCHES"/*.patch; do
		patch -s -d "$LOG/by-patch" -p1 --no-backup-if-mismatch <"$patch" >"$LOG/patch.log" || fail "patch does not follow the lines"
	done
	rm -rf "$LOG/by-patch"
	refused_unchanged 'in another()' "$LOG/tree"
	grep -q 'in check_buffer_tree_ref(): no place for this' "$LOG/out" || fail "the function is not named"
	pass "$(grep -c 'in check_buffer_tree_ref(): no place' "$LOG/out") hooks refused that patch puts in"
}

# sites_of TREE: the number that its header gives.
sites_of() { sed -n 's/^#define EB_DEBUG_UNHOOKED_SITES //p' "$1/fs/btrfs/eb_debug_sites.h"; }

partial()
{
	plain_tree "$LOG/tree"
	file=$LOG/tree/fs/btrfs/tree-mod-log.c
	# In 5.10 the log of tree changes has no file of its own.
	[ -e "$file" ] || file=$LOG/tree/fs/btrfs/ctree.c
	sed -i 's/\btree_mod_log_rewind\b/rewind_buffer/; s/\bbtrfs_tree_mod_log_rewind\b/btrfs_rewind/' "$file"
	refused_unchanged 'found no place' "$LOG/tree"
	applied --partial "$LOG/tree"
	grep -q "hooks of owners were left out: the rules that need complete counts of references rest" "$LOG/out" ||
		{ cat "$LOG/out"; fail "it is not said what rests"; }
	left=$(grep -cE 'in (btrfs_)?tree_mod_log_rewind\(\): no place' "$LOG/out")
	[ "$left" -ge 1 ] || fail "what was left out is not named"
	[ "$(sites_of "$LOG/tree")" -ge 1 ] || fail "the header says $(sites_of "$LOG/tree")"
	[ "$(grep -c 'eb_debug_' "$file" || :)" -lt "$(cat "$PATCHES"/*.patch | awk -v file="/${file##*/}" '/^\+\+\+ / { on = index($0, file) } on && /^\+.*eb_debug_/' | wc -l)" ] ||
		fail "nothing was left out"
	applied --undo "$LOG/tree"
	# A hook of a buffer's life is not one of owners.
	sed -i 's/\bset_extent_buffer_dirty\b/make_dirty/' "$LOG/tree/fs/btrfs/extent_io.c"
	refused_unchanged 'would raise false alarms' "$LOG/tree" --partial
	pass "$left left out and counted"
}

# failing COMMAND N PATH: a command that fails the Nth time that it is called for such a
# path in the tree.
failing()
{
	commands_without
	rm "$LOG/bin/$1"
	cat >"$LOG/bin/$1" <<-END
	#!/bin/sh
	case "\$*" in
	*$LOG/tree/$3*) echo x >>"$LOG/calls"; [ "\$(wc -l <"$LOG/calls")" -ne $2 ] || { echo "$1: No space left on device" >&2; exit 1; } ;;
	esac
	exec $(command -v "$1") "\$@"
	END
	chmod +x "$LOG/bin/$1"
	: >"$LOG/calls"
}

errors()
{
	plain_tree "$LOG/tree"
	mkdir "$LOG/empty"
	refused 'is not a kernel tree' "$APPLY" "$LOG/empty"
	refused 'there is no directory' "$APPLY" "$LOG/nothing"
	refused usage "$APPLY"
	# By a link from elsewhere; and the head of the script is the help.
	ln -s "$APPLY" "$LOG/link"
	refused 'usage: tools/apply' "$LOG/link"
	"$LOG/link" --help >"$LOG/out" || fail "--help fails"
	grep -q -- '^  --partial  ' "$LOG/out" || { cat "$LOG/out"; fail "--help does not tell the options"; }
	! grep 'set -eu' "$LOG/out" || fail "--help does not end with the head"
	refused "there is no base '9.9'" "$APPLY" --base 9.9 "$LOG/tree"
	mkdir -p "$LOG/other/fs/btrfs"
	refused 'none of the bases that this project knows' "$APPLY" "$LOG/other"
	refused '--base NAME' "$APPLY" "$LOG/other"
	cp -r "$LOG/tree" "$LOG/crlf"
	find "$LOG/crlf/fs" -type f -exec sed -i 's/$/\r/' {} +
	refused 'the files have CRLF line ends' "$APPLY" --base "$BASE" "$LOG/crlf"
	bytes "$LOG/tree" >"$LOG/before"
	# While the new files are written, and while they take the place of the old ones.
	for at in 3 20; do
		failing cp $at .eb-debug-undo/new
		PATH=$LOG/bin refused 'nothing was changed' "$APPLY" "$LOG/tree"
		unchanged "cp failed at call $at"
		failing mv $at ''
		PATH=$LOG/bin refused 'the tree was left as it was' "$APPLY" "$LOG/tree"
		unchanged "mv failed at call $at"
	done
	commands_without df
	printf '#!/bin/sh\necho header\necho "none 100 99 1 99%% /"\n' >"$LOG/bin/df"
	chmod +x "$LOG/bin/df"
	PATH=$LOG/bin refused_unchanged_files 'too little disk space'
	read_only
	# Neither Coccinelle nor patch is needed.
	commands_without spatch patch
	PATH=$LOG/bin applied "$LOG/tree"
	grep -q 'sites were not checked: install coccinelle' "$LOG/out" || fail "it is not said that nobody looked"
	[ "$(sites_of "$LOG/tree")" = '(-1)' ] || fail "the header says $(sites_of "$LOG/tree"), expected (-1)"
	errors_git
}

errors_git()
{
	git_tree "$LOG/git"
	commands_without git
	cp -r "$LOG/git" "$LOG/git-copy"
	PATH=$LOG/bin refused '--files changes its files without git' "$APPLY" "$LOG/git-copy"
	PATH=$LOG/bin applied --files "$LOG/git-copy"
	mkdir "$LOG/git/fs/btrfs/eb_debug_who.c"
	echo mine >"$LOG/git/fs/btrfs/eb_debug_who.c/mine"
	refused eb_debug_who.c "$APPLY" "$LOG/git"
	rm -r "$LOG/git/fs/btrfs/eb_debug_who.c"
	# git fails when the files are changed already.
	for at in 'read-tree -m' update-ref; do
		# shellcheck disable=SC2016  # for the git of the test
		git_that "$at" '$git "$@"; exit 1'
		bytes "$LOG/git" >"$LOG/files-before"
		git_state "$LOG/git" >"$LOG/state"
		PATH=$LOG/bin refused 'was left as it was' "$APPLY" "$LOG/git"
		bytes "$LOG/git" >"$LOG/after"
		same "$LOG/files-before" "$LOG/after" "git's files were changed: $at"
		git_state "$LOG/git" >"$LOG/after"
		same "$LOG/state" "$LOG/after" "git is not where it was: $at"
	done
	pass "13 kinds refused"
}

# git_that WORDS COMMANDS: a git that does that the first time that it is called with these
# words; "$git" is the real one.
git_that()
{
	commands_without
	rm "$LOG/bin/git"
	git=$(command -v git)
	cat >"$LOG/bin/git" <<-END
	#!/bin/sh
	git=$git
	case \$* in
	*'$1'*) [ -e "$LOG/called" ] || { : >"$LOG/called"; PATH='$PATH'; $2; exit; } ;;
	esac
	exec $git "\$@"
	END
	chmod +x "$LOG/bin/git"
	rm -f "$LOG/called"
}

# left_alone WORDS STEP COMMANDS: when git does that at that step, tools/apply says so and
# the tree is as in "files-before" and "state".
left_alone()
{
	bytes "$LOG/git" >"$LOG/files-before"
	git_state "$LOG/git" >"$LOG/state"
	git_that "$2" "$3"
	PATH=$LOG/bin refused "$1" "$APPLY" "$LOG/git"
	[ -e "$LOG/called" ] || fail "git is not called with '$2'"
	is_alone "$1, at $2: $3"
}

is_alone()
{
	bytes "$LOG/git" >"$LOG/after"
	same "$LOG/files-before" "$LOG/after" "git's files were changed: $1"
	git_state "$LOG/git" >"$LOG/after"
	same "$LOG/state" "$LOG/after" "git is not where it was: $1"
}

# interrupted: whatever goes wrong when, what the user has and does is not lost.
interrupted()
{
	git_tree "$LOG/git"
	tree=$LOG/git
	# A file that git is told not to look at, and that the guard does not touch.
	git -C "$tree" update-index --assume-unchanged fs/btrfs/acl.c
	echo '/* mine */' >>"$tree/fs/btrfs/acl.c"
	# shellcheck disable=SC2016  # for the git of the test
	{
		left_alone 'was left as it was' update-ref 'exit 1'
		left_alone 'was left as it was' update-ref '$git "$@"; exit 1'
		left_alone 'was left as it was' 'read-tree -m' 'kill -TERM $PPID'
		left_alone 'was left as it was' 'read-tree -m' '$git "$@"; kill -TERM $PPID'
		# A part of the files, and no index.
		left_alone 'was left as it was' 'read-tree -m' "echo x >$tree/fs/btrfs/Kconfig.debug; echo x >>$tree/fs/btrfs/Makefile; rm $tree/fs/btrfs/extent_io.c; exit 1"
	}
	# The user commits before HEAD is moved.
	bytes "$tree" >"$LOG/files-before"
	git_that update-ref "echo '/* theirs */' >>$tree/fs/btrfs/zlib.c; \$git -C $tree commit -q -m theirs fs/btrfs/zlib.c; \$git \"\$@\""
	PATH=$LOG/bin refused 'could not move HEAD' "$APPLY" "$tree"
	[ "$(git -C "$tree" log -1 --format=%s)" = theirs ] || fail "a commit that was made meanwhile is lost"
	[ -z "$(git -C "$tree" status --porcelain)" ] || fail "it left changes"
	git -C "$tree" reset -q --keep HEAD~
	bytes "$tree" >"$LOG/after"
	same "$LOG/files-before" "$LOG/after" "beside the commit the files are others"
	grep -q mine "$tree/fs/btrfs/acl.c" || fail "the change of a file that git does not look at is lost"
	# The same in a file that the guard touches.
	git -C "$tree" update-index --assume-unchanged fs/btrfs/extent_io.c
	echo '/* mine */' >>"$tree/fs/btrfs/extent_io.c"
	refused_unchanged 'told not to look at' "$tree"
	grep -q fs/btrfs/extent_io.c "$LOG/out" || fail "the file is not named"
	pass "6 ways to fail, and 2 kinds of work kept"
}

# at_once: two tools/apply on a tree; what the second would have taken back is the first's.
at_once()
{
	git_tree "$LOG/git"
	head=$(git -C "$LOG/git" rev-parse HEAD)
	git_that commit-tree "$APPLY $LOG/git 2>$LOG/second && exit 1; \$git \"\$@\""
	PATH=$LOG/bin applied "$LOG/git"
	grep -q 'another tools/apply is at work' "$LOG/second" || { cat "$LOG/second"; fail "the second one was not refused"; }
	applied --undo "$LOG/git"
	[ "$(git -C "$LOG/git" rev-parse HEAD)" = "$head" ] || fail "there are commits left"
	# One that comes and ends while the other one still looks.
	git_that GIT_COMMITTER_IDENT "$APPLY $LOG/git 2>$LOG/second || exit; \$git \"\$@\""
	PATH=$LOG/bin refused 'has the guard already' "$APPLY" "$LOG/git"
	[ -z "$(git -C "$LOG/git" status --porcelain)" ] || fail "the guard of the first one was changed"
	applied --undo "$LOG/git"
	[ "$(git -C "$LOG/git" rev-parse HEAD)" = "$head" ] || fail "there are commits left"
	at_once_files
	pass "commits and files"
}

# at_once_files: the second one comes when the first has looked, and before it writes.
at_once_files()
{
	plain_tree "$LOG/tree"
	bytes "$LOG/tree" >"$LOG/before"
	commands_without
	rm "$LOG/bin/mkdir"
	cat >"$LOG/bin/mkdir" <<-END
	#!/bin/sh
	case \$* in
	*$LOG/tree/.eb-debug-undo*) [ -e "$LOG/second" ] || PATH='$PATH' "$APPLY" "$LOG/tree" 2>"$LOG/second" || exit ;;
	esac
	exec $(command -v mkdir) "\$@"
	END
	chmod +x "$LOG/bin/mkdir"
	rm -f "$LOG/second"
	PATH=$LOG/bin refused 'another tools/apply is at work' "$APPLY" "$LOG/tree"
	grep -q 'the guard is in' "$LOG/second" || { cat "$LOG/second"; fail "none of two came to the end"; }
	applied --undo "$LOG/tree"
	bytes "$LOG/tree" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "what was there before is lost"
}

unchanged()
{
	bytes "$LOG/tree" >"$LOG/after"
	same "$LOG/before" "$LOG/after" "the tree was changed: $1"
}

refused_unchanged_files()
{
	refused "$1" "$APPLY" "$LOG/tree"
	unchanged "$1"
}

# read_only: root may write everywhere, so it is somebody else who tries.
read_only()
{
	mkdir -p "$LOG/cache"
	chmod 777 "$LOG/cache"
	chmod a-w "$LOG/tree"
	bytes "$LOG/tree" >"$LOG/before"
	as=
	if [ "$(id -u)" -eq 0 ]; then
		have setpriv || { chmod u+w "$LOG/tree"; return 0; }
		as='setpriv --reuid=65534 --regid=65534 --clear-groups'
	fi
	# shellcheck disable=SC2086  # words
	refused "can't be written to" env EBDEBUG_CACHE="$LOG/cache" $as "$APPLY" "$LOG/tree"
	unchanged "read-only"
	chmod u+w "$LOG/tree"
	read_only_git
}

# read_only_git: a directory in it, of a git tree of who tries.
read_only_git()
{
	git_tree "$LOG/git-read-only"
	[ -z "$as" ] || chown -R 65534:65534 "$LOG/git-read-only"
	chmod a-w "$LOG/git-read-only/fs/btrfs"
	for option in --check --write-dance; do
		# shellcheck disable=SC2086  # words
		refused "fs/btrfs' can't be written to" env EBDEBUG_CACHE="$LOG/cache" $as "$APPLY" $option "$LOG/git-read-only"
	done
	chmod -R u+w "$LOG/git-read-only"
}

config()
{
	fragment=$TOP/kernel/configs/btrfs-eb-debug.config
	src=$("$TOP/tools/source" "$BASE")
	cp -al "$src" "$LOG/linux"
	applied "$LOG/linux"
	[ -e "$LOG/linux/kernel/configs/btrfs-eb-debug.config" ] || fail "the fragment is not in the tree"
	mkdir "$LOG/obj"
	make -s -C "$LOG/linux" O="$LOG/obj" defconfig btrfs-eb-debug.config >"$LOG/make.log" 2>&1 ||
		{ tail "$LOG/make.log"; fail "make defconfig btrfs-eb-debug.config fails"; }
	wanted=$(grep -c ^CONFIG_ "$fragment")
	grep ^CONFIG_ "$fragment" | grep -vxF -f "$LOG/obj/.config" && fail "that is not in .config"
	# Of defconfig alone it would not.
	make -s -C "$LOG/linux" O="$LOG/obj" defconfig >"$LOG/make.log" 2>&1
	! grep -qx CONFIG_BTRFS_EB_DEBUG=y "$LOG/obj/.config" || fail "defconfig has the option already"
	# On a configuration of the user's own, with btrfs as a module.
	echo CONFIG_BTRFS_FS=m >>"$LOG/obj/.config"
	make -s -C "$LOG/linux" O="$LOG/obj" olddefconfig btrfs-eb-debug.config >"$LOG/make.log" 2>&1
	grep ^CONFIG_ "$fragment" | grep -vxF -f "$LOG/obj/.config" && fail "that is not in the .config made of a user's own"
	applied --undo "$LOG/linux"
	diff -r "$src" "$LOG/linux" >"$LOG/diff" || { head "$LOG/diff"; fail "the tree is not what it was"; }
	rm -rf "$LOG/linux" "$LOG/obj"
	pass "$wanted options"
}

prepare() { "$TOP/tools/source" "$BASE"; }

run()
{
	case $1 in
	apply-place) place ;;
	apply-git) in_git ;;
	apply-files) in_files ;;
	apply-undo) undo ;;
	apply-check) check ;;
	apply-dirty) dirty ;;
	apply-environment) environment ;;
	apply-local-changes) local_changes ;;
	apply-renamed) renamed ;;
	apply-moved) moved ;;
	apply-partial) partial ;;
	apply-errors) errors ;;
	apply-interrupted) interrupted ;;
	apply-at-once) at_once ;;
	apply-static) static ;;
	apply-config) config ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
