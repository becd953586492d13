#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# All that we add is clean by tools/lint, and each of its checks finds an offence
# that is planted in a copy.
set -eu
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

list()
{
	printf '%s\t%s\n' \
		lint-checkpatch "checkpatch --strict has nothing to say of our files and patches" \
		lint-kernel-doc "kernel-doc is well formed, and each hook that btrfs calls has one" \
		lint-shell "each script is plain POSIX sh, and shellcheck has nothing to say" \
		lint-tree "house rules: no path of one machine, no host name, no long file, ..." \
		lint-hooks "the hook patches add single lines that call the guard, and delete none" \
		lint-sites "each place in btrfs that changes a buffer's reference count has its hook" \
		lint-static "dance, raw and leak find in this base what is listed and nothing else, and no write once it dances" \
		lint-gcc "W=1: no warning in our files, no new one in those that we touch" \
		lint-clang "the same with clang" \
		lint-sparse "the same with sparse" \
		lint-can-fail "each of these checks finds an offence that is planted for it"
}

# offend CHECK FILE WORDS [SED]: lines on stdin are added to FILE in a copy of the
# repository, or SED is run on it; then the check must fail with a line that has
# FILE and WORDS in it.
offend()
{
	copy=$LOG/copy
	rm -rf "$copy"
	mkdir -p "$copy"
	(cd "$TOP" && git ls-files -co --exclude-standard | while read -r file; do
		[ ! -f "$file" ] || echo "$file"; done | xargs cp -a --parents -t "$copy")
	mkdir -p "$(dirname "$copy/$2")"
	if [ $# -eq 4 ]; then
		sed -i "$4" "$copy/$2"
	else
		cat >>"$copy/$2"
	fi
	must_complain "$1" "$2" "$3" -r "$copy"
}

# must_complain CHECK FILE WORDS OPTION...: the check fails and says that.
must_complain()
{
	check=$1
	file=$2
	words=$3
	shift 3
	! "$TOP/tools/lint" "$@" "$check" >"$LOG/said" 2>&1 ||
		fail "lint $check did not notice what was planted in $file"
	grep -F "$(basename "$file")" "$LOG/said" | grep -qF -- "$words" || {
		tail -n 5 "$LOG/said"
		fail "lint $check does not say '$words' of what was planted in $file"
	}
	count=$((count + 1))
}

# offend_compilers: sources of ours, each with an offence that only its check can
# know, in a copy of the kernel tree that has nothing else of ours to compile.
offend_compilers()
{
	dance=$("$TOP/tools/tree" "$BASE" dance)
	spoiled=$(dirname "$dance")/lint-spoiled
	rm -rf "$spoiled"
	mkdir -p "$spoiled"
	find "$dance" -mindepth 1 -maxdepth 1 ! -name 'obj-*' -exec cp -al -t "$spoiled" {} +
	cd "$spoiled"
	{
		cat "$dance/fs/btrfs/eb_debug_report.c"
		echo 'static __used int eb_spoiled(int present) { int unused; return present; }'
	} >spoiled
	mv spoiled fs/btrfs/eb_debug_report.c
	{
		cat "$dance/fs/btrfs/eb_debug_fs.c"
		echo 'static __used char *eb_spoiled(char __user *from) { return from; }'
	} >spoiled
	mv spoiled fs/btrfs/eb_debug_fs.c
	printf '%s\n' fs/btrfs/eb_debug_report.c fs/btrfs/eb_debug_fs.c >spoiled
	mv spoiled .eb-files
	cd "$TOP"
	must_complain gcc eb_debug_report.c "unused variable" -t "$spoiled"
	if clang_for "$dance" >/dev/null; then
		must_complain clang eb_debug_report.c "unused variable" -t "$spoiled"
	fi
	if sparse_for "$dance"; then
		must_complain sparse eb_debug_fs.c "different address spaces" -t "$spoiled"
	fi
	rm -rf "$spoiled"
}

# line_of FILE FUNCTION WORDS: the first line of that function that has the words.
line_of()
{
	awk -v func_name="$2" -v words="$3" '
		index($0, func_name "(") && /^[a-z]/ && !/;$/ { on = 1 }
		on && index($0, words) { print FNR; exit }
		/^}/ { on = 0 }' "$1"
}

# place FILE FUNCTION WORDS REST: how tools/sites names the place that stands at
# the first line of the function with these words.
place() { echo "$1:$(line_of "$copy/fs/btrfs/$1" "$2" "$3") $2 $4"; }

# offend_sites: a hook less, a place more, and one more in a function that no
# parser takes, in a copy of fs/btrfs.  Each must be named with its line.
offend_sites()
{
	copy=$LOG/copy
	dance=$("$TOP/tools/tree" "$BASE" dance)
	rm -rf "$copy"
	mkdir -p "$copy/fs"
	cp -al "$dance/fs/btrfs" "$copy/fs/btrfs"
	inc=atomic_inc
	! grep -q 'refcount_inc(&eb->refs)' "$dance/fs/btrfs/extent_io.c" || inc=refcount_inc
	# sed and mv replace the files, what they were linked to does not change.
	sed -i -e '/^\teb_debug_tree_ref_set(eb);$/d' \
		-e '/^[a-z]* set_extent_buffer_dirty(/,/^}/s/^\teb_debug_dirty(eb);$/&\n\t'$inc'(\&eb->refs);/' \
		"$copy/fs/btrfs/extent_io.c"
	{
		cat "$dance/fs/btrfs/locking.c"
		printf '%s\n' 'int eb_spoiled(struct extent_buffer *eb)' '{' '	if (@@ }' \
			'	refcount_inc(&eb->refs);' '}'
	} >"$copy/spoiled"
	mv "$copy/spoiled" "$copy/fs/btrfs/locking.c"
	for words in "$(place extent_io.c check_buffer_tree_ref "$inc(" "eb $inc")" \
		"$(place extent_io.c set_extent_buffer_dirty "$inc(" "eb $inc")" \
		"$(place locking.c eb_spoiled 'refcount_inc(' 'eb refcount_inc (type not known)')"; do
		must_complain sites "${words%%:*}" "$words" -t "$copy"
	done
	# An empty tree must not pass for one without a fault.
	rm "$copy/fs/btrfs"/*.[ch]
	must_complain sites fs/btrfs "no place was found" -t "$copy"
}

# offend_static: in copies of the base's btrfs the dance of the read is gone, stands
# before the IO state is armed, or under a condition; a put is gone on a way out; a new
# function changes a count, and one that may do so once does it twice.
offend_static()
{
	copy=$LOG/copy
	source=$("$TOP/tools/source" "$BASE")
	read=read_extent_buffer_pages
	! grep -q read_extent_buffer_pages_nowait "$source/fs/btrfs/extent_io.c" || read=read_extent_buffer_pages_nowait
	armed='atomic_set(&eb->io_pages, num_reads);'
	[ $read = read_extent_buffer_pages ] || armed='if (test_and_set_bit(EXTENT_BUFFER_READING'
	in_read="/^int $read(/,/^}/"
	dance='^\tcheck_buffer_tree_ref(eb);$'
	offend_source extent_io.c "$in_read{/$dance/d}" "dance: $read() starts IO"
	offend_source extent_io.c "$in_read{/$dance/d;s/^\t$armed/\tcheck_buffer_tree_ref(eb);\n&/}" "dance: $read() starts IO"
	offend_source extent_io.c "$in_read{s/$dance/\tif (mirror_num)\n\t&/}" "dance: $read() starts IO"
	offend_source ctree.c '/^int btrfs_copy_root(/,/^}/{/^\t\tfree_extent_buffer(cow);/d}' \
		"leak: btrfs_copy_root() returns here, and may hold a reference to 'cow'"
	# shellcheck disable=SC2016  # the last line of a file, for sed
	offend_source locking.c '$a void eb_spoiled(struct extent_buffer *buf)\n{\n\tatomic_inc(\&buf->refs);\n}' \
		'raw: eb_spoiled() changes the reference count'
	offend_source extent_io.c '/^static void check_buffer_tree_ref(/,/^}/s/^\tspin_unlock(.*/&\n\tclear_bit(EXTENT_BUFFER_TREE_REF, \&eb->bflags);/' \
		'raw: check_buffer_tree_ref() changes TREE_REF of an extent buffer by itself (2 places, 1 are known)'
}

# offend_source FILE SED WORDS: the base's file with that change.
offend_source()
{
	rm -rf "$copy"
	mkdir -p "$copy/fs"
	cp -r "$source/fs/btrfs" "$copy/fs/btrfs"
	sed -i "$2" "$copy/fs/btrfs/$1"
	! cmp -s "$copy/fs/btrfs/$1" "$source/fs/btrfs/$1" || fail "nothing was planted in $1: $2"
	must_complain static "$1" "$3" -t "$copy"
}

can_fail()
{
	count=0
	# In two halves, so that this file itself has none of it.
	none=
	offend checkpatch fs/btrfs/eb_debug.c SPACING <<-'END'
	int  eb_spoiled( void ) { return 0 ; }
	END
	offend kernel-doc include/linux/eb_debug.h "eb_debug_expect() has no kernel-doc" \
		's/^ \* eb_debug_expect - /\/\/ /'
	offend kernel-doc fs/btrfs/eb_debug.c "'absent'" <<-'END'
	/**
	 * eb_spoiled - a function
	 * @absent: it has no such parameter
	 */
	static void eb_spoiled(int present) {}
	END
	offend shell tools/spoiled SC3010 <<-'END'
	#!/bin/sh
	[[ $1 == y ]] && cd $2
	END
	offend tree README.rst "a path of one machine" <<-END
	see /${none}work/main
	END
	offend tree tools/spoiled "host name" <<-END
	deb http://deb.debian.${none}org/debian sid main
	END
	offend tree README.rst unfinished <<-END
	TO${none}DO: later
	END
	offend tree fs/btrfs/eb_debug.c "a version test" <<-'END'
	#if LINUX_VERSION_CODE >= 0
	END
	offend tree tests/spoiled "900 lines" <<-END
	$(seq 900)
	END
	ln -sf cases/lint.sh "$copy/tests/spoiled"
	must_complain tree tests/spoiled "a symbolic link" -r "$copy"
	hook=$(cd "$TOP" && grep -l '^+.*eb_debug_dance(' "patches/$BASE"/*.patch | head -n 1)
	offend hooks "$hook" "is not a hook" 's/^+\(.*\)eb_debug_dance(eb);/+\1if (eb) eb_debug_dance(eb);/'
	offend hooks "$hook" "deletes a line" '0,/^ \t/s/^ \t/-\t/'
	offend hooks "$hook" "eb_debug.h does not offer it" 's/^+\(.*\)eb_debug_dance(eb);/+\1eb_debug_spoiled(eb);/'
	offend_sites
	offend_static
	offend_compilers
	rm -rf "$LOG/copy"
	pass "$count offences planted, $count found"
}

prepare() { :; }

run()
{
	case $1 in
	lint-can-fail) can_fail ;;
	*)
		"$TOP/tools/lint" "${1#lint-}" >"$LOG/lint" || {
			status=$?
			cat "$LOG/lint"
			[ "$status" -eq 77 ] || exit 1
			exit 77
		}
		tail -n 1 "$LOG/lint" ;;
	esac
}

case_main list run prepare "$@"
