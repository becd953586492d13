// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: reads a recording of the guard's trace events, and says what the guard
 * would have said, how a buffer has lived, and who has not given back what.
 */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>
#include "trace.h"

static const char usage[] =
"usage: eb-trace replay [FILE]           what the guard would have said\n"
"       eb-trace left [FILE]             buffers with references left, most first\n"
"       eb-trace buffer WHICH [FILE]     the life of one buffer, line by line\n"
"       eb-trace draw WHICH [FILE]       the same as a picture, SVG on standard output\n"
"       eb-trace follow [SECONDS]        what happens now, counted each second\n"
"\n"
"WHICH is an address, as start= has it, or serial=N, which tells buffers apart that\n"
"had the same address one after the other.  Of several, draw takes the one of which a\n"
"rule is broken, or else the one with most events.\n"
"\n"
"FILE has the events btrfs:btrfs_eb_*: a trace.dat, a perf.data, or what tracefs' file\n"
"trace, trace-cmd report or perf script print; without it standard input is read, which\n"
"must be text.  follow traces by itself, in an instance of its own.\n"
"\n"
"Exit status: 0 nothing is wrong, 1 a rule is broken, 2 the recording can't be read.\n"
"Where events were lost, what came before is not judged any more.\n";

static struct {
	const char *command;
	u64 start;
	u32 serial;
	unsigned int seconds;
} asked;

/* Which of the buffers with the address that was asked for. */
static struct {
	u32 serial;
	unsigned long events;
	bool broken;
} best;

static struct input input = { .name = "standard input" };

void fail(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "eb-trace: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(FAILED);
}

/* Memory that is zero, and is there. */
void *get_memory(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		fail("no memory");
	return memory;
}

static bool is_command(const char *name)
{
	return !strcmp(asked.command, name);
}

static bool is_asked(const struct event *event)
{
	return asked.serial ? event->serial == asked.serial :
			      event->start == asked.start;
}

/* The one to draw, if several have the address. */
static void weigh(const struct buffer *buffer, bool broken)
{
	if (best.broken || (!broken && buffer->events < best.events))
		return;
	best.serial = buffer->rec.serial;
	best.events = buffer->events;
	best.broken = broken;
}

static void seen(const struct buffer *buffer, const struct event *event,
		 const struct outcome *outcome)
{
	if (is_command("replay")) {
		if (event->event == EB_EVENT_COUNT)
			show_guard(event);
		else if (outcome->rule != EB_RULE_NONE)
			show_verdict(buffer, event, outcome);
		return;
	}
	if (is_command("left") || !is_asked(event))
		return;
	weigh(buffer, outcome->rule != EB_RULE_NONE);
	if (is_command("buffer"))
		show_life(buffer, event, outcome);
	else
		draw_event(buffer, event, outcome);
}

static u64 wanted_number(const char *text, const char *otherwise)
{
	char *end;
	u64 value = strtoull(text, &end, 0);

	if (*text < '0' || *text > '9' || *end)
		fail("'%s' %s", text, otherwise);
	return value;
}

static void which(const char *text)
{
	if (strncmp(text, "serial=", 7)) {
		asked.start = wanted_number(text, "is no address and no serial=N");
		return;
	}
	asked.serial = wanted_number(text + 7, "is no number of a buffer");
	if (!asked.serial)
		fail("serial numbers begin with 1");
}

static unsigned int seconds(const char *text)
{
	u64 value = wanted_number(text, "is no number of seconds");

	if (!value || value > INT32_MAX)
		fail("'%s' is no number of seconds", text);
	return value;
}

/* Takes the words of the command line apart. */
static void ask(int argc, char **argv)
{
	bool one;

	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(usage, stdout);
		exit(0);
	}
	asked.command = argc >= 2 ? argv[1] : "";
	one = is_command("buffer") || is_command("draw");
	if ((!one && !is_command("replay") && !is_command("left") &&
	     !is_command("follow")) || argc < 2 + one || argc > 3 + one) {
		fputs(usage, stderr);
		exit(FAILED);
	}
	if (one)
		which(argv[2]);
	if (argc <= 2 + one)
		return;
	if (is_command("follow")) {
		asked.seconds = seconds(argv[2]);
		return;
	}
	input.name = argv[2 + one];
	open_source(input.name);
}

static int run(int argc, char **argv)
{
	ask(argc, argv);
	if (is_command("follow"))
		return follow(asked.seconds) ? FOUND : 0;
	replay.seen = seen;
	read_events(&input, replay_event, replay_lost);
	if (is_command("replay"))
		show_end(&input);
	else if (is_command("left"))
		show_left();
	else if (!best.serial)
		fail("%s: no event is about this buffer", input.name);
	else if (is_command("draw"))
		draw(stdout, best.serial);
	if (fflush(stdout) || ferror(stdout))
		fail("standard output: %s", strerror(errno));
	return replay.verdicts ? FOUND : 0;
}

int main(int argc, char **argv)
{
#ifdef EB_TRACE_FUZZ
	if (argc > 1 && !strcmp(argv[1], "fuzz"))
		return fuzz(argc, argv, run);
#endif
	return run(argc, argv);
}
