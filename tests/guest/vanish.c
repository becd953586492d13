// SPDX-License-Identifier: GPL-2.0
/*
 * vanish: disks go away under load, as if they were pulled out: their PCI device is
 * removed, and comes back by a new scan of the bus.  Of two disks that have all first
 * the second one goes, and the file system goes on; then both, and all fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include "guest.h"

#define FILES		300
#define FORCED		20
#define BOTH_DISKS	"device=/dev/vdb"

/* What tasks of the load have done, and whether they may fail now. */
struct load {
	long changes, refused;
	bool may_fail;
};

static struct load *load;

static void change_until_it_fails(void)
{
	for (int i = 0; ; i++) {
		char path[64];

		snprintf(path, sizeof(path), MNT "/d/f%06d", i % FILES);
		if (!setxattr(path, "user.round", &i, sizeof(i), 0)) {
			__atomic_fetch_add(&load->changes, 1, __ATOMIC_RELAXED);
			continue;
		}
		if (!load->may_fail)
			die("changing %s", path);
		__atomic_fetch_add(&load->refused, 1, __ATOMIC_RELAXED);
		usleep(1000);
	}
}

static void commit_and_read(void)
{
	for (;;) {
		int fd = open(MNT, O_RDONLY);

		if ((fd < 0 || ioctl(fd, BTRFS_IOC_SYNC)) && !load->may_fail)
			die("syncing");
		close(fd);
		reclaim();
		read_tree(MNT "/d");
	}
}

static bool wait_until_above(const long *count, long limit)
{
	double end = now() + 20;

	while (__atomic_load_n(count, __ATOMIC_RELAXED) <= limit && now() < end)
		usleep(2000);
	return __atomic_load_n(count, __ATOMIC_RELAXED) > limit;
}

static void pull_out(const char *disk)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/%s/device/../remove", disk);
	put_file(path, "1");
	snprintf(path, sizeof(path), "/sys/block/%s", disk);
	if (!access(path, F_OK))
		die("%s is still there", disk);
}

/* All disks are there again, and btrfs knows nothing of them. */
static void put_in(void)
{
	int control = open("/dev/btrfs-control", O_RDWR);
	struct btrfs_ioctl_vol_args all = { 0 };

	put_file("/sys/bus/pci/rescan", "1");
	for (int i = 0; i < 200 && (access("/dev/vda", F_OK) || access("/dev/vdb", F_OK)); i++)
		usleep(20000);
	if (control < 0 || ioctl(control, BTRFS_IOC_FORGET_DEV, &all))
		die("forgetting all disks");
	close(control);
}

static const char *forced_path(int round, int i)
{
	static char path[64];

	snprintf(path, sizeof(path), MNT "/forced%d.%02d", round, i);
	return path;
}

static void force_files(int round)
{
	for (int i = 0; i < FORCED; i++) {
		const char *path = forced_path(round, i);
		int fd = open(path, O_CREAT | O_RDWR, 0644);

		if (fd < 0 || write(fd, path, strlen(path)) != (ssize_t)strlen(path) || fsync(fd))
			die("forcing %s", path);
		close(fd);
	}
}

/* How many of the files that were forced in this round are what they were. */
static long forced_files(int round)
{
	long right = 0;

	for (int i = 0; i < FORCED; i++) {
		const char *path = forced_path(round, i);
		char text[64];

		right += get_file(path, text, sizeof(text)) > 0 && !strcmp(text, path);
	}
	return right;
}

/* One round of it; returns whether the load met what it should. */
static bool lose_disks(int round, bool both)
{
	pid_t tasks[3];
	long before;
	bool met;

	load->may_fail = both;
	for (int i = 0; i < 3; i++)
		tasks[i] = spawn(i < 2 ? change_until_it_fails : commit_and_read);
	wait_until_above(&load->changes, load->changes + 50);
	force_files(round);
	pull_out("vdb");
	if (both)
		pull_out("vda");
	before = both ? load->refused : load->changes;
	met = wait_until_above(both ? &load->refused : &load->changes, before + 50);
	for (int i = 0; i < 3; i++)
		stop_worker(tasks[i]);
	umount_disk();
	return met;
}

static void run_vanish(void)
{
	int rounds = option_number("rounds", 8);
	long went_on = 0, failed = 0, right = 0, whole = 0;

	load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load == MAP_FAILED)
		die("sharing memory");
	mount_disk(BOTH_DISKS);
	make_files(MNT "/d", 0, FILES);
	sync_fs();
	for (int round = 0; round < rounds; round++) {
		bool both = round & 1;

		*(both ? &failed : &went_on) += lose_disks(round, both);
		if (!both) {
			/* From the good one alone. */
			mount_disk("degraded");
			right += forced_files(round);
			whole += read_tree(MNT "/d") >= FILES;
			umount_disk();
		}
		put_in();
		mount_disk(BOTH_DISKS);
		right += forced_files(round);
		whole += read_tree(MNT "/d") >= FILES;
	}
	umount_disk();
	check("went_on_with_one_disk", went_on, rounds / 2);
	check("failed_without_disks", failed, rounds / 2);
	check("forced_files", right, (rounds + rounds / 2) * FORCED);
	check("whole_after_mount", whole, rounds + rounds / 2);
	check("buffers_freed", !guarded() || buffers_gone(), 1);
	check_stat("reads", 200);
	check_stat("writes", 200);
}

const struct workload vanish_workloads[] = {
	{ "vanish", run_vanish },
	{ NULL, NULL }
};
