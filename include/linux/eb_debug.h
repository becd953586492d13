/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door of the extent buffer guard: all that btrfs calls.
 *
 * What may btrfs tell the guard, and what does it cost?  A hook is one line in
 * btrfs.  It tells what has just happened, or is about to happen, to a buffer
 * on which its caller owns a reference.  A hook never changes the buffer, never
 * sleeps, never allocates and takes no lock of btrfs, so it can stand under
 * refs_lock and in end_io context.
 *
 * With CONFIG_BTRFS_EB_DEBUG off every hook is an empty inline and both structs
 * are empty.  With it on and the guard turned off, a hook is one nop; only
 * eb_debug_alloc(), eb_debug_forget() and eb_debug_unmount() always work, since
 * they keep the list of live buffers, which can't be made up later.
 *
 * The rules that are judged behind the hooks, and what a report means, are in
 * Documentation/dev-tools/btrfs-eb-debug.rst.
 */

#ifndef _LINUX_EB_DEBUG_H
#define _LINUX_EB_DEBUG_H

#include <linux/blk_types.h>
#include <linux/bug.h>
#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/types.h>

struct btrfs_fs_info;
struct extent_buffer;

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
 * enum eb_debug_refusal - why reclaim did not release a buffer
 * @EB_BUSY: somebody holds a reference, or it is dirty or under IO
 * @EB_NO_TREE_REF: the only reference is not the tree's
 */
enum eb_debug_refusal {
	EB_BUSY = 1,
	EB_NO_TREE_REF,
};

#ifdef CONFIG_BTRFS_EB_DEBUG

/* How many of a buffer's last transitions are kept; a power of two. */
#define BTRFS_EB_HISTORY	8

/*
 * What the guard knows of one extent buffer.
 *
 * Embedded in struct extent_buffer, last.  The fields fall in four groups, each
 * with one writer at a time:
 *
 *  - live, the list of live buffers, under the lock of that list;
 *  - io_*, *_at and wb_*, written by the task that starts the IO, which
 *    page locks, the extent lock or WRITEBACK make the only one; others only
 *    compare the task with themselves, it is never dereferenced;
 *  - section_* and lock_seq, written under refs_lock;
 *  - the history, a ring of words that anybody may write.
 *
 * What is older than the last time the guard was turned on carries an old epoch
 * and is never judged.
 */
struct btrfs_eb_debug {
	/* All buffers that were allocated and not yet freed. */
	struct list_head live;
	/* Who armed the IO that is being submitted. */
	const void *io_task;
	/* Where the last IO was armed and submitted: low halves of addresses. */
	u32 armed_at;
	u32 submitted_at;
	/* Who turned DIRTY into WRITEBACK and owes the IO. */
	const void *wb_task;
	/* Who entered the current section under refs_lock. */
	const void *section_task;
	/* The root and the transaction this block belongs to, 0 if not known. */
	u64 owner;
	u64 generation;
	/* Epochs in which the three groups above were written. */
	u32 io_epoch;
	u32 wb_epoch;
	u32 section_epoch;
	/* Counts sections under refs_lock: what a lookup of a stale buffer needs. */
	u32 lock_seq;
	/* Counts the moments at which STALE is taken back. */
	u32 stale_seq;
	/* Pages put into bios since the IO was armed. */
	u16 io_submitted;
	/* This IO must dance, and has danced. */
	bool io_must_dance;
	bool io_danced;
	/* In this section: under_io was tested, TREE_REF was set at its start. */
	bool section_tested;
	bool section_tree_ref;
	/* Reported once already: one mistake makes one report. */
	bool distrusted;
	u8 level;
	atomic_t history_next;
	u64 history[BTRFS_EB_HISTORY];
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
	EB_EVENT_INSERT,
	EB_EVENT_TREE_REF_SET,
	EB_EVENT_TREE_REF_REPAIR,
	EB_EVENT_TREE_REF_CLEAR,
	EB_EVENT_IO_START,
	EB_EVENT_IO_ARM,
	EB_EVENT_IO_DANCE,
	EB_EVENT_IO_SUBMIT,
	EB_EVENT_IO_PAGE,
	EB_EVENT_IO_SENT,
	EB_EVENT_IO_END,
	EB_EVENT_WRITEBACK,
	EB_EVENT_WRITEBACK_END,
	EB_EVENT_DIRTY,
	EB_EVENT_CLEAN,
	EB_EVENT_STALE,
	EB_EVENT_NEW_BLOCK,
	EB_EVENT_LOOKUP,
	EB_EVENT_REFS_LOCK,
	EB_EVENT_UNDER_IO,
	EB_EVENT_PUT,
	EB_EVENT_PUT_LOCKED,
	EB_EVENT_RELEASE_REFUSED,
	EB_EVENT_LAST_PUT,
	EB_EVENT_FREE,
	EB_EVENT_UNMOUNT,
	EB_EVENT_COUNT
};

struct btrfs_eb_verdict;

DECLARE_STATIC_KEY_FALSE(btrfs_eb_debug_key);

struct btrfs_eb_verdict *btrfs_eb_debug_event(struct extent_buffer *eb,
					      enum eb_debug_event event,
					      enum eb_debug_site site, int arg);
struct btrfs_eb_verdict *btrfs_eb_debug_lookup(struct extent_buffer *eb,
					       const struct btrfs_eb_token *token);
struct btrfs_eb_verdict *btrfs_eb_debug_unmount(struct btrfs_fs_info *fs_info);
void btrfs_eb_debug_lookup_begin(struct extent_buffer *eb,
				 struct btrfs_eb_token *token);
void btrfs_eb_debug_describe(struct extent_buffer *eb, u64 owner,
			     u64 generation, int level);
void btrfs_eb_debug_must_dance(struct extent_buffer *eb);
void btrfs_eb_debug_alloc(struct extent_buffer *eb);
void btrfs_eb_debug_forget(struct extent_buffer *eb);
void btrfs_eb_debug_mount(void);
void btrfs_eb_debug_init(void);
void btrfs_eb_debug_exit(void);
const char *btrfs_eb_verdict_title(const struct btrfs_eb_verdict *verdict);
const char *btrfs_eb_verdict_function(const struct btrfs_eb_verdict *verdict);
const char *btrfs_eb_verdict_facts(const struct btrfs_eb_verdict *verdict);
void btrfs_eb_verdict_history(const struct btrfs_eb_verdict *verdict);
void btrfs_eb_verdict_done(struct btrfs_eb_verdict *verdict);

/*
 * The WARN stands in the hook, so that its first line names the function of
 * btrfs which the hook is in, and not one of ours.  The history comes before it:
 * with panic_on_warn nothing comes after.
 */
static __always_inline void eb_debug_say(struct btrfs_eb_verdict *verdict)
{
	if (likely(!verdict))
		return;
	btrfs_eb_verdict_history(verdict);
	WARN(1, "BTRFS eb_debug: %s in %s\nBTRFS eb_debug: %s\n",
	     btrfs_eb_verdict_title(verdict), btrfs_eb_verdict_function(verdict),
	     btrfs_eb_verdict_facts(verdict));
	btrfs_eb_verdict_done(verdict);
}

static __always_inline void eb_debug_note(const struct extent_buffer *eb,
					  enum eb_debug_event event,
					  enum eb_debug_site site, int arg)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		eb_debug_say(btrfs_eb_debug_event((struct extent_buffer *)eb,
						  event, site, arg));
}

#else

struct btrfs_eb_debug {};
struct btrfs_eb_token {};

#define eb_debug_note(eb, event, site, arg)	do { } while (0)

#endif

/**
 * eb_debug_init - make the guard ready, at load of btrfs
 *
 * Turns the guard on unless btrfs.eb_debug= says no.  What can't be set up
 * leaves the guard off, with a message; btrfs is not told.
 *
 * Context: process context, may sleep.
 */
static inline void eb_debug_init(void)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	btrfs_eb_debug_init();
#endif
}

/**
 * eb_debug_exit - undo eb_debug_init(), at unload of btrfs
 *
 * Context: process context, may sleep.
 */
static inline void eb_debug_exit(void)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	btrfs_eb_debug_exit();
#endif
}

/**
 * eb_debug_mount - a file system is about to be read for the first time
 *
 * Lets every rule report once more.
 *
 * Context: any.
 */
static inline void eb_debug_mount(void)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_mount();
#endif
}

/**
 * eb_debug_unmount - a file system's last buffer must be gone
 * @fs_info: the file system; its super block copy is still there
 *
 * Reports the buffers that are left and forgets them.
 *
 * Context: process context, no lock held.
 */
static __always_inline void eb_debug_unmount(struct btrfs_fs_info *fs_info)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	eb_debug_say(btrfs_eb_debug_unmount(fs_info));
#endif
}

/**
 * eb_debug_alloc - a buffer was allocated and holds its first reference
 * @eb: the buffer
 *
 * Context: any.  Works with the guard turned off too.
 */
static inline void eb_debug_alloc(struct extent_buffer *eb)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	btrfs_eb_debug_alloc(eb);
#endif
}

/**
 * eb_debug_forget - the memory of a buffer is about to be freed
 * @eb: the buffer
 *
 * Context: any.  Works with the guard turned off too.
 */
static inline void eb_debug_forget(struct extent_buffer *eb)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	btrfs_eb_debug_forget(eb);
#endif
}

/**
 * eb_debug_insert - a buffer is in the tree of buffers
 * @eb: the buffer
 * @owner: objectid of the root it was asked for, 0 if not known
 * @level: level it was asked for
 *
 * Context: any.
 */
static __always_inline void eb_debug_insert(struct extent_buffer *eb,
					    u64 owner, int level)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_describe(eb, owner, 0, level);
#endif
	eb_debug_note(eb, EB_EVENT_INSERT, EB_SITE_TREE, 0);
}

/**
 * eb_debug_expect - a buffer is asked for by a parent or a root item
 * @eb: the buffer
 * @generation: the generation that the pointer says, 0 if not known
 * @level: the level that the pointer says
 *
 * What a report tells of a block comes from here, never from its pages.
 *
 * Context: any.
 */
static inline void eb_debug_expect(struct extent_buffer *eb, u64 generation,
				   int level)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_describe(eb, 0, generation, level);
#endif
}

/**
 * eb_debug_new_block - a buffer becomes a new tree block, STALE is taken back
 * @eb: the buffer
 * @generation: the running transaction
 * @owner: objectid of the root
 * @level: level of the block
 *
 * Stands before STALE is cleared: what pairs with it is the second look of
 * eb_debug_lookup_end().
 *
 * Context: tree write lock.
 */
static __always_inline void eb_debug_new_block(struct extent_buffer *eb,
					       u64 generation, u64 owner,
					       int level)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_describe(eb, owner, generation, level);
#endif
	eb_debug_note(eb, EB_EVENT_NEW_BLOCK, EB_SITE_TREE, 0);
}

/**
 * eb_debug_dance - check_buffer_tree_ref() runs
 * @eb: the buffer
 *
 * Stands in check_buffer_tree_ref() itself, before its unlocked fast path, so
 * that the rule is bound to the call and not to a line beside it.
 *
 * Context: any; counts for the IO that this very task has armed.
 */
static __always_inline void eb_debug_dance(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_IO_DANCE, EB_SITE_TREE, 0);
}

/**
 * eb_debug_refs_lock - refs_lock was taken in order to change TREE_REF
 * @eb: the buffer
 *
 * Opens a section: what is tested before it does not count.
 *
 * Context: right after spin_lock(&eb->refs_lock).
 */
static __always_inline void eb_debug_refs_lock(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_REFS_LOCK, EB_SITE_TREE, 0);
}

/**
 * eb_debug_under_io - somebody asks whether the buffer is dirty or under IO
 * @eb: the buffer
 *
 * Context: any.
 */
static __always_inline void eb_debug_under_io(const struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_UNDER_IO, EB_SITE_TREE, 0);
}

/**
 * eb_debug_tree_ref_set - end of the section that sets TREE_REF if it was clear
 * @eb: the buffer
 *
 * Context: refs_lock.
 */
static __always_inline void eb_debug_tree_ref_set(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_TREE_REF_SET, EB_SITE_TREE, 0);
}

/**
 * eb_debug_tree_ref_clear - TREE_REF may have been cleared in this section
 * @eb: the buffer
 * @site: which of the places that clear it
 *
 * Judged only if TREE_REF really went from 1 to 0 since eb_debug_refs_lock() or
 * eb_debug_put_locked().
 *
 * Context: refs_lock, after the test and clear.
 */
static __always_inline void eb_debug_tree_ref_clear(struct extent_buffer *eb,
						    enum eb_debug_site site)
{
	eb_debug_note(eb, EB_EVENT_TREE_REF_CLEAR, site, 0);
}

/**
 * eb_debug_release_refused - reclaim leaves the buffer alone
 * @eb: the buffer
 * @site: whole pages or subpage
 * @why: the reason
 *
 * Context: refs_lock.
 */
static __always_inline void eb_debug_release_refused(struct extent_buffer *eb,
						     enum eb_debug_site site,
						     enum eb_debug_refusal why)
{
	eb_debug_note(eb, EB_EVENT_RELEASE_REFUSED, site, why);
}

/**
 * eb_debug_io_start - this task is about to arm a read
 * @eb: the buffer
 *
 * Stands before the IO state is set, so that a task whose own read has failed
 * and is being accounted for can tell that the state is another one's.
 *
 * Context: same task as eb_debug_io_arm().
 */
static __always_inline void eb_debug_io_start(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_IO_START, EB_SITE_READ, 0);
}

/**
 * eb_debug_io_arm - the IO state was set: io_pages on kernels that have it
 * @eb: the buffer
 * @site: read or write
 *
 * Context: the task that will submit this IO; the buffer can't be armed by
 * anybody else until the IO ends.
 */
static __always_inline void eb_debug_io_arm(struct extent_buffer *eb,
					    enum eb_debug_site site)
{
	eb_debug_note(eb, EB_EVENT_IO_ARM, site, 0);
}

/**
 * eb_debug_must_dance - this write runs check_buffer_tree_ref() by rule
 * @eb: the buffer
 *
 * A read always must.  A write must where the write side dance is applied; this
 * hook comes with it.
 *
 * Context: after eb_debug_io_arm(), same task.
 */
static inline void eb_debug_must_dance(struct extent_buffer *eb)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_must_dance(eb);
#endif
}

/**
 * eb_debug_io_submit - the first page of this IO is about to go into a bio
 * @eb: the buffer
 * @site: read or write
 *
 * Context: same task as eb_debug_io_arm(), after the dance.
 */
static __always_inline void eb_debug_io_submit(struct extent_buffer *eb,
					       enum eb_debug_site site)
{
	eb_debug_note(eb, EB_EVENT_IO_SUBMIT, site, 0);
}

/**
 * eb_debug_io_page - a page of this IO went into a bio, or failed to
 * @eb: the buffer
 * @ret: what the submission of the page returned, 0 or a negative errno
 *
 * Context: same task as eb_debug_io_arm().
 */
static __always_inline void eb_debug_io_page(struct extent_buffer *eb, int ret)
{
	eb_debug_note(eb, EB_EVENT_IO_PAGE, EB_SITE_TREE, ret);
}

/**
 * eb_debug_io_sent - all pages were tried, failed ones are accounted for
 * @eb: the buffer
 * @site: read or write
 *
 * Context: same task as eb_debug_io_arm(), which still owns a reference.
 */
static __always_inline void eb_debug_io_sent(struct extent_buffer *eb,
					     enum eb_debug_site site)
{
	eb_debug_note(eb, EB_EVENT_IO_SENT, site, 0);
}

/**
 * eb_debug_io_end - the IO of one page has ended
 * @eb: the buffer
 * @site: read or write
 * @status: how it ended
 *
 * Stands before io_pages is decremented: after that the buffer may be gone.
 *
 * Context: any, irq included.
 */
static __always_inline void eb_debug_io_end(struct extent_buffer *eb,
					    enum eb_debug_site site,
					    blk_status_t status)
{
	eb_debug_note(eb, EB_EVENT_IO_END, site, (__force int)status);
}

/**
 * eb_debug_writeback - DIRTY was turned into WRITEBACK
 * @eb: the buffer
 *
 * Context: tree write lock and refs_lock, the caller owns a reference.
 */
static __always_inline void eb_debug_writeback(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_WRITEBACK, EB_SITE_WRITE, 0);
}

/**
 * eb_debug_writeback_end - WRITEBACK is about to be cleared
 * @eb: the buffer
 *
 * Context: any, irq included.
 */
static __always_inline void eb_debug_writeback_end(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_WRITEBACK_END, EB_SITE_WRITE_END, 0);
}

/**
 * eb_debug_dirty - DIRTY was set
 * @eb: the buffer
 *
 * Context: tree write lock.
 */
static __always_inline void eb_debug_dirty(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_DIRTY, EB_SITE_TREE, 0);
}

/**
 * eb_debug_clean - DIRTY was cleared and no IO follows
 * @eb: the buffer
 *
 * Context: tree write lock.
 */
static __always_inline void eb_debug_clean(const struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_CLEAN, EB_SITE_TREE, 0);
}

/**
 * eb_debug_stale - STALE was set
 * @eb: the buffer
 *
 * Context: refs_lock.
 */
static __always_inline void eb_debug_stale(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_STALE, EB_SITE_PUT_STALE, 0);
}

/**
 * eb_debug_lookup_begin - a lookup took its reference
 * @eb: the buffer
 * @token: of the function that looks it up
 *
 * Context: before that function tests STALE.
 */
static inline void eb_debug_lookup_begin(struct extent_buffer *eb,
					 struct btrfs_eb_token *token)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	token->epoch = 0;
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_lookup_begin(eb, token);
#endif
}

/**
 * eb_debug_lookup_end - a lookup is about to hand the buffer out
 * @eb: the buffer
 * @token: the same
 *
 * Context: after the function has waited for refs_lock if STALE was set.
 */
static __always_inline void eb_debug_lookup_end(struct extent_buffer *eb,
						const struct btrfs_eb_token *token)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		eb_debug_say(btrfs_eb_debug_lookup(eb, token));
#endif
}

/**
 * eb_debug_put - a reference is about to be given back
 * @eb: the buffer
 * @site: which function gives it back
 *
 * Context: any.  The last hook in which that reference may be relied on.
 */
static __always_inline void eb_debug_put(struct extent_buffer *eb,
					 enum eb_debug_site site)
{
	eb_debug_note(eb, EB_EVENT_PUT, site, 0);
}

/**
 * eb_debug_put_locked - the same, on the slow path
 * @eb: the buffer
 * @site: which function gives it back
 *
 * Here TREE_REF and the count agree, and a section opens as in
 * eb_debug_refs_lock().
 *
 * Context: right after spin_lock(&eb->refs_lock).
 */
static __always_inline void eb_debug_put_locked(struct extent_buffer *eb,
						enum eb_debug_site site)
{
	eb_debug_note(eb, EB_EVENT_PUT_LOCKED, site, 0);
}

/**
 * eb_debug_last_put - the count has reached 0
 * @eb: the buffer
 *
 * Context: refs_lock; nobody can take a reference any more.
 */
static __always_inline void eb_debug_last_put(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_LAST_PUT, EB_SITE_TREE, 0);
}

/**
 * eb_debug_free - the pages of the buffer are about to be given back
 * @eb: the buffer
 *
 * Context: no lock; the buffer must be out of the tree of buffers.
 */
static __always_inline void eb_debug_free(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_FREE, EB_SITE_TREE, 0);
}

#endif
