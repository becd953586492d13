/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door of the extent buffer guard: all that btrfs calls, but for the hooks
 * that run all the time.  Those are in fs/btrfs/eb_debug_fast.h.
 *
 * What may btrfs tell the guard, and what does it cost?  A hook is one line in
 * btrfs.  It tells what has just happened, or is about to happen, to a buffer
 * on which its caller owns a reference.  A hook never changes the buffer, never
 * sleeps but at unmount, never allocates and takes no lock of btrfs, so it can stand under
 * refs_lock and in end_io context.
 *
 * With CONFIG_BTRFS_EB_DEBUG off every hook is nothing, and both structs are
 * empty.  With it on, the guard turned off and no trace event enabled, a hook is
 * one nop; only eb_debug_alloc(), eb_debug_forget() and eb_debug_unmount() always work,
 * since they keep the list of live buffers, which can't be made up later.
 *
 * The rules that are judged behind the hooks, and what a report means, are in
 * Documentation/dev-tools/btrfs-eb-debug.rst.
 */

#ifndef _LINUX_EB_DEBUG_H
#define _LINUX_EB_DEBUG_H

#include <linux/blk_types.h>
#include <linux/bug.h>
#include <linux/eb_debug_types.h>
#include <linux/instruction_pointer.h>
#include <linux/jump_label.h>
#include <linux/sched.h>
#include <linux/spinlock_types.h>
#include <linux/tracepoint-defs.h>
#include <linux/types.h>

struct btrfs_fs_info;
struct btrfs_path;
struct extent_buffer;

#ifdef CONFIG_BTRFS_EB_DEBUG

DECLARE_STATIC_KEY_FALSE(btrfs_eb_debug_key);
/* On while more is wanted than to judge: history, stacks, a trace event. */
DECLARE_STATIC_KEY_FALSE(btrfs_eb_note_key);
/* The hooks in line ask for these by themselves. */
DECLARE_TRACEPOINT(btrfs_eb_step);
DECLARE_TRACEPOINT(btrfs_eb_lookup);

const char *btrfs_eb_debug_event(struct extent_buffer *eb,
				 enum eb_debug_event event,
				 enum eb_debug_site site, int arg);
const char *btrfs_eb_debug_lookup(struct extent_buffer *eb,
				  const struct btrfs_eb_token *token);
const char *btrfs_eb_debug_unmount(struct btrfs_fs_info *fs_info);
const char *btrfs_eb_debug_put(struct extent_buffer *eb,
			       enum eb_debug_site site, unsigned long by);
const char *btrfs_eb_debug_path_free(const struct btrfs_path *path);
const char *btrfs_eb_debug_task_end(void);
const char *btrfs_eb_debug_release_refused(struct extent_buffer *eb,
					   enum eb_debug_site site,
					   enum eb_debug_refusal why);
const char *btrfs_eb_debug_private(struct extent_buffer *eb,
				   const spinlock_t *lock);
void btrfs_eb_debug_looked_up(const struct extent_buffer *eb);
void btrfs_eb_debug_said(void);
void btrfs_eb_debug_refs_lock(struct extent_buffer *eb);
void btrfs_eb_debug_get(struct extent_buffer *eb, enum eb_debug_kind kind,
			unsigned long ip);
void btrfs_eb_debug_get_node(struct extent_buffer *eb,
			     const struct btrfs_path *path);
void btrfs_eb_debug_hand_out(struct extent_buffer *eb, enum eb_debug_kind kind,
			     unsigned long ip);
void btrfs_eb_debug_give(struct extent_buffer *eb, enum eb_debug_kind kind,
			 unsigned long ip);
void btrfs_eb_debug_take(struct extent_buffer *eb, enum eb_debug_kind kind,
			 unsigned long ip);
void btrfs_eb_debug_path(const struct btrfs_path *path, unsigned long ip);
void btrfs_eb_debug_path_release(const struct btrfs_path *path);
void btrfs_eb_debug_extra(void);
void btrfs_eb_debug_lookup_stale(struct extent_buffer *eb,
				 struct btrfs_eb_token *token);
void btrfs_eb_debug_describe(struct extent_buffer *eb, u64 owner,
			     u64 generation, int level);
void btrfs_eb_debug_dirty(struct extent_buffer *eb);
void btrfs_eb_debug_mark(struct extent_buffer *eb, enum eb_debug_event event);
void btrfs_eb_debug_alloc(struct extent_buffer *eb, unsigned long ip);
void btrfs_eb_debug_forget(struct extent_buffer *eb);
void btrfs_eb_debug_mount(void);
void btrfs_eb_debug_init(void);
void btrfs_eb_debug_exit(void);

/*
 * The WARN stands in the hook, so that its first line names the function of
 * btrfs which the hook is in, and not one of ours.  Owners and history were printed
 * before: with panic_on_warn nothing comes after.
 */
static __always_inline void eb_debug_say(const char *report)
{
	if (likely(!report))
		return;
	WARN(1, "%s", report);
	btrfs_eb_debug_said();
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

#define eb_debug_note(eb, event, site, arg)	do { } while (0)

#endif

/*
 * Points: where a test can delay a task, stop it until another one has come to
 * some other point, or let it fail.  They are in the hooks above and below, whether
 * the guard is on or off, and in hooks of their own where there is nothing else to
 * tell.  Without CONFIG_BTRFS_EB_DEBUG_POINTS there are none, and with it each is a
 * nop while none is asked for.
 */
#ifdef CONFIG_BTRFS_EB_DEBUG_POINTS

DECLARE_STATIC_KEY_FALSE(btrfs_eb_point_key);
bool btrfs_eb_debug_point(const struct btrfs_fs_info *fs_info, u64 start,
			  const struct extent_buffer *eb,
			  enum eb_debug_point point);
bool btrfs_eb_debug_point_of(const struct extent_buffer *eb,
			     enum eb_debug_point point);

/**
 * eb_debug_point - a task has come to a point
 * @eb: the buffer, on which it owns a reference, or holds refs_lock
 * @point: where
 *
 * Context: as the table in fs/btrfs/eb_debug_points.c says of the point.
 */
static __always_inline void eb_debug_point(const struct extent_buffer *eb,
					   enum eb_debug_point point)
{
	if (static_branch_unlikely(&btrfs_eb_point_key))
		btrfs_eb_debug_point_of(eb, point);
}

/**
 * eb_debug_point_at - a task has come to a point, and has no buffer yet
 * @fs_info: the file system
 * @start: logical address of the buffer that it will look up
 * @point: where
 *
 * Context: may sleep.
 */
static __always_inline void eb_debug_point_at(const struct btrfs_fs_info *fs_info,
					      u64 start,
					      enum eb_debug_point point)
{
	if (static_branch_unlikely(&btrfs_eb_point_key))
		btrfs_eb_debug_point(fs_info, start, NULL, point);
}

/**
 * eb_debug_point_else - a task has come to a point at which it may be refused
 * @eb: the buffer, on which it owns a reference
 * @point: where
 * @action: the statement for a task that must do as if it had not got what it is
 *	about to try
 *
 * Context: may sleep.
 */
#define eb_debug_point_else(eb, point, action)				\
	do {								\
		if (static_branch_unlikely(&btrfs_eb_point_key) &&	\
		    btrfs_eb_debug_point_of(eb, point))			\
			action;						\
	} while (0)

#else

#define eb_debug_point(eb, point)		do { } while (0)
#define eb_debug_point_at(fs_info, start, point) do { } while (0)
#define eb_debug_point_else(eb, point, action)	do { } while (0)

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
 * Context: process context, no lock held; alone of all hooks it may sleep.
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
static __always_inline void eb_debug_alloc(struct extent_buffer *eb)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	btrfs_eb_debug_alloc(eb, _RET_IP_);
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
 * eb_debug_tree_ref_set - end of the section that sets TREE_REF if it was clear
 * @eb: the buffer
 *
 * Context: refs_lock.
 */
static __always_inline void eb_debug_tree_ref_set(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_TREE_REF_SET, EB_SITE_TREE, 0);
	eb_debug_point(eb, EB_POINT_TREE_REF_SET);
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
#ifdef CONFIG_BTRFS_EB_DEBUG
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_mark(eb, EB_EVENT_IO_START);
#endif
	eb_debug_point(eb, EB_POINT_READ_START);
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
	eb_debug_point(eb, site == EB_SITE_WRITE ? EB_POINT_WRITE_ARMED :
						   EB_POINT_READ_ARMED);
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
		btrfs_eb_debug_mark(eb, EB_EVENT_MUST_DANCE);
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
	eb_debug_point(eb, site == EB_SITE_WRITE ? EB_POINT_WRITE_DANCED :
						   EB_POINT_READ_DANCED);
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
#ifdef CONFIG_BTRFS_EB_DEBUG
	if (static_branch_unlikely(&btrfs_eb_debug_key) && !ret)
		btrfs_eb_debug_mark(eb, EB_EVENT_IO_PAGE);
#endif
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
	eb_debug_point(eb, site == EB_SITE_WRITE ? EB_POINT_WRITE_SENT :
						   EB_POINT_READ_SENT);
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
	eb_debug_point(eb, site == EB_SITE_WRITE_END ? EB_POINT_WRITE_END :
						       EB_POINT_READ_END);
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
	eb_debug_point(eb, EB_POINT_WRITEBACK);
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
	eb_debug_point(eb, EB_POINT_WRITTEN);
}

/**
 * eb_debug_dirty - DIRTY was set
 * @eb: the buffer
 *
 * Happens with each change of a block, and nothing is judged by it.
 *
 * Context: tree write lock.
 */
static __always_inline void eb_debug_dirty(struct extent_buffer *eb)
{
#ifdef CONFIG_BTRFS_EB_DEBUG
	if (static_branch_unlikely(&btrfs_eb_note_key))
		btrfs_eb_debug_dirty(eb);
#endif
	eb_debug_point(eb, EB_POINT_DIRTIED);
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
	eb_debug_point(eb, EB_POINT_STALE);
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
	if (!static_branch_unlikely(&btrfs_eb_debug_key))
		return;
	if (tracepoint_enabled(btrfs_eb_lookup))
		btrfs_eb_debug_looked_up(eb);
	if (unlikely(token->epoch))
		eb_debug_say(btrfs_eb_debug_lookup(eb, token));
#endif
}

/*
 * From here on stubs are no inlines: an argument that is not even read leaves
 * nothing behind by which the compiler might order its operands differently.
 */
#ifdef CONFIG_BTRFS_EB_DEBUG

/**
 * eb_debug_tested - somebody asks whether the buffer is dirty or under IO
 * @rec: the buffer's record
 *
 * Means something only to the task that has opened a section, and counts if that
 * is of this epoch.
 *
 * Context: any.
 */
static __always_inline void eb_debug_tested(const struct btrfs_eb_debug *rec)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key) &&
	    READ_ONCE(rec->section_task) == current)
		((struct btrfs_eb_debug *)rec)->section |= EB_SECTION_TESTED;
}

/**
 * eb_debug_uptodate - somebody asks whether the buffer is UPTODATE
 * @rec: the buffer's record
 *
 * Means something only to the task that has set READING.
 *
 * Context: any.
 */
static __always_inline void eb_debug_uptodate(const struct btrfs_eb_debug *rec)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key) &&
	    unlikely(READ_ONCE(rec->io_task) == current))
		((struct btrfs_eb_debug *)rec)->reading_tested = true;
}

/**
 * eb_debug_reading - this task has set READING, which was clear
 * @eb: the buffer
 *
 * For kernels on which a read must look at UPTODATE again after that.
 *
 * Context: same task as eb_debug_io_arm().
 */
static __always_inline void eb_debug_reading(struct extent_buffer *eb)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_mark(eb, EB_EVENT_READING);
}

/**
 * eb_debug_reading_clear - READING is about to be cleared
 * @eb: the buffer
 *
 * For kernels on which a read ends in one section under refs_lock.
 *
 * Context: any.
 */
static __always_inline void eb_debug_reading_clear(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_READING_CLEAR, EB_SITE_READ_END, 0);
}

/**
 * eb_debug_read_put - the reference of a read is about to be dropped
 * @eb: the buffer
 * @cleared: READING was cleared just before that
 *
 * Context: as eb_debug_reading_clear(); nothing if @cleared is false.
 */
static __always_inline void eb_debug_read_put(struct extent_buffer *eb,
					      bool cleared)
{
	if (cleared)
		eb_debug_note(eb, EB_EVENT_READ_PUT, EB_SITE_READ_END, 0);
}

/**
 * eb_debug_write_out - the bio of a write is about to be submitted
 * @eb: the buffer
 *
 * For kernels that don't do so once the file system is in error.
 *
 * Context: same task as eb_debug_io_arm(), the last hook before the submission.
 */
static __always_inline void eb_debug_write_out(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_WRITE_OUT, EB_SITE_WRITE, 0);
}

/**
 * eb_debug_marks - the tree of buffers was marked
 * @eb: the buffer
 * @site: write, its end, or neither
 * @when: what was marked
 *
 * For kernels on which the tree of buffers has marks.
 *
 * Context: tree write lock, or whoever ends WRITEBACK.
 */
static __always_inline void eb_debug_marks(struct extent_buffer *eb,
					   enum eb_debug_site site,
					   enum eb_debug_marks when)
{
	eb_debug_note(eb, EB_EVENT_MARKS, site, when);
}

/**
 * eb_debug_private - a page of the buffer got it as its private, or has lost it
 * @eb: the buffer, in the tree of buffers or on its way
 * @lock: what must be held: the private_lock of the mapping
 *
 * Context: any.
 */
static __always_inline void eb_debug_private(const struct extent_buffer *eb,
					     const spinlock_t *lock)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		eb_debug_say(btrfs_eb_debug_private((struct extent_buffer *)eb,
						    lock));
}

/**
 * eb_debug_get - this function took a reference
 * @eb: the buffer
 * @kind: who holds it
 *
 * Context: any; right after the count was raised.
 */
static __always_inline void eb_debug_get(struct extent_buffer *eb,
					 enum eb_debug_kind kind)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_get(eb, kind, 0);
}

/**
 * eb_debug_get_node - this function took a reference for a node of a path
 * @eb: the buffer
 * @path: the path
 *
 * Context: the task that uses the path; right after the count was raised.
 */
static __always_inline void eb_debug_get_node(struct extent_buffer *eb,
					      const struct btrfs_path *path)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_get_node(eb, path);
}

/**
 * eb_debug_extra - what is given back next was taken as EB_KIND_EXTRA
 *
 * The task holds the same buffer for another purpose, and keeps that.
 *
 * Context: the task that holds it, right before the put.
 */
static __always_inline void eb_debug_extra(void)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_extra();
}

/**
 * eb_debug_hold - a reference that a helper took is this function's
 * @eb: the buffer
 * @kind: who holds it from now on
 *
 * Context: the task that holds it.
 */
static __always_inline void eb_debug_hold(struct extent_buffer *eb,
					  enum eb_debug_kind kind)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_hand_out(eb, kind, 0);
}

/**
 * eb_debug_hand_out - this function returns a reference to its caller
 * @eb: the buffer
 * @kind: who holds it from now on
 *
 * Stands on the way on which that succeeds.  A reference that is lost on another
 * way still belongs to this function then, and that is whom a report names.
 *
 * Context: the task that holds it.
 */
static __always_inline void eb_debug_hand_out(struct extent_buffer *eb,
					      enum eb_debug_kind kind)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_hand_out(eb, kind, _RET_IP_);
}

/**
 * eb_debug_give - this task hands a reference over to a structure
 * @eb: the buffer
 * @kind: the kind of structure, below EB_KIND_STRUCTURES
 *
 * Context: any; after the structure points to the buffer.
 */
static __always_inline void eb_debug_give(struct extent_buffer *eb,
					  enum eb_debug_kind kind)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_give(eb, kind, 0);
}

/**
 * eb_debug_take - this task takes the reference of a structure, to give it back
 * @eb: the buffer, or NULL
 * @kind: the kind of structure, below EB_KIND_STRUCTURES
 *
 * Context: any; before the put.
 */
static __always_inline void eb_debug_take(struct extent_buffer *eb,
					  enum eb_debug_kind kind)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_take(eb, kind, 0);
}

/**
 * eb_debug_work_end - this task is done with a piece of work
 *
 * It must not hold a reference.  A task of user space is looked at when it
 * returns there, without a hook.
 *
 * Context: the end of a btrfs_work, or of a round of a kernel thread.
 */
static __always_inline void eb_debug_work_end(void)
{
	const char *report;

	if (!static_branch_unlikely(&btrfs_eb_debug_key))
		return;
	while ((report = btrfs_eb_debug_task_end()))
		eb_debug_say(report);
}

#else

#define eb_debug_tested(rec)		do { } while (0)
#define eb_debug_uptodate(rec)		do { } while (0)
#define eb_debug_reading(eb)		do { } while (0)
#define eb_debug_reading_clear(eb)	do { } while (0)
#define eb_debug_read_put(eb, cleared)	do { } while (0)
#define eb_debug_write_out(eb)		do { } while (0)
#define eb_debug_marks(eb, site, when)	do { } while (0)
#define eb_debug_private(eb, lock)	do { } while (0)
#define eb_debug_get(eb, kind)		do { } while (0)
#define eb_debug_get_node(eb, path)	do { } while (0)
#define eb_debug_extra()		do { } while (0)
#define eb_debug_hold(eb, kind)		do { } while (0)
#define eb_debug_hand_out(eb, kind)	do { } while (0)
#define eb_debug_give(eb, kind)		do { } while (0)
#define eb_debug_take(eb, kind)		do { } while (0)
#define eb_debug_work_end()		do { } while (0)

#endif

/**
 * eb_debug_last_put - the count has reached 0
 * @eb: the buffer
 *
 * Context: refs_lock; nobody can take a reference any more.
 */
static __always_inline void eb_debug_last_put(struct extent_buffer *eb)
{
	eb_debug_note(eb, EB_EVENT_LAST_PUT, EB_SITE_TREE, 0);
	eb_debug_point(eb, EB_POINT_LAST_PUT);
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
	eb_debug_point(eb, EB_POINT_FREE);
}

#endif
