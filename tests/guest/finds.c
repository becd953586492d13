// SPDX-License-Identifier: GPL-2.0
/*
 * Ways out of an error that are taken only if one certain caller of a function
 * meets it.  Each workload does the same again and again, and each time a later
 * one of the allocations that may fail does, until it is one of that function for
 * that caller.  The kernel shows the stack of each; its filter for callers is not
 * to be had on x86-64.
 *
 * On the first two of them, and in dummy_buffer, the unbroken btrfs makes a mistake, on
 * the others it makes none.  In the last one nothing fails: it meets another mistake, of
 * some kernels.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include "guest.h"

/* Enough for a tree of three levels, with nodes of 4096 bytes. */
#define SUB_FILES	600

/* No way takes as many. */
#define MOST_TURNS	1000

/* Only allocations of the caches of slub_debug=A,<caches> may fail. */
static void allow_faults(void)
{
	put_file(DEBUGFS "/failslab/verbose", "2");
	put_file(DEBUGFS "/failslab/ignore-gfp-wait", "N");
	put_file(DEBUGFS "/failslab/cache-filter", "Y");
	/* fail-nth counts all kinds of faults; these are none. */
	put_file(DEBUGFS "/fail_page_alloc/min-order", "20");
	open_nth();
	open_log();
}

/*
 * A subvolume and a snapshot of it: what is below their roots is shared, so that
 * relocation copies a node for one of them, and then has to put the copy into the
 * other one's tree in place of the old subtree.
 */
static void make_shared_tree(void)
{
	make_subvol("sub");
	make_files(MNT "/sub/d", 0, SUB_FILES);
	sync_fs();
	make_snapshot("sub", "snap", false);
	touch_files(MNT "/sub/d", 0, 10, 1);
	sync_fs();
}

/* A file system that can be written, whatever the last turn did to it. */
static void mount_again(void)
{
	umount_disk();
	mount_disk("commit=300,skip_balance");
	path_ioctl(MNT, BTRFS_IOC_BALANCE_CTL, (void *)BTRFS_BALANCE_CTL_CANCEL);
}

/* Is there an end of reading, or does a task wait for a lock that nobody gives back? */
static bool readable(void)
{
	pid_t reader;

	reclaim();
	reader = fork();
	if (reader < 0)
		die("fork");
	if (reader == 0) {
		read_tree(MNT);
		_exit(0);
	}
	for (double limit = now() + 10; now() < limit; usleep(20000)) {
		int status;

		if (waitpid(reader, &status, WNOHANG) == reader)
			return status == 0;
	}
	return false;
}

/* What is done until @callee fails when it is called by @caller. */
struct way {
	const char *caller, *callee;
	void (*prepare)(void);
	/* In each turn, where no allocation fails; it may be NULL. */
	void (*before)(int turn);
	void (*run)(int turn);
	/* So many files must be readable at the end. */
	long files;
	/* If the transaction goes on, then nobody needed what could not be had. */
	bool aborts;
};

static bool aborted(void)
{
	return mkdir(MNT "/probe", 0755) || rmdir(MNT "/probe");
}

/*
 * Until the way was gone or there are no more allocations that could fail; with
 * step=0 it is always the same one that does, by chance on that way.  Returns how
 * many turns that took.
 */
static int turns_until(const struct way *way, bool *hit)
{
	int step = option_number("step", 1), turns = 0, left = 0;

	for (int nth = 1; !*hit && (!step || !left) && turns < MOST_TURNS; nth += step) {
		mount_again();
		if (way->before)
			way->before(turns);
		log_has_call("", "");
		arm_nth(nth);
		way->run(turns);
		left = nth_left();
		arm_nth(0);
		turns++;
		*hit = log_has_call(way->caller, way->callee) &&
		       (!way->aborts || aborted());
	}
	return turns;
}

/* The way of an error, and whether the file system can be used after it. */
static void go(const struct way *way)
{
	bool hit = false;

	mount_disk("commit=300,skip_balance");
	way->prepare();
	allow_faults();
	verdict("turns %d", turns_until(way, &hit));
	check("hit", hit, 1);
	check("readable", readable(), 1);
	umount_disk();
	mount_disk(NULL);
	check("files_read", read_tree(MNT), way->files);
	umount_disk();
}

static void relocate(int turn)
{
	(void)turn;
	balance_chunks(BTRFS_BALANCE_METADATA, NULL);
}

/* drop_subtree: btrfs_drop_subtree() has no memory for its path. */
static void run_drop_subtree(void)
{
	static const struct way way = {
		.caller = "btrfs_drop_subtree+", .callee = "btrfs_alloc_path+",
		.prepare = make_shared_tree, .run = relocate, .files = 2 * SUB_FILES,
	};

	go(&way);
}

/* reloc_ref: do_relocation() can't count its reference of the copy. */
static void run_reloc_ref(void)
{
	static const struct way way = {
		.caller = "do_relocation+", .callee = "btrfs_inc_extent_ref+",
		.prepare = make_shared_tree, .run = relocate, .files = 2 * SUB_FILES,
	};

	go(&way);
}

#define FEW_FILES	60
#define SNAPSHOTS	40

/* Few blocks of many trees: most of relocating them is to merge the trees. */
static void make_many_trees(void)
{
	char name[32];

	make_subvol("sub");
	make_files(MNT "/sub/d", 0, FEW_FILES);
	sync_fs();
	for (int i = 0; i < SNAPSHOTS; i++) {
		snprintf(name, sizeof(name), "snap%d", i);
		make_snapshot("sub", name, false);
	}
	sync_fs();
}

/* replace_path: relocation can't copy a block of the tree that it merges into. */
static void run_replace_path(void)
{
	static const struct way way = {
		.caller = "replace_path+", .callee = "btrfs_cow_block+",
		.prepare = make_many_trees, .run = relocate,
		.files = (SNAPSHOTS + 1) * FEW_FILES,
	};

	go(&way);
}

/* New names, in blocks that the snapshot of this turn has as well. */
static void share(int turn)
{
	char name[32];

	snprintf(name, sizeof(name), "again%d", turn);
	make_snapshot("sub", name, false);
	sync_fs();
}

static void create(int turn)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), MNT "/sub/new%d", turn);
	fd = open(path, O_CREAT | O_RDWR, 0644);
	if (fd >= 0)
		close(fd);
}

/* cow_shared: a block that is to be copied is shared, and who has it can't be asked. */
static void run_cow_shared(void)
{
	static const struct way way = {
		.caller = "update_ref_for_cow+", .callee = "btrfs_lookup_extent_info+",
		.prepare = make_shared_tree, .before = share, .run = create,
		.files = 2 * SUB_FILES,
	};

	go(&way);
}

static void snapshot(int turn)
{
	struct btrfs_ioctl_vol_args_v2 args = { .fd = open(MNT "/sub", O_RDONLY) };

	snprintf(args.name, sizeof(args.name), "copy%d", turn);
	path_ioctl(MNT, BTRFS_IOC_SNAP_CREATE_V2, &args);
	close(args.fd);
}

/* copy_root: a snapshot needs a copy of the root, whose references can't be counted. */
static void run_copy_root(void)
{
	static const struct way way = {
		.caller = "btrfs_copy_root+", .callee = "btrfs_inc_ref+",
		.prepare = make_shared_tree, .run = snapshot,
		.files = 2 * SUB_FILES,
	};

	go(&way);
}

static uint64_t some_extent;

static void find_extent(const char *path)
{
	struct btrfs_file_extent_item item;
	uint64_t offset = 0;
	struct stat st;

	if (stat(path, &st) || !find_item(BTRFS_FS_TREE_OBJECTID, st.st_ino,
					  BTRFS_EXTENT_DATA_KEY, &offset, &item, sizeof(item)))
		die("looking for the extent of %s", path);
	some_extent = item.disk_bytenr;
}

#define CLONES		200
#define CLONED		65536

/* One extent, which many files have. */
static void make_clones(void)
{
	struct file_clone_range range = { .src_length = CLONED };
	int from;

	make_data_file(MNT "/data", CLONED);
	sync_fs();
	from = open(MNT "/data", O_RDONLY);
	range.src_fd = from;
	for (int i = 0; i < CLONES; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), MNT "/clone%d", i);
		fd = open(path, O_CREAT | O_RDWR, 0644);
		if (fd < 0 || ioctl(fd, FICLONERANGE, &range))
			die("cloning a file");
		close(fd);
	}
	close(from);
	sync_fs();
	find_extent(MNT "/data");
}

/* Ask whose an extent is: as long as that takes, changes of nodes are logged. */
static void ask(void)
{
	static char inodes[65536];
	struct btrfs_ioctl_logical_ino_args args = {
		.logical = some_extent, .size = sizeof(inodes), .inodes = (uintptr_t)inodes,
	};

	for (;;)
		path_ioctl(MNT, BTRFS_IOC_LOGICAL_INO, &args);
}

/* More items than fit into a tree of two levels, each behind all others. */
#define ITEMS		9000

static pid_t asker;
static int growing;

static void start_asking(int turn)
{
	char path[64];

	snprintf(path, sizeof(path), "grown%d", turn);
	make_subvol(path);
	snprintf(path, sizeof(path), MNT "/grown%d/file", turn);
	growing = open(path, O_CREAT | O_RDWR, 0644);
	if (growing < 0)
		die("creating %s", path);
	asker = spawn(ask);
}

static void grow(int turn)
{
	(void)turn;
	for (off_t i = 0; i < ITEMS; i++)
		if (fallocate(growing, 0, i * 8192, 4096))
			break;
	stop_worker(asker);
	close(growing);
}

/* split_node: a node is split, which is to be logged, and there is no memory for it. */
static void run_split_node(void)
{
	static const struct way way = {
		.caller = "split_node+", .callee = "btrfs_tree_mod_log_eb_copy+",
		.prepare = make_clones, .before = start_asking, .run = grow,
		.files = CLONES, .aborts = true,
	};

	go(&way);
}

/* A mount whose @nth allocation fails; whether it has so many. */
static bool mount_without(int nth)
{
	bool mounted, had;

	arm_nth(nth);
	mounted = try_mount_disk(NULL);
	had = !nth_left();
	arm_nth(0);
	if (mounted)
		umount_disk();
	return had;
}

/*
 * dummy_buffer: a mount copies the super block into a buffer of no tree, to read chunks
 * from it, and there is no memory for what a page keeps that is larger than a block.
 */
static void run_dummy_buffer(void)
{
	char callee[64];
	bool hit = false;
	int nth = 1;

	snprintf(callee, sizeof(callee), "%s+", option("callee", "alloc_dummy_extent_buffer"));
	mount_disk(NULL);
	make_files(MNT "/d", 0, FEW_FILES);
	umount_disk();
	allow_faults();
	log_has_call("", "");
	while (!hit && mount_without(nth++))
		hit = log_has_call("btrfs_read_sys_array+", callee);
	verdict("turns %d", nth - 1);
	check("hit", hit, 1);
	mount_disk(NULL);
	check("files_read", read_tree(MNT), FEW_FILES);
	umount_disk();
}

/* Blocks that are read, or written, at this moment. */
static long io_in_flight(void)
{
	return stat_value("reads") + stat_value("writes") - stat_value("io_ends");
}

/* Somebody takes the first @wanted bytes, and closes the pipe. */
static void take_bytes(int from, size_t wanted)
{
	char buffer[1024];
	ssize_t len;

	for (size_t taken = 0; taken < wanted; taken += len) {
		len = read(from, buffer, sizeof(buffer));
		if (len <= 0)
			break;
	}
}

/*
 * Send a snapshot to somebody who does not want more than its beginning: sending
 * ends while what comes next is read ahead.
 */
static void send_beginning(size_t wanted)
{
	struct btrfs_ioctl_send_args args = { 0 };
	int ends[2], fd = open(MNT "/snap", O_RDONLY);
	pid_t taker;

	if (fd < 0 || pipe(ends))
		die("preparing to send");
	taker = fork();
	if (taker < 0)
		die("fork");
	if (taker == 0) {
		close(ends[1]);
		take_bytes(ends[0], wanted);
		_exit(0);
	}
	close(ends[0]);
	args.send_fd = ends[1];
	if (!ioctl(fd, BTRFS_IOC_SEND, &args))
		die("all was sent");
	close(ends[1]);
	close(fd);
	waitpid(taker, NULL, 0);
}

/*
 * reads_at_unmount: the file system goes while blocks of it are read ahead.  The
 * disk is so slow that they take longer than all that an unmount has to do.
 */
static void run_reads_at_unmount(void)
{
	bool hit = false;

	signal(SIGPIPE, SIG_IGN);
	mount_disk("commit=300");
	make_subvol("sub");
	make_files(MNT "/sub/d", 0, SUB_FILES);
	make_snapshot("sub", "snap", true);
	umount_disk();
	for (int turn = 0; turn < 10; turn++) {
		mount_disk("commit=300");
		send_beginning(4096 * (1 + turn));
		if (!hit && io_in_flight() > 0) {
			hit = true;
			check("hit", 1, 1);
		}
		umount_disk();
	}
	if (!hit)
		check("hit", 0, 1);
	mount_disk(NULL);
	check("files_read", read_tree(MNT), 2 * SUB_FILES);
	umount_disk();
}

const struct workload find_workloads[] = {
	{ "drop_subtree", run_drop_subtree },
	{ "reloc_ref", run_reloc_ref },
	{ "replace_path", run_replace_path },
	{ "cow_shared", run_cow_shared },
	{ "copy_root", run_copy_root },
	{ "split_node", run_split_node },
	{ "dummy_buffer", run_dummy_buffer },
	{ "reads_at_unmount", run_reads_at_unmount },
	{ NULL, NULL }
};
