// SPDX-License-Identifier: GPL-2.0
/*
 * The plain workloads: metadata that is made, written, reclaimed and read
 * again, on a file system that works.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guest.h"

/* One round of meta makes this many files in a directory of its own. */
#define ROUND_FILES	200
#define MAX_ROUNDS	40
#define MIN_ROUNDS	10

/* More than EB_TASKS. */
#define RESTING_TASKS	400

/* mount: the least there is, the reads of a mount. */
static void run_mount(void)
{
	long before = disk_reads();

	mount_disk(NULL);
	read_tree(MNT);
	umount_disk();
	check("disk_reads", disk_reads() - before, 5);
}

/* One more directory; everything that is there changes, is written, reclaimed, read. */
void meta_round(int round)
{
	char dir[64], name[32];
	long want = 0, seen;

	snprintf(dir, sizeof(dir), MNT "/d%03d", round);
	make_files(dir, 0, ROUND_FILES);
	remove_files(dir, 0, ROUND_FILES / 4);
	snprintf(name, sizeof(name), "snap%03d", round);
	make_snapshot("sub", name, round & 1);
	make_files(MNT "/sub/d", round * 10, 10);
	if (round >= 3) {
		snprintf(name, sizeof(name), "snap%03d", round - 3);
		destroy_subvol(name);
	}
	sync_fs();
	for (int i = 0; i <= round; i++) {
		snprintf(dir, sizeof(dir), MNT "/d%03d", i);
		touch_files(dir, ROUND_FILES / 4, ROUND_FILES - ROUND_FILES / 4, round);
		want += ROUND_FILES - ROUND_FILES / 4;
	}
	sync_fs();
	reclaim();
	seen = read_tree(MNT);
	if (seen < want)
		die("only %ld of %ld files can be read in round %d", seen, want, round);
	reclaim();
}

/* How much must have been judged, in percent of what is usual. */
static long enough(long usual)
{
	return usual * option_number("enough", 100) / 100;
}

static bool judged_enough(void)
{
	return stat_value("puts") >= enough(10000) &&
	       stat_value("reads") >= enough(1000) &&
	       stat_value("writes") >= enough(1000) &&
	       stat_value("release_done") >= enough(100);
}

/* meta: rounds until the guard has judged as much as a verdict is worth. */
static void run_meta(void)
{
	int rounds = option_number("rounds", MAX_ROUNDS);
	int done = 0;

	mount_disk(NULL);
	make_subvol("sub");
	while (done < rounds) {
		meta_round(done++);
		if (done >= MIN_ROUNDS && (!guarded() || judged_enough()))
			break;
	}
	check_compressed(MNT "/d000", ROUND_FILES / 4, ROUND_FILES - ROUND_FILES / 4);
	umount_disk();
	check("rounds", done, MIN_ROUNDS);
	check("disk_reads", disk_reads(), 20);
	check("disk_writes", disk_writes(), 100);
	check_stat("puts", enough(10000));
	check_stat("reads", enough(1000));
	check_stat("writes", enough(1000));
	check_stat("release_done", enough(100));
}

static void read_for_ever(void)
{
	for (;;)
		read_tree(MNT);
}

/* reclaim: one task reads what another one has thrown out of memory. */
static void run_reclaim(void)
{
	int rounds = option_number("rounds", 30);
	long before, seen = 0;
	pid_t reader;

	mount_disk(NULL);
	for (int i = 0; i < 4; i++) {
		char dir[64];

		snprintf(dir, sizeof(dir), MNT "/d%d", i);
		make_files(dir, 0, 200);
	}
	sync_fs();
	before = disk_reads();
	reader = spawn(read_for_ever);
	for (int i = 0; i < rounds; i++) {
		reclaim();
		if (i % 5 == 4)
			seen += read_tree(MNT);
		else
			usleep(50000);
	}
	stop_worker(reader);
	umount_disk();
	check("files_read", seen, 800);
	check("disk_reads", disk_reads() - before, 50);
	check_stat("release_done", 100);
	check_stat("reads", 100);
}

/* remount_cycles: the beginning and the end of a file system, many times. */
static void run_remount_cycles(void)
{
	int cycles = option_number("rounds", 20);

	for (int i = 0; i < cycles; i++) {
		char dir[64];

		mount_disk(NULL);
		snprintf(dir, sizeof(dir), MNT "/d%d", i);
		make_files(dir, 0, 20);
		if (read_tree(MNT) < (i + 1) * 20)
			die("files are missing in cycle %d", i);
		umount_disk();
	}
	check("cycles", cycles, 1);
	check_stat("free", cycles * 10);
}

static void read_all(void)
{
	read_tree(MNT);
}

/* Where a task waits until all are there, and where it says that it has read. */
static int may_read[2], have_read[2];

static void read_and_rest(void)
{
	char byte;

	close(may_read[1]);
	if (read(may_read[0], &byte, 1) != 0)
		die("waiting until all are there");
	read_tree(MNT);
	if (write(have_read[1], "", 1) != 1)
		die("telling that all was read");
	for (;;)
		pause();
}

/* Tasks that read something, one after the other; how many of theirs are not recorded. */
static long lost_by_new_tasks(int count)
{
	long before = stat_value("unrecorded");

	for (int i = 0; i < count; i++)
		wait_for(spawn(read_all));
	return stat_value("unrecorded") - before;
}

/*
 * many_tasks: more tasks have read something and are still there than the guard's
 * table has places.  Those at rest must make room for the next ones, in a few seconds.
 */
static void run_many_tasks(void)
{
	static pid_t tasks[RESTING_TASKS];
	double start;
	long lost;
	char byte;

	mount_disk(NULL);
	make_files(MNT "/d", 0, 5);
	if (pipe(may_read) || pipe(have_read))
		die("making pipes");
	for (int i = 0; i < RESTING_TASKS; i++)
		tasks[i] = spawn(read_and_rest);
	/* All of them at once, before the table can have any back. */
	close(may_read[1]);
	for (int i = 0; i < RESTING_TASKS; i++)
		if (read(have_read[0], &byte, 1) != 1)
			die("waiting until all was read");
	start = now();
	do
		lost = lost_by_new_tasks(RESTING_TASKS / 4);
	while (lost && now() - start < 60);
	verdict("first_lost %ld", stat_value("unrecorded"));
	verdict("seconds %.1f", now() - start);
	check("none_lost_in_the_end", lost == 0, 1);
	for (int i = 0; i < RESTING_TASKS; i++)
		stop_worker(tasks[i]);
	umount_disk();
	check("tasks", RESTING_TASKS, 300);
	check_stat("puts", RESTING_TASKS * 4);
}

const struct workload basic_workloads[] = {
	{ "mount", run_mount },
	{ "meta", run_meta },
	{ "reclaim", run_reclaim },
	{ "remount_cycles", run_remount_cycles },
	{ "many_tasks", run_many_tasks },
	{ NULL, NULL }
};
