// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: what SVG is like.  The picture is kept in memory, since its height is known
 * at its end.
 */
#include "draw.h"

static const char style[] =
"text { font-family: 'DejaVu Sans', Verdana, sans-serif; fill: #222; }\n"
".title { font-size: 19px; font-weight: bold; }\n"
".verdict { font-size: 14px; font-weight: bold; fill: #c0182b; }\n"
".plain, .label { font-size: 12px; }\n"
".group { font-size: 12px; font-weight: bold; fill: #666; }\n"
".small, .in { font-size: 10px; }\n"
".name { font-size: 11px; }\n"
"text.broken { fill: #c0182b; font-weight: bold; }\n"
"text.repair { fill: #b35900; font-weight: bold; }\n"
"text.dance { fill: #14753b; }\n"
"line.axis, line.tick { stroke: #666; stroke-width: 1; }\n"
"line.broken { stroke: #c0182b; stroke-width: 2.5; }\n"
"line.repair { stroke: #e07b00; stroke-width: 2; stroke-dasharray: 6 3; }\n"
"line.dance { stroke: #14753b; stroke-width: 1.2; stroke-dasharray: 2 3; }\n"
"line.row { stroke: #e4e4e4; stroke-width: 1; }\n"
"polyline { fill: none; stroke: #33507a; stroke-width: 1.6; }\n"
"rect { stroke: #fff; stroke-width: 0.6; }\n"
".io { fill: #e2574c; } .writeback { fill: #f0973a; } .dirty { fill: #f2c14b; }\n"
".good { fill: #8fc79a; } .stale { fill: #a7a7a7; }\n"
".tree { fill: #2f6fb3; } .structure { fill: #7a5bb0; } .task { fill: #5aa9c9; }\n"
".path { fill: #8cc4da; } .new { fill: #4f9d69; } .write { fill: #f0973a; }\n"
"text.in { fill: #fff; } text.dark { fill: #123; font-size: 10px; }\n";

void begin_page(struct page *page)
{
	page->out = open_memstream(&page->text, &page->size);
	if (!page->out)
		fail("no memory");
}

/* What it is called by the one who made it is not trusted. */
static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text >= ' ' && *text < 127 ? *text : '?', out);
			break;
		}
}

void end_page(struct page *page, FILE *to)
{
	double width = page->end + 16, height = page->y + 10;

	if (fclose(page->out))
		fail("no memory");
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", to);
	fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" ");
	fprintf(to, "width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n",
		width, height, width, height);
	fprintf(to, "<style>\n%s</style>\n", style);
	fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", to);
	fwrite(page->text, 1, page->size, to);
	fputs("</svg>\n", to);
	free(page->text);
}

void put_line(struct page *page, double x, double y, double to_x, double to_y,
	      const char *class)
{
	fprintf(page->out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" ", class, x, y);
	fprintf(page->out, "x2=\"%.1f\" y2=\"%.1f\"/>\n", to_x, to_y);
}

/* A band, at least as wide that it can be seen; @tip is shown by a viewer that can. */
void put_box(struct page *page, double x, double y, double width, double height,
	     const char *class, const char *tip)
{
	fprintf(page->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" ", class, x, y);
	fprintf(page->out, "width=\"%.1f\" height=\"%.1f\"><title>",
		width < 1 ? 1 : width, height);
	put_escaped(page->out, tip);
	fputs("</title></rect>\n", page->out);
}

void put_text(struct page *page, double x, double y, const char *class,
	      const char *anchor, const char *text)
{
	fprintf(page->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
		class, x, y, anchor);
	put_escaped(page->out, text);
	fputs("</text>\n", page->out);
}

/* Reads from the bottom to the top. */
void put_upright(struct page *page, double x, double y, const char *class,
		 const char *text)
{
	fprintf(page->out, "<text class=\"name %s\" ", class);
	fprintf(page->out, "transform=\"translate(%.1f %.1f) rotate(-90)\">", x, y);
	put_escaped(page->out, text);
	fputs("</text>\n", page->out);
}

static double step_y;

void begin_steps(struct page *page)
{
	step_y = -1;
	fputs("<polyline points=\"", page->out);
}

void put_step(struct page *page, double x, double y)
{
	if (step_y >= 0)
		fprintf(page->out, "%.1f,%.1f ", x, step_y);
	fprintf(page->out, "%.1f,%.1f ", x, y);
	step_y = y;
}

void end_steps(struct page *page, double x)
{
	fprintf(page->out, "%.1f,%.1f\"/>\n", x, step_y);
}
