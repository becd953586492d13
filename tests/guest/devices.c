// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads about what btrfs does with whole devices: scrub, and adding,
 * replacing and removing them.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include "guest.h"

#define SECOND_DISK	"/dev/vdb"
#define THIRD_DISK	"/dev/vdc"

#define DIR_FILES	400
#define DATA_SIZE	(16 << 20)

/* What first_leaf() needs of a node: struct btrfs_header and btrfs_key_ptr. */
#define PIECE		4096
#define NODE_ADDRESS	48
#define NODE_LEVEL	100
#define NODE_FIRST_CHILD 118

static void make_content(void)
{
	mount_disk(NULL);
	make_files(MNT "/d", 0, DIR_FILES);
	make_data_file(MNT "/data", DATA_SIZE);
	sync_fs();
}

static void change_for_ever(void)
{
	for (int round = 0;; round++) {
		char dir[64];

		touch_files(MNT "/d", round * 50 % DIR_FILES, 50, round);
		snprintf(dir, sizeof(dir), MNT "/new%d", round % 8);
		make_files(dir, 0, 20);
	}
}

static struct btrfs_scrub_progress scrub(void)
{
	struct btrfs_ioctl_scrub_args args = { .devid = 1, .end = -1 };

	fs_ioctl(BTRFS_IOC_SCRUB, &args, "scrubbing");
	if (args.progress.malloc_errors || args.progress.uncorrectable_errors)
		die("scrub found what it can't correct");
	return args.progress;
}

/* Where copy @copy (0, 1) of the tree block at @address is on the only disk. */
off_t place_of(uint64_t address, int copy)
{
	union {
		struct btrfs_chunk chunk;
		char space[sizeof(struct btrfs_chunk) + 8 * sizeof(struct btrfs_stripe)];
	} item;
	struct btrfs_stripe *stripes = &item.chunk.stripe;
	uint64_t start = address;

	if (!find_item(BTRFS_CHUNK_TREE_OBJECTID, BTRFS_FIRST_CHUNK_TREE_OBJECTID,
		       BTRFS_CHUNK_ITEM_KEY, &start, &item, sizeof(item)) ||
	    address >= start + item.chunk.length || copy >= item.chunk.num_stripes)
		die("there is no copy %d of %lx", copy, (long)address);
	return stripes[copy].offset + (address - start);
}

/*
 * Address of the first leaf of the file system's tree, which has two levels.
 * @disk is read past its cache, which may be older than what btrfs has written.
 */
static uint64_t first_leaf(int disk)
{
	static char node[PIECE] __attribute__((aligned(PIECE)));
	struct btrfs_root_item root;
	uint64_t address = 0;

	if (!find_item(BTRFS_ROOT_TREE_OBJECTID, BTRFS_FS_TREE_OBJECTID, BTRFS_ROOT_ITEM_KEY,
		       &address, &root, sizeof(root)))
		die("there is no tree");
	if (pread(disk, node, PIECE, place_of(root.bytenr, 0)) != PIECE)
		die("reading the root of the tree");
	memcpy(&address, node + NODE_ADDRESS, sizeof(address));
	if (address != root.bytenr || node[NODE_LEVEL] != 1)
		die("the root of the tree is not where it must be");
	memcpy(&address, node + NODE_FIRST_CHILD, sizeof(address));
	return address;
}

static int open_disk(void)
{
	int disk = open(DISK, O_RDWR | O_DIRECT);

	if (disk < 0)
		die("opening " DISK);
	return disk;
}

/* Break one copy of a leaf on disk; nothing may be changed and committed meanwhile. */
static void break_leaf(int copy)
{
	static char rubbish[PIECE] __attribute__((aligned(PIECE)));
	int disk = open_disk();

	memset(rubbish, 0x5a, sizeof(rubbish));
	if (pwrite(disk, rubbish, PIECE, place_of(first_leaf(disk), copy)) != PIECE)
		die("breaking a leaf");
	close(disk);
}

/* Does the copy on disk have the header that it must have? */
static bool leaf_is_whole(int copy)
{
	static char leaf[PIECE] __attribute__((aligned(PIECE)));
	int disk = open_disk();
	uint64_t address = first_leaf(disk), found;

	if (pread(disk, leaf, PIECE, place_of(address, copy)) != PIECE)
		die("reading a leaf");
	close(disk);
	memcpy(&found, leaf + NODE_ADDRESS, sizeof(found));
	return found == address;
}

/*
 * scrub: everything is read and verified, first while it changes, then with
 * the second copy of a leaf broken, which is repaired.  A first copy that is
 * broken is repaired by the next who reads it.
 */
static void run_scrub(void)
{
	int rounds = option_number("rounds", 2);
	struct btrfs_scrub_progress seen;
	long trees = 0, data = 0, errors = 0;
	pid_t writer;

	make_content();
	writer = spawn(change_for_ever);
	for (int round = 0; round < rounds; round++) {
		seen = scrub();
		trees += seen.tree_extents_scrubbed;
		data += seen.data_bytes_scrubbed;
		errors += seen.csum_errors + seen.verify_errors + seen.super_errors +
			  seen.read_errors;
		reclaim();
	}
	stop_worker(writer);
	check("no_errors", errors == 0, 1);
	check("tree_blocks_scrubbed", trees, rounds * 50);
	check("data_scrubbed", data, (long)rounds * DATA_SIZE);
	sync_fs();
	break_leaf(1);
	seen = scrub();
	check("scrub_corrected", seen.corrected_errors, 1);
	check("second_copy_is_whole", leaf_is_whole(1), 1);
	break_leaf(0);
	check("first_copy_is_broken", !leaf_is_whole(0), 1);
	umount_disk();
	mount_disk(NULL);
	check("files_read", read_tree(MNT "/d"), DIR_FILES);
	check("first_copy_is_whole", leaf_is_whole(0), 1);
	umount_disk();
	check_stat("reads", 50);
}

static void device_ioctl(unsigned long request, const char *disk, const char *what)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	snprintf(args.name, sizeof(args.name), "%s", disk);
	fs_ioctl(request, &args, what);
}

static int balance_to_raid1(void)
{
	struct btrfs_ioctl_balance_args args = {
		.flags = BTRFS_BALANCE_METADATA | BTRFS_BALANCE_SYSTEM | BTRFS_BALANCE_FORCE,
		.meta = {
			.flags = BTRFS_BALANCE_ARGS_CONVERT | BTRFS_BALANCE_ARGS_SOFT,
			.target = BTRFS_BLOCK_GROUP_RAID1,
		},
	};

	args.sys = args.meta;
	return path_ioctl(MNT, BTRFS_IOC_BALANCE_V2, &args);
}

/*
 * Metadata gets a copy on each of two disks.  While files change, a balance may find no
 * block group that it can do without for the moment; the next one goes on from there.
 */
static void convert_to_raid1(void)
{
	for (int tries = 1; balance_to_raid1(); tries++)
		if (errno != ENOSPC || tries == 10)
			die("converting metadata");
}

/* Chunks, or pieces of chunks, that are on a device. */
static long chunks_on(uint64_t device)
{
	return count_items(BTRFS_DEV_TREE_OBJECTID, BTRFS_DEV_EXTENT_KEY, device, device);
}

static void replace_device(uint64_t device, const char *by)
{
	struct btrfs_ioctl_dev_replace_args args = {
		.cmd = BTRFS_IOCTL_DEV_REPLACE_CMD_START,
		.start.srcdevid = device,
	};
	long errors;

	snprintf((char *)args.start.tgtdev_name, sizeof(args.start.tgtdev_name), "%s", by);
	fs_ioctl(BTRFS_IOC_DEV_REPLACE, &args, "replacing a device");
	check("replaced", args.result == BTRFS_IOCTL_DEV_REPLACE_RESULT_NO_ERROR, 1);

	memset(&args, 0, sizeof(args));
	args.cmd = BTRFS_IOCTL_DEV_REPLACE_CMD_STATUS;
	fs_ioctl(BTRFS_IOC_DEV_REPLACE, &args, "asking how the replacement went");
	check("finished", args.status.replace_state == BTRFS_IOCTL_DEV_REPLACE_STATE_FINISHED, 1);
	errors = args.status.num_write_errors + args.status.num_uncorrectable_read_errors;
	check("no_errors", errors == 0, 1);
}

/*
 * replace: a second disk comes, half of the metadata's copies go there, it is
 * replaced by a third one, and that is removed again; all while files change.
 */
static void run_replace(void)
{
	pid_t writer;

	make_content();
	writer = spawn(change_for_ever);
	device_ioctl(BTRFS_IOC_ADD_DEV, SECOND_DISK, "adding the second disk");
	convert_to_raid1();
	check("chunks_on_second", chunks_on(2), 2);
	reclaim();
	replace_device(2, THIRD_DISK);
	reclaim();
	device_ioctl(BTRFS_IOC_ADD_DEV, SECOND_DISK, "adding the second disk again");
	device_ioctl(BTRFS_IOC_RM_DEV, THIRD_DISK, "removing the third disk");
	check("third_is_empty", chunks_on(2) == 0, 1);
	check("chunks_moved", chunks_on(3), 2);
	stop_worker(writer);
	umount_disk();

	mount_disk("device=" SECOND_DISK);
	check("files_read", read_tree(MNT "/d"), DIR_FILES);
	umount_disk();
	check_stat("reads", 50);
}

/* What failed on a device of the mounted file system, as btrfs counts it. */
static long device_errors(uint64_t devid, int what)
{
	struct btrfs_ioctl_get_dev_stats args = {
		.devid = devid,
		.nr_items = BTRFS_DEV_STAT_VALUES_MAX,
	};

	fs_ioctl(BTRFS_IOC_GET_DEV_STATS, &args, "asking for a device's errors");
	return args.values[what];
}

/* btrfs takes the copy that it reads by the reader's pid, see find_live_mirror(). */
static int copy_to_read;

#define OTHER_COPY	2

static void read_one_copy(void)
{
	if (getpid() % 2 != copy_to_read)
		_exit(OTHER_COPY);
	reclaim();
	_exit(read_tree(MNT "/d") < DIR_FILES);
}

/* Read all files from disk, of what has two copies number @copy (0, 1) first. */
static void read_files_from(int copy)
{
	int status;

	copy_to_read = copy;
	do {
		status = wait_for(spawn(read_one_copy));
	} while (status == OTHER_COPY);
	if (status)
		die("reading copy %d", copy);
}

/*
 * raid1: of the two disks that have the metadata the second one fails every third time.
 * What can't be read there is read from the first and repaired, and no transaction is
 * aborted.
 */
static void run_raid1(void)
{
	mount_disk("device=" SECOND_DISK);
	check("chunks_on_second", chunks_on(2), 2);
	make_files(MNT "/d", 0, DIR_FILES);
	sync_fs();
	fail_requests("vdb", 33);
	for (int round = 0; round < option_number("rounds", 20); round++) {
		touch_files(MNT "/d", round * 50 % DIR_FILES, 50, round);
		sync_fs();
		read_files_from(0);
		read_files_from(1);
	}
	fail_requests("vdb", 0);
	check("reads_failed", device_errors(2, BTRFS_DEV_STAT_READ_ERRS), 20);
	check("writes_failed", device_errors(2, BTRFS_DEV_STAT_WRITE_ERRS), 20);
	umount_disk();

	mount_disk("device=" SECOND_DISK);
	check("files_read", read_tree(MNT "/d"), DIR_FILES);
	umount_disk();
	check_stat("reads", 100);
}

const struct workload device_workloads[] = {
	{ "raid1", run_raid1 },
	{ "scrub", run_scrub },
	{ "replace", run_replace },
	{ NULL, NULL }
};
