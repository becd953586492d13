// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads on a device-mapper device in front of the disk, whose table is
 * exchanged under the mounted file system: requests fail, in a part of the
 * disk or everywhere, what is read is not what was written, or what is written
 * never arrives.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "guest.h"
#include "mapper.h"

#define DM_NAME		"eb"
#define DM_DEVICE	"/dev/dm-0"
#define DIRS		3
#define FILES		200

/* Parts of the disk that fail one after the other, where the metadata lies. */
#define WINDOWS		8
#define WINDOW_SECTORS	(32 << 11)

static uint64_t sectors;

/* All of the disk behaves in one way. */
static void all_is(const char *type, const char *params)
{
	struct piece piece = { 0, sectors, type, params };

	mapper_load(DM_NAME, &piece, 1);
}

static void all_is_well(void)
{
	all_is("linear", DISK " 0");
}

/* No request succeeds in one of the windows, or only writes do not. */
static void window_is(int window, const char *type, const char *flakey)
{
	uint64_t start = WINDOW_SECTORS * window, end = start + WINDOW_SECTORS;
	char before[64], after[64], bad[96];
	struct piece pieces[] = {
		{ 0, start, "linear", before },
		{ start, end, type, bad },
		{ end, sectors, "linear", after },
	};
	int first = window == 0;

	snprintf(before, sizeof(before), DISK " 0");
	snprintf(after, sizeof(after), DISK " %llu", (unsigned long long)end);
	*bad = 0;
	if (*flakey)
		snprintf(bad, sizeof(bad), DISK " %llu %s", (unsigned long long)start, flakey);
	mapper_load(DM_NAME, pieces + first, ARRAY_SIZE(pieces) - first);
}

/* Of dm-flakey: never up, for ever down, and what is then wrong. */
#define DOWN		"0 1000000 "
#define ERROR_WRITES	DOWN "1 error_writes"
#define DROP_WRITES	DOWN "1 drop_writes"

static void mount_dm(void)
{
	if (mount(DM_DEVICE, MNT, "btrfs", MS_NOATIME, "commit=300"))
		die("mounting " DM_DEVICE);
}

static void start_dm(void)
{
	open_mapper();
	sectors = disk_sectors(DISK);
	mapper_create(DM_NAME);
	all_is_well();
	mount_dm();
	for (int d = 0; d < DIRS; d++) {
		char dir[64];

		snprintf(dir, sizeof(dir), MNT "/d%d", d);
		make_files(dir, 0, FILES);
	}
	sync_fs();
}

static void change_files(int round)
{
	for (int d = 0; d < DIRS; d++) {
		char dir[64];

		snprintf(dir, sizeof(dir), MNT "/d%d", d);
		touch_files(dir, 0, FILES, round);
	}
}

static void read_for_ever(void)
{
	for (;;)
		read_tree(MNT);
}

/* How many files can be read from the disk, while another task tries as well. */
static long read_beside(void)
{
	pid_t reader;
	long seen;

	reclaim();
	reader = spawn(read_for_ever);
	seen = read_tree(MNT);
	stop_worker(reader);
	return seen;
}

/* All is as it was, on the disk that works again. */
static void check_healed(const char *name, long files)
{
	all_is_well();
	reclaim();
	check(name, read_tree(MNT), files);
}

/* Where mkfs.btrfs puts the first copy of the metadata, without any super block. */
#define COPY_START	(30UL << 20)
#define COPY_END	(63UL << 20)

/* The first copies of tree blocks are not what was written. */
static void spoil_first_copies(void)
{
	static char block[1 << 20] __attribute__((aligned(4096)));
	int fd = open(DISK, O_WRONLY | O_DIRECT);

	if (fd < 0)
		die("opening " DISK);
	for (off_t pos = COPY_START; pos < (off_t)COPY_END; pos += sizeof(block))
		if (pwrite(fd, block, sizeof(block), pos) != sizeof(block))
			die("writing to " DISK);
	close(fd);
}

/* How many megabytes of it are not as they were spoilt. */
static long repaired_parts(void)
{
	static char block[1 << 20] __attribute__((aligned(4096)));
	static const char spoilt[1 << 20];
	int fd = open(DISK, O_RDONLY | O_DIRECT);
	long parts = 0;

	if (fd < 0)
		die("opening " DISK);
	for (off_t pos = COPY_START; pos < (off_t)COPY_END; pos += sizeof(block)) {
		if (pread(fd, block, sizeof(block), pos) != sizeof(block))
			die("reading from " DISK);
		parts += memcmp(block, spoilt, sizeof(block)) != 0;
	}
	close(fd);
	return parts;
}

/*
 * dm_read_error: tree blocks that were reclaimed can't be read again: in a part
 * of the disk, where the other copy helps; with a first copy that has a wrong
 * checksum, and is repaired; everywhere.
 */
static void run_dm_read_error(void)
{
	long files, seen, whole = 0;

	start_dm();
	files = read_tree(MNT);
	for (int window = 0; window < WINDOWS; window++) {
		window_is(window, "error", "");
		whole += read_beside() >= files;
	}
	/* Most windows have no more than one copy of a block. */
	check("windows_without_loss", whole, WINDOWS / 2);
	check_healed("files_after_windows", files);
	spoil_first_copies();
	check("files_of_second_copies", read_beside(), files);
	check("repaired_parts", repaired_parts(), 1);

	all_is("error", "");
	seen = read_beside();
	check("files_lost_by_errors", files - seen, FILES);
	check_healed("files_after_errors", files);
	umount_disk();
	mount_dm();
	check("files_after_remount", read_tree(MNT), files);
	umount_disk();
}

/* One transaction that can't be written by what @type and @params do. */
static bool commit_fails(int round, const char *type, const char *params)
{
	int fd = open(MNT, O_RDONLY);
	bool failed;

	change_files(round);
	all_is(type, params);
	failed = syncfs(fd) != 0;
	close(fd);
	/* The abort is known when nothing can be made any more. */
	failed |= mkdir(MNT "/new", 0755) != 0;
	read_beside();
	umount_disk();
	all_is_well();
	mount_dm();
	return failed;
}

/* dm_write_error: a commit fails, by errors of different parts of the disk. */
static void run_dm_write_error(void)
{
	long files, aborted = 0, seen = 0;

	start_dm();
	files = read_tree(MNT);
	aborted += commit_fails(1, "flakey", DISK " 0 " ERROR_WRITES);
	seen += read_tree(MNT) == files;
	aborted += commit_fails(2, "error", "");
	seen += read_tree(MNT) == files;
	check("commits_failed", aborted, 2);

	/* Of one copy or of both, wherever they are. */
	for (int window = 0; window < WINDOWS; window++) {
		change_files(10 + window);
		window_is(window, "flakey", ERROR_WRITES);
		sync();
		read_beside();
		if (umount2(MNT, 0))
			die("unmounting in window %d", window);
		all_is_well();
		mount_dm();
		seen += read_tree(MNT) == files;
	}
	check("files_are_there", seen, 2 + WINDOWS);
	umount_disk();
}

/*
 * dm_lost_write: writes are said to be done and are not, for some transactions.
 * What is then read is old: its generation is not what its parent says.
 */
static void run_dm_lost_write(void)
{
	long files, seen;

	start_dm();
	files = read_tree(MNT);
	all_is("flakey", DISK " 0 " DROP_WRITES);
	for (int round = 1; round < 4; round++) {
		change_files(round);
		sync_fs();
	}
	seen = read_beside();
	check("files_lost", files - seen, FILES);
	umount_disk();
	all_is_well();
	/* None of it ever was on the disk. */
	mount_dm();
	check("files_after_remount", read_tree(MNT), files);
	umount_disk();
}

/* A file of the guard's, line by line, after @file; returns how many lines. */
static long tell_file(const char *file, char *text, size_t size)
{
	char path[64], *line;
	long lines = 0;

	snprintf(path, sizeof(path), GUARD "/%s", file);
	if (get_file(path, text, size) < 0)
		die("reading %s", path);
	while ((line = strsep(&text, "\n")))
		if (*line) {
			verdict("core_%s %s", file, line);
			lines++;
		}
	return lines;
}

/*
 * core: the disk is suspended while a task reads, which waits for ever, with references.
 * The host is told what the guard says of that, and takes a core of the kernel.
 */
static void run_core(void)
{
	static char text[1 << 20];
	double limit = now() + 30;

	start_dm();
	reclaim();
	mapper_suspend(DM_NAME);
	spawn(read_for_ever);
	do {
		usleep(100000);
		if (get_file(GUARD "/owners", text, sizeof(text)) < 0)
			die("reading owners");
	} while (!strstr(text, " kind=lookup ") && now() < limit);
	/* What else has begun comes to its end, or to the disk. */
	sleep(1);
	check("owners", tell_file("owners", text, sizeof(text)), 3);
	check("live_buffers", tell_file("buffers", text, sizeof(text)), 10);
	verdict("ready for a core");
	pause();
}

const struct workload dm_workloads[] = {
	{ "core", run_core },
	{ "dm_read_error", run_dm_read_error },
	{ "dm_write_error", run_dm_write_error },
	{ "dm_lost_write", run_dm_lost_write },
	{ NULL, NULL }
};
