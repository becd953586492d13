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

/**
 * eb_ledger_add - a task takes a reference
 * @t: the task's list
 *
 * Return: the entry to fill in and to pass to eb_ledger_added(), or NULL if there
 * is no room.
 */
static inline struct eb_held *eb_ledger_add(struct eb_task *t)
{
	if (unlikely(t->nr == EB_HELD))
		return NULL;
	t->releasing = NULL;
	return &t->held[t->nr];
}

/* The entry is filled in: who looks at the list from outside may see it. */
static inline void eb_ledger_added(struct eb_task *t)
{
	/* Pairs with the acquire in btrfs_eb_owner_walk(). */
	smp_store_release(&t->nr, t->nr + 1);
}

/**
 * eb_ledger_find - which reference does a task mean?
 * @t: the task's list
 * @eb: the buffer
 * @path: the path that gives it back, NULL if none does
 * @by: low half of the address of the function that asks
 *
 * If the task holds several of one buffer, the release of a path gives back what
 * is in that path, and others what is in none.  A function that took one more for
 * a moment gives that back itself.
 *
 * Return: the entry, or NULL if the task holds none.
 */
static inline struct eb_held *eb_ledger_find(struct eb_task *t,
					     const struct extent_buffer *eb,
					     const struct btrfs_path *path,
					     u32 by)
{
	struct eb_held *held, *other = NULL, *extra = NULL;

	for (held = t->held + t->nr; held-- > t->held;) {
		if (held->eb != eb)
			continue;
		if (unlikely(held->kind == EB_KIND_EXTRA))
			extra = held;
		else if (likely(held->path == path))
			return held;
		else if (!other || (other->path && !held->path))
			other = held;
	}
	if (unlikely(extra) &&
	    (!other || btrfs_eb_same_function(by, extra->site)))
		return extra;
	return other;
}

/* Does the task hold another reference to the same buffer? */
static inline bool eb_ledger_has_more(const struct eb_task *t,
				      const struct eb_held *than)
{
	const struct eb_held *held;

	for (held = t->held; held < t->held + t->nr; held++)
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
	struct eb_held *last = &t->held[t->nr - 1];

	if (unlikely(held != last))
		memmove(held, held + 1, (last - held) * sizeof(*held));
	WRITE_ONCE(t->nr, t->nr - 1);
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
	if (unlikely(held->path && held->path != t->releasing)) {
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
		if (doubt->eb == eb && doubt->serial == serial)
			return doubt;
	}
	return NULL;
}

#endif
