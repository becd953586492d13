// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: what a person reads.
 */
#include "trace.h"

static double seconds(u64 ns)
{
	return ns / 1e9;
}

/* One line, of the same keys as the guard's trace event. */
void show_verdict(const struct buffer *buffer, const struct event *event,
		  const struct outcome *outcome)
{
	char flags[256];

	printf("broken: rule=%s start=%llu serial=%u refs=%d io_pages=%d flags=%s",
	       rule_name(outcome->rule), (unsigned long long)event->start,
	       buffer->rec.serial, event->refs, event->io_pages,
	       flags_text(flags, sizeof(flags), event->flags));
	printf(" task=%d time=%.6f site=%s: %s\n", event->task,
	       seconds(event->ns), event->site, rule_title(outcome->rule));
}

/* The guard was on, and has said this itself. */
void show_guard(const struct event *event)
{
	printf("guard: rule=%s start=%llu serial=%u time=%.6f site=%s\n",
	       event->rule, (unsigned long long)event->start, event->serial,
	       seconds(event->ns), event->site);
}

/* The sum of it. */
void show_end(const struct input *input)
{
	printf("%llu events of %lu buffers in %.3f s: ", input->events,
	       replay.buffers, seconds(replay.last_ns - replay.first_ns));
	printf("%llu judgements, %llu rules broken, %llu unknown, %llu repairs\n",
	       replay.judged, replay.verdicts, replay.unknown, replay.repairs);
	if (input->lost)
		printf("%llu events were lost: what had begun before is unknown\n",
		       input->lost);
	if (input->overwritten)
		printf("%llu events at the beginning were overwritten: what is older is unknown\n",
		       input->overwritten);
}

/* --- one buffer ---------------------------------------------------------------- */

static const char *what(const struct event *event, const struct outcome *outcome)
{
	return event->event == EB_EVENT_COUNT ? "guard" :
	       event->event == EB_EVENT_RELEASE_REFUSED ? "release" :
	       event_name(outcome->event);
}

static const char *owner(const struct event *event)
{
	switch (event->event) {
	case EB_EVENT_GET:
	case EB_EVENT_HOLD:
	case EB_EVENT_GIVE:
	case EB_EVENT_TAKE:
	case EB_EVENT_PUT:
		return kind_name(event->kind);
	default:
		return "-";
	}
}

static void show_more(const struct event *event, const struct outcome *outcome)
{
	static const char * const results[] = { "released", "busy", "no_tree_ref" };

	if (event->rule)
		printf(" rule=%s", event->rule);
	if (event->event == EB_EVENT_IO_END && event->arg)
		printf(" error=%d", event->arg);
	if (event->event == EB_EVENT_RELEASE_REFUSED &&
	    event->arg >= 0 && event->arg < (int)ARRAY_SIZE(results))
		printf(" result=%s", results[event->arg]);
	if (outcome->unknown)
		printf(" unknown");
	if (outcome->rule != EB_RULE_NONE)
		printf("  <- rule=%s: %s", rule_name(outcome->rule),
		       rule_title(outcome->rule));
}

/**
 * show_life - a line of a buffer's life
 * @buffer: the buffer
 * @event: what happened
 * @outcome: what is to be said of it
 */
void show_life(const struct buffer *buffer, const struct event *event,
	       const struct outcome *outcome)
{
	static u32 serial;
	static u64 before;
	char flags[256];

	if (serial != buffer->rec.serial) {
		printf("buffer start=%llu serial=%u fsid=%s, from %.6f on\n",
		       (unsigned long long)event->start, buffer->rec.serial,
		       event->fsid, seconds(event->ns));
		before = event->ns;
	}
	serial = buffer->rec.serial;
	printf("%+12.1f us  %-14s %-11s task=%-6d refs=%-2d io_pages=%d flags=%s %s",
	       ((double)event->ns - (double)before) / 1e3, what(event, outcome),
	       owner(event), event->task, event->refs, event->io_pages,
	       flags_text(flags, sizeof(flags), event->flags), event->site);
	show_more(event, outcome);
	printf("\n");
	before = event->ns;
}

/* --- what is left ---------------------------------------------------------------- */

struct left {
	const struct buffer *buffer;
	unsigned int held;
};

/* A reference of a task. */
struct holder {
	u32 serial;
	int task;
	enum eb_debug_kind kind;
};

static struct left *left;
static size_t nr_left;
static struct holder *holders;
static size_t nr_holders;

/* References beside the tree's, which any cached buffer has. */
static unsigned int held_by_others(const struct buffer *buffer)
{
	unsigned int kind, held = buffer->held;

	for (kind = EB_KIND_TREE + 1; kind < EB_KIND_STRUCTURES; kind++)
		held += btrfs_eb_core_structures(&buffer->rec, kind);
	return held;
}

static void add_left(const struct buffer *buffer)
{
	unsigned int held = held_by_others(buffer);

	if (!held)
		return;
	if (!(nr_left & (nr_left + 1)))
		left = realloc(left, (2 * nr_left + 2) * sizeof(*left));
	if (!left)
		fail("no memory");
	left[nr_left].buffer = buffer;
	left[nr_left++].held = held;
}

static int more_first(const void *a, const void *b)
{
	const struct left *x = a, *y = b;

	if (x->held != y->held)
		return x->held < y->held ? 1 : -1;
	return x->buffer->rec.serial < y->buffer->rec.serial ? -1 : 1;
}

static void add_holder(int task, const struct eb_held *held)
{
	if (!(nr_holders & (nr_holders + 1)))
		holders = realloc(holders, (2 * nr_holders + 2) * sizeof(*holders));
	if (!holders)
		fail("no memory");
	holders[nr_holders].serial = held->serial;
	holders[nr_holders].task = task;
	holders[nr_holders++].kind = held->kind;
}

static int by_serial(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

/* Its owners: structures with their count, tasks one by one. */
static void show_owners(const struct buffer *buffer)
{
	struct holder key = { .serial = buffer->rec.serial };
	struct holder *holder = NULL;
	unsigned int kind, count;

	for (kind = EB_KIND_TREE + 1; kind < EB_KIND_STRUCTURES; kind++) {
		count = btrfs_eb_core_structures(&buffer->rec, kind);
		if (count)
			printf(" %s*%u", kind_name(kind), count);
	}
	if (nr_holders)
		holder = bsearch(&key, holders, nr_holders, sizeof(key), by_serial);
	if (!holder)
		return;
	while (holder > holders && holder[-1].serial == key.serial)
		holder--;
	for (; holder < holders + nr_holders && holder->serial == key.serial; holder++)
		printf(" %s:task=%d", kind_name(holder->kind), holder->task);
}

/* Buffers that somebody beside the tree holds when the recording ends. */
void show_left(void)
{
	char flags[256];
	size_t i;

	replay_buffers(add_left);
	replay_held(add_holder);
	if (nr_left)
		qsort(left, nr_left, sizeof(*left), more_first);
	if (nr_holders)
		qsort(holders, nr_holders, sizeof(*holders), by_serial);
	for (i = 0; i < nr_left; i++) {
		const struct buffer *buffer = left[i].buffer;

		printf("held=%u start=%llu serial=%u refs=%d flags=%s last=%s owners:",
		       left[i].held, (unsigned long long)buffer->last.start,
		       buffer->rec.serial, buffer->last.refs,
		       flags_text(flags, sizeof(flags), buffer->last.flags),
		       buffer->last.site);
		show_owners(buffer);
		printf("\n");
	}
	printf("%zu buffers have references left beside the tree's\n", nr_left);
}
