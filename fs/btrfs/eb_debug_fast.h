/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hooks that run all the time, in line: what is usual about a get, a put and a
 * path is decided in some twenty instructions where it happens, and whatever is
 * not goes to eb_debug_owner.c and the core.
 *
 * Each CPU has at hand the list of the task that was here last.  If that is the
 * list of the task which is here now, then it is up to date too: whoever changes
 * the epoch or the level takes the lists away from all CPUs, see
 * btrfs_eb_table_epoch().
 *
 * What the hooks mean is told by their stubs, as in include/linux/eb_debug.h.
 * This is for the files of btrfs that have such hooks; it comes after ctree.h.
 */

#ifndef BTRFS_EB_DEBUG_FAST_H
#define BTRFS_EB_DEBUG_FAST_H

#include <linux/eb_debug.h>

#ifdef CONFIG_BTRFS_EB_DEBUG

#include "eb_debug_ledger.h"
#include "eb_debug_base.h"

/* The list that this CPU has at hand: is it this task's? */
static __always_inline struct eb_task *eb_fast_list(void)
{
	return raw_cpu_read(btrfs_eb_hot.list);
}

static __always_inline bool eb_fast_mine(const struct eb_task *t)
{
	return likely(READ_ONCE(t->pid) == current->pid);
}

static __always_inline bool eb_fast_get(struct extent_buffer *eb,
					enum eb_debug_kind kind,
					unsigned long ip)
{
	struct eb_task *t = eb_fast_list();
	struct eb_held *held;

	if (unlikely(!eb_fast_mine(t) || !in_task()))
		return false;
	if (unlikely(eb_ledger_full(t) && !btrfs_eb_table_room(t)))
		return false;
	held = eb_ledger_add(t, eb, eb->debug.serial, kind, ip);
	if (static_branch_unlikely(&btrfs_eb_note_key))
		btrfs_eb_more_get(eb, held);
	eb_ledger_added(t, held);
	this_cpu_inc(btrfs_eb_hot.gets);
	return true;
}

/*
 * The newest reference is given back by whoever should; it is not the one of a
 * task that has left the tree lock behind, or owes a write.  The count is not looked
 * at: that it is 0 though the task is known to hold the buffer is the mistake of a put
 * before.  This is for tasks: the functions that it stands in take refs_lock, with
 * interrupts on.
 */
static __always_inline bool eb_fast_put(struct extent_buffer *eb,
					enum eb_debug_site site,
					unsigned long by)
{
	struct eb_task *t = eb_fast_list();
	struct eb_held *held;

	if (unlikely(!eb_fast_mine(t)))
		return false;
	held = t->top;
	if (unlikely(held->eb != eb || held->path != t->releasing ||
		     eb_base_locked_by(eb, t->pid) ||
		     READ_ONCE(eb->debug.wb_task) == current))
		return false;
	WRITE_ONCE(t->top, held - 1);
	this_cpu_inc(btrfs_eb_hot.puts[site]);
	if (static_branch_unlikely(&btrfs_eb_note_key))
		btrfs_eb_more_put(eb, site, by);
	return true;
}

/*
 * The nodes of the path are what the task took last, the lowest one at the top.  None of
 * them is in the path already with one more taken since, which would be labelled as well.
 */
static __always_inline bool eb_fast_path(const struct btrfs_path *path, u32 site)
{
	struct eb_task *t = eb_fast_list();
	int level = path->lowest_level;
	struct eb_held *held;

	if (unlikely(!eb_fast_mine(t)))
		return false;
	for (held = t->top; level < EB_BASE_LEVELS; level++, held--) {
		const struct extent_buffer *eb = eb_base_node(path, level);

		if (!eb)
			break;
		if (unlikely(held->eb != eb ||
			     (held->path && held->path != path)))
			return false;
		held->path = path;
		held->site = site;
		held->kind = EB_KIND_PATH;
	}
	if (static_branch_unlikely(&btrfs_eb_note_key))
		btrfs_eb_more_path(t, path);
	return true;
}

/**
 * eb_debug_get_for_caller - this function took a reference that its caller gets
 * @eb: the buffer
 * @kind: who holds it
 *
 * Context: any; right after the count was raised.
 */
static __always_inline void eb_debug_get_for_caller(struct extent_buffer *eb,
						    enum eb_debug_kind kind)
{
	if (static_branch_likely(&btrfs_eb_debug_key) &&
	    unlikely(!eb_fast_get(eb, kind, _RET_IP_)))
		btrfs_eb_debug_get(eb, kind, _RET_IP_);
}

/**
 * eb_debug_lookup_begin - a lookup took a reference, for its caller
 * @eb: the buffer
 * @token: of the function that looks it up
 *
 * Context: before that function tests STALE.
 */
static __always_inline void eb_debug_lookup_begin(struct extent_buffer *eb,
						  struct btrfs_eb_token *token)
{
	token->epoch = 0;
	if (!static_branch_likely(&btrfs_eb_debug_key))
		return;
	if (unlikely(!eb_fast_get(eb, EB_KIND_LOOKUP, _RET_IP_)))
		btrfs_eb_debug_get(eb, EB_KIND_LOOKUP, _RET_IP_);
	if (unlikely(eb_base_stale(eb)))
		btrfs_eb_debug_lookup_stale(eb, token);
}

/**
 * eb_debug_path - the caller gets a path with nodes in it
 * @path: the path
 *
 * Context: the end of a search, in its task.
 */
static __always_inline void eb_debug_path(const struct btrfs_path *path)
{
	if (static_branch_likely(&btrfs_eb_debug_key) &&
	    unlikely(!eb_fast_path(path, _RET_IP_)))
		btrfs_eb_debug_path(path, _RET_IP_);
}

/**
 * eb_debug_path_release - the puts that follow are those of a path
 * @path: the path
 *
 * Context: the task that uses it.
 */
static __always_inline void eb_debug_path_release(const struct btrfs_path *path)
{
	struct eb_task *t;

	if (!static_branch_likely(&btrfs_eb_debug_key))
		return;
	t = eb_fast_list();
	if (eb_fast_mine(t))
		t->releasing = path;
	else
		btrfs_eb_debug_path_release(path);
}

/**
 * eb_debug_path_free - a path goes, and must not leave a reference behind
 * @path: the path, released
 *
 * Context: the task that used it.
 */
static __always_inline void eb_debug_path_free(const struct btrfs_path *path)
{
	const char *report;
	struct eb_task *t;

	if (!static_branch_likely(&btrfs_eb_debug_key))
		return;
	t = eb_fast_list();
	if (likely(eb_fast_mine(t) && eb_ledger_empty(t))) {
		this_cpu_inc(btrfs_eb_hot.path_frees);
		return;
	}
	while ((report = btrfs_eb_debug_path_free(path)))
		eb_debug_say(report);
}

/**
 * eb_debug_put - a reference is about to be given back
 * @eb: the buffer, or NULL
 * @site: which function gives it back
 *
 * Stands in the function that btrfs calls to give a reference back, so that the
 * one at fault is its caller.
 *
 * Context: any.  The last hook in which that reference may be relied on.
 */
static __always_inline void eb_debug_put(struct extent_buffer *eb,
					 enum eb_debug_site site)
{
	if (site != EB_SITE_WRITE_END && eb)
		eb_debug_point(eb, EB_POINT_PUT);
	/* The end of a write may be in an interrupt, see eb_fast_put(). */
	if (static_branch_likely(&btrfs_eb_debug_key) && eb &&
	    (site == EB_SITE_WRITE_END ||
	     unlikely(!eb_fast_put(eb, site, _RET_IP_))))
		eb_debug_say(btrfs_eb_debug_put(eb, site, _RET_IP_));
}

/**
 * eb_debug_put_locked - the same, on the slow path
 * @eb: the buffer
 * @site: which function gives it back
 *
 * Here TREE_REF and the count agree, and a section opens as in
 * eb_debug_refs_lock().
 *
 * Context: right after spin_lock(&eb->refs_lock).
 */
static __always_inline void eb_debug_put_locked(struct extent_buffer *eb,
						enum eb_debug_site site)
{
	if (!static_branch_likely(&btrfs_eb_debug_key))
		return;
	if (site == EB_SITE_PUT && !tracepoint_enabled(btrfs_eb_step) &&
	    likely(eb_base_refs(eb) >= 2 && !eb_base_stale(eb) &&
		   eb_base_tree_ref(eb)))
		btrfs_eb_core_section(&eb->debug, current, true);
	else
		eb_debug_say(btrfs_eb_debug_event(eb, EB_EVENT_PUT_LOCKED,
						  site, 0));
}

/**
 * eb_debug_tree_ref_clear - TREE_REF may have been cleared in this section
 * @eb: the buffer
 * @site: which of the places that clear it
 *
 * Judged only if TREE_REF really went from 1 to 0 since eb_debug_refs_lock() or
 * eb_debug_put_locked().
 *
 * Context: refs_lock, after the test and clear.
 */
static __always_inline void eb_debug_tree_ref_clear(struct extent_buffer *eb,
						    enum eb_debug_site site)
{
	/* Most puts leave it alone. */
	if (static_branch_likely(&btrfs_eb_debug_key) &&
	    !(site == EB_SITE_PUT && likely(eb_base_tree_ref(eb))))
		eb_debug_say(btrfs_eb_debug_event(eb, EB_EVENT_TREE_REF_CLEAR,
						  site, 0));
	if (site == EB_SITE_RELEASE || site == EB_SITE_RELEASE_SUBPAGE)
		eb_debug_point(eb, EB_POINT_RELEASED);
}

/**
 * eb_debug_dance - check_buffer_tree_ref() runs
 * @eb: the buffer
 *
 * Stands in check_buffer_tree_ref() itself, before its unlocked fast path, so
 * that the rule is bound to the call and not to a line beside it.  That function
 * runs at every lookup, and means something only to the task that has armed IO.
 *
 * Context: any; counts for the IO that this very task has armed.
 */
static __always_inline void eb_debug_dance(struct extent_buffer *eb)
{
	if (static_branch_likely(&btrfs_eb_debug_key) &&
	    unlikely(READ_ONCE(eb->debug.io_task)))
		eb_debug_say(btrfs_eb_debug_event(eb, EB_EVENT_IO_DANCE,
						  EB_SITE_TREE, 0));
}

/**
 * eb_debug_refs_lock - refs_lock was taken in order to change TREE_REF
 * @eb: the buffer
 *
 * Opens a section: what is tested before it does not count.
 *
 * Context: right after spin_lock(&eb->refs_lock).
 */
static __always_inline void eb_debug_refs_lock(struct extent_buffer *eb)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		btrfs_eb_debug_refs_lock(eb);
}

/**
 * eb_debug_release_refused - reclaim leaves the buffer alone
 * @eb: the buffer
 * @site: whole pages or subpage
 * @why: the reason
 *
 * Context: refs_lock.
 */
static __always_inline void eb_debug_release_refused(struct extent_buffer *eb,
						     enum eb_debug_site site,
						     enum eb_debug_refusal why)
{
	if (static_branch_unlikely(&btrfs_eb_debug_key))
		eb_debug_say(btrfs_eb_debug_release_refused(eb, site, why));
}

#else

#define eb_debug_get_for_caller(eb, kind)	do { } while (0)
#define eb_debug_lookup_begin(eb, token)	do { } while (0)
#define eb_debug_path(path)			do { } while (0)
#define eb_debug_path_release(path)		do { } while (0)
#define eb_debug_path_free(path)		do { } while (0)
#define eb_debug_put(eb, site)			do { } while (0)
#define eb_debug_put_locked(eb, site)		do { } while (0)
#define eb_debug_tree_ref_clear(eb, site)	do { } while (0)
#define eb_debug_dance(eb)			do { } while (0)
#define eb_debug_refs_lock(eb)			do { } while (0)
#define eb_debug_release_refused(eb, site, why)	do { } while (0)

#endif

#endif
