# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# What the tools share: where the repository and its cache are, how they speak,
# and how a row of BASES is read.  Sourced, never run.  Results go to stdout,
# everything said to a person goes to stderr.

# The script that sources this stands somewhere below the directory of BASES.
TOP=$(dirname "$0")
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
mkdir -p "$EBDEBUG_CACHE" || die "the cache EBDEBUG_CACHE=$EBDEBUG_CACHE cannot be made"
EBDEBUG_CACHE=$(cd "$EBDEBUG_CACHE" && pwd)
case $TOP$EBDEBUG_CACHE in
*[[:space:]:]*) die "a path has a blank or a colon" "repository: $TOP" "cache: $EBDEBUG_CACHE" ;;
esac
export TOP EBDEBUG_CACHE

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

# have CMD...: whether all of these commands exist (sbin is searched as well).
have()
{
	for cmd; do
		PATH="$PATH:/usr/sbin:/sbin" command -v "$cmd" >/dev/null || return 1
	done
}
