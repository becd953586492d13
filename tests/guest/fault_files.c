// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on files, for the workload enomem.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include "faults.h"

#define SMALL	700
#define LARGE	(300 << 10)

static char buffer[1 << 18] __attribute__((aligned(4096)));

static int run_create(int turn)
{
	int fd = open(turn_path("create", turn), O_CREAT | O_RDWR, 0644);

	if (fd < 0)
		return -1;
	return close_with(fd, pwrite(fd, buffer, SMALL, 0) == SMALL ? 0 : -1);
}

static int run_mkdir(int turn)
{
	return mkdir(turn_path("mkdir", turn), 0755);
}

static int run_symlink(int turn)
{
	return symlink("/a/path/of/some/length", turn_path("symlink", turn));
}

static int run_tmpfile(int turn)
{
	int fd = open(MNT, O_TMPFILE | O_RDWR, 0644);
	char self[64];

	if (fd < 0)
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return close_with(fd, linkat(AT_FDCWD, self, AT_FDCWD, turn_path("tmpfile", turn),
				     AT_SYMLINK_FOLLOW));
}

static void prepare_small(int turn)
{
	must_create(turn_path("small", turn), SMALL);
}

static int run_unlink(int turn)
{
	return unlink(turn_path("small", turn));
}

static int run_rename(int turn)
{
	return rename(turn_path("small", turn), turn_path("renamed", turn));
}

static void prepare_two(int turn)
{
	must_create(turn_path("small", turn), SMALL);
	must_create(turn_path("large", turn), LARGE);
}

/* The file that had the name is gone afterwards. */
static int run_rename_over(int turn)
{
	return rename(turn_path("small", turn), turn_path("large", turn));
}

static int run_exchange(int turn)
{
	return renameat2(AT_FDCWD, turn_path("small", turn),
			 AT_FDCWD, turn_path("large", turn), RENAME_EXCHANGE);
}

static int run_link(int turn)
{
	return link(turn_path("small", turn), turn_path("linked", turn));
}

static int run_setxattr(int turn)
{
	return setxattr(turn_path("small", turn), "user.large", buffer, 3000, 0);
}

static void prepare_xattr(int turn)
{
	prepare_small(turn);
	if (run_setxattr(turn))
		die("setting an attribute");
}

static int run_removexattr(int turn)
{
	return removexattr(turn_path("small", turn), "user.large");
}

static int run_fsync(int turn)
{
	int fd = open(turn_path("small", turn), O_RDWR);

	if (fd < 0)
		return -1;
	return close_with(fd, fsync(fd));
}

/* It is in the log tree already, with another name. */
static void prepare_logged(int turn)
{
	unlink(turn_path("logged", turn));
	unlink(turn_path("small", turn));
	prepare_small(turn);
	if (run_fsync(turn) || rename(turn_path("small", turn), turn_path("logged", turn)) ||
	    link(turn_path("logged", turn), turn_path("small", turn)))
		die("preparing a log");
}

static int run_fsync_dir(int turn)
{
	int fd = open(MNT, O_RDONLY);

	(void)turn;
	if (fd < 0)
		return -1;
	return close_with(fd, fsync(fd));
}

static void prepare_large(int turn)
{
	must_create(turn_path("large", turn), LARGE);
}

/* The data has extents on the disk. */
static void prepare_written(int turn)
{
	int fd;

	prepare_large(turn);
	fd = open(turn_path("large", turn), O_RDWR);
	if (fd < 0 || fdatasync(fd))
		die("writing a file");
	close(fd);
}

static int run_truncate(int turn)
{
	return truncate(turn_path("large", turn), 1000);
}

static int allocate(int turn, int mode, off_t from, off_t len)
{
	int fd = open(turn_path("large", turn), O_RDWR);

	if (fd < 0)
		return -1;
	return close_with(fd, fallocate(fd, mode, from, len));
}

static int run_fallocate(int turn)
{
	return allocate(turn, 0, LARGE, 1 << 20);
}

static int run_punch(int turn)
{
	return allocate(turn, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 65536);
}

static int run_zero_range(int turn)
{
	return allocate(turn, FALLOC_FL_ZERO_RANGE, 5000, 100000);
}

static int write_to(int turn, int flags, bool sync, int rwf)
{
	struct iovec iov = { buffer, 65536 };
	int fd = open(turn_path("large", turn), O_RDWR | flags);
	int ret;

	if (fd < 0)
		return -1;
	ret = pwritev2(fd, &iov, 1, 0, rwf) < 0;
	if (!ret && sync)
		ret = fsync(fd);
	return close_with(fd, ret ? -1 : 0);
}

static int run_write_fsync(int turn)
{
	return write_to(turn, 0, true, 0);
}

static int run_write_direct(int turn)
{
	return write_to(turn, O_DIRECT, false, 0);
}

static int run_write_nowait(int turn)
{
	return write_to(turn, 0, false, RWF_NOWAIT) && errno != EAGAIN ? -1 : 0;
}

/* The commit is this task's own work. */
static int run_write_sync(int turn)
{
	int ret = write_to(turn, 0, false, 0);
	int fd = open(MNT, O_RDONLY);

	if (fd < 0)
		return -1;
	return close_with(fd, ioctl(fd, BTRFS_IOC_SYNC) || ret ? -1 : 0);
}

static void prepare_some(int turn)
{
	char dir[32];

	snprintf(dir, sizeof(dir), MNT "/some%05d", turn % 8);
	make_files(dir, 0, 20);
	touch_files(dir, 0, 20, turn);
	prepare_large(turn);
}

static int run_clone(int turn)
{
	struct file_clone_range range = { .src_length = LARGE - LARGE % 4096 };
	int to = open(turn_path("clone", turn), O_CREAT | O_RDWR, 0644);
	int from = open(turn_path("large", turn), O_RDONLY);
	int ret;

	range.src_fd = from;
	ret = to < 0 || from < 0 || ioctl(to, FICLONERANGE, &range) ? -1 : 0;
	if (from >= 0)
		close_with(from, 0);
	return to >= 0 ? close_with(to, ret) : -1;
}

static int run_list(int turn)
{
	DIR *dir = opendir(turn & 1 ? MNT "/d" : MNT "/sub/d");
	int entries = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		entries++;
	closedir(dir);
	return entries >= 100 ? 0 : -1;
}

static int run_read(int turn)
{
	char path[64];
	int fd, got;

	snprintf(path, sizeof(path), MNT "/d/f%06d", turn * 7 % 300);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	got = read(fd, buffer, 1000);
	return close_with(fd, got > 0 ? 0 : -1);
}

static int run_statfs(int turn)
{
	struct statvfs st;

	(void)turn;
	return statvfs(MNT, &st);
}

static int run_fiemap(int turn)
{
	union {
		struct fiemap map;
		char space[sizeof(struct fiemap) + 8 * sizeof(struct fiemap_extent)];
	} args = { .map = { .fm_length = -1, .fm_extent_count = 8, .fm_flags = FIEMAP_FLAG_SYNC } };
	int fd = open(turn_path("large", turn), O_RDONLY);
	int ret;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, FS_IOC_FIEMAP, &args);
	if (!ret && lseek(fd, 0, SEEK_HOLE) < 0)
		ret = -1;
	return close_with(fd, ret);
}

const struct fault_op fault_file_ops[] = {
	{ .name = "create", .run = run_create },
	{ .name = "mkdir", .run = run_mkdir },
	{ .name = "symlink", .run = run_symlink },
	{ .name = "tmpfile", .run = run_tmpfile },
	{ .name = "unlink", .prepare = prepare_small, .run = run_unlink },
	{ .name = "rename", .prepare = prepare_small, .run = run_rename },
	{ .name = "rename_over", .prepare = prepare_two, .run = run_rename_over },
	{ .name = "exchange", .prepare = prepare_two, .run = run_exchange },
	/*
	 * btrfs_link() forgets its reference to the inode when btrfs_update_inode()
	 * fails, in its seventh allocation: "Busy inodes after unmount".
	 */
	{ .name = "link", .prepare = prepare_small, .run = run_link, .most = 5 },
	{ .name = "setxattr", .prepare = prepare_small, .run = run_setxattr },
	{ .name = "removexattr", .prepare = prepare_xattr, .run = run_removexattr },
	{ .name = "fsync", .prepare = prepare_small, .run = run_fsync },
	{ .name = "fsync_logged", .prepare = prepare_logged, .run = run_fsync },
	{ .name = "fsync_dir", .prepare = prepare_logged, .run = run_fsync_dir },
	{ .name = "truncate", .prepare = prepare_written, .run = run_truncate },
	{ .name = "fallocate", .prepare = prepare_large, .run = run_fallocate },
	{ .name = "punch", .prepare = prepare_written, .run = run_punch },
	{ .name = "zero_range", .prepare = prepare_written, .run = run_zero_range },
	{ .name = "write_fsync", .prepare = prepare_large, .run = run_write_fsync },
	{ .name = "write_direct", .prepare = prepare_written, .run = run_write_direct },
	{ .name = "write_nowait", .prepare = prepare_written, .run = run_write_nowait },
	{ .name = "write_sync", .prepare = prepare_some, .run = run_write_sync },
	{ .name = "clone", .prepare = prepare_written, .run = run_clone },
	{ .name = "fiemap", .prepare = prepare_written, .run = run_fiemap },
	{ .name = "statfs", .run = run_statfs },
	{ .name = "create_cold", .run = run_create, .cold = true },
	{ .name = "unlink_cold", .prepare = prepare_small, .run = run_unlink, .cold = true },
	{ .name = "list_cold", .run = run_list, .cold = true },
	{ .name = "read_cold", .run = run_read, .cold = true },
	{ .name = NULL }
};
