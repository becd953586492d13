// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads about IO that is slow, that fails, and that can't even start.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include "guest.h"

#define COW_DIRS	6
#define COW_FILES	200

/* Start a commit, and wait for it as another task, so that we see its end. */
static pid_t commit_beside(void)
{
	int fd = open(MNT, O_RDONLY);
	uint64_t transid;
	pid_t waiter;

	if (fd < 0 || ioctl(fd, BTRFS_IOC_START_SYNC, &transid))
		die("starting a commit");
	waiter = fork();
	if (waiter < 0)
		die("fork");
	if (waiter == 0)
		_exit(ioctl(fd, BTRFS_IOC_WAIT_SYNC, &transid) ? 1 : 0);
	close(fd);
	return waiter;
}

/*
 * cow_under_writeback: the disk is slow (the host throttles it), a commit has
 * sent its tree blocks to it, and meanwhile the next transaction changes the
 * same files: it must copy blocks that are still being written.
 */
static void run_cow_under_writeback(void)
{
	int rounds = option_number("rounds", 3);
	long during = 0;
	char dir[64];

	mount_disk(NULL);
	for (int d = 0; d < COW_DIRS; d++) {
		snprintf(dir, sizeof(dir), MNT "/d%d", d);
		make_files(dir, 0, COW_FILES);
	}
	sync_fs();
	for (int round = 1; round <= rounds; round++) {
		pid_t waiter;

		for (int d = 0; d < COW_DIRS; d++) {
			snprintf(dir, sizeof(dir), MNT "/d%d", d);
			touch_files(dir, 0, COW_FILES, round);
		}
		waiter = commit_beside();
		for (int d = 0; d < COW_DIRS; d++) {
			snprintf(dir, sizeof(dir), MNT "/d%d", d);
			touch_files(dir, 0, COW_FILES, round + 1);
			if (waitpid(waiter, NULL, WNOHANG) == 0)
				during += COW_FILES;
			else
				waiter = -1;
			if (waiter < 0)
				break;
		}
		if (waiter > 0)
			waitpid(waiter, NULL, 0);
	}
	umount_disk();
	check("changed_during_commit", during, COW_FILES);
}

/* So many of 100 requests to a disk, such as "vda", fail from here on. */
void fail_requests(const char *disk, int percent)
{
	char path[128], probability[16];
	const char * const settings[][2] = {
		{ "probability", probability }, { "interval", "1" }, { "times", "-1" },
		{ "space", "0" }, { "verbose", "0" },
	};

	snprintf(probability, sizeof(probability), "%d", percent);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), DEBUGFS "/fail_make_request/%s", settings[i][0]);
		put_file(path, settings[i][1]);
	}
	snprintf(path, sizeof(path), "/sys/block/%s/make-it-fail", disk);
	put_file(path, percent ? "1" : "0");
}

/* Force the log of some changed files to disk; returns for how many it fails. */
static int fsync_some(const char *dir, int count)
{
	int failed = 0;

	for (int i = 0; i < count; i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "%s/f%06d", dir, i);
		fd = open(path, O_RDWR);
		failed += fd < 0 || fsync(fd);
		if (fd >= 0)
			close(fd);
	}
	return failed;
}

/*
 * write_error: a log tree of several leaves is on disk, and what comes next of
 * it can't be written.  The fsync() falls back to a commit, which can't be
 * written either; the transaction is aborted, and the log tree is walked to be
 * freed: that reads blocks which are in memory but not up to date any more.
 */
static void run_write_error(void)
{
	long before;
	int failed;

	mount_disk("commit=300");
	make_files(MNT "/d", 0, 400);
	sync_fs();
	make_files(MNT "/e", 0, 200);
	if (fsync_some(MNT "/e", 100))
		die("fsync on a disk that works");
	before = read_tree(MNT);
	touch_files(MNT "/e", 0, 100, 1);
	fail_requests("vda", 100);
	failed = fsync_some(MNT "/e", 100);
	fail_requests("vda", 0);
	check("fsync_failed", failed, 1);
	check("commit_failed", mkdir(MNT "/new", 0755) != 0, 1);

	/* Forget the inodes: only then is a leaf looked at again. */
	drop_inodes();
	read_tree(MNT);
	check("files_before", before, 600);
	reclaim();
	read_tree(MNT);
	umount_disk();

	/* The disk has the last good commit, and the log up to the failure. */
	mount_disk(NULL);
	check("files_after_remount", read_tree(MNT), 400);
	umount_disk();
}

/* As in the header of kernels that have it; the number is that of XFS and ext4. */
#define IOC_SHUTDOWN		_IOR('X', 125, uint32_t)
#define SHUTDOWN_NOLOGFLUSH	2

/*
 * shutdown: a transaction has changed blocks when the file system is shut down.
 * Writeback still finds them; each write must end without reaching the disk.
 */
static void run_shutdown(void)
{
	uint32_t how = SHUTDOWN_NOLOGFLUSH;
	long writes, requests;

	mount_disk("commit=300");
	make_files(MNT "/d", 0, 400);
	sync_fs();
	make_files(MNT "/e", 0, 400);
	writes = guarded() ? stat_value("writes") : 0;
	requests = disk_writes();
	if (path_ioctl(MNT, IOC_SHUTDOWN, &how))
		die("shutting down");
	sync();
	if (guarded())
		check("writes_after_shutdown", stat_value("writes") - writes, 10);
	mark("%ld requests reached the disk after the shutdown",
	     disk_writes() - requests);
	check("no_new_file", mkdir(MNT "/new", 0755) != 0, 1);
	umount_disk();

	/* The disk has the last commit. */
	mount_disk(NULL);
	check("files_after_remount", read_tree(MNT), 400);
	umount_disk();
}

#define FAIL_FUNCTION	DEBUGFS "/fail_function"

/* Calls of a function that allows it can be made to fail with EIO; none does yet. */
static void prepare_failure(const char *function)
{
	static const char * const settings[][2] = {
		{ "verbose", "0" }, { "space", "0" }, { "interval", "1" },
		{ "times", "0" }, { "probability", "100" },
	};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), FAIL_FUNCTION "/%s", settings[i][0]);
		put_file(path, settings[i][1]);
	}
	put_file(FAIL_FUNCTION "/inject", function);
	snprintf(path, sizeof(path), FAIL_FUNCTION "/%s/retval", function);
	put_file(path, "0xfffffffffffffffb");
}

#define ERROR_FILES	2000
#define ERROR_TURNS	10

/* New blocks that follow each other on the disk: they are written in one go. */
static void create_files(int turn)
{
	char path[64];
	int fd;

	for (int i = 0; i < ERROR_FILES; i++) {
		snprintf(path, sizeof(path), MNT "/%d.%d", turn, i);
		fd = open(path, O_CREAT | O_WRONLY, 0644);
		if (fd < 0)
			die("creating %s", path);
		close(fd);
	}
}

/*
 * Abort the next transaction while a commit sends its tree blocks to the disk.
 * Returns how many of them it came to after that.
 */
static long abort_during_commit(int turn)
{
	long writes = 0;
	pid_t waiter;

	create_files(turn);
	waiter = commit_beside();
	/* The next transaction begins when the commit begins to write. */
	if (mkdir(MNT "/new", 0755))
		die("a directory during the commit");
	put_file(FAIL_FUNCTION "/times", "1");
	if (!mkdir(MNT "/other/new", 0755))
		die("the transaction was not aborted");
	if (guarded())
		writes = stat_value("writes");
	waitpid(waiter, NULL, 0);
	return guarded() ? stat_value("writes") - writes : 0;
}

/*
 * error_in_commit: the file system is in error while a commit goes through its tree
 * blocks; it comes to some more, and none of those may reach the disk.
 */
static void run_error_in_commit(void)
{
	long writes = 0;

	mount_disk(NULL);
	make_subvol("other");
	umount_disk();
	prepare_failure("btrfs_cow_block");
	/* The commit may have been faster; then nothing of it is left but its end. */
	for (int turn = 0; writes < 10 && turn < ERROR_TURNS; turn++) {
		mount_disk("commit=300");
		writes = abort_during_commit(turn);
		umount_disk();
	}
	if (guarded())
		check("writes_after_error", writes, 10);

	/* The disk has the last commit. */
	mount_disk(NULL);
	check("subvol_after_remount", rmdir(MNT "/other") == 0, 1);
	umount_disk();
}

/* An address that is aligned like a tree block, and that no chunk maps. */
#define UNMAPPED	(1ULL << 44)

/*
 * bad_log_root: the super block names a log tree at an address that can't be
 * mapped, so a read of a tree block fails before anything was sent to the disk.
 */
static void run_bad_log_root(void)
{
	unsigned char good[SUPER_SIZE], bad[SUPER_SIZE];
	uint64_t address = UNMAPPED;
	bool mounted;

	get_super(DISK, good);
	memcpy(bad, good, SUPER_SIZE);
	memcpy(bad + SUPER_LOG_ROOT, &address, sizeof(address));
	bad[SUPER_LOG_LEVEL] = 0;
	sign_block(bad, SUPER_SIZE);
	put_super(DISK, bad);

	mounted = try_mount_disk(NULL);
	check("mount_refused", !mounted, 1);
	if (mounted)
		umount_disk();
	put_super(DISK, good);

	mount_disk(NULL);
	make_files(MNT "/d", 0, 50);
	check("files_afterwards", read_tree(MNT), 50);
	umount_disk();
}

const struct workload io_workloads[] = {
	{ "cow_under_writeback", run_cow_under_writeback },
	{ "write_error", run_write_error },
	{ "bad_log_root", run_bad_log_root },
	{ "shutdown", run_shutdown },
	{ "error_in_commit", run_error_in_commit },
	{ NULL, NULL }
};
