// SPDX-License-Identifier: GPL-2.0
/*
 * What does one get and put of an extent buffer cost, and what one search?
 *
 * A parameter of btrfs, so that it needs no device and no ioctl: "pairs FD N" or
 * "search FD N" is written, FD is any open file of a btrfs, and what N of them
 * took is read.  It is in cycles, which is instructions where the virtual machine
 * counts those.  "alloc FD N FROM" makes N buffers, as a read of a block does that is in
 * nobody's memory yet, and reads none.  "same FD N TASKS" and "own FD N TASKS" are pairs by
 * so many tasks at once, spread over the CPUs: all of them on the root of a tree, or each
 * on one of those buffers.  "lose FD N TASKS" and "forget FD N TASKS" take references to N
 * of them in each task, by a lookup or as they are made, and never give one back.
 *
 * Another parameter tells how long the CPU has slept since it was first read: newer kernels
 * count that by ticks.  A third one tells how long the lock of the list of live buffers was
 * held at most.  Part of the kernels that are measured, with the guard and without; never
 * of one that a user builds.
 */

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <trace/events/power.h>
#include "ctree.h"
#include "disk-io.h"
#include "extent_io.h"

/* Where the buffers lie that are made: far from all blocks of the file system. */
#define PERF_START	BIT_ULL(40)
/* After so many pairs a task lets the others of its CPU go on. */
#define PERF_TURN	64

static u64 eb_perf_cycles;

static int pairs_at(struct btrfs_fs_info *fs_info, u64 start, unsigned int count)
{
	for (; count; count--) {
		struct extent_buffer *found;

		found = find_extent_buffer(fs_info, start);
		if (!found)
			return -ENOENT;
		free_extent_buffer(found);
	}
	return 0;
}

/* A buffer that stays in memory all the time, as the root of a tree does. */
static int perf_pairs(struct btrfs_root *root, unsigned int count)
{
	struct extent_buffer *eb = btrfs_root_node(root);
	int ret = pairs_at(root->fs_info, eb->start, count);

	free_extent_buffer(eb);
	return ret;
}

static u64 perf_start(struct btrfs_fs_info *fs_info, unsigned int n)
{
	return PERF_START + (u64)n * fs_info->nodesize;
}

/* As a read makes one; what the kernels want beside the address, tests/perf/<base>.patch says. */
static struct extent_buffer *make_buffer(struct btrfs_fs_info *fs_info, u64 start)
{
#if defined(EB_PERF_BY_ADDRESS)
	return btrfs_find_create_tree_block(fs_info, start);
#elif defined(EB_PERF_PREALLOC)
	struct btrfs_eb_prealloc pa = { 0 };

	return btrfs_find_create_tree_block(fs_info, &pa, start,
					    BTRFS_FS_TREE_OBJECTID, 0);
#else
	return btrfs_find_create_tree_block(fs_info, start,
					    BTRFS_FS_TREE_OBJECTID, 0);
#endif
}

/* They stay, as all do that the tree of buffers holds. */
static int perf_alloc(struct btrfs_fs_info *fs_info, unsigned int count,
		      unsigned int from)
{
	for (; count; count--, from++) {
		struct extent_buffer *eb;

		eb = make_buffer(fs_info, perf_start(fs_info, from));
		if (IS_ERR(eb))
			return PTR_ERR(eb);
		free_extent_buffer(eb);
		cond_resched();
	}
	return 0;
}

enum perf_mode {
	PERF_SAME,
	PERF_OWN,
	PERF_LOSE,
	PERF_FORGET,
	PERF_MODES
};

static const char * const perf_modes[PERF_MODES] = { "same", "own", "lose", "forget" };

/* One of the tasks that take references at once. */
struct perf_task {
	struct task_struct *task;
	enum perf_mode mode;
	struct btrfs_fs_info *fs_info;
	u64 start;
	unsigned int count;
	int ret;
	struct completion *go;
	struct completion done;
};

static void take_turns(struct perf_task *job)
{
	unsigned int turn;

	for (; job->count && !job->ret; job->count -= turn) {
		turn = min_t(unsigned int, job->count, PERF_TURN);
		job->ret = pairs_at(job->fs_info, job->start, turn);
		schedule();
	}
}

/* What is found is never given back. */
static void lose_references(struct perf_task *job)
{
	for (; job->count && !job->ret; job->count--, job->start += job->fs_info->nodesize)
		if (!find_extent_buffer(job->fs_info, job->start))
			job->ret = -ENOENT;
}

/* The same of what is made. */
static void forget_references(struct perf_task *job)
{
	for (; job->count && !job->ret; job->count--, job->start += job->fs_info->nodesize)
		job->ret = PTR_ERR_OR_ZERO(make_buffer(job->fs_info, job->start));
}

static int perf_task(void *arg)
{
	struct perf_task *job = arg;

	wait_for_completion(job->go);
	if (job->mode == PERF_LOSE)
		lose_references(job);
	else if (job->mode == PERF_FORGET)
		forget_references(job);
	else
		take_turns(job);
	complete(&job->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static int start_task(struct perf_task *job, unsigned int n)
{
	struct task_struct *task = kthread_create(perf_task, job, "eb_perf/%u", n);

	if (IS_ERR(task))
		return PTR_ERR(task);
	job->task = task;
	kthread_bind(task, n % num_online_cpus());
	wake_up_process(task);
	return 0;
}

/* All are there before the first begins; what the last one needs to end is counted. */
static int perf_tasks(struct btrfs_root *root, unsigned int count,
		      unsigned int tasks, enum perf_mode mode)
{
	/* Those that take many have them one behind the other. */
	unsigned int apart = mode == PERF_OWN ? 8 : count;
	struct extent_buffer *eb = btrfs_root_node(root);
	struct perf_task *jobs = kcalloc(tasks, sizeof(*jobs), GFP_KERNEL);
	DECLARE_COMPLETION_ONSTACK(go);
	unsigned int n, started;
	u64 begin;
	int ret = jobs ? 0 : -ENOMEM;

	for (n = 0; n < tasks && !ret; n++) {
		jobs[n].mode = mode;
		jobs[n].fs_info = root->fs_info;
		jobs[n].start = mode == PERF_SAME ? eb->start :
				perf_start(root->fs_info, n * apart);
		jobs[n].count = count;
		jobs[n].go = &go;
		init_completion(&jobs[n].done);
		ret = start_task(&jobs[n], n);
	}
	started = ret ? max(n, 1U) - 1 : n;
	begin = get_cycles();
	complete_all(&go);
	for (n = 0; n < started; n++)
		wait_for_completion(&jobs[n].done);
	eb_perf_cycles = get_cycles() - begin;
	for (n = 0; n < started; n++) {
		ret = ret ? ret : jobs[n].ret;
		kthread_stop(jobs[n].task);
	}
	kfree(jobs);
	free_extent_buffer(eb);
	return ret;
}

/* From the root down to the item of the top directory, and everything put. */
static int perf_search(struct btrfs_root *root, unsigned int count)
{
	const struct btrfs_key key = {
		.objectid = BTRFS_FIRST_FREE_OBJECTID,
		.type = BTRFS_INODE_ITEM_KEY,
	};
	int ret = 0;

	for (; count && !ret; count--) {
		struct btrfs_path *path = btrfs_alloc_path();

		if (!path)
			return -ENOMEM;
		ret = btrfs_search_slot(NULL, root, &key, path, 0, 0);
		btrfs_free_path(path);
	}
	return ret > 0 ? -ENOENT : ret;
}

static int eb_perf_set(const char *val, const struct kernel_param *kp)
{
	unsigned int fd, count, more = 0;
	struct btrfs_fs_info *fs_info;
	struct super_block *sb;
	struct file *file;
	char what[8];
	u64 begin;
	int mode, ret;

	if (sscanf(val, "%7s %u %u %u", what, &fd, &count, &more) < 3)
		return -EINVAL;
	file = fget(fd);
	if (!file)
		return -EBADF;
	sb = file_inode(file)->i_sb;
	ret = -EINVAL;
	if (sb->s_magic != BTRFS_SUPER_MAGIC)
		goto out;
	fs_info = sb->s_fs_info;
	begin = get_cycles();
	if (!strcmp(what, "pairs"))
		ret = perf_pairs(fs_info->fs_root, count);
	else if (!strcmp(what, "search"))
		ret = perf_search(fs_info->fs_root, count);
	else if (!strcmp(what, "alloc"))
		ret = perf_alloc(fs_info, count, more);
	eb_perf_cycles = get_cycles() - begin;
	/* These have their own beginning. */
	mode = match_string(perf_modes, PERF_MODES, what);
	if (mode >= 0)
		ret = perf_tasks(fs_info->fs_root, count, more, mode);
out:
	fput(file);
	return ret;
}

static int eb_perf_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%llu\n", eb_perf_cycles);
}

static const struct kernel_param_ops eb_perf_ops = {
	.set = eb_perf_set,
	.get = eb_perf_get,
};

module_param_cb(eb_perf, &eb_perf_ops, NULL, 0600);
MODULE_PARM_DESC(eb_perf, "measure pairs of get and put, or searches");

/* For the single CPU that such a machine has, in cycles. */
static u64 eb_perf_slept;
static u64 eb_perf_asleep;
static bool eb_perf_watched;

/* The same on all kernels; what interrupts do in between counts as sleep. */
static void eb_perf_watch(void *data, unsigned int state, unsigned int cpu)
{
	if (state != (u32)PWR_EVENT_EXIT) {
		eb_perf_asleep = get_cycles();
		return;
	}
	if (eb_perf_asleep)
		eb_perf_slept += get_cycles() - eb_perf_asleep;
	eb_perf_asleep = 0;
}

static int eb_perf_slept_get(char *buf, const struct kernel_param *kp)
{
	int ret = 0;

	if (!eb_perf_watched)
		ret = register_trace_cpu_idle(eb_perf_watch, NULL);
	if (ret)
		return ret;
	eb_perf_watched = true;
	return sysfs_emit(buf, "%llu\n", eb_perf_slept);
}

static const struct kernel_param_ops eb_perf_slept_ops = {
	.get = eb_perf_slept_get,
};

module_param_cb(eb_perf_slept, &eb_perf_slept_ops, NULL, 0400);
MODULE_PARM_DESC(eb_perf_slept, "how long the CPU has slept, in cycles");

/* The functions of the guard that hold the lock of the list of live buffers. */
static const char * const eb_perf_holders[] = {
	"btrfs_eb_live_add", "btrfs_eb_debug_forget", "btrfs_eb_live_open",
	"btrfs_eb_live_close", "btrfs_eb_live_rewind", "btrfs_eb_live_next",
	"forget_next",
};

static struct kretprobe eb_perf_probes[ARRAY_SIZE(eb_perf_holders)];
static unsigned int eb_perf_nr_probes;
/* The longest that one of them took, in cycles, and which one. */
static u64 eb_perf_longest;
static unsigned long eb_perf_holder;

struct perf_call {
	unsigned long function;
	u64 begin;
};

static int eb_perf_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct perf_call *call = (struct perf_call *)ri->data;

	call->function = instruction_pointer(regs);
	call->begin = get_cycles();
	return 0;
}

static int eb_perf_leave(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct perf_call *call = (struct perf_call *)ri->data;
	u64 took = get_cycles() - call->begin;

	if (took > eb_perf_longest) {
		eb_perf_longest = took;
		eb_perf_holder = call->function;
	}
	return 0;
}

/* One more of them is watched. */
static int eb_perf_watch_holder(unsigned int i)
{
	eb_perf_probes[i] = (struct kretprobe){
		.kp.symbol_name = eb_perf_holders[i],
		.entry_handler = eb_perf_enter,
		.handler = eb_perf_leave,
		.data_size = sizeof(struct perf_call),
	};
	return register_kretprobe(&eb_perf_probes[i]);
}

static void eb_perf_unwatch(void)
{
	while (eb_perf_nr_probes)
		unregister_kretprobe(&eb_perf_probes[--eb_perf_nr_probes]);
}

static int eb_perf_held_set(const char *val, const struct kernel_param *kp)
{
	bool watch;
	int ret = kstrtobool(val, &watch);

	eb_perf_unwatch();
	if (ret || !watch)
		return ret;
	eb_perf_longest = 0;
	eb_perf_holder = 0;
	for (; eb_perf_nr_probes < ARRAY_SIZE(eb_perf_holders); eb_perf_nr_probes++) {
		ret = eb_perf_watch_holder(eb_perf_nr_probes);
		if (ret) {
			eb_perf_unwatch();
			return ret;
		}
	}
	return 0;
}

static int eb_perf_held_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%llu %ps\n", eb_perf_longest,
			  (void *)eb_perf_holder);
}

static const struct kernel_param_ops eb_perf_held_ops = {
	.set = eb_perf_held_set,
	.get = eb_perf_held_get,
};

module_param_cb(eb_perf_held, &eb_perf_held_ops, NULL, 0600);
MODULE_PARM_DESC(eb_perf_held, "how long the lock of the list of buffers is held, in cycles");
