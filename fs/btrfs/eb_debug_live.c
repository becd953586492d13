// SPDX-License-Identifier: GPL-2.0
/*
 * The live buffers of the extent buffer guard: which are there, and which are
 * left when their file system goes?
 *
 * The list is kept also while the guard is off, since it can't be made up later.
 * Nothing here judges or prints to the console.
 */

#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"

/* Buffers that are copied under the lock at a time. */
#define EB_BATCH	16

/*
 * All live buffers, oldest first, and between them the marks up to which readers
 * of debugfs have come.
 */
static struct {
	/* Protects both lists; the buffers on the first are not freed. */
	spinlock_t lock;
	struct list_head list;
	struct list_head marks;
	unsigned long nr;
} eb_live = {
	.lock = __SPIN_LOCK_UNLOCKED(eb_live.lock),
	.list = LIST_HEAD_INIT(eb_live.list),
	.marks = LIST_HEAD_INIT(eb_live.marks),
};

struct eb_mark {
	struct list_head live;
	struct list_head marks;
};

static bool is_mark(const struct list_head *pos)
{
	const struct eb_mark *mark;

	lockdep_assert_held(&eb_live.lock);
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
	lockdep_assert_held(&eb_live.lock);
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
	unsigned long flags;

	spin_lock_irqsave(&eb_live.lock, flags);
	list_add_tail(&eb->debug.live, &eb_live.list);
	eb_live.nr++;
	spin_unlock_irqrestore(&eb_live.lock, flags);
}

/**
 * btrfs_eb_debug_forget - the memory of a buffer is about to be freed
 * @eb: the buffer
 *
 * Context: any, irq included.
 */
void btrfs_eb_debug_forget(struct extent_buffer *eb)
{
	unsigned long flags;

	spin_lock_irqsave(&eb_live.lock, flags);
	forget(eb);
	spin_unlock_irqrestore(&eb_live.lock, flags);
}

/**
 * btrfs_eb_live_forget_all - a file system goes
 * @fs_info: the file system
 * @found: called for each of its buffers, oldest first, under the lock of the list
 * @arg: for @found
 *
 * Those that wait for RCU are among them: the file system that they point to is
 * gone when they are freed.
 *
 * Context: process context.
 */
void btrfs_eb_live_forget_all(const struct btrfs_fs_info *fs_info,
			      void (*found)(struct extent_buffer *eb, void *arg),
			      void *arg)
{
	struct list_head *pos, *next;
	unsigned long flags;

	spin_lock_irqsave(&eb_live.lock, flags);
	list_for_each_safe(pos, next, &eb_live.list) {
		struct extent_buffer *eb = live_buffer(pos);

		if (!eb || eb->fs_info != fs_info)
			continue;
		forget(eb);
		found(eb, arg);
	}
	spin_unlock_irqrestore(&eb_live.lock, flags);
}

unsigned long btrfs_eb_live_count(void)
{
	return READ_ONCE(eb_live.nr);
}

/**
 * btrfs_eb_live_show - copy what is shown of a buffer
 * @shown: where to
 * @eb: the buffer
 *
 * Context: under the lock of the list, which keeps the buffer.
 */
void btrfs_eb_live_show(struct eb_shown *shown, const struct extent_buffer *eb)
{
	const struct btrfs_eb_debug *rec = &eb->debug;
	u32 next = atomic_read(&rec->history_next);

	shown->start = eb->start;
	shown->owner = rec->owner;
	shown->generation = rec->generation;
	shown->level = rec->level;
	shown->flags = eb_base_flags(eb);
	shown->refs = eb_base_refs(eb);
	shown->io_pages = eb_base_io_pages(eb);
	shown->last = READ_ONCE(rec->history[(next - 1) % BTRFS_EB_HISTORY]);
	eb_base_fsid(shown->fsid, eb->fs_info);
}

/*
 * One reader of the list of buffers.  Its mark stands in the list, so that the
 * lock is held for one batch at a time and the list may change in between.
 */
struct eb_reader {
	struct eb_mark mark;
	loff_t first;
	unsigned int nr;
	struct eb_shown batch[EB_BATCH];
};

static void reader_rewind(struct eb_reader *reader)
{
	spin_lock_irq(&eb_live.lock);
	list_move(&reader->mark.live, &eb_live.list);
	spin_unlock_irq(&eb_live.lock);
	reader->first = 0;
	reader->nr = 0;
}

static void reader_fetch(struct eb_reader *reader)
{
	struct list_head *pos;

	reader->first += reader->nr;
	reader->nr = 0;
	spin_lock_irq(&eb_live.lock);
	for (pos = reader->mark.live.next;
	     pos != &eb_live.list && reader->nr < EB_BATCH;
	     pos = pos->next) {
		struct extent_buffer *eb = live_buffer(pos);

		if (eb)
			btrfs_eb_live_show(&reader->batch[reader->nr++], eb);
	}
	list_move_tail(&reader->mark.live, pos);
	spin_unlock_irq(&eb_live.lock);
}

static void *buffers_at(struct eb_reader *reader, loff_t pos)
{
	if (pos == reader->first + reader->nr)
		reader_fetch(reader);
	if (pos < reader->first || pos >= reader->first + reader->nr)
		return NULL;
	return &reader->batch[pos - reader->first];
}

static void *buffers_start(struct seq_file *m, loff_t *pos)
{
	if (!*pos)
		reader_rewind(m->private);
	return buffers_at(m->private, *pos);
}

static void *buffers_next(struct seq_file *m, void *v, loff_t *pos)
{
	return buffers_at(m->private, ++*pos);
}

static void buffers_stop(struct seq_file *m, void *v)
{
}

static int buffers_show(struct seq_file *m, void *v)
{
	const struct eb_shown *shown = v;
	u32 event = shown->last & 0xff;
	char flags[128];

	seq_printf(m, "start=%llu level=%u owner=%lld generation=%llu refs=%d io_pages=%d flags=%s last=%s fsid=%pU\n",
		   shown->start, shown->level, shown->owner, shown->generation,
		   shown->refs, shown->io_pages,
		   btrfs_eb_flags_string(flags, sizeof(flags), shown->flags),
		   event && event <= EB_EVENT_COUNT ?
		   btrfs_eb_event_name(event - 1) : "unknown", shown->fsid);
	return 0;
}

static const struct seq_operations buffers_sops = {
	.start	= buffers_start,
	.next	= buffers_next,
	.stop	= buffers_stop,
	.show	= buffers_show,
};

static int buffers_open(struct inode *inode, struct file *file)
{
	struct eb_reader *reader;

	reader = __seq_open_private(file, &buffers_sops, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	spin_lock_irq(&eb_live.lock);
	list_add(&reader->mark.live, &eb_live.list);
	list_add(&reader->mark.marks, &eb_live.marks);
	spin_unlock_irq(&eb_live.lock);
	return 0;
}

static int buffers_release(struct inode *inode, struct file *file)
{
	struct eb_reader *reader = ((struct seq_file *)file->private_data)->private;

	spin_lock_irq(&eb_live.lock);
	list_del(&reader->mark.live);
	list_del(&reader->mark.marks);
	spin_unlock_irq(&eb_live.lock);
	return seq_release_private(inode, file);
}

const struct file_operations btrfs_eb_buffers_fops = {
	.owner		= THIS_MODULE,
	.open		= buffers_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= buffers_release,
};
