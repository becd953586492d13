// SPDX-License-Identifier: GPL-2.0
/*
 * mounts_refused: mounts that fail, each at another step: by a super block that is not
 * right, by a tree that can't be read, by a disk that is missing, by requests, allocations
 * and functions that fail from the first, the second, the third of them on.  After each of
 * them no buffer may be left.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include "faults.h"

#define FILES		200
#define SECOND_DISK	"/dev/vdb"
#define NODE_SIZE	16384

/* No mount has more steps than this; else nothing was counted. */
#define MOST_STEPS	2000

/* How many mounts have failed with which error, and which left something behind. */
static long refused_by[256], refused, left_buffers;

/* btrfs remembers what it saw on a disk, and may prefer it to what is there. */
static void forget_disks(void)
{
	struct btrfs_ioctl_vol_args all = { 0 };
	int control = open("/dev/btrfs-control", O_RDWR);

	if (control < 0 || ioctl(control, BTRFS_IOC_FORGET_DEV, &all))
		die("forgetting all disks");
	close(control);
}

/* A mount that has failed, with errno. */
static void note_refused(const char *what)
{
	int err = errno & 255;

	refused_by[err]++;
	refused++;
	if (guarded() && !buffers_gone()) {
		mark("buffers are left by: %s", what);
		left_buffers++;
	}
	forget_disks();
}

static void must_refuse(const char *what, const char *options)
{
	mark("must be refused: %s", what);
	if (try_mount_disk(options))
		die("it is mounted, with %s", what);
	verdict("refused %s errno %d", what, errno);
	note_refused(what);
}

#define SIGNED	true
#define BAD_SUM	false

/* What is wrong in a super block: some bytes at an offset. */
static const struct super_damage {
	const char *what;
	size_t at, size;
	uint64_t value;
	bool sign;
} super_damages[] = {
	{ "checksum", 0x00, 4, 0x12345678, BAD_SUM },
	{ "fsid", 0x20, 8, 77, SIGNED },
	{ "address", 0x30, 8, 1 << 20, SIGNED },
	{ "magic", 0x40, 8, 77, SIGNED },
	{ "generation", 0x48, 8, 1 << 20, SIGNED },
	{ "root_unaligned", SUPER_ROOT, 8, 77, SIGNED },
	{ "root_unmapped", SUPER_ROOT, 8, 1ULL << 44, SIGNED },
	{ "chunk_root_unaligned", SUPER_CHUNK_ROOT, 8, 77, SIGNED },
	{ "chunk_root_unmapped", SUPER_CHUNK_ROOT, 8, 1ULL << 44, SIGNED },
	{ "log_root_unmapped", SUPER_LOG_ROOT, 8, 1ULL << 44, SIGNED },
	{ "total_bytes", 0x70, 8, 1 << 20, SIGNED },
	{ "sectorsize", 0x90, 4, 3, SIGNED },
	{ "nodesize", 0x94, 4, 3000, SIGNED },
	{ "no_system_chunk", 0xa0, 4, 0, SIGNED },
	{ "long_system_chunks", 0xa0, 4, 4096, SIGNED },
	{ "bad_system_chunks", 0xa0, 4, 40, SIGNED },
	{ "chunk_root_generation", 0xa4, 8, 1 << 20, SIGNED },
	{ "compat_ro", 0xb4, 8, 1ULL << 60, SIGNED },
	{ "incompat", 0xbc, 8, 1ULL << 60, SIGNED },
	{ "csum_type", 0xc4, 2, 77, SIGNED },
	{ "root_level", 0xc6, 1, 9, SIGNED },
	{ "chunk_root_level", 0xc7, 1, 9, SIGNED },
	{ "other_root_level", 0xc6, 1, 3, SIGNED },
};

static void damage_super(void)
{
	unsigned char good[SUPER_SIZE], bad[SUPER_SIZE];

	get_super(DISK, good);
	for (size_t i = 0; i < ARRAY_SIZE(super_damages); i++) {
		const struct super_damage *damage = &super_damages[i];
		char what[64];

		memcpy(bad, good, SUPER_SIZE);
		memcpy(bad + damage->at, &damage->value, damage->size);
		if (damage->sign)
			sign_block(bad, SUPER_SIZE);
		put_super(DISK, bad);
		snprintf(what, sizeof(what), "super_%s", damage->what);
		must_refuse(what, NULL);
		put_super(DISK, good);
	}
}

static unsigned char block[NODE_SIZE] __attribute__((aligned(4096)));

static void no_block(void)
{
	memset(block, 0, sizeof(block));
}

#define HEADER_GENERATION	80
#define HEADER_NR_ITEMS		96
#define HEADER_LEVEL		100

static void other_generation(void)
{
	block[HEADER_GENERATION]++;
	sign_block(block, sizeof(block));
}

static void too_many_items(void)
{
	memset(block + HEADER_NR_ITEMS, 0x7f, 4);
	sign_block(block, sizeof(block));
}

static void other_level(void)
{
	block[HEADER_LEVEL] ^= 4;
	sign_block(block, sizeof(block));
}

static const struct {
	const char *what;
	void (*spoil)(void);
} tree_damages[] = {
	{ "zeros", no_block }, { "generation", other_generation },
	{ "items", too_many_items }, { "level", other_level },
};

/* Trees that a mount can't do without, and where both copies of their roots are. */
static struct tree {
	const char *name;
	uint64_t id;
	off_t copies[2];
} trees[] = {
	{ .name = "chunk", .id = BTRFS_CHUNK_TREE_OBJECTID },
	{ .name = "root", .id = BTRFS_ROOT_TREE_OBJECTID },
	{ .name = "extent", .id = BTRFS_EXTENT_TREE_OBJECTID },
	{ .name = "dev", .id = BTRFS_DEV_TREE_OBJECTID },
	{ .name = "fs", .id = BTRFS_FS_TREE_OBJECTID },
	{ .name = "csum", .id = BTRFS_CSUM_TREE_OBJECTID },
	{ .name = "uuid", .id = BTRFS_UUID_TREE_OBJECTID },
	{ .name = "free_space", .id = BTRFS_FREE_SPACE_TREE_OBJECTID },
	{ .name = "data_reloc", .id = BTRFS_DATA_RELOC_TREE_OBJECTID },
};

static uint64_t root_address(uint64_t id, const unsigned char *super)
{
	struct btrfs_root_item item;
	uint64_t offset = -1;

	if (id == BTRFS_CHUNK_TREE_OBJECTID)
		return super_value(super, SUPER_CHUNK_ROOT);
	if (id == BTRFS_ROOT_TREE_OBJECTID)
		return super_value(super, SUPER_ROOT);
	if (!find_item(BTRFS_ROOT_TREE_OBJECTID, id, BTRFS_ROOT_ITEM_KEY, &offset, &item,
		       sizeof(item)))
		die("there is no tree %ld", (long)id);
	return item.bytenr;
}

/* While it is mounted read-only nothing moves. */
static void find_trees(void)
{
	unsigned char super[SUPER_SIZE];

	get_super(DISK, super);
	if (mount(DISK, MNT, "btrfs", MS_RDONLY | MS_NOATIME, NULL))
		die("mounting " DISK " read-only");
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
		for (int copy = 0; copy < 2; copy++)
			trees[i].copies[copy] = place_of(root_address(trees[i].id, super), copy);
	umount_disk();
}

static void put_copies(const struct tree *tree)
{
	int disk = open(DISK, O_WRONLY | O_DIRECT);

	for (int copy = 0; copy < 2; copy++)
		if (disk < 0 || pwrite(disk, block, NODE_SIZE, tree->copies[copy]) != NODE_SIZE)
			die("writing a block of the %s tree", tree->name);
	close(disk);
}

static void get_copy(const struct tree *tree)
{
	int disk = open(DISK, O_RDONLY | O_DIRECT);

	if (disk < 0 || pread(disk, block, NODE_SIZE, tree->copies[0]) != NODE_SIZE)
		die("reading a block of the %s tree", tree->name);
	close(disk);
}

static void damage_trees(void)
{
	unsigned char before[SUPER_SIZE], after[SUPER_SIZE];

	find_trees();
	get_super(DISK, before);
	for (size_t i = 0; i < ARRAY_SIZE(trees) * ARRAY_SIZE(tree_damages); i++) {
		const struct tree *tree = &trees[i / ARRAY_SIZE(tree_damages)];
		static unsigned char good[NODE_SIZE];
		char what[64];

		get_copy(tree);
		memcpy(good, block, sizeof(good));
		tree_damages[i % ARRAY_SIZE(tree_damages)].spoil();
		put_copies(tree);
		snprintf(what, sizeof(what), "%s_tree_%s", tree->name,
			 tree_damages[i % ARRAY_SIZE(tree_damages)].what);
		must_refuse(what, NULL);
		memcpy(block, good, sizeof(good));
		put_copies(tree);
	}
	get_super(DISK, after);
	if (memcmp(before, after, SUPER_SIZE))
		die("a mount that failed has written the super block");
}

/*
 * One step after the other of a mount fails: @arm lets the step number @nth and all
 * behind it fail, or none if it is 0, and @hits tells how many did.
 */
static void fail_each_step(const char *what, int step, void (*arm)(long nth), long (*hits)(void))
{
	long before = refused, survived = 0, nth = 1;

	for (; nth < MOST_STEPS; nth += step) {
		bool mounted, hit;
		int err;

		arm(nth);
		mounted = try_mount_disk(NULL);
		err = errno;
		hit = hits() > 0;
		arm(0);
		errno = err;
		if (mounted)
			umount_disk();
		else if (hit)
			note_refused(what);
		else
			die("mounting, without a fault in %s", what);
		if (!hit)
			break;
		survived += mounted;
	}
	verdict("steps %s %ld refused %ld survived %ld", what, nth, refused - before, survived);
	if (nth >= MOST_STEPS)
		die("%s has no last step", what);
	check(what, refused - before, 1);
}

#define MANY_FAULTS	1000000

/* How many faults of these there were since their counter was set. */
static long faults_of(const char *attribute)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), DEBUGFS "/%s/times", attribute);
	if (get_file(path, text, sizeof(text)) < 0)
		die("reading %s", path);
	return MANY_FAULTS - atol(text);
}

static void set_fault(const char *attribute, const char *name, long value)
{
	char path[128], text[24];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", attribute, name);
	snprintf(text, sizeof(text), "%ld", value);
	put_file(path, text);
}

/* Faults from the moment on when so much is used up, or none. */
static void set_faults(const char *attribute, long space)
{
	set_fault(attribute, "space", space);
	set_fault(attribute, "probability", space ? 100 : 0);
	set_fault(attribute, "interval", 1);
	set_fault(attribute, "verbose", 0);
	set_fault(attribute, "times", MANY_FAULTS);
}

/* Requests use it up byte by byte. */
static void arm_requests(long nth)
{
	set_faults("fail_make_request", nth * 4096);
}

static long failed_requests(void)
{
	return faults_of("fail_make_request");
}

static void arm_calls(long nth)
{
	set_faults("fail_function", nth);
}

static long failed_calls(void)
{
	return faults_of("fail_function");
}

static void fail_calls(const char *function, int error, int step)
{
	char path[128], text[32];

	if (!try_put_file(DEBUGFS "/fail_function/inject", function)) {
		verdict("steps %s none", function);
		return;
	}
	snprintf(path, sizeof(path), DEBUGFS "/fail_function/%s/retval", function);
	snprintf(text, sizeof(text), "%#lx", (unsigned long)-error);
	put_file(path, text);
	fail_each_step(function, step, arm_calls, failed_calls);
	put_file(DEBUGFS "/fail_function/inject", "\n");
}

/* One allocation fails, the next succeed. */
static long failed_allocations(void)
{
	return nth_left() == 0;
}

static void fail_steps(void)
{
	fail_calls("open_ctree", ENOMEM, 1);
	fail_calls("btrfs_check_leaf_full", EUCLEAN, 1);
	fail_calls("btrfs_check_leaf", EUCLEAN, 1);
	fail_calls("btrfs_check_node", EUCLEAN, 1);
	fail_calls("btrfs_search_slot", ENOSPC, 1);
	put_file("/sys/block/vda/make-it-fail", "1");
	fail_each_step("requests", 4, arm_requests, failed_requests);
	put_file("/sys/block/vda/make-it-fail", "0");
	allow_faults();
	fail_each_step("allocations", option_number("step", 1), arm_nth, failed_allocations);
}

/* Of two disks one is not there, and what else a mount is asked for and can't do. */
static void miss_a_disk(void)
{
	struct btrfs_ioctl_vol_args args = { .name = SECOND_DISK };

	mount_disk(NULL);
	fs_ioctl(BTRFS_IOC_ADD_DEV, &args, "adding a disk");
	umount_disk();
	forget_disks();
	must_refuse("missing_disk", NULL);
	must_refuse("no_such_disk", "device=/dev/vdx");
	must_refuse("no_such_option", "bananas");
	must_refuse("no_such_subvolume", "device=" SECOND_DISK ",subvol=bananas");
	mount_disk("device=" SECOND_DISK);
	fs_ioctl(BTRFS_IOC_RM_DEV, &args, "removing the disk");
	umount_disk();
	forget_disks();
}

static void run_mounts_refused(void)
{
	long errors = 0;

	mount_disk(NULL);
	make_files(MNT "/d", 0, FILES);
	make_data_file(MNT "/data", 1 << 20);
	umount_disk();
	damage_super();
	damage_trees();
	/* What fails later may leave its disks open, and btrfs then forgets none. */
	miss_a_disk();
	fail_steps();
	mount_disk(NULL);
	check("files_afterwards", read_tree(MNT "/d"), FILES);
	umount_disk();
	for (int err = 0; err < 256; err++)
		if (refused_by[err]) {
			verdict("errno %d refused %ld", err, refused_by[err]);
			errors++;
		}
	check("mounts_refused", refused, option_number("want", 150));
	check("different_errors", errors, 5);
	check("no_buffer_left", !left_buffers, 1);
	check_stat("reads", 500);
}

const struct workload refused_workloads[] = {
	{ "mounts_refused", run_mounts_refused },
	{ NULL, NULL }
};
