// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads about what is scarce: space on the disk, and memory.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include "guest.h"

/* An attribute so large that two fill a leaf, and a content that is kept inline. */
#define LARGE		7000
#define INLINE		1500

/* Memory is taken in pieces. */
#define PIECE		(1 << 20)

/*
 * Take space that metadata could get, so that it is full sooner.  Not all of it:
 * the content of a file asks for space as data even if it ends inline.
 */
static void fill_data(long size)
{
	int fd = open(MNT "/data", O_CREAT | O_RDWR, 0644);

	if (fd < 0 || fallocate(fd, 0, 0, size))
		die("taking space for data");
	close(fd);
	sync_fs();
}

/* Make files with large attributes until there is no space; returns how many. */
static int fill_metadata(const char *dir)
{
	static char value[LARGE];
	char path[128];
	int made = 0;

	if (mkdir(dir, 0755)) {
		if (errno == ENOSPC)
			return 0;
		die("mkdir %s", dir);
	}
	for (;; made++) {
		int fd;

		snprintf(path, sizeof(path), "%s/f%06d", dir, made);
		fd = open(path, O_CREAT | O_RDWR, 0644);
		if (fd < 0)
			break;
		if (fsetxattr(fd, "user.large", value, sizeof(value), 0) ||
		    write(fd, value, INLINE) != INLINE) {
			int err = errno;

			close(fd);
			unlink(path);
			errno = err;
			break;
		}
		close(fd);
	}
	if (errno != ENOSPC)
		die("filling %s", dir);
	return made;
}

/*
 * enospc: a small file system runs out of space for metadata, again and again,
 * and between that most is deleted, and memory is reclaimed.
 */
static void run_enospc(void)
{
	int rounds = option_number("rounds", 3);
	long seen = 0, files = 0;
	char dir[64];
	int err;

	mount_disk(NULL);
	fill_data(option_number("data", 93) << 20);
	for (int round = 0; round < rounds; round++) {
		int made;

		snprintf(dir, sizeof(dir), MNT "/d%d", round);
		made = fill_metadata(dir);
		seen++;
		sync_fs();
		reclaim();
		remove_files(dir, 0, made - made / 4);
		files += made;
		sync_fs();
		if (made && !read_tree(dir))
			die("nothing can be read of %s", dir);
	}
	err = balance_chunks(BTRFS_BALANCE_METADATA, NULL);
	if (err && err != ENOSPC)
		die("balancing a full file system: error %d", err);
	check("ran_out_of_space", seen, rounds);
	check("files_made", files, 100);
	if (unlink(MNT "/data"))
		die("deleting the file that takes space");
	sync_fs();
	make_files(MNT "/afterwards", 0, 200);
	check("files_afterwards", read_tree(MNT "/afterwards"), 200);
	umount_disk();
	mount_disk(NULL);
	check("files_after_mount", read_tree(MNT "/afterwards"), 200);
	umount_disk();
	check_stat("writes", 400);
}

/* What a file of "key: value" or "key value" lines says of a key. */
static long value_in(const char *path, const char *key)
{
	static char buf[16384];
	char *rest = buf, *line;
	size_t len = strlen(key);

	if (get_file(path, buf, sizeof(buf)) < 0)
		die("reading %s", path);
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, key, len) && (line[len] == ' ' || line[len] == ':'))
			return atol(line + len + 1);
	return -1;
}

/* Read the large attributes of all files of a directory, and change every tenth file. */
static void use_attributes(const char *dir, int files, int round)
{
	static char value[LARGE];
	char path[128];

	for (int i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "%s/f%06d", dir, i);
		if (getxattr(path, "user.large", value, sizeof(value)) != LARGE)
			die("reading the attribute of %s", path);
		if (i % 10 == round % 10 && setxattr(path, "user.large", value, LARGE, 0))
			die("changing %s", path);
	}
}

/* Metadata alone fills the memory: leaves of attributes, no content of files. */
static void work_in(const char *dir)
{
	int rounds = option_number("rounds", 6);
	int files = option_number("files", 400);
	static char value[LARGE];
	char path[128];

	if (mkdir(dir, 0755))
		die("mkdir %s", dir);
	for (int i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "%s/f%06d", dir, i);
		if (mknod(path, S_IFREG | 0644, 0) ||
		    setxattr(path, "user.large", value, LARGE, 0))
			die("making %s", path);
		/* What is dirty can't be reclaimed. */
		if (i % 100 == 99)
			sync_fs();
	}
	for (int round = 0; round < rounds; round++) {
		use_attributes(dir, files, round);
		sync_fs();
	}
}

static void first_worker(void)
{
	work_in(MNT "/d0");
}

static void second_worker(void)
{
	work_in(MNT "/d1");
}

/* Take what memory there is, piece by piece, until only so much can be had. */
static void hold_memory(void)
{
	long keep = option_number("available", 0) << 10;
	static char *pieces[4096];
	size_t held = 0;

	put_file("/proc/self/oom_score_adj", "1000");
	for (;;) {
		long available = value_in("/proc/meminfo", "MemAvailable");

		if (available > keep && held < ARRAY_SIZE(pieces)) {
			pieces[held] = malloc(PIECE);
			if (pieces[held])
				memset(pieces[held++], 1, PIECE);
			continue;
		}
		if (available < keep / 2 && held)
			free(pieces[--held]);
		usleep(1000);
	}
}

/*
 * pressure: two tasks work with more metadata than may be kept in memory, so that
 * tree blocks are reclaimed while others are read and changed.  Their cgroup has a
 * limit; newer kernels don't charge tree blocks to it, and with available=N somebody
 * takes all memory of the machine but that, in megabytes.
 */
static void run_pressure(void)
{
	const char *limit = option("limit_memory", "8M");
	long released = stat_value("release_done");
	long whole = option_number("available", 0);
	pid_t workers[2], holder = 0;

	mount_disk("commit=5");
	if (whole) {
		holder = spawn(hold_memory);
		while (value_in("/proc/meminfo", "MemAvailable") >> 10 > whole)
			usleep(10000);
	} else {
		put_file(CGROUP "/memory.max", limit);
	}
	workers[0] = spawn(first_worker);
	workers[1] = spawn(second_worker);
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		if (wait_for(workers[i]))
			die("a worker failed");
	if (whole)
		stop_worker(holder);
	else
		check("reached_the_limit", value_in(CGROUP "/memory.events", "max"), 20);
	umount_disk();
	if (guarded())
		check("released", stat_value("release_done") - released, 500);
	check_stat("reads", 200);
}

const struct workload space_workloads[] = {
	{ "enospc", run_enospc },
	{ "pressure", run_pressure },
	{ NULL, NULL }
};
