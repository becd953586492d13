// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: a lane for each reference that somebody holds.
 *
 * The tree and each kind of structure have lanes of their own; what tasks hold is put
 * into as few lanes as there are references at the same time.  A reference whose owner
 * changes goes on in its lane in another colour, or moves to the lane of a structure.
 */
#include "draw.h"

#define MAX_LANES	64

/* One reference while it has one owner. */
struct bar {
	double from;
	double to;
	const struct event *event;
	enum eb_debug_kind kind;
	u32 ref;
	unsigned int lane;
};

static struct bar *bars;
static size_t nr_bars;
/* Those that go on, by number, oldest first. */
static size_t *open_bars;
static size_t nr_open;
/* Lanes of tasks that are in use; the last one takes whatever has no room. */
static bool used[MAX_LANES];
static unsigned int nr_lanes;

static struct bar *add_bar(const struct moment *m, enum eb_debug_kind kind, u32 ref)
{
	struct bar *bar;

	if (!(nr_bars & (nr_bars + 1)))
		bars = realloc(bars, (2 * nr_bars + 2) * sizeof(*bars));
	if (!bars)
		fail("no memory");
	if (!(nr_open & (nr_open + 1)))
		open_bars = realloc(open_bars, (2 * nr_open + 2) * sizeof(*open_bars));
	if (!open_bars)
		fail("no memory");
	open_bars[nr_open++] = nr_bars;
	bar = &bars[nr_bars++];
	memset(bar, 0, sizeof(*bar));
	bar->from = m->x;
	bar->event = &m->event;
	bar->kind = kind;
	bar->ref = ref;
	return bar;
}

static unsigned int free_lane(void)
{
	unsigned int lane = 0;

	while (lane < MAX_LANES - 1 && used[lane])
		lane++;
	used[lane] = true;
	if (lane >= nr_lanes)
		nr_lanes = lane + 1;
	return lane;
}

static struct bar *find_ref(u32 ref)
{
	size_t i;

	for (i = nr_open; ref && i-- > 0;)
		if (bars[open_bars[i]].ref == ref)
			return &bars[open_bars[i]];
	return NULL;
}

/* The newest one of a structure. */
static struct bar *find_kind(enum eb_debug_kind kind)
{
	size_t i;

	for (i = nr_open; i-- > 0;)
		if (!bars[open_bars[i]].ref && bars[open_bars[i]].kind == kind)
			return &bars[open_bars[i]];
	return NULL;
}

static void close_bar(struct bar *bar, double x)
{
	size_t i, nr = bar ? bar - bars : 0;

	if (!bar)
		return;
	for (i = 0; open_bars[i] != nr; i++)
		;
	memmove(&open_bars[i], &open_bars[i + 1], (--nr_open - i) * sizeof(*open_bars));
	bar->to = x;
	if (bar->ref)
		used[bar->lane] = false;
}

static void task_bar(const struct moment *m, enum eb_debug_kind kind, u32 ref)
{
	if (ref)
		add_bar(m, kind, ref)->lane = free_lane();
}

/* The same reference, in the same lane, by another name. */
static void rename_bar(const struct moment *m)
{
	struct bar *bar = find_ref(m->outcome.ref);
	unsigned int lane;

	if (!bar)
		return;
	lane = bar->lane;
	close_bar(bar, m->x);
	used[lane] = true;
	add_bar(m, m->event.kind, m->outcome.ref)->lane = lane;
}

static void follow_ref(const struct moment *m)
{
	switch (m->outcome.change) {
	case REF_GET:
		if (m->outcome.ref)
			task_bar(m, m->event.kind, m->outcome.ref);
		else if (m->event.kind < EB_KIND_STRUCTURES)
			add_bar(m, m->event.kind, 0);
		break;
	case REF_HOLD:
		rename_bar(m);
		break;
	case REF_GIVE:
		close_bar(find_ref(m->outcome.ref), m->x);
		add_bar(m, m->event.kind, 0);
		break;
	case REF_TAKE:
		close_bar(find_kind(m->event.kind), m->x);
		task_bar(m, m->event.kind, m->outcome.ref);
		break;
	case REF_PUT:
		close_bar(find_ref(m->outcome.ref), m->x);
		break;
	default:
		break;
	}
}

static void follow_tree(const struct moment *m)
{
	bool has = m->event.flags & EB_FLAG_TREE_REF;
	struct bar *bar = find_kind(EB_KIND_TREE);

	if (has && !bar)
		add_bar(m, EB_KIND_TREE, 0);
	else if (!has && bar)
		close_bar(bar, m->x);
}

static void make_bars(double end)
{
	size_t i;

	for (i = 0; i < nr_moments; i++) {
		follow_tree(&moments[i]);
		follow_ref(&moments[i]);
	}
	for (i = 0; i < nr_open; i++)
		bars[open_bars[i]].to = end;
}

static const char *class_of(const struct bar *bar)
{
	switch (bar->kind) {
	case EB_KIND_TREE:
		return "tree";
	case EB_KIND_NEW:
		return "new";
	case EB_KIND_PATH:
		return "path";
	case EB_KIND_IO:
	case EB_KIND_WRITEBACK:
		return "write";
	default:
		return bar->ref ? "task" : "structure";
	}
}

/* Who it is: all of it, or so many words of it that it fits into @len characters. */
static bool bar_text(char *text, size_t size, const struct bar *bar, size_t len)
{
	const char *kind = kind_name(bar->kind);

	if (bar->ref)
		snprintf(text, size, "%s, %.100s, task %d", kind,
			 bar->event->site, bar->event->task);
	if (!bar->ref || strlen(text) > len)
		snprintf(text, size, "%s, %.100s", kind, bar->event->site);
	if (strlen(text) > len)
		snprintf(text, size, "%s", kind);
	return strlen(text) <= len;
}

static void draw_bar(struct page *page, const struct bar *bar, double y)
{
	double room = (bar->to - bar->from - 6) / 6.2;
	char text[160];

	bar_text(text, sizeof(text), bar, sizeof(text));
	put_box(page, bar->from, y, bar->to - bar->from, 15, class_of(bar), text);
	if (room < 1 || !bar_text(text, sizeof(text), bar, room))
		return;
	put_text(page, bar->from + 3, y + 11,
		 bar->kind == EB_KIND_PATH || bar->kind > EB_KIND_STRUCTURES ?
		 "dark" : "in", "start", text);
}

static void draw_lane(struct page *page, const char *label)
{
	put_line(page, LEFT, page->y + 18, page->end, page->y + 18, "row");
	put_text(page, LEFT - 8, page->y + 13, "label", "end", label);
}

/* All lanes of one kind of structure: nested ones below each other. */
static void draw_structure(struct page *page, enum eb_debug_kind kind)
{
	double ends[8] = { 0 };
	unsigned int lane, lanes = 0;
	size_t i;

	for (i = 0; i < nr_bars; i++) {
		if (bars[i].ref || bars[i].kind != kind)
			continue;
		for (lane = 0; lane < ARRAY_SIZE(ends) - 1; lane++)
			if (ends[lane] <= bars[i].from)
				break;
		ends[lane] = bars[i].to;
		if (lane >= lanes) {
			lanes = lane + 1;
			page->y += 19 * lane;
			draw_lane(page, kind_name(kind));
			page->y -= 19 * lane;
		}
		draw_bar(page, &bars[i], page->y + 19 * lane + 2);
	}
	page->y += 19 * lanes;
}

/**
 * draw_lanes - who holds what, from when to when
 * @page: the page
 */
void draw_lanes(struct page *page)
{
	unsigned int lane;
	int kind;
	size_t i;

	make_bars(page->end);
	put_text(page, 16, page->y + 8, "group", "start", "references");
	page->y += 14;
	for (kind = 0; kind < EB_KIND_STRUCTURES; kind++)
		draw_structure(page, kind);
	for (lane = 0; lane < nr_lanes; lane++) {
		draw_lane(page, lane ? "" : "tasks");
		for (i = 0; i < nr_bars; i++)
			if (bars[i].ref && bars[i].lane == lane)
				draw_bar(page, &bars[i], page->y + 2);
		page->y += 19;
	}
	page->y += 6;
}
