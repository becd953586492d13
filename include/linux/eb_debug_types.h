/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vocabulary of the extent buffer guard's door, eb_debug.h: what do the hooks
 * name, and what is kept in a buffer?  Without CONFIG_BTRFS_EB_DEBUG both structs
 * are empty.
 */

#ifndef _LINUX_EB_DEBUG_TYPES_H
#define _LINUX_EB_DEBUG_TYPES_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>

/**
 * enum eb_debug_site - the kind of place in btrfs at which a hook stands
 * @EB_SITE_READ: read of a buffer that covers whole pages
 * @EB_SITE_READ_SUBPAGE: read of a buffer smaller than a page
 * @EB_SITE_READ_END: end of a read
 * @EB_SITE_WRITE: write of a buffer, both page sizes
 * @EB_SITE_WRITE_END: end of a write
 * @EB_SITE_PUT: free_extent_buffer()
 * @EB_SITE_PUT_STALE: free_extent_buffer_stale()
 * @EB_SITE_RELEASE: reclaim of a buffer that covers whole pages
 * @EB_SITE_RELEASE_SUBPAGE: reclaim of a buffer smaller than a page
 * @EB_SITE_LOOKUP: find_extent_buffer()
 * @EB_SITE_TREE: the places that build and end the life of a buffer
 * @EB_SITE_COUNT: how many there are
 *
 * Coverage is counted by site: which rule was judged how often where.
 */
enum eb_debug_site {
	EB_SITE_READ,
	EB_SITE_READ_SUBPAGE,
	EB_SITE_READ_END,
	EB_SITE_WRITE,
	EB_SITE_WRITE_END,
	EB_SITE_PUT,
	EB_SITE_PUT_STALE,
	EB_SITE_RELEASE,
	EB_SITE_RELEASE_SUBPAGE,
	EB_SITE_LOOKUP,
	EB_SITE_TREE,
	EB_SITE_COUNT
};

/**
 * enum eb_debug_kind - what kind of owner holds a reference
 * @EB_KIND_TREE: the tree of buffers, by TREE_REF
 * @EB_KIND_ROOT: root->node
 * @EB_KIND_COMMIT_ROOT: root->commit_root
 * @EB_KIND_RELOC: a node of a backref cache
 * @EB_KIND_ZONED: a list or a work item of zoned file systems
 * @EB_KIND_IRQ: whoever runs outside of a task; gone when the handler returns
 * @EB_KIND_READ: a read, until it ends, on kernels where it has a reference
 * @EB_KIND_TRANS: a transaction handle that keeps writeback away
 * @EB_KIND_STRUCTURES: how many there are of those above, which are no tasks
 * @EB_KIND_NEW: a task, for a buffer that it has allocated
 * @EB_KIND_LOOKUP: a task that has looked the buffer up
 * @EB_KIND_WALK: a task that has taken the root of a tree
 * @EB_KIND_PATH: a btrfs_path of a task
 * @EB_KIND_READAHEAD: a task that starts readahead
 * @EB_KIND_WRITEBACK: a task that writes the buffer
 * @EB_KIND_IO: a task that ends the IO of the buffer
 * @EB_KIND_LOG: a task that walks a log tree
 * @EB_KIND_CLONE: a task, for its private copy of a block
 * @EB_KIND_EXTRA: a task that has taken one more for a moment
 * @EB_KIND_COUNT: how many there are
 *
 * A structure of btrfs is counted in the buffer; whatever a task holds is in the
 * list of that task, since only it can give that back.
 */
enum eb_debug_kind {
	EB_KIND_TREE,
	EB_KIND_ROOT,
	EB_KIND_COMMIT_ROOT,
	EB_KIND_RELOC,
	EB_KIND_ZONED,
	EB_KIND_IRQ,
	EB_KIND_READ,
	EB_KIND_TRANS,
	EB_KIND_STRUCTURES,
	EB_KIND_NEW = EB_KIND_STRUCTURES,
	EB_KIND_LOOKUP,
	EB_KIND_WALK,
	EB_KIND_PATH,
	EB_KIND_READAHEAD,
	EB_KIND_WRITEBACK,
	EB_KIND_IO,
	EB_KIND_LOG,
	EB_KIND_CLONE,
	EB_KIND_EXTRA,
	EB_KIND_COUNT
};

/**
 * enum eb_debug_marks - at which moment the tree of buffers was marked
 * @EB_MARKS_DIRTY: DIRTY was set
 * @EB_MARKS_CLEAN: DIRTY was cleared and no IO follows
 * @EB_MARKS_WRITEBACK: DIRTY was turned into WRITEBACK
 * @EB_MARKS_WRITTEN: WRITEBACK is about to be cleared
 * @EB_MARKS_COUNT: how many there are
 */
enum eb_debug_marks {
	EB_MARKS_DIRTY,
	EB_MARKS_CLEAN,
	EB_MARKS_WRITEBACK,
	EB_MARKS_WRITTEN,
	EB_MARKS_COUNT
};

/**
 * enum eb_debug_refusal - why reclaim did not release a buffer
 * @EB_RELEASED: it did
 * @EB_BUSY: somebody holds a reference, or it is dirty or under IO
 * @EB_NO_TREE_REF: the only reference is not the tree's
 */
enum eb_debug_refusal {
	EB_RELEASED,
	EB_BUSY,
	EB_NO_TREE_REF,
};

/**
 * enum eb_debug_point - where a test can delay, stop or refuse a task of btrfs
 * @EB_POINT_LOOKUP: a buffer is about to be looked up
 * @EB_POINT_NEW_BLOCK: so is the one that becomes a new tree block
 * @EB_POINT_TREE_TRYLOCK: a search is about to try a block's lock for reading
 * @EB_POINT_READ_TRYLOCK: readahead is about to try a lock, of a page or an extent
 * @EB_POINT_READ_START: the IO state of a read is about to be set
 * @EB_POINT_READ_ARMED: it was set, the dance comes next
 * @EB_POINT_READ_DANCED: the dance is over, the read is about to go out
 * @EB_POINT_READ_SENT: all of it is in bios, the last one is submitted next
 * @EB_POINT_READ_END: a page of it was read
 * @EB_POINT_DIRTY: DIRTY is about to be set, the dance is over
 * @EB_POINT_DIRTIED: DIRTY was set
 * @EB_POINT_WRITEBACK: DIRTY was turned into WRITEBACK
 * @EB_POINT_WRITE_ARMED: the IO state of a write was set
 * @EB_POINT_WRITE_DANCED: the write is about to go out
 * @EB_POINT_WRITE_SENT: all of it is in bios, the last one is submitted next
 * @EB_POINT_WRITE_END: a page of it was written
 * @EB_POINT_WRITTEN: WRITEBACK is about to be cleared
 * @EB_POINT_TREE_REF_SET: the slow path of check_buffer_tree_ref() is over
 * @EB_POINT_RELEASE: release_folio found the buffer idle, TREE_REF goes next
 * @EB_POINT_RELEASED: release_folio cleared TREE_REF, its count goes next
 * @EB_POINT_STALE: STALE was set
 * @EB_POINT_PUT: a reference is about to be given back
 * @EB_POINT_LAST_PUT: the count has reached 0
 * @EB_POINT_FREE: the pages are about to be given back
 * @EB_POINT_COUNT: how many there are
 *
 * Kernels without page locks in their reads have no %EB_POINT_READ_TRYLOCK, and
 * those that clear WRITEBACK at the end of the IO itself no %EB_POINT_WRITTEN.
 */
enum eb_debug_point {
	EB_POINT_LOOKUP,
	EB_POINT_NEW_BLOCK,
	EB_POINT_TREE_TRYLOCK,
	EB_POINT_READ_TRYLOCK,
	EB_POINT_READ_START,
	EB_POINT_READ_ARMED,
	EB_POINT_READ_DANCED,
	EB_POINT_READ_SENT,
	EB_POINT_READ_END,
	EB_POINT_DIRTY,
	EB_POINT_DIRTIED,
	EB_POINT_WRITEBACK,
	EB_POINT_WRITE_ARMED,
	EB_POINT_WRITE_DANCED,
	EB_POINT_WRITE_SENT,
	EB_POINT_WRITE_END,
	EB_POINT_WRITTEN,
	EB_POINT_TREE_REF_SET,
	EB_POINT_RELEASE,
	EB_POINT_RELEASED,
	EB_POINT_STALE,
	EB_POINT_PUT,
	EB_POINT_LAST_PUT,
	EB_POINT_FREE,
	EB_POINT_COUNT
};

#ifdef CONFIG_BTRFS_EB_DEBUG

/* In this section under_io was tested, at its start TREE_REF was set. */
#define EB_SECTION_TESTED	1
#define EB_SECTION_TREE_REF	2

/*
 * What the guard knows of one extent buffer: 160 bytes, 1 % of a tree block.
 *
 * Embedded in struct extent_buffer.  The fields fall in groups, each with one
 * writer at a time:
 *
 *  - live, the list of live buffers, under the lock of that list;
 *  - io_*, *_at and wb_*, written by the task that starts the IO, which
 *    page locks, the extent lock or WRITEBACK make the only one; others only
 *    compare the task with themselves, it is never dereferenced;
 *  - reading_*, written by whoever has set READING, who is the only one until it
 *    is cleared;
 *  - section_* and lock_seq, written under refs_lock;
 *  - structures, a counter of eight bits for each kind of owner that is no task,
 *    changed by atomics in any context; kinds[] and taken_when, words of a report;
 *  - history, a ring that anybody may write to.
 *
 * What is older than the last time the guard was turned on carries an old epoch
 * and is never judged.
 */
struct btrfs_eb_debug {
	/* All buffers that were allocated and not yet freed. */
	struct list_head live;
	/* Who armed the IO that is being submitted. */
	const void *io_task;
	/* Who turned DIRTY into WRITEBACK and owes the IO. */
	const void *wb_task;
	/* Who entered the current section under refs_lock. */
	const void *section_task;
	/* References held by structures of btrfs, eight bits a kind. */
	atomic64_t structures;
	/* The root and the transaction this block belongs to, 0 if not known. */
	u64 owner;
	u64 generation;
	/* The last transitions, from level history on. */
	struct eb_history *history;
	/* Where and when, in jiffies, each kind of structure took its last one. */
	struct {
		u32 at;
		u32 when;
	} kinds[EB_KIND_IRQ];
	/* When a read or a transaction handle did, whichever was later. */
	u32 taken_when;
	/* Where the last IO was armed and submitted: low halves of addresses. */
	u32 armed_at;
	u32 submitted_at;
	/* Epochs in which the groups above were written. */
	u32 io_epoch;
	u32 wb_epoch;
	u32 section_epoch;
	/* The epoch in which the buffer was allocated, 0 if not seen. */
	u32 epoch;
	/* Tells this buffer from others that had its memory. */
	u32 serial;
	/* Counts sections under refs_lock: what a lookup of a stale buffer needs. */
	u32 lock_seq;
	/* Counts the moments at which STALE is taken back. */
	u32 stale_seq;
	/* Pages put into bios since the IO was armed. */
	u16 io_submitted;
	/* This IO must dance, and has danced. */
	u8 io_must_dance:1;
	u8 io_danced:1;
	/* The file system was in error before this IO was armed. */
	u8 io_failed_fs:1;
	u8 level;
	/* Of this section: EB_SECTION_TESTED and EB_SECTION_TREE_REF. */
	u8 section;
	/*
	 * This read must look at UPTODATE again, and has looked; it went out.  In a
	 * byte of their own: an end of a write may be on its way.
	 */
	u8 reading_recheck:1;
	u8 reading_tested:1;
	u8 reading_io:1;
	/* Reported once already: one mistake makes one report. */
	bool distrusted;
	/* A reference could not be recorded: owners are not judged any more. */
	bool unrecorded;
};

/*
 * What a lookup remembers between its two hooks.
 *
 * Lives on the stack of the function that looks a buffer up, so that no other
 * task's lookup can be taken for this one.
 */
struct btrfs_eb_token {
	u32 epoch;
	u32 lock_seq;
	u32 stale_seq;
	bool stale;
};

/* What the hooks below tell the core. */
enum eb_debug_event {
	EB_EVENT_ALLOC,
	EB_EVENT_GET,
	EB_EVENT_HOLD,
	EB_EVENT_GIVE,
	EB_EVENT_TAKE,
	EB_EVENT_INSERT,
	EB_EVENT_TREE_REF_SET,
	EB_EVENT_TREE_REF_REPAIR,
	EB_EVENT_TREE_REF_CLEAR,
	EB_EVENT_READING,
	EB_EVENT_READING_CLEAR,
	EB_EVENT_READ_PUT,
	EB_EVENT_IO_START,
	EB_EVENT_IO_ARM,
	EB_EVENT_MUST_DANCE,
	EB_EVENT_IO_DANCE,
	EB_EVENT_IO_SUBMIT,
	EB_EVENT_IO_PAGE,
	EB_EVENT_IO_SENT,
	EB_EVENT_WRITE_OUT,
	EB_EVENT_IO_END,
	EB_EVENT_WRITEBACK,
	EB_EVENT_WRITEBACK_END,
	EB_EVENT_DIRTY,
	EB_EVENT_CLEAN,
	EB_EVENT_STALE,
	EB_EVENT_MARKS,
	EB_EVENT_PRIVATE,
	EB_EVENT_NEW_BLOCK,
	EB_EVENT_LOOKUP,
	EB_EVENT_REFS_LOCK,
	EB_EVENT_UNDER_IO,
	EB_EVENT_PUT,
	EB_EVENT_PUT_LOCKED,
	EB_EVENT_RELEASE_REFUSED,
	EB_EVENT_LAST_PUT,
	EB_EVENT_FREE,
	EB_EVENT_PATH_FREE,
	EB_EVENT_TASK_END,
	EB_EVENT_UNMOUNT,
	EB_EVENT_COUNT
};

#else

struct btrfs_eb_debug {};
struct btrfs_eb_token {};

#endif

#endif
