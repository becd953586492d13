// SPDX-License-Identifier: GPL-2.0
/*
 * power_cuts: the power goes off at random moments under load, many times.  The disk is
 * a null_blk with a cache, which forgets what was not flushed.  Then what is on the disk
 * must pass btrfs check, mount, and have all that was forced to disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include "guest.h"
#include "mapper.h"

#define CONFIGFS	"/sys/kernel/config"
/* Newer kernels call the disk as it is called there, older ones count. */
#define NULLB		CONFIGFS "/nullb/nullb0"
#define NULL_DISK	"/dev/nullb0"
#define CUT_DISK	"/dev/dm-0"
#define NAME		"cut"

#define WRITERS		2
#define RECORDS		2000
#define LARGE		(60 << 10)

/* Of a file: what is under way, and what of it was forced to disk. */
enum state { ABSENT, CREATING, FORCED, RENAMING, RENAMED };

struct shared {
	/* The disk has no power from here on: all may fail. */
	bool cut;
	unsigned char state[WRITERS][RECORDS + 3];
};

static struct shared *shared;
static int cut_number, writer;
static uint64_t sectors;

static void null_blk_is(const char *file, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), NULLB "/%s", file);
	put_file(path, value);
}

/* The new disk has what is on the first one, an empty file system. */
static void copy_disk(void)
{
	static char piece[1 << 20], zero[1 << 20];
	int from = open(DISK, O_RDONLY), to = open(NULL_DISK, O_WRONLY);
	off_t pos = 0;
	ssize_t got;

	if (from < 0 || to < 0)
		die("opening the disks");
	for (; (got = read(from, piece, sizeof(piece))) > 0; pos += got)
		if (memcmp(piece, zero, got) && pwrite(to, piece, got, pos) != got)
			die("copying the disk");
	if (got || fsync(to))
		die("copying the disk");
	close(from);
	close(to);
}

static void disk_is(const char *type, const char *params)
{
	struct piece piece = { 0, sectors, type, params };

	mapper_load(NAME, &piece, 1);
}

static void make_disk(void)
{
	char size[24];

	mkdir(CONFIGFS, 0755);
	if (mount("configfs", CONFIGFS, "configfs", 0, NULL) && errno != EBUSY)
		die("mounting configfs");
	if (mkdir(NULLB, 0755))
		die("making a null_blk");
	sectors = disk_sectors(DISK);
	snprintf(size, sizeof(size), "%ld", (long)(sectors >> 11));
	null_blk_is("size", size);
	null_blk_is("memory_backed", "1");
	null_blk_is("cache_size", "256");
	null_blk_is("power", "1");
	copy_disk();
	open_mapper();
	mapper_create(NAME);
	disk_is("linear", NULL_DISK " 0");
}

static void mount_cut(void)
{
	if (mount(CUT_DISK, MNT, "btrfs", MS_NOATIME, "commit=300"))
		die("mounting after cut %d", cut_number);
}

static const char *record_path(const char *name, int who, int i)
{
	static char paths[4][64];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), MNT "/cut%d.%d/%s%04d", cut_number, who, name, i);
	return path;
}

/* Content that only this file has; each eighth is too large to lie inline. */
static size_t content(int who, int i, char *data)
{
	size_t size = i % 8 == 7 ? LARGE : 100 + i * 13 % 1300;

	for (size_t pos = 0; pos < size; pos++)
		data[pos] = 'a' + (pos / 5 + 7 * who + 3 * i + 11 * cut_number) % 26;
	return size;
}

/* After an error: the end if there is no power, else a failure. */
static void only_without_power(const char *what)
{
	if (!shared->cut)
		die("%s", what);
	_exit(0);
}

static void force_new(int i)
{
	static char data[LARGE];
	size_t size = content(writer, i, data);
	int fd = open(record_path("f", writer, i), O_CREAT | O_RDWR, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		only_without_power("writing a file");
	shared->state[writer][i] = CREATING;
	if (fsync(fd))
		only_without_power("forcing a file");
	shared->state[writer][i] = FORCED;
	close(fd);
}

static void force_renamed(int i)
{
	const char *to = record_path("r", writer, i);
	int fd;

	shared->state[writer][i] = RENAMING;
	if (rename(record_path("f", writer, i), to))
		only_without_power("renaming a file");
	fd = open(to, O_RDWR);
	if (fd < 0 || fsync(fd))
		only_without_power("forcing a name");
	shared->state[writer][i] = RENAMED;
	close(fd);
}

static void write_and_force(void)
{
	char dir[64];

	snprintf(dir, sizeof(dir), MNT "/cut%d.%d", cut_number, writer);
	if (mkdir(dir, 0755))
		only_without_power("making a directory");
	for (int i = 0; i < RECORDS; i++) {
		force_new(i);
		if (i % 3 == 2)
			force_renamed(i - 1);
	}
	die("too many files for one cut");
}

/* Changes that nobody forces, and commits at any moment. */
static void change_and_commit(void)
{
	int root = open(MNT, O_RDONLY);

	for (int i = 0; ; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), MNT "/d/f%06d", i % 300);
		if (setxattr(path, "user.round", &i, sizeof(i), 0))
			only_without_power("changing a file");
		snprintf(path, sizeof(path), MNT "/loose%d.%d", cut_number, i);
		fd = open(path, O_CREAT | O_RDWR, 0644);
		if (fd < 0)
			only_without_power("creating a file");
		close(fd);
		if (i % 100 == 99 && ioctl(root, BTRFS_IOC_SYNC))
			only_without_power("committing");
	}
}

static long loose_files(void)
{
	char path[64];
	long n = 0;

	do
		snprintf(path, sizeof(path), MNT "/loose%d.%ld", cut_number, n);
	while (!access(path, F_OK) && ++n);
	return n;
}

/*
 * Work until the power goes off, in the middle of it.  What has begun comes to its end
 * in the cache of the disk, and then nothing reaches it.  Returns how many loose files
 * there were.
 */
static long work_until_cut(void)
{
	pid_t tasks[WRITERS + 1];
	long loose;

	memset(shared, 0, sizeof(*shared));
	for (writer = 0; writer < WRITERS; writer++)
		tasks[writer] = spawn(write_and_force);
	tasks[WRITERS] = spawn(change_and_commit);
	usleep(30000 + random() % 1000000);
	shared->cut = true;
	disk_is("error", "");
	loose = loose_files();
	for (int i = 0; i < WRITERS + 1; i++)
		if (wait_for(tasks[i]))
			die("a task failed before cut %d", cut_number);
	umount_disk();
	null_blk_is("power", "0");
	null_blk_is("power", "1");
	disk_is("linear", NULL_DISK " 0");
	return loose;
}

static bool passes_check(void)
{
	static const char * const args[] = {
		"btrfs", "check", "--readonly", CUT_DISK, NULL
	};
	static char said[4096];
	int status = run_program("/sbin/btrfs", args);

	if (!status)
		return true;
	get_file(PROGRAM_OUTPUT, said, sizeof(said));
	mark("btrfs check after cut %d: status %d: %.400s", cut_number, status, said);
	return false;
}

static bool has_content(const char *path, int who, int i)
{
	static char want[LARGE], got[LARGE + 1];
	size_t size = content(who, i, want);

	return get_file(path, got, sizeof(got)) == (long)size && !memcmp(want, got, size);
}

/* Is a file that was forced to disk there, with its content and its name? */
static bool is_kept(int who, int i)
{
	const char *old = record_path("f", who, i), *new = record_path("r", who, i);

	switch (shared->state[who][i]) {
	case FORCED:
		return has_content(old, who, i);
	case RENAMING:
		return has_content(access(old, F_OK) ? new : old, who, i);
	case RENAMED:
		return has_content(new, who, i) && access(old, F_OK);
	default:
		return true;
	}
}

/* What is there of a file, -1 for nothing. */
static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void tell_lost(int who, int i)
{
	static char want[LARGE];

	mark("lost in cut %d: file %d of writer %d, state %d, %zu bytes", cut_number, i, who,
	     shared->state[who][i], content(who, i, want));
	mark("its old name has %ld bytes, its new one %ld; the next ones are in states %d, %d, %d",
	     size_of(record_path("f", who, i)), size_of(record_path("r", who, i)),
	     shared->state[who][i + 1], shared->state[who][i + 2], shared->state[who][i + 3]);
}

static void count_kept(long *forced, long *lost)
{
	for (int who = 0; who < WRITERS; who++)
		for (int i = 0; i < RECORDS; i++) {
			if (shared->state[who][i] < FORCED)
				continue;
			(*forced)++;
			if (!is_kept(who, i)) {
				tell_lost(who, i);
				(*lost)++;
			}
		}
}

static void run_power_cuts(void)
{
	int cuts = option_number("rounds", 100);
	long forced = 0, lost = 0, loose = 0, logs = 0, clean = 0;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		die("sharing memory");
	srandom(option_number("seed", 1));
	make_disk();
	mount_cut();
	make_files(MNT "/d", 0, 300);
	sync_fs();
	for (cut_number = 0; cut_number < cuts; cut_number++) {
		long before = work_until_cut();

		logs += log_on_disk(CUT_DISK);
		clean += passes_check();
		mount_cut();
		loose += before - loose_files();
		count_kept(&forced, &lost);
	}
	check("files_read", read_tree(MNT "/d"), 300);
	umount_disk();
	check("clean_at_the_end", passes_check(), 1);
	check("cuts", cuts, 1);
	check("passed_check", clean, cuts);
	check("logs_replayed", logs, cuts / 4);
	check("loose_files_lost", loose, cuts);
	check("forced_files", forced, cuts * 5L);
	check("all_forced_kept", !lost, 1);
	check_stat("reads", cuts * 10L);
	check_stat("writes", cuts * 10L);
}

const struct workload cut_workloads[] = {
	{ "power_cuts", run_power_cuts },
	{ NULL, NULL }
};
