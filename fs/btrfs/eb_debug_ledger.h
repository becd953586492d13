/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The list of what a task holds: which entry is meant by a get or a put?
 *
 * Part of the core: it knows one list and nothing else.  Inline, since get and
 * put are what btrfs does all the time.  All of it is called by the task that the
 * list belongs to.
 */

#ifndef BTRFS_EB_DEBUG_LEDGER_H
#define BTRFS_EB_DEBUG_LEDGER_H

#include "eb_debug_internal.h"

/* An empty list. */
static inline void eb_ledger_init(struct eb_task *t)
{
	WRITE_ONCE(t->top, t->held);
	t->limit = &t->held[EB_HELD];
	t->releasing = NULL;
	memset(t->doubts, 0, sizeof(t->doubts));
}

static inline bool eb_ledger_empty(const struct eb_task *t)
{
	return READ_ONCE(t->top) == t->held;
}

static __always_inline bool eb_ledger_full(const struct eb_task *t)
{
	return t->top >= t->limit;
}

/**
 * eb_ledger_add - a task takes a reference
 * @t: the task's list, not full
 * @eb: the buffer
 * @serial: its serial number
 * @kind: enum eb_debug_kind
 * @site: low half of the address of whom it belongs to
 *
 * The stack is not recorded; whoever wants it sets it before eb_ledger_added().
 *
 * Return: the entry to pass to eb_ledger_added().
 */
static __always_inline struct eb_held *
eb_ledger_add(struct eb_task *t, const struct extent_buffer *eb, u32 serial,
	      enum eb_debug_kind kind, u32 site)
{
	struct eb_held *held = t->top + 1;

	held->eb = eb;
	held->path = kind == EB_KIND_EXTRA ? EB_EXTRA : NULL;
	held->site = site;
	held->stack = 0;
	held->kind = kind;
	/* Else compilers work hard to make one store of two. */
	WRITE_ONCE(held->serial, serial);
	WRITE_ONCE(held->when, jiffies);
	t->releasing = NULL;
	return held;
}

/* The entry is filled in: who looks at the list from outside may see it. */
static __always_inline void eb_ledger_added(struct eb_task *t,
					    struct eb_held *held)
{
	/* Pairs with the acquire in btrfs_eb_owner_walk(). */
	smp_store_release(&t->top, held);
}

/**
 * eb_ledger_find - which reference does a task mean?
 * @t: the task's list
 * @eb: the buffer
 * @path: the path that gives it back, EB_EXTRA, or NULL
 *
 * If the task holds several of one buffer, the release of a path gives back what
 * is in that path, and others what is in none.  One more that was taken for a
 * moment is given back by whoever says so, or when there is no other.
 *
 * Buffers are told apart by their addresses.  One that others have given back too often,
 * so that it was freed, passes for the next one there until the task is done.
 *
 * Return: the entry, or NULL if the task holds none.
 */
static inline struct eb_held *eb_ledger_find(struct eb_task *t,
					     const struct extent_buffer *eb,
					     const struct btrfs_path *path)
{
	struct eb_held *held, *other = NULL;

	for (held = t->top; held > t->held; held--) {
		if (held->eb != eb)
			continue;
		if (held->path == path)
			return held;
		if (!other || (other->path && !held->path) ||
		    (other->path == EB_EXTRA && held->path != EB_EXTRA))
			other = held;
	}
	return other;
}

/* Does the task hold another reference to the same buffer? */
static inline bool eb_ledger_has_more(const struct eb_task *t,
				      const struct eb_held *than)
{
	const struct eb_held *held;

	for (held = t->top; held > t->held; held--)
		if (held != than && held->eb == than->eb)
			return true;
	return false;
}

/**
 * eb_ledger_drop - a task does not hold a reference any more
 * @t: the task's list
 * @held: one of its entries
 *
 * The others keep their order, for the newest one is meant if there is a choice.
 * Paths give back what they took last first, so that nothing has to move then.
 */
static inline void eb_ledger_drop(struct eb_task *t, struct eb_held *held)
{
	struct eb_held *last = t->top;

	if (unlikely(held != last))
		memmove(held, held + 1, (last - held) * sizeof(*held));
	WRITE_ONCE(t->top, last - 1);
}

/**
 * eb_ledger_put - a task gives a reference back
 * @t: the task's list
 * @held: one of its entries
 * @by: low half of the address of the function that gives it back
 *
 * What is the node of a path and is not given back by that path's release is
 * remembered: it may be a mistake of which the release will suffer.
 */
static inline void eb_ledger_put(struct eb_task *t, struct eb_held *held,
				 u32 by)
{
	if (unlikely(held->path && held->path != EB_EXTRA &&
		     held->path != t->releasing)) {
		struct eb_held *doubt = &t->doubts[t->next_doubt++ % EB_DOUBTS];

		*doubt = *held;
		doubt->site = by;
	}
	eb_ledger_drop(t, held);
}

/**
 * eb_ledger_doubt - was this reference given back before, by another function?
 * @t: the task's list
 * @eb: the buffer
 * @serial: the buffer's serial number
 *
 * Only the release of the path that the node was in can suffer from that; whatever else
 * gives back what is not there is to blame itself.
 *
 * Return: what was remembered of that, or NULL.
 */
static inline const struct eb_held *
eb_ledger_doubt(const struct eb_task *t, const struct extent_buffer *eb,
		u32 serial)
{
	unsigned int i;

	for (i = 1; i <= EB_DOUBTS; i++) {
		const struct eb_held *doubt;

		doubt = &t->doubts[(u8)(t->next_doubt - i) % EB_DOUBTS];
		if (doubt->eb == eb && doubt->serial == serial &&
		    doubt->path == t->releasing)
			return doubt;
	}
	return NULL;
}

#endif
