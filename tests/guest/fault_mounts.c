// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on chunks and devices, and mounts, for the workload enomem.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include "faults.h"

static int on_fs(unsigned long request, void *args)
{
	int fd = open(MNT, O_RDONLY);

	return fd < 0 ? -1 : close_with(fd, ioctl(fd, request, args));
}

static int balance(uint64_t flags)
{
	struct btrfs_ioctl_balance_args args = { .flags = flags | BTRFS_BALANCE_FORCE };
	/* One chunk is enough. */
	struct btrfs_balance_args one = { .flags = BTRFS_BALANCE_ARGS_LIMIT, .limit = 1 };

	args.data = one;
	args.meta = one;
	args.sys = one;
	return on_fs(BTRFS_IOC_BALANCE_V2, &args);
}

/*
 * An earlier turn may have left its balance item.  btrfs_balance() has
 * BUG_ON(ret == -EEXIST) for that, which is hit when insert_balance_item() has
 * inserted the item, and failed to commit: a new mount takes it up, as paused.
 */
static void prepare_balance(int turn)
{
	(void)turn;
	umount_disk();
	mount_disk("commit=300,skip_balance");
	on_fs(BTRFS_IOC_BALANCE_CTL, (void *)BTRFS_BALANCE_CTL_CANCEL);
}

static int run_balance_meta(int turn)
{
	(void)turn;
	return balance(BTRFS_BALANCE_METADATA);
}

static int run_balance_data(int turn)
{
	(void)turn;
	return balance(BTRFS_BALANCE_DATA);
}

static int run_scrub(int turn)
{
	struct btrfs_ioctl_scrub_args args = { .devid = 1, .end = -1 };

	(void)turn;
	return on_fs(BTRFS_IOC_SCRUB, &args);
}

static int resize(const char *to)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	snprintf(args.name, sizeof(args.name), "%s", to);
	return on_fs(BTRFS_IOC_RESIZE, &args);
}

/* While a balance is paused, as the last turn of one may leave it, nothing resizes. */
static void prepare_large_disk(int turn)
{
	(void)turn;
	on_fs(BTRFS_IOC_BALANCE_CTL, (void *)BTRFS_BALANCE_CTL_CANCEL);
	if (resize("max"))
		die("resizing to all of the disk");
}

static int run_shrink(int turn)
{
	(void)turn;
	return resize("-64M");
}

static int run_grow(int turn)
{
	(void)turn;
	return resize("max");
}

static int run_trim(int turn)
{
	struct fstrim_range range = { .len = -1 };

	(void)turn;
	return on_fs(FITRIM, &range) && errno != EOPNOTSUPP ? -1 : 0;
}

static int run_defrag(int turn)
{
	struct btrfs_ioctl_defrag_range_args args = { .len = -1 };
	int fd = open(MNT "/data", O_RDWR);

	(void)turn;
	return fd < 0 ? -1 : close_with(fd, ioctl(fd, BTRFS_IOC_DEFRAG_RANGE, &args));
}

/* The same ioctl on a directory: all of the subvolume's tree. */
static int run_defrag_tree(int turn)
{
	(void)turn;
	return on_fs(BTRFS_IOC_DEFRAG, NULL);
}

/*
 * Not of system chunks: faults there leave an extent tree that does not fit the
 * free space tree, and all later balances fail.
 */
const struct fault_op fault_chunk_ops[] = {
	{ .name = "scrub", .run = run_scrub, .cold = true, .step = 13, .most = 150 },
	{ .name = "trim", .run = run_trim },
	{ .name = "defrag", .run = run_defrag },
	{ .name = "defrag_tree", .run = run_defrag_tree },
	{ .name = "balance_meta", .prepare = prepare_balance,
	  .run = run_balance_meta, .step = 17, .most = 80 },
	{ .name = "balance_data", .prepare = prepare_balance,
	  .run = run_balance_data, .step = 11, .most = 20 },
	{ .name = "shrink", .prepare = prepare_large_disk, .run = run_shrink },
	{ .name = "grow", .run = run_grow },
	{ .name = NULL }
};

static const char *mount_options;

/* Nothing of the file system is in memory. */
static void unmounted(const char *options)
{
	umount_disk();
	mount_options = options;
}

static void prepare_plain(int turn)
{
	(void)turn;
	unmounted("commit=300");
}

static void prepare_clear(int turn)
{
	unmounted(turn & 1 ? "commit=300,clear_cache,space_cache=v2" :
			     "commit=300,clear_cache,space_cache=v1");
}

static void prepare_usebackup(int turn)
{
	(void)turn;
	unmounted("commit=300,usebackuproot,user_subvol_rm_allowed,subvol=/");
}

/*
 * A log tree lies on the disk and stays there: the commit that would make it
 * superfluous can't be written.
 */
static void prepare_log(int turn)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), MNT "/logged%d", turn % 4);
	make_files(path, 20 * turn, 20);
	fd = open(path, O_RDONLY);
	if (fd < 0 || fsync(fd))
		die("fsync of %s", path);
	close(fd);
	fail_requests("vda", 100);
	on_fs(BTRFS_IOC_SYNC, NULL);
	umount_disk();
	fail_requests("vda", 0);
	mount_options = "commit=300";
}

static int run_mount(int turn)
{
	(void)turn;
	return try_mount_disk(mount_options) ? 0 : -1;
}

static void prepare_writes(int turn)
{
	char dir[32];

	snprintf(dir, sizeof(dir), MNT "/w%05d", turn % 8);
	make_files(dir, 0, 10);
	touch_files(dir, 0, 10, turn);
}

static int run_umount(int turn)
{
	(void)turn;
	return umount2(MNT, 0);
}

static int run_remount(int turn)
{
	(void)turn;
	return mount(NULL, MNT, NULL, MS_NOATIME | MS_REMOUNT | (turn & 1 ? 0 : MS_RDONLY),
		     "commit=300");
}

const struct fault_op fault_mount_ops[] = {
	{ .name = "mount", .prepare = prepare_plain, .run = run_mount, .step = 2 },
	{ .name = "mount_clear", .prepare = prepare_clear, .run = run_mount, .step = 7 },
	{ .name = "mount_options", .prepare = prepare_usebackup, .run = run_mount, .step = 7 },
	{ .name = "mount_log", .prepare = prepare_log, .run = run_mount, .step = 23, .most = 40 },
	{ .name = "umount", .prepare = prepare_writes, .run = run_umount },
	{ .name = "remount", .prepare = prepare_writes, .run = run_remount },
	{ .name = NULL }
};
