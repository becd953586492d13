// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on subvolumes, quotas, and whatever walks a tree by itself, for the
 * workload enomem.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include "faults.h"

/* Content of the ioctls that answer with more than a small struct. */
static char answer[65536];

/* An ioctl on the file or directory @path. */
static int on(const char *path, unsigned long request, void *args)
{
	int fd = open(path, O_RDONLY);

	return fd < 0 ? -1 : close_with(fd, ioctl(fd, request, args));
}

static int make_one(const char *stem, int turn)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	snprintf(args.name, sizeof(args.name), "%s%05d", stem, turn);
	return on(MNT, BTRFS_IOC_SUBVOL_CREATE, &args);
}

static int run_subvol(int turn)
{
	return make_one("subvol", turn);
}

static int snapshot(const char *from, const char *name, bool readonly)
{
	struct btrfs_ioctl_vol_args_v2 args = { .flags = readonly ? BTRFS_SUBVOL_RDONLY : 0 };
	int ret;

	args.fd = open(from, O_RDONLY);
	if (args.fd < 0)
		return -1;
	snprintf(args.name, sizeof(args.name), "%s", name);
	ret = on(MNT, BTRFS_IOC_SNAP_CREATE_V2, &args);
	return close_with(args.fd, ret);
}

static int run_snapshot(int turn)
{
	char name[32];

	snprintf(name, sizeof(name), "snap%05d", turn);
	return snapshot(MNT "/sub", name, turn & 1);
}

/* A subvolume of its own, in which something lies. */
static void prepare_subvol(int turn)
{
	if (make_one("made", turn))
		die("making a subvolume");
	make_files(turn_path("made", turn), 0, 3);
}

static int run_destroy(int turn)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	snprintf(args.name, sizeof(args.name), "made%05d", turn);
	return on(MNT, BTRFS_IOC_SNAP_DESTROY, &args);
}

static int run_rmdir(int turn)
{
	return rmdir(turn_path("empty", turn));
}

static void prepare_empty(int turn)
{
	if (make_one("empty", turn))
		die("making a subvolume");
}

static int run_readonly(int turn)
{
	uint64_t flags = turn & 1 ? BTRFS_SUBVOL_RDONLY : 0;

	return on(MNT "/sub", BTRFS_IOC_SUBVOL_SETFLAGS, &flags);
}

static void prepare_writable(int turn)
{
	uint64_t flags = 0;

	(void)turn;
	if (on(MNT "/sub", BTRFS_IOC_SUBVOL_SETFLAGS, &flags))
		die("making a subvolume writable");
}

static int run_default(int turn)
{
	uint64_t id = BTRFS_FS_TREE_OBJECTID;

	(void)turn;
	return on(MNT, BTRFS_IOC_DEFAULT_SUBVOL, &id);
}

static int run_received(int turn)
{
	struct btrfs_ioctl_received_subvol_args args = { .stransid = 7 + turn };

	memset(args.uuid, 1 + turn % 200, sizeof(args.uuid));
	return on(MNT "/sub", BTRFS_IOC_SET_RECEIVED_SUBVOL, &args);
}

static int stream = -1;

/* An empty file of devtmpfs: the kernel does not write to /dev/null. */
static void empty_stream(void)
{
	if (stream < 0)
		stream = open("/dev/stream", O_RDWR | O_CREAT, 0600);
	if (stream < 0 || ftruncate(stream, 0) || lseek(stream, 0, SEEK_SET))
		die("opening a file for the stream");
}

/* Two read-only snapshots, between which there are changes. */
static void prepare_send(int turn)
{
	char name[32];

	empty_stream();
	if (turn)
		return;
	prepare_writable(turn);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "sent%d", i);
		if (snapshot(MNT "/sub", name, true))
			die("making a snapshot");
		remove_files(MNT "/sub/d", 50 + 10 * i, 10);
		make_files(MNT "/sub/d", 100 + 20 * i, 20);
		touch_files(MNT "/sub/d", 80, 10, i);
		must_create(MNT "/sub/large", 100000);
	}
	sync_fs();
}

static int send_stream(__u64 parent)
{
	struct btrfs_ioctl_send_args args = { .parent_root = parent };

	args.clone_sources = parent ? &parent : NULL;
	args.clone_sources_count = parent ? 1 : 0;
	args.send_fd = stream;
	return on(MNT "/sent1", BTRFS_IOC_SEND, &args);
}

static int run_send(int turn)
{
	(void)turn;
	return send_stream(0);
}

static uint64_t sent_parent;

static void prepare_send_part(int turn)
{
	empty_stream();
	if (!turn)
		sent_parent = subvol_id(MNT "/sent0");
}

static int run_send_part(int turn)
{
	(void)turn;
	return send_stream(sent_parent);
}

/* A whole tree, by one or the other ioctl. */
static int run_search(int turn)
{
	struct btrfs_ioctl_search_args_v2 *args = (void *)answer;

	memset(args, 0, sizeof(*args));
	args->key = (struct btrfs_ioctl_search_key) {
		.tree_id = turn & 1 ? BTRFS_FS_TREE_OBJECTID : BTRFS_EXTENT_TREE_OBJECTID,
		.max_objectid = -1, .max_type = 255, .max_offset = -1, .max_transid = -1,
		.nr_items = -1,
	};
	args->buf_size = sizeof(answer) - sizeof(*args);
	return on(MNT, BTRFS_IOC_TREE_SEARCH_V2, args);
}

static uint64_t some_inode;

static void prepare_inode(int turn)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), MNT "/d/f%06d", 9 + 9 * (turn % 30));
	if (stat(path, &st))
		die("looking at %s", path);
	some_inode = st.st_ino;
}

static int run_ino_lookup(int turn)
{
	struct btrfs_ioctl_ino_lookup_args args = { .objectid = some_inode };

	(void)turn;
	return on(MNT, BTRFS_IOC_INO_LOOKUP, &args);
}

static int run_ino_lookup_user(int turn)
{
	struct btrfs_ioctl_ino_lookup_user_args args = {
		.dirid = BTRFS_FIRST_FREE_OBJECTID, .treeid = 256,
	};

	(void)turn;
	return on(MNT, BTRFS_IOC_INO_LOOKUP_USER, &args);
}

static int run_ino_paths(int turn)
{
	struct btrfs_ioctl_ino_path_args args = {
		.inum = some_inode, .size = 4096, .fspath = (uintptr_t)answer,
	};

	(void)turn;
	return on(MNT, BTRFS_IOC_INO_PATHS, &args);
}

static uint64_t some_extent;

/* The first extent of the extent tree that has data. */
static void prepare_extent(int turn)
{
	struct btrfs_ioctl_search_args args = { .key = {
		.tree_id = BTRFS_FS_TREE_OBJECTID, .min_type = BTRFS_EXTENT_DATA_KEY,
		.max_type = BTRFS_EXTENT_DATA_KEY, .max_offset = -1, .max_transid = -1,
		.nr_items = 1,
	} };
	struct btrfs_file_extent_item *item;
	struct stat st;

	if (turn)
		return;
	if (stat(MNT "/data", &st))
		die("looking at the data");
	args.key.min_objectid = st.st_ino;
	args.key.max_objectid = st.st_ino;
	if (on(MNT, BTRFS_IOC_TREE_SEARCH, &args) || !args.key.nr_items)
		die("searching an extent");
	item = (void *)(args.buf + sizeof(struct btrfs_ioctl_search_header));
	some_extent = item->disk_bytenr;
}

static int run_logical_ino(int turn)
{
	struct btrfs_ioctl_logical_ino_args args = {
		.logical = some_extent, .size = 4096, .inodes = (uintptr_t)answer,
	};

	(void)turn;
	return on(MNT, BTRFS_IOC_LOGICAL_INO_V2, &args);
}

static int run_subvol_info(int turn)
{
	struct btrfs_ioctl_get_subvol_info_args info;
	struct btrfs_ioctl_get_subvol_rootref_args refs = { 0 };

	(void)turn;
	if (on(MNT "/sub", BTRFS_IOC_GET_SUBVOL_INFO, &info))
		return -1;
	return on(MNT, BTRFS_IOC_GET_SUBVOL_ROOTREF, &refs);
}

static int quota_ctl(uint64_t cmd)
{
	struct btrfs_ioctl_quota_ctl_args args = { .cmd = cmd };

	return on(MNT, BTRFS_IOC_QUOTA_CTL, &args);
}

static int quota_wait(void)
{
	return on(MNT, BTRFS_IOC_QUOTA_RESCAN_WAIT, NULL);
}

/* No quotas, whatever was left of the last turn. */
static void prepare_no_quota(int turn)
{
	(void)turn;
	quota_wait();
	quota_ctl(BTRFS_QUOTA_CTL_DISABLE);
}

static void prepare_quota(int turn)
{
	(void)turn;
	quota_wait();
	if (quota_ctl(BTRFS_QUOTA_CTL_ENABLE))
		die("enabling quotas");
	quota_wait();
}

static int run_quota_on(int turn)
{
	(void)turn;
	return quota_ctl(BTRFS_QUOTA_CTL_ENABLE);
}

static int run_quota_off(int turn)
{
	(void)turn;
	return quota_ctl(BTRFS_QUOTA_CTL_DISABLE);
}

static int run_rescan(int turn)
{
	struct btrfs_ioctl_quota_rescan_args args = { 0 };

	(void)turn;
	return on(MNT, BTRFS_IOC_QUOTA_RESCAN, &args);
}

#define GROUP(turn)	((1ULL << 48) + 1 + (turn))

static int qgroup_make(int turn, bool make)
{
	struct btrfs_ioctl_qgroup_create_args args = { .create = make, .qgroupid = GROUP(turn) };

	return on(MNT, BTRFS_IOC_QGROUP_CREATE, &args);
}

static int run_qgroup(int turn)
{
	return qgroup_make(turn, true);
}

static void prepare_qgroup(int turn)
{
	prepare_quota(turn);
	if (qgroup_make(turn, true) && errno != EEXIST)
		die("making a qgroup");
}

static int run_qgroup_off(int turn)
{
	return qgroup_make(turn, false);
}

static int run_assign(int turn)
{
	struct btrfs_ioctl_qgroup_assign_args args = {
		.assign = 1, .src = BTRFS_FS_TREE_OBJECTID, .dst = GROUP(turn),
	};

	return on(MNT, BTRFS_IOC_QGROUP_ASSIGN, &args);
}

static int run_limit(int turn)
{
	struct btrfs_ioctl_qgroup_limit_args args = {
		.qgroupid = GROUP(turn),
		.lim = { .flags = BTRFS_QGROUP_LIMIT_MAX_RFER, .max_rfer = 1 << 30 },
	};

	return on(MNT, BTRFS_IOC_QGROUP_LIMIT, &args);
}

/* A commit that has to find out whose the blocks are. */
static void prepare_counted(int turn)
{
	prepare_quota(turn);
	make_files(MNT "/counted", 5 * turn, 5);
	touch_files(MNT "/d", turn % 20 * 10, 10, turn);
}

static int run_sync(int turn)
{
	(void)turn;
	return on(MNT, BTRFS_IOC_SYNC, NULL);
}

/* A change of quotas allocates for each group that there is: it would never end. */
const struct fault_op fault_tree_ops[] = {
	{ .name = "subvol", .run = run_subvol },
	{ .name = "snapshot", .run = run_snapshot },
	{ .name = "destroy", .prepare = prepare_subvol, .run = run_destroy },
	{ .name = "rmdir", .prepare = prepare_empty, .run = run_rmdir },
	{ .name = "readonly", .run = run_readonly },
	{ .name = "default", .run = run_default },
	{ .name = "received", .prepare = prepare_writable, .run = run_received },
	{ .name = "send", .prepare = prepare_send, .run = run_send, .most = 150 },
	{ .name = "send_part", .prepare = prepare_send_part, .run = run_send_part, .most = 150 },
	{ .name = "search", .run = run_search, .cold = true },
	{ .name = "ino_lookup", .prepare = prepare_inode, .run = run_ino_lookup, .cold = true },
	{ .name = "ino_lookup_user", .run = run_ino_lookup_user, .cold = true },
	{ .name = "ino_paths", .prepare = prepare_inode, .run = run_ino_paths, .cold = true },
	{ .name = "logical_ino", .prepare = prepare_extent, .run = run_logical_ino, .cold = true },
	{ .name = "subvol_info", .run = run_subvol_info, .cold = true },
	{ .name = "quota_on", .prepare = prepare_no_quota, .run = run_quota_on, .step = 9 },
	{ .name = "rescan", .prepare = prepare_quota, .run = run_rescan, .most = 60 },
	{ .name = "qgroup", .prepare = prepare_quota, .run = run_qgroup, .most = 60 },
	{ .name = "qgroup_off", .prepare = prepare_qgroup, .run = run_qgroup_off, .most = 60 },
	{ .name = "assign", .prepare = prepare_qgroup, .run = run_assign, .most = 60 },
	{ .name = "limit", .prepare = prepare_qgroup, .run = run_limit, .most = 60 },
	{ .name = "sync_counted", .prepare = prepare_counted,
	  .run = run_sync, .step = 3, .most = 50 },
	{ .name = "quota_off", .prepare = prepare_quota, .run = run_quota_off, .step = 9 },
	{ .name = NULL }
};
