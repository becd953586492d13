// SPDX-License-Identifier: GPL-2.0
/*
 * The table of tasks: which list is whose, and what do all of them hold?
 *
 * A task finds its list by its pid, and each CPU has the one at hand that was used
 * there last.  A list stays when it is empty, for its task will want it again; when
 * the table fills up, those that nobody needs are taken back.
 *
 * A task of user space is looked at when it returns there, by task_work: the first
 * reference that it takes after a return asks for that.
 */

#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/kmemleak.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"
#include "eb_debug_fast.h"

/* How far from its own place a task may find its entry in the table. */
#define EB_PROBES	8
/* How long entries that nobody needs stay, once the table is half full. */
#define EB_SWEEP_DELAY	HZ

/* A list for each task that has held a reference lately, found by its pid. */
static struct eb_task *eb_tasks;
/* The entries that belong to somebody. */
static DECLARE_BITMAP(eb_claimed, EB_TASKS);
static atomic_t eb_nr_claimed;

/* An empty list of the idle task, which has no business with buffers. */
static struct eb_task eb_nobody;

DEFINE_PER_CPU(struct eb_hot, btrfs_eb_hot) = { .list = &eb_nobody };

/* Tasks that are still to be looked at when they return to user space. */
static atomic_t eb_returns;
static int (*eb_task_work_add)(struct task_struct *task,
			       struct callback_head *work,
			       enum task_work_notify_mode mode);

static_assert((EB_TASKS & (EB_TASKS - 1)) == 0);

static inline struct eb_task *task_at(unsigned int home, unsigned int n)
{
	return &eb_tasks[(home + n) % EB_TASKS];
}

static inline unsigned int task_home(pid_t pid)
{
	return hash_32(pid, ilog2(EB_TASKS));
}

/* Is this the list of @pid, even if the table wants it back? */
static bool is_list_of(struct eb_task *t, pid_t pid)
{
	pid_t owner = READ_ONCE(t->pid);

	return owner == pid ||
	       (owner == -pid && cmpxchg(&t->pid, -pid, pid) == -pid);
}

/* The list of this task, of whatever epoch, NULL if it has none. */
static struct eb_task *find_list(void)
{
	unsigned int home = task_home(current->pid), n;

	for (n = 0; n < EB_PROBES; n++)
		if (is_list_of(task_at(home, n), current->pid))
			return task_at(home, n);
	return NULL;
}

/*
 * This CPU gets the list at hand, unless all lists are just being taken away: see
 * btrfs_eb_table_epoch().
 */
static void at_hand(struct eb_task *t)
{
	preempt_disable();
	this_cpu_write(btrfs_eb_hot.list, t);
	/* The list first, then the test; pairs with btrfs_eb_table_epoch(). */
	smp_mb();
	if (READ_ONCE(btrfs_eb_epoch) != t->epoch)
		this_cpu_write(btrfs_eb_hot.list, &eb_nobody);
	preempt_enable();
}

/*
 * Nobody looks at the list of a task that never returns to user space.  Its entry may be
 * that of a kernel thread which had this pid before, and a kernel thread that executes a
 * program is one no more.  That is seen when its list is not at hand, as it is only until
 * another task of this CPU takes a reference.
 */
static void watch_anew(struct eb_task *t)
{
	if (!t->pending && eb_ledger_empty(t) &&
	    !(current->flags & EB_BASE_NEVER_RETURNS))
		t->limit = t->held;
}

/**
 * btrfs_eb_table_find - the list of this task
 * @epoch: the current one
 *
 * Context: the task.
 * Return: its list, or NULL if it has none of this epoch.
 */
struct eb_task *btrfs_eb_table_find(u32 epoch)
{
	struct eb_task *t = eb_fast_list();

	/* At hand is what is up to date. */
	if (eb_fast_mine(t))
		return t;
	/* Perhaps there is no table at all. */
	if (!epoch)
		return NULL;
	t = find_list();
	if (!t || t->epoch != epoch)
		return NULL;
	watch_anew(t);
	at_hand(t);
	return t;
}

/*
 * An entry that the table may have back if its task is in no hook: a task that has
 * gone, or does something else.
 */
static bool idle(struct eb_task *t)
{
	/* Pairs with task_return(). */
	return !smp_load_acquire(&t->pending) &&
	       (eb_ledger_empty(t) ||
		READ_ONCE(t->epoch) != READ_ONCE(btrfs_eb_epoch));
}

/* Whoever changes the entry's pid from @pid gives it back to the table. */
static void unclaim(struct eb_task *t, pid_t pid)
{
	/* Nobody looks for this one. */
	if (cmpxchg(&t->pid, pid, INT_MIN) != pid)
		return;
	clear_bit(t - eb_tasks, eb_claimed);
	atomic_dec(&eb_nr_claimed);
	/* What was written to the list comes before somebody else may claim it. */
	smp_store_release(&t->pid, 0);
}

/*
 * Take entries back that nobody uses.  They are marked; a task that comes back to
 * its entry takes the mark away.  What has its mark and is idle when no task can be
 * in a hook any more that it entered before the mark, is free.
 */
static void sweep(struct work_struct *work)
{
	unsigned int i;

	for_each_set_bit(i, eb_claimed, EB_TASKS) {
		pid_t pid = READ_ONCE(eb_tasks[i].pid);

		if (pid > 0 && idle(&eb_tasks[i]))
			cmpxchg(&eb_tasks[i].pid, pid, -pid);
	}
	synchronize_rcu_tasks();
	for_each_set_bit(i, eb_claimed, EB_TASKS) {
		pid_t pid = READ_ONCE(eb_tasks[i].pid);

		if (pid < 0 && idle(&eb_tasks[i]))
			unclaim(&eb_tasks[i], pid);
	}
}

static DECLARE_DELAYED_WORK(eb_sweep_work, sweep);

static void task_return(struct callback_head *work)
{
	struct eb_task *t = container_of(work, struct eb_task, work);

	/* What was noted before the guard was turned off and on is void. */
	if (t->epoch != READ_ONCE(btrfs_eb_epoch))
		eb_ledger_init(t);
	/* A task that was killed in the middle of something is no leak. */
	if (unlikely(current->flags & PF_EXITING && test_taint(TAINT_DIE)))
		eb_ledger_init(t);
	if (likely(eb_ledger_empty(t)))
		this_cpu_inc(btrfs_eb_hot.task_ends);
	else
		eb_debug_work_end();
	/* The next get has to ask for the next look. */
	t->limit = t->held;
	/* From here on the table may take it back; pairs with idle(). */
	smp_store_release(&t->pending, false);
	if (unlikely(current->flags & PF_EXITING) && is_list_of(t, current->pid))
		unclaim(t, current->pid);
	atomic_dec(&eb_returns);
}

/* Look at this task's list when it returns to user space, if it ever does. */
static void watch_return(struct eb_task *t)
{
	t->limit = &t->held[EB_HELD];
	if (t->pending || current->flags & EB_BASE_NEVER_RETURNS ||
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

/**
 * btrfs_eb_table_room - make room for one more reference, if that can be
 * @t: the list of this task, full
 *
 * It is full also as long as nobody is going to look at it.
 *
 * Context: the task.
 * Return: whether it is not full any more.
 */
bool btrfs_eb_table_room(struct eb_task *t)
{
	if (t->limit != t->held)
		return false;
	watch_return(t);
	return true;
}

/* An entry of the table for this task, NULL if there is none near its place. */
static struct eb_task *claim(void)
{
	unsigned int home = task_home(current->pid), n;
	struct eb_task *t = NULL;

	for (n = 0; n < EB_PROBES && !t; n++)
		if (!READ_ONCE(task_at(home, n)->pid) &&
		    !cmpxchg(&task_at(home, n)->pid, 0, current->pid))
			t = task_at(home, n);
	if (!t || atomic_read(&eb_nr_claimed) > EB_TASKS / 2)
		schedule_delayed_work(&eb_sweep_work, EB_SWEEP_DELAY);
	if (!t)
		return NULL;
	t->pending = false;
	/* Nobody looks at what it held before. */
	t->epoch = 0;
	set_bit(t - eb_tasks, eb_claimed);
	atomic_inc(&eb_nr_claimed);
	return t;
}

/**
 * btrfs_eb_table_enter - an empty list for this task, which has none
 * @epoch: the current one
 *
 * Context: the task.
 * Return: the list, or NULL if the table has no room.
 */
struct eb_task *btrfs_eb_table_enter(u32 epoch)
{
	struct eb_task *t = find_list();

	if (!t)
		t = claim();
	if (!t)
		return NULL;
	eb_ledger_init(t);
	if (!t->pending)
		t->limit = t->held;
	/* Empty first; pairs with btrfs_eb_owner_walk(). */
	smp_store_release(&t->epoch, epoch);
	return t;
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
	unsigned int i;

	for_each_set_bit(i, eb_claimed, EB_TASKS) {
		struct eb_task *t = &eb_tasks[i];
		struct eb_held *held, *top;

		/* Pairs with btrfs_eb_table_enter(). */
		if (!epoch || smp_load_acquire(&t->epoch) != epoch)
			continue;
		/* Pairs with eb_ledger_added(). */
		top = smp_load_acquire(&t->top);
		for (held = &t->held[1]; held <= top; held++) {
			/* The task goes on meanwhile; see above. */
			struct eb_held copy = data_race(*held);

			found(&copy, abs(READ_ONCE(t->pid)), arg);
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

/* How many tasks hold something now? */
unsigned int btrfs_eb_owner_tasks(void)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	unsigned int i, nr = 0;

	for_each_set_bit(i, eb_claimed, EB_TASKS)
		nr += READ_ONCE(eb_tasks[i].epoch) == epoch &&
		      !eb_ledger_empty(&eb_tasks[i]);
	return nr;
}

/**
 * btrfs_eb_table_epoch - what the hooks do in line may not be enough any more
 *
 * Called after the epoch or what is wanted has changed.  From now on each task
 * comes here once before it gets its list at hand again, if it does.
 *
 * Context: any.
 */
void btrfs_eb_table_epoch(void)
{
	int cpu;

	/* What was changed first, then the lists; pairs with at_hand(). */
	smp_mb();
	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu(btrfs_eb_hot.list, cpu), &eb_nobody);
}

/* Make the table; 0, or -ENOMEM. */
int btrfs_eb_table_init(void)
{
	eb_tasks = kvcalloc(EB_TASKS, sizeof(*eb_tasks), GFP_KERNEL | __GFP_NOWARN);
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

/* The guard is off, but a task may not have returned to user space yet. */
void btrfs_eb_table_exit(void)
{
	cancel_delayed_work_sync(&eb_sweep_work);
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
