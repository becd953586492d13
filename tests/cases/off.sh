#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# With CONFIG_BTRFS_EB_DEBUG off our patches change nothing: fs/btrfs is
# compiled with and without them, and the objects are compared.
#
# A hook is a line, and the lines below it move down.  The line number is in
# each bug table entry and in each call that passes __LINE__ (ASSERT,
# btrfs_abort_transaction), so those numbers differ in what a user builds, and
# nothing else may.  To leave no room for doubt the patched sources are compiled
# once more with the line numbers held still (#line after each added line, the
# tree "pinned"): there not one bit may differ, ASSERT included.  With another
# compiler and for other machines only that is looked at.
set -eu
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		off-identical "option off, built in: every object of fs/btrfs is what it is without us" \
		off-identical-module "the same for a module with all of btrfs's own debugging on" \
		off-size "option off: struct extent_buffer has the size it has without us; on: what we say" \
		off-compare-can-fail "a hook that does work while off, or a byte in the struct, is found" \
		off-identical-clang "with clang: every object of fs/btrfs is what it is without us" \
		off-identical-clang-module "with clang, a module with all of btrfs's own debugging on: the same"
	for name in $(machine_names); do
		printf '%s\t%s\n' "off-identical-$name" "for $name: every object of fs/btrfs is what it is without us"
	done
	for name in i386 s390x; do
		printf '%s\t%s\n' "off-compare-can-fail-$name" "for $name: work, a byte, or another name or place to refer to is found"
	done
}

tree() { "$TOP/tools/tree" "$BASE" "$1"; }

# changed TREE: the sources in which a variant differs from the pristine tree.
changed() { grep -E '\.[ch]$' "$1/.eb-files"; }

# derived NAME FILTER: a tree beside the guard's with the same files, of which
# the sources went through "FILTER file" (its result on stdout).  A file whose
# content stays keeps its time, so that little is compiled again.
derived()
{
	lock derived
	dest=$(dirname "$guard")/$1
	cmp -s "$pristine/.eb-stamp" "$dest/.eb-stamp" || {
		rm -rf "$dest"
		mkdir -p "$dest"
		find "$pristine" -mindepth 1 -maxdepth 1 ! -name 'obj-*' \
			-exec cp -al -t "$dest" {} +
	}
	sort -u "$guard/.eb-files" "$dest/.eb-files" | while read -r file; do
		mkdir -p "$dest/$(dirname "$file")"
		if grep -qxF "$file" "$guard/.eb-files"; then
			$2 "$file" >"$dest/$file.new"
		elif [ -e "$pristine/$file" ]; then
			cat "$pristine/$file" >"$dest/$file.new"
		else
			rm -f "$dest/$file"
			continue
		fi
		if cmp -s "$dest/$file.new" "$dest/$file"; then
			rm "$dest/$file.new"
		else
			mv "$dest/$file.new" "$dest/$file"
		fi
	done
	cp --remove-destination "$guard/.eb-files" "$dest/.eb-files"
	echo "$dest"
}

# pin FILE: in it, each line that the pristine file has too keeps its number.
# A #line that the preprocessor skips, in an #if, is said again after the #if.
pin()
{
	case $1 in
	*.[ch]) [ -e "$pristine/$1" ] || { cat "$guard/$1"; return 0; } ;;
	*) cat "$guard/$1"; return 0 ;;
	esac
	{
		diff --unchanged-group-format='%=' --old-group-format='#line %dm
' --new-group-format='%>#line %dm
' --changed-group-format='%>#line %dm
' "$pristine/$1" "$guard/$1" || [ $? -eq 1 ]
	} | awk '
		{ print }
		/^#line / { next_line = $2; moved = 1; next }
		{ next_line++ }
		moved && /^[ \t]*#[ \t]*(endif|else|elif)([^\\]|\\.)*$/ { print "#line", next_line }
		BEGIN { next_line = 1 }'
}

# spoil FILE: in it, $offence (an expression for sed) is committed.
spoil()
{
	case $1 in
	include/linux/eb_debug*.h) sed "$offence" "$guard/$1" ;;
	*) cat "$guard/$1" ;;
	esac
}

pinned() { derived pinned pin; }

# shifts OLD NEW: "from shift" lines for tools/objcmp.
shifts()
{
	diff "$1" "$2" | awk -F '[acd]' '
		function count(range) { return split(range, r, ",") == 2 ? r[2] - r[1] + 1 : 1 }
		/^[0-9]+(,[0-9]+)?a/ { shift += count($2); split($1, o, ","); print o[1] + 1, shift }
		/^[0-9]+(,[0-9]+)?d/ { n = count($1); shift -= n; split($1, o, ","); print o[1] + n, shift }
		/^[0-9]+(,[0-9]+)?c/ { n = count($1); shift += count($2) - n; split($1, o, ","); print o[1] + n, shift }'
}

trees()
{
	pristine=$(tree pristine)
	guard=$(tree guard)
}

# use WHAT: from here on compile with clang, or for another machine; the test fails
# without the compiler, and is skipped if this kernel does not take the clang that is here.
label=
words=
more=
use()
{
	label=$1
	case $1 in
	clang)
		compiler=$(clang_for "$pristine") ||
			skip "this kernel takes clang $(clang_wanted "$pristine") or newer, and none is here"
		words=CC=$compiler ;;
	*)
		lacks=$(machine_lacks "$1")
		[ -z "$lacks" ] || fail "$lacks"
		words=$(machine_words "$1")
		more=$(machine_field "$1" 4) ;;
	esac
}

# objects TREE CONFIG [TARGET...]
# shellcheck disable=SC2086  # words
objects()
{
	in=$1
	config=$2
	shift 2
	"$TOP/tools/objects" -o "$config${label:+-$label}" ${more:+-c $more} "$in" "$config" $words "$@"
}

# compared FILE ARGUMENTS: tools/objcmp's words into FILE; fails with them.
compared()
{
	out=$1
	shift
	"$TOP/tools/objcmp" "$@" >"$out" 2>&1 && return 0
	head -n 30 "$out"
	return 1
}

off_identical()
{
	trees
	set --
	for file in $(changed "$guard"); do
		[ -e "$pristine/$file" ] || continue
		map=$LOG/$(echo "$file" | tr / _).shift
		shifts "$pristine/$file" "$guard/$file" >"$map"
		set -- "$@" -m "$map"
	done
	a=$(objects "$pristine" off)
	b=$(objects "$guard" off)
	c=$(objects "$(pinned)" off)
	compared "$LOG/pinned" "$a/fs/btrfs" "$c/fs/btrfs" ||
		fail "objects differ, though lines were held still (see $LOG/pinned)"
	compared "$LOG/as-built" "$@" "$a/fs/btrfs" "$b/fs/btrfs" ||
		fail "objects differ by more than line numbers (see $LOG/as-built)"
	pass "$(tail -n 1 "$LOG/as-built"); with lines held still nothing differs"
}

# identical CONFIG: with lines held still.
identical()
{
	a=$(objects "$pristine" "$1")
	c=$(objects "$(pinned)" "$1")
	compared "$LOG/pinned" "$a/fs/btrfs" "$c/fs/btrfs" ||
		fail "objects differ, though lines were held still (see $LOG/pinned)"
}

off_identical_module()
{
	trees
	identical off-module
	pass "$(tail -n 1 "$LOG/pinned")"
}

# off_identical_clang CONFIG
off_identical_clang()
{
	trees
	use clang
	identical "$1"
	made=$(grep -h '^CONFIG_CC_VERSION_TEXT=' "$a/.config")
	case $made in
	*clang*) ;;
	*) fail "it was not compiled by clang: $made" ;;
	esac
	pass "$("$compiler" --version | head -n 1): $(tail -n 1 "$LOG/pinned")"
}

# User Mode Linux is a program of this machine, and only its configuration tells.
off_identical_machine()
{
	trees
	use "$1"
	identical off
	arch=$(machine_field "$1" 2)
	if [ "$arch" = um ]; then
		grep -qx 'CONFIG_UML=y' "$a/.config" || fail "the configuration is not that of User Mode Linux"
		arch=x86-64
	fi
	grep -qF "($arch, " "$LOG/pinned" || fail "these are not objects for $1: $(tail -n 1 "$LOG/pinned")"
	for config in ${more:+"$more"}; do
		grep '^CONFIG_' "$TOP/tests/configs/$config.config" | grep -vxFf "$a/.config" &&
			fail "the configuration lacks these lines of $config"
	done
	pass "$(tail -n 1 "$LOG/pinned")"
}

# size_of OBJ: sizeof(struct extent_buffer) as that kernel's compiler sees it.
size_of()
{
	dir=$LOG/size-$(basename "$(dirname "$1")")
	rm -rf "$dir"
	mkdir -p "$dir"
	cat >"$dir/size.c" <<-'END'
	#include "ctree.h"
	#include "extent_io.h"
	char size_of_extent_buffer[sizeof(struct extent_buffer)];
	END
	# shellcheck disable=SC2016  # $(srctree) is for make
	printf '%s\n' 'obj-m := size.o' 'ccflags-y := -I$(srctree)/fs/btrfs' >"$dir/Makefile"
	make -C "$1" M="$dir" size.o >"$dir/log" 2>&1 || {
		tail -n 8 "$dir/log" >&2
		return 1
	}
	nm -S -t d "$dir/size.o" | awk '$4 == "size_of_extent_buffer" { print $2 + 0 }'
}

off_size()
{
	trees
	was=$(size_of "$(objects "$pristine" off)")
	is=$(size_of "$(objects "$guard" off)")
	[ -n "$was" ] || fail "the size could not be found (see $LOG)"
	[ "$was" = "$is" ] || fail "struct extent_buffer has $is bytes, without us $was"
	was_on=$(size_of "$(objects "$pristine" lint prepare)")
	is_on=$(size_of "$(objects "$guard" lint prepare)")
	cost=$((is_on - was_on))
	for file in fs/btrfs/Kconfig.debug Documentation/dev-tools/btrfs-eb-debug.rst; do
		said=$(tr -s '\n\t ' ' ' <"$TOP/$file" | grep -oE '[0-9]+ bytes in each extent buffer') || :
		[ "${said%% *}" = "$cost" ] ||
			fail "turned on, an extent buffer has $cost bytes more; $file says '$said'"
	done
	pass "off: $is bytes, with our patches and without; on: $cost more"
}

# spoiled_object TO OFFENCE: an object with the door spoiled.
spoiled_object()
{
	offence=$2
	spoiled=$(derived "spoiled${label:+-$label}" spoil)
	! { cmp -s "$guard/include/linux/eb_debug.h" "$spoiled/include/linux/eb_debug.h" &&
		cmp -s "$guard/include/linux/eb_debug_types.h" "$spoiled/include/linux/eb_debug_types.h"; } ||
		fail "the offence '$2' does not match the text of eb_debug.h or eb_debug_types.h"
	b=$(objects "$spoiled" off fs/btrfs/extent_io.o)
	rm -rf "${LOG:?}/$1"
	mkdir -p "$LOG/$1"
	cp "$b/fs/btrfs/extent_io.o" "$LOG/$1"
}

# commit OFFENCE [OFFENCE]: the same object with the door as it is, and spoiled; or
# spoiled in two ways.
commit()
{
	if [ $# -eq 2 ]; then
		spoiled_object was "$1"
		shift
	else
		rm -rf "$LOG/was"
		mkdir -p "$LOG/was"
		cp "$a/fs/btrfs/extent_io.o" "$LOG/was"
	fi
	spoiled_object is "$1"
}

# in_hook STATEMENTS: an offence, these in an empty hook that each base calls there.
in_hook() { echo "/^static .*eb_debug_writeback(/,/^{/s/^{/{ $1/"; }

# must_differ WHAT PATTERN: the comparison says so, in words that match.
must_differ()
{
	! compared "$LOG/said" "$LOG/was" "$LOG/is" >/dev/null ||
		fail "$1 was not noticed"
	grep -q "$2" "$LOG/said" || {
		cat "$LOG/said"
		fail "$1 was noticed, but not as '$2'"
	}
}

off_compare_can_fail()
{
	trees
	[ -z "$1" ] || use "$1"
	a=$(objects "$guard" off fs/btrfs/extent_io.o)
	commit "$(in_hook '*(volatile int *)eb = 0;')"
	must_differ "a hook that writes to the buffer" \
		'^extent_io.o: section .*bytes became\|^extent_io.o: .*byte 0x'
	is=$(grep -m 1 '^extent_io.o' "$LOG/said")
	commit 's/^struct btrfs_eb_debug {};/struct btrfs_eb_debug { long spoiled; };/'
	must_differ "a longer struct extent_buffer" '^extent_io.o: '
	commit "$(in_hook 'extern void eb_one(void); eb_one();')" \
		"$(in_hook 'extern void eb_two(void); eb_two();')"
	must_differ "a call of another function" '^extent_io.o: .*relocation type .* to eb_one.* became .* to eb_two'
	commit "$(in_hook 'extern volatile char eb_one[]; eb_one[16] = 0;')" \
		"$(in_hook 'extern volatile char eb_one[]; eb_one[48] = 0;')"
	must_differ "a reference to another place" '^extent_io.o: .*\(relocation type .* became\|byte 0x10 became 0x30\)'
	pass "all four were found, the first as '$is'"
}

prepare()
{
	case " $* " in
	*" off-identical "*) sets='pristine:off guard:off pinned:off' ;;
	*) sets= ;;
	esac
	case " $* " in
	*" off-identical-module "*) sets="$sets pristine:off-module pinned:off-module" ;;
	esac
	trees
	for set in $sets; do
		say "off: compiling fs/btrfs (${set%:*}, ${set#*:})"
		case $set in
		pinned:*) dir=$(pinned) ;;
		pristine:*) dir=$pristine ;;
		*) dir=$guard ;;
		esac
		objects "$dir" "${set#*:}" >/dev/null
	done
}

run()
{
	case $1 in
	off-identical) off_identical ;;
	off-identical-module) off_identical_module ;;
	off-identical-clang) off_identical_clang off ;;
	off-identical-clang-module) off_identical_clang off-module ;;
	off-identical-*) off_identical_machine "${1#off-identical-}" ;;
	off-size) off_size ;;
	off-compare-can-fail) off_compare_can_fail '' ;;
	off-compare-can-fail-*) off_compare_can_fail "${1#off-compare-can-fail-}" ;;
	*) die "there is no test '$1' here" ;;
	esac
}

case_main list run prepare "$@"
