#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guard builds for other machines, of 32 bits, of the other byte order, with
# pages of another size, btrfs built in and as a module.  Nothing is booted there.
#
# What we add is compiled as tools/lint does it here.  What only a linker would
# notice, such as a division of 64 bits that needs a helper which no kernel has, is
# found by the names that our objects refer to: each must be ours, or be exported.
set -eu
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

list()
{
	for name in $(machine_names); do
		printf '%s\t%s\n' "build-$name" "for $name, built in and as a module: W=1 has nothing to say, and it links"
	done
	printf '%s\t%s\n' build-can-fail "a format or a division that is right on 64 bits only is found"
}

# ours TREE: the sources that we add.
ours()
{
	pristine=$("$TOP/tools/tree" "$BASE" pristine)
	grep '\.c$' "$1/.eb-files" | while read -r file; do
		[ -e "$pristine/$file" ] || echo "$file"
	done
}

# module TREE MACHINE: our objects as they are in a module; in $built and $objects.
# shellcheck disable=SC2046,SC2086  # words
module()
{
	more=$(machine_field "$2" 4)
	# KUnit is not in a module.
	objects=$(ours "$1" | grep -v kunit | sed 's/c$/o/')
	built=$("$TOP/tools/objects" -o "module-$2" -w "$LOG/make" ${more:+-c $more} -c as-module \
		"$1" lint $(machine_words "$2") W=1 $objects)
	for line in CONFIG_BTRFS_FS=m CONFIG_BTRFS_EB_DEBUG=y \
		$([ -z "$more" ] || grep -h '^CONFIG_' "$TOP/tests/configs/$more.config"); do
		grep -qxF "$line" "$built/.config" || fail "the configuration lacks $line"
	done
}

# exported TREE MACHINE: what a module may refer to there.
exported()
{
	arch=arch/$(machine_field "$2" 2)
	case $arch in
	*/i386) arch=arch/x86 ;;
	*/um) arch="$arch arch/x86/um" ;;
	esac
	# shellcheck disable=SC2086  # words
	(cd "$1" && grep -rhoE 'EXPORT_[A-Z_]*SYMBOL[A-Z_]*\([a-zA-Z0-9_]+' \
		$arch block crypto drivers/base fs include init kernel lib mm security) |
		sed 's/.*(//' | sort -u
}

# names MACHINE OPTION...: of our objects, as nm tells.
# shellcheck disable=SC2086  # words
names()
{
	nm=$(machine_field "$1" 3)nm
	shift
	(cd "$built" && "$nm" "$@" $objects) | awk 'NF > 1 { print $NF }' | sort -u
}

# used TREE MACHINE: what the objects of btrfs refer to without us: names that macros
# make, which exported() does not find.
used()
{
	nm=$(machine_field "$2" 3)nm
	find "$(dirname "$1")/pristine/obj-lint-$2/fs/btrfs" -name '*.o' -exec "$nm" -u {} + 2>/dev/null |
		awk 'NF > 1 { print $NF }'
}

# unresolved TREE MACHINE: what our objects refer to and nobody offers to a module.
unresolved()
{
	exported "$1" "$2" >"$LOG/exported"
	names "$2" --defined-only >"$LOG/defined"
	used "$1" "$2" >"$LOG/used"
	# A module has this one from its own link.
	echo __this_module | sort -u - "$LOG/exported" "$LOG/defined" "$LOG/used" >"$LOG/offered"
	names "$2" -u >"$LOG/wanted"
	comm -23 "$LOG/wanted" "$LOG/offered"
}

# warnings FILE: in what make has said.
warnings() { grep -E '^[^ ]+:[0-9]+:.*(warning|error):' "$1" | sort -u || :; }

# of_headers MACHINE: what W=1 says there of the kernel's own headers, which come with each
# source; in $LOG/known.
# shellcheck disable=SC2046,SC2086  # words
of_headers()
{
	pristine=$("$TOP/tools/tree" "$BASE" pristine)
	more=$(machine_field "$1" 4)
	rm -f "$pristine/obj-lint-$1/fs/btrfs/orphan.o"
	"$TOP/tools/objects" -o "lint-$1" -w "$LOG/make-pristine" ${more:+-c $more} \
		"$pristine" lint $(machine_words "$1") W=1 fs/btrfs/orphan.o >/dev/null
	warnings "$LOG/make-pristine" >"$LOG/known"
}

# warned: warnings in what make has said of our sources, other than those.  One about a
# format is said of the header that has the macro.
warned() { warnings "$LOG/make" | comm -23 - "$LOG/known"; }

builds()
{
	lacks=$(machine_lacks "$1")
	[ -z "$lacks" ] || fail "$lacks"
	guard=$("$TOP/tools/tree" "$BASE" guard)
	"$TOP/tools/lint" -t "$guard" -m "$1" gcc >"$LOG/lint" || {
		cat "$LOG/lint"
		fail "there are warnings for $1"
	}
	of_headers "$1"
	module "$guard" "$1"
	found=$(warned)
	[ -z "$found" ] || fail "as a module for $1: $found"
	found=$(unresolved "$guard" "$1" | tr '\n' ' ')
	[ -s "$LOG/wanted" ] || fail "nothing is known of what our objects need"
	[ -z "$found" ] || fail "our objects need what no kernel for $1 offers to a module: $found"
	pass "$(tail -n 1 "$LOG/lint"); as a module $(echo "$objects" | wc -w) objects need $(wc -l <"$LOG/wanted") names, all are there"
}

# spoil LINE: a copy of the guard's tree with that added to a source of ours; in
# $spoiled.
spoil()
{
	spoiled=$(dirname "$guard")/build-spoiled
	find "$spoiled" -mindepth 1 -maxdepth 1 ! -name 'obj-*' -exec rm -rf {} + 2>/dev/null || :
	mkdir -p "$spoiled"
	find "$guard" -mindepth 1 -maxdepth 1 ! -name 'obj-*' -exec cp -al -t "$spoiled" {} +
	# What is linked to another tree is replaced, never written.
	{ cat "$guard/fs/btrfs/eb_debug_report.c"; echo "$1"; } >"$spoiled/new"
	mv "$spoiled/new" "$spoiled/fs/btrfs/eb_debug_report.c"
	echo fs/btrfs/eb_debug_report.c >"$spoiled/new"
	mv "$spoiled/new" "$spoiled/.eb-files"
	module "$spoiled" "$2"
}

can_fail()
{
	lacks=$(machine_lacks i386)
	[ -z "$lacks" ] || fail "$lacks"
	guard=$("$TOP/tools/tree" "$BASE" guard)
	of_headers i386
	spoil 'void eb_spoiled(u64 number); void eb_spoiled(u64 number) { pr_info("%lu", (unsigned long long)number); }' i386
	warned | grep -q 'Wformat' || fail "a format of another size was not noticed"
	spoil 'u64 eb_spoiled(u64 number, u64 by); u64 eb_spoiled(u64 number, u64 by) { return number / by; }' i386
	found=$(warned)
	[ -z "$found" ] || fail "a warning where none is due: $found"
	# The other objects of ours are not here, so their names are not either.
	found=$(unresolved "$spoiled" i386 | grep -v '^btrfs_' | tr '\n' ' ')
	[ "$found" = '__udivdi3 ' ] || fail "a division of 64 bits was not noticed, or something else was: '$found'"
	rm -rf "$spoiled"
	pass "both were found, the second by $found"
}

prepare() { :; }

run()
{
	case $1 in
	build-can-fail) can_fail ;;
	build-*) builds "${1#build-}" ;;
	*) die "there is no test '$1' here" ;;
	esac
}

case_main list run prepare "$@"
