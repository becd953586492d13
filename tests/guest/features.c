// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads about what btrfs can do with whole trees: snapshots and their
 * deletion, relocation, quotas, send.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include "guest.h"

#define SUB		"sub"
#define SUB_DIR		MNT "/" SUB "/d"

/* Files of the subvolume that all of these work with. */
#define SUB_FILES	500

/* Snapshots of one round, and for how many rounds they live. */
#define SNAPSHOTS	3
#define ROUNDS_ALIVE	2

/* How often the cleaner may be faster than an unmount. */
#define SNAPSHOT_TRIES	20

/* Quota group 1/1. */
#define GROUP		(1ULL << 48 | 1)

static void make_sub(void)
{
	mount_disk(NULL);
	make_subvol(SUB);
	make_files(SUB_DIR, 0, SUB_FILES);
	sync_fs();
}

static void snapshot_name(char *name, size_t size, int round, int i)
{
	snprintf(name, size, "snap%d_%d", round, i);
}

/* The snapshots of a round share most with the subvolume, and each has something of its own. */
static void make_snapshots(int round)
{
	for (int i = 0; i < SNAPSHOTS; i++) {
		char name[32], dir[64];

		snapshot_name(name, sizeof(name), round, i);
		make_snapshot(SUB, name, false);
		snprintf(dir, sizeof(dir), MNT "/%s/d", name);
		touch_files(dir, i * 100, 60, round);
		touch_files(SUB_DIR, round * 50 % SUB_FILES, 50, round);
	}
}

static void destroy_snapshots(int round)
{
	for (int i = 0; i < SNAPSHOTS; i++) {
		char name[32];

		snapshot_name(name, sizeof(name), round, i);
		destroy_subvol(name);
	}
}

/* Unmounts with deleted snapshots; how many are still there after the next mount? */
static long umount_with_dropped(int rounds)
{
	for (int round = rounds - ROUNDS_ALIVE; round < rounds; round++)
		destroy_snapshots(round);
	umount_disk();
	mount_disk(NULL);
	return count_subvols() - 1;
}

/*
 * snapshots: many of them are made, changed and deleted, and the cleaner takes
 * them apart, with cold caches; the last ones after a mount that interrupted it.
 */
static void run_snapshots(void)
{
	int rounds = option_number("rounds", 6);
	long most = 0, left;
	bool dropped;

	make_sub();
	for (int round = 0; round < rounds; round++) {
		make_snapshots(round);
		sync_fs();
		reclaim();
		if (round >= ROUNDS_ALIVE)
			destroy_snapshots(round - ROUNDS_ALIVE);
		if (count_subvols() > most)
			most = count_subvols();
	}
	if (!wait_dropped(1 + ROUNDS_ALIVE * SNAPSHOTS))
		die("the cleaner does not drop snapshots");
	reclaim();
	/* The cleaner may be done before the unmount stops it. */
	left = umount_with_dropped(rounds);
	for (int tries = 1; !left && tries < SNAPSHOT_TRIES; tries++) {
		rounds += ROUNDS_ALIVE;
		for (int round = rounds - ROUNDS_ALIVE; round < rounds; round++)
			make_snapshots(round);
		sync_fs();
		left = umount_with_dropped(rounds);
	}
	check("left_to_drop_at_mount", left, 1);
	dropped = wait_dropped(1);
	check("snapshots_at_once", most - 1, (ROUNDS_ALIVE + 1) * SNAPSHOTS);
	check("all_dropped", dropped && count_subvols() == 1, 1);
	check("files_left", read_tree(MNT), SUB_FILES);
	umount_disk();
	check_stat("reads", 200);
}

/* What is under relocation changes all the time: the trees and their snapshots. */
static void change_for_ever(void)
{
	for (int round = 0;; round++) {
		char dir[64];

		touch_files(SUB_DIR, round * 50 % SUB_FILES, 50, round);
		snprintf(dir, sizeof(dir), MNT "/snap0_%d/d", round % SNAPSHOTS);
		touch_files(dir, round * 50 % SUB_FILES, 50, round);
		snprintf(dir, sizeof(dir), MNT "/new%d", round % 8);
		make_files(dir, 0, 20);
	}
}

/*
 * Start a balance, and once it is at work stop it with @how.  Returns the error
 * that it ended with: ECANCELED, or 0 if it was done before.
 */
static int stop_balance(uint64_t flags, int how)
{
	struct btrfs_ioctl_balance_args progress;
	pid_t worker = fork();

	if (worker < 0)
		die("fork");
	if (worker == 0)
		_exit(balance_chunks(flags, NULL));
	do {
		usleep(20000);
		memset(&progress, 0, sizeof(progress));
	} while (path_ioctl(MNT, BTRFS_IOC_BALANCE_PROGRESS, &progress) &&
		 waitpid(worker, NULL, WNOHANG) == 0);
	usleep(100000);
	/* The argument is a number, not an address. */
	path_ioctl(MNT, BTRFS_IOC_BALANCE_CTL, (void *)(long)how);
	return wait_for(worker);
}

/*
 * balance: metadata is relocated, with snapshots that share it and a task that
 * changes all of them; then a balance is paused and goes on, and one is
 * cancelled.
 */
static void run_balance(void)
{
	const uint64_t all = BTRFS_BALANCE_DATA | BTRFS_BALANCE_METADATA |
			     BTRFS_BALANCE_SYSTEM;
	int rounds = option_number("rounds", 3);
	int paused = 0, cancelled = 0;
	long completed = 0;
	pid_t writer;

	make_sub();
	make_snapshots(0);
	make_data_file(MNT "/data", 32 << 20);
	sync_fs();
	writer = spawn(change_for_ever);
	for (int round = 0; round < rounds; round++) {
		if (balance_chunks(BTRFS_BALANCE_METADATA, &completed))
			die("balancing metadata");
		reclaim();
	}
	for (int tries = 0; tries < 5 && !paused; tries++)
		paused = stop_balance(all, BTRFS_BALANCE_CTL_PAUSE) == ECANCELED;
	if (paused && balance_chunks(BTRFS_BALANCE_RESUME, NULL))
		die("resuming a balance");
	for (int tries = 0; tries < 5 && !cancelled; tries++)
		cancelled = stop_balance(BTRFS_BALANCE_METADATA,
					 BTRFS_BALANCE_CTL_CANCEL) == ECANCELED;
	stop_worker(writer);
	check("chunks_relocated", completed, rounds);
	check("paused", paused, 1);
	check("cancelled", cancelled, 1);
	reclaim();
	check("files_read", read_tree(MNT), (1 + SNAPSHOTS) * SUB_FILES);
	umount_disk();
	check_stat("writes", 500);
}

/* A snapshot whose quota group is a member of group 1/1 from the beginning. */
static void make_member_snapshot(const char *name)
{
	/* The head, and the group behind it. */
	uint64_t space[sizeof(struct btrfs_qgroup_inherit) / sizeof(uint64_t) + 1] = { 0 };
	struct btrfs_qgroup_inherit *inherit = (void *)space;
	struct btrfs_ioctl_vol_args_v2 args = {
		.flags = BTRFS_SUBVOL_QGROUP_INHERIT,
		.size = sizeof(space),
		.qgroup_inherit = inherit,
	};

	inherit->num_qgroups = 1;
	inherit->qgroups[0] = GROUP;
	args.fd = open(MNT "/" SUB, O_RDONLY);
	if (args.fd < 0)
		die("opening the subvolume");
	snprintf(args.name, sizeof(args.name), "%s", name);
	fs_ioctl(BTRFS_IOC_SNAP_CREATE_V2, &args, "making a snapshot in a quota group");
	close(args.fd);
}

static void rescan_quotas(void)
{
	struct btrfs_ioctl_quota_rescan_args args = { 0 };

	if (path_ioctl(MNT, BTRFS_IOC_QUOTA_RESCAN, &args) && errno != EINPROGRESS)
		die("starting a quota scan");
	fs_ioctl(BTRFS_IOC_QUOTA_RESCAN_WAIT, NULL, "waiting for the quota scan");
}

/* Until so many seconds after the beginning there may be more balances than rounds. */
#define QUOTA_LIMIT	60

/* The life of a few snapshots with quotas on. */
static void quota_round(int round, double limit, long *completed)
{
	pid_t writer;

	make_snapshots(0);
	touch_files(SUB_DIR, 0, SUB_FILES, round);
	sync_fs();
	reclaim();
	/*
	 * Blocks that are exchanged, and changed in the same transaction, are counted for
	 * both trees.  There are none if the writer is too slow beside the balance: then a
	 * mutant that stands there was not executed, and is awaited.
	 */
	writer = spawn(change_for_ever);
	do {
		if (balance_chunks(BTRFS_BALANCE_METADATA, completed))
			die("balancing metadata with quotas on");
	} while (mutant_awaited() && now() < limit);
	stop_worker(writer);
	/* With cold caches what a snapshot shares has to be read to be counted. */
	reclaim();
	destroy_snapshots(0);
	/* The subvolume and the member of the group are left. */
	if (!wait_dropped(2))
		die("the cleaner does not drop snapshots");
}

/*
 * qgroups: quotas are turned on, count what is there, follow snapshots, their
 * relocation and their deletion, and are turned off.
 */
static void run_qgroups(void)
{
	struct btrfs_ioctl_qgroup_create_args group = { .create = 1, .qgroupid = GROUP };
	int rounds = option_number("rounds", 2);
	double limit = now() + QUOTA_LIMIT;
	long completed = 0, counted;
	uint64_t id;

	make_sub();
	id = subvol_id(MNT "/" SUB);
	enable_quotas();
	fs_ioctl(BTRFS_IOC_QGROUP_CREATE, &group, "making a quota group");
	check("bytes_of_subvolume", quota_of(id), SUB_FILES * 500);
	/* Figures are wrong now, and nothing is counted until they are right again. */
	make_member_snapshot("member");
	rescan_quotas();
	check("bytes_of_group", quota_of(GROUP), SUB_FILES * 500);
	for (int round = 0; round < rounds; round++)
		quota_round(round, limit, &completed);
	counted = quota_of(id);
	rescan_quotas();
	check("as_a_scan_counts", counted == quota_of(id), 1);
	disable_quotas();
	check("chunks_relocated", completed, rounds);
	check("files_read", read_tree(MNT), SUB_FILES);
	umount_disk();
	check_stat("reads", 200);
}

/* Send @name, as what differs from the subvolume @parent if that is not 0. */
static void send_to(const char *name, uint64_t parent, int to)
{
	struct btrfs_ioctl_send_args args = { .send_fd = to, .parent_root = parent };
	char path[64];

	snprintf(path, sizeof(path), MNT "/%s", name);
	/* Older kernels do not send while they relocate. */
	for (int tries = 3000; path_ioctl(path, BTRFS_IOC_SEND, &args); tries--) {
		if (errno != EAGAIN || !tries)
			die("sending %s", name);
		usleep(10000);
	}
}

/* How many bytes are sent. */
static long send_subvol(const char *name, uint64_t parent)
{
	static char buf[65536];
	long total = 0;
	int ends[2];
	pid_t sender;
	ssize_t got;

	if (pipe(ends))
		die("making a pipe");
	sender = fork();
	if (sender < 0)
		die("fork");
	if (sender == 0) {
		close(ends[0]);
		send_to(name, parent, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], buf, sizeof(buf))) > 0)
		total += got;
	close(ends[0]);
	if (wait_for(sender))
		die("send did not end well");
	return total;
}

static void balance_for_ever(void)
{
	/* Nor the reverse: let the other one have a turn. */
	for (;; usleep(20000))
		if (balance_chunks(BTRFS_BALANCE_METADATA, NULL) && errno != EAGAIN)
			die("balancing metadata");
}

/*
 * send: a snapshot as a whole, and what a second one has that differs, while
 * another task relocates the trees that are compared.
 */
static void run_send(void)
{
	int rounds = option_number("rounds", 2);
	long whole = 0, parts = 0;
	pid_t balancer = -1;

	make_sub();
	make_snapshot(SUB, "base", true);
	for (int round = 0; round < rounds; round++) {
		char name[32];

		touch_files(SUB_DIR, 0, 200, round);
		remove_files(SUB_DIR, 300 + 20 * round, 20);
		make_files(MNT "/" SUB "/e", 50 * round, 50);
		snprintf(name, sizeof(name), "later%d", round);
		make_snapshot(SUB, name, true);
		reclaim();
		whole += send_subvol(name, 0);
		reclaim();
		parts += send_subvol(name, subvol_id(MNT "/base"));
		/* The first round is without it. */
		if (balancer < 0)
			balancer = spawn(balance_for_ever);
	}
	stop_worker(balancer);
	check_compressed(MNT "/" SUB "/e", 0, 50);
	umount_disk();
	check("bytes_of_whole", whole, rounds * SUB_FILES * 500L);
	check("bytes_of_difference", parts, rounds * 50 * 500L);
	check("difference_is_less", whole - parts, 1);
	check_stat("reads", 100);
}

const struct workload feature_workloads[] = {
	{ "snapshots", run_snapshots },
	{ "balance", run_balance },
	{ "qgroups", run_qgroups },
	{ "send", run_send },
	{ NULL, NULL }
};
