// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: a buffer's life as a picture, SVG that needs nothing beside itself.
 *
 * From the top: what stands out, the events, a lane for each reference that somebody
 * holds, the count, the flags as bands, and the time.  Events come in bursts, so the
 * time between two of them is drawn by its logarithm; the axis says what it is.
 */
#include <math.h>
#include "draw.h"

struct moment *moments;
size_t nr_moments;

/* --- what is collected --------------------------------------------------------- */

/**
 * draw_event - keep an event for the picture
 * @buffer: the buffer
 * @event: what happened
 * @outcome: what is to be said of it
 */
void draw_event(const struct buffer *buffer, const struct event *event,
		const struct outcome *outcome)
{
	(void)buffer;
	if (!(nr_moments & (nr_moments + 1)))
		moments = realloc(moments, (2 * nr_moments + 2) * sizeof(*moments));
	if (!moments)
		fail("no memory");
	memset(&moments[nr_moments], 0, sizeof(*moments));
	moments[nr_moments].event = *event;
	moments[nr_moments++].outcome = *outcome;
}

static bool is_refusal(const struct moment *m)
{
	return m->event.event == EB_EVENT_RELEASE_REFUSED &&
	       m->event.arg != EB_RELEASED;
}

/* Most steps say nothing to a person; reclaim may come again and again. */
static bool is_shown(const struct moment *m, const struct moment *before)
{
	if (m->outcome.rule != EB_RULE_NONE)
		return true;
	if (m->event.quiet)
		return m->event.event == EB_EVENT_WRITEBACK_END ||
		       m->event.event == EB_EVENT_LAST_PUT;
	return !is_refusal(m) || !before || !is_refusal(before);
}

/* Only those of one buffer, and of them what a person wants to see. */
static void choose(u32 serial)
{
	size_t i, kept = 0;

	for (i = 0; i < nr_moments; i++)
		if (moments[i].event.serial == serial &&
		    is_shown(&moments[i], kept ? &moments[kept - 1] : NULL))
			moments[kept++] = moments[i];
	nr_moments = kept;
	if (!kept)
		fail("nothing of this buffer can be drawn");
}

/* --- the time ---------------------------------------------------------------------- */

static double gap_us(size_t i)
{
	u64 ns = moments[i].event.ns, before = moments[i - 1].event.ns;

	return ns > before ? (ns - before) / 1e3 : 0;
}

static double weight(double us)
{
	return 1 + log10(1 + us);
}

/* Where each moment stands; returns where the picture ends. */
static double place(void)
{
	double sum = 1, unit, x = LEFT + 8;
	size_t i;

	for (i = 1; i < nr_moments; i++)
		sum += weight(gap_us(i));
	unit = WIDTH / sum;
	if (unit > 44)
		unit = 44;
	/* Below this nothing can be told apart, so the picture gets wider. */
	if (unit < 0.7)
		unit = 0.7;
	for (i = 0; i < nr_moments; i++) {
		if (i)
			x += unit * weight(gap_us(i));
		moments[i].x = x;
	}
	return x + unit < LEFT + WIDTH ? LEFT + WIDTH : x + unit;
}

/* A time as people write it. */
static const char *time_text(u64 ns)
{
	static char text[48];

	if (ns < 1000000)
		snprintf(text, sizeof(text), "%.0f us", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(text, sizeof(text), "%.2f ms", ns / 1e6);
	else
		snprintf(text, sizeof(text), "%.3f s", ns / 1e9);
	return text;
}

static void draw_axis(struct page *page)
{
	u64 first = moments[0].event.ns;
	double free_from = 0;
	size_t i;

	put_line(page, LEFT, page->y, page->end, page->y, "axis");
	for (i = 0; i < nr_moments; i++) {
		u64 ns = moments[i].event.ns;
		double x = moments[i].x;

		if (x < free_from)
			continue;
		put_line(page, x, page->y, x, page->y + 5, "axis");
		put_text(page, x, page->y + 17, "small", "middle",
			 time_text(ns > first ? ns - first : 0));
		free_from = x + 66;
	}
	page->y += 36;
	put_text(page, LEFT, page->y, "small", "start",
		 "time since the first event; a gap is drawn by its logarithm");
	page->y += 10;
}

/* --- events -------------------------------------------------------------------------- */

static const char *name_of(const struct moment *m)
{
	if (m->event.event == EB_EVENT_COUNT)
		return "guard reports";
	if (m->event.event == EB_EVENT_RELEASE_REFUSED)
		return m->event.arg == EB_RELEASED ? "released" : "release refused";
	return event_name(m->outcome.event);
}

/* What must have its name if only some can have it. */
static bool is_rare(const struct moment *m)
{
	switch (m->outcome.event) {
	case EB_EVENT_GET:
	case EB_EVENT_PUT:
	case EB_EVENT_HOLD:
	case EB_EVENT_LOOKUP:
	case EB_EVENT_DIRTY:
	case EB_EVENT_RELEASE_REFUSED:
		return m->outcome.rule != EB_RULE_NONE;
	default:
		return true;
	}
}

static const char *class_of(const struct moment *m)
{
	if (m->outcome.rule != EB_RULE_NONE || m->event.event == EB_EVENT_COUNT)
		return "broken";
	switch (m->outcome.event) {
	case EB_EVENT_TREE_REF_REPAIR:
		return "repair";
	case EB_EVENT_IO_DANCE:
		return "dance";
	default:
		return "tick";
	}
}

/* Names stand upright on their events, as far as there is room for them. */
static void draw_names(struct page *page)
{
	double free_from = 0, bottom = page->y + NAMES;
	int pass;
	size_t i;

	for (i = 0; i < nr_moments; i++)
		put_line(page, moments[i].x, bottom - 6, moments[i].x, bottom,
			 class_of(&moments[i]));
	/* Rare ones first; the others get what room is left. */
	for (pass = 0; pass < 2; pass++) {
		free_from = 0;
		for (i = 0; i < nr_moments; i++) {
			struct moment *m = &moments[i];

			if (pass && m->named) {
				free_from = m->x + 11;
				continue;
			}
			if (m->x < free_from || (!pass && !is_rare(m)) ||
			    (pass && next_named(i) < m->x + 11))
				continue;
			m->named = true;
			free_from = m->x + 11;
			put_upright(page, m->x + 4, bottom - 9, class_of(m), name_of(m));
		}
	}
	page->y = bottom + 6;
}

/* Where the next event that has its name stands. */
double next_named(size_t from)
{
	size_t i;

	for (i = from + 1; i < nr_moments && moments[i].x < moments[from].x + 12; i++)
		if (moments[i].named)
			return moments[i].x;
	return INFINITY;
}

/* Lines through the whole picture: what a person looks for first. */
static void draw_marks(struct page *page, double top, double bottom)
{
	size_t i;

	for (i = 0; i < nr_moments; i++) {
		const struct moment *m = &moments[i];

		if (m->outcome.rule != EB_RULE_NONE)
			put_line(page, m->x, top, m->x, bottom, "broken");
		else if (m->outcome.event == EB_EVENT_TREE_REF_REPAIR)
			put_line(page, m->x, top, m->x, bottom, "repair");
		else if (m->outcome.event == EB_EVENT_IO_DANCE)
			put_line(page, m->x, top, m->x, bottom, "dance");
	}
}

/* What is left is found by a hook that has nothing to do with it. */
static bool is_at_fault(const struct event *event)
{
	return event->event != EB_EVENT_TASK_END &&
	       event->event != EB_EVENT_PATH_FREE &&
	       event->event != EB_EVENT_UNMOUNT;
}

/* One line for each rule that is broken, under the title. */
static void draw_verdicts(struct page *page)
{
	char text[512];
	size_t i;

	for (i = 0; i < nr_moments; i++) {
		const struct moment *m = &moments[i];

		if (m->outcome.rule == EB_RULE_NONE)
			continue;
		snprintf(text, sizeof(text), "%s: %s%s%.200s, %s after the first event",
			 rule_name(m->outcome.rule), rule_title(m->outcome.rule),
			 is_at_fault(&m->event) ? ", in " : "",
			 is_at_fault(&m->event) ? m->event.site : "",
			 time_text(m->event.ns - moments[0].event.ns));
		put_text(page, 16, page->y, "verdict", "start", text);
		page->y += 18;
	}
}

/* --- flags and the count ------------------------------------------------------------ */

static void draw_band(struct page *page, u32 flag, const char *name,
		      const char *class)
{
	double from = -1;
	bool any = false;
	size_t i;

	for (i = 0; i < nr_moments && !any; i++)
		any = flag ? moments[i].event.flags & flag :
			     moments[i].event.io_pages > 0;
	if (!any)
		return;
	put_text(page, LEFT - 8, page->y + 11, "label", "end", name);
	for (i = 0; i <= nr_moments; i++) {
		bool on = i < nr_moments && (flag ? moments[i].event.flags & flag :
						    moments[i].event.io_pages > 0);

		if (on && from < 0)
			from = moments[i].x;
		if (on || from < 0)
			continue;
		put_box(page, from, page->y + 1,
			(i < nr_moments ? moments[i].x : page->end) - from, 12,
			class, name);
		from = -1;
	}
	page->y += 16;
}

static void draw_flags(struct page *page)
{
	static const struct {
		u32 flag;
		const char *name;
		const char *class;
	} bands[] = {
		{ 0, "under IO", "io" },
		{ EB_FLAG_READING, "READING", "io" },
		{ EB_FLAG_WRITEBACK, "WRITEBACK", "writeback" },
		{ EB_FLAG_DIRTY, "DIRTY", "dirty" },
		{ EB_FLAG_UPTODATE, "UPTODATE", "good" },
		{ EB_FLAG_TREE_REF, "TREE_REF", "tree" },
		{ EB_FLAG_IN_TREE, "IN_TREE", "good" },
		{ EB_FLAG_STALE, "STALE", "stale" },
		{ EB_FLAG_WRITE_ERR, "WRITE_ERR", "stale" },
		{ EB_FLAG_READ_ERR, "READ_ERR", "stale" },
		{ EB_FLAG_UNMAPPED, "UNMAPPED", "stale" },
		{ EB_FLAG_ZEROOUT, "ZONED_ZEROOUT", "stale" },
	};
	unsigned int i;

	put_text(page, 16, page->y + 8, "group", "start", "state");
	page->y += 14;
	for (i = 0; i < ARRAY_SIZE(bands); i++)
		draw_band(page, bands[i].flag, bands[i].name, bands[i].class);
	page->y += 10;
}

/* The count as steps, with its value where that changes and there is room. */
static void draw_refs(struct page *page)
{
	double bottom = page->y + 44, free_from = 0;
	int highest = 1, before = -1;
	char text[16];
	size_t i;

	for (i = 0; i < nr_moments; i++)
		if (moments[i].event.refs > highest)
			highest = moments[i].event.refs;
	put_text(page, LEFT - 8, bottom - 2, "label", "end", "refs");
	begin_steps(page);
	for (i = 0; i < nr_moments; i++) {
		int refs = moments[i].event.refs > 0 ? moments[i].event.refs : 0;

		put_step(page, moments[i].x, bottom - 34.0 * refs / highest);
	}
	end_steps(page, page->end);
	for (i = 0; i < nr_moments; i++) {
		int refs = moments[i].event.refs > 0 ? moments[i].event.refs : 0;

		if (refs == before || moments[i].x < free_from)
			continue;
		snprintf(text, sizeof(text), "%d", refs);
		put_text(page, moments[i].x + 2, bottom - 34.0 * refs / highest - 3,
			 "small", "start", text);
		free_from = moments[i].x + 14;
		before = refs;
	}
	page->y = bottom + 12;
}

static void draw_title(struct page *page)
{
	const struct event *e = &moments[0].event;
	char text[256];

	page->y = 30;
	snprintf(text, sizeof(text), "Extent buffer start=%llu serial=%u",
		 (unsigned long long)e->start, e->serial);
	put_text(page, 16, page->y, "title", "start", text);
	snprintf(text, sizeof(text), "%zu events drawn, %s, fsid=%.64s", nr_moments,
		 time_text(moments[nr_moments - 1].event.ns - e->ns), e->fsid);
	page->y += 20;
	put_text(page, 16, page->y, "plain", "start", text);
	page->y += 20;
}

static void draw_legend(struct page *page)
{
	static const struct {
		const char *class;
		const char *text;
	} marks[] = {
		{ "broken", "a rule is broken" },
		{ "repair", "TREE_REF repaired by the dance" },
		{ "dance", "the dance of an IO" },
	};
	double x = LEFT;
	unsigned int i;

	page->y += 14;
	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		put_line(page, x, page->y - 4, x + 18, page->y - 4, marks[i].class);
		put_text(page, x + 24, page->y, "plain", "start", marks[i].text);
		x += 230;
	}
	page->y += 16;
}

/**
 * draw - the picture of a buffer
 * @to: where it goes
 * @serial: which buffer
 */
void draw(FILE *to, u32 serial)
{
	struct page page = { 0 };
	double top, bottom;

	choose(serial);
	page.end = place();
	begin_page(&page);
	draw_title(&page);
	draw_verdicts(&page);
	top = page.y;
	draw_names(&page);
	draw_lanes(&page);
	draw_refs(&page);
	draw_flags(&page);
	bottom = page.y;
	draw_axis(&page);
	draw_marks(&page, top + NAMES, bottom);
	draw_legend(&page);
	end_page(&page, to);
}
