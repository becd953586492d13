// SPDX-License-Identifier: GPL-2.0
/*
 * The owners of references: who takes one, who gives it back, and who has not?
 *
 * Whatever a task holds is in a list of that task: only it can give that back, the
 * list needs no lock, and tasks that meet at the root of a tree share nothing.
 * What a structure of btrfs holds, as root->node, is counted in the buffer.
 * References move between the two where btrfs moves them.
 *
 * This is what runs at each get and put, so what is usual is decided here, in few
 * instructions; whatever is not goes to the core to be judged.  Nothing here
 * allocates or takes a lock, except that a stack is stored when that is asked for.
 *
 * A reference that can't be recorded, for want of room, leaves its buffer unjudged.
 */

#include <linux/hash.h>
#include <linux/kmemleak.h>
#include <linux/module.h>
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/stacktrace.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_ledger.h"
#include "eb_debug_base.h"

/* How far from its own place a task may find its entry in the table. */
#define EB_PROBES	8
/* Sites that have lost a reference: their stacks are kept from then on. */
#define EB_SUSPECTS	16

/* One entry for each task that holds references now. */
static struct eb_task *eb_tasks;
static atomic_t eb_serial;

static u32 eb_suspects[EB_SUSPECTS];
static atomic_t eb_nr_suspects;

/* The depot takes memory that is only wanted when somebody has been guilty. */
static bool eb_stacks_ready;

static void make_stacks_ready(struct work_struct *work)
{
	eb_base_stacks_init();
	WRITE_ONCE(eb_stacks_ready, true);
}

static DECLARE_WORK(eb_stacks_work, make_stacks_ready);

/* Tasks that are still to be looked at when they return to user space. */
static atomic_t eb_returns;
static int (*eb_task_work_add)(struct task_struct *task,
			       struct callback_head *work,
			       enum task_work_notify_mode mode);

static_assert((EB_TASKS & (EB_TASKS - 1)) == 0);

/*
 * Something beside the owners is wanted at each get and put: history, stacks, or
 * the stacks of suspects.  One flag, since get and put look at it all the time.
 */
static bool eb_more_wanted;

static inline struct eb_task *task_at(unsigned int home, unsigned int n)
{
	return &eb_tasks[(home + n) % EB_TASKS];
}

static inline unsigned int task_home(void)
{
	return hash_ptr(current, ilog2(EB_TASKS));
}

static noinline struct eb_task *find_displaced(unsigned int home)
{
	unsigned int n;

	for (n = 1; n < EB_PROBES; n++)
		if (READ_ONCE(task_at(home, n)->task) == current)
			return task_at(home, n);
	return NULL;
}

/* The list of this task, of whatever epoch, NULL if it has none. */
static __always_inline struct eb_task *find_list(void)
{
	unsigned int home = task_home();

	if (likely(READ_ONCE(task_at(home, 0)->task) == current))
		return task_at(home, 0);
	return find_displaced(home);
}

/* The list of this task, if it has one of this epoch. */
static __always_inline struct eb_task *find_task(u32 epoch)
{
	struct eb_task *t = find_list();

	return likely(t && t->epoch == epoch) ? t : NULL;
}

/* Only a list that is empty, and that no callback will look at, may go. */
static void leave_table(struct eb_task *t)
{
	if (t->nr || t->pending)
		return;
	/* What was written to the list comes before somebody else may claim it. */
	smp_store_release(&t->task, NULL);
}

static void task_return(struct callback_head *work)
{
	struct eb_task *t = container_of(work, struct eb_task, work);
	struct btrfs_eb_verdict *verdict;

	t->pending = false;
	/* What was noted before the guard was turned off and on is void. */
	if (t->epoch != READ_ONCE(btrfs_eb_epoch))
		WRITE_ONCE(t->nr, 0);
	while ((verdict = btrfs_eb_debug_task_end()))
		eb_debug_say(verdict);
	leave_table(t);
	atomic_dec(&eb_returns);
}

/* Look at this task's list when it returns to user space, if it ever does. */
static void watch_return(struct eb_task *t)
{
	if (t->pending || current->flags & (PF_KTHREAD | PF_IO_WORKER) ||
	    !eb_task_work_add)
		return;
	init_task_work(&t->work, task_return);
	atomic_inc(&eb_returns);
	t->pending = true;
	if (eb_task_work_add(current, &t->work, TWA_RESUME)) {
		t->pending = false;
		atomic_dec(&eb_returns);
	}
}

/* An empty list for this task, NULL if the table has no room near its place. */
static noinline struct eb_task *new_task(u32 epoch)
{
	unsigned int home = task_home(), n;
	struct eb_task *t = find_list();

	for (n = 0; n < EB_PROBES && !t; n++)
		if (!READ_ONCE(task_at(home, n)->task) &&
		    !cmpxchg(&task_at(home, n)->task, NULL, current)) {
			t = task_at(home, n);
			t->pending = false;
		}
	if (!t)
		return NULL;
	WRITE_ONCE(t->nr, 0);
	t->releasing = NULL;
	t->pid = current->pid;
	for (n = 0; n < EB_DOUBTS; n++)
		t->doubts[n].eb = NULL;
	t->epoch = epoch;
	watch_return(t);
	return t;
}

static bool is_suspect(u32 site)
{
	int i, nr = min(atomic_read(&eb_nr_suspects), EB_SUSPECTS);

	for (i = 0; i < nr; i++)
		if (READ_ONCE(eb_suspects[i]) == site)
			return true;
	return false;
}

/* Level stacks keeps the stack of every get, others of those that were guilty. */
static noinline void keep_stack(struct eb_held *held)
{
	unsigned long frames[EB_FRAMES];
	unsigned int nr;

	if (READ_ONCE(btrfs_eb_level) < EB_LEVEL_STACKS &&
	    !is_suspect(held->site))
		return;
	if (held->stack || !READ_ONCE(eb_stacks_ready))
		return;
	nr = stack_trace_save(frames, ARRAY_SIZE(frames), 2);
	held->stack = eb_base_stack_save(frames, nr);
}

static __always_inline bool more_wanted(void)
{
	return unlikely(READ_ONCE(eb_more_wanted));
}

static noinline void note(struct extent_buffer *eb, enum eb_debug_event event,
			  u32 site)
{
	struct eb_history *history = READ_ONCE(eb->debug.history);

	if (history)
		btrfs_eb_core_note(history, event, eb_base_refs(eb),
				   eb_base_flags(eb), site, eb_now());
}

static noinline void unrecorded(struct extent_buffer *eb)
{
	WRITE_ONCE(eb->debug.unrecorded, true);
	eb_count(EB_COUNT_UNRECORDED);
}

static void structure_holds(struct extent_buffer *eb, enum eb_debug_kind kind,
			    u32 site, u32 stack)
{
	struct btrfs_eb_debug *rec = &eb->debug;

	btrfs_eb_core_structure_get(rec, kind);
	if (kind >= EB_KIND_IRQ)
		return;
	rec->kinds[kind].at = site;
	rec->kinds[kind].when = jiffies;
	rec->stack = stack;
}

static __always_inline void task_holds(struct extent_buffer *eb,
				       enum eb_debug_kind kind, u32 site,
				       u32 epoch)
{
	struct eb_task *t = find_task(epoch);
	struct eb_held *held;

	if (unlikely(!t))
		t = new_task(epoch);
	held = likely(t) ? eb_ledger_add(t) : NULL;
	if (unlikely(!held)) {
		unrecorded(eb);
		return;
	}
	held->eb = eb;
	held->path = NULL;
	held->site = site;
	held->serial = eb->debug.serial;
	held->stack = 0;
	held->when = jiffies;
	held->kind = kind;
	if (more_wanted())
		keep_stack(held);
	eb_ledger_added(t);
}

static __always_inline void holds(struct extent_buffer *eb,
				  enum eb_debug_kind kind, u32 site, u32 epoch)
{
	eb_count(EB_COUNT_GETS);
	if (kind < EB_KIND_STRUCTURES)
		structure_holds(eb, kind, site, 0);
	else if (likely(in_task()))
		task_holds(eb, kind, site, epoch);
	else
		structure_holds(eb, EB_KIND_IRQ, site, 0);
	if (more_wanted())
		note(eb, EB_EVENT_GET, site);
}

/**
 * btrfs_eb_debug_get - somebody took a reference
 * @eb: the buffer
 * @kind: as what
 * @ip: who, 0 for the function that the hook stands in
 *
 * Context: any.
 */
void btrfs_eb_debug_get(struct extent_buffer *eb, enum eb_debug_kind kind,
			unsigned long ip)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);

	if (likely(epoch))
		holds(eb, kind, ip ? ip : _RET_IP_, epoch);
}

/**
 * btrfs_eb_debug_get_node - a task took a reference for a node of a path
 * @eb: the buffer
 * @path: the path
 *
 * Context: the task that uses the path.
 */
void btrfs_eb_debug_get_node(struct extent_buffer *eb,
			     const struct btrfs_path *path)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct eb_task *t;

	if (!epoch)
		return;
	holds(eb, EB_KIND_PATH, _RET_IP_, epoch);
	t = find_task(epoch);
	if (t && t->nr && t->held[t->nr - 1].eb == eb)
		t->held[t->nr - 1].path = path;
}

static noinline void remember_stale(struct extent_buffer *eb,
				    struct btrfs_eb_token *token, u32 epoch)
{
	token->lock_seq = READ_ONCE(eb->debug.lock_seq);
	token->stale_seq = READ_ONCE(eb->debug.stale_seq);
	/* The counts first: what moves after this must be seen to have moved. */
	smp_rmb();
	token->stale = eb_base_stale(eb);
	token->epoch = epoch;
}

/**
 * btrfs_eb_debug_lookup_begin - a lookup took a reference for its caller
 * @eb: the buffer
 * @token: on the stack of the function that looks up: what it remembers
 * @ip: its caller
 *
 * Context: any.
 */
void btrfs_eb_debug_lookup_begin(struct extent_buffer *eb,
				 struct btrfs_eb_token *token, unsigned long ip)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);

	if (unlikely(!epoch))
		return;
	holds(eb, EB_KIND_LOOKUP, ip, epoch);
	if (unlikely(eb_base_stale(eb)))
		remember_stale(eb, token, epoch);
}

/**
 * btrfs_eb_debug_alloc - a buffer begins to live, its first reference is held
 * @eb: the buffer
 * @ip: by whom, 0 for the function that the hook stands in
 *
 * Context: any.
 */
void btrfs_eb_debug_alloc(struct extent_buffer *eb, unsigned long ip)
{
	struct eb_look look = { .ip = _RET_IP_ };
	struct eb_judgement judgement = { };

	memset(&eb->debug, 0, sizeof(eb->debug));
	eb->debug.serial = atomic_inc_return(&eb_serial);
	if (READ_ONCE(btrfs_eb_level) >= EB_LEVEL_HISTORY)
		eb->debug.history = kzalloc(sizeof(*eb->debug.history),
					    GFP_NOFS | __GFP_NOWARN);
	btrfs_eb_live_add(eb);
	look.epoch = READ_ONCE(btrfs_eb_epoch);
	if (!look.epoch)
		return;
	eb->debug.epoch = look.epoch;
	btrfs_eb_look(&look, eb, EB_EVENT_ALLOC, EB_SITE_TREE);
	btrfs_eb_core_event(&eb->debug, &look, EB_EVENT_ALLOC, &judgement);
	btrfs_eb_conclude(eb, &look, &judgement, NULL);
	holds(eb, EB_KIND_NEW, ip ? ip : _RET_IP_, look.epoch);
}

/*
 * Before the memory of a buffer goes: nobody can hold it now.  Called with the
 * guard off too, and before the table is made or after it has gone.
 */
void btrfs_eb_owner_forget(struct extent_buffer *eb)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct eb_task *t;
	struct eb_held *held;

	if (!epoch || !in_task())
		return;
	t = find_task(epoch);
	while (t && (held = eb_ledger_find(t, eb, NULL, 0)))
		eb_ledger_drop(t, held);
	if (t)
		leave_table(t);
}

/**
 * btrfs_eb_debug_hand_out - a reference of this task passes to another function
 * @eb: the buffer
 * @kind: as what it is held from now on
 * @ip: that function, 0 for the one that the hook stands in
 *
 * Context: the task that holds it.
 */
void btrfs_eb_debug_hand_out(struct extent_buffer *eb, enum eb_debug_kind kind,
			     unsigned long ip)
{
	struct eb_task *t = find_task(READ_ONCE(btrfs_eb_epoch));
	u32 site = ip ? ip : _RET_IP_;
	struct eb_held *held = t ? eb_ledger_find(t, eb, NULL, site) : NULL;

	if (!held)
		return;
	held->site = site;
	held->kind = kind;
	if (more_wanted())
		keep_stack(held);
}

/**
 * btrfs_eb_debug_path - a search has put nodes into a path
 * @path: the path
 * @ip: who searched
 *
 * Each node has one reference; the task may hold more of the same buffer for
 * another purpose.  What is not in the path stays with the function that took it.
 *
 * Context: the task that uses the path.
 */
void btrfs_eb_debug_path(const struct btrfs_path *path, unsigned long ip)
{
	struct eb_task *t = find_task(READ_ONCE(btrfs_eb_epoch));
	int level = path->lowest_level;

	if (!t || !t->nr)
		return;
	for (; level < EB_BASE_LEVELS; level++) {
		const struct extent_buffer *eb = eb_base_node(path, level);
		struct eb_held *held;

		if (!eb)
			break;
		held = eb_ledger_find(t, eb, NULL, ip);
		if (unlikely(held && held->path && held->path != path))
			held = eb_ledger_find(t, eb, path, ip);
		if (!held || (held->path && held->path != path))
			continue;
		held->path = path;
		held->site = ip;
		held->kind = EB_KIND_PATH;
		if (more_wanted())
			keep_stack(held);
	}
}

/* The puts that follow give back the nodes of @path. */
void btrfs_eb_debug_path_release(const struct btrfs_path *path)
{
	struct eb_task *t = find_task(READ_ONCE(btrfs_eb_epoch));

	if (t)
		t->releasing = path;
}

/**
 * btrfs_eb_debug_give - a reference of this task passes to a structure
 * @eb: the buffer
 * @kind: the kind of structure
 * @ip: by whom, 0 for the function that the hook stands in
 *
 * Context: any.
 */
void btrfs_eb_debug_give(struct extent_buffer *eb, enum eb_debug_kind kind,
			 unsigned long ip)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct eb_task *t = find_task(epoch);
	u32 site = ip ? ip : _RET_IP_;
	struct eb_held *held = t ? eb_ledger_find(t, eb, NULL, site) : NULL;

	if (!epoch)
		return;
	if (!held) {
		unrecorded(eb);
		return;
	}
	structure_holds(eb, kind, site, held->stack);
	eb_ledger_drop(t, held);
	leave_table(t);
	if (more_wanted())
		note(eb, EB_EVENT_GIVE, site);
}

/**
 * btrfs_eb_debug_take - this task takes over the reference of a structure
 * @eb: the buffer, or what the structure has in its place
 * @kind: the kind of structure
 * @ip: who takes it, 0 for the function that the hook stands in
 *
 * If the ledger does not know that the structure holds one, the task gets none,
 * and the put that follows is judged by that.
 *
 * Context: any.
 */
void btrfs_eb_debug_take(struct extent_buffer *eb, enum eb_debug_kind kind,
			 unsigned long ip)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	u32 site = ip ? ip : _RET_IP_;

	if (!epoch || IS_ERR_OR_NULL(eb) ||
	    !btrfs_eb_core_structure_put(&eb->debug, kind))
		return;
	if (in_task())
		task_holds(eb, kind, site, epoch);
	else
		structure_holds(eb, EB_KIND_IRQ, site, 0);
	if (more_wanted())
		note(eb, EB_EVENT_TAKE, site);
}

/* The self-tests give back the tree's reference of their dummies by hand. */
static bool is_test_dummy(const struct extent_buffer *eb)
{
	return (eb_base_flags(eb) & (EB_FLAG_UNMAPPED | EB_FLAG_TREE_REF)) ==
	       (EB_FLAG_UNMAPPED | EB_FLAG_TREE_REF);
}

static enum eb_owned owned(const struct extent_buffer *eb, bool held, u32 epoch)
{
	if (held)
		return EB_OWNED;
	if (is_test_dummy(eb))
		return EB_OWNED_UNKNOWN;
	return btrfs_eb_core_complete(&eb->debug, epoch) ? EB_NOT_OWNED :
							    EB_OWNED_UNKNOWN;
}

/* A put that the core has to judge. */
static noinline struct btrfs_eb_verdict *
judge_put(struct extent_buffer *eb, enum eb_debug_site site, unsigned long by,
	  unsigned long ip)
{
	struct eb_look look = { .ip = ip, .epoch = READ_ONCE(btrfs_eb_epoch) };
	struct eb_judgement judgement = { };
	struct eb_task *t = NULL;
	struct eb_held *held = NULL, doubt = { };
	const struct eb_held *found;

	if (!look.epoch)
		return NULL;
	btrfs_eb_look(&look, eb, EB_EVENT_PUT, site);
	if (look.task) {
		t = find_task(look.epoch);
		held = t ? eb_ledger_find(t, eb, t->releasing, by) : NULL;
		look.owned = owned(eb, held, look.epoch);
	} else {
		look.owned = owned(eb, btrfs_eb_core_structure_put(&eb->debug,
								   EB_KIND_IRQ),
				   look.epoch);
	}
	if (held) {
		/* Relocation keeps blocks locked that its own nodes hold. */
		look.lock_left = btrfs_eb_core_complete(&eb->debug, look.epoch) &&
				 eb_base_locked_by(eb, current) &&
				 !eb_ledger_has_more(t, held) &&
				 !btrfs_eb_core_structures(&eb->debug,
							   EB_KIND_RELOC);
		eb_ledger_put(t, held, by);
		leave_table(t);
	} else if (look.owned == EB_NOT_OWNED && t) {
		found = eb_ledger_doubt(t, eb, eb->debug.serial);
		if (found)
			doubt = *found;
	}
	btrfs_eb_core_event(&eb->debug, &look, EB_EVENT_PUT, &judgement);
	return btrfs_eb_conclude(eb, &look, &judgement, &doubt);
}

/**
 * btrfs_eb_debug_put - a reference is about to be given back
 * @eb: the buffer
 * @site: the function that btrfs calls for that
 * @by: who calls it
 *
 * Context: any.
 * Return: a verdict that the hook must print and give back, or NULL.
 */
struct btrfs_eb_verdict *btrfs_eb_debug_put(struct extent_buffer *eb,
					    enum eb_debug_site site,
					    unsigned long by)
{
	struct eb_held *held;
	struct eb_task *t;

	if (unlikely(!in_task()))
		return judge_put(eb, site, by, _RET_IP_);
	t = find_task(READ_ONCE(btrfs_eb_epoch));
	if (unlikely(!t))
		return judge_put(eb, site, by, _RET_IP_);
	held = eb_ledger_find(t, eb, t->releasing, by);
	if (unlikely(!held || eb_base_refs(eb) < 1 ||
		     READ_ONCE(eb->debug.wb_task) == current ||
		     eb_base_locked_by(eb, current)))
		return judge_put(eb, site, by, _RET_IP_);

	eb_ledger_put(t, held, by);
	if (!t->nr)
		leave_table(t);
	this_cpu_inc(btrfs_eb_counts->usual_puts[site]);
	if (more_wanted())
		note(eb, EB_EVENT_PUT, by);
	return NULL;
}

/* One reference that should not be there any more.  It is not held after this. */
static struct btrfs_eb_verdict *
judge_left(struct eb_task *t, struct eb_held *at, enum eb_debug_event event,
	   unsigned long ip)
{
	struct extent_buffer *eb = (struct extent_buffer *)at->eb;
	struct eb_look look = { .ip = ip, .epoch = t->epoch, .held = 1 };
	struct eb_judgement judgement = { };
	struct eb_held held = *at;

	eb_ledger_drop(t, at);
	/* What the task holds is there, unless somebody gave back too much. */
	if (!btrfs_eb_live_has(eb, held.serial))
		return NULL;
	btrfs_eb_owner_suspect(held.site);
	btrfs_eb_look(&look, eb, event, EB_SITE_TREE);
	btrfs_eb_core_event(&eb->debug, &look, event, &judgement);
	return btrfs_eb_conclude(eb, &look, &judgement, &held);
}

/* Judge that nothing is left, one after the other; see what the hook prints. */
static struct btrfs_eb_verdict *
judge_all_left(const struct btrfs_path *path, enum eb_debug_event event,
	       unsigned long ip)
{
	struct eb_task *t = find_task(READ_ONCE(btrfs_eb_epoch));
	struct btrfs_eb_verdict *verdict = NULL;
	unsigned int i = 0;

	if (!t)
		return NULL;
	/* The oldest is told first: what came later may have come because of it. */
	while (i < t->nr && !verdict) {
		if (!path || t->held[i].path == path)
			verdict = judge_left(t, &t->held[i], event, ip);
		else
			i++;
	}
	leave_table(t);
	return verdict;
}

static void count_judged(enum eb_rule rule, enum eb_count count)
{
	this_cpu_inc(btrfs_eb_counts->judged[rule][EB_SITE_TREE]);
	eb_count(count);
}

/**
 * btrfs_eb_debug_path_free - a path goes
 * @path: the path, released
 *
 * Context: the task that used it.
 * Return: as btrfs_eb_debug_put().
 */
struct btrfs_eb_verdict *btrfs_eb_debug_path_free(const struct btrfs_path *path)
{
	if (!READ_ONCE(btrfs_eb_epoch))
		return NULL;
	count_judged(EB_RULE_LEFT_IN_PATH, EB_COUNT_PATH_FREES);
	return judge_all_left(path, EB_EVENT_PATH_FREE, _RET_IP_);
}

/**
 * btrfs_eb_debug_task_end - a task is done, and must not hold a reference
 *
 * Context: the task.
 * Return: as btrfs_eb_debug_put(); called again there may be another one.
 */
struct btrfs_eb_verdict *btrfs_eb_debug_task_end(void)
{
	if (!READ_ONCE(btrfs_eb_epoch))
		return NULL;
	count_judged(EB_RULE_LEFT_BY_TASK, EB_COUNT_TASK_ENDS);
	return judge_all_left(NULL, EB_EVENT_TASK_END, _RET_IP_);
}

/**
 * btrfs_eb_owner_suspect - a function has lost a reference
 * @site: low half of an address in it
 *
 * From now on the stacks of what it takes are kept, so that the second time tells
 * all.
 *
 * Context: any.
 */
void btrfs_eb_owner_suspect(u32 site)
{
	int nr;

	if (is_suspect(site))
		return;
	schedule_work(&eb_stacks_work);
	WRITE_ONCE(eb_more_wanted, true);
	nr = atomic_inc_return(&eb_nr_suspects) - 1;
	if (nr < EB_SUSPECTS)
		WRITE_ONCE(eb_suspects[nr], site);
	else
		atomic_set(&eb_nr_suspects, EB_SUSPECTS);
}

/**
 * btrfs_eb_owner_walk - look at all references that tasks hold
 * @found: called for each, with a copy
 * @arg: for @found
 *
 * The tasks go on, so what is in flight may be missed or be told although it is
 * over; nothing else is.
 *
 * Context: any.
 */
void btrfs_eb_owner_walk(void (*found)(const struct eb_held *held, pid_t pid,
				       void *arg), void *arg)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct eb_task *t;

	for (t = eb_tasks; epoch && t < eb_tasks + EB_TASKS; t++) {
		unsigned int i, nr;

		if (!READ_ONCE(t->task) || READ_ONCE(t->epoch) != epoch)
			continue;
		/* Pairs with eb_ledger_added(). */
		nr = min_t(unsigned int, smp_load_acquire(&t->nr), EB_HELD);
		for (i = 0; i < nr; i++) {
			/* The task goes on meanwhile; see above. */
			struct eb_held held = data_race(t->held[i]);

			found(&held, READ_ONCE(t->pid), arg);
		}
	}
}

struct eb_held_count {
	const struct extent_buffer *eb;
	u32 serial;
	unsigned int nr;
};

static void count_held(const struct eb_held *held, pid_t pid, void *arg)
{
	struct eb_held_count *count = arg;

	count->nr += held->eb == count->eb && held->serial == count->serial;
}

/* How many references to this buffer do tasks hold? */
unsigned int btrfs_eb_owner_held(const struct extent_buffer *eb, u32 serial)
{
	struct eb_held_count count = { .eb = eb, .serial = serial };

	btrfs_eb_owner_walk(count_held, &count);
	return count.nr;
}

/* How many tasks have a list now? */
unsigned int btrfs_eb_owner_tasks(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < EB_TASKS; i++)
		nr += !!READ_ONCE(eb_tasks[i].task);
	return nr;
}

static bool is_alive(const struct task_struct *task)
{
	struct task_struct *process, *thread;

	for_each_process_thread(process, thread)
		if (thread == task)
			return true;
	return false;
}

/*
 * The guard is about to be turned on.  A kernel thread that ended while it was
 * off can't have said that it does not need its list any more.
 */
void btrfs_eb_owner_sweep(void)
{
	struct eb_task *t;

	rcu_read_lock();
	for (t = eb_tasks; t < eb_tasks + EB_TASKS; t++)
		if (t->task && !t->pending && !is_alive(t->task)) {
			t->nr = 0;
			leave_table(t);
		}
	rcu_read_unlock();
}

/* Make the table; 0, or -ENOMEM. */
int btrfs_eb_owner_init(void)
{
	eb_tasks = kvcalloc(EB_TASKS, sizeof(*eb_tasks), GFP_KERNEL);
	if (!eb_tasks)
		return -ENOMEM;
	/* Addresses that are only compared must not hide a lost buffer. */
	kmemleak_no_scan(eb_tasks);
#ifdef MODULE
	/* Exported by some kernels only; without it returns are not watched. */
	eb_task_work_add = symbol_get(task_work_add);
#else
	eb_task_work_add = task_work_add;
#endif
	return 0;
}

/* What is recorded changes.  Process context. */
void btrfs_eb_owner_level(enum eb_level level)
{
	if (level >= EB_LEVEL_STACKS) {
		schedule_work(&eb_stacks_work);
		flush_work(&eb_stacks_work);
	}
	WRITE_ONCE(eb_more_wanted, level >= EB_LEVEL_HISTORY ||
		   atomic_read(&eb_nr_suspects));
}

/* The guard is off, but a task may not have returned to user space yet. */
void btrfs_eb_owner_exit(void)
{
	cancel_work_sync(&eb_stacks_work);
	while (atomic_read(&eb_returns))
		msleep(20);
	/* The last one may be at the end of its callback. */
	synchronize_rcu_tasks();
#ifdef MODULE
	if (eb_task_work_add)
		symbol_put(task_work_add);
#endif
	kvfree(eb_tasks);
}
