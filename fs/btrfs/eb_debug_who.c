// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds what now, and who still does when a file system goes?
 *
 * Two views of the ledger: by buffer and by owner, in debugfs and at unmount.
 * Readers look at it while btrfs goes on, so what is in flight may be missing or
 * be told although it is over; nothing of btrfs waits for a reader.
 */

#define pr_fmt(fmt) "BTRFS eb_debug: " fmt

#include <linux/debugfs.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/uuid.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"

/* Buffers that are copied under the lock of the list at a time. */
#define EB_BATCH	16
/* Names of functions that a reader of the list of buffers remembers; a power of two. */
#define EB_NAMES	16
/* All words of a line: flags, as many owners as are shown, and what file system. */
#define EB_WORDS	(256 + EB_OWNERS * 96)
/* Owners that are told apart in a list of them. */
#define EB_GROUPS	256
/* Groups of owners that are printed at unmount. */
#define EB_GROUPS_SHOWN	16

/* References of the same kind, held by the same function. */
struct eb_group {
	u32 site;
	u32 when;
	enum eb_debug_kind kind;
	long count;
	/* The buffer of the oldest one. */
	u64 start;
	char name[64];
};

struct eb_groups {
	unsigned int nr;
	unsigned long lost;
	struct eb_group group[EB_GROUPS];
};

/* Protects what counts are relative to; it is held to compare or to copy only. */
static DEFINE_MUTEX(eb_baseline_mutex);
static struct eb_groups eb_baseline;

static unsigned long site_address(u32 site)
{
	return eb_address(site, (unsigned long)site_address);
}

/* --- the owners of one buffer --------------------------------------------- */

static void add_owner(struct eb_shown *shown, const struct eb_owner *owner)
{
	if (shown->nr_owners < EB_OWNERS)
		shown->owners[shown->nr_owners++] = *owner;
}

/*
 * How many a kind of structure holds that is shown; what irq holds is soon over.  What was
 * noted before the guard was turned off and on may have been given back in between.
 */
static unsigned int structure_count(const struct btrfs_eb_debug *rec, u32 flags,
				    enum eb_debug_kind kind)
{
	if (kind == EB_KIND_TREE)
		return !!(flags & EB_FLAG_TREE_REF);
	if (kind == EB_KIND_IRQ ||
	    (rec->epoch && rec->epoch != READ_ONCE(btrfs_eb_epoch)))
		return 0;
	return btrfs_eb_core_structures(rec, kind);
}

/**
 * btrfs_eb_live_show - copy what is shown of a buffer
 * @shown: where to; the tasks that hold it are still missing
 * @eb: the buffer
 *
 * Context: the caller holds a reference, or the lock of the list of live buffers.
 */
void btrfs_eb_live_show(struct eb_shown *shown, const struct extent_buffer *eb)
{
	const struct btrfs_eb_debug *rec = &eb->debug;
	int kind;

	shown->eb = eb;
	shown->start = eb->start;
	shown->owner = READ_ONCE(rec->owner);
	shown->generation = READ_ONCE(rec->generation);
	shown->level = READ_ONCE(rec->level);
	shown->serial = rec->serial;
	shown->flags = eb_base_flags(eb);
	shown->refs = eb_base_refs(eb);
	shown->io_pages = eb_base_io_pages(eb);
	eb_base_fsid(shown->fsid, eb->fs_info);
	shown->nr_owners = 0;
	for (kind = 0; kind < EB_KIND_STRUCTURES; kind++) {
		struct eb_owner owner = {
			.kind = kind,
			.count = structure_count(rec, shown->flags, kind),
		};
		u32 at;

		if (!owner.count)
			continue;
		btrfs_eb_owner_taken(rec, kind, &at, &owner.when);
		owner.site = site_address(at);
		if (kind < EB_KIND_IRQ && rec->history)
			owner.stack = READ_ONCE(rec->history->stacks[kind]);
		add_owner(shown, &owner);
	}
}

struct eb_batch {
	struct eb_shown *shown;
	unsigned int nr;
};

static void add_task(const struct eb_held *held, pid_t pid, void *arg)
{
	struct eb_batch *batch = arg;
	unsigned int i;

	for (i = 0; i < batch->nr; i++) {
		struct eb_shown *shown = &batch->shown[i];

		/* Nearly all are of others, and this runs for each that any task holds. */
		if (held->eb == shown->eb && held->serial == shown->serial)
			add_owner(shown, &(struct eb_owner){
				.kind = held->kind,
				.count = 1,
				.site = site_address(held->site),
				.when = held->when,
				.stack = held->stack,
				.pid = pid,
			});
	}
}

static int older_owner(const void *a, const void *b)
{
	const struct eb_owner *one = a, *other = b;

	return (s32)(one->when - other->when);
}

/**
 * btrfs_eb_who - complete what is shown of buffers by the tasks that hold them
 * @shown: filled in by btrfs_eb_live_show()
 * @nr: how many
 *
 * Context: any.  The buffers are not touched, they may be gone.
 */
void btrfs_eb_who(struct eb_shown *shown, unsigned int nr)
{
	struct eb_batch batch = { .shown = shown, .nr = nr };
	unsigned int i;

	btrfs_eb_owner_walk(add_task, &batch);
	for (i = 0; i < nr; i++)
		sort(shown[i].owners, shown[i].nr_owners,
		     sizeof(shown[i].owners[0]), older_owner, NULL);
}

/* --- references by owner -------------------------------------------------- */

static void add_to_group(struct eb_groups *groups, enum eb_debug_kind kind,
			 u32 site, u32 when, unsigned int count, u64 start)
{
	struct eb_group *group = groups->group;
	struct eb_group *end = group + groups->nr;

	for (; group < end; group++)
		if (group->kind == kind && group->site == site)
			break;
	if (group == end) {
		if (groups->nr == EB_GROUPS) {
			groups->lost += count;
			return;
		}
		groups->nr++;
		*group = (struct eb_group){ .kind = kind, .site = site,
					    .when = when, .start = start };
	}
	group->count += count;
	if ((s32)(when - group->when) < 0) {
		group->when = when;
		group->start = start;
	}
}

static void group_structures(struct extent_buffer *eb, void *arg)
{
	const struct btrfs_eb_debug *rec = &eb->debug;
	u32 flags = eb_base_flags(eb);
	int kind;

	for (kind = 0; kind < EB_KIND_STRUCTURES; kind++) {
		unsigned int count = structure_count(rec, flags, kind);
		u32 at, when;

		if (!count)
			continue;
		btrfs_eb_owner_taken(rec, kind, &at, &when);
		add_to_group(arg, kind, at, when, count, eb->start);
	}
}

static void group_task(const struct eb_held *held, pid_t pid, void *arg)
{
	add_to_group(arg, held->kind, held->site, held->when, 1, 0);
}

static int more_first(const void *a, const void *b)
{
	const struct eb_group *one = a, *other = b;

	if (one->count != other->count)
		return one->count < other->count ? 1 : -1;
	return (s32)(one->when - other->when);
}

/* A function may take references at several places: for people they are one. */
static void merge_groups(struct eb_groups *groups)
{
	unsigned int i, k, nr = 0;

	for (i = 0; i < groups->nr; i++) {
		struct eb_group *group = &groups->group[i];

		btrfs_eb_function_name(group->name, sizeof(group->name),
				       site_address(group->site));
		for (k = 0; k < nr; k++)
			if (groups->group[k].kind == group->kind &&
			    !strcmp(groups->group[k].name, group->name))
				break;
		if (k == nr) {
			groups->group[nr++] = *group;
			continue;
		}
		groups->group[k].count += group->count;
		if ((s32)(group->when - groups->group[k].when) < 0) {
			groups->group[k].when = group->when;
			groups->group[k].start = group->start;
		}
	}
	groups->nr = nr;
}

/*
 * All that is held now, over all file systems; NULL without memory.  Each reader has
 * its own, so that readers wait neither for each other nor unmounts for them.
 */
static struct eb_groups *gather(void)
{
	struct eb_groups *groups = kvzalloc(sizeof(*groups), GFP_KERNEL | __GFP_NOWARN);
	struct eb_mark mark;

	if (!groups)
		return NULL;
	btrfs_eb_live_open(&mark);
	while (btrfs_eb_live_next(&mark, EB_BATCH, group_structures, groups))
		cond_resched();
	btrfs_eb_live_close(&mark);
	btrfs_eb_owner_walk(group_task, groups);
	merge_groups(groups);
	return groups;
}

static void subtract(struct eb_groups *groups, const struct eb_groups *less)
{
	unsigned int i, k;

	for (i = 0; i < groups->nr; i++)
		for (k = 0; k < less->nr; k++)
			if (groups->group[i].kind == less->group[k].kind &&
			    !strcmp(groups->group[i].name, less->group[k].name))
				groups->group[i].count -= less->group[k].count;
}

static int owners_show(struct seq_file *m, void *v)
{
	struct eb_groups *groups = gather();
	u32 now = jiffies;
	unsigned int i;

	if (!groups)
		return -ENOMEM;
	mutex_lock(&eb_baseline_mutex);
	subtract(groups, &eb_baseline);
	mutex_unlock(&eb_baseline_mutex);
	sort(groups->group, groups->nr, sizeof(groups->group[0]), more_first,
	     NULL);
	for (i = 0; i < groups->nr; i++) {
		const struct eb_group *group = &groups->group[i];

		if (group->count)
			seq_printf(m, "count=%ld kind=%s site=%s oldest_ms=%u\n",
				   group->count, btrfs_eb_kind_name(group->kind),
				   group->name,
				   jiffies_to_msecs(now - group->when));
	}
	if (groups->lost)
		seq_printf(m, "count=%lu kind=unknown site=unknown oldest_ms=0\n",
			   groups->lost);
	kvfree(groups);
	return 0;
}

/* What counts are relative to from now on. */
static int set_baseline(void)
{
	struct eb_groups *groups = gather();

	if (!groups)
		return -ENOMEM;
	mutex_lock(&eb_baseline_mutex);
	eb_baseline = *groups;
	mutex_unlock(&eb_baseline_mutex);
	kvfree(groups);
	return 0;
}

struct eb_dump {
	u64 start;
	struct eb_verdict *verdict;
	unsigned int nr;
};

static void dump_found(struct extent_buffer *eb, void *arg)
{
	struct eb_look look = { .ip = (unsigned long)site_address };
	struct eb_dump *dump = arg;

	if (eb->start != dump->start || dump->nr++)
		return;
	btrfs_eb_look(&look, eb, EB_EVENT_UNMOUNT, EB_SITE_TREE);
	btrfs_eb_verdict_fill(dump->verdict, EB_RULE_NONE, eb, &look, NULL);
}

/* Print one buffer to the console: its owners and its history. */
static int dump_buffer(u64 start)
{
	struct eb_dump dump = { .start = start };
	struct eb_mark mark;

	dump.verdict = btrfs_eb_verdict_get();
	if (!dump.verdict)
		return -EBUSY;
	btrfs_eb_live_open(&mark);
	while (btrfs_eb_live_next(&mark, EB_BATCH, dump_found, &dump))
		cond_resched();
	btrfs_eb_live_close(&mark);
	if (dump.nr) {
		btrfs_eb_state_facts(dump.verdict);
		btrfs_eb_tell_background(dump.verdict);
		pr_info("%s\n", dump.verdict->facts);
	}
	btrfs_eb_verdict_put(dump.verdict);
	return dump.nr ? 0 : -ENOENT;
}

static int owners_verb(char *verb)
{
	u64 start;
	int ret = 0;

	if (!strcmp(verb, "baseline")) {
		ret = set_baseline();
	} else if (!strcmp(verb, "clear")) {
		mutex_lock(&eb_baseline_mutex);
		eb_baseline.nr = 0;
		mutex_unlock(&eb_baseline_mutex);
	} else if (str_has_prefix(verb, "dump=") &&
		   !kstrtou64(verb + strlen("dump="), 0, &start)) {
		ret = dump_buffer(start);
	} else {
		ret = -EINVAL;
	}
	return ret;
}

static ssize_t owners_write(struct file *file, const char __user *ubuf,
			    size_t size, loff_t *ppos)
{
	char verb[40];
	int ret;

	if (size >= sizeof(verb))
		return -EINVAL;
	if (copy_from_user(verb, ubuf, size))
		return -EFAULT;
	verb[size] = 0;
	ret = owners_verb(strim(verb));
	return ret ? ret : size;
}

static int owners_open(struct inode *inode, struct file *file)
{
	return single_open(file, owners_show, NULL);
}

const struct file_operations btrfs_eb_owners_fops = {
	.owner		= THIS_MODULE,
	.open		= owners_open,
	.read		= seq_read,
	.write		= owners_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* --- references by buffer ------------------------------------------------- */

/*
 * One reader of the list of buffers.  Its mark stands in the list, so that the
 * lock is held for one batch at a time and the list may change in between.  It
 * remembers words, which are nearly always those of the buffers before.
 */
struct eb_reader {
	struct eb_mark mark;
	loff_t first;
	unsigned int nr;
	struct eb_shown batch[EB_BATCH];
	struct {
		unsigned long site;
		char name[64];
	} names[EB_NAMES];
	/* The last buffer of which the words below were. */
	struct eb_shown last;
	unsigned int len;
	char words[EB_WORDS];
};

static const char *name_of(struct eb_reader *reader, unsigned long site)
{
	unsigned int i = hash_long(site, ilog2(EB_NAMES));

	if (reader->names[i].site != site || !*reader->names[i].name) {
		reader->names[i].site = site;
		btrfs_eb_function_name(reader->names[i].name,
				       sizeof(reader->names[i].name), site);
	}
	return reader->names[i].name;
}

/* Do both have the same flags, owners and file system? */
static bool same_words(const struct eb_shown *one, const struct eb_shown *other)
{
	unsigned int i;

	if (one->flags != other->flags || one->nr_owners != other->nr_owners ||
	    memcmp(one->fsid, other->fsid, UUID_SIZE))
		return false;
	for (i = 0; i < one->nr_owners; i++)
		if (one->owners[i].kind != other->owners[i].kind ||
		    one->owners[i].count != other->owners[i].count ||
		    one->owners[i].site != other->owners[i].site)
			return false;
	return true;
}

/* What of a line takes long to say. */
static void find_words(struct eb_reader *reader, const struct eb_shown *shown)
{
	char *words = reader->words, text[128];
	size_t size = sizeof(reader->words);
	unsigned int i, len;

	len = scnprintf(words, size, " flags=%s owners=%s",
			btrfs_eb_flags_string(text, sizeof(text), shown->flags),
			shown->nr_owners ? "" : "-");
	for (i = 0; i < shown->nr_owners; i++) {
		const struct eb_owner *owner = &shown->owners[i];

		len += scnprintf(words + len, size - len, "%s%s:%s", i ? "," : "",
				 btrfs_eb_kind_name(owner->kind),
				 name_of(reader, owner->site));
		if (owner->count > 1)
			len += scnprintf(words + len, size - len, "*%u", owner->count);
	}
	len += scnprintf(words + len, size - len, " fsid=%pU\n", shown->fsid);
	reader->last = *shown;
	reader->len = len;
}

static void show_found(struct extent_buffer *eb, void *arg)
{
	struct eb_reader *reader = arg;

	btrfs_eb_live_show(&reader->batch[reader->nr++], eb);
}

static void reader_fetch(struct eb_reader *reader)
{
	reader->first += reader->nr;
	reader->nr = 0;
	btrfs_eb_live_next(&reader->mark, EB_BATCH, show_found, reader);
	btrfs_eb_who(reader->batch, reader->nr);
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
	struct eb_reader *reader = m->private;

	if (!*pos) {
		btrfs_eb_live_rewind(&reader->mark);
		reader->first = 0;
		reader->nr = 0;
	}
	return buffers_at(reader, *pos);
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
	struct eb_reader *reader = m->private;
	const struct eb_shown *shown = v;

	seq_put_decimal_ull(m, "start=", shown->start);
	seq_put_decimal_ull(m, " level=", shown->level);
	seq_put_decimal_ll(m, " owner=", shown->owner);
	seq_put_decimal_ull(m, " generation=", shown->generation);
	seq_put_decimal_ll(m, " refs=", shown->refs);
	seq_put_decimal_ll(m, " io_pages=", shown->io_pages);
	if (!reader->len || !same_words(&reader->last, shown))
		find_words(reader, shown);
	seq_write(m, reader->words, reader->len);
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
	btrfs_eb_live_open(&reader->mark);
	return 0;
}

static int buffers_release(struct inode *inode, struct file *file)
{
	struct eb_reader *reader = ((struct seq_file *)file->private_data)->private;

	btrfs_eb_live_close(&reader->mark);
	return seq_release_private(inode, file);
}

const struct file_operations btrfs_eb_buffers_fops = {
	.owner		= THIS_MODULE,
	.open		= buffers_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= buffers_release,
};

/* --- what is left at unmount ---------------------------------------------- */

struct eb_left {
	struct eb_look look;
	struct eb_verdict *verdict;
	struct eb_groups *groups;
	struct eb_shown shown;
	unsigned int nr;
	/* Buffers that were reported before. */
	unsigned int known;
	/* The verdict is about a buffer that somebody beside the tree holds. */
	bool owned;
};

/* Who holds it beside the tree: the oldest of them, or NULL. */
static const struct eb_owner *oldest_owner(const struct eb_shown *shown)
{
	unsigned int i;

	for (i = 0; i < shown->nr_owners; i++)
		if (shown->owners[i].kind != EB_KIND_TREE)
			return &shown->owners[i];
	return NULL;
}

/* The tree's own reference counts only where there is no other. */
static void group_left(struct eb_groups *groups, const struct eb_shown *shown)
{
	bool owned = oldest_owner(shown);
	unsigned int i;

	for (i = 0; i < shown->nr_owners; i++) {
		const struct eb_owner *owner = &shown->owners[i];

		if (owner->kind != EB_KIND_TREE || !owned)
			add_to_group(groups, owner->kind, owner->site,
				     owner->when, owner->count, shown->start);
	}
	if (!shown->nr_owners)
		groups->lost++;
}

static void choose_left(struct eb_left *left, struct extent_buffer *eb)
{
	const struct eb_owner *owner = oldest_owner(&left->shown);

	if (!left->verdict || left->owned || (left->nr > 1 && !owner))
		return;
	btrfs_eb_verdict_fill(left->verdict, EB_RULE_BUFFER_LEAKED, eb,
			      &left->look, NULL);
	if (!owner)
		return;
	left->owned = true;
	left->verdict->owner_ip = owner->site;
	left->verdict->owner_stack = owner->stack;
}

/* Called under the lock of the list, oldest buffer first. */
static void judge_left_buffer(struct extent_buffer *eb, void *arg)
{
	struct eb_judgement judgement = { };
	struct eb_left *left = arg;

	if (tracepoint_enabled(btrfs_eb_step))
		btrfs_eb_trace_step(eb, EB_EVENT_UNMOUNT, left->look.ip);
	if (!left->look.epoch)
		return;
	btrfs_eb_look(&left->look, eb, EB_EVENT_UNMOUNT, EB_SITE_TREE);
	btrfs_eb_core_event(&eb->debug, &left->look, EB_EVENT_UNMOUNT,
			    &judgement);
	if (judgement.broken == EB_RULE_NONE)
		return;
	/* What was reported already is the same mistake. */
	if (eb->debug.distrusted) {
		eb_count(EB_COUNT_DISTRUSTED);
		left->known++;
		return;
	}
	eb->debug.distrusted = true;
	btrfs_eb_violation(eb, &left->look, EB_RULE_BUFFER_LEAKED);
	left->nr++;
	btrfs_eb_live_show(&left->shown, eb);
	btrfs_eb_who(&left->shown, 1);
	group_left(left->groups, &left->shown);
	choose_left(left, eb);
}

static void tell_left(struct eb_groups *groups)
{
	u32 now = jiffies;
	unsigned int i;
	long rest = 0;

	merge_groups(groups);
	sort(groups->group, groups->nr, sizeof(groups->group[0]), more_first,
	     NULL);
	for (i = 0; i < groups->nr; i++) {
		const struct eb_group *group = &groups->group[i];

		if (i >= EB_GROUPS_SHOWN) {
			rest += group->count;
			continue;
		}
		pr_warn("left: count=%ld kind=%s site=%s oldest_ms=%u start=%llu\n",
			group->count, btrfs_eb_kind_name(group->kind),
			group->name, jiffies_to_msecs(now - group->when),
			group->start);
	}
	if (rest)
		pr_warn("left: count=%ld in %u more groups\n", rest,
			groups->nr - EB_GROUPS_SHOWN);
	if (groups->lost)
		pr_warn("left: count=%lu kind=unknown\n", groups->lost);
}

/* One unmount at a time: these are too large for a stack. */
static DEFINE_MUTEX(eb_left_mutex);
static struct eb_left eb_left;
static struct eb_groups eb_left_groups;

/**
 * btrfs_eb_debug_unmount - all buffers of a file system must be gone
 * @fs_info: the file system
 *
 * Context: process context, no lock held.
 * Return: as btrfs_eb_debug_event().
 */
const char *btrfs_eb_debug_unmount(struct btrfs_fs_info *fs_info)
{
	struct eb_verdict *verdict = NULL;
	struct eb_left *left = &eb_left;
	const char *report = NULL;
	bool coverage;

	mutex_lock(&eb_left_mutex);
	memset(left, 0, sizeof(*left));
	left->groups = &eb_left_groups;
	left->groups->nr = 0;
	left->groups->lost = 0;
	left->look.ip = _RET_IP_;
	left->look.epoch = READ_ONCE(btrfs_eb_epoch);
	if (left->look.epoch) {
		this_cpu_inc(btrfs_eb_counts->judged[EB_RULE_BUFFER_LEAKED][EB_SITE_TREE]);
		verdict = btrfs_eb_verdict_get();
		left->verdict = verdict;
	}
	btrfs_eb_live_forget_all(fs_info, judge_left_buffer, left);
	if (verdict && left->nr) {
		verdict->others = left->nr - 1;
		report = btrfs_eb_verdict_pronounce(verdict);
		if (report)
			tell_left(left->groups);
	} else if (verdict) {
		btrfs_eb_verdict_put(verdict);
	}
	/* The reports are over, but this is the last that is heard of them. */
	if (left->known)
		pr_warn("left: count=%u reported before\n", left->known);
	coverage = left->look.epoch;
	mutex_unlock(&eb_left_mutex);
	if (coverage)
		btrfs_eb_tell_coverage();
	return report;
}
