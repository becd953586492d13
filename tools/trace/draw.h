/* SPDX-License-Identifier: GPL-2.0 */
/*
 * eb-trace: what the parts of the picture tell each other.  The lanes of references are
 * in lanes.c, what SVG is like is in svg.c.
 */
#ifndef EB_TRACE_DRAW_H
#define EB_TRACE_DRAW_H

#include "trace.h"

/* Where the lanes begin, how wide they are at least, and the room for names. */
#define LEFT	150
#define WIDTH	1240
#define NAMES	104

/* An event, and where it stands. */
struct moment {
	struct event event;
	struct outcome outcome;
	double x;
	bool named;
};

/* What is drawn so far: down to @y, and between LEFT and @end. */
struct page {
	char *text;
	size_t size;
	FILE *out;
	double y;
	double end;
};

extern struct moment *moments;
extern size_t nr_moments;

double next_named(size_t from);

/* lanes.c */
void draw_lanes(struct page *page);

/* svg.c */
void begin_page(struct page *page);
void end_page(struct page *page, FILE *to);
void put_line(struct page *page, double x, double y, double to_x, double to_y,
	      const char *class);
void put_box(struct page *page, double x, double y, double width, double height,
	     const char *class, const char *tip);
void put_text(struct page *page, double x, double y, const char *class,
	      const char *anchor, const char *text);
void put_upright(struct page *page, double x, double y, const char *class,
		 const char *text);
void begin_steps(struct page *page);
void put_step(struct page *page, double x, double y);
void end_steps(struct page *page, double x);

#endif
