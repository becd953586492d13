// SPDX-License-Identifier: GPL-2.0
/*
 * Does the guard's core judge as the automaton says?
 *
 * Reads the edges of btrfs-eb-debug-life.dot, "from event to", one a line.  For each
 * state it walks a legal way there, tells the core one event, and prints
 *
 *	state event silent | reported | unjudged
 *
 * for all events that can happen in that state: an edge of the automaton or none.
 * "unjudged" is an event that the core was told of and that it judged nothing of.
 *
 * The kernel here is one whose reads have no reference of their own: the rule of 2020 to
 * the letter.
 */

#include "user.h"
#include "eb_debug_internal.h"

#define MAX	64
#define NAME	32
#define EPOCH	7

struct edge {
	char from[NAME];
	char event[NAME];
	char to[NAME];
};

static struct edge edges[MAX];
static int nr_edges;

static const char * const first = "allocated";
static struct btrfs_eb_debug rec;
static struct eb_look buffer;
static const char *rule;
static bool judged;

static void give_up(const char *why, const char *name)
{
	fprintf(stderr, "life: %s: %s\n", name, why);
	exit(1);
}

static void core(enum eb_debug_event event, enum eb_debug_site site, u32 flags,
		 int refs, int io_pages)
{
	struct eb_look look = buffer;
	struct eb_judgement verdict = { 0 };

	look.task = &rec;
	look.epoch = EPOCH;
	look.locked = true;
	look.owned = EB_OWNED;
	look.site = site;
	look.flags = flags;
	look.refs = refs;
	look.io_pages = io_pages;
	btrfs_eb_core_event(&rec, &look, event, &verdict);
	judged = judged || verdict.judged;
	if (verdict.broken != EB_RULE_NONE)
		rule = "reported";
}

/* The same with the buffer as it is. */
static void tell(enum eb_debug_event event, enum eb_debug_site site)
{
	core(event, site, buffer.flags, buffer.refs, buffer.io_pages);
}

static bool is(u32 flag)
{
	return buffer.flags & flag;
}

static void arm(enum eb_debug_site site)
{
	tell(EB_EVENT_IO_START, site);
	buffer.io_pages = 1;
	tell(EB_EVENT_IO_ARM, site);
}

static bool tree_ref_set(void)
{
	if (is(EB_FLAG_TREE_REF) || !buffer.refs)
		return false;
	tell(EB_EVENT_REFS_LOCK, EB_SITE_TREE);
	buffer.flags |= EB_FLAG_TREE_REF;
	buffer.refs++;
	tell(EB_EVENT_TREE_REF_SET, EB_SITE_TREE);
	return true;
}

static bool tree_ref_clear(void)
{
	if (!is(EB_FLAG_TREE_REF))
		return false;
	tell(EB_EVENT_REFS_LOCK, EB_SITE_RELEASE);
	tell(EB_EVENT_UNDER_IO, EB_SITE_RELEASE);
	buffer.flags &= ~EB_FLAG_TREE_REF;
	tell(EB_EVENT_TREE_REF_CLEAR, EB_SITE_RELEASE);
	buffer.refs--;
	return true;
}

static bool insert(void)
{
	if (buffer.in_tree || !buffer.refs)
		return false;
	buffer.in_tree = true;
	tell(EB_EVENT_INSERT, EB_SITE_TREE);
	return true;
}

static bool read_arm(void)
{
	if (!buffer.in_tree || buffer.io_pages)
		return false;
	arm(EB_SITE_READ);
	return true;
}

static bool read_dance(void)
{
	if (!buffer.in_tree)
		return false;
	tell(EB_EVENT_IO_DANCE, EB_SITE_READ);
	return true;
}

static bool read_submit(void)
{
	if (!buffer.in_tree || is(EB_FLAG_WRITEBACK))
		return false;
	tell(EB_EVENT_IO_SUBMIT, EB_SITE_READ);
	return true;
}

static bool io_end(void)
{
	if (!buffer.in_tree)
		return false;
	tell(EB_EVENT_IO_END, is(EB_FLAG_WRITEBACK) ? EB_SITE_WRITE_END : EB_SITE_READ_END);
	buffer.io_pages = 0;
	return true;
}

static bool set_dirty(void)
{
	if (!buffer.in_tree || is(EB_FLAG_DIRTY))
		return false;
	buffer.flags |= EB_FLAG_DIRTY;
	tell(EB_EVENT_DIRTY, EB_SITE_TREE);
	return true;
}

static bool clear_dirty(void)
{
	if (!is(EB_FLAG_DIRTY))
		return false;
	buffer.flags &= ~EB_FLAG_DIRTY;
	tell(EB_EVENT_CLEAN, EB_SITE_TREE);
	return true;
}

static bool writeback(void)
{
	if (!buffer.in_tree || is(EB_FLAG_WRITEBACK))
		return false;
	buffer.flags &= ~EB_FLAG_DIRTY;
	buffer.flags |= EB_FLAG_WRITEBACK;
	tell(EB_EVENT_WRITEBACK, EB_SITE_WRITE);
	return true;
}

static bool write_arm(void)
{
	if (!buffer.in_tree || buffer.io_pages)
		return false;
	arm(EB_SITE_WRITE);
	return true;
}

static bool write_submit(void)
{
	if (!is(EB_FLAG_WRITEBACK))
		return false;
	tell(EB_EVENT_IO_SUBMIT, EB_SITE_WRITE);
	return true;
}

static bool writeback_end(void)
{
	if (!buffer.in_tree)
		return false;
	tell(EB_EVENT_WRITEBACK_END, EB_SITE_WRITE_END);
	buffer.flags &= ~EB_FLAG_WRITEBACK;
	return true;
}

static bool last_put(void)
{
	if (!buffer.refs)
		return false;
	buffer.refs = 0;
	tell(EB_EVENT_LAST_PUT, EB_SITE_PUT);
	buffer.in_tree = false;
	return true;
}

static bool free_buffer(void)
{
	tell(EB_EVENT_FREE, EB_SITE_TREE);
	buffer.refs = 0;
	return true;
}

static const struct {
	const char *name;
	/* False if the buffer is in no state to which this can happen. */
	bool (*happens)(void);
} events[] = {
	{ "insert", insert },
	{ "tree_ref_set", tree_ref_set },
	{ "tree_ref_clear", tree_ref_clear },
	{ "read_arm", read_arm },
	{ "read_dance", read_dance },
	{ "read_submit", read_submit },
	{ "io_end", io_end },
	{ "set_dirty", set_dirty },
	{ "clear_dirty", clear_dirty },
	{ "writeback", writeback },
	{ "write_arm", write_arm },
	{ "write_submit", write_submit },
	{ "writeback_end", writeback_end },
	{ "last_put", last_put },
	{ "free", free_buffer },
};

static bool happen(const char *event)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(events[i].name, event))
			return events[i].happens();
	give_up("nobody knows this event", event);
	return false;
}

/* The edges by which each state is reached first, from the first state on. */
static int way[MAX];
static int nr_way;

static const struct edge *way_to(const char *state)
{
	int i;

	for (i = 0; i < nr_way; i++)
		if (!strcmp(edges[way[i]].to, state))
			return &edges[way[i]];
	return NULL;
}

static void find_ways(void)
{
	int i, before;

	do {
		before = nr_way;
		for (i = 0; i < nr_edges; i++) {
			if (!strcmp(edges[i].to, first) || way_to(edges[i].to))
				continue;
			if (!strcmp(edges[i].from, first) || way_to(edges[i].from))
				way[nr_way++] = i;
		}
	} while (nr_way > before);
}

static void go_to(const char *state)
{
	const struct edge *edge = way_to(state);

	if (!strcmp(state, first)) {
		memset(&rec, 0, sizeof(rec));
		memset(&buffer, 0, sizeof(buffer));
		rec.epoch = EPOCH;
		buffer.refs = 1;
		tell(EB_EVENT_ALLOC, EB_SITE_TREE);
		return;
	}
	if (!edge)
		give_up("no way leads there", state);
	go_to(edge->from);
	if (!happen(edge->event))
		give_up("the way there has an event that can't happen", state);
	if (rule)
		give_up("the way there is reported", state);
}

static void try_all(const char *state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		rule = NULL;
		go_to(state);
		judged = false;
		if (events[i].happens())
			printf("%s %s %s\n", state, events[i].name,
			       rule ? rule : judged ? "silent" : "unjudged");
	}
}

int main(void)
{
	int i;

	while (nr_edges < MAX &&
	       scanf("%31s %31s %31s", edges[nr_edges].from, edges[nr_edges].event,
		     edges[nr_edges].to) == 3)
		nr_edges++;
	find_ways();
	try_all(first);
	for (i = 0; i < nr_way; i++)
		try_all(edges[way[i]].to);
	return 0;
}
