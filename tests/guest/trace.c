// SPDX-License-Identifier: GPL-2.0
/*
 * Workload about the trace events: all of the guard's are enabled, metadata is
 * made, written, reclaimed and read, and what tracefs shows goes to the console,
 * a few lines of each event.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guest.h"

#define MAX_EVENTS	32
#define SHOWN		3

static struct {
	char name[64];
	long seen;
} events[MAX_EVENTS];
static int nr_events;
/* Lines of the trace behind that of the first broken rule. */
static long lines_after;

/* What they are called. */
static void learn_events(void)
{
	struct dirent *entry;
	DIR *dir = opendir(EVENTS);

	if (!dir)
		die("no trace events of btrfs");
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, "btrfs_eb_", 9) && nr_events < MAX_EVENTS)
			snprintf(events[nr_events++].name, sizeof(events[0].name),
				 "%.60s", entry->d_name);
	closedir(dir);
}

/* The event's name in a line of the trace, or an empty string. */
static void event_of(const char *line, char *name, size_t size)
{
	const char *at = strstr(line, ": btrfs_eb_");
	size_t len;

	*name = 0;
	if (!at)
		return;
	at += 2;
	len = strcspn(at, ":");
	snprintf(name, size, "%.*s", (int)len, at);
}

static void count_line(const char *line)
{
	char name[64];

	event_of(line, name, sizeof(name));
	for (int i = 0; *name && i < nr_events; i++) {
		if (strcmp(events[i].name, name))
			continue;
		if (events[i].seen++ < SHOWN)
			mark("trace %s", strstr(line, ": btrfs_eb_") + 2);
	}
}

/* Reads the trace buffer to its end; returns the lines of events in it. */
static long read_trace(void)
{
	FILE *file = fopen(TRACING "/trace", "r");
	static char line[1024];
	long lines = 0;

	if (!file)
		die("reading the trace");
	for (int i = 0; i < nr_events; i++)
		events[i].seen = 0;
	lines_after = -1;
	while (fgets(line, sizeof(line), file)) {
		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = 0;
		lines++;
		count_line(line);
		if (lines_after >= 0 || strstr(line, ": btrfs_eb_violation: "))
			lines_after++;
	}
	fclose(file);
	return lines;
}

static void use_disk(void)
{
	mount_disk(NULL);
	make_files(MNT "/d", 0, 100);
	sync_fs();
	make_files(MNT "/e", 0, 100);
	remove_files(MNT "/d", 0, 100);
	sync_fs();
	reclaim();
	read_tree(MNT);
	umount_disk();
}

static void tell_events(void)
{
	for (int i = 0; i < nr_events; i++)
		verdict("traced %s %ld", events[i].name, events[i].seen);
}

/* trace: every event is there, and none when they are disabled. */
static void run_trace(void)
{
	learn_events();
	put_file(TRACING "/trace", "");
	use_disk();
	check("silent_when_disabled", read_trace() == 0, 1);

	put_file(TRACING "/buffer_size_kb", "65536");
	enable_events(true);
	use_disk();
	enable_events(false);
	check("lines", read_trace(), 500);
	check("events", nr_events, 23);
	tell_events();
}

/*
 * freeze: a rule is broken after the disk was well used for a while.  What led to the
 * first report stays in the trace, and what came after it is not there.
 */
static void run_freeze(void)
{
	long lines;

	learn_events();
	put_file(TRACING "/buffer_size_kb", "65536");
	put_file("/proc/sys/kernel/traceoff_on_warning", "1");
	enable_events(true);
	use_disk();
	lines = read_trace();
	check("lines_before", lines, 500);
	put_file(PARAMS "/eb_mutant", "read_dance");
	use_disk();
	check("lines_kept", read_trace(), lines);
	check("stopped_at_once", lines_after >= 0 && lines_after <= 10, 1);
	tell_events();
}

const struct workload trace_workloads[] = {
	{ "trace", run_trace },
	{ "freeze", run_freeze },
	{ NULL, NULL }
};
