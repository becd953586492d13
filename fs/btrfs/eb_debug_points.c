// SPDX-License-Identifier: GPL-2.0
/*
 * Points: how does a test make a race happen that it can't wait for?
 *
 * A hook of the guard may also be a point, at which a task of btrfs can be delayed,
 * refused what it is about to try, or stopped until another task has come to
 * another point.  The first two go through the kernel's fault injection, so that
 * there is a probability, a number of times and a filter of tasks; they widen a
 * race.  The last replays one: a schedule says, step by step, which task runs
 * until which point, all others stand still meanwhile, and everything is about one
 * buffer.
 *
 * Where a spinlock is held, or in an interrupt, a task can't sleep.  It turns on the
 * spot instead, and needs another CPU for what it waits for; such a point is never
 * delayed unless it was named.  Nothing waits longer than the schedule's timeout.
 *
 * Nothing here judges, and the guard may be off.
 */

#define pr_fmt(fmt) "BTRFS eb_debug: " fmt

#include <linux/bitops.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fault-inject.h>
#include <linux/hardirq.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"

/* A schedule has so many steps of so many tasks, and waits so long by default. */
#define EB_STEPS	32
#define EB_ROLES	8
#define EB_ROLE_NAME	16
#define EB_TIMEOUT_MS	1000
#define EB_MAX_MS	10000

/* The longest text that a file here takes. */
#define EB_POINTS_TEXT	2048

DEFINE_STATIC_KEY_FALSE(btrfs_eb_point_key);

/* What a task may do at a point. */
static const struct {
	const char *name;
	/* refs_lock, another spinlock or an interrupt: it must not sleep. */
	bool atomic;
	/* It can be refused what it is about to try. */
	bool fails;
} eb_points[EB_POINT_COUNT] = {
	[EB_POINT_LOOKUP]	= { "lookup" },
	[EB_POINT_NEW_BLOCK]	= { "new_block" },
	[EB_POINT_TREE_TRYLOCK]	= { "tree_trylock", .fails = true },
	[EB_POINT_READ_TRYLOCK]	= { "read_trylock", .fails = true },
	[EB_POINT_READ_START]	= { "read_start" },
	[EB_POINT_READ_ARMED]	= { "read_armed" },
	[EB_POINT_READ_DANCED]	= { "read_danced" },
	[EB_POINT_READ_SENT]	= { "read_sent" },
	[EB_POINT_READ_END]	= { "read_end", .atomic = true },
	[EB_POINT_DIRTY]	= { "dirty" },
	[EB_POINT_DIRTIED]	= { "dirtied" },
	[EB_POINT_WRITEBACK]	= { "writeback", .atomic = true },
	[EB_POINT_WRITE_ARMED]	= { "write_armed" },
	[EB_POINT_WRITE_DANCED]	= { "write_danced" },
	[EB_POINT_WRITE_SENT]	= { "write_sent" },
	[EB_POINT_WRITE_END]	= { "write_end", .atomic = true },
	[EB_POINT_WRITTEN]	= { "written", .atomic = true },
	[EB_POINT_TREE_REF_SET]	= { "tree_ref_set", .atomic = true },
	[EB_POINT_RELEASE]	= { "release", .atomic = true },
	[EB_POINT_RELEASED]	= { "released", .atomic = true },
	[EB_POINT_STALE]	= { "stale", .atomic = true },
	[EB_POINT_PUT]		= { "put", .atomic = true },
	[EB_POINT_LAST_PUT]	= { "last_put", .atomic = true },
	[EB_POINT_FREE]		= { "free", .atomic = true },
};

/* Who came to a point. */
struct eb_visit {
	u64 start;
	u64 when;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	int refs;
	u32 flags;
};

struct eb_step {
	enum eb_debug_point point;
	unsigned int role;
	bool fail;
	/* Made only when the buffer has so many references, if it is not 0. */
	unsigned int refs;
	struct eb_visit visit;
};

struct eb_role {
	char name[EB_ROLE_NAME];
	/* The task that plays it, 0 if nobody has come yet. */
	pid_t pid;
};

/* What is replayed. */
static struct eb_schedule {
	/* Protects all of it; what is waited for is also read without. */
	spinlock_t lock;
	struct eb_step step[EB_STEPS];
	struct eb_role role[EB_ROLES];
	unsigned int nr_steps, nr_roles;
	/* The step that is to come; all of them were made if there is none. */
	unsigned int next;
	/* Raised when a task that waits must not do so any more. */
	unsigned int round;
	unsigned int given_up;
	/* The most steps that a round made before it was given up. */
	unsigned int most;
	unsigned int timeout_ms;
	/* A round that has begun must be over by then. */
	u64 deadline;
	/* The buffer that this is about, as soon as the first step was made. */
	const struct btrfs_fs_info *fs_info;
	u64 start;
	/* Only this one if it is not 0. */
	u64 only_start;
} eb_schedule = {
	.lock = __SPIN_LOCK_UNLOCKED(eb_schedule.lock),
};

static DECLARE_WAIT_QUEUE_HEAD(eb_schedule_wait);

static struct eb_widening {
	struct fault_attr attr;
	/* The points that were asked for. */
	unsigned long at;
	/* How long a delay is. */
	u32 us;
	atomic_long_t times[EB_POINT_COUNT];
} eb_delay = {
	.attr = FAULT_ATTR_INITIALIZER,
	.us = 100,
}, eb_fail = {
	.attr = FAULT_ATTR_INITIALIZER,
};

/* Protects what is asked for, and the key. */
static DEFINE_MUTEX(eb_points_mutex);
static bool eb_scheduled;

static void switch_points(void)
{
	static bool on;
	bool wanted = eb_delay.at || eb_fail.at || eb_scheduled;

	lockdep_assert_held(&eb_points_mutex);
	if (wanted == on)
		return;
	on = wanted;
	if (on)
		static_branch_enable(&btrfs_eb_point_key);
	else
		static_branch_disable(&btrfs_eb_point_key);
}

/* May this task sleep at this point?  A wrong no costs time, a wrong yes a deadlock. */
static bool may_sleep(enum eb_debug_point point)
{
	return !eb_points[point].atomic && in_task() && !irqs_disabled() &&
	       (preemptible() || !IS_ENABLED(CONFIG_PREEMPT_COUNT));
}

static void delay(u32 us, bool sleep)
{
	if (sleep) {
		usleep_range(us, us + us / 8 + 1);
		return;
	}
	mdelay(us / 1000);
	udelay(us % 1000);
}

static void delay_at(enum eb_debug_point point)
{
	if (!test_bit(point, &eb_delay.at) || !should_fail(&eb_delay.attr, 1))
		return;
	atomic_long_inc(&eb_delay.times[point]);
	delay(READ_ONCE(eb_delay.us), may_sleep(point));
}

static bool fails_at(enum eb_debug_point point)
{
	if (!test_bit(point, &eb_fail.at) || !should_fail(&eb_fail.attr, 1))
		return false;
	atomic_long_inc(&eb_fail.times[point]);
	return true;
}

/* The next step of this role, or none. */
static unsigned int next_step_of(unsigned int role)
{
	unsigned int i = eb_schedule.next;

	while (i < eb_schedule.nr_steps && eb_schedule.step[i].role != role)
		i++;
	return i;
}

/* Everybody goes on, and the schedule begins again with another buffer. */
static void begin_again(void)
{
	unsigned int i;

	lockdep_assert_held(&eb_schedule.lock);
	eb_schedule.round++;
	eb_schedule.next = 0;
	for (i = 0; i < eb_schedule.nr_roles; i++)
		eb_schedule.role[i].pid = 0;
}

static void give_up(void)
{
	eb_schedule.given_up++;
	eb_schedule.most = max(eb_schedule.most, eb_schedule.next);
	begin_again();
}

/* Which role this task plays, none if it is negative. */
static int role_played(void)
{
	unsigned int i;

	for (i = 0; i < eb_schedule.nr_roles; i++)
		if (eb_schedule.role[i].pid == current->pid)
			return i;
	return -1;
}

/* The step that this task makes here if it waits for its turn, none if it must not. */
static unsigned int step_here(const struct btrfs_fs_info *fs_info, u64 start,
			      const struct extent_buffer *eb,
			      enum eb_debug_point point)
{
	unsigned int next = eb_schedule.next, nr = eb_schedule.nr_steps, i;
	const struct eb_step *step;
	int role;

	if (next == nr)
		return nr;
	if (next ? eb_schedule.fs_info != fs_info || eb_schedule.start != start :
		   eb_schedule.only_start && eb_schedule.only_start != start)
		return nr;
	role = role_played();
	/* Who plays a role waits for its next step, others begin with this one. */
	i = role < 0 ? next : next_step_of(role);
	if (i == nr)
		return nr;
	step = &eb_schedule.step[i];
	if (role < 0 && eb_schedule.role[step->role].pid)
		return nr;
	if (step->point != point ||
	    (step->refs && eb && eb_base_refs(eb) != step->refs))
		return nr;
	return i;
}

static void make_step(const struct btrfs_fs_info *fs_info, u64 start,
		      const struct extent_buffer *eb)
{
	struct eb_step *step = &eb_schedule.step[eb_schedule.next];

	if (eb_schedule.next == 0) {
		eb_schedule.fs_info = fs_info;
		eb_schedule.start = start;
		eb_schedule.deadline = ktime_get_ns() +
				       eb_schedule.timeout_ms * NSEC_PER_MSEC;
	}
	step->visit = (struct eb_visit) {
		.start = start,
		.when = ktime_get_ns(),
		.pid = current->pid,
		.refs = eb ? eb_base_refs(eb) : 0,
		.flags = eb ? eb_base_flags(eb) : 0,
	};
	memcpy(step->visit.comm, current->comm, TASK_COMM_LEN);
	eb_schedule.role[step->role].pid = current->pid;
	eb_schedule.next++;
}

/* Need the task not wait any longer? */
static bool goes_on(unsigned int round, unsigned int step)
{
	return READ_ONCE(eb_schedule.round) != round ||
	       READ_ONCE(eb_schedule.next) >= step;
}

/* Until it is the turn of a step, or the task is not awaited any more. */
static void wait_for_turn(unsigned int round, unsigned int step, u64 deadline,
			  bool sleep)
{
	unsigned long flags;

	while (!goes_on(round, step) && ktime_get_ns() < deadline) {
		if (sleep)
			wait_event_timeout(eb_schedule_wait,
					   goes_on(round, step), HZ / 100 + 1);
		else
			cpu_relax();
	}
	if (goes_on(round, step))
		return;
	spin_lock_irqsave(&eb_schedule.lock, flags);
	if (!goes_on(round, step))
		give_up();
	spin_unlock_irqrestore(&eb_schedule.lock, flags);
}

/*
 * Makes the step that this task has here, as soon as its turn has come.  Then the
 * task stands still until all steps before its next one were made.
 */
static bool schedule_at(const struct btrfs_fs_info *fs_info, u64 start,
			const struct extent_buffer *eb,
			enum eb_debug_point point)
{
	unsigned int step, next, round;
	bool sleep = may_sleep(point);
	unsigned long flags;
	bool fail;
	u64 deadline;

	spin_lock_irqsave(&eb_schedule.lock, flags);
	if (eb_schedule.next && eb_schedule.next < eb_schedule.nr_steps &&
	    ktime_get_ns() > eb_schedule.deadline)
		give_up();
	step = step_here(fs_info, start, eb, point);
	round = eb_schedule.round;
	deadline = eb_schedule.deadline;
	if (step > eb_schedule.next && step < eb_schedule.nr_steps) {
		spin_unlock_irqrestore(&eb_schedule.lock, flags);
		wait_for_turn(round, step, deadline, sleep);
		spin_lock_irqsave(&eb_schedule.lock, flags);
	}
	if (eb_schedule.round != round || step != eb_schedule.next ||
	    step == eb_schedule.nr_steps) {
		spin_unlock_irqrestore(&eb_schedule.lock, flags);
		return false;
	}
	make_step(fs_info, start, eb);
	fail = eb_schedule.step[step].fail;
	next = next_step_of(eb_schedule.step[step].role);
	if (next == eb_schedule.nr_steps)
		next = 0;
	deadline = eb_schedule.deadline;
	spin_unlock_irqrestore(&eb_schedule.lock, flags);

	wake_up_all(&eb_schedule_wait);
	if (next)
		wait_for_turn(round, next, deadline, sleep);
	return fail;
}

/**
 * btrfs_eb_debug_point - a task has come to a point
 * @fs_info: the file system
 * @start: logical address of the buffer
 * @eb: the buffer, NULL if it was not looked up yet
 * @point: where
 *
 * Context: any that the table above allows.
 * Return: true if the task must be refused what it is about to try.
 */
bool btrfs_eb_debug_point(const struct btrfs_fs_info *fs_info, u64 start,
			  const struct extent_buffer *eb,
			  enum eb_debug_point point)
{
	bool fail = false;

	/* An interrupt plays no role, whichever task it has met. */
	if (READ_ONCE(eb_scheduled) && in_task())
		fail = schedule_at(fs_info, start, eb, point);
	delay_at(point);
	return fail || fails_at(point);
}

/* The same for a task that has the buffer. */
bool btrfs_eb_debug_point_of(const struct extent_buffer *eb,
			     enum eb_debug_point point)
{
	return btrfs_eb_debug_point(eb->fs_info, eb->start, eb, point);
}

static int point_of(const char *name)
{
	int i;

	for (i = 0; i < EB_POINT_COUNT; i++)
		if (!strcmp(eb_points[i].name, name))
			return i;
	return -EINVAL;
}

/* What was written to a file, as a string of its own. */
static char *text_of(const char __user *from, size_t count)
{
	if (count > EB_POINTS_TEXT)
		return ERR_PTR(-E2BIG);
	return memdup_user_nul(from, count);
}

/*
 * Points by their names.  "all" are those at which a task can sleep: a delay under
 * refs_lock keeps a CPU from everything else, and has to be asked for.
 */
static int parse_points(char *text, bool fails, unsigned long *at)
{
	char *word;
	int i;

	*at = 0;
	while ((word = strsep(&text, " ,\t\n"))) {
		if (!*word)
			continue;
		if (!strcmp(word, "all")) {
			for (i = 0; i < EB_POINT_COUNT; i++)
				if (fails ? eb_points[i].fails :
					    !eb_points[i].atomic)
					__set_bit(i, at);
			continue;
		}
		i = point_of(word);
		if (i < 0 || (fails && !eb_points[i].fails)) {
			pr_err("points: '%s' is no point %s\n", word,
			       fails ? "at which a task can be refused something" :
				       "of btrfs");
			return -EINVAL;
		}
		__set_bit(i, at);
	}
	return 0;
}

static ssize_t at_write(struct file *file, const char __user *from,
			size_t count, loff_t *pos)
{
	struct seq_file *m = file->private_data;
	struct eb_widening *widening = m->private;
	char *text = text_of(from, count);
	unsigned long at;
	int ret;

	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = parse_points(text, widening == &eb_fail, &at);
	kfree(text);
	if (ret)
		return ret;
	mutex_lock(&eb_points_mutex);
	WRITE_ONCE(widening->at, at);
	switch_points();
	mutex_unlock(&eb_points_mutex);
	return count;
}

static int at_show(struct seq_file *m, void *v)
{
	const struct eb_widening *widening = m->private;
	int i;

	for (i = 0; i < EB_POINT_COUNT; i++) {
		if (widening == &eb_fail && !eb_points[i].fails)
			continue;
		seq_printf(m, "%s: %ld%s%s\n", eb_points[i].name,
			   atomic_long_read(&widening->times[i]),
			   test_bit(i, &widening->at) ? ", asked for" : "",
			   eb_points[i].atomic ? ", can't sleep" : "");
	}
	return 0;
}

static int at_open(struct inode *inode, struct file *file)
{
	return single_open(file, at_show, inode->i_private);
}

static const struct file_operations at_fops = {
	.owner		= THIS_MODULE,
	.open		= at_open,
	.read		= seq_read,
	.write		= at_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* The number of a role, which is a new one if nobody had that name; parse_line() cut it. */
static int role_of(struct eb_schedule *to, const char *name)
{
	unsigned int i;

	for (i = 0; i < to->nr_roles; i++)
		if (!strcmp(to->role[i].name, name))
			return i;
	if (i == EB_ROLES)
		return -EINVAL;
	strscpy(to->role[i].name, name, EB_ROLE_NAME);
	to->nr_roles++;
	return i;
}

/* What stands behind the point: "fail", "refs=N" or nothing. */
static int parse_how(struct eb_step *step, const char *how)
{
	if (!*how)
		return 0;
	if (!strcmp(how, "fail") && eb_points[step->point].fails) {
		step->fail = true;
		return 0;
	}
	if (!strncmp(how, "refs=", 5))
		return kstrtouint(how + 5, 10, &step->refs);
	return -EINVAL;
}

static int parse_step(struct eb_schedule *to, const char *who, const char *where,
		      const char *how)
{
	struct eb_step *step = &to->step[to->nr_steps];
	int point = point_of(where), role;

	if (to->nr_steps == EB_STEPS || point < 0)
		return -EINVAL;
	role = role_of(to, who);
	if (role < 0)
		return role;
	step->role = role;
	step->point = point;
	to->nr_steps++;
	return parse_how(step, how);
}

/* A step, "timeout MS" or "start LOGICAL". */
static int parse_line(struct eb_schedule *to, const char *line)
{
	char who[EB_ROLE_NAME], where[EB_ROLE_NAME], how[EB_ROLE_NAME] = "";
	char more;
	unsigned int ms;
	u64 start;
	int words;

	if (sscanf(line, " timeout %u %c", &ms, &more) == 1 && ms &&
	    ms <= EB_MAX_MS) {
		to->timeout_ms = ms;
		return 0;
	}
	if (sscanf(line, " start %llu %c", &start, &more) == 1) {
		to->only_start = start;
		return 0;
	}
	words = sscanf(line, " %15s %15s %15s %c", who, where, how, &more);
	if (words <= 0)
		return 0;
	if (words != 2 && words != 3)
		return -EINVAL;
	return parse_step(to, who, where, how);
}

static int parse_schedule(struct eb_schedule *to, char *text)
{
	char *line;
	int ret;

	to->timeout_ms = EB_TIMEOUT_MS;
	while ((line = strsep(&text, "\n"))) {
		ret = parse_line(to, line);
		if (ret) {
			pr_err("schedule: '%s' is no step: 'ROLE POINT [fail | refs=N]'\n",
			       line);
			return ret;
		}
	}
	return 0;
}

/* Replaces what is replayed; whoever waits goes on. */
static void set_schedule(const struct eb_schedule *from)
{
	unsigned long flags;

	lockdep_assert_held(&eb_points_mutex);
	spin_lock_irqsave(&eb_schedule.lock, flags);
	begin_again();
	memcpy(eb_schedule.step, from->step, sizeof(from->step));
	memcpy(eb_schedule.role, from->role, sizeof(from->role));
	eb_schedule.nr_steps = from->nr_steps;
	eb_schedule.nr_roles = from->nr_roles;
	eb_schedule.timeout_ms = from->timeout_ms;
	eb_schedule.only_start = from->only_start;
	eb_schedule.given_up = 0;
	eb_schedule.most = 0;
	spin_unlock_irqrestore(&eb_schedule.lock, flags);
	wake_up_all(&eb_schedule_wait);
	WRITE_ONCE(eb_scheduled, from->nr_steps);
	switch_points();
}

static ssize_t schedule_write(struct file *file, const char __user *from,
			      size_t count, loff_t *pos)
{
	struct eb_schedule *to;
	char *text;
	int ret;

	text = text_of(from, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = -ENOMEM;
	to = kzalloc(sizeof(*to), GFP_KERNEL);
	if (!to)
		goto out;
	ret = parse_schedule(to, text);
	if (ret)
		goto out;
	mutex_lock(&eb_points_mutex);
	set_schedule(to);
	mutex_unlock(&eb_points_mutex);
out:
	kfree(to);
	kfree(text);
	return ret ?: count;
}

static void show_step(struct seq_file *m, const struct eb_schedule *s,
		      unsigned int i)
{
	const struct eb_step *step = &s->step[i];
	const struct eb_visit *visit = &step->visit;
	char flags[128];

	seq_printf(m, "step %u %s %s", i + 1, s->role[step->role].name,
		   eb_points[step->point].name);
	if (step->fail)
		seq_puts(m, " fail");
	if (i < s->next)
		seq_printf(m, " pid=%d comm=%s us=%llu refs=%d flags=%s",
			   visit->pid, visit->comm,
			   div_u64(visit->when - s->step[0].visit.when, NSEC_PER_USEC),
			   visit->refs,
			   btrfs_eb_flags_string(flags, sizeof(flags),
						 visit->flags));
	seq_putc(m, '\n');
}

static int schedule_show(struct seq_file *m, void *v)
{
	struct eb_schedule *s = kmalloc(sizeof(*s), GFP_KERNEL);
	unsigned long flags;
	unsigned int i;

	if (!s)
		return -ENOMEM;
	spin_lock_irqsave(&eb_schedule.lock, flags);
	memcpy(s, &eb_schedule, sizeof(*s));
	spin_unlock_irqrestore(&eb_schedule.lock, flags);
	seq_printf(m, "done: %d\n", s->nr_steps && s->next == s->nr_steps);
	seq_printf(m, "given_up: %u\n", s->given_up);
	seq_printf(m, "most: %u\n", s->most);
	if (s->next)
		seq_printf(m, "start: %llu\n", s->start);
	for (i = 0; i < s->nr_steps; i++)
		show_step(m, s, i);
	kfree(s);
	return 0;
}

static int schedule_open(struct inode *inode, struct file *file)
{
	return single_open(file, schedule_show, NULL);
}

static const struct file_operations schedule_fops = {
	.owner		= THIS_MODULE,
	.open		= schedule_open,
	.read		= seq_read,
	.write		= schedule_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static void add_widening(const char *name, struct dentry *parent,
			 struct eb_widening *widening)
{
	struct dentry *dir = fault_create_debugfs_attr(name, parent,
						       &widening->attr);

	if (IS_ERR_OR_NULL(dir))
		return;
	/* A delay is no failure that anybody should read about. */
	widening->attr.verbose = 0;
	debugfs_create_file("at", 0600, dir, widening, &at_fops);
	if (widening == &eb_delay)
		debugfs_create_u32("us", 0600, dir, &widening->us);
}

/**
 * btrfs_eb_points_init - show the points in debugfs
 * @dir: the guard's directory
 *
 * Context: process context, may sleep.
 */
void btrfs_eb_points_init(struct dentry *dir)
{
	add_widening("delay", dir, &eb_delay);
	add_widening("fail", dir, &eb_fail);
	debugfs_create_file("schedule", 0600, dir, NULL, &schedule_fops);
}

/**
 * btrfs_eb_points_exit - nothing is widened or replayed any more
 *
 * Context: process context, may sleep; the files are gone.
 */
void btrfs_eb_points_exit(void)
{
	static const struct eb_schedule none;

	mutex_lock(&eb_points_mutex);
	eb_delay.at = 0;
	eb_fail.at = 0;
	set_schedule(&none);
	mutex_unlock(&eb_points_mutex);
}
