// SPDX-License-Identifier: GPL-2.0
/*
 * The trace events of the extent buffer guard: which event tells what has happened,
 * and who has to know that somebody listens?
 *
 * Nothing here judges, and nothing runs while no event is enabled.
 *
 * An event works with the guard turned off as well: the hooks are live then, and the
 * core is told of an epoch that is not the guard's.  It says what has happened, and
 * btrfs_eb_conclude() forgets what it judges.
 */

#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"

static int btrfs_eb_trace_reg(void);
static void btrfs_eb_trace_unreg(void);

#define CREATE_TRACE_POINTS
#include <trace/events/btrfs_eb.h>

/* An epoch of those who trace, 0 while nobody does. */
u32 btrfs_eb_trace_epoch;
/* Events that are enabled; they come and go one after the other. */
static unsigned int nr_listeners;

/* Somebody begins to trace an event: what is told in line is told to us as well. */
static int __maybe_unused btrfs_eb_trace_reg(void)
{
	static_branch_inc(&btrfs_eb_debug_key);
	static_branch_inc(&btrfs_eb_note_key);
	if (!nr_listeners++)
		WRITE_ONCE(btrfs_eb_trace_epoch, btrfs_eb_new_epoch());
	return 0;
}

static void __maybe_unused btrfs_eb_trace_unreg(void)
{
	if (!--nr_listeners)
		WRITE_ONCE(btrfs_eb_trace_epoch, 0);
	static_branch_dec(&btrfs_eb_note_key);
	static_branch_dec(&btrfs_eb_debug_key);
}

/* Reclaim has cleared TREE_REF, which is what it releases a buffer by. */
static void trace_released(const struct extent_buffer *eb,
			   const struct eb_look *look,
			   enum eb_debug_event event)
{
	struct eb_look released = *look;

	released.arg = EB_RELEASED;
	if (look->site == EB_SITE_RELEASE ||
	    look->site == EB_SITE_RELEASE_SUBPAGE)
		trace_btrfs_eb_release(eb, &released, event);
}

/**
 * btrfs_eb_trace - tell those who trace what has happened
 * @eb: the buffer
 * @look: the look that the core had
 * @event: as it turned out
 * @quiet: nothing happened but that the rules have to know of it
 *
 * Context: that of the hook.
 */
void btrfs_eb_trace(const struct extent_buffer *eb, const struct eb_look *look,
		    enum eb_debug_event event, bool quiet)
{
	if (event == EB_EVENT_LOOKUP || event == EB_EVENT_PUT)
		return;
	if (quiet) {
		trace_btrfs_eb_step(eb, look, event);
		return;
	}
	switch (event) {
	case EB_EVENT_ALLOC:
		trace_btrfs_eb_alloc(eb, look, event);
		break;
	case EB_EVENT_INSERT:
		trace_btrfs_eb_insert(eb, look, event);
		break;
	case EB_EVENT_TREE_REF_SET:
		trace_btrfs_eb_tree_ref_set(eb, look, event);
		break;
	case EB_EVENT_TREE_REF_REPAIR:
		trace_btrfs_eb_tree_ref_repair(eb, look, event);
		break;
	case EB_EVENT_TREE_REF_CLEAR:
		trace_btrfs_eb_tree_ref_clear(eb, look, event);
		trace_released(eb, look, event);
		break;
	case EB_EVENT_IO_ARM:
		trace_btrfs_eb_io_arm(eb, look, event);
		break;
	case EB_EVENT_IO_DANCE:
		trace_btrfs_eb_io_dance(eb, look, event);
		break;
	case EB_EVENT_IO_SUBMIT:
		trace_btrfs_eb_io_submit(eb, look, event);
		break;
	case EB_EVENT_IO_END:
		trace_btrfs_eb_io_end(eb, look, event);
		break;
	case EB_EVENT_WRITEBACK:
		trace_btrfs_eb_writeback(eb, look, event);
		break;
	case EB_EVENT_DIRTY:
		trace_btrfs_eb_dirty(eb, look, event);
		break;
	case EB_EVENT_CLEAN:
		trace_btrfs_eb_clean(eb, look, event);
		break;
	case EB_EVENT_STALE:
		trace_btrfs_eb_stale(eb, look, event);
		break;
	case EB_EVENT_RELEASE_REFUSED:
		trace_btrfs_eb_release(eb, look, event);
		break;
	case EB_EVENT_FREE:
		trace_btrfs_eb_free(eb, look, event);
		break;
	default:
		trace_btrfs_eb_step(eb, look, event);
		break;
	}
}

/**
 * btrfs_eb_trace_ref - a reference was taken, passed on, or is given back
 * @eb: the buffer
 * @event: which of these
 * @kind: of the owner, EB_KIND_COUNT if that is not known
 * @site: which function gives it back
 * @ip: the owner, or who gives it back
 *
 * Context: that of the hook.
 */
void btrfs_eb_trace_ref(const struct extent_buffer *eb,
			enum eb_debug_event event, enum eb_debug_kind kind,
			enum eb_debug_site site, unsigned long ip)
{
	struct eb_look look = { .arg = kind, .ip = ip };

	btrfs_eb_look(&look, eb, event, site);
	switch (event) {
	case EB_EVENT_GET:
		trace_btrfs_eb_get(eb, &look, event);
		break;
	case EB_EVENT_PUT:
		trace_btrfs_eb_put(eb, &look, event);
		break;
	case EB_EVENT_GIVE:
		trace_btrfs_eb_give(eb, &look, event);
		break;
	case EB_EVENT_TAKE:
		trace_btrfs_eb_take(eb, &look, event);
		break;
	default:
		trace_btrfs_eb_hold(eb, &look, event);
		break;
	}
}

/**
 * btrfs_eb_trace_step - something that the rules need was noted without a look
 * @eb: the buffer
 * @event: what
 * @ip: the hook
 *
 * Context: that of the hook.
 */
void btrfs_eb_trace_step(const struct extent_buffer *eb,
			 enum eb_debug_event event, unsigned long ip)
{
	struct eb_look look = { .ip = ip };

	btrfs_eb_look(&look, eb, event, EB_SITE_TREE);
	trace_btrfs_eb_step(eb, &look, event);
}

/* A lookup is about to hand a buffer out. */
void btrfs_eb_debug_looked_up(const struct extent_buffer *eb)
{
	struct eb_look look = { .ip = _RET_IP_ };

	btrfs_eb_look(&look, eb, EB_EVENT_LOOKUP, EB_SITE_LOOKUP);
	trace_btrfs_eb_lookup(eb, &look, EB_EVENT_LOOKUP);
}

/* A rule is broken. */
void btrfs_eb_trace_violation(const struct extent_buffer *eb,
			      const struct eb_look *look, enum eb_rule rule)
{
	trace_btrfs_eb_violation(eb, look, btrfs_eb_rule_name(rule));
}
