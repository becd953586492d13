// SPDX-License-Identifier: GPL-2.0
/*
 * Does the guard hold when there is much of everything: buffers, owners, CPUs, leaks?
 *
 * As in perf.c time is a count of instructions, one a nanosecond.  The lock of the list of
 * live buffers is the only one that is held while the guard goes through many of something;
 * how long that is at most tests/perf/eb_perf.c finds out.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/btrfs_tree.h>
#include "guest.h"

/* Buffers that are made at a time, and made for each level to see what they take. */
#define PIECE		10000
#define LEVEL_BUFFERS	20000

/* Of two attributes as large as this only one fits into a leaf of 4096 bytes. */
#define XATTR_SIZE	2200

/* Buffers of which kernel threads lose references. */
#define LOST_BUFFERS	80000

/* Where the disk is mounted once more. */
#define MNT2		"/mnt2"

/* --- how long the lock is held ------------------------------------------------- */

#define HELD		PARAMS "/eb_perf_held"

/* From now on, each function of the guard that holds the lock of the list is timed. */
static void lock_watch(void)
{
	put_file(HELD, "1");
}

static void lock_tell(const char *what)
{
	char value[128];
	char *name;

	if (get_file(HELD, value, sizeof(value)) < 0)
		die("reading how long the lock was held");
	put_file(HELD, "0");
	value[strcspn(value, "\n")] = 0;
	name = strchr(value, ' ');
	verdict("held_ns_%s %ld%s", what, atol(value), name ? name : "");
}

/* --- many buffers ------------------------------------------------------------- */

/* Write to the loops of tests/perf/eb_perf.c; how many instructions they took. */
static double loop(const char *what, long count, long more)
{
	char text[64], value[32];
	int fd = open(MNT, O_RDONLY);

	if (fd < 0)
		die("opening " MNT);
	snprintf(text, sizeof(text), "%s %d %ld %ld", what, fd, count, more);
	put_file(PARAMS "/eb_perf", text);
	close(fd);
	if (get_file(PARAMS "/eb_perf", value, sizeof(value)) < 0)
		die("reading what %s took", what);
	return strtod(value, NULL);
}

/* So many buffers more, which are nobody's but the tree's. */
static void make_buffers(long count)
{
	static long made;

	for (long left = count; left > 0; left -= PIECE, made += PIECE)
		loop("alloc", PIECE, made);
}

/* Kilobytes that /proc/meminfo tells. */
static long kilobytes(const char *name)
{
	static char buf[8192];
	char *at;

	if (get_file("/proc/meminfo", buf, sizeof(buf)) < 0)
		die("reading /proc");
	at = strstr(buf, name);
	return at ? atol(at + strlen(name) + 1) : -1;
}

/* What @count buffers take of the slab allocator, in bytes a buffer. */
static void tell_memory(const char *level)
{
	long before;

	put_file(PARAMS "/eb_debug", level);
	before = kilobytes("Slab");
	make_buffers(LEVEL_BUFFERS);
	verdict("slab_bytes_%s %ld", level, (kilobytes("Slab") - before) * 1024 / LEVEL_BUFFERS);
}

/* Read a file of the guard to its end; how many lines it has. */
static long read_lines(const char *name, long *bytes)
{
	static char buf[1 << 16];
	long lines = 0, got;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), GUARD "/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		die("opening %s", path);
	while ((got = read(fd, buf, sizeof(buf))) > 0) {
		*bytes += got;
		for (char *at = buf; (at = memchr(at, '\n', buf + got - at)); at++)
			lines++;
	}
	if (got < 0)
		die("reading %s", path);
	close(fd);
	return lines;
}

/* Read it for the time that takes, and once more for the lock. */
static void measure_file(const char *name, long min)
{
	double begin = now();
	long bytes = 0;

	check(name, read_lines(name, &bytes), min);
	verdict("time_us_%s %.0f", name, (now() - begin) * 1e6);
	verdict("bytes_%s %ld", name, bytes);
	lock_watch();
	read_lines(name, &bytes);
	lock_tell(name);
}

/*
 * A mount that finds the file system mounted already looks for buffers of its own, as an
 * unmount does, and passes by all of them.
 */
static void mount_again(void)
{
	double begin = now();

	mkdir(MNT2, 0755);
	if (mount(option("disk", DISK), MNT2, "btrfs", MS_NOATIME, NULL))
		die("mounting once more");
	verdict("time_us_mount %.0f", (now() - begin) * 1e6);
}

/* Tasks that read at once: under icount the answer to a read comes with the next tick. */
#define READERS		64

/* The numbers of the inodes that are there, in order, and how many were read. */
static struct {
	ino_t *number;
	long count;
} inodes;

static long *inodes_read;

static int in_order(const void *a, const void *b)
{
	ino_t one = *(const ino_t *)a, other = *(const ino_t *)b;

	return (one > other) - (one < other);
}

static void list_inodes(long files)
{
	DIR *dir = opendir(MNT);
	struct dirent *entry;

	inodes.number = malloc(files * sizeof(*inodes.number));
	if (!dir || !inodes.number)
		die("listing the files");
	while (inodes.count < files && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			inodes.number[inodes.count++] = entry->d_ino;
	closedir(dir);
	qsort(inodes.number, inodes.count, sizeof(*inodes.number), in_order);
}

/* The reader's share of the tree: all leaves of so many inodes. */
static void read_share(int reader)
{
	ino_t first = inodes.number[inodes.count * reader / READERS];
	ino_t last = inodes.number[inodes.count * (reader + 1) / READERS - 1];

	__atomic_fetch_add(inodes_read, count_items(BTRFS_FS_TREE_OBJECTID,
						    BTRFS_INODE_ITEM_KEY, first, last),
			   __ATOMIC_RELAXED);
	_exit(0);
}

/* Read all blocks of the tree that the host has made, see tests/cases/scale.sh. */
static void read_blocks(void)
{
	long files = option_number("files", READERS);
	pid_t readers[READERS];

	inodes_read = mmap(NULL, sizeof(*inodes_read), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (inodes_read == MAP_FAILED)
		die("sharing memory");
	list_inodes(files);
	check("files", inodes.count, files);
	for (int i = 0; i < READERS; i++) {
		readers[i] = fork();
		if (readers[i] < 0)
			die("fork");
		if (!readers[i])
			read_share(i);
	}
	for (int i = 0; i < READERS; i++)
		if (wait_for(readers[i]))
			die("reading the tree");
	check("inodes_read", *inodes_read, files);
}

/*
 * scale_buffers: a file system of a million blocks, which are read, the files of the guard
 * are read, and the file system is mounted once more.
 */
static void run_scale_buffers(void)
{
	static const char * const levels[] = { "off", "guard", "history", "stacks" };
	long count = option_number("count", 1000000);

	mount_disk(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		tell_memory(levels[i]);
	put_file(PARAMS "/eb_debug", "guard");
	read_blocks();
	check("live_buffers", stat_value("buffers"), count);
	check_stat("reads", count);
	/* This one has no use for the list. */
	measure_file("stats", 50);
	measure_file("owners", 1);
	measure_file("buffers", count);
	lock_watch();
	mount_again();
	lock_tell("mount");
	check("live_buffers_after", stat_value("buffers"), count);
}

/* --- what a get and a put cost ------------------------------------------------- */

/* Of a task: what its begin and its end take does not matter beside them. */
#define LEAST_PAIRS	64000

/* Pairs by @tasks tasks at once: instructions for each, of all CPUs together. */
static void tell_pairs(const char *level, const char *what, long tasks, const char *live)
{
	long count = option_number("pairs", 768000) / tasks;

	if (count < LEAST_PAIRS)
		count = LEAST_PAIRS;
	put_file(PARAMS "/eb_debug", level);
	/* What is left to do of the tasks before. */
	usleep(500000);
	verdict("pair_%s_%s_%ld_%s %.2f", level, what, tasks, live,
		loop(what, count, tasks) / count / tasks);
}

/* Few owners, one for each CPU, and many. */
static void tell_all_pairs(const char *live)
{
	static const char * const whats[] = { "same", "own" };
	long cpus = option_number("cpus", 1);
	const long tasks[] = { cpus, 96 };

	for (size_t i = 0; i < ARRAY_SIZE(whats); i++)
		for (size_t k = 0; k < ARRAY_SIZE(tasks); k++) {
			tell_pairs("off", whats[i], tasks[k], live);
			tell_pairs("guard", whats[i], tasks[k], live);
		}
}

/* scale_cost: the same loops with few buffers and with many. */
static void run_scale_cost(void)
{
	long many = option_number("many", 100000);

	mount_disk(NULL);
	make_buffers(1000);
	tell_all_pairs("few");
	make_buffers(many - stat_value("buffers"));
	check("live_buffers", stat_value("buffers"), many);
	tell_all_pairs("many");
}

/* --- many leaks ---------------------------------------------------------------- */

/* Files whose attributes are a leaf each: a list of them reads leaf after leaf. */
static void make_leaves(const char *dir, int files, int leaves)
{
	static char value[XATTR_SIZE];
	char path[64], name[16];

	if (mkdir(dir, 0755))
		die("making %s", dir);
	for (int i = 0; i < files; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%05d", dir, i);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0)
			die("creating %s", path);
		for (int k = 0; k < leaves; k++) {
			snprintf(name, sizeof(name), "user.%05d", k);
			if (fsetxattr(fd, name, value, sizeof(value), XATTR_CREATE))
				die("setting an attribute of %s", path);
		}
		close(fd);
	}
}

/* List the attributes of one file after the other. */
static void list_leaves(const char *dir, int files)
{
	static char names[65536];
	char path[64];

	for (int i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "%s/%05d", dir, i);
		if (listxattr(path, names, sizeof(names)) < 0)
			die("listing the attributes of %s", path);
	}
}

/* Lose references by tasks of the loops, so many in each; how many all of them lose. */
static long lose(const char *how, long count, long tasks)
{
	loop(how, count, tasks);
	return count * tasks;
}

/*
 * scale_leaks: a put that is forgotten in readahead is forgotten each time, and the task
 * is found out at the end of each system call, with all that it lost.  What kernel threads
 * lose is seen at unmount; the last of them lose more than is remembered of a task.
 */
static void run_scale_leaks(void)
{
	int files = option_number("files", 1500);
	long hits, lost;
	double begin;

	mount_disk(NULL);
	make_leaves(MNT "/d", files, 15);
	umount_disk();
	mount_disk(NULL);
	put_file(PARAMS "/eb_mutant_again", "1");
	put_file(PARAMS "/eb_mutant", "leak");
	list_leaves(MNT "/d", files);
	hits = mutant_hits();
	check("lost_by_readahead", hits, 10 * files);
	put_file(PARAMS "/eb_mutant", "none");
	make_buffers(LOST_BUFFERS);
	lost = lose("forget", 20, 20);
	lost += lose("lose", 30, 30);
	lost += lose("lose", LOST_BUFFERS / 4, 4);
	check("lost", hits + lost, 100000);
	mark("unmount begins");
	lock_watch();
	begin = now();
	umount_disk();
	verdict("time_us_unmount %.0f", (now() - begin) * 1e6);
	lock_tell("unmount");
	mark("unmount ended");
	mount_disk(NULL);
	check("files_read", read_tree(MNT "/d"), files);
	umount_disk();
	verdict("leaks %ld", hits + lost);
}

const struct workload scale_workloads[] = {
	{ "scale_buffers", run_scale_buffers },
	{ "scale_cost", run_scale_cost },
	{ "scale_leaks", run_scale_leaks },
	{ NULL, NULL }
};
