// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads about how tree blocks are found: while they are stale, and ahead
 * of their use.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include "guest.h"

#define STALE_FILES	400

/* Send the snapshot into a pipe that nobody reads; blocks as soon as it is full. */
static pid_t send_beside(const char *path, int *read_end)
{
	struct btrfs_ioctl_send_args args = { 0 };
	int ends[2], fd = open(path, O_RDONLY);
	pid_t pid;

	if (fd < 0 || pipe(ends))
		die("preparing to send %s", path);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		close(ends[0]);
		args.send_fd = ends[1];
		_exit(ioctl(fd, BTRFS_IOC_SEND, &args) ? 1 : 0);
	}
	close(ends[1]);
	close(fd);
	*read_end = ends[0];
	return pid;
}

/* Wait until the pipe is full and stays so. */
static void wait_until_full(int fd)
{
	int before = -1, queued = 0;

	for (int i = 0; i < 200 && (queued != before || !queued); i++) {
		before = queued;
		usleep(50000);
		if (ioctl(fd, FIONREAD, &queued))
			die("looking into the pipe");
	}
	check("bytes_in_pipe", queued, 4096);
}

/*
 * stale_lookup: a sender sits in a full pipe and holds a reference to a leaf
 * that its snapshot shares with a subvolume.  All leaves of the subvolume are
 * copied, which leaves the originals STALE, and the held one in memory.  Then
 * the files of the snapshot are looked at: the STALE leaf is found.
 */
static void run_stale_lookup(void)
{
	int rounds = option_number("rounds", 3);
	long seen = 0;

	mount_disk(NULL);
	make_subvol("sub");
	make_files(MNT "/sub/d", 0, STALE_FILES);
	sync_fs();
	for (int round = 1; round <= rounds; round++) {
		char name[32], path[64];
		pid_t sender;
		int pipe_fd;

		snprintf(name, sizeof(name), "snap%d", round);
		snprintf(path, sizeof(path), MNT "/%s", name);
		make_snapshot("sub", name, true);
		sync_fs();
		sender = send_beside(path, &pipe_fd);
		wait_until_full(pipe_fd);
		touch_files(MNT "/sub/d", 0, STALE_FILES, round);
		seen += read_tree(path);
		close(pipe_fd);
		waitpid(sender, NULL, 0);
	}
	umount_disk();
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
