#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The series that one would mail: git am takes it, checkpatch has nothing to say, each
# patch of it builds with the option off and on.
#
# Those that compile btrfs for each patch take long, so they are skipped unless
# EBDEBUG_SLOW=1 is set; series-builds-some takes two of them.
set -eu
# shellcheck source=/dev/null
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		series-applies 'git am takes it on the pristine tree, and the result is that of tools/apply --write-dance' \
		series-checkpatch 'checkpatch --strict has nothing to say, and an offence that is planted is found' \
		series-mails 'each mail is signed, says why, is small enough for the list, and the cover has the costs' \
		series-builds-some 'two steps that no other test builds, with the option off and on, no warning' \
		series-builds-off 'each patch by itself, with the option off, no warning' \
		series-builds-on 'each patch by itself, with the option on as soon as there is one, no warning' \
		series-builds-apply 'the same of the commits that tools/apply makes' \
		series-def-bool 'one line makes the option a part of BTRFS_DEBUG that nobody is asked about'
}

# written: the series, once for all tests of a run, by somebody who is not us, and whose git
# does what it can to have it otherwise.
written()
{
	GIT_CONFIG_GLOBAL=$RUN/series-gitconfig-$BASE
	GIT_CONFIG_NOSYSTEM=1
	export GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM
	(
		flock 8
		[ -e "$RUN/series-$BASE" ] || {
			printf '[user]\n\tname = A Developer\n\temail = dev@localhost\n' >"$GIT_CONFIG_GLOBAL"
			printf '%s\n' '[blame]' 'ignoreRevsFile = /nowhere' '[format]' 'useAutoBase = true' 'suffix = .txt' \
				'[diff]' 'noprefix = true' >>"$GIT_CONFIG_GLOBAL"
			env -u KSRC "$TOP/tools/series" "$BASE" >"$RUN/series-$BASE.new" 2>"$LOG/series.log" || { cat "$LOG/series.log"; exit 1; }
			mv "$RUN/series-$BASE.new" "$RUN/series-$BASE"
		}
	) 8>"$RUN/series-$BASE.lock" || fail "tools/series $BASE fails"
	series=$(cat "$RUN/series-$BASE")
	mails=$(find "$series" -maxdepth 1 -name '*.patch' ! -name '0000-*' | sort)
	[ -n "$mails" ] || fail "there are no mails"
}

# subset DIR: what the series touches of the pristine tree, as a git tree.
subset()
{
	src=$("$TOP/tools/source" "$BASE")
	rm -rf "$1"
	mkdir -p "$1"
	(cd "$src" && cp -r --parents -t "$1" fs/btrfs MAINTAINERS Documentation/dev-tools/index.rst Kbuild)
	git -C "$1" init -q
	git -C "$1" add -A
	git -C "$1" commit -q -m pristine
}

applies()
{
	written
	subset "$LOG/linux"
	cp -r "$LOG/linux" "$LOG/applied"
	# shellcheck disable=SC2086  # paths without blanks
	git -C "$LOG/linux" am -q $mails >"$LOG/am.log" 2>&1 || { tail "$LOG/am.log"; fail "git am does not take it"; }
	[ -z "$(git -C "$LOG/linux" status --porcelain)" ] || fail "something is left uncommitted"
	"$TOP/tools/apply" --write-dance "$LOG/applied" 2>"$LOG/apply.log" || { tail "$LOG/apply.log"; fail "tools/apply fails"; }
	# What only the series has.
	diff -r -q -x .git "$LOG/applied" "$LOG/linux" | sed "s|$LOG/||g" >"$LOG/found"
	printf 'Files applied/%s and linux/%s differ\n' Documentation/dev-tools/index.rst Documentation/dev-tools/index.rst \
		MAINTAINERS MAINTAINERS >"$LOG/wanted"
	cmp -s "$LOG/wanted" "$LOG/found" || { cat "$LOG/found"; fail "the result is not that of tools/apply"; }
	page=$(grep -n btrfs-eb-debug "$LOG/linux/Documentation/dev-tools/index.rst" | cut -d : -f 1)
	grep -nE '^ *(kfence|kcsan)$' "$LOG/linux/Documentation/dev-tools/index.rst" | grep -q "^$((page - 1)):" || fail "the page is not in the index"
	maintained
	pass "$(echo "$mails" | wc -l) mails"
}

# maintained: each new file has its line in MAINTAINERS, and each line its file.
maintained()
{
	awk '/^BTRFS EXTENT BUFFER GUARD$/ { on = 1 } on && /^$/ { exit } on && /^F:/ { print $2 }' \
		"$LOG/linux/MAINTAINERS" >"$LOG/maintained"
	git -C "$LOG/linux" log --diff-filter=A --name-only --format= "HEAD~$(echo "$mails" | wc -l).." | sort >"$LOG/new"
	cmp -s "$LOG/new" "$LOG/maintained" || { diff "$LOG/new" "$LOG/maintained"; fail "MAINTAINERS lists other files than are new"; }
	grep -qx 'M:	A Developer <dev@localhost>' "$LOG/linux/MAINTAINERS" || fail "MAINTAINERS names somebody else"
}

checkpatch()
{
	written
	"$TOP/tools/lint" -t "$series" series >"$LOG/lint" 2>"$LOG/lint.log" || { cat "$LOG/lint"; fail "checkpatch complains"; }
	mkdir -p "$LOG/spoiled"
	for patch in $mails; do cp "$patch" "$LOG/spoiled"; done
	# Trailing blanks in the code, and a line of text that is too long.
	last=$(find "$LOG/spoiled" -name '0012-*')
	sed -i '0,/^+\teb_debug_[a-z_]*(.*;$/s//& /' "$last"
	first=$(find "$LOG/spoiled" -name '0001-*')
	sed -i "0,/^Signed-off-by/s/^Signed-off-by/$(seq -f 'word%g' -s ' ' 20)\n\n&/" "$first"
	! "$TOP/tools/lint" -t "$LOG/spoiled" series >"$LOG/said" 2>/dev/null || fail "nothing was noticed"
	grep -q TRAILING_WHITESPACE "$LOG/said" || { cat "$LOG/said"; fail "blanks were not noticed"; }
	grep -q COMMIT_LOG_LONG_LINE "$LOG/said" || { cat "$LOG/said"; fail "a long line was not noticed"; }
	pass "$(tail -n 1 "$LOG/lint"), 2 offences planted, 2 found"
}

# costs_of BASE: each figure of that base's table in the page.
costs_of()
{
	sed -n '/^Cost$/,/^Testing the guard$/p' "$TOP/Documentation/dev-tools/btrfs-eb-debug.rst" |
		awk -v base="$1" '$0 == base { on = 1; next } on && /^---/ && n { exit } on && /^====+ =/ { n++ } on && n { print } n == 3 { exit }' |
		tr -d '`' | grep -o '[0-9][0-9.,]* [a-z%]*'
}

mails()
{
	written
	for patch in $mails; do
		name=$(basename "$patch")
		grep -q '^Signed-off-by: A Developer <dev@localhost>$' "$patch" || fail "$name is not signed"
		words=$(sed -n '/^$/,/^Signed-off-by/p' "$patch" | grep -v '^Signed-off-by' | wc -w)
		[ "$words" -ge 20 ] || fail "$name says only $words words"
		bytes=$(wc -c <"$patch")
		[ "$bytes" -lt 100000 ] || fail "$name has $bytes bytes, the list takes 100,000"
	done
	cover=$(find "$series" -name '0000-*')
	! grep -nE '@[A-Z]+@|@000[0-9]@|\*\*\*' "$series"/*.patch || fail "something is still to be filled in"
	# The table that the page has of this base, or else of 6.1, figure by figure.
	for measured in "$BASE" 6.1; do
		costs_of "$measured" >"$LOG/page" || :
		[ ! -s "$LOG/page" ] || break
	done
	[ "$(wc -l <"$LOG/page")" -ge 12 ] || fail "the page has no table of costs"
	grep -q "^on, instructions .* measured on $measured\$" "$cover" || fail "the cover letter does not say that $measured was measured"
	while read -r figure; do
		grep -qF -- "$figure" "$cover" || fail "the cover letter lacks '$figure'"
	done <"$LOG/page"
	for words in 'Why do we need this' 'Is there an actual race' 'def_bool BTRFS_DEBUG'; do
		grep -q "$words" "$cover" || fail "the cover letter has no '$words'"
	done
	# A release finds its base, and nobody is made up.
	release=$(base_field "$BASE" 3)
	[ "$(base_of "${release#linux-source-}")" = "$BASE" ] || fail "BASE=${release#linux-source-} is not known"
	: >"$LOG/gitconfig"
	! GIT_CONFIG_GLOBAL=$LOG/gitconfig env -u KSRC "$TOP/tools/series" "$BASE" >"$LOG/out" 2>&1 || fail "a series of nobody was written"
	grep -q 'does not know who sends this' "$LOG/out" || { cat "$LOG/out"; fail "it is not said who is missing"; }
	! KSRC=$LOG "$TOP/tools/series" "$BASE" >"$LOG/out" 2>&1 || fail "a series of another tree was written"
	grep -q 'is for a base' "$LOG/out" || { cat "$LOG/out"; fail "it is not said that KSRC is not used"; }
	pass "$(echo "$mails" | wc -l) mails of up to $(for p in $mails; do wc -c <"$p"; done | sort -n | tail -n 1) bytes"
}

# tree_at COMMIT: a whole tree, with the commits in $repo from $first to $last as far as
# that.
tree_at()
{
	pristine=$("$TOP/tools/tree" "$BASE" pristine)
	built=$(dirname "$pristine")/series
	[ -e "$built/Kbuild" ] || {
		rm -rf "$built"
		mkdir -p "$built"
		find "$pristine" -mindepth 1 -maxdepth 1 ! -name 'obj-*' ! -name '.eb-*' -exec cp -al -t "$built" {} +
	}
	[ -e "$built/.eb-names" ] || : >"$built/.eb-names"
	git -C "$repo" diff --name-only "$first" "$last" | sort -u - "$built/.eb-names" >"$LOG/names"
	while read -r file; do
		if git -C "$repo" cat-file -e "$1:$file" 2>/dev/null; then
			git -C "$repo" show "$1:$file" >"$LOG/file"
			cmp -s "$LOG/file" "$built/$file" || {
				mkdir -p "$built/$(dirname "$file")"
				cp --remove-destination "$LOG/file" "$built/$file"
			}
		else
			rm -f "$built/$file"
		fi
	done <"$LOG/names"
	cp "$LOG/names" "$built/.eb-names"
	git -C "$repo" rev-parse "$1:fs" >"$built/.eb-stamp"
}

# of_series: what tree_at works on.
of_series()
{
	written
	repo=$series/work
	first=pristine
	last=series
}

# compiled CONFIG: btrfs in that tree, without a warning; prints the output directory.
compiled()
{
	"$TOP/tools/objects" -o "series-$1" -w "$LOG/make" "$built" "$1" 2>"$LOG/objects.log" ||
		{ cat "$LOG/objects.log"; fail "$what does not build with configuration $1"; }
	! grep -E '(warning|error):' "$LOG/make" || fail "$what is built with a warning, configuration $1"
}

# has_option OBJ
has_option() { grep -qx CONFIG_BTRFS_EB_DEBUG=y "$1/.config"; }

# build_off, build_on: the tree that there is.
build_off()
{
	obj=$(compiled off)
	! has_option "$obj" || fail "$what: the option is not off"
}

build_on()
{
	obj=$(compiled lint)
	[ -e "$built/fs/btrfs/Kconfig.debug" ] && grep -q Kconfig.debug "$built/fs/btrfs/Kconfig" || return 0
	has_option "$obj" || fail "$what: the option can't be turned on"
	[ -e "$obj/fs/btrfs/eb_debug.o" ] || fail "$what: the guard is not built"
	on=$((on + 1))
}

# build_commits HOW COMMIT...
build_commits()
{
	how=$1
	shift
	number=0
	on=0
	for commit; do
		what=$(git -C "$repo" log -1 --format=%s "$commit")
		tree_at "$commit"
		for each in $how; do "build_$each"; done
		number=$((number + 1))
	done
	case $how in
	*on*) [ $on -ge 2 ] || fail "the guard was built by $on of them" ;;
	esac
	pass "$number patches, $how, $on of them with the guard"
}

# by_words WORDS: the commit whose subject has them.
by_words() { git -C "$repo" log --format='%H %s' pristine..series | grep -F "$1" | cut -d ' ' -f 1; }

builds_some()
{
	of_series
	build_commits 'off on' "$(by_words 'build the extent buffer guard')" "$(by_words 'who owns a reference')"
}

slow() { [ "${EBDEBUG_SLOW:-}" = 1 ] || skip "it compiles btrfs for each patch; EBDEBUG_SLOW=1 runs it"; }

builds()
{
	slow
	of_series
	# shellcheck disable=SC2046
	build_commits "$1" $(git -C "$repo" rev-list --reverse "$first..$last")
}

builds_apply()
{
	slow
	written
	repo=$LOG/linux
	subset "$repo"
	first=$(git -C "$repo" rev-parse HEAD)
	"$TOP/tools/apply" --write-dance "$repo" 2>"$LOG/apply.log" || { cat "$LOG/apply.log"; fail "tools/apply fails"; }
	last=$(git -C "$repo" rev-parse HEAD)
	# shellcheck disable=SC2046
	build_commits 'off on' $(git -C "$repo" rev-list --reverse "$first..$last")
}

def_bool()
{
	of_series
	what='the series with def_bool'
	tree_at series
	kconfig=$built/fs/btrfs/Kconfig.debug
	# The line that the cover letter names, and no other one.
	from=$(sed -n 's/^	-	\(.*\)/	\1/p' "$series"/0000-*)
	to=$(sed -n 's/^	+	\(.*\)/	\1/p' "$series"/0000-*)
	awk -v from="$from" -v to="$to" '$0 == from { $0 = to } { print }' "$kconfig" >"$LOG/Kconfig"
	[ "$(diff "$kconfig" "$LOG/Kconfig" | grep -c '^[<>]')" = 2 ] || fail "it is not one line: '$from'"
	cp --remove-destination "$LOG/Kconfig" "$kconfig"
	echo def_bool >>"$built/.eb-stamp"
	obj=$(compiled lint)
	has_option "$obj" || fail "BTRFS_DEBUG does not turn it on"
	# Nobody is asked.
	(cd "$obj" && sed -i 's/^CONFIG_BTRFS_EB_DEBUG=y/# CONFIG_BTRFS_EB_DEBUG is not set/' .config &&
		make -s olddefconfig) >"$LOG/make" 2>&1 || fail "make olddefconfig fails"
	has_option "$obj" || fail "it can be turned off without BTRFS_DEBUG"
	obj=$(compiled off)
	! has_option "$obj" || fail "it is on without BTRFS_DEBUG"
	pass "on with BTRFS_DEBUG, off without it, both built"
}

# One after the other: they share a tree.
serial()
{
	lock series-test
	"$@"
}

prepare()
{
	"$TOP/tools/source" "$BASE"
	case " $* " in
	*' series-builds'* | *' series-def-bool '*) "$TOP/tools/tree" "$BASE" pristine ;;
	esac
}

run()
{
	case $1 in
	series-applies) applies ;;
	series-checkpatch) checkpatch ;;
	series-mails) mails ;;
	series-builds-some) serial builds_some ;;
	series-builds-off) serial builds off ;;
	series-builds-on) serial builds on ;;
	series-builds-apply) serial builds_apply ;;
	series-def-bool) serial def_bool ;;
	*) die "there is no test '$1'" ;;
	esac
}

case_main list run prepare "$@"
