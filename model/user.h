/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as fs/btrfs/eb_debug.c and eb_debug_ledger.h need to be compiled in
 * user space: one task, one CPU.  It stands in for all of their linux/ headers, see
 * user_headers() in tools/lib.sh.
 */

#ifndef EB_MODEL_USER_H
#define EB_MODEL_USER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
typedef int32_t s32;
typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;

struct list_head {
	struct list_head *next, *prev;
};

struct callback_head {
	struct callback_head *next;
};

/* No time goes by. */
#define jiffies			0

struct extent_buffer;
struct btrfs_fs_info;
struct btrfs_path;
struct task_struct;
struct file_operations;
struct dentry;

#define CONFIG_BTRFS_EB_DEBUG	1
#define UUID_SIZE		16

#define __percpu
#undef __always_inline
#define __always_inline		inline
#define ____cacheline_aligned
#define DECLARE_PER_CPU(type, name)	extern type name
#define DECLARE_TRACEPOINT(name)	struct tracepoint
#define this_cpu_inc(counter)	((counter)++)
#define raw_smp_processor_id()	0
#define local_clock()		0
#define likely(cond)		(cond)
#define unlikely(cond)		(cond)
#define BIT(nr)			(1UL << (nr))
#define BIT_ULL(nr)		(1ULL << (nr))
#define __ffs64(bits)		((unsigned int)__builtin_ctzll(bits))
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define clamp(value, low, high)						\
	((value) < (low) ? (low) : (value) > (high) ? (high) : (value))
#define READ_ONCE(place)	(place)
#define WRITE_ONCE(place, value)	((place) = (value))
#define smp_mb()		do { } while (0)
#define smp_rmb()		do { } while (0)
#define smp_wmb()		do { } while (0)
#define smp_store_release(place, value)	(*(place) = (value))
#define cmpxchg(place, old, new)					\
	do {								\
		if (*(place) == (old))					\
			*(place) = (new);				\
	} while (0)

static inline s64 atomic64_read(const atomic64_t *counter)
{
	return counter->counter;
}

static inline bool atomic64_try_cmpxchg(atomic64_t *counter, s64 *old, s64 new)
{
	(void)old;
	counter->counter = new;
	return true;
}

static inline int atomic_inc_return(atomic_t *counter)
{
	return ++counter->counter;
}

#include "../include/linux/eb_debug_types.h"

#endif
