// SPDX-License-Identifier: GPL-2.0
/*
 * Two workloads for one disk.  power_off fills a log tree and commits nothing
 * of it; its machine is turned off by the host.  log_replay, in the next boot,
 * mounts what is there then: the log must bring back all that was forced to disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "guest.h"

#define DIRS		4
#define FILES		60
#define LARGE		(200 << 10)

static const char *file_path(const char *name, int dir, int i)
{
	static char paths[4][96];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), MNT "/p%d/%s%03d", dir, name, i);
	return path;
}

static const char *dir_path(int dir)
{
	static char path[64];

	snprintf(path, sizeof(path), MNT "/p%d", dir);
	return path;
}

/* Content that only this file has; each eighth is too large to lie inline. */
static size_t content(int dir, int i, char *data)
{
	size_t size = i % 8 == 7 ? LARGE : 300 + 13 * i;

	for (size_t pos = 0; pos < size; pos++)
		data[pos] = 'a' + (pos / 7 + 31 * dir + i) % 26;
	return size;
}

static void force(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fsync(fd))
		die("fsync of %s", path);
	close(fd);
}

static void make_file(int dir, int i)
{
	static char data[LARGE];
	const char *path = file_path("f", dir, i);
	size_t size = content(dir, i, data);
	int fd = open(path, O_CREAT | O_RDWR, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    (i % 4 == 0 && fsetxattr(fd, "user.eb", data, 100, 0)) || fsync(fd))
		die("making %s", path);
	close(fd);
}

/* Names that a log must know about as well. */
static void change_names(int dir)
{
	for (int i = 0; i < FILES; i += 5) {
		if (rename(file_path("f", dir, i), file_path("r", dir, i)) ||
		    link(file_path("f", dir, i + 1), file_path("l", dir, i + 1)) ||
		    unlink(file_path("f", dir, i + 2)))
			die("changing names in directory %d", dir);
		force(file_path("r", dir, i));
		force(file_path("l", dir, i + 1));
	}
	force(dir_path(dir));
}

/* Never comes to its end: the power goes off while it writes. */
static void write_on(void)
{
	for (int round = 0; ; round++) {
		make_files(MNT "/after", 0, 100);
		touch_files(MNT "/after", 0, 100, round);
	}
}

static void run_power_off(void)
{
	mount_disk("commit=300");
	for (int dir = 0; dir < DIRS; dir++)
		if (mkdir(dir_path(dir), 0755))
			die("mkdir %s", dir_path(dir));
	/* Half of the files is changed later, the other half is new in the log. */
	for (int i = 0; i < FILES; i++) {
		if (i == FILES / 2)
			sync_fs();
		for (int dir = 0; dir < DIRS; dir++)
			make_file(dir, i);
	}
	for (int dir = 0; dir < DIRS; dir++)
		change_names(dir);
	verdict("ready for power-off");
	write_on();
}

/* Has the file the content that it was given? */
static bool same(const char *path, int dir, int i)
{
	static char want[LARGE], got[LARGE + 1];
	size_t size = content(dir, i, want);
	int fd = open(path, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, got, sizeof(got));
	if (i % 4 == 0 && (fgetxattr(fd, "user.eb", got + LARGE - 100, 100) != 100 ||
			   memcmp(got + LARGE - 100, want, 100)))
		len = -1;
	close(fd);
	return len == (ssize_t)size && !memcmp(want, got, size);
}

/* Is file @i where its last name is, and nowhere else? */
static bool as_forced(int dir, int i)
{
	const char *old = file_path("f", dir, i);

	switch (i % 5) {
	case 0:
		return same(file_path("r", dir, i), dir, i) && access(old, F_OK);
	case 1:
		return same(old, dir, i) && same(file_path("l", dir, i), dir, i);
	case 2:
		return access(old, F_OK) && errno == ENOENT;
	default:
		return same(old, dir, i);
	}
}

static void run_log_replay(void)
{
	long right = 0;

	check("log_on_disk", log_on_disk(DISK), 1);
	mount_disk(NULL);
	for (int dir = 0; dir < DIRS; dir++)
		for (int i = 0; i < FILES; i++)
			right += as_forced(dir, i);
	check("files_as_forced", right, DIRS * FILES);
	check_stat("reads", 20);
	make_files(MNT "/new", 0, 50);
	umount_disk();
	check("log_is_gone", !log_on_disk(DISK), 1);
	mount_disk(NULL);
	check("files_afterwards", read_tree(MNT "/new"), 50);
	umount_disk();
}

const struct workload power_workloads[] = {
	{ "power_off", run_power_off },
	{ "log_replay", run_log_replay },
	{ NULL, NULL }
};
