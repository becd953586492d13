/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is particular to this kernel for the extent buffer guard: 5.10.
 *
 * Where does the shared half find what it looks at?  Straight-line inlines only:
 * this file against that of another kernel is what changed upstream.
 */

#ifndef BTRFS_EB_DEBUG_BASE_H
#define BTRFS_EB_DEBUG_BASE_H

#include <linux/stackdepot.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"

#define eb_base_assign_str(dst, src)	__assign_str(dst, src)

/* A read has no reference of its own: the tree's is what keeps the buffer. */
#define EB_BASE_READ_HOLDS	false

/* A write of a file system in error goes to the disk as any other. */
#define EB_BASE_WRITE_TESTS	false

/*
 * Rules that are unsound or a known state here: counted and traced, no WARN.
 * read_extent_buffer_pages() does not look at WRITE_ERR, so that whoever finds a
 * block whose write failed reads from disk what was there before.
 */
#define EB_BASE_COUNT_ONLY	(BIT_ULL(EB_RULE_WRITE_ON_FAILED_FS) |	\
				 BIT_ULL(EB_RULE_READ_AFTER_WRITE_ERROR))

/* Tasks that never come to the return to user space. */
#define EB_BASE_NEVER_RETURNS	(PF_KTHREAD | PF_IO_WORKER)

/*
 * Functions that act for their callers: where a hook in one of them finds
 * something wrong, the caller is at fault.
 */
#define EB_BASE_HELPERS							\
	"btrfs_release_extent_buffer",					\
	"end_extent_buffer_writeback",					\
	"free_extent_buffer",						\
	"free_extent_buffer_stale",					\
	"release_extent_buffer"

#define EB_BASE_FLAG(bits, kernel, ours)				\
	(((bits) >> EXTENT_BUFFER_##kernel & 1) ? EB_FLAG_##ours : 0)

static inline u32 eb_base_flags(const struct extent_buffer *eb)
{
	unsigned long bits = READ_ONCE(eb->bflags);

	return EB_BASE_FLAG(bits, UPTODATE, UPTODATE) |
	       EB_BASE_FLAG(bits, DIRTY, DIRTY) |
	       EB_BASE_FLAG(bits, WRITEBACK, WRITEBACK) |
	       EB_BASE_FLAG(bits, TREE_REF, TREE_REF) |
	       EB_BASE_FLAG(bits, STALE, STALE) |
	       EB_BASE_FLAG(bits, UNMAPPED, UNMAPPED) |
	       EB_BASE_FLAG(bits, IN_TREE, IN_TREE) |
	       EB_BASE_FLAG(bits, WRITE_ERR, WRITE_ERR) |
	       EB_BASE_FLAG(bits, READ_ERR, READ_ERR) |
	       EB_BASE_FLAG(bits, CORRUPT, CORRUPT) |
	       EB_BASE_FLAG(bits, READAHEAD, READAHEAD);
}

static inline bool eb_base_stale(const struct extent_buffer *eb)
{
	return test_bit(EXTENT_BUFFER_STALE, &eb->bflags);
}

static inline bool eb_base_tree_ref(const struct extent_buffer *eb)
{
	return test_bit(EXTENT_BUFFER_TREE_REF, &eb->bflags);
}

static inline int eb_base_refs(const struct extent_buffer *eb)
{
	return atomic_read(&eb->refs);
}

static inline int eb_base_io_pages(const struct extent_buffer *eb)
{
	return atomic_read(&eb->io_pages);
}

/* lock_owner is set for as long as the tree lock is held for writing. */
static inline bool eb_base_write_locked(const struct extent_buffer *eb)
{
	return READ_ONCE(eb->lock_owner) != 0;
}

static inline bool eb_base_locked_by(const struct extent_buffer *eb, pid_t pid)
{
	return READ_ONCE(eb->lock_owner) == pid;
}

#define EB_BASE_LEVELS	BTRFS_MAX_LEVEL

static inline const struct extent_buffer *
eb_base_node(const struct btrfs_path *path, int level)
{
	return path->nodes[level];
}

/* The depot's table is part of the kernel. */
static inline int eb_base_stacks_init(void)
{
	return 0;
}

/* A stack in the depot, 0 if it can't be stored; the depot never sleeps for it. */
static inline u32 eb_base_stack_save(unsigned long *frames, unsigned int nr)
{
	return stack_depot_save(frames, nr, GFP_NOWAIT | __GFP_NOWARN);
}

/* There is no list of buffers: nothing is redirtied for zoned file systems. */
static inline bool eb_base_on_list(const struct extent_buffer *eb)
{
	return false;
}

/* Is this very buffer what a lookup of its address would find? */
static inline bool eb_base_in_tree(const struct extent_buffer *eb)
{
	struct btrfs_fs_info *fs_info = eb->fs_info;
	bool found;

	if (!fs_info || test_bit(EXTENT_BUFFER_UNMAPPED, &eb->bflags))
		return false;
	rcu_read_lock();
	found = radix_tree_lookup(&fs_info->buffer_radix,
				  eb->start >> PAGE_SHIFT) == eb;
	rcu_read_unlock();
	return found;
}

/* The tree of buffers has no marks, and no hook asks for them. */
static inline u32 eb_base_marks(const struct extent_buffer *eb)
{
	return 0;
}

static inline bool eb_base_fs_error(const struct extent_buffer *eb)
{
	return test_bit(BTRFS_FS_STATE_ERROR, &eb->fs_info->fs_state);
}

/* The copy of the super block outlives the devices, and the last buffer. */
static inline void eb_base_fsid(u8 *fsid, const struct btrfs_fs_info *fs_info)
{
	if (fs_info && fs_info->super_copy)
		memcpy(fsid, fs_info->super_copy->fsid, BTRFS_FSID_SIZE);
	else
		memset(fsid, 0, BTRFS_FSID_SIZE);
}

/*
 * Has debugfs clear_warn_once been written since this was last asked?  It clears
 * the .data.once section of the kernel, but of a module only the marks in its
 * table of WARNs; a mark on an entry that never looks at it does no harm.
 */
static inline bool eb_base_rearmed(void)
{
#if defined(MODULE) && defined(CONFIG_GENERIC_BUG)
	struct bug_entry *bug = THIS_MODULE->bug_table;
	unsigned int i;

	for (i = 0; i < THIS_MODULE->num_bugs; i++, bug++) {
		if (bug->flags & BUGFLAG_ONCE)
			continue;
		if (bug->flags & BUGFLAG_DONE)
			return false;
		bug->flags |= BUGFLAG_DONE;
		return true;
	}
	return false;
#else
	static bool __section(".data.once") asked;

	if (asked)
		return false;
	asked = true;
	return true;
#endif
}

#endif
