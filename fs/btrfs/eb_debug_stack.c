// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks for little: who called whom, when somebody takes a reference?
 *
 * To unwind a stack takes some thousand instructions, and most stacks have been seen
 * before.  Where a return address lies is decided by the one below it, since the
 * functions of this kernel have frames of one size.  So a stack that was unwound
 * once is remembered with the places of its return addresses; a task that has the
 * same address at the lowest place, and at all the others, has come the same way.
 *
 * Where the places are not to be had, each stack is unwound.
 */

#include <linux/hash.h>
#include <linux/kmemleak.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>
#include <linux/vmalloc.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"

#if defined(EB_X86_64) && !defined(MODULE)
#define EB_STACK_PLACES
#include <asm/unwind.h>
#endif

static noinline u32 unwind(void)
{
	unsigned long frames[EB_FRAMES];

	return eb_base_stack_save(frames, stack_trace_save(frames, EB_FRAMES, 3));
}

/*
 * 0, or -ENOMEM.  A depot that was turned off at boot, or that once got no memory, says so
 * by storing nothing.
 */
static int depot_init(void)
{
	unsigned long here = _THIS_IP_;
	int ret = eb_base_stacks_init();

	if (ret)
		return ret;
	return eb_base_stack_save(&here, 1) ? 0 : -ENOMEM;
}

/*
 * Three functions are skipped: unwind(), btrfs_eb_stack(), and whichever of ours
 * called that.  The barrier keeps btrfs_eb_stack() among them: without it the
 * compiler may leave it by a jump, and who took the reference is skipped.
 */
static __always_inline u32 unwind_all(void)
{
	u32 handle = unwind();

	barrier();
	return handle;
}

#ifdef EB_STACK_PLACES

/* Stacks that are remembered, and how many of them may have the same home. */
#define EB_STACKS	2048
#define EB_STACK_PROBES	4

/**
 * struct eb_stack - one stack that was seen
 * @seq: odd while it is written
 * @handle: in the depot
 * @at: where the return addresses lie, from the start of the stack
 * @ip: which they are
 */
struct eb_stack {
	u32 seq;
	u32 handle;
	u16 at[EB_FRAMES];
	unsigned long ip[EB_FRAMES];
};

/* Made together with the depot, and there from then on. */
static struct eb_stack *eb_stacks;
/* Which of those with the same home gives way to the next one. */
static unsigned int eb_stack_turn;

static_assert(THREAD_SIZE <= 1 << 16);

/*
 * Takes memory that is only wanted when somebody asks for stacks.  0, or -ENOMEM; ours
 * comes first, as a depot that got none does not ask again.
 */
int btrfs_eb_stack_init(void)
{
	struct eb_stack *stacks;
	int ret;

	if (READ_ONCE(eb_stacks))
		return 0;
	stacks = kvcalloc(EB_STACKS, sizeof(*stacks), GFP_KERNEL | __GFP_NOWARN);
	ret = stacks ? depot_init() : -ENOMEM;
	if (ret) {
		kvfree(stacks);
		return ret;
	}
	/* Addresses that are only compared must not hide lost memory. */
	kmemleak_no_scan(stacks);
	/* Empty first; pairs with btrfs_eb_stack(). */
	if (cmpxchg_release(&eb_stacks, NULL, stacks))
		kvfree(stacks);
	return 0;
}

/* Nobody asks for stacks any more. */
void btrfs_eb_stack_exit(void)
{
	kvfree(eb_stacks);
	eb_stacks = NULL;
}

static bool is_this(const struct eb_stack *stack, unsigned long start,
		    unsigned long place)
{
	unsigned int i;

	if (start + stack->at[0] != place)
		return false;
	/* Behind the last one the first one is repeated. */
#pragma GCC unroll 16
	for (i = 0; i < EB_FRAMES; i++)
		if (READ_ONCE_NOCHECK(*(unsigned long *)(start + stack->at[i])) !=
		    stack->ip[i])
			return false;
	return true;
}

static void remember(struct eb_stack *stack, const struct eb_stack *seen)
{
	u32 seq = READ_ONCE(stack->seq);

	if (seq & 1 || cmpxchg(&stack->seq, seq, seq + 1) != seq)
		return;
	/* Odd first; pairs with btrfs_eb_stack(). */
	smp_wmb();
	stack->handle = seen->handle;
	memcpy(stack->at, seen->at, sizeof(stack->at));
	memcpy(stack->ip, seen->ip, sizeof(stack->ip));
	/* Even again when all is there; pairs with btrfs_eb_stack(). */
	smp_store_release(&stack->seq, seq + 2);
}

/*
 * From @place upwards.  Only what lies where it is read from can be found again,
 * at @to.
 */
static noinline u32 unwind_places(struct eb_stack *to, unsigned long start,
				  unsigned long place)
{
	struct unwind_state state;
	struct eb_stack seen = { };
	unsigned int nr = 0, i;
	bool placed = to;

	for (unwind_start(&state, current, NULL, (unsigned long *)place);
	     !unwind_done(&state) && nr < EB_FRAMES;
	     unwind_next_frame(&state)) {
		unsigned long ip = unwind_get_return_address(&state);
		unsigned long *at = unwind_get_return_address_ptr(&state);

		if (!ip)
			break;
		if (!nr && (unsigned long)at < place)
			continue;
		if ((unsigned long)at - start >= THREAD_SIZE ||
		    READ_ONCE_NOCHECK(*at) != ip)
			placed = false;
		else
			seen.at[nr] = (unsigned long)at - start;
		seen.ip[nr++] = ip;
	}
	if (!nr)
		return 0;
	seen.handle = eb_base_stack_save(seen.ip, nr);
	for (i = nr; i < EB_FRAMES; i++) {
		seen.at[i] = seen.at[0];
		seen.ip[i] = seen.ip[0];
	}
	if (placed && seen.handle && start + seen.at[0] == place)
		remember(to, &seen);
	return seen.handle;
}

/**
 * btrfs_eb_stack - the stack of this task
 * @place: where the address lies from which it is wanted, 0 if that is not known
 *
 * Context: the task.
 * Return: its handle in the depot, or 0.
 */
u32 btrfs_eb_stack(unsigned long place)
{
	unsigned long start = (unsigned long)task_stack_page(current);
	struct eb_stack *stacks;
	unsigned int home, i;

	/* Pairs with btrfs_eb_stack_init(). */
	stacks = smp_load_acquire(&eb_stacks);
	if (!stacks)
		return 0;
	if (place - start >= THREAD_SIZE)
		return unwind_all();
	home = hash_64(READ_ONCE_NOCHECK(*(unsigned long *)place) ^
		       (place - start) << 32, ilog2(EB_STACKS));
	for (i = 0; i < EB_STACK_PROBES; i++) {
		struct eb_stack *stack = &stacks[(home + i) % EB_STACKS];
		u32 seq, handle;

		/* Pairs with remember(). */
		seq = smp_load_acquire(&stack->seq);
		if (seq & 1 || !is_this(stack, start, place))
			continue;
		handle = stack->handle;
		/* Pairs with remember(): what was read is what was compared. */
		smp_rmb();
		if (READ_ONCE(stack->seq) != seq)
			continue;
		/* In a kernel that checks itself we do it too. */
		if (IS_ENABLED(CONFIG_BTRFS_ASSERT))
			EB_DEBUG_DISTRUST_ON(handle != unwind_places(NULL, start, place));
		return handle;
	}
	/* Whichever it is. */
	i = data_race(eb_stack_turn++) % EB_STACK_PROBES;
	return unwind_places(&stacks[(home + i) % EB_STACKS], start, place);
}

#else

/* The depot is there. */
static bool eb_stacks_ready;

int btrfs_eb_stack_init(void)
{
	int ret;

	if (READ_ONCE(eb_stacks_ready))
		return 0;
	ret = depot_init();
	if (ret)
		return ret;
	/* The depot first; pairs with btrfs_eb_stack(). */
	smp_store_release(&eb_stacks_ready, true);
	return 0;
}

void btrfs_eb_stack_exit(void)
{
	WRITE_ONCE(eb_stacks_ready, false);
}

u32 btrfs_eb_stack(unsigned long place)
{
	/* Pairs with btrfs_eb_stack_init(). */
	return smp_load_acquire(&eb_stacks_ready) ? unwind_all() : 0;
}

#endif
