// SPDX-License-Identifier: GPL-2.0
/*
 * The live buffers of the extent buffer guard: which are there, and which are
 * left when their file system goes?
 *
 * The list is kept also while the guard is off, since it can't be made up later.
 * Nothing here judges or prints to the console.
 */

#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"

/* Buffers that are passed at most while the lock is held. */
#define EB_STRIDE	64

/*
 * All live buffers, oldest first, and between them the marks up to which readers
 * of debugfs and unmounts have come.
 */
static struct {
	/*
	 * Protects both lists; the buffers on the first are not freed.  Interrupts are off
	 * and no other lock is taken below it.  It is taken wherever a buffer comes or
	 * goes, so that lockdep would need a chain for each row of tree locks and others
	 * that btrfs has there; it is not told.
	 */
	arch_spinlock_t lock;
	struct list_head list;
	struct list_head marks;
	unsigned long nr;
	/*
	 * A buffer was freed that a task holds, or left behind by an unmount: a task may
	 * have the address of nothing, or of a buffer without file system.
	 */
	bool gone_held;
} eb_live = {
	.lock = __ARCH_SPIN_LOCK_UNLOCKED,
	.list = LIST_HEAD_INIT(eb_live.list),
	.marks = LIST_HEAD_INIT(eb_live.marks),
};

static unsigned long live_lock(void)
{
	unsigned long flags;

	local_irq_save(flags);
	arch_spin_lock(&eb_live.lock);
	return flags;
}

static void live_unlock(unsigned long flags)
{
	arch_spin_unlock(&eb_live.lock);
	local_irq_restore(flags);
}

static bool is_mark(const struct list_head *pos)
{
	const struct eb_mark *mark;

	list_for_each_entry(mark, &eb_live.marks, marks)
		if (&mark->live == pos)
			return true;
	return false;
}

static struct extent_buffer *live_buffer(struct list_head *pos)
{
	return is_mark(pos) ? NULL :
	       container_of(pos, struct extent_buffer, debug.live);
}

/* Off the list, if it is still there: unmount may have done it before. */
static void forget(struct extent_buffer *eb)
{
	if (list_empty(&eb->debug.live))
		return;
	list_del_init(&eb->debug.live);
	eb_live.nr--;
}

/**
 * btrfs_eb_live_add - a buffer was allocated
 * @eb: the buffer
 *
 * Context: any.
 */
void btrfs_eb_live_add(struct extent_buffer *eb)
{
	unsigned long flags = live_lock();

	list_add_tail(&eb->debug.live, &eb_live.list);
	eb_live.nr++;
	live_unlock(flags);
}

/**
 * btrfs_eb_debug_forget - the memory of a buffer is about to be freed
 * @eb: the buffer
 *
 * Context: any, irq included.
 */
void btrfs_eb_debug_forget(struct extent_buffer *eb)
{
	unsigned long flags = live_lock();

	forget(eb);
	live_unlock(flags);
	btrfs_eb_owner_forget(eb);
	kfree(eb->debug.history);
}

unsigned long btrfs_eb_live_count(void)
{
	return READ_ONCE(eb_live.nr);
}

/**
 * btrfs_eb_live_open - begin to read the list of live buffers
 * @mark: of this reader; stands in the list until btrfs_eb_live_close()
 *
 * Context: process context.
 */
void btrfs_eb_live_open(struct eb_mark *mark)
{
	unsigned long flags = live_lock();

	list_add(&mark->live, &eb_live.list);
	list_add(&mark->marks, &eb_live.marks);
	live_unlock(flags);
}

void btrfs_eb_live_close(struct eb_mark *mark)
{
	unsigned long flags = live_lock();

	list_del(&mark->live);
	list_del(&mark->marks);
	live_unlock(flags);
}

/* Back to the oldest buffer. */
void btrfs_eb_live_rewind(struct eb_mark *mark)
{
	unsigned long flags = live_lock();

	list_move(&mark->live, &eb_live.list);
	live_unlock(flags);
}

/**
 * btrfs_eb_live_next - look at the next live buffers
 * @mark: of this reader
 * @max: at how many
 * @found: called for each, oldest first, under the lock of the list
 * @arg: for @found
 *
 * The lock is held for one batch at a time, and the list may change in between.
 *
 * Context: process context.
 * Return: how many there were, 0 at the end of the list.
 */
unsigned int btrfs_eb_live_next(struct eb_mark *mark, unsigned int max,
				void (*found)(struct extent_buffer *eb,
					      void *arg), void *arg)
{
	struct list_head *pos;
	unsigned int nr = 0;
	unsigned long flags;

	flags = live_lock();
	for (pos = mark->live.next; pos != &eb_live.list && nr < max;
	     pos = pos->next) {
		struct extent_buffer *eb = live_buffer(pos);

		if (!eb)
			continue;
		found(eb, arg);
		nr++;
	}
	list_move_tail(&mark->live, pos);
	live_unlock(flags);
	return nr;
}

struct eb_seek {
	const struct extent_buffer *eb;
	u32 serial;
	bool found;
};

static void is_it(struct extent_buffer *eb, void *arg)
{
	struct eb_seek *seek = arg;

	seek->found |= eb == seek->eb && eb->debug.serial == seek->serial;
}

/* A buffer is freed although a task holds it: its address is not to be trusted any more. */
void btrfs_eb_live_gone_held(void)
{
	WRITE_ONCE(eb_live.gone_held, true);
}

/**
 * btrfs_eb_live_has - is this buffer, that a task holds, still there?
 * @eb: its address, which may be another one's by now
 * @serial: its serial number
 *
 * It is, unless somebody has given back too much, or its file system has gone without
 * it.  Only after either was seen the list is searched, which takes the longer the more
 * buffers there are.
 *
 * Context: process context, under RCU for as long as the answer is to be right.
 */
bool btrfs_eb_live_has(const struct extent_buffer *eb, u32 serial)
{
	struct eb_seek seek = { .eb = eb, .serial = serial };
	struct eb_mark mark;

	if (likely(!READ_ONCE(eb_live.gone_held)))
		return true;
	btrfs_eb_live_open(&mark);
	while (!seek.found && btrfs_eb_live_next(&mark, EB_STRIDE, is_it, &seek))
		;
	btrfs_eb_live_close(&mark);
	return seek.found;
}

/*
 * Pass some buffers, up to the next one of @fs_info; false at the end of the list.  Its own
 * function, so that how long it holds the lock can be measured.
 */
static noinline bool forget_next(struct eb_mark *mark,
				 const struct btrfs_fs_info *fs_info,
				 void (*found)(struct extent_buffer *eb, void *arg),
				 void *arg)
{
	struct list_head *pos, *next;
	unsigned int nr = 0;
	bool done = false;
	unsigned long flags;

	flags = live_lock();
	for (pos = mark->live.next; pos != &eb_live.list && nr < EB_STRIDE && !done;
	     pos = next, nr++) {
		struct extent_buffer *eb = live_buffer(pos);

		next = pos->next;
		if (!eb || eb->fs_info != fs_info)
			continue;
		/* Others only wait for RCU; who holds one of those was seen at its last put. */
		if (eb_base_refs(eb))
			btrfs_eb_live_gone_held();
		forget(eb);
		found(eb, arg);
		done = true;
	}
	list_move_tail(&mark->live, pos);
	done = pos == &eb_live.list;
	live_unlock(flags);
	return !done;
}

/**
 * btrfs_eb_live_forget_all - a file system goes
 * @fs_info: the file system
 * @found: called for each of its buffers, oldest first, under the lock of the list
 * @arg: for @found
 *
 * Those that wait for RCU are among them: the file system that they point to is
 * gone when they are freed.  The lock is held for one of them at a time.  Who has
 * asked btrfs_eb_live_has() before, under RCU, is done with the file system when this
 * returns.
 *
 * Context: process context; may sleep.
 */
void btrfs_eb_live_forget_all(const struct btrfs_fs_info *fs_info,
			      void (*found)(struct extent_buffer *eb, void *arg),
			      void *arg)
{
	struct eb_mark mark;

	btrfs_eb_live_open(&mark);
	while (forget_next(&mark, fs_info, found, arg))
		cond_resched();
	btrfs_eb_live_close(&mark);
	if (unlikely(READ_ONCE(eb_live.gone_held)))
		synchronize_rcu();
}
