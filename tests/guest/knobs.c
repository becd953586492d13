// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads about the guard's knobs: turned, read and re-armed under load.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "guest.h"

#define CLEAR_WARN_ONCE	DEBUGFS "/clear_warn_once"

/* With nodes of 4096 bytes some dozen leaves, each to be read again. */
#define OWNED_FILES	300

static void make_load(void)
{
	for (int round = 0;; round++) {
		char dir[64];

		snprintf(dir, sizeof(dir), MNT "/load%d", round % 4);
		make_files(dir, 0, 60);
		sync_fs();
		reclaim();
		read_tree(dir);
		remove_files(dir, 20, 20);
	}
}

/* toggle: off and on, at any moment of a buffer's life, a few hundred times. */
static void run_toggle(void)
{
	int turns = option_number("rounds", 300);
	const char *level = strdup(option("level", "on"));
	long before;
	pid_t load;

	if (!guarded())
		die("there is no guard to turn off and on");
	mount_disk(NULL);
	load = spawn(make_load);
	for (int i = 0; i < turns; i++) {
		put_file(PARAMS "/eb_debug", "off");
		usleep(5000 + i * 13 % 10000);
		put_file(PARAMS "/eb_debug", level);
		usleep(5000 + i * 7 % 20000);
	}
	stop_worker(load);
	before = stat_value("events");
	make_files(MNT "/after", 0, 50);
	sync_fs();
	reclaim();
	read_tree(MNT);
	umount_disk();
	check("turns", turns, 200);
	check("events_afterwards", stat_value("events") - before, 100);
	check_stat("unknown", 1);
}

/* Read one file of the guard's directory to its end; how many bytes it had. */
static long read_through(const char *name)
{
	char path[128], buf[4096];
	long sum = 0, got;
	int fd;

	snprintf(path, sizeof(path), GUARD "/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		die("opening %s", path);
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		sum += got;
	if (got < 0)
		die("reading %s", path);
	close(fd);
	return sum;
}

static void read_debugfs(void)
{
	for (;;) {
		read_through("buffers");
		read_through("stats");
		read_through("coverage");
		read_through("owners");
	}
}

/* The oldest buffer that is there is dumped; one that is not there is refused. */
static void dump_buffer(void)
{
	static char text[4096];
	int fd = open(GUARD "/buffers", O_RDONLY);
	char verb[64];

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die("reading buffers");
	close(fd);
	snprintf(verb, sizeof(verb), "dump=%.*s", (int)strcspn(text + 6, " "), text + 6);
	mark("dump of %s", verb + 5);
	put_file(GUARD "/owners", verb);
	if (try_put_file(GUARD "/owners", "dump=1") || errno != ENOENT)
		die("a buffer that is not there is dumped");
}

/* What was held at the baseline is not told, until that is cleared. */
static void subtract_owners(void)
{
	long all = read_through("owners"), less;

	put_file(GUARD "/owners", "baseline");
	less = read_through("owners");
	put_file(GUARD "/owners", "clear");
	check("owners_told", all, 100);
	check("owners_subtracted", all - less, 50);
	check("owners_told_again", read_through("owners"), 100);
}

/* debugfs: its files are read all the time, through load, unmount and mount. */
static void run_debugfs(void)
{
	int cycles = option_number("rounds", 8);
	pid_t reader = spawn(read_debugfs);
	long live = 0;

	for (int i = 0; i < cycles; i++) {
		char dir[64];
		long bytes;

		mount_disk(NULL);
		snprintf(dir, sizeof(dir), MNT "/d%d", i);
		make_files(dir, 0, 60);
		sync_fs();
		reclaim();
		read_tree(MNT);
		dump_buffer();
		subtract_owners();
		bytes = read_through("buffers");
		live = bytes > live ? bytes : live;
		umount_disk();
	}
	stop_worker(reader);
	check("bytes_of_buffers", live, 200);
	check("bytes_of_stats", read_through("stats"), 200);
	check("bytes_of_coverage", read_through("coverage"), 100);
	check("buffers_gone", buffers_gone(), 1);
}

/* Who holds a reference of this kind now, by "owners"; false if nobody does. */
static bool owner_of_kind(const char *kind, char *site, size_t size)
{
	static char all[65536];
	char *line, *rest = all;
	char what[64];

	snprintf(what, sizeof(what), "kind=%s site=", kind);
	if (get_file(GUARD "/owners", all, sizeof(all)) < 0)
		die("reading owners");
	while ((line = strsep(&rest, "\n"))) {
		char *at = strstr(line, what);

		if (!at)
			continue;
		at += strlen(what);
		snprintf(site, size, "%.*s", (int)strcspn(at, " "), at);
		return true;
	}
	return false;
}

static void change_and_forget(void)
{
	for (int round = 0;; round++) {
		reclaim();
		touch_files(MNT "/d", 0, OWNED_FILES, round);
	}
}

/* What was noted before the guard was off is not told of a structure that has it still. */
static void forget_structures(void)
{
	char site[64];

	sync_fs();
	check("commit_root_told", owner_of_kind("commit_root", site, sizeof(site)), 1);
	put_file(PARAMS "/eb_debug", "off");
	put_file(PARAMS "/eb_debug", "on");
	check("commit_root_forgotten", !owner_of_kind("commit_root", site, sizeof(site)), 1);
	check("tree_told", owner_of_kind("tree", site, sizeof(site)), 1);
}

/*
 * owners: the disk is slow, so that a transaction handle is often held up by a
 * read, and what both hold is seen.  The kinds in want= must be.
 */
static void run_owners(void)
{
	char *kind, *rest = strdup(option("want", "tree"));
	pid_t load;

	mount_disk(NULL);
	make_files(MNT "/d", 0, OWNED_FILES);
	sync_fs();
	load = spawn(change_and_forget);
	while ((kind = strsep(&rest, ","))) {
		double limit = now() + 60;
		char name[32], site[64];
		bool seen;

		while (!(seen = owner_of_kind(kind, site, sizeof(site))) && now() < limit)
			usleep(2000);
		if (seen)
			verdict("owner_%s %s", kind, site);
		snprintf(name, sizeof(name), "seen_%s", kind);
		check(name, seen, 1);
	}
	stop_worker(load);
	forget_structures();
	umount_disk();
}

static void read_again(void)
{
	reclaim();
	read_tree(MNT);
}

/*
 * rearm: needs a mutant that each read shows.  A report comes once, again
 * after clear_warn_once, and again with each mount.
 */
static void run_rearm(void)
{
	mark("phase first-mount");
	mount_disk(NULL);
	make_files(MNT "/d", 0, 200);
	sync_fs();
	mark("phase more-reads");
	read_again();
	read_again();
	mark("phase clear-warn-once");
	put_file(CLEAR_WARN_ONCE, "1");
	read_again();
	read_again();
	mark("phase second-mount");
	umount_disk();
	mount_disk(NULL);
	read_again();
	umount_disk();
	mark("phase end");
	check("reads", stat_value("reads"), 10);
}

/*
 * module_cycle: btrfs.ko is unloaded and loaded again between mounts; but for the first
 * time while its trace events are enabled, and at last with the guard turned off.
 */
static void run_module_cycle(void)
{
	int cycles = option_number("rounds", 3);
	long events = 0;

	for (int i = 0; i < cycles; i++) {
		if (!load_modules())
			die("btrfs is not a module");
		if (i)
			check("events_enabled", enable_events(true), 20);
		mount_disk(NULL);
		make_files(MNT "/d", 0, 100);
		sync_fs();
		read_again();
		umount_disk();
		events = stat_value("events");
		check("events", events, 100);
		if (i == cycles - 1)
			put_file(PARAMS "/eb_debug", "off");
		if (syscall(SYS_delete_module, "btrfs", O_NONBLOCK))
			die("unloading btrfs");
		check("debugfs_gone", access(GUARD, F_OK) != 0, 1);
		check("events_gone", access(EVENTS, F_OK) != 0, 1);
	}
	load_modules();
	mount_disk(NULL);
	umount_disk();
	check("cycles", cycles, 1);
}

const struct workload knob_workloads[] = {
	{ "toggle", run_toggle },
	{ "debugfs", run_debugfs },
	{ "owners", run_owners },
	{ "rearm", run_rearm },
	{ "module_cycle", run_module_cycle },
	{ NULL, NULL }
};
