// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own checkers that have to be asked: the search for lost memory.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "guest.h"

#define KMEMLEAK	DEBUGFS "/kmemleak"

/* Younger memory than this is not searched for, in seconds: MSECS_MIN_AGE. */
#define MIN_AGE		5

/*
 * Look for lost memory.  The first scan only notes the contents of what is new,
 * and what changes between two scans is not lost.
 */
static void scan_memory(void)
{
	put_file(KMEMLEAK, "scan");
	put_file(KMEMLEAK, "scan");
}

/* Tell all that was found, for the host to judge; how many objects. */
static long tell_leaks(void)
{
	FILE *leaks = fopen(KMEMLEAK, "r");
	char line[256];
	long objects = 0;

	if (!leaks)
		die("opening " KMEMLEAK);
	while (fgets(line, sizeof(line), leaks)) {
		line[strcspn(line, "\n")] = 0;
		objects += !strncmp(line, "unreferenced object", 19);
		verdict("kmemleak %s", line);
	}
	if (ferror(leaks))
		die("reading " KMEMLEAK);
	fclose(leaks);
	return objects;
}

/*
 * kmemleak: buffers come and go with all that the guard hangs on them; then
 * nothing of it may be left that nobody knows of.
 */
static void run_kmemleak(void)
{
	int rounds = option_number("rounds", 4);

	for (int i = 0; i < rounds; i++) {
		char name[64];

		mount_disk(NULL);
		snprintf(name, sizeof(name), MNT "/d%d", i);
		make_files(name, 0, 150);
		snprintf(name, sizeof(name), "sub%d", i);
		make_subvol(name);
		sync_fs();
		reclaim();
		read_tree(MNT);
		destroy_subvol(name);
		umount_disk();
	}
	/* What is freed after a grace period is gone then as well. */
	sleep(MIN_AGE + 1);
	scan_memory();
	/* The module that loses memory at its load is there to be found. */
	check("lost_objects", tell_leaks(), 1);
	check_stat("free", rounds * 10);
	check_stat("reads", rounds * 10);
}

const struct workload checker_workloads[] = {
	{ "kmemleak", run_kmemleak },
	{ NULL, NULL }
};
