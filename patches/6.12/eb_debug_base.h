/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is particular to this kernel for the extent buffer guard: 6.12.
 *
 * Where does the shared half find what it looks at?  Straight-line inlines only:
 * this file against that of another kernel is what changed upstream.
 */

#ifndef BTRFS_EB_DEBUG_BASE_H
#define BTRFS_EB_DEBUG_BASE_H

#include <linux/once_lite.h>
#include <linux/rwsem.h>
#include <linux/stackdepot.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"

#define eb_base_assign_str(dst, src)	__assign_str(dst)

/*
 * A read has a reference of its own until it ends.  Nothing but its dance keeps
 * reclaim, which has tested the count, from taking TREE_REF away under it: on a
 * correct kernel too, and without harm.
 */
#define EB_BASE_READ_HOLDS	true

/* A write of a file system in error ends at once, and never reaches the disk. */
#define EB_BASE_WRITE_TESTS	true

/* No rule is unsound or a known state here: each one is a WARN. */
#define EB_BASE_COUNT_ONLY	0ULL

/* Tasks that never come to the return to user space. */
#define EB_BASE_NEVER_RETURNS	(PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)

/*
 * Functions that act for their callers: where a hook in one of them finds
 * something wrong, the caller is at fault.
 */
#define EB_BASE_HELPERS							\
	"btrfs_release_extent_buffer",					\
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
	       EB_BASE_FLAG(bits, READING, READING) |
	       EB_BASE_FLAG(bits, ZONED_ZEROOUT, ZEROOUT);
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

/*
 * Pages are not counted here, a buffer is read or written by one bio: this is 1
 * while a read or a write is under way, and 0 otherwise.
 */
static inline int eb_base_io_pages(const struct extent_buffer *eb)
{
	return !!(READ_ONCE(eb->bflags) & (BIT(EXTENT_BUFFER_READING) |
					   BIT(EXTENT_BUFFER_WRITEBACK)));
}

/*
 * lock_owner is there with CONFIG_BTRFS_DEBUG only.  The lock itself knows its
 * writer, but with PREEMPT_RT, where it looks different: nothing is known then.
 */
static inline bool eb_base_write_locked(const struct extent_buffer *eb)
{
#ifdef CONFIG_PREEMPT_RT
	return false;
#else
	return atomic_long_read(&eb->lock.count) & RWSEM_WRITER_LOCKED;
#endif
}

/* Readers leave a mark beside the task, so this is the writer.  @pid is our own. */
static inline bool eb_base_locked_by(const struct extent_buffer *eb, pid_t pid)
{
#ifdef CONFIG_PREEMPT_RT
	return false;
#else
	return atomic_long_read(&eb->lock.owner) == (long)current;
#endif
}

#define EB_BASE_LEVELS	BTRFS_MAX_LEVEL

static inline const struct extent_buffer *
eb_base_node(const struct btrfs_path *path, int level)
{
	return path->nodes[level];
}

static inline int eb_base_stacks_init(void)
{
	return stack_depot_init();
}

/* A stack in the depot, 0 if it can't be stored; the depot never sleeps for it. */
static inline u32 eb_base_stack_save(unsigned long *frames, unsigned int nr)
{
	return stack_depot_save(frames, nr, GFP_NOWAIT | __GFP_NOWARN);
}

/* There is no list that a buffer can be on and forgotten. */
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
				  eb->start >> fs_info->sectorsize_bits) == eb;
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
	return BTRFS_FS_ERROR(eb->fs_info);
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
	return __ONCE_LITE_IF(true);
#endif
}

#endif
