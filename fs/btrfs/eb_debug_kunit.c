// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the extent buffer guard: does the core judge right, by the sequences of
 * eb_debug_kunit.h, and does the ledger know who holds what?
 */

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_kunit.h"
#include "eb_debug_fast.h"

static void run_sequence(struct kunit *test, const struct eb_sequence *seq)
{
	struct btrfs_eb_debug rec = { };
	u64 judged = 0;
	unsigned int i;

	for (i = 0; i < seq->nr; i++) {
		bool last = i == seq->nr - 1;
		struct eb_judgement judgement;

		tell(&rec, &seq->steps[i], &judgement);
		judged |= judgement.judged;
		KUNIT_EXPECT_EQ_MSG(test, (int)judgement.broken,
				    last ? (int)seq->broken : EB_RULE_NONE,
				    "%s, step %u", seq->name, i);
	}
	if (seq->judged != EB_RULE_NONE)
		KUNIT_EXPECT_TRUE_MSG(test, judged & BIT_ULL(seq->judged),
				      "%s: its rule was not judged", seq->name);
}

static void eb_test_sequences(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sequences); i++)
		run_sequence(test, &sequences[i]);
}

/* Every rule that the core judges by events has both kinds of sequence. */
static void eb_test_both_halves(struct kunit *test)
{
	u64 legal = 0, illegal = 0;
	u64 all = GENMASK_ULL(EB_RULE_COUNT - 1, EB_RULE_NONE + 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sequences); i++) {
		struct btrfs_eb_debug rec = { };
		unsigned int step;

		for (step = 0; step < sequences[i].nr; step++) {
			struct eb_judgement judgement;

			tell(&rec, &sequences[i].steps[step], &judgement);
			illegal |= BIT_ULL(judgement.broken);
			if (judgement.broken == EB_RULE_NONE)
				legal |= judgement.judged;
		}
	}
	/* This one is judged at the end of a lookup, see below. */
	all &= ~BIT_ULL(EB_RULE_STALE_LOOKUP_UNLOCKED);
	EXPECT_EQ(test, legal & all, all);
	EXPECT_EQ(test, illegal & all, all);
}

static void run_lookup(struct kunit *test, const struct eb_lookup_case *c)
{
	struct eb_step section = STEP(REFS_LOCK, TREE, 3, 0,
				      .unlocked = c->unlocked_section);
	static const struct eb_step taken_back = STEP(NEW_BLOCK, TREE, 3, 0);
	struct btrfs_eb_token token = {
		.epoch = c->epoch,
		.stale = c->stale_before,
	};
	struct eb_look look = look_of(&taken_back);
	struct btrfs_eb_debug rec = { };
	struct eb_judgement judgement;

	if (c->section || c->unlocked_section)
		tell(&rec, &section, &judgement);
	if (c->taken_back)
		tell(&rec, &taken_back, &judgement);
	if (c->stale_after)
		look.flags |= EB_FLAG_STALE;

	memset(&judgement, 0, sizeof(judgement));
	btrfs_eb_core_lookup(&rec, &look, &token, &judgement);
	KUNIT_EXPECT_EQ_MSG(test, judgement.judged != 0, (int)c->judged, "%s",
			    c->name);
	KUNIT_EXPECT_EQ_MSG(test, judgement.broken != EB_RULE_NONE,
			    (int)c->broken, "%s", c->name);
}

static void eb_test_lookups(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lookups); i++)
		run_lookup(test, &lookups[i]);
}

/* What is healed by the dance is a statistic, told apart from a first set. */
static void eb_test_repair(struct kunit *test)
{
	static const struct eb_step lost = STEP(REFS_LOCK, 0, 1, 4);
	static const struct eb_step repaired = STEP(TREE_REF_SET, TREE, 2, 4);
	static const struct eb_step set = STEP(TREE_REF_SET, TREE, 2, 0);
	struct btrfs_eb_debug rec = { };
	struct eb_judgement judgement;

	tell(&rec, &lost, &judgement);
	tell(&rec, &repaired, &judgement);
	KUNIT_EXPECT_TRUE(test, judgement.counts & BIT(EB_COUNT_REPAIRS));
	EXPECT_EQ(test, (int)judgement.broken, EB_RULE_NONE);

	tell(&rec, &lost, &judgement);
	tell(&rec, &set, &judgement);
	KUNIT_EXPECT_FALSE(test, judgement.counts & BIT(EB_COUNT_REPAIRS));
}

/* What reclaim leaves alone is counted by the reason. */
static void eb_test_refused(struct kunit *test)
{
	static const struct eb_step busy =
		STEP(RELEASE_REFUSED, TREE, 2, 0, RECLAIM, .look.arg = EB_BUSY);
	static const struct eb_step no_tree_ref =
		STEP(RELEASE_REFUSED, 0, 1, 0, RECLAIM, .look.arg = EB_NO_TREE_REF);
	struct btrfs_eb_debug rec = { };
	struct eb_judgement judgement;

	tell(&rec, &busy, &judgement);
	EXPECT_EQ(test, judgement.counts, BIT(EB_COUNT_RELEASE_BUSY));
	tell(&rec, &no_tree_ref, &judgement);
	EXPECT_EQ(test, judgement.counts, BIT(EB_COUNT_RELEASE_NO_TREE_REF));
}

/* Only a task can owe the IO: of a write that is armed outside of one nobody asks that. */
static void eb_test_no_debt(struct kunit *test)
{
	static const struct eb_step debt = HANDED_OVER;
	static const struct eb_step paid =
		STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE);
	static const struct eb_step irq =
		STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE, .by = BY_IRQ);
	struct btrfs_eb_debug rec = { };
	struct eb_judgement judgement;

	tell(&rec, &debt, &judgement);
	tell(&rec, &paid, &judgement);
	KUNIT_EXPECT_TRUE(test, judgement.judged & BIT_ULL(EB_RULE_WRITEBACK_WITHOUT_IO));
	tell(&rec, &irq, &judgement);
	KUNIT_EXPECT_FALSE(test, judgement.judged & BIT_ULL(EB_RULE_WRITEBACK_WITHOUT_IO));
}

/* What is only counted hides no other rule that is broken by the same event. */
static void eb_test_hidden(struct kunit *test)
{
	static const struct eb_step both = STEP(LAST_PUT, EB_FLAG_DIRTY, 0, 4);
	const u64 io = BIT_ULL(EB_RULE_FREED_UNDER_IO);
	const u64 dirty = BIT_ULL(EB_RULE_FREED_DIRTY);
	struct btrfs_eb_debug rec = { };
	struct eb_judgement judgement;

	tell(&rec, &both, &judgement);
	EXPECT_EQ(test, btrfs_eb_core_reported(&judgement, 0), EB_RULE_FREED_UNDER_IO);
	EXPECT_EQ(test, btrfs_eb_core_reported(&judgement, dirty), EB_RULE_FREED_UNDER_IO);
	EXPECT_EQ(test, btrfs_eb_core_reported(&judgement, io), EB_RULE_FREED_DIRTY);
	EXPECT_EQ(test, btrfs_eb_core_reported(&judgement, io | dirty), EB_RULE_NONE);
}

/* The history is a ring, and what does not fit is cut, not wrapped. */
static void eb_test_history(struct kunit *test)
{
	struct eb_history *history;
	int i;

	history = kunit_kzalloc(test, sizeof(*history), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, history);
	for (i = 0; i <= EB_HISTORY; i++)
		btrfs_eb_core_note(history, EB_EVENT_DIRTY, 70000, TREE, 7, i);
	EXPECT_EQ(test, history->ring[0].now, EB_HISTORY);
	EXPECT_EQ(test, history->ring[1].now, 1);
	EXPECT_EQ(test, history->ring[0].refs, 0xffff);
	EXPECT_EQ(test, history->ring[0].flags, TREE);
	EXPECT_EQ(test, history->ring[0].event, EB_EVENT_DIRTY + 1);
}

/* Addresses that are only compared. */
static const struct extent_buffer eb_test_buffers[2];
static const struct btrfs_path eb_test_paths[2];

static struct eb_task *empty_list(struct kunit *test)
{
	struct eb_task *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	eb_ledger_init(t);
	return t;
}

static void take(struct kunit *test, struct eb_task *t, int buffer,
		 const struct btrfs_path *path, u32 site)
{
	struct eb_held *held;

	KUNIT_ASSERT_FALSE(test, eb_ledger_full(t));
	held = eb_ledger_add(t, &eb_test_buffers[buffer], 0, EB_KIND_LOOKUP,
			     site);
	held->path = path;
	eb_ledger_added(t, held);
}

static u32 give_back(struct eb_task *t, int buffer,
		     const struct btrfs_path *path)
{
	struct eb_held *held = eb_ledger_find(t, &eb_test_buffers[buffer], path);
	u32 site = held ? held->site : 0;

	if (held)
		eb_ledger_put(t, held, 99);
	return site;
}

/* Of several references to one buffer, the right one is given back. */
static void eb_test_ledger(struct kunit *test)
{
	const struct btrfs_path *path = &eb_test_paths[0];
	struct eb_task *t = empty_list(test);

	take(test, t, 0, path, 1);
	take(test, t, 0, NULL, 2);
	take(test, t, 1, NULL, 3);
	take(test, t, 0, &eb_test_paths[1], 4);

	EXPECT_EQ(test, give_back(t, 0, NULL), 2);
	t->releasing = path;
	EXPECT_EQ(test, give_back(t, 0, path), 1);
	/* What is left is in another path, whose release has a reason for doubt. */
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    (void *)eb_ledger_doubt(t, &eb_test_buffers[0], 0));
	EXPECT_EQ(test, give_back(t, 0, NULL), 4);
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    (void *)eb_ledger_doubt(t, &eb_test_buffers[0], 0));
	t->releasing = &eb_test_paths[1];
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, eb_ledger_doubt(t, &eb_test_buffers[0], 0));
	EXPECT_EQ(test, eb_ledger_doubt(t, &eb_test_buffers[0], 0)->site, 99);
	EXPECT_EQ(test, give_back(t, 0, NULL), 0);
	EXPECT_EQ(test, give_back(t, 1, NULL), 3);
	KUNIT_EXPECT_TRUE(test, eb_ledger_empty(t));

	/* One more for a moment is not what others give back. */
	take(test, t, 0, path, 5);
	take(test, t, 0, EB_EXTRA, 6);
	EXPECT_EQ(test, give_back(t, 0, NULL), 5);
	take(test, t, 0, path, 7);
	EXPECT_EQ(test, give_back(t, 0, EB_EXTRA), 6);
	EXPECT_EQ(test, give_back(t, 0, path), 7);

	/* Of two such the newest, if there is no other. */
	take(test, t, 0, EB_EXTRA, 8);
	take(test, t, 0, EB_EXTRA, 9);
	EXPECT_EQ(test, give_back(t, 0, NULL), 9);
	EXPECT_EQ(test, give_back(t, 0, NULL), 8);

	/* Of two that are in paths as well. */
	take(test, t, 0, path, 10);
	take(test, t, 0, &eb_test_paths[1], 11);
	EXPECT_EQ(test, give_back(t, 0, NULL), 11);
	EXPECT_EQ(test, give_back(t, 0, NULL), 10);
	/* To a path that has none of them the one outside of paths is given. */
	take(test, t, 0, &eb_test_paths[1], 12);
	take(test, t, 0, NULL, 13);
	EXPECT_EQ(test, give_back(t, 0, path), 13);
	EXPECT_EQ(test, give_back(t, 0, path), 12);
	/* Of another buffer that had the same memory nothing is remembered. */
	t->releasing = path;
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    (void *)eb_ledger_doubt(t, &eb_test_buffers[0], 1));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, eb_ledger_doubt(t, &eb_test_buffers[0], 0));
}

/* What does not fit is refused, and nothing else is lost. */
static void eb_test_ledger_full(struct kunit *test)
{
	struct eb_task *t = empty_list(test);
	struct btrfs_eb_debug rec = { };
	int i;

	for (i = 0; i < EB_HELD; i++)
		take(test, t, 0, NULL, i + 1);
	KUNIT_EXPECT_TRUE(test, eb_ledger_full(t));
	for (i = EB_HELD; i > 0; i--)
		EXPECT_EQ(test, give_back(t, 0, NULL), i);

	for (i = 0; i < 0xff; i++)
		btrfs_eb_core_structure_get(&rec, EB_KIND_RELOC);
	KUNIT_EXPECT_FALSE(test, rec.unrecorded);
	EXPECT_EQ(test, btrfs_eb_core_structures(&rec, EB_KIND_RELOC), 0xff);
	EXPECT_EQ(test, btrfs_eb_core_structures(&rec, EB_KIND_ZONED), 0);
	btrfs_eb_core_structure_get(&rec, EB_KIND_RELOC);
	KUNIT_EXPECT_TRUE(test, rec.unrecorded);
	for (i = 0; i < 0xff; i++)
		KUNIT_EXPECT_TRUE(test, btrfs_eb_core_structure_put(&rec, EB_KIND_RELOC));
	KUNIT_EXPECT_FALSE(test, btrfs_eb_core_structure_put(&rec, EB_KIND_RELOC));
}

/* A buffer of which this task holds the first reference; the guard sees it live. */
static struct extent_buffer *new_buffer(struct kunit *test, int refs)
{
	struct extent_buffer *eb = kunit_kzalloc(test, sizeof(*eb), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, eb);
	/* An atomic_t or a refcount_t. */
	atomic_set((atomic_t *)&eb->refs, refs);
	spin_lock_init(&eb->refs_lock);
	eb_debug_alloc(eb);
	return eb;
}

static const char *put(struct extent_buffer *eb)
{
	return btrfs_eb_debug_put(eb, EB_SITE_PUT, _RET_IP_);
}

struct eb_irq_test {
	struct irq_work work;
	struct extent_buffer *eb;
	unsigned int held;
	const char *report;
};

static unsigned int in_structure(const struct eb_irq_test *t,
				 enum eb_debug_kind kind)
{
	return btrfs_eb_core_structures(&t->eb->debug, kind);
}

/* An interrupt takes over what a structure holds, gives it back, and takes another one. */
static void act_in_irq(struct irq_work *work)
{
	struct eb_irq_test *t = container_of(work, struct eb_irq_test, work);

	btrfs_eb_debug_take(t->eb, EB_KIND_RELOC, 0);
	t->held = in_structure(t, EB_KIND_IRQ);
	t->report = put(t->eb);
	btrfs_eb_debug_get(t->eb, EB_KIND_LOOKUP, 0);
}

/* What an interrupt holds is in no list of a task; what can't be noted is unrecorded. */
static void eb_test_irq(struct kunit *test)
{
	struct eb_irq_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	/* Nothing is recorded while the guard is off, and there it would be a task. */
	if (!READ_ONCE(btrfs_eb_epoch) || IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	t->eb = new_buffer(test, 2);
	btrfs_eb_debug_give(t->eb, EB_KIND_RELOC, 0);
	EXPECT_EQ(test, in_structure(t, EB_KIND_RELOC), 1);

	init_irq_work(&t->work, act_in_irq);
	irq_work_queue(&t->work);
	irq_work_sync(&t->work);
	EXPECT_EQ(test, t->held, 1);
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)t->report);
	EXPECT_EQ(test, in_structure(t, EB_KIND_RELOC), 0);
	EXPECT_EQ(test, in_structure(t, EB_KIND_IRQ), 1);
	KUNIT_EXPECT_FALSE(test, t->eb->debug.unrecorded);

	btrfs_eb_debug_give(t->eb, EB_KIND_RELOC, 0);
	KUNIT_EXPECT_TRUE(test, t->eb->debug.unrecorded);
	for (i = 0; i <= 0xff; i++)
		btrfs_eb_debug_get(t->eb, EB_KIND_RELOC, 0);
	EXPECT_EQ(test, in_structure(t, EB_KIND_RELOC), 0xff);

	btrfs_eb_debug_get(t->eb, EB_KIND_LOOKUP, 0);
	EXPECT_EQ(test, btrfs_eb_owner_held(t->eb, t->eb->debug.serial), 1);
	btrfs_eb_debug_forget(t->eb);
	EXPECT_EQ(test, btrfs_eb_owner_held(t->eb, t->eb->debug.serial), 0);
}

static void act_more_in_irq(struct irq_work *work)
{
	struct extent_buffer *eb = container_of(work, struct eb_irq_test, work)->eb;

	eb_debug_get_for_caller(eb, EB_KIND_LOOKUP);
	btrfs_eb_debug_get(eb, EB_KIND_RELOC, 0);
	btrfs_eb_debug_refs_lock(eb);
	btrfs_eb_debug_mark(eb, EB_EVENT_NEW_BLOCK);
	btrfs_eb_debug_give(eb, EB_KIND_ROOT, 0);
}

/* The same with a history: all of it is noted, and no stack, which is of another task. */
static void eb_test_irq_history(struct kunit *test)
{
	struct eb_irq_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct eb_history *history;

	if (!READ_ONCE(btrfs_eb_epoch) || IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	t->eb = new_buffer(test, 2);
	/* It is freed with the buffer. */
	if (!t->eb->debug.history)
		t->eb->debug.history = kzalloc(sizeof(*history), GFP_KERNEL);
	history = t->eb->debug.history;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, history);
	atomic_set(&history->next, 0);

	static_branch_inc(&btrfs_eb_note_key);
	init_irq_work(&t->work, act_more_in_irq);
	irq_work_queue(&t->work);
	irq_work_sync(&t->work);
	static_branch_dec(&btrfs_eb_note_key);

	EXPECT_EQ(test, in_structure(t, EB_KIND_IRQ), 1);
	EXPECT_EQ(test, in_structure(t, EB_KIND_RELOC), 1);
	/* Nobody has given what no list has. */
	EXPECT_EQ(test, in_structure(t, EB_KIND_ROOT), 0);
	KUNIT_EXPECT_TRUE(test, t->eb->debug.unrecorded);
	KUNIT_EXPECT_GE(test, atomic_read(&history->next), 2);
	EXPECT_EQ(test, history->stacks[EB_KIND_RELOC], 0);
	btrfs_eb_debug_forget(t->eb);
}

/* A path with a buffer at each level, which this task has taken from the root on. */
static struct btrfs_path *full_path(struct kunit *test)
{
	struct btrfs_path *path = kunit_kzalloc(test, sizeof(*path), GFP_KERNEL);
	int level;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, path);
	for (level = EB_BASE_LEVELS - 1; level >= 0; level--)
		path->nodes[level] = new_buffer(test, 2);
	return path;
}

static void forget_path(const struct btrfs_path *path)
{
	int level;

	for (level = 0; level < EB_BASE_LEVELS; level++)
		btrfs_eb_debug_forget(path->nodes[level]);
}

static const struct btrfs_path *eb_test_wanted;
static unsigned int eb_test_nr;

static void count_nodes(const struct eb_held *held, pid_t pid, void *arg)
{
	eb_test_nr += held->path == eb_test_wanted && held->kind == EB_KIND_PATH;
}

static unsigned int nodes_of(const struct btrfs_path *path)
{
	eb_test_wanted = path;
	eb_test_nr = 0;
	btrfs_eb_owner_walk(count_nodes, NULL);
	return eb_test_nr;
}

/* A path of all levels has its nodes, in line and not, and no other path gets them. */
static void eb_test_path(struct kunit *test)
{
	struct btrfs_path *path, *other;
	int level;

	if (!READ_ONCE(btrfs_eb_epoch))
		return;
	path = full_path(test);
	eb_debug_path(path);
	EXPECT_EQ(test, nodes_of(path), EB_BASE_LEVELS);
	btrfs_eb_debug_path(path, _THIS_IP_);
	EXPECT_EQ(test, nodes_of(path), EB_BASE_LEVELS);

	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	other->nodes[0] = path->nodes[0];
	eb_debug_path(other);
	EXPECT_EQ(test, nodes_of(other), 0);

	eb_debug_path_release(path);
	for (level = 0; level < EB_BASE_LEVELS; level++)
		KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)put(path->nodes[level]));
	EXPECT_EQ(test, nodes_of(path), 0);
	/* Nor has a task that holds nothing a node. */
	btrfs_eb_debug_path(path, _THIS_IP_);
	EXPECT_EQ(test, nodes_of(path), 0);
	forget_path(path);
}

/* A mistake with a buffer that was reported is no second report. */
static void eb_test_known(struct kunit *test)
{
	struct extent_buffer *eb, *none;

	if (!READ_ONCE(btrfs_eb_epoch))
		return;
	/* A write is owed. */
	eb = new_buffer(test, 2);
	eb->debug.distrusted = true;
	WRITE_ONCE(eb->debug.wb_task, current);
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)put(eb));
	EXPECT_EQ(test, btrfs_eb_owner_held(eb, eb->debug.serial), 0);
	/* Nobody holds it; but the dummy of a self-test may be given back by hand. */
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)put(eb));
	set_bit(EXTENT_BUFFER_UNMAPPED, &eb->bflags);
	set_bit(EXTENT_BUFFER_TREE_REF, &eb->bflags);
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)put(eb));
	eb_debug_tree_ref_clear(eb, EB_SITE_PUT);
	/* Set already: nobody has taken that reference here. */
	btrfs_eb_debug_refs_lock(eb);
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)
			    btrfs_eb_debug_event(eb, EB_EVENT_TREE_REF_SET, EB_SITE_TREE, 0));
	EXPECT_EQ(test, eb->debug.kinds[EB_KIND_TREE].at, 0);
	btrfs_eb_debug_forget(eb);

	/* There is no reference that could be given back. */
	none = new_buffer(test, 0);
	none->debug.distrusted = true;
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)put(none));
	/* Stacks are there if they were asked for. */
	KUNIT_EXPECT_TRUE(test, btrfs_eb_stack(0) ||
			  READ_ONCE(btrfs_eb_level) < EB_LEVEL_STACKS);
	EXPECT_EQ(test, btrfs_eb_owner_held(none, none->debug.serial), 0);
	btrfs_eb_debug_forget(none);
}

/* What passes from a task to a structure and back is of whoever is named for it. */
static void eb_test_passed_on(struct kunit *test)
{
	const unsigned long place = (unsigned long)eb_test_passed_on;
	static const struct btrfs_eb_token old, not_stale;
	struct btrfs_eb_token token = not_stale;
	struct extent_buffer *eb;
	u32 at, when;

	if (!READ_ONCE(btrfs_eb_epoch))
		return;
	eb = new_buffer(test, 2);
	btrfs_eb_debug_give(eb, EB_KIND_RELOC, place);
	btrfs_eb_owner_taken(&eb->debug, EB_KIND_RELOC, &at, &when);
	EXPECT_EQ(test, at, (u32)place);
	btrfs_eb_debug_take(eb, EB_KIND_RELOC, place);
	EXPECT_EQ(test, btrfs_eb_core_structures(&eb->debug, EB_KIND_RELOC), 0);
	EXPECT_EQ(test, btrfs_eb_owner_held(eb, eb->debug.serial), 1);
	/* The next buffer in this memory is held by nobody. */
	EXPECT_EQ(test, btrfs_eb_owner_held(eb, eb->debug.serial + 1), 0);
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)put(eb));
	EXPECT_EQ(test, btrfs_eb_owner_held(eb, eb->debug.serial), 0);

	/* A structure that has none, and none at all. */
	btrfs_eb_debug_take(eb, EB_KIND_RELOC, 0);
	btrfs_eb_debug_take(NULL, EB_KIND_RELOC, 0);
	EXPECT_EQ(test, btrfs_eb_owner_held(eb, eb->debug.serial), 0);

	/* A lookup that began under another epoch, or has found nothing that was stale. */
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)btrfs_eb_debug_lookup(eb, &old));
	token.epoch = READ_ONCE(btrfs_eb_epoch);
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)btrfs_eb_debug_lookup(eb, &token));
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)
			    btrfs_eb_debug_release_refused(eb, EB_SITE_RELEASE, EB_NO_TREE_REF));
	btrfs_eb_debug_forget(eb);
}

/* Nobody looks at what a kernel thread holds; but when it has become a program. */
static void eb_test_watched(struct kunit *test)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct extent_buffer *eb = new_buffer(test, 2);
	struct eb_task *t = btrfs_eb_table_find(epoch);

	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)put(eb));
	btrfs_eb_debug_forget(eb);
	if (!t)
		return;
	KUNIT_EXPECT_PTR_EQ(test, t->limit, &t->held[EB_HELD]);
	/* As exec() does it. */
	local_irq_disable();
	current->flags &= ~PF_KTHREAD;
	btrfs_eb_table_epoch();
	btrfs_eb_table_find(epoch);
	current->flags |= PF_KTHREAD;
	local_irq_enable();
	KUNIT_EXPECT_PTR_EQ(test, t->limit, &t->held[0]);
}

#define EB_TEXT		65536

/* Room for what a file says; all of it if it is not more. */
static struct seq_file *open_file(struct kunit *test, struct file *file,
				  const struct file_operations *fops)
{
	struct seq_file *m;

	KUNIT_ASSERT_EQ(test, fops->open(NULL, file), 0);
	m = file->private_data;
	/* It is freed by its release. */
	m->buf = kvzalloc(EB_TEXT, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m->buf);
	m->size = EB_TEXT - 1;
	return m;
}

/* All that a file of the guard's says, in @file until it is released. */
static const char *read_file(struct kunit *test, struct file *file,
			     const struct file_operations *fops)
{
	struct seq_file *m = open_file(test, file, fops);
	loff_t pos = 0;
	void *v;

	for (v = m->op->start(m, &pos); v; v = m->op->next(m, v, &pos))
		EXPECT_EQ(test, m->op->show(m, v), 0);
	m->op->stop(m, v);
	return m->buf;
}

static unsigned int times(const char *text, const char *word)
{
	unsigned int nr = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		nr++;
	}
	return nr;
}

/* Addresses in a function that is longer than there are of them. */
#define EB_HOLDER	((unsigned long)btrfs_eb_core_event + 1)
#define EB_HOLDER_NAME	"btrfs_eb_core_event"

/* More than the 256 owners that are told apart: so many buffers with four each. */
#define EB_MANY		65

/* Of more owners than are told apart the rest is a number; a function is one owner. */
static void eb_test_owners(struct kunit *test)
{
	static const enum eb_debug_kind kinds[] = {
		EB_KIND_ROOT, EB_KIND_COMMIT_ROOT, EB_KIND_RELOC, EB_KIND_ZONED,
	};
	struct file *file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	struct extent_buffer **ebs;
	struct seq_file *m;
	const char *text;
	loff_t pos = 0;
	int i, k;
	void *v;

	if (!READ_ONCE(btrfs_eb_epoch))
		return;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	ebs = kunit_kzalloc(test, EB_MANY * sizeof(*ebs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ebs);
	for (i = 0; i < EB_MANY; i++) {
		ebs[i] = new_buffer(test, 5);
		put(ebs[i]);
	}
	/* The oldest reference is not that of the oldest buffer. */
	for (i = EB_MANY - 1; i >= 0; i--) {
		for (k = 0; k < ARRAY_SIZE(kinds); k++)
			btrfs_eb_debug_get(ebs[i], kinds[k], EB_HOLDER + i);
		if (i == EB_MANY - 2)
			msleep(30);
	}

	text = read_file(test, file, &btrfs_eb_owners_fops);
	KUNIT_EXPECT_EQ(test, times(text, "kind=unknown site=unknown"), 1u);
	KUNIT_EXPECT_GE(test, times(text, "site=" EB_HOLDER_NAME), (unsigned int)ARRAY_SIZE(kinds));
	btrfs_eb_owners_fops.release(NULL, file);

	/* Who reads the buffers and goes back has to begin anew. */
	memset(file, 0, sizeof(*file));
	m = open_file(test, file, &btrfs_eb_buffers_fops);
	for (v = m->op->start(m, &pos); v && pos < EB_MANY / 2;)
		v = m->op->next(m, v, &pos);
	KUNIT_EXPECT_TRUE(test, !!v);
	pos = 1;
	KUNIT_EXPECT_FALSE(test, !!m->op->start(m, &pos));
	pos = 0;
	KUNIT_EXPECT_TRUE(test, !!m->op->start(m, &pos));
	btrfs_eb_buffers_fops.release(NULL, file);
	for (i = 0; i < EB_MANY; i++)
		btrfs_eb_debug_forget(ebs[i]);
}

static struct btrfs_fs_info *test_fs(struct kunit *test, bool super)
{
	struct btrfs_fs_info *fs_info = kunit_kzalloc(test, sizeof(*fs_info), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fs_info);
	if (super) {
		fs_info->super_copy = kunit_kzalloc(test, sizeof(*fs_info->super_copy),
						    GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fs_info->super_copy);
		memset(fs_info->super_copy->fsid, 0xeb, BTRFS_FSID_SIZE);
	}
	return fs_info;
}

/* A line of the buffers is of that buffer, also if much of it is as in the line before. */
static void eb_test_lines(struct kunit *test)
{
	struct file *file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	struct extent_buffer *ebs[4];
	struct eb_mark reader;
	unsigned long live;
	const char *text;
	int i, k;

	if (!READ_ONCE(btrfs_eb_epoch))
		return;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	for (i = 0; i < ARRAY_SIZE(ebs); i++) {
		ebs[i] = new_buffer(test, 20);
		ebs[i]->start = 1000 + i;
		if (i)
			ebs[i]->fs_info = test_fs(test, i > 1);
	}
	/* Two references, two of another file system, three; and more than are shown. */
	for (i = 1; i < ARRAY_SIZE(ebs); i++) {
		put(ebs[i]);
		for (k = 0; k < (i < 3 ? 2 : 3); k++)
			btrfs_eb_debug_get(ebs[i], EB_KIND_RELOC, EB_HOLDER);
	}
	for (i = 0; i <= EB_OWNERS; i++)
		btrfs_eb_debug_get(ebs[0], EB_KIND_LOOKUP, EB_HOLDER);

	text = read_file(test, file, &btrfs_eb_buffers_fops);
	EXPECT_EQ(test, times(text, "lookup:" EB_HOLDER_NAME), EB_OWNERS - 1);
	EXPECT_EQ(test, times(text, "reloc:" EB_HOLDER_NAME "*2 "), 2);
	EXPECT_EQ(test, times(text, "reloc:" EB_HOLDER_NAME "*3 "), 1);
	EXPECT_EQ(test, times(text, "fsid=ebebebeb"), 2);
	btrfs_eb_buffers_fops.release(NULL, file);

	/* Whoever held the buffer that was in this memory before does not hold this one. */
	memset(file, 0, sizeof(*file));
	ebs[0]->debug.serial--;
	text = read_file(test, file, &btrfs_eb_buffers_fops);
	EXPECT_EQ(test, times(text, "lookup:" EB_HOLDER_NAME), 0);
	btrfs_eb_buffers_fops.release(NULL, file);
	ebs[0]->debug.serial++;

	/* A file system that goes takes nothing of others along, and no reader. */
	live = btrfs_eb_live_count();
	btrfs_eb_live_open(&reader);
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)btrfs_eb_debug_unmount(test_fs(test, true)));
	btrfs_eb_live_close(&reader);
	EXPECT_EQ(test, btrfs_eb_live_count(), live);
	for (i = 0; i < ARRAY_SIZE(ebs); i++)
		btrfs_eb_debug_forget(ebs[i]);
	EXPECT_EQ(test, btrfs_eb_live_count(), live - ARRAY_SIZE(ebs));
}

/* A buffer that is freed although this task holds it is looked for before it is looked at. */
static void eb_test_gone(struct kunit *test)
{
	struct eb_look look = { .epoch = READ_ONCE(btrfs_eb_epoch) };
	struct extent_buffer *eb;
	u32 serial;

	if (!look.epoch)
		return;
	eb = new_buffer(test, 1);
	serial = eb->debug.serial;
	btrfs_eb_look(&look, eb, EB_EVENT_LAST_PUT, EB_SITE_PUT);
	EXPECT_EQ(test, look.held, 1);
	KUNIT_EXPECT_TRUE(test, btrfs_eb_live_has(eb, serial));
	KUNIT_EXPECT_FALSE(test, btrfs_eb_live_has(eb, serial + 1));
	btrfs_eb_debug_forget(eb);
	KUNIT_EXPECT_FALSE(test, btrfs_eb_live_has(eb, serial));
}

/* More verdicts at a time than there is room for are dropped; the newest is said first. */
static void eb_test_verdicts(struct kunit *test)
{
	struct eb_verdict *verdicts[16], *newest;
	unsigned int i, nr = 0;

	while (nr < ARRAY_SIZE(verdicts) && (verdicts[nr] = btrfs_eb_verdict_get()))
		nr++;
	KUNIT_ASSERT_GT(test, nr, 1u);
	KUNIT_ASSERT_LT(test, nr, 16u);
	btrfs_eb_debug_said();
	newest = btrfs_eb_verdict_get();
	KUNIT_EXPECT_PTR_EQ(test, newest, verdicts[nr - 1]);
	/* What was given back and taken again is the newest. */
	btrfs_eb_verdict_put(verdicts[0]);
	KUNIT_EXPECT_PTR_EQ(test, btrfs_eb_verdict_get(), verdicts[0]);
	btrfs_eb_debug_said();
	KUNIT_EXPECT_PTR_EQ(test, btrfs_eb_verdict_get(), verdicts[0]);
	for (i = 0; i < nr; i++)
		btrfs_eb_verdict_put(verdicts[i]);
	/* Nothing is to be said. */
	btrfs_eb_debug_said();
	newest = btrfs_eb_verdict_get();
	KUNIT_EXPECT_PTR_EQ(test, newest, verdicts[0]);
	btrfs_eb_verdict_put(newest);
}

/* Off, no hook notes anything, not even of what was seen before. */
static void tell_nobody(struct kunit *test, struct extent_buffer *eb,
			const struct btrfs_path *path)
{
	const struct btrfs_eb_debug before = eb->debug;
	static const struct btrfs_eb_token token;

	/* To those who trace an error in place of a buffer is none. */
	static_branch_inc(&btrfs_eb_note_key);
	btrfs_eb_debug_take(ERR_PTR(-EIO), EB_KIND_ROOT, 0);
	static_branch_dec(&btrfs_eb_note_key);
	btrfs_eb_debug_distrust("it is off already");
	btrfs_eb_debug_refs_lock(eb);
	btrfs_eb_debug_dirty(eb);
	btrfs_eb_debug_mark(eb, EB_EVENT_NEW_BLOCK);
	btrfs_eb_debug_path(path, _THIS_IP_);
	btrfs_eb_debug_get(eb, EB_KIND_LOOKUP, _THIS_IP_);
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)put(eb));
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)btrfs_eb_debug_lookup(eb, &token));
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)
			    btrfs_eb_debug_event(eb, EB_EVENT_IO_END, EB_SITE_READ_END, 0));
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)
			    btrfs_eb_debug_release_refused(eb, EB_SITE_RELEASE, EB_BUSY));
	EXPECT_EQ(test, memcmp(&before, &eb->debug, sizeof(before)), 0);
}

/*
 * A hook on a buffer whose allocation was not seen is a mistake of the
 * guard: it must turn itself off and blame nobody.  Then it is turned on again, as
 * this kernel may have more to do than these tests.
 */
static void eb_test_distrust(struct kunit *test)
{
	struct extent_buffer *eb, *known;
	struct btrfs_path *path;

	if (!READ_ONCE(btrfs_eb_epoch))
		return;
	path = full_path(test);
	known = path->nodes[0];
	if (!known->debug.history)
		known->debug.history = kzalloc(sizeof(*known->debug.history), GFP_KERNEL);
	eb = kunit_kzalloc(test, sizeof(*eb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, eb);
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    (void *)btrfs_eb_debug_event(eb, EB_EVENT_IO_END,
							 EB_SITE_READ_END, 0));
	KUNIT_EXPECT_FALSE(test, eb->debug.distrusted);
	EXPECT_EQ(test, READ_ONCE(btrfs_eb_epoch), 0);
	/* Who traces is still told. */
	if (!READ_ONCE(btrfs_eb_trace_epoch))
		tell_nobody(test, known, path);
	WRITE_ONCE(btrfs_eb_epoch, btrfs_eb_new_epoch());
	btrfs_eb_table_epoch();
	/* This task has no list any more, and is in none. */
	EXPECT_EQ(test, btrfs_eb_owner_held(known, known->debug.serial), 0);
	forget_path(path);
}

static struct kunit_case eb_debug_cases[] = {
	KUNIT_CASE(eb_test_sequences),
	KUNIT_CASE(eb_test_both_halves),
	KUNIT_CASE(eb_test_lookups),
	KUNIT_CASE(eb_test_repair),
	KUNIT_CASE(eb_test_refused),
	KUNIT_CASE(eb_test_no_debt),
	KUNIT_CASE(eb_test_hidden),
	KUNIT_CASE(eb_test_history),
	KUNIT_CASE(eb_test_ledger),
	KUNIT_CASE(eb_test_ledger_full),
	KUNIT_CASE(eb_test_irq),
	KUNIT_CASE(eb_test_irq_history),
	KUNIT_CASE(eb_test_path),
	KUNIT_CASE(eb_test_known),
	KUNIT_CASE(eb_test_passed_on),
	KUNIT_CASE(eb_test_watched),
	KUNIT_CASE(eb_test_owners),
	KUNIT_CASE(eb_test_lines),
	KUNIT_CASE(eb_test_gone),
	KUNIT_CASE(eb_test_verdicts),
	KUNIT_CASE(eb_test_distrust),
	{}
};

static struct kunit_suite eb_debug_suite = {
	.name = "btrfs_eb_debug",
	.test_cases = eb_debug_cases,
};

kunit_test_suite(eb_debug_suite);
