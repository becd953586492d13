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

#define TRACING		"/sys/kernel/tracing"
#define EVENTS		TRACING "/events/btrfs"
#define MAX_EVENTS	32
#define SHOWN		3

static struct {
	char name[64];
	long seen;
} events[MAX_EVENTS];
static int nr_events;

/* Turn each event of the guard on or off; the first time, learn their names. */
static void enable_events(bool on)
{
	struct dirent *entry;
	char path[512];
	DIR *dir = opendir(EVENTS);

	if (!dir)
		die("no trace events of btrfs");
	nr_events = 0;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "btrfs_eb_", 9) || nr_events == MAX_EVENTS)
			continue;
		snprintf(events[nr_events++].name, sizeof(events[0].name), "%.60s",
			 entry->d_name);
		snprintf(path, sizeof(path), EVENTS "/%s/enable", entry->d_name);
		put_file(path, on ? "1" : "0");
	}
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
	while (fgets(line, sizeof(line), file)) {
		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = 0;
		lines++;
		count_line(line);
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

/* trace: every event is there, and none when they are disabled. */
static void run_trace(void)
{
	enable_events(false);
	put_file(TRACING "/trace", "");
	use_disk();
	check("silent_when_disabled", read_trace() == 0, 1);

	put_file(TRACING "/buffer_size_kb", "65536");
	enable_events(true);
	use_disk();
	enable_events(false);
	check("lines", read_trace(), 500);
	check("events", nr_events, 16);
	for (int i = 0; i < nr_events; i++)
		verdict("traced %s %ld", events[i].name, events[i].seen);
}

const struct workload trace_workloads[] = {
	{ "trace", run_trace },
	{ NULL, NULL }
};
