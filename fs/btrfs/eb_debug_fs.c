// SPDX-License-Identifier: GPL-2.0
/*
 * The knobs of the extent buffer guard: is it on, what has it seen, and what
 * happens after a verdict?
 *
 * Takes the look at the buffer for the core, counts, traces, limits reports, and
 * shows it all in debugfs.  Nothing here decides what is allowed.
 *
 * On and off: jump labels are patched one after the other, so that for a moment
 * some hooks are live and others are not.  What counts is therefore the epoch: 0
 * while any hook may be dead, and a number that was never used before otherwise.
 * What carries an older epoch was not seen from its start and is not judged.
 */

#define pr_fmt(fmt) "BTRFS eb_debug: " fmt

#include <linux/blkdev.h>
#include <linux/bug.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/timekeeping.h>
#include <linux/seq_file.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"

#define CREATE_TRACE_POINTS
#include <trace/events/btrfs_eb.h>

/* Verdicts that may be on their way to the console at the same time. */
#define EB_VERDICTS	4
/* Pairs of rule and site that are remembered as reported. */
#define EB_SAID		64
/* Buffers left at unmount that are shown beside the first. */
#define EB_LEFT_SHOWN	8

struct eb_counts {
	u64 count[EB_COUNT_COUNT];
	u64 broken[EB_RULE_COUNT];
	u64 judged[EB_RULE_COUNT][EB_SITE_COUNT];
};

DEFINE_STATIC_KEY_FALSE(btrfs_eb_debug_key);

static struct eb_counts __percpu *eb_counts;
static struct dentry *eb_dir;

/* 0 while the guard is off; never the same number twice. */
static u32 eb_epoch;
static u32 eb_last_epoch;
static bool eb_ready;
static bool eb_wanted = true;
static bool eb_coverage;
static DEFINE_MUTEX(eb_switch_mutex);

/* What was reported already. */
static struct {
	/* Protects what follows. */
	spinlock_t lock;
	unsigned int nr;
	struct {
		enum eb_rule rule;
		unsigned long ip;
	} what[EB_SAID];
} eb_debug_said = {
	.lock = __SPIN_LOCK_UNLOCKED(eb_debug_said.lock),
};

static struct btrfs_eb_verdict eb_verdicts[EB_VERDICTS];

static u32 now_us(void)
{
	return div_u64(ktime_get_mono_fast_ns(), NSEC_PER_USEC);
}

/* Held by somebody; true also where a spinlock leaves no trace of being held. */
static bool refs_lock_held(const struct extent_buffer *eb)
{
#ifdef CONFIG_LOCKDEP
	return lockdep_is_held(&eb->refs_lock);
#else
	return (!IS_ENABLED(CONFIG_SMP) && !IS_ENABLED(CONFIG_DEBUG_SPINLOCK)) ||
	       spin_is_locked((spinlock_t *)&eb->refs_lock);
#endif
}

static void look_at(struct eb_look *look, const struct extent_buffer *eb,
		    enum eb_debug_event event, enum eb_debug_site site)
{
	look->task = in_task() ? current : NULL;
	look->site = site;
	look->flags = eb_base_flags(eb);
	look->refs = eb_base_refs(eb);
	look->io_pages = eb_base_io_pages(eb);

	switch (event) {
	case EB_EVENT_REFS_LOCK:
	case EB_EVENT_PUT_LOCKED:
	case EB_EVENT_TREE_REF_CLEAR:
		look->locked = refs_lock_held(eb);
		break;
	case EB_EVENT_LAST_PUT:
		look->write_locked = eb_base_write_locked(eb);
		look->on_list = eb_base_on_list(eb);
		break;
	case EB_EVENT_FREE:
		look->in_tree = eb_base_in_tree(eb);
		break;
	case EB_EVENT_IO_END:
		look->arg = blk_status_to_errno((__force blk_status_t)look->arg);
		break;
	case EB_EVENT_IO_SUBMIT:
		look->fs_error = eb_base_fs_error(eb);
		break;
	default:
		break;
	}
}

static void trace(enum eb_debug_event event, const struct extent_buffer *eb,
		  const struct eb_look *look)
{
	switch (event) {
	case EB_EVENT_ALLOC:
		trace_btrfs_eb_alloc(eb, look);
		break;
	case EB_EVENT_INSERT:
		trace_btrfs_eb_insert(eb, look);
		break;
	case EB_EVENT_TREE_REF_SET:
		trace_btrfs_eb_tree_ref_set(eb, look);
		break;
	case EB_EVENT_TREE_REF_REPAIR:
		trace_btrfs_eb_tree_ref_repair(eb, look);
		break;
	case EB_EVENT_TREE_REF_CLEAR:
		trace_btrfs_eb_tree_ref_clear(eb, look);
		if (look->site == EB_SITE_RELEASE ||
		    look->site == EB_SITE_RELEASE_SUBPAGE)
			trace_btrfs_eb_release(eb, look);
		break;
	case EB_EVENT_IO_ARM:
		trace_btrfs_eb_io_arm(eb, look);
		break;
	case EB_EVENT_IO_DANCE:
		trace_btrfs_eb_io_dance(eb, look);
		break;
	case EB_EVENT_IO_SUBMIT:
		trace_btrfs_eb_io_submit(eb, look);
		break;
	case EB_EVENT_IO_END:
		trace_btrfs_eb_io_end(eb, look);
		break;
	case EB_EVENT_WRITEBACK:
		trace_btrfs_eb_writeback(eb, look);
		break;
	case EB_EVENT_DIRTY:
		trace_btrfs_eb_dirty(eb, look);
		break;
	case EB_EVENT_CLEAN:
		trace_btrfs_eb_clean(eb, look);
		break;
	case EB_EVENT_STALE:
		trace_btrfs_eb_stale(eb, look);
		break;
	case EB_EVENT_RELEASE_REFUSED:
		trace_btrfs_eb_release(eb, look);
		break;
	case EB_EVENT_FREE:
		trace_btrfs_eb_free(eb, look);
		break;
	default:
		break;
	}
}

/* Once per rule and site, until clear_warn_once is written or a mount begins. */
static bool first_time(enum eb_rule rule, unsigned long ip)
{
	unsigned long flags;
	bool first = true;
	unsigned int i;

	spin_lock_irqsave(&eb_debug_said.lock, flags);
	if (eb_base_rearmed())
		eb_debug_said.nr = 0;
	for (i = 0; i < eb_debug_said.nr && first; i++)
		first = eb_debug_said.what[i].rule != rule ||
			eb_debug_said.what[i].ip != ip;
	if (first && i == EB_SAID) {
		this_cpu_inc(eb_counts->count[EB_COUNT_DROPPED]);
		first = false;
	} else if (first) {
		eb_debug_said.what[i].rule = rule;
		eb_debug_said.what[i].ip = ip;
		eb_debug_said.nr++;
	}
	spin_unlock_irqrestore(&eb_debug_said.lock, flags);
	return first;
}

static struct btrfs_eb_verdict *verdict_get(void)
{
	int i;

	for (i = 0; i < EB_VERDICTS; i++)
		if (!test_and_set_bit_lock(0, &eb_verdicts[i].busy))
			return &eb_verdicts[i];
	this_cpu_inc(eb_counts->count[EB_COUNT_DROPPED]);
	return NULL;
}

/**
 * btrfs_eb_verdict_done - a verdict was printed
 * @verdict: the verdict; its memory is used for another one from now on
 *
 * Context: any.
 */
void btrfs_eb_verdict_done(struct btrfs_eb_verdict *verdict)
{
	clear_bit_unlock(0, &verdict->busy);
}

/* Copy all that a report needs, for the buffer may be gone when it is printed. */
static void verdict_fill(struct btrfs_eb_verdict *verdict, enum eb_rule rule,
			 const struct extent_buffer *eb,
			 const struct eb_look *look)
{
	const struct btrfs_eb_debug *rec = &eb->debug;

	verdict->rule = rule;
	verdict->look = *look;
	verdict->start = eb->start;
	verdict->owner = rec->owner;
	verdict->generation = rec->generation;
	verdict->level = rec->level;
	verdict->armed_ip = eb_address(rec->armed_at, look->ip);
	verdict->submitted_ip = eb_address(rec->submitted_at, look->ip);
	verdict->others = 0;
	verdict->now_us = now_us();
	verdict->history_next = atomic_read(&rec->history_next);
	memcpy(verdict->history, rec->history, sizeof(verdict->history));
	eb_base_fsid(verdict->fsid, eb->fs_info);
}

/* Returns the verdict to be printed by the hook, or NULL to leave it at counts. */
static struct btrfs_eb_verdict *convict(struct extent_buffer *eb,
					const struct eb_look *look,
					enum eb_rule rule)
{
	struct btrfs_eb_verdict *verdict;

	if (eb->debug.distrusted) {
		this_cpu_inc(eb_counts->count[EB_COUNT_DISTRUSTED]);
		return NULL;
	}
	this_cpu_inc(eb_counts->broken[rule]);
	trace_btrfs_eb_violation(eb, look, btrfs_eb_rule_name(rule));
	if (EB_BASE_COUNT_ONLY & BIT_ULL(rule))
		return NULL;

	verdict = verdict_get();
	if (!verdict)
		return NULL;
	eb->debug.distrusted = true;
	verdict_fill(verdict, rule, eb, look);
	btrfs_eb_blame(verdict);
	if (!first_time(rule, verdict->blamed_ip)) {
		btrfs_eb_verdict_done(verdict);
		return NULL;
	}
	btrfs_eb_state_facts(verdict);
	this_cpu_inc(eb_counts->count[EB_COUNT_REPORTS]);
	return verdict;
}

static struct btrfs_eb_verdict *conclude(struct extent_buffer *eb,
					 const struct eb_look *look,
					 const struct eb_judgement *judgement)
{
	u64 judged = judgement->judged;
	u32 counts = judgement->counts;

	this_cpu_inc(eb_counts->count[EB_COUNT_EVENTS]);
	for (; counts; counts &= counts - 1)
		this_cpu_inc(eb_counts->count[__ffs(counts)]);
	for (; judged; judged &= judged - 1)
		this_cpu_inc(eb_counts->judged[__ffs64(judged)][look->site]);
	if (!judgement->quiet) {
		btrfs_eb_core_note(&eb->debug, look, judgement->event,
				   now_us());
		trace(judgement->event, eb, look);
	}
	if (likely(judgement->broken == EB_RULE_NONE))
		return NULL;
	return convict(eb, look, judgement->broken);
}

/**
 * btrfs_eb_debug_event - a hook tells what happened to a buffer
 * @eb: the buffer
 * @event: what happened
 * @site: where
 * @arg: what the event says beside that
 *
 * Context: that of the hook, see include/linux/eb_debug.h.
 * Return: a verdict that the hook must print and give back, or NULL.
 */
struct btrfs_eb_verdict *btrfs_eb_debug_event(struct extent_buffer *eb,
					      enum eb_debug_event event,
					      enum eb_debug_site site, int arg)
{
	struct eb_look look = { .arg = arg, .ip = _RET_IP_ };
	struct eb_judgement judgement = { };

	look.epoch = READ_ONCE(eb_epoch);
	if (!look.epoch ||
	    btrfs_eb_core_ignores(&eb->debug, event, current))
		return NULL;
	if (EB_DEBUG_DISTRUST_ON(!eb->debug.live.next))
		return NULL;
	look_at(&look, eb, event, site);
	btrfs_eb_core_event(&eb->debug, &look, event, &judgement);
	return conclude(eb, &look, &judgement);
}

/**
 * btrfs_eb_debug_lookup_begin - fill in what a lookup remembers
 * @eb: the buffer
 * @token: on the stack of the caller
 *
 * Context: any.
 */
void btrfs_eb_debug_lookup_begin(struct extent_buffer *eb,
				 struct btrfs_eb_token *token)
{
	token->epoch = READ_ONCE(eb_epoch);
	token->lock_seq = READ_ONCE(eb->debug.lock_seq);
	token->stale_seq = READ_ONCE(eb->debug.stale_seq);
	/* The counts first: what moves after this must be seen to have moved. */
	smp_rmb();
	token->stale = eb_base_flags(eb) & EB_FLAG_STALE;
}

/**
 * btrfs_eb_debug_lookup - a lookup is about to hand a buffer out
 * @eb: the buffer
 * @token: what btrfs_eb_debug_lookup_begin() filled in
 *
 * Context: the task that looks up.
 * Return: as btrfs_eb_debug_event().
 */
struct btrfs_eb_verdict *btrfs_eb_debug_lookup(struct extent_buffer *eb,
					       const struct btrfs_eb_token *token)
{
	struct eb_look look = { .ip = _RET_IP_ };
	struct eb_judgement judgement = { };

	look.epoch = READ_ONCE(eb_epoch);
	if (!look.epoch || token->epoch != look.epoch || !token->stale)
		return NULL;
	look_at(&look, eb, EB_EVENT_LOOKUP, EB_SITE_LOOKUP);
	btrfs_eb_core_lookup(&eb->debug, &look, token, &judgement);
	return conclude(eb, &look, &judgement);
}

/**
 * btrfs_eb_debug_describe - remember what a block is
 * @eb: the buffer
 * @owner: objectid of its root, 0 to keep what is known
 * @generation: of the transaction that wrote it, 0 to keep what is known
 * @level: its level
 *
 * Context: any.  Words of a report, nothing is judged by them.
 */
void btrfs_eb_debug_describe(struct extent_buffer *eb, u64 owner,
			     u64 generation, int level)
{
	if (owner)
		eb->debug.owner = owner;
	if (generation)
		eb->debug.generation = generation;
	eb->debug.level = level;
}

/**
 * btrfs_eb_debug_must_dance - the IO armed last must dance
 * @eb: the buffer
 *
 * Context: the task that armed it.
 */
void btrfs_eb_debug_must_dance(struct extent_buffer *eb)
{
	eb->debug.io_must_dance = true;
}

/**
 * btrfs_eb_debug_alloc - a buffer begins to live
 * @eb: the buffer
 *
 * Context: any.
 */
void btrfs_eb_debug_alloc(struct extent_buffer *eb)
{
	struct eb_look look = { .ip = _RET_IP_ };
	struct eb_judgement judgement = { };

	memset(&eb->debug, 0, sizeof(eb->debug));
	btrfs_eb_live_add(eb);
	look.epoch = READ_ONCE(eb_epoch);
	if (!look.epoch)
		return;
	look_at(&look, eb, EB_EVENT_ALLOC, EB_SITE_TREE);
	btrfs_eb_core_event(&eb->debug, &look, EB_EVENT_ALLOC, &judgement);
	conclude(eb, &look, &judgement);
}

/* Let every rule report once more. */
void btrfs_eb_debug_mount(void)
{
	unsigned long flags;

	spin_lock_irqsave(&eb_debug_said.lock, flags);
	eb_debug_said.nr = 0;
	spin_unlock_irqrestore(&eb_debug_said.lock, flags);
}

static u64 count_sum(size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *(u64 *)((char *)per_cpu_ptr(eb_counts, cpu) + offset);
	return sum;
}

static u64 judged_sum(enum eb_rule rule, enum eb_debug_site site)
{
	return count_sum(offsetof(struct eb_counts, judged[rule][site]));
}

static void tell_coverage(void)
{
	int rule, site;

	for (rule = EB_RULE_NONE + 1; rule < EB_RULE_COUNT; rule++)
		for (site = 0; site < EB_SITE_COUNT; site++)
			if (judged_sum(rule, site))
				pr_info("judged %s at %s %llu times\n",
					btrfs_eb_rule_name(rule),
					btrfs_eb_site_name(site),
					judged_sum(rule, site));
}

/* What is found when a file system goes. */
struct eb_left {
	struct eb_look look;
	struct btrfs_eb_verdict *verdict;
	unsigned int nr;
	struct eb_shown shown[EB_LEFT_SHOWN];
};

/* Called under the lock of the list, oldest buffer first. */
static void judge_left(struct extent_buffer *eb, void *arg)
{
	struct eb_judgement judgement = { };
	struct eb_left *left = arg;

	if (!left->look.epoch)
		return;
	look_at(&left->look, eb, EB_EVENT_UNMOUNT, EB_SITE_TREE);
	btrfs_eb_core_event(&eb->debug, &left->look, EB_EVENT_UNMOUNT,
			    &judgement);
	if (judgement.broken == EB_RULE_NONE)
		return;
	/* What was reported already is the same mistake. */
	if (eb->debug.distrusted) {
		this_cpu_inc(eb_counts->count[EB_COUNT_DISTRUSTED]);
		return;
	}
	trace_btrfs_eb_violation(eb, &left->look,
				 btrfs_eb_rule_name(EB_RULE_BUFFER_LEAKED));
	this_cpu_inc(eb_counts->broken[EB_RULE_BUFFER_LEAKED]);
	eb->debug.distrusted = true;
	if (!left->nr && left->verdict)
		verdict_fill(left->verdict, EB_RULE_BUFFER_LEAKED, eb,
			     &left->look);
	else if (left->nr && left->nr <= EB_LEFT_SHOWN)
		btrfs_eb_live_show(&left->shown[left->nr - 1], eb);
	left->nr++;
}

/* Returns whether the verdict is to be printed. */
static bool tell_left(struct eb_left *left)
{
	struct btrfs_eb_verdict *verdict = left->verdict;
	unsigned int i;

	if (!left->nr)
		return false;
	btrfs_eb_blame(verdict);
	if (!first_time(EB_RULE_BUFFER_LEAKED, verdict->blamed_ip))
		return false;
	verdict->others = left->nr - 1;
	btrfs_eb_state_facts(verdict);
	for (i = 0; i < min_t(unsigned int, verdict->others, EB_LEFT_SHOWN); i++)
		pr_warn("also left: start=%llu level=%u owner=%lld refs=%d\n",
			left->shown[i].start, left->shown[i].level,
			left->shown[i].owner, left->shown[i].refs);
	this_cpu_inc(eb_counts->count[EB_COUNT_REPORTS]);
	return true;
}

/**
 * btrfs_eb_debug_unmount - all buffers of a file system must be gone
 * @fs_info: the file system
 *
 * Context: process context, no lock held.
 * Return: as btrfs_eb_debug_event().
 */
struct btrfs_eb_verdict *btrfs_eb_debug_unmount(struct btrfs_fs_info *fs_info)
{
	struct eb_left left = { .look.ip = _RET_IP_ };

	left.look.epoch = READ_ONCE(eb_epoch);
	if (left.look.epoch) {
		this_cpu_inc(eb_counts->judged[EB_RULE_BUFFER_LEAKED][EB_SITE_TREE]);
		left.verdict = verdict_get();
	}
	btrfs_eb_live_forget_all(fs_info, judge_left, &left);
	if (left.look.epoch && READ_ONCE(eb_coverage))
		tell_coverage();
	if (!left.verdict || tell_left(&left))
		return left.verdict;
	btrfs_eb_verdict_done(left.verdict);
	return NULL;
}

static int stats_show(struct seq_file *m, void *v)
{
	u64 judged;
	int i, site;

	seq_printf(m, "on: %d\n", READ_ONCE(eb_epoch) != 0);
	seq_printf(m, "buffers: %lu\n", btrfs_eb_live_count());
	for (i = 0; i < EB_COUNT_COUNT; i++)
		seq_printf(m, "%s: %llu\n", btrfs_eb_count_name(i),
			   count_sum(offsetof(struct eb_counts, count[i])));
	for (i = EB_RULE_NONE + 1; i < EB_RULE_COUNT; i++) {
		judged = 0;
		for (site = 0; site < EB_SITE_COUNT; site++)
			judged += judged_sum(i, site);
		seq_printf(m, "judged_%s: %llu\n", btrfs_eb_rule_name(i),
			   judged);
	}
	for (i = EB_RULE_NONE + 1; i < EB_RULE_COUNT; i++)
		seq_printf(m, "broken_%s: %llu\n", btrfs_eb_rule_name(i),
			   count_sum(offsetof(struct eb_counts, broken[i])));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int coverage_show(struct seq_file *m, void *v)
{
	int rule, site;

	for (rule = EB_RULE_NONE + 1; rule < EB_RULE_COUNT; rule++)
		for (site = 0; site < EB_SITE_COUNT; site++)
			if (judged_sum(rule, site))
				seq_printf(m, "%s %s %llu\n",
					   btrfs_eb_rule_name(rule),
					   btrfs_eb_site_name(site),
					   judged_sum(rule, site));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(coverage);

/* The epoch is last on the way up and first on the way down. */
static void eb_switch(bool on)
{
	lockdep_assert_held(&eb_switch_mutex);
	if (on) {
		static_branch_enable(&btrfs_eb_debug_key);
		if (!READ_ONCE(eb_epoch))
			WRITE_ONCE(eb_epoch, ++eb_last_epoch);
	} else {
		WRITE_ONCE(eb_epoch, 0);
		static_branch_disable(&btrfs_eb_debug_key);
	}
}

/**
 * btrfs_eb_debug_distrust - the guard found something wrong with itself
 * @why: what
 *
 * A guard that is wrong must not speak about others.  It stays off until it is
 * turned on by hand.
 *
 * Context: any.
 */
void btrfs_eb_debug_distrust(const char *why)
{
	if (xchg(&eb_epoch, 0))
		pr_err("the guard is turned off, its own check failed: %s\n",
		       why);
}

static int eb_debug_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int ret;

	ret = kstrtobool(val, &on);
	if (ret)
		return ret;
	mutex_lock(&eb_switch_mutex);
	eb_wanted = on;
	if (eb_ready)
		eb_switch(on);
	mutex_unlock(&eb_switch_mutex);
	return 0;
}

static int eb_debug_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", READ_ONCE(eb_epoch) ? "on" : "off");
}

static const struct kernel_param_ops eb_debug_ops = {
	.set = eb_debug_set,
	.get = eb_debug_get,
};

module_param_cb(eb_debug, &eb_debug_ops, NULL, 0644);
MODULE_PARM_DESC(eb_debug, "extent buffer guard: on or off");
module_param_named(eb_debug_coverage, eb_coverage, bool, 0644);
MODULE_PARM_DESC(eb_debug_coverage,
		 "tell at each unmount which rule was judged how often");

/* Make the guard ready; see eb_debug_init(). */
void btrfs_eb_debug_init(void)
{
	eb_counts = alloc_percpu(struct eb_counts);
	if (!eb_counts) {
		pr_err("the guard stays off, no memory for its counters\n");
		return;
	}
	eb_dir = debugfs_create_dir("btrfs_eb_debug", NULL);
	debugfs_create_file("stats", 0444, eb_dir, NULL, &stats_fops);
	debugfs_create_file("coverage", 0444, eb_dir, NULL, &coverage_fops);
	debugfs_create_file("buffers", 0400, eb_dir, NULL, &btrfs_eb_buffers_fops);

	mutex_lock(&eb_switch_mutex);
	eb_ready = true;
	eb_switch(eb_wanted);
	mutex_unlock(&eb_switch_mutex);
}

/* Undo btrfs_eb_debug_init(). */
void btrfs_eb_debug_exit(void)
{
	mutex_lock(&eb_switch_mutex);
	eb_switch(false);
	eb_ready = false;
	mutex_unlock(&eb_switch_mutex);
	debugfs_remove_recursive(eb_dir);
	free_percpu(eb_counts);
}
