/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much more of the kernel as hooks and owners need to be compiled in user space, beside
 * user.h: tasks that take turns on one CPU, and may be interrupted.  It stands in for all of
 * their linux/ headers and for those of btrfs, see model/fuzz.
 */

#ifndef EB_MODEL_USER_BTRFS_H
#define EB_MODEL_USER_BTRFS_H

#include "user.h"

typedef int blk_status_t;
typedef int spinlock_t;

struct static_key {
	bool on;
};

struct task_struct {
	pid_t pid;
};

struct work_struct {
	void (*func)(struct work_struct *work);
};

/* Who runs, and where: the address of each hook is a number of the event. */
extern struct task_struct *fuzz_current;
extern bool fuzz_in_task;
extern bool fuzz_no_memory;
extern unsigned long fuzz_ip;

#define current			fuzz_current
#define in_task()		fuzz_in_task
#define _RET_IP_		fuzz_ip

#define __force
#undef __cold
#define __cold
#undef noinline
#define noinline
#define GFP_NOWAIT		0
#define __GFP_NOWARN		0
#define IS_ERR_OR_NULL(ptr)	(!(ptr))
#define min(left, right)	((left) < (right) ? (left) : (right))
#define raw_cpu_read(place)	(place)
#define atomic_read(atomic)	((atomic)->counter)
#define atomic_set(atomic, value)	((atomic)->counter = (value))
#define WARN(cond, format, text)	((void)(text))

#define DECLARE_STATIC_KEY_FALSE(name)	extern struct static_key name
#define static_branch_likely(key)	((key)->on)
#define static_branch_unlikely(key)	((key)->on)
/* Nobody traces. */
#define tracepoint_enabled(name)	false

#define DECLARE_WORK(name, func)	struct work_struct name = { func }
#define schedule_work(work)		((work)->func(work))
#define cancel_work_sync(work)		((void)(work))
#define rcu_read_lock()			((void)0)
#define rcu_read_unlock()		((void)0)

static inline void *kzalloc(size_t size, int flags)
{
	(void)flags;
	return fuzz_no_memory ? NULL : calloc(1, size);
}

#define BTRFS_MAX_LEVEL		8

struct extent_buffer {
	u32 flags;
	u32 marks;
	int refs;
	int io_pages;
	/* Who holds the tree lock for writing. */
	pid_t lock_owner;
	/* refs_lock is held. */
	bool locked;
	bool in_tree;
	bool on_list;
	bool fs_error;
	bool read_holds;
	bool write_tests;
	bool alive;
	struct btrfs_eb_debug debug;
};

struct btrfs_path {
	const struct extent_buffer *nodes[BTRFS_MAX_LEVEL];
	int lowest_level;
};

#endif
