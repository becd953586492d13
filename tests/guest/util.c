// SPDX-License-Identifier: GPL-2.0
/*
 * The small operations that every workload uses: small files of proc, sysfs
 * and debugfs, mounting, figures of the guard and of the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/random.h>
#include "guest.h"

void die(const char *fmt, ...)
{
	char text[256];
	va_list args;
	int err = errno;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	verdict("failed: %s (%s)", text, strerror(err));
	_exit(1);
}

/* Leave a line on the console, for the host to cut the log at. */
void mark(const char *fmt, ...)
{
	char text[512] = "eb-test: ";
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + 9, sizeof(text) - 9, fmt, args);
	va_end(args);
	put_file("/dev/kmsg", text);
}

/* How many checks of this process were below their minimum. */
int checks_low;

/* What a workload is for must have happened: at least @min of it. */
void check(const char *name, long value, long min)
{
	verdict("check %s %ld %ld %s", name, value, min,
		value >= min ? "ok" : "low");
	checks_low += value < min;
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

bool try_put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

void put_file(const char *path, const char *text)
{
	if (!try_put_file(path, text))
		die("writing '%s' to %s", text, path);
}

/* Read a whole small file as a string; its length, or -1. */
long get_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t used = 0;
	ssize_t got = 0;

	if (fd < 0)
		return -1;
	while (used < size - 1 && (got = read(fd, buf + used, size - 1 - used)) > 0)
		used += got;
	close(fd);
	buf[used] = 0;
	return got < 0 ? -1 : (long)used;
}

/* One figure of the guard's stats, -1 when the kernel has no such figure. */
long stat_value(const char *name)
{
	static char buf[16384];
	char *line, *rest = buf;
	size_t len = strlen(name);

	if (get_file(GUARD "/stats", buf, sizeof(buf)) < 0)
		return -1;
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, name, len) && line[len] == ':')
			return atol(line + len + 1);
	return -1;
}

/* How often the mutant was executed, -1 in a kernel without mutants. */
long mutant_hits(void)
{
	char text[32];

	return get_file(PARAMS "/eb_mutant_hits", text, sizeof(text)) < 0 ? -1 : atol(text);
}

/* Is a mutant chosen that was not executed yet? */
bool mutant_awaited(void)
{
	char text[64];

	return get_file(PARAMS "/eb_mutant", text, sizeof(text)) > 0 &&
	       strcmp(text, "none\n") && mutant_hits() == 0;
}

/* Is this kernel's guard there, and on? */
bool guarded(void)
{
	char value[8] = "";

	if (access(GUARD "/stats", R_OK))
		return false;
	get_file(PARAMS "/eb_debug", value, sizeof(value));
	return *value && !strchr("N0", *value) && strncmp(value, "off", 3);
}

void check_stat(const char *name, long min)
{
	if (guarded())
		check(name, stat_value(name), min);
}

/* Is no buffer left?  The memory of one goes after a grace period. */
bool buffers_gone(void)
{
	for (int i = 0; i < 250 && stat_value("buffers"); i++)
		usleep(20000);
	return stat_value("buffers") == 0;
}

/* The disk with the file system. */
static const char *main_disk(void)
{
	static char name[64];

	if (!*name)
		snprintf(name, sizeof(name), "%s", option("disk", DISK));
	return name;
}

/* Field @n of the disk's statistics. */
static long disk_stat(int n)
{
	char path[128], buf[256], *word, *rest = buf;

	snprintf(path, sizeof(path), "/sys/block/%s/stat", strrchr(main_disk(), '/') + 1);
	if (get_file(path, buf, sizeof(buf)) < 0)
		die("reading the disk's statistics");
	while ((word = strsep(&rest, " \n")))
		if (*word && n-- == 0)
			return atol(word);
	return -1;
}

long disk_reads(void)
{
	return disk_stat(0);
}

long disk_writes(void)
{
	return disk_stat(4);
}

bool disk_busy(void)
{
	return disk_stat(8) > 0;
}

/*
 * Take clean memory back, as under pressure.  drop_caches does it for inodes and
 * data; tree blocks hold a page reference of their own in some bases, which
 * makes drop_caches pass them by, while real reclaim asks their release_folio.
 */
void reclaim(void)
{
	put_file("/proc/sys/vm/drop_caches", "3");
	/* Where there is no such file yet, drop_caches asks their releasepage. */
	if (access(CGROUP "/memory.reclaim", F_OK))
		return;
	/*
	 * It tells us that less than this could be had, or that a task that was frozen
	 * did not go on with it, which is no failure.
	 */
	if (!try_put_file(CGROUP "/memory.reclaim", "1G") && errno != EAGAIN && errno != EINTR)
		die("reclaiming memory");
}

/* Forget inodes and names only: the tree blocks stay in memory. */
void drop_inodes(void)
{
	/* What was used lately is spared by the first passes. */
	for (int i = 0; i < 5; i++)
		put_file("/proc/sys/vm/drop_caches", "2");
}

/* mount=OPTIONS of the command line are for each mount. */
bool try_mount_disk(const char *options)
{
	const char *more = option("mount", "");
	char all[256];

	snprintf(all, sizeof(all), "%s%s%s", options ? options : "",
		 options && *more ? "," : "", more);
	/* With atime a read would make every leaf dirty, and none could be reclaimed. */
	return !mount(main_disk(), MNT, "btrfs", MS_NOATIME, all);
}

void mount_disk(const char *options)
{
	if (!try_mount_disk(options))
		die("mounting %s", main_disk());
}

/* Programs that make an identifier wait for seconds if the kernel has no entropy yet. */
static void add_entropy(void)
{
	static union {
		struct rand_pool_info info;
		char room[sizeof(struct rand_pool_info) + 64];
	} seed = { .info.entropy_count = 512, .info.buf_size = 64 };
	int fd = open("/dev/random", O_RDWR);
	double time = now();

	memcpy(seed.info.buf, &time, sizeof(time));
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &seed))
		die("adding entropy");
	close(fd);
}

/*
 * Run a program that the host has put here, see tools/boot; its exit status.  What it
 * says is in a file.
 */
int run_program(const char *path, const char * const *args)
{
	pid_t pid;

	add_entropy();
	pid = fork();
	if (!pid) {
		int out = open(PROGRAM_OUTPUT, O_CREAT | O_WRONLY | O_TRUNC, 0644);

		dup2(out, 1);
		dup2(out, 2);
		execv(path, (char **)args);
		die("running %s", path);
	}
	return wait_for(pid);
}

/* A disk of the guest's own has no file system yet: mkfs=OPTIONS, with + between them. */
void make_fs(void)
{
	char words[256], *word, *rest = words;
	const char *args[24] = { "mkfs.btrfs", "-q", "-f" };
	size_t n = 3;

	snprintf(words, sizeof(words), "%s", option("mkfs", ""));
	if (!*words)
		return;
	while ((word = strsep(&rest, "+")) && n < ARRAY_SIZE(args) - 2)
		if (*word)
			args[n++] = word;
	args[n] = main_disk();
	if (run_program("/sbin/mkfs.btrfs", args))
		die("making the file system");
}

/* A task that was just stopped may hold the mount for a moment. */
void umount_disk(void)
{
	int tries = 100;

	while (umount2(MNT, 0)) {
		if (errno != EBUSY || !--tries)
			die("unmounting " MNT);
		usleep(20000);
	}
}

void sync_fs(void)
{
	int fd = open(MNT, O_RDONLY);

	if (fd < 0 || ioctl(fd, BTRFS_IOC_SYNC))
		die("syncing " MNT);
	close(fd);
}

/* Run @task beside us until stop(), or until it returns. */
pid_t spawn(void (*task)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	task();
	_exit(0);
}

void stop(pid_t task)
{
	kill(task, SIGKILL);
	waitpid(task, NULL, 0);
}
