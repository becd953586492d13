// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads about how tree blocks are found: while they are stale, and ahead
 * of their use.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include "guest.h"

#define STALE_DIR	MNT "/sub/d"
#define STALE_FILES	400

static int stale_round;

/* Was a STALE buffer found?  Without the guard the mutant knows that stands in there. */
static bool stale_found(void)
{
	return guarded() ? stat_value("stale_lookups") > 0 : !mutant_awaited();
}

/*
 * Enough rounds, and a STALE buffer was found, which takes some more where the guest is
 * slow beside its disk.
 */
static bool stale_enough(int done, int rounds)
{
	return done >= rounds && (stale_found() || done >= 15 * rounds);
}

static void snapshot_beside(void)
{
	char name[32];

	snprintf(name, sizeof(name), "snap%d", stale_round);
	make_snapshot("sub", name, true);
}

/*
 * stale_lookup: a snapshot is made, and the commit that makes it writes its
 * leaves to a slow disk.  They are shared with a subvolume, whose files change
 * meanwhile: a copy of each leaf is made, the original becomes STALE, and since
 * it is under IO it keeps the tree's reference.  Then the files of the snapshot
 * are looked at, which finds the STALE originals.
 */
static void run_stale_lookup(void)
{
	int rounds = option_number("rounds", 3);
	long seen = 0, during = 0;

	mount_disk(NULL);
	make_subvol("sub");
	make_files(STALE_DIR, 0, STALE_FILES);
	sync_fs();
	for (stale_round = 1; !stale_enough(stale_round - 1, rounds); stale_round++) {
		char path[64];
		pid_t snapshot;
		bool running = true;

		touch_files(STALE_DIR, 0, STALE_FILES, 2 * stale_round);
		snapshot = spawn(snapshot_beside);
		while (running && !disk_busy()) {
			usleep(1000);
			running = waitpid(snapshot, NULL, WNOHANG) == 0;
		}
		snprintf(path, sizeof(path), MNT "/snap%d/d", stale_round);
		for (int i = 0; i < STALE_FILES && running; i += 20) {
			touch_files(STALE_DIR, i, 20, 2 * stale_round + 1);
			running = waitpid(snapshot, NULL, WNOHANG) == 0;
			during += running;
		}
		if (running)
			waitpid(snapshot, NULL, 0);
		seen += read_tree(path);
	}
	umount_disk();
	check("changed_during_commit", during, 1);
	check("files_seen", seen, rounds * STALE_FILES);
	check_stat("stale_lookups", 1);
}

/* Start a relocation of all metadata. */
static void balance(void)
{
	static struct btrfs_ioctl_balance_args args;
	int fd = open(MNT, O_RDONLY);

	args.flags = BTRFS_BALANCE_METADATA;
	if (fd < 0 || ioctl(fd, BTRFS_IOC_BALANCE_V2, &args))
		die("balancing");
	close(fd);
}

/* The cleaner takes deleted snapshots apart in the background. */
static void wait_for_cleaner(void)
{
	for (int i = 0; i < 10; i++) {
		sync_fs();
		usleep(100000);
	}
}

/*
 * readahead: tree blocks are read ahead by the listing of a big directory, by
 * the deletion of a snapshot, and by relocation, each with cold caches.
 */
static void run_readahead(void)
{
	int rounds = option_number("rounds", 2);
	long before;

	mount_disk(NULL);
	make_subvol("sub");
	make_files(MNT "/sub/d", 0, 1500);
	sync_fs();
	before = disk_reads();
	for (int round = 1; round <= rounds; round++) {
		char name[32];

		snprintf(name, sizeof(name), "snap%d", round);
		make_snapshot("sub", name, false);
		touch_files(MNT "/sub/d", 0, 1500, round);
		sync_fs();
		reclaim();
		if (read_tree(MNT "/sub") < 1500)
			die("files are missing in round %d", round);
		reclaim();
		destroy_subvol(name);
		wait_for_cleaner();
		reclaim();
		balance();
	}
	reclaim();
	check("files_read", read_tree(MNT "/sub"), 1500);
	umount_disk();
	check("disk_reads", disk_reads() - before, 100);
	check_stat("reads", 200);
}

const struct workload lookup_workloads[] = {
	{ "stale_lookup", run_stale_lookup },
	{ "readahead", run_readahead },
	{ NULL, NULL }
};
