// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads in which something happens under the feet of others: the file
 * system becomes read-only, comes and goes, is written to by a task that must
 * not wait, or by many that each wait for their own log.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include "guest.h"

/* What a task that is stopped leaves behind for its parent. */
struct counts {
	long written, refused, again;
};

static struct counts *counts;

static void share_counts(void)
{
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		die("sharing memory");
}

/* mount_cycles: nothing is left of a file system, however often it comes and goes. */
static void run_mount_cycles(void)
{
	int cycles = option_number("rounds", 200);

	for (int i = 0; i < cycles; i++) {
		mount_disk(NULL);
		make_files(MNT "/d", 2 * i, 2);
		umount_disk();
	}
	mount_disk(NULL);
	check("cycles", cycles, 1);
	check("files_read", read_tree(MNT), 2 * cycles);
	umount_disk();
	check_stat("free", cycles * 10);
}

/* So many files are open when a task is killed that have no name any more. */
#define NAMELESS	10

/* Files that are gone when the last one closes them, which is us. */
static void open_nameless(void)
{
	char path[64], data[4096] = { 1 };
	int fd;

	for (int i = 0; i < NAMELESS; i++) {
		snprintf(path, sizeof(path), MNT "/d/nameless%d-%d", getpid(), i);
		fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
		if (fd < 0 || write(fd, data, sizeof(data)) != sizeof(data) ||
		    fsetxattr(fd, "user.eb", path, strlen(path), 0) || unlink(path))
			die("making %s", path);
		counts->written++;
	}
}

static void go_on_for_ever(void)
{
	open_nameless();
	counts->again++;
	for (int round = 0;; round++) {
		touch_files(MNT "/d", 0, 100, round);
		read_tree(MNT "/d");
	}
}

/* How many files without a name are not taken apart yet. */
static long nameless_left(void)
{
	return count_items(BTRFS_FS_TREE_OBJECTID, BTRFS_ORPHAN_ITEM_KEY,
			   BTRFS_ORPHAN_OBJECTID, BTRFS_ORPHAN_OBJECTID);
}

/*
 * killed: tasks end in the middle of what they do, and what they had open is taken apart
 * while they end.
 */
static void run_killed(void)
{
	int rounds = option_number("rounds", 50);
	long taken_apart = 0;

	share_counts();
	mount_disk(NULL);
	make_files(MNT "/d", 0, 100);
	for (int round = 0; round < rounds; round++) {
		long begun = counts->again;
		pid_t task = spawn(go_on_for_ever);

		while (counts->again == begun)
			usleep(1000);
		usleep(round * 7919 % 20000);
		taken_apart += nameless_left();
		stop_worker(task);
		/* Before its parent hears of its end. */
		taken_apart -= nameless_left();
		if (round % 5 == 4)
			reclaim();
	}
	sync_fs();
	check("killed", counts->again, rounds);
	check("nameless", counts->written, NAMELESS * rounds);
	/* One whose data is just being written is left to a thread of btrfs. */
	check("taken_apart", taken_apart, NAMELESS * rounds * 8 / 10);
	check("files_read", read_tree(MNT "/d"), 100);
	umount_disk();
	check_stat("puts", 1000);
	check_stat("task_ends", rounds);
}

/* Changes that keep no file open, so that they never forbid a remount for long. */
static void change_what_can_be(void)
{
	for (int i = 0;; i++) {
		char path[64], other[80];

		snprintf(path, sizeof(path), MNT "/d/f%06d", i % 400);
		snprintf(other, sizeof(other), "%s.new", path);
		if (setxattr(path, "user.round", &i, sizeof(i), 0) ||
		    rename(path, other) || rename(other, path)) {
			/* The remount may come between there and back. */
			if (errno != EROFS && errno != ENOENT)
				die("changing %s", path);
			rename(other, path);
			counts->refused++;
		} else {
			counts->written++;
		}
	}
}

static void remount(unsigned long flags)
{
	int tries = 2000;

	while (mount(NULL, MNT, NULL, MS_REMOUNT | MS_NOATIME | flags, NULL)) {
		if (errno != EBUSY || !--tries)
			die("remounting");
		usleep(5000);
	}
}

/* remount_ro: read-only and back, while two tasks change files. */
static void run_remount_ro(void)
{
	int rounds = option_number("rounds", 30);
	long written = 0, refused = 0;
	pid_t writers[2];

	share_counts();
	mount_disk(NULL);
	make_files(MNT "/d", 0, 400);
	writers[0] = spawn(change_what_can_be);
	writers[1] = spawn(change_what_can_be);
	for (int round = 0; round < rounds; round++) {
		usleep(50000);
		remount(MS_RDONLY);
		written = counts->written;
		refused = counts->refused;
		if (round % 4 == 0)
			reclaim();
		usleep(20000);
		if (counts->written > written + 2)
			die("%ld changes of a read-only file system", counts->written - written);
		remount(0);
	}
	usleep(50000);
	stop_worker(writers[0]);
	stop_worker(writers[1]);
	check("changes", counts->written, rounds * 5);
	check("refused", refused, rounds);
	check("files_read", read_tree(MNT), 400);
	umount_disk();
	check_stat("writes", 300);
}

#define NOCOW_FILE	MNT "/sub/nocow"
#define NOCOW_SIZE	(1 << 20)
#define NOCOW_PIECE	65536

/* Less than the 8 pages that btrfs writes at least, more than a tree block. */
#define NOCOW_LEFT	24576

/* How many failed attempts are awaited, and for how many seconds. */
#define NOCOW_AGAIN	4
#define NOCOW_LIMIT	80

/* Few files: the tree of the subvolume is a single leaf, which is its root. */
#define NOCOW_BESIDE	4

static void make_nocow_file(void)
{
	static char data[NOCOW_PIECE];
	int flags = FS_NOCOW_FL;
	int fd = open(NOCOW_FILE, O_CREAT | O_RDWR, 0644);

	if (fd < 0 || ioctl(fd, FS_IOC_SETFLAGS, &flags) || fallocate(fd, 0, 0, NOCOW_SIZE))
		die("making a file that is not copied on write");
	for (off_t at = 0; at < NOCOW_SIZE; at += sizeof(data))
		if (pwrite(fd, data, sizeof(data), at) != sizeof(data))
			die("writing " NOCOW_FILE);
	if (fsync(fd))
		die("fsync of " NOCOW_FILE);
	close(fd);
}

/* Leave the subvolume so much, for all but us, who are privileged. */
static void limit_quota(uint64_t left)
{
	struct btrfs_ioctl_qgroup_limit_args args = {
		.qgroupid = subvol_id(MNT "/sub"),
		.lim.flags = BTRFS_QGROUP_LIMIT_MAX_RFER,
	};
	struct btrfs_ioctl_fs_info_args info = { 0 };
	char path[128] = "/sys/fs/btrfs/";
	size_t len = strlen(path);

	enable_quotas();
	args.lim.max_rfer = quota_of(args.qgroupid) + left;
	fs_ioctl(BTRFS_IOC_QGROUP_LIMIT, &args, "setting a quota limit");
	fs_ioctl(BTRFS_IOC_FS_INFO, &info, "asking for the file system's id");
	for (int i = 0; i < BTRFS_FSID_SIZE; i++)
		len += sprintf(path + len, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ?
			       "-" : "", info.fsid[i]);
	strcpy(path + len, "/quota_override");
	put_file(path, "1");
}

/*
 * Writes that must not wait.  Without a quota for data, and without privileges,
 * each has to ask the tree whether its extent can be overwritten.  If it can, it
 * may still fail with EDQUOT, for the metadata.
 */
static void write_nowait(void)
{
	static char data[NOCOW_PIECE];
	struct iovec piece = { .iov_base = data, .iov_len = sizeof(data) };
	int fd = open(NOCOW_FILE, O_RDWR);

	if (fd < 0 || setresuid(65534, 65534, 65534))
		die("becoming a user without privileges");
	for (off_t at = 0;; at = (at + sizeof(data)) % NOCOW_SIZE) {
		if (pwritev2(fd, &piece, 1, at, RWF_NOWAIT) > 0)
			counts->written++;
		else if (errno == EAGAIN)
			counts->again++;
		else if (errno == EDQUOT)
			counts->refused++;
		else
			die("writing without waiting");
	}
}

static void change_beside(void)
{
	for (int round = 0;; round++)
		touch_files(MNT "/sub/d", 0, NOCOW_BESIDE, round);
}

/* Who had the lock, and was told what can be overwritten. */
static long had_lock(const struct counts *of)
{
	return of->written + of->refused;
}

/*
 * Let the writer go on for @seconds, and longer, up to a limit, until so many of its
 * writes could not go on at once, one could, and a mutant that meets those which could
 * not was executed; say what became of them.
 */
static struct counts watch_nowait(double seconds, long again)
{
	double begin = now();
	pid_t writer;

	memset(counts, 0, sizeof(*counts));
	writer = spawn(write_nowait);
	while (now() < begin + seconds ||
	       ((counts->again < again || !had_lock(counts) || (again && mutant_awaited())) &&
		now() < begin + NOCOW_LIMIT))
		usleep(50000);
	stop_worker(writer);
	return *counts;
}

/*
 * nowait: one task writes to a file whose extents are overwritten in place, and
 * must not wait; others change the tree that it looks at, whose root is locked
 * most of the time then.
 */
static void run_nowait(void)
{
	double seconds = option_number("seconds", 5);
	struct counts alone, beside;
	pid_t others[3];

	share_counts();
	mount_disk(NULL);
	make_subvol("sub");
	make_nocow_file();
	make_files(MNT "/sub/d", 0, NOCOW_BESIDE);
	limit_quota(NOCOW_LEFT);
	alone = watch_nowait(1, 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = spawn(change_beside);
	beside = watch_nowait(seconds, NOCOW_AGAIN);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		stop_worker(others[i]);
	umount_disk();
	verdict("nowait: alone %ld written, %ld EAGAIN, %ld EDQUOT", alone.written,
		alone.again, alone.refused);
	verdict("nowait: beside %ld written, %ld EAGAIN, %ld EDQUOT", beside.written,
		beside.again, beside.refused);
	check("written_alone", alone.written, 1);
	/*
	 * A change of the others reserves two nodes, which is more than the quota has left,
	 * until the next commit: so who had the lock mostly ends with EDQUOT here.
	 */
	check("had_lock_beside", had_lock(&beside), 1);
	check("not_waited", beside.again, 1);
}

#define LOG_FILES	60

/* Where the super block says that there is a log tree. */
static void sync_path(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fsync(fd))
		die("fsync of %s", path);
	close(fd);
	counts->written++;
}

static int log_round;

/* Each change of names goes to the log by itself. */
static void log_changes(const char *dir)
{
	char path[128], other[144];

	for (int i = LOG_FILES * log_round; i < LOG_FILES * (log_round + 1); i++) {
		snprintf(path, sizeof(path), "%s/f%06d", dir, i);
		snprintf(other, sizeof(other), "%s.log", path);
		if (setxattr(path, "user.log", &i, sizeof(i), 0))
			die("changing %s", path);
		sync_path(path);
		switch (i % 3) {
		case 0:
			if (rename(path, other))
				die("renaming %s", path);
			sync_path(other);
			break;
		case 1:
			if (link(path, other))
				die("linking %s", path);
			sync_path(path);
			break;
		default:
			if (unlink(path))
				die("unlinking %s", path);
			sync_path(dir);
		}
	}
}

static void log_in_main_tree(void)
{
	log_changes(MNT "/d");
}

static void log_in_subvol(void)
{
	log_changes(MNT "/sub/d");
}

/*
 * tree_log: two trees have a log of many blocks, made of fsyncs after changes
 * of names; the next commit walks and frees them.
 */
static void run_tree_log(void)
{
	int rounds = option_number("rounds", 4);
	long logged = 0;
	pid_t worker;

	share_counts();
	mount_disk("commit=300");
	make_subvol("sub");
	for (int round = 0; round < rounds; round++) {
		log_round = round;
		make_files(MNT "/sub/d", LOG_FILES * round, LOG_FILES);
		make_files(MNT "/d", LOG_FILES * round, LOG_FILES);
		sync_fs();
		worker = spawn(log_in_subvol);
		log_in_main_tree();
		if (wait_for(worker))
			die("the other task failed");
		logged += log_on_disk(DISK);
		sync_fs();
	}
	umount_disk();
	check("fsyncs", counts->written, rounds * 4L * LOG_FILES);
	check("logs_on_disk", logged, rounds);
	check_stat("writes", 500);
}

/*
 * next_leaf: the extents of a file that is overwritten in place lie between those
 * of one that has checksums, so many in each of them that a leaf, of 4096 bytes,
 * has room for one alone.  So the search for checksums of the first file ends
 * behind the last item of a leaf and goes on to the next one, which tasks that
 * add checksums to it lock.  With alone=1 there are none, and the point tree_trylock
 * refuses a part of these locks instead.
 */
#define CSUM_FILE	MNT "/csums"
#define CSUM_BLOCK	4096
#define CSUM_BLOCKS	900
#define CSUM_BEFORE	528
#define TURNS		20
#define TURN_PIECE	(8 * CSUM_BLOCK)

/* How many blocks with checksums were added. */
static long *added;

static int create_file(const char *path, int flags)
{
	int fd = open(path, O_CREAT | O_RDWR, 0644);

	if (fd < 0 || (flags && ioctl(fd, FS_IOC_SETFLAGS, &flags)))
		die("creating %s", path);
	return fd;
}

static off_t csum_block(long turn, long block)
{
	return (turn * CSUM_BLOCKS + block) * CSUM_BLOCK;
}

static void write_block(int fd, off_t at)
{
	static char data[CSUM_BLOCK] __attribute__((aligned(CSUM_BLOCK)));

	if (pwrite(fd, data, sizeof(data), at) != sizeof(data))
		die("writing " CSUM_FILE);
}

static void make_files_in_turn(void)
{
	int nocow = create_file(NOCOW_FILE, FS_NOCOW_FL);
	int csums = create_file(CSUM_FILE, 0);

	for (long i = 0; i < TURNS; i++)
		if (fallocate(csums, 0, csum_block(i, 0), CSUM_BLOCKS * CSUM_BLOCK) ||
		    fallocate(nocow, 0, i * TURN_PIECE, TURN_PIECE))
			die("reserving a piece");
	/* One after the other, or the checksums of two may share a leaf. */
	for (long i = 0; i < TURNS; i++) {
		for (long block = 0; block < CSUM_BEFORE; block++)
			write_block(csums, csum_block(i, block));
		sync_fs();
	}
	close(nocow);
	close(csums);
}

/* Each block once, for only then it is written where it was reserved. */
static void add_csums(void)
{
	int fd = open(CSUM_FILE, O_RDWR | O_DIRECT);
	const long each = CSUM_BLOCKS - CSUM_BEFORE;
	long i;

	if (fd < 0)
		die("opening " CSUM_FILE);
	while ((i = __atomic_fetch_add(added, 1, __ATOMIC_RELAXED)) < TURNS * each)
		write_block(fd, csum_block(i / each, CSUM_BEFORE + i % each));
	_exit(0);
}

/* Of the locks that a search of this task tries, a part seems to be taken. */
static void be_refused(void)
{
	put_file(GUARD "/fail/task-filter", "Y");
	put_file(GUARD "/fail/probability", "20");
	put_file(GUARD "/fail/times", "100");
	put_file(GUARD "/fail/verbose", "2");
	put_file("/proc/self/make-it-fail", "1");
	put_file(GUARD "/fail/at", "tree_trylock");
}

/* Write the piece in front of the block that is added. */
static void write_in_front(void)
{
	static char data[TURN_PIECE];
	struct iovec piece = { .iov_base = data, .iov_len = sizeof(data) };
	int fd = open(NOCOW_FILE, O_RDWR);

	if (option_number("alone", 0))
		be_refused();
	if (fd < 0 || setresuid(65534, 65534, 65534))
		die("becoming a user without privileges");
	for (;;) {
		long turn = __atomic_load_n(added, __ATOMIC_RELAXED) / (CSUM_BLOCKS - CSUM_BEFORE);
		off_t at = (turn > 0 && turn < TURNS ? turn - 1 : 0) * TURN_PIECE;

		if (pwritev2(fd, &piece, 1, at, RWF_NOWAIT) > 0)
			counts->written++;
		else if (errno == EAGAIN)
			counts->again++;
		else if (errno == EDQUOT)
			counts->refused++;
		else
			die("writing without waiting");
	}
}

static long tried(void)
{
	return counts->written + counts->again + counts->refused;
}

static void run_next_leaf(void)
{
	pid_t writer, adders[2];

	share_counts();
	added = (long *)(counts + 1);
	mount_disk(NULL);
	make_subvol("sub");
	make_files_in_turn();
	/* Newer kernels take quota for each page of a piece; who gets none asks the tree. */
	limit_quota(0);
	open_log();
	writer = spawn(write_in_front);
	if (option_number("alone", 0)) {
		bool hit = false;

		for (double limit = now() + 20; (!hit || tried() < 20) && now() < limit;
		     usleep(10000))
			hit |= log_has_call("btrfs_next_old_leaf", "btrfs_try_tree_read_lock");
		check("hit", hit, 1);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(adders); i++)
			adders[i] = spawn(add_csums);
		for (size_t i = 0; i < ARRAY_SIZE(adders); i++)
			wait_for(adders[i]);
	}
	stop_worker(writer);
	verdict("next_leaf: %ld written, %ld EAGAIN, %ld EDQUOT", counts->written,
		counts->again, counts->refused);
	check("tried", tried(), 20);
	umount_disk();
}

const struct workload load_workloads[] = {
	{ "mount_cycles", run_mount_cycles },
	{ "killed", run_killed },
	{ "remount_ro", run_remount_ro },
	{ "nowait", run_nowait },
	{ "next_leaf", run_next_leaf },
	{ "tree_log", run_tree_log },
	{ NULL, NULL }
};
