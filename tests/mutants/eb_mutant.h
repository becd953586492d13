/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bugs put back into btrfs, for the tests of the extent buffer guard.
 *
 * Which one is chosen by btrfs.eb_mutant= at boot or load.  A mutant changes a
 * call site of btrfs and never calls the guard; where the bug would crash the
 * kernel, eb_mutant_heal() keeps it alive after the guard had its chance, unless
 * btrfs.eb_mutant_deadly=1 asks for the crash.
 */

#ifndef BTRFS_EB_MUTANT_H
#define BTRFS_EB_MUTANT_H

#include <linux/rwsem.h>

struct extent_buffer;

enum eb_mutant {
	EB_MUTANT_NONE,
	EB_MUTANT_READ_DANCE,
	EB_MUTANT_READ_DANCE_SUBPAGE,
	EB_MUTANT_WRITE_DANCE,
	EB_MUTANT_CLEAR_UNLOCKED,
	EB_MUTANT_RELEASE_TEST_UNLOCKED,
	EB_MUTANT_CLEAR_UNDER_IO,
	EB_MUTANT_READ_WRITE_ERROR,
	EB_MUTANT_READ_UPTODATE,
	EB_MUTANT_WRITEBACK_NO_IO,
	EB_MUTANT_WRITE_NOT_WRITEBACK,
	EB_MUTANT_IO_PAGES_HIGH,
	EB_MUTANT_END_TWICE,
	EB_MUTANT_WRITEBACK_EARLY,
	EB_MUTANT_FREE_DIRTY,
	EB_MUTANT_FREE_UNDER_IO,
	EB_MUTANT_FREE_IN_TREE,
	EB_MUTANT_FREE_TREE_REF,
	EB_MUTANT_FREE_LOCKED,
	EB_MUTANT_FREE_ON_LIST,
	EB_MUTANT_STALE_LOOKUP,
	EB_MUTANT_PUT_EXTRA,
	EB_MUTANT_LEAK,
	EB_MUTANT_WRITEBACK_NO_TREE_REF,
	EB_MUTANT_SUBMIT_NO_TREE_REF,
	EB_MUTANT_END_NO_TREE_REF,
	EB_MUTANT_LOST_BEFORE_DANCE,
	EB_MUTANT_WRITE_FAILED_FS,
	EB_MUTANT_COPY_ROOT,
	EB_MUTANT_COW_ERROR,
	EB_MUTANT_ALLOC_BLOCK_LOCKED,
	EB_MUTANT_REPLACE_PATH,
	EB_MUTANT_TRY_LOCK,
	EB_MUTANT_CLONE,
	EB_MUTANT_DEL_ITEMS,
	EB_MUTANT_LOG_WALK,
	EB_MUTANT_PUT_FOREIGN,
	EB_MUTANT_COMMIT_ROOT,
	EB_MUTANT_MERGE_RELOC,
	EB_MUTANT_QGROUP_SWAP,
	EB_MUTANT_WORK_ITEM,
	EB_MUTANT_PATH_NODE,
	EB_MUTANT_PUT_PATH_NODE,
	EB_MUTANT_RELOC_NODE,
	EB_MUTANT_PUT_LOCKED,
	EB_MUTANT_FREE_OWNED,
	EB_MUTANT_SPLIT_NODE,
	EB_MUTANT_FREE_BLOCK,
	EB_MUTANT_RELOC_ROOT,
	EB_MUTANT_READING_ALONE,
	EB_MUTANT_READING_UNLOCK,
	EB_MUTANT_NO_RECHECK,
	EB_MUTANT_ATTACH_UNLOCKED,
	EB_MUTANT_ATTACH_LATE,
	EB_MUTANT_DIRTY_UNMARKED,
	EB_MUTANT_TOWRITE_LEFT,
	EB_MUTANT_ZONED_LIST,
	EB_MUTANT_COUNT
};

#ifdef CONFIG_BTRFS_EB_MUTANTS
/* True if @mutant is chosen; counts that the mutated line was reached. */
bool btrfs_eb_mutant(enum eb_mutant mutant);
/* The same, but true only the first time. */
bool btrfs_eb_mutant_once(enum eb_mutant mutant);
/*
 * refs has reached 0 in a state in which btrfs would crash or corrupt: if a
 * mutant did it, give the tree its reference back.  True if it was.
 */
bool btrfs_eb_mutant_heal(struct extent_buffer *eb);
/* Let the put that follows be the last, whoever else holds a reference. */
void btrfs_eb_mutant_strip(struct extent_buffer *eb);
/*
 * The node of a tree of trees that a path is about to give back, held by that
 * tree and its commit root: once, strip it.
 */
void btrfs_eb_mutant_steal(enum eb_mutant mutant, struct extent_buffer *eb);
#else
static inline bool btrfs_eb_mutant(enum eb_mutant mutant)
{
	return false;
}

static inline bool btrfs_eb_mutant_once(enum eb_mutant mutant)
{
	return false;
}

static inline bool btrfs_eb_mutant_heal(struct extent_buffer *eb)
{
	return false;
}

static inline void btrfs_eb_mutant_strip(struct extent_buffer *eb)
{
}

static inline void btrfs_eb_mutant_steal(enum eb_mutant mutant,
					 struct extent_buffer *eb)
{
}
#endif

/* The tree lock looks held for writing; with real-time preemption nobody can see that. */
static inline void btrfs_eb_mutant_lock_word(struct rw_semaphore *lock, bool held)
{
#ifdef RWSEM_WRITER_LOCKED
	if (held)
		atomic_long_or(RWSEM_WRITER_LOCKED, &lock->count);
	else
		atomic_long_andnot(RWSEM_WRITER_LOCKED, &lock->count);
#endif
}

#endif
