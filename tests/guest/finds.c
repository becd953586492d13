// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes of the unbroken btrfs that the guard has found: each workload goes the
 * way on which one of them is made, and says whether it was reached.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include "guest.h"

/* Enough for a tree of three levels, with nodes of 4096 bytes. */
#define SUB_FILES	600

/* More allocations than one balance makes. */
#define NEVER		1000000

static int fail_nth = -1;
static int kernel_log = -1;

/* Only allocations of the caches of slub_debug=A,<caches> may fail. */
static void allow_faults(void)
{
	put_file(DEBUGFS "/failslab/verbose", "2");
	put_file(DEBUGFS "/failslab/ignore-gfp-wait", "N");
	put_file(DEBUGFS "/failslab/cache-filter", "Y");
	/* fail-nth counts all kinds of faults; these are none. */
	put_file(DEBUGFS "/fail_page_alloc/min-order", "20");
	fail_nth = open("/proc/self/fail-nth", O_RDWR);
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (fail_nth < 0 || kernel_log < 0)
		die("preparing for faults");
}

static void arm(int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	if (pwrite(fail_nth, text, len, 0) != len)
		die("arming the fault");
}

/* How many allocations are left until the fault; 0 if it has been. */
static int disarm(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		die("asking for the fault");
	arm(0);
	return atoi(text);
}

/*
 * What the kernel has said since the last call: was @callee called by @caller
 * in a stack that it showed?
 */
static bool log_has_call(const char *caller, const char *callee)
{
	bool found = false, below = false;
	char line[8192];
	ssize_t len;

	while ((len = read(kernel_log, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		char *text;

		if (len < 0)
			continue;
		line[len] = 0;
		text = strchr(line, ';');
		if (!text)
			continue;
		text += 1 + strspn(text + 1, " ");
		if (*text == '?')
			continue;
		found |= below && !strncmp(text, caller, strlen(caller));
		below = !strncmp(text, callee, strlen(callee));
	}
	return found;
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

/* Can all files be read, or does a task wait for a lock that nobody gives back? */
static bool readable(void)
{
	pid_t reader;

	reclaim();
	reader = fork();
	if (reader < 0)
		die("fork");
	if (reader == 0)
		_exit(read_tree(MNT) < 2 * SUB_FILES);
	for (double limit = now() + 10; now() < limit; usleep(20000)) {
		int status;

		if (waitpid(reader, &status, WNOHANG) == reader)
			return status == 0;
	}
	return false;
}

/*
 * Metadata is relocated, again and again, and each time a later allocation of
 * those that may fail does, until it is one for @callee when @caller calls it.
 */
static void relocate_until(const char *caller, const char *callee)
{
	int first = option_number("first", 1), step = option_number("step", 1);
	int allocations, turns = 0;
	bool hit = false;

	mount_disk("commit=300,skip_balance");
	make_shared_tree();
	allow_faults();
	arm(NEVER);
	if (balance_chunks(BTRFS_BALANCE_METADATA, NULL))
		die("balancing metadata");
	allocations = NEVER - disarm();
	for (int nth = first; nth < allocations && !hit; nth += step) {
		mount_again();
		log_has_call("", "");
		arm(nth);
		balance_chunks(BTRFS_BALANCE_METADATA, NULL);
		disarm();
		turns++;
		hit = log_has_call(caller, callee);
	}
	verdict("the last of %d turns, of %d allocations", turns, allocations);
	check("hit", hit, 1);
	check("readable", readable(), 1);
	umount_disk();
	mount_disk(NULL);
	check("files_read", read_tree(MNT), 2 * SUB_FILES);
	umount_disk();
}

/* drop_subtree: btrfs_drop_subtree() has no memory for its path. */
static void run_drop_subtree(void)
{
	relocate_until("btrfs_drop_subtree+", "btrfs_alloc_path+");
}

/* reloc_ref: do_relocation() can't count its reference of the copy. */
static void run_reloc_ref(void)
{
	relocate_until("do_relocation+", "btrfs_inc_extent_ref+");
}

const struct workload find_workloads[] = {
	{ "drop_subtree", run_drop_subtree },
	{ "reloc_ref", run_reloc_ref },
	{ NULL, NULL }
};
