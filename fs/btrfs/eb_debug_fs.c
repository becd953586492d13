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
#include <linux/seq_file.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"
#include "eb_debug_sites.h"

DEFINE_STATIC_KEY_FALSE(btrfs_eb_debug_key);
DEFINE_STATIC_KEY_FALSE(btrfs_eb_note_key);

/* Verdicts that may be on their way to the console at the same time. */
#define EB_VERDICTS	4
/* Pairs of rule and site that are remembered as reported. */
#define EB_SAID		64

struct eb_counts __percpu *btrfs_eb_counts;
static struct dentry *eb_dir;

/* 0 while the guard is off; never the same number twice. */
u32 btrfs_eb_epoch;
static atomic_t eb_last_epoch;
enum eb_level btrfs_eb_level;
static bool eb_ready;
/* There was no memory to be ready. */
static bool eb_poor;
static enum eb_level eb_wanted = EB_LEVEL_GUARD;
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
		/* With the stack of who took the reference. */
		bool stack;
	} what[EB_SAID];
} eb_debug_said = {
	.lock = __SPIN_LOCK_UNLOCKED(eb_debug_said.lock),
};

static struct eb_verdict eb_verdicts[EB_VERDICTS];

/* Held by somebody; true also where a spinlock leaves no trace of being held. */
static bool lock_held(const spinlock_t *lock)
{
#ifdef CONFIG_LOCKDEP
	return lockdep_is_held(lock);
#else
	return (!IS_ENABLED(CONFIG_SMP) && !IS_ENABLED(CONFIG_DEBUG_SPINLOCK)) ||
	       spin_is_locked((spinlock_t *)lock);
#endif
}

/* What structures hold of a buffer, which nobody can hold any more. */
static unsigned int held_by_structures(const struct extent_buffer *eb)
{
	unsigned int kind, held = 0;

	for (kind = 0; kind < EB_KIND_STRUCTURES; kind++)
		held += btrfs_eb_core_structures(&eb->debug, kind);
	return held;
}

/* The same of tasks: what they hold is not there any more, which is remembered. */
static unsigned int held_by_tasks(const struct extent_buffer *eb)
{
	unsigned int held = btrfs_eb_owner_held(eb, eb->debug.serial);

	if (unlikely(held))
		btrfs_eb_live_gone_held();
	return held;
}

/**
 * btrfs_eb_look - take the look at a buffer that the core judges by
 * @look: where to; the address of the hook and the epoch are the caller's
 * @eb: the buffer
 * @event: what happens to it
 * @site: where
 *
 * Context: any.
 */
void btrfs_eb_look(struct eb_look *look, const struct extent_buffer *eb,
		   enum eb_debug_event event, enum eb_debug_site site)
{
	unsigned int held;

	look->task = in_task() ? current : NULL;
	look->site = site;
	look->flags = eb_base_flags(eb);
	look->refs = eb_base_refs(eb);
	look->io_pages = eb_base_io_pages(eb);
	look->read_holds = EB_BASE_READ_HOLDS;
	look->write_tests = EB_BASE_WRITE_TESTS;

	switch (event) {
	case EB_EVENT_TREE_REF_CLEAR:
		look->tested = eb->debug.section & EB_SECTION_TESTED;
		fallthrough;
	case EB_EVENT_REFS_LOCK:
	case EB_EVENT_READING_CLEAR:
	case EB_EVENT_READ_PUT:
	case EB_EVENT_PUT_LOCKED:
		look->locked = lock_held(&eb->refs_lock);
		break;
	case EB_EVENT_PUT:
		look->own_lock = look->task &&
				 eb_base_locked_by(eb, current->pid);
		break;
	case EB_EVENT_LAST_PUT:
		look->write_locked = eb_base_write_locked(eb);
		look->on_list = eb_base_on_list(eb);
		held = held_by_tasks(eb);
		if (!btrfs_eb_core_complete(&eb->debug, look->epoch))
			break;
		look->owned = EB_OWNED;
		look->held = held + held_by_structures(eb);
		break;
	case EB_EVENT_FREE:
		look->in_tree = eb_base_in_tree(eb);
		break;
	case EB_EVENT_IO_END:
		look->arg = blk_status_to_errno((__force blk_status_t)look->arg);
		break;
	case EB_EVENT_IO_ARM:
		look->tested = eb->debug.reading_tested;
		fallthrough;
	case EB_EVENT_IO_SUBMIT:
		look->fs_error = eb_base_fs_error(eb);
		break;
	case EB_EVENT_MARKS:
		look->in_tree = eb_base_in_tree(eb);
		look->marks = eb_base_marks(eb);
		break;
	default:
		break;
	}
}

/* Where this rule and site are remembered; under the lock. */
static unsigned int place_said(enum eb_rule rule, unsigned long ip)
{
	unsigned int i;

	for (i = 0; i < eb_debug_said.nr; i++)
		if (eb_debug_said.what[i].rule == rule &&
		    eb_debug_said.what[i].ip == ip)
			break;
	return i;
}

/*
 * Once per rule and site, until clear_warn_once is written or a mount begins; and once
 * more if the stack is known now, of what a suspect has taken.
 */
static bool is_news(const struct eb_verdict *verdict)
{
	bool stack = verdict->owner_stack;
	unsigned long flags;
	unsigned int i;
	bool news;

	spin_lock_irqsave(&eb_debug_said.lock, flags);
	if (eb_base_rearmed())
		eb_debug_said.nr = 0;
	i = place_said(verdict->rule, verdict->blamed_ip);
	if (i < eb_debug_said.nr) {
		news = stack && !eb_debug_said.what[i].stack;
		eb_debug_said.what[i].stack |= stack;
	} else if (i < EB_SAID) {
		news = true;
		eb_debug_said.what[i].rule = verdict->rule;
		eb_debug_said.what[i].ip = verdict->blamed_ip;
		eb_debug_said.what[i].stack = stack;
		eb_debug_said.nr++;
	} else {
		news = false;
		eb_count(EB_COUNT_DROPPED);
	}
	spin_unlock_irqrestore(&eb_debug_said.lock, flags);
	return news;
}

/* Room for a verdict, NULL if too many are being printed. */
struct eb_verdict *btrfs_eb_verdict_get(void)
{
	static atomic_t nr;
	int i;

	for (i = 0; i < EB_VERDICTS; i++) {
		struct eb_verdict *verdict = &eb_verdicts[i];

		if (test_and_set_bit_lock(0, &verdict->busy))
			continue;
		verdict->nr = atomic_inc_return(&nr);
		WRITE_ONCE(verdict->task, current);
		return verdict;
	}
	eb_count(EB_COUNT_DROPPED);
	return NULL;
}

/* Its memory is used for another one from now on. */
void btrfs_eb_verdict_put(struct eb_verdict *verdict)
{
	WRITE_ONCE(verdict->task, NULL);
	clear_bit_unlock(0, &verdict->busy);
}

/**
 * btrfs_eb_debug_said - the hook has printed what it was given
 *
 * That is the newest verdict of this task: an interrupt that had something to say
 * meanwhile has said it.
 *
 * Context: that of the hook.
 */
void btrfs_eb_debug_said(void)
{
	struct eb_verdict *newest = NULL;
	int i;

	for (i = 0; i < EB_VERDICTS; i++) {
		struct eb_verdict *verdict = &eb_verdicts[i];

		if (READ_ONCE(verdict->task) == current &&
		    (!newest || (int)(verdict->nr - newest->nr) > 0))
			newest = verdict;
	}
	if (newest)
		btrfs_eb_verdict_put(newest);
}

/**
 * btrfs_eb_verdict_fill - copy all that a report needs
 * @verdict: where to
 * @rule: the rule that is broken
 * @eb: the buffer; it may be gone when the report is printed
 * @look: the look that it was judged by
 * @held: the reference that this is about, NULL or without a site if none
 *
 * Context: any.
 */
void btrfs_eb_verdict_fill(struct eb_verdict *verdict, enum eb_rule rule,
			   const struct extent_buffer *eb,
			   const struct eb_look *look,
			   const struct eb_held *held)
{
	const struct btrfs_eb_debug *rec = &eb->debug;

	verdict->rule = rule;
	verdict->look = *look;
	btrfs_eb_live_show(&verdict->shown, eb);
	btrfs_eb_who(&verdict->shown, 1);
	verdict->armed_ip = eb_address(READ_ONCE(rec->armed_at), look->ip);
	verdict->submitted_ip = eb_address(READ_ONCE(rec->submitted_at),
					   look->ip);
	verdict->owner_ip = held ? eb_address(held->site, look->ip) : 0;
	verdict->owner_stack = held ? held->stack : 0;
	verdict->others = 0;
	verdict->now = eb_now();
	verdict->has_history = rec->history;
	if (rec->history) {
		/* Others may write to it meanwhile; a torn entry is only words. */
		verdict->history = data_race(*rec->history);
	}
}

/* A rule is broken: count it and tell those who trace. */
void btrfs_eb_violation(struct extent_buffer *eb, const struct eb_look *look,
			enum eb_rule rule)
{
	this_cpu_inc(btrfs_eb_counts->broken[rule]);
	btrfs_eb_trace_violation(eb, look, rule);
}

/**
 * btrfs_eb_verdict_pronounce - find out whom to blame, and whether that is news
 * @verdict: filled in; completed, or given back if it is not to be printed
 *
 * If it is news, what belongs before the report is printed here.
 *
 * Context: any; walks the stack.
 * Return: what the hook has to print, or NULL.
 */
const char *btrfs_eb_verdict_pronounce(struct eb_verdict *verdict)
{
	btrfs_eb_blame(verdict);
	if (!is_news(verdict)) {
		btrfs_eb_verdict_put(verdict);
		return NULL;
	}
	btrfs_eb_state_facts(verdict);
	eb_count(EB_COUNT_REPORTS);
	btrfs_eb_tell_background(verdict);
	return verdict->text;
}

/* Rules that can't be kept apart from places without a hook are only counted. */
static u64 only_counted(void)
{
	return EB_BASE_COUNT_ONLY |
	       (EB_DEBUG_UNHOOKED_SITES ? EB_RULES_OF_OWNERS : 0);
}

/* A number that no epoch had before. */
u32 btrfs_eb_new_epoch(void)
{
	return atomic_inc_return(&eb_last_epoch);
}

/* Returns what the hook has to print, or NULL to leave it at counts. */
static const char *convict(struct extent_buffer *eb, const struct eb_look *look,
			   const struct eb_judgement *judgement,
			   const struct eb_held *held)
{
	struct eb_verdict *verdict;
	enum eb_rule rule;

	if (eb->debug.distrusted) {
		eb_count(EB_COUNT_DISTRUSTED);
		return NULL;
	}
	btrfs_eb_violation(eb, look, judgement->broken);
	rule = btrfs_eb_core_reported(judgement, only_counted());
	if (rule == EB_RULE_NONE)
		return NULL;
	if (rule != judgement->broken)
		btrfs_eb_violation(eb, look, rule);

	verdict = btrfs_eb_verdict_get();
	if (!verdict)
		return NULL;
	eb->debug.distrusted = true;
	btrfs_eb_verdict_fill(verdict, rule, eb, look, held);
	return btrfs_eb_verdict_pronounce(verdict);
}

static void note_and_trace(const struct extent_buffer *eb,
			   const struct eb_look *look,
			   const struct eb_judgement *judgement)
{
	struct eb_history *history = READ_ONCE(eb->debug.history);

	if (history && !judgement->quiet)
		btrfs_eb_core_note(history, judgement->event, look->refs,
				   look->flags, look->ip, eb_now());
	/* Whoever enables an event has turned the key, and not he alone. */
	if (static_branch_unlikely(&btrfs_eb_note_key) &&
	    READ_ONCE(btrfs_eb_trace_epoch) &&
	    (!judgement->quiet || tracepoint_enabled(btrfs_eb_step)))
		btrfs_eb_trace(eb, look, judgement->event, judgement->quiet);
}

/**
 * btrfs_eb_conclude - count what was judged, note it, and convict
 * @eb: the buffer
 * @look: the look that the core had
 * @judgement: what the core says
 * @held: the reference that this is about, NULL if none
 *
 * What was not seen by the guard is of those who trace, and is no more than told.
 *
 * Context: that of the hook.
 * Return: what the hook must print, see eb_debug_say(), or NULL.
 */
const char *btrfs_eb_conclude(struct extent_buffer *eb,
			      const struct eb_look *look,
			      const struct eb_judgement *judgement,
			      const struct eb_held *held)
{
	u64 judged = judgement->judged;
	u32 counts = judgement->counts;

	note_and_trace(eb, look, judgement);
	if (unlikely(look->epoch != READ_ONCE(btrfs_eb_epoch)))
		return NULL;
	eb_count(EB_COUNT_EVENTS);
	for (; counts; counts &= counts - 1)
		eb_count(__ffs(counts));
	for (; judged; judged &= judged - 1)
		this_cpu_inc(btrfs_eb_counts->judged[__ffs64(judged)][look->site]);
	if (likely(judgement->broken == EB_RULE_NONE))
		return NULL;
	return convict(eb, look, judgement, held);
}

static noinline const char *judge_event(struct extent_buffer *eb,
					enum eb_debug_event event,
					enum eb_debug_site site, int arg,
					unsigned long ip)
{
	struct eb_look look = { .arg = arg, .ip = ip };
	struct eb_judgement judgement = { };

	look.epoch = eb_core_epoch();
	if (!look.epoch)
		return NULL;
	if (EB_DEBUG_DISTRUST_ON(!eb->debug.live.next))
		return NULL;
	btrfs_eb_look(&look, eb, event, site);
	btrfs_eb_core_event(&eb->debug, &look, event, &judgement);
	if (judgement.event == EB_EVENT_TREE_REF_SET && !judgement.quiet) {
		eb->debug.kinds[EB_KIND_TREE].at = look.ip;
		eb->debug.kinds[EB_KIND_TREE].when = jiffies;
	}
	return btrfs_eb_conclude(eb, &look, &judgement, NULL);
}

/**
 * btrfs_eb_debug_event - a hook tells what happened to a buffer
 * @eb: the buffer
 * @event: what happened
 * @site: where
 * @arg: what the event says beside that
 *
 * Context: that of the hook, see include/linux/eb_debug.h.
 * Return: what the hook must print, see eb_debug_say(), or NULL.
 */
const char *btrfs_eb_debug_event(struct extent_buffer *eb,
				 enum eb_debug_event event,
				 enum eb_debug_site site, int arg)
{
	return judge_event(eb, event, site, arg, _RET_IP_);
}

/**
 * btrfs_eb_debug_private - a page got a buffer as its private, or has lost it
 * @eb: the buffer
 * @lock: what must be held for that
 *
 * Context: that of the hook.
 * Return: as btrfs_eb_debug_event().
 */
const char *btrfs_eb_debug_private(struct extent_buffer *eb,
				   const spinlock_t *lock)
{
	/* The pages of a clone or a dummy belong to nobody else, and to no mapping. */
	if (eb_base_flags(eb) & EB_FLAG_UNMAPPED)
		return NULL;
	return judge_event(eb, EB_EVENT_PRIVATE, EB_SITE_TREE, lock_held(lock),
			   _RET_IP_);
}

/**
 * btrfs_eb_debug_refs_lock - a section under refs_lock begins
 * @eb: the buffer
 *
 * Context: refs_lock.
 */
void btrfs_eb_debug_refs_lock(struct extent_buffer *eb)
{
	u32 epoch = eb_core_epoch();

	if (!epoch)
		return;
	btrfs_eb_core_section_open(&eb->debug, in_task() ? current : NULL,
				   epoch, eb_base_tree_ref(eb),
				   lock_held(&eb->refs_lock));
	if (tracepoint_enabled(btrfs_eb_step))
		btrfs_eb_trace_step(eb, EB_EVENT_REFS_LOCK, _RET_IP_);
}

/**
 * btrfs_eb_debug_release_refused - reclaim leaves the buffer alone
 * @eb: the buffer
 * @site: where
 * @why: the reason
 *
 * Reclaim may come this way again and again, so without history and trace it is
 * only counted.
 *
 * Context: refs_lock.
 * Return: as btrfs_eb_debug_event().
 */
const char *btrfs_eb_debug_release_refused(struct extent_buffer *eb,
					   enum eb_debug_site site,
					   enum eb_debug_refusal why)
{
	if (static_branch_unlikely(&btrfs_eb_note_key))
		return judge_event(eb, EB_EVENT_RELEASE_REFUSED, site, why,
				   _RET_IP_);
	if (READ_ONCE(btrfs_eb_epoch))
		eb_count(why == EB_BUSY ? EB_COUNT_RELEASE_BUSY :
					  EB_COUNT_RELEASE_NO_TREE_REF);
	return NULL;
}

/**
 * btrfs_eb_debug_dirty - a buffer was made dirty, by which nothing is judged
 * @eb: the buffer
 *
 * Context: that of the hook.
 */
void btrfs_eb_debug_dirty(struct extent_buffer *eb)
{
	struct eb_history *history = READ_ONCE(eb->debug.history);

	if (history && READ_ONCE(btrfs_eb_epoch))
		btrfs_eb_core_note(history, EB_EVENT_DIRTY, eb_base_refs(eb),
				   eb_base_flags(eb), _RET_IP_, eb_now());
	if (tracepoint_enabled(btrfs_eb_dirty)) {
		struct eb_look look = { .ip = _RET_IP_ };

		btrfs_eb_look(&look, eb, EB_EVENT_DIRTY, EB_SITE_TREE);
		btrfs_eb_trace(eb, &look, EB_EVENT_DIRTY, false);
	}
}

/**
 * btrfs_eb_debug_mark - something happened that is only remembered for a later judgement
 * @eb: the buffer, at which nobody has to look
 * @event: what happened
 *
 * Context: that of the hook.
 */
void btrfs_eb_debug_mark(struct extent_buffer *eb, enum eb_debug_event event)
{
	struct eb_look look = {
		.task = in_task() ? current : NULL,
		.epoch = eb_core_epoch(),
	};
	struct eb_judgement judgement = { };

	if (look.epoch)
		btrfs_eb_core_event(&eb->debug, &look, event, &judgement);
	if (tracepoint_enabled(btrfs_eb_step))
		btrfs_eb_trace_step(eb, event, _RET_IP_);
}

/**
 * btrfs_eb_debug_lookup - a lookup is about to hand a buffer out
 * @eb: the buffer
 * @token: what btrfs_eb_debug_lookup_stale() filled in
 *
 * Context: the task that looks up.
 * Return: as btrfs_eb_debug_event().
 */
const char *btrfs_eb_debug_lookup(struct extent_buffer *eb,
				  const struct btrfs_eb_token *token)
{
	struct eb_look look = { .ip = _RET_IP_ };
	struct eb_judgement judgement = { };

	look.epoch = READ_ONCE(btrfs_eb_epoch);
	if (!look.epoch || token->epoch != look.epoch || !token->stale)
		return NULL;
	btrfs_eb_look(&look, eb, EB_EVENT_LOOKUP, EB_SITE_LOOKUP);
	btrfs_eb_core_lookup(&eb->debug, &look, token, &judgement);
	return btrfs_eb_conclude(eb, &look, &judgement, NULL);
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

/* Let every rule report once more. */
void btrfs_eb_debug_mount(void)
{
	unsigned long flags;

	spin_lock_irqsave(&eb_debug_said.lock, flags);
	eb_debug_said.nr = 0;
	spin_unlock_irqrestore(&eb_debug_said.lock, flags);
}

static u64 sum_of(const u64 __percpu *counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(counter, cpu));
	return sum;
}

/* What the hooks in line have judged, of which nothing was unusual. */
static u64 usually_judged(enum eb_rule rule, enum eb_debug_site site)
{
	switch (rule) {
	case EB_RULE_PUT_WITHOUT_REFERENCE:
	case EB_RULE_PUT_LOCKED:
		return sum_of(&btrfs_eb_hot.puts[site]);
	case EB_RULE_LEFT_IN_PATH:
		return site == EB_SITE_TREE ?
		       sum_of(&btrfs_eb_hot.path_frees) : 0;
	case EB_RULE_LEFT_BY_TASK:
		return site == EB_SITE_TREE ?
		       sum_of(&btrfs_eb_hot.task_ends) : 0;
	default:
		return 0;
	}
}

static u64 judged_sum(enum eb_rule rule, enum eb_debug_site site)
{
	return sum_of(&btrfs_eb_counts->judged[rule][site]) +
	       usually_judged(rule, site);
}

static u64 usually_counted(enum eb_count count)
{
	u64 sum = 0;
	int site;

	switch (count) {
	case EB_COUNT_GETS:
		return sum_of(&btrfs_eb_hot.gets);
	case EB_COUNT_PUTS:
		for (site = 0; site < EB_SITE_COUNT; site++)
			sum += sum_of(&btrfs_eb_hot.puts[site]);
		return sum;
	case EB_COUNT_PATH_FREES:
		return sum_of(&btrfs_eb_hot.path_frees);
	case EB_COUNT_TASK_ENDS:
		return sum_of(&btrfs_eb_hot.task_ends);
	default:
		return 0;
	}
}

static u64 counted_sum(enum eb_count count)
{
	return sum_of(&btrfs_eb_counts->count[count]) + usually_counted(count);
}

/* At unmount, if that is asked for. */
void btrfs_eb_tell_coverage(void)
{
	int rule, site;

	if (!READ_ONCE(eb_coverage))
		return;
	for (rule = EB_RULE_NONE + 1; rule < EB_RULE_COUNT; rule++)
		for (site = 0; site < EB_SITE_COUNT; site++)
			if (judged_sum(rule, site))
				pr_info("judged %s at %s %llu times\n",
					btrfs_eb_rule_name(rule),
					btrfs_eb_site_name(site),
					judged_sum(rule, site));
}

static int stats_show(struct seq_file *m, void *v)
{
	u64 judged;
	int i, site;

	seq_printf(m, "on: %d\n", READ_ONCE(btrfs_eb_epoch) != 0);
	seq_printf(m, "buffers: %lu\n", btrfs_eb_live_count());
	seq_printf(m, "tasks: %u\n", btrfs_eb_owner_tasks());
	seq_printf(m, "table_bytes: %zu\n", EB_TASKS * sizeof(struct eb_task));
	for (i = 0; i < EB_COUNT_COUNT; i++)
		seq_printf(m, "%s: %llu\n", btrfs_eb_count_name(i),
			   counted_sum(i));
	for (i = EB_RULE_NONE + 1; i < EB_RULE_COUNT; i++) {
		judged = 0;
		for (site = 0; site < EB_SITE_COUNT; site++)
			judged += judged_sum(i, site);
		seq_printf(m, "judged_%s: %llu\n", btrfs_eb_rule_name(i),
			   judged);
	}
	for (i = EB_RULE_NONE + 1; i < EB_RULE_COUNT; i++)
		seq_printf(m, "broken_%s: %llu\n", btrfs_eb_rule_name(i),
			   sum_of(&btrfs_eb_counts->broken[i]));
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

/**
 * btrfs_eb_debug_more - somebody wants more than to judge, or does not any more
 * @who: who
 * @wanted: more
 *
 * Context: process context, may sleep.
 */
void btrfs_eb_debug_more(enum eb_more who, bool wanted)
{
	static DEFINE_MUTEX(eb_more_mutex);
	static bool wants[EB_MORE_COUNT];

	mutex_lock(&eb_more_mutex);
	if (wanted && !wants[who])
		static_branch_inc(&btrfs_eb_note_key);
	else if (!wanted && wants[who])
		static_branch_dec(&btrfs_eb_note_key);
	wants[who] = wanted;
	mutex_unlock(&eb_more_mutex);
}

/* The epoch is last on the way up and first on the way down. */
static void eb_switch(enum eb_level level)
{
	static bool live;

	lockdep_assert_held(&eb_switch_mutex);
	WRITE_ONCE(btrfs_eb_level, level);
	btrfs_eb_debug_more(EB_MORE_LEVEL, level >= EB_LEVEL_HISTORY);
	if (level != EB_LEVEL_OFF) {
		if (!live)
			static_branch_inc(&btrfs_eb_debug_key);
		if (!READ_ONCE(btrfs_eb_epoch))
			WRITE_ONCE(btrfs_eb_epoch, btrfs_eb_new_epoch());
	} else {
		WRITE_ONCE(btrfs_eb_epoch, 0);
		if (live)
			static_branch_dec(&btrfs_eb_debug_key);
	}
	live = level != EB_LEVEL_OFF;
	btrfs_eb_table_epoch();
}

/* To a level that may want memory: 0, or -ENOMEM and all is as before. */
static int eb_try_switch(enum eb_level level)
{
	int ret = level >= EB_LEVEL_STACKS ? btrfs_eb_stack_init() : 0;

	if (!ret)
		eb_switch(level);
	return ret;
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
	if (!xchg(&btrfs_eb_epoch, 0))
		return;
	btrfs_eb_table_epoch();
	pr_err("the guard is turned off, its own check failed: %s\n", why);
}

/* A level by its name; on and off also as all boolean parameters have them. */
static int level_of(const char *val)
{
	int level;
	bool on;

	for (level = 0; level < EB_LEVEL_COUNT; level++)
		if (sysfs_streq(val, btrfs_eb_level_name(level)))
			return level;
	if (kstrtobool(val, &on))
		return -EINVAL;
	return on ? EB_LEVEL_GUARD : EB_LEVEL_OFF;
}

static int eb_level_set(const char *val, const struct kernel_param *kp)
{
	int level = level_of(val);
	int ret = 0;

	if (level < 0)
		return level;
	mutex_lock(&eb_switch_mutex);
	if (eb_ready)
		ret = eb_try_switch(level);
	else if (eb_poor && level != EB_LEVEL_OFF)
		ret = -ENOMEM;
	else
		eb_wanted = level;
	mutex_unlock(&eb_switch_mutex);
	return ret;
}

static int eb_level_get(char *buf, const struct kernel_param *kp)
{
	enum eb_level level = READ_ONCE(btrfs_eb_epoch) ?
			      READ_ONCE(btrfs_eb_level) : EB_LEVEL_OFF;

	return sysfs_emit(buf, "%s\n", btrfs_eb_level_name(level));
}

static const struct kernel_param_ops eb_debug_ops = {
	.set = eb_level_set,
	.get = eb_level_get,
};

module_param_cb(eb_debug, &eb_debug_ops, NULL, 0644);
MODULE_PARM_DESC(eb_debug, "extent buffer guard: off, guard, history or stacks");
module_param_named(eb_debug_coverage, eb_coverage, bool, 0644);
MODULE_PARM_DESC(eb_debug_coverage,
		 "tell at each unmount which rule was judged how often");

/* Make the guard ready; see eb_debug_init(). */
void btrfs_eb_debug_init(void)
{
	btrfs_eb_clock_start();
	btrfs_eb_counts = alloc_percpu(struct eb_counts);
	if (!btrfs_eb_counts || btrfs_eb_table_init()) {
		pr_err("the guard stays off, no memory for its counters and owners\n");
		free_percpu(btrfs_eb_counts);
		btrfs_eb_counts = NULL;
		mutex_lock(&eb_switch_mutex);
		eb_poor = true;
		mutex_unlock(&eb_switch_mutex);
		return;
	}
	eb_dir = debugfs_create_dir("btrfs_eb_debug", NULL);
	debugfs_create_file("stats", 0400, eb_dir, NULL, &stats_fops);
	debugfs_create_file("coverage", 0400, eb_dir, NULL, &coverage_fops);
	debugfs_create_file("buffers", 0400, eb_dir, NULL, &btrfs_eb_buffers_fops);
	debugfs_create_file("owners", 0600, eb_dir, NULL, &btrfs_eb_owners_fops);
	btrfs_eb_points_init(eb_dir);

	mutex_lock(&eb_switch_mutex);
	eb_ready = true;
	if (eb_try_switch(eb_wanted)) {
		pr_err("no memory for stacks, the level is history\n");
		eb_switch(EB_LEVEL_HISTORY);
	}
	mutex_unlock(&eb_switch_mutex);
}

/* Undo btrfs_eb_debug_init(). */
void btrfs_eb_debug_exit(void)
{
	if (!btrfs_eb_counts)
		return;
	mutex_lock(&eb_switch_mutex);
	eb_switch(EB_LEVEL_OFF);
	eb_ready = false;
	mutex_unlock(&eb_switch_mutex);
	debugfs_remove_recursive(eb_dir);
	btrfs_eb_points_exit();
	btrfs_eb_owner_exit();
	free_percpu(btrfs_eb_counts);
}
