// SPDX-License-Identifier: GPL-2.0
/*
 * A recording of a whole workload: with record=DISK all trace events of the guard
 * are enabled before the workload begins, and what tracefs shows at its end is
 * written to that disk, which the host reads.  record_kb=N is
 * the size of the trace buffer.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "guest.h"

static char disk[64];

static void enable_event(const char *name, bool on)
{
	char path[512];

	snprintf(path, sizeof(path), EVENTS "/%.60s/enable", name);
	put_file(path, on ? "1" : "0");
}

/* Turn each event of the guard on or off; returns how many there are. */
int enable_events(bool on)
{
	struct dirent *entry;
	DIR *dir = opendir(EVENTS);
	int nr = 0;

	if (!dir)
		die("no trace events of btrfs");
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "btrfs_eb_", 9))
			continue;
		enable_event(entry->d_name, on);
		nr++;
	}
	closedir(dir);
	return nr;
}

/* Before the workload. */
void record_begin(void)
{
	snprintf(disk, sizeof(disk), "%s", option("record", ""));
	if (!*disk)
		return;
	put_file(TRACING "/buffer_size_kb", option("record_kb", "98304"));
	verdict("recorded_events %d", enable_events(true));
}

/* Behind it: the trace goes to the disk. */
void record_end(void)
{
	static char buf[1 << 16];
	ssize_t got, put = 0;
	long bytes = 0;
	int from, to;

	if (!*disk)
		return;
	put_file(TRACING "/tracing_on", "0");
	enable_events(false);
	from = open(TRACING "/trace", O_RDONLY);
	to = open(disk, O_WRONLY);
	if (from < 0 || to < 0)
		die("opening the trace, or %s", disk);
	while ((got = read(from, buf, sizeof(buf))) > 0) {
		put = write(to, buf, got);
		if (put != got)
			die("writing the trace");
		bytes += put;
	}
	if (got || fsync(to))
		die("copying the trace");
	close(to);
	close(from);
	verdict("recorded_bytes %ld", bytes);
}
