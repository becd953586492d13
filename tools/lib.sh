# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# What the tools share: where the repository and its cache are, how they speak,
# and how a row of BASES is read.  Sourced, never run.  Results go to stdout,
# everything said to a person goes to stderr.

# Who calls us from git, in a hook, an alias or "rebase -x", tells it where its repository
# is, and ours are others; with CDPATH cd goes elsewhere, and says so on stdout.
unset CDPATH
# shellcheck disable=SC2046  # names
! command -v git >/dev/null || unset $(git rev-parse --local-env-vars)

# --help: what stands at the head of the script.  tools/eb-trace has its own.
SCRIPT=$(readlink -f "$0")
case ${1:-}:$SCRIPT in
--help:*/eb-trace) ;;
--help:*) sed -n '2,/^[^#]/{/SPDX/d;s/^# \{0,1\}//p;}' "$SCRIPT"; exit 0 ;;
esac

# The script that sources this stands somewhere below the directory of BASES.
TOP=$(dirname "$SCRIPT")
while [ ! -f "$TOP/BASES" ]; do TOP=$TOP/..; done
TOP=$(cd "$TOP" && pwd)
EBDEBUG_CACHE=${EBDEBUG_CACHE:-$TOP/build}

say() { printf '%s\n' "$*" >&2; }

die()
{
	say "${0##*/}: error: $1"
	shift
	for line; do
		say "    $line"
	done
	exit 1
}

# make and the kernel's build cannot have a blank or a colon in a path.
mkdir -p "$EBDEBUG_CACHE" ||
	die "the cache EBDEBUG_CACHE=$EBDEBUG_CACHE cannot be made" "set EBDEBUG_CACHE to a directory that can be written to"
EBDEBUG_CACHE=$(cd "$EBDEBUG_CACHE" && pwd)
case $TOP$EBDEBUG_CACHE in
*[[:space:]:]*) die "a path has a blank or a colon" "repository: $TOP" "cache: $EBDEBUG_CACHE" ;;
esac
export TOP EBDEBUG_CACHE

# cache_names: what is in the cache under the names that we use.
cache_names()
{
	(cd "$EBDEBUG_CACHE" && find . -mindepth 1 -maxdepth 1 -printf '%P\n') |
		grep -xE 'src|tree|log|guest|guest-[a-z0-9]+|host|image|model|series|\.lock-.*|CACHEDIR\.TAG' || :
}

# cache_is_ours: whether all that has such a name is ours.
cache_is_ours() { grep -qsF 'made by CONFIG_BTRFS_EB_DEBUG' "$EBDEBUG_CACHE/CACHEDIR.TAG"; }

# mark_cache: with the mark that says so to tools/clean, and to backups, if nothing is in it
# yet.  "build" in the repository is ours whatever is in it, from before there was a mark.
mark_cache()
{
	[ -w "$EBDEBUG_CACHE" ] || return 0
	[ "$EBDEBUG_CACHE" = "$TOP/build" ] || [ -z "$(find "$EBDEBUG_CACHE" -mindepth 1 -maxdepth 1 -print -quit)" ] || return 0
	{ printf '%s\n' 'Signature: 8a477f597d28d172789f06886806bc55' \
		'# made by CONFIG_BTRFS_EB_DEBUG: all of it can be made anew' >"$EBDEBUG_CACHE/CACHEDIR.TAG"; } 2>/dev/null || :
}
cache_is_ours || mark_cache

# base_names: the names in BASES, one a line.
base_names() { sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' -e 's/[[:space:]]*|.*//' "$TOP/BASES"; }

# base_field BASE N: the Nth field of a base's row, its blanks trimmed.
base_field()
{
	awk -F '|' -v base="$1" -v n="$2" '
		/^[ \t]*#/ { next }
		{ for (i = 1; i <= NF; i++) gsub(/^[ \t]+|[ \t]+$/, "", $i) }
		$1 == base { print $n }' "$TOP/BASES"
}

# need_base BASE: ends the program when BASES has no such row.
need_base()
{
	[ -n "$(base_field "$1" 1)" ] && return 0
	die "there is no base '$1'" "BASES knows: $(base_names | tr '\n' ' ')"
}

# chosen_base: the base of the tree in KSRC; without one what BASE says, or 6.1.  Ends the
# program when there is no such base.
chosen_base()
{
	if [ -n "${KSRC:-}" ]; then
		"$TOP/tools/recognise" "$KSRC"
	else
		need_base "${BASE:-6.1}"
		echo "${BASE:-6.1}"
	fi
}

# ksrc_name: what the copy of the tree in KSRC is called in the cache.
ksrc_name() { echo "ksrc-$(printf '%s' "$KSRC" | cksum | cut -d ' ' -f 1)"; }

# ksrc_clean: ends the program when the git tree in KSRC has what a copy of HEAD would
# lack.  git is not to note in its index that it has looked.
ksrc_clean()
{
	dirty=$(git -C "$KSRC" --no-optional-locks status --porcelain --untracked-files=no) ||
		die "git can't read KSRC=$KSRC" \
		    "if it is about ownership: git config --global --add safe.directory '$KSRC'"
	[ -z "$dirty" ] ||
		die "the git tree KSRC=$KSRC has changes that are not committed" \
		    "commit or stash them; a copy of HEAD is used, which would lack them"
}

# base_of NAME: the base of this name, or the one whose package is of this release.
base_of()
{
	if [ -n "$(base_field "$1" 1)" ]; then
		echo "$1"
		return 0
	fi
	for base in $(base_names); do
		[ "$(base_field "$base" 3)" != "linux-source-$1" ] || echo "$base"
	done
}

# lock NAME: wait until no other program of ours holds this lock, then hold it
# until we end.  The descriptor is closed for background children by hand.
lock()
{
	mkdir -p "$EBDEBUG_CACHE"
	exec 9>"$EBDEBUG_CACHE/.lock-$1"
	flock -w 3 9 && return 0
	say "waiting for another run that holds the lock '$1'"
	flock 9
}

# free_mb DIR: megabytes free on the file system of DIR.
free_mb() { df -Pm "$1" | awk 'NR == 2 { print $4 }'; }

# The machines beside this one that btrfs is compiled for: machine, its name for
# make, what its compiler is called before "gcc", a configuration on top or -.
MACHINES='
arm64       arm64  aarch64-linux-gnu-  -
arm64-64k   arm64  aarch64-linux-gnu-  pages-64k
i386        i386   -                   -
s390x       s390   s390x-linux-gnu-    -
um          um     -                   -
'
machine_names() { echo "$MACHINES" | awk 'NF { print $1 }'; }

# machine_field MACHINE N: the Nth field of its row, nothing for -.
machine_field()
{
	echo "$MACHINES" | awk -v machine="$1" -v n="$2" '$1 == machine && $n != "-" { print $n }'
}

# machine_words MACHINE: what make is told to compile for it.
machine_words()
{
	prefix=$(machine_field "$1" 3)
	echo "ARCH=$(machine_field "$1" 2)${prefix:+ CROSS_COMPILE=$prefix}"
}

# machine_lacks MACHINE: why nothing can be compiled for it, or nothing.
machine_lacks()
{
	[ -n "$(machine_field "$1" 2)" ] || { echo "there is no machine '$1'"; return 0; }
	compiler=$(machine_field "$1" 3)gcc
	have "$compiler" || { echo "there is no $compiler; tools/deps test-all installs it"; return 0; }
	[ "$1" != i386 ] || echo 'int i;' | gcc -m32 -x c -c -o /dev/null - 2>/dev/null ||
		echo "gcc can't compile for 32 bits (-m32)"
}

# machine_cant_boot MACHINE: why no kernel for it can be built and booted here, or nothing.
machine_cant_boot()
{
	lacks=$(machine_lacks "$1")
	[ -z "$lacks" ] || { echo "$lacks"; return 0; }
	case $(machine_field "$1" 2) in
	arm64) ;;
	um)
		if [ "$(uname -m)" != x86_64 ]; then
			echo 'User Mode Linux is for x86-64 here'
		elif [ "${BASE:-7.x}" != 7.x ]; then
			echo "User Mode Linux has one CPU in kernels of base $BASE; it is for 7.x here"
		fi
		return 0 ;;
	*) echo "tools/boot knows no such machine"; return 0 ;;
	esac
	have qemu-system-aarch64 || { echo 'there is no qemu-system-aarch64; tools/deps test-all installs it'; return 0; }
	echo 'int main(void) { return 0; }' | "$(machine_field "$1" 3)gcc" -static -x c -include stdio.h -o /dev/null - 2>/dev/null ||
		echo "$(machine_field "$1" 3)gcc links no program; tools/deps test-all installs its C library"
}

# clang_wanted TREE: the oldest clang that this kernel takes.
clang_wanted()
{
	SRCARCH=x86 sh "$1/scripts/min-tool-version.sh" llvm 2>/dev/null || echo 10.0.1
}

# clang_for TREE: the name of a clang that is new enough for this kernel; fails
# without one.
clang_for()
{
	wanted=$(clang_wanted "$1")
	for name in clang $(seq "${wanted%%.*}" 40 | sed 's/^/clang-/'); do
		have "$name" || continue
		[ "$({ echo "$wanted"; "$name" -dumpversion; } | sort -V | head -n 1)" = "$wanted" ] || continue
		echo "$name"
		return 0
	done
	return 1
}

# sparse_for TREE: whether this kernel takes the sparse that is here; newer ones ask for what
# an old one can't, and make goes on without it.
sparse_for()
{
	[ -e "$1/scripts/checker-valid.sh" ] || return 0
	[ "$(sh "$1/scripts/checker-valid.sh" sparse 2>/dev/null)" = 1 ]
}

# have CMD...: whether all of these commands exist (sbin is searched as well).
have()
{
	for cmd; do
		PATH="$PATH:/usr/sbin:/sbin" command -v "$cmd" >/dev/null || return 1
	done
}

# user_headers DIR: linux/ headers with which the guard's core is compiled in user space,
# each of them model/user.h.
user_headers()
{
	(cd "$TOP" && sed -n 's/^#include <linux\/\(.*\)>/\1/p' fs/btrfs/eb_debug.c \
		fs/btrfs/eb_debug_internal.h fs/btrfs/eb_debug_ledger.h \
		fs/btrfs/eb_debug_names.h include/linux/eb_debug_types.h) |
		while read -r header; do
			mkdir -p "$(dirname "$1/linux/$header")"
			echo '#include "user.h"' >"$1/linux/$header"
		done
}
