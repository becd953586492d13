// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads about lifetimes that end under load: of the module, of CPUs, of many file
 * systems beside each other, and of one that is frozen.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/fs.h>
#include "guest.h"
#include "mapper.h"

/* What tasks that are stopped leave behind for their parent. */
struct seen {
	long changes, reads, absent, pinned;
};

static struct seen *seen;

static void share_seen(void)
{
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	if (seen == MAP_FAILED)
		die("sharing memory");
}

static void one_more(long *count)
{
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

static long so_far(const long *count)
{
	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

/* Wait until there are @more of them; false if that takes very long. */
static bool wait_for_more(const long *count, long more)
{
	long want = so_far(count) + more;
	double limit = now() + 20;

	while (so_far(count) < want && now() < limit)
		usleep(5000);
	return so_far(count) >= want;
}

/* One file of the guard from its beginning to its end; false if there is none now. */
static bool read_file_of_guard(const char *name)
{
	char path[128], buf[4096];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), GUARD "/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		/* Between a module that goes and one that has gone it is ENXIO. */
		if (errno != ENOENT && errno != ENXIO)
			die("opening %s", path);
		return false;
	}
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		;
	if (got < 0)
		die("reading %s", path);
	close(fd);
	return true;
}

static void read_guard(void)
{
	static const char * const files[] = { "stats", "coverage", "buffers", "owners" };

	for (size_t i = 0;; i++) {
		one_more(read_file_of_guard(files[i % ARRAY_SIZE(files)]) ?
			 &seen->reads : &seen->absent);
		/* Who has it open holds the module. */
		usleep(2000);
	}
}

/* What the kernel holds, in kB, when all that can be reclaimed is. */
static long kernel_memory(void)
{
	static const char * const kinds[] = {
		"Slab:", "VmallocUsed:", "Percpu:", "KernelStack:", "PageTables:",
	};
	char all[4096], *line, *rest = all;
	long sum = 0;

	for (int i = 0; i < 3; i++) {
		put_file("/proc/sys/vm/drop_caches", "3");
		usleep(300000);
	}
	if (get_file("/proc/meminfo", all, sizeof(all)) < 0)
		die("reading /proc/meminfo");
	while ((line = strsep(&rest, "\n")))
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			if (!strncmp(line, kinds[i], strlen(kinds[i])))
				sum += atol(line + strlen(kinds[i]));
	return sum;
}

/* Unload btrfs as soon as nobody reads; how often somebody did. */
static long unload(void)
{
	long refused = 0;
	double limit = now() + 30;

	while (syscall(SYS_delete_module, "btrfs", O_NONBLOCK)) {
		if (errno != EWOULDBLOCK || now() > limit)
			die("unloading btrfs");
		refused++;
		usleep(1000);
	}
	return refused;
}

/* What cycles have seen. */
struct cycles {
	long events, refused;
};

static void module_cycle(int cycle, struct cycles *sum)
{
	char dir[64];

	if (!load_modules())
		die("btrfs is not a module");
	mount_disk(NULL);
	snprintf(dir, sizeof(dir), MNT "/d%d", cycle % 8);
	make_files(dir, 0, 40);
	sync_fs();
	reclaim();
	read_tree(dir);
	umount_disk();
	sum->events += stat_value("events");
	sum->refused += unload();
	if (!access(GUARD, F_OK))
		die("the guard's files outlive their module in cycle %d", cycle);
	if (!wait_for_more(&seen->absent, 1))
		die("nobody looks for the guard's files");
}

/* Some cycles under readers; what the kernel holds at their end. */
static long module_cycles(int first, int end, struct cycles *sum)
{
	pid_t readers[2] = { spawn(read_guard), spawn(read_guard) };

	for (int i = first; i < end; i++)
		module_cycle(i, sum);
	stop_worker(readers[0]);
	stop_worker(readers[1]);
	return kernel_memory();
}

/* After so many cycles all that is kept for the next time is there. */
#define SETTLED		20

/* What the kernel's own caches differ by, in kB. */
#define GROWTH		512

/*
 * module_life: btrfs.ko is loaded and unloaded while two tasks read the guard's files all
 * the time, and each time a file system comes and goes.  Nothing of it stays.
 */
static void run_module_life(void)
{
	int cycles = option_number("rounds", 100);
	struct cycles sum = { 0 };
	long growth;

	share_seen();
	growth = -module_cycles(0, SETTLED, &sum);
	growth += module_cycles(SETTLED, cycles, &sum);
	load_modules();
	mount_disk(NULL);
	read_tree(MNT);
	umount_disk();
	check("cycles", cycles, SETTLED + 2);
	check("events", sum.events, cycles * 100L);
	check("reads_of_files", seen->reads, cycles * 10L);
	check("files_absent", seen->absent, cycles);
	check("unloads_refused", sum.refused, 1);
	verdict("memory_growth %ld", growth);
	check("memory_did_not_grow", growth <= GROWTH, 1);
}

static void change_for_ever(void)
{
	char path[64], other[80];

	for (int i = getpid();; i++) {
		snprintf(path, sizeof(path), MNT "/d/f%06d", i % 400);
		snprintf(other, sizeof(other), "%s.%d", path, getpid());
		if (setxattr(path, "user.round", &i, sizeof(i), 0) && errno != ENOENT)
			die("changing %s", path);
		/* The other task may be at the same name. */
		if (!rename(path, other) && rename(other, path))
			die("renaming %s", path);
		one_more(&seen->changes);
	}
}

static void read_for_ever(void)
{
	for (;;) {
		reclaim();
		read_tree(MNT);
		one_more(&seen->reads);
	}
}

static void start_load(pid_t *tasks)
{
	share_seen();
	mount_disk(NULL);
	make_files(MNT "/d", 0, 400);
	sync_fs();
	tasks[0] = spawn(change_for_ever);
	tasks[1] = spawn(change_for_ever);
	tasks[2] = spawn(read_for_ever);
}

static void end_load(const pid_t *tasks)
{
	for (int i = 0; i < 3; i++)
		stop_worker(tasks[i]);
	check("files_read", read_tree(MNT), 400);
	umount_disk();
	check("buffers_freed", !guarded() || buffers_gone(), 1);
}

#define TASKS		CGROUP "/tasks"

/* Stop all tasks of the load where they are, or let them go on. */
static void freeze_tasks(bool on)
{
	char events[128];
	double limit = now() + 10;

	put_file(TASKS "/cgroup.freeze", on ? "1" : "0");
	do {
		usleep(2000);
		if (get_file(TASKS "/cgroup.events", events, sizeof(events)) < 0)
			die("asking whether tasks are frozen");
	} while (!strstr(events, on ? "frozen 1" : "frozen 0") && now() < limit);
	if (now() >= limit)
		die("tasks can't be frozen");
}

/* Nothing may be written meanwhile, and what is read is read. */
static bool frozen_is_quiet(void)
{
	long writes = stat_value("writes"), requests = disk_writes(), changes;

	/* A change that was under way when it was counted last. */
	usleep(20000);
	changes = so_far(&seen->changes);
	reclaim();
	if (read_tree(MNT "/d") < 390)
		die("a frozen file system can't be read");
	/* Each of the two tasks may have been stopped before it counted its last one. */
	return so_far(&seen->changes) <= changes + 2 && stat_value("writes") == writes &&
	       disk_writes() == requests;
}

/*
 * fs_freeze: the file system is frozen under load and thawed.  Each second time all
 * tasks are frozen before, and all is synced, as for a suspend.
 */
static void run_fs_freeze(void)
{
	int rounds = option_number("rounds", 40);
	long quiet = 0, moving = 0;
	pid_t tasks[3];

	start_load(tasks);
	mkdir(TASKS, 0755);
	for (int i = 0; i < 3; i++) {
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", tasks[i]);
		put_file(TASKS "/cgroup.procs", pid);
	}
	for (int round = 0; round < rounds; round++) {
		bool suspend = round & 1;

		moving += wait_for_more(&seen->changes, 20);
		if (suspend) {
			freeze_tasks(true);
			sync();
		}
		fs_ioctl(FIFREEZE, NULL, "freezing");
		quiet += frozen_is_quiet();
		fs_ioctl(FITHAW, NULL, "thawing");
		if (suspend)
			freeze_tasks(false);
	}
	end_load(tasks);
	check("freezes_under_load", moving, rounds);
	check("quiet_while_frozen", quiet, rounds);
	check("changes", seen->changes, rounds * 20L);
	check("rounds_of_reading", seen->reads, 2);
	check_stat("writes", 300);
}

#define CPU1		"/sys/devices/system/cpu/cpu1/online"

/* Works on the CPU that comes and goes, whenever it is there. */
static void work_on_cpu1(void)
{
	cpu_set_t cpu1;

	CPU_ZERO(&cpu1);
	CPU_SET(1, &cpu1);
	for (;;) {
		if (sched_setaffinity(0, sizeof(cpu1), &cpu1)) {
			usleep(5000);
			continue;
		}
		touch_files(MNT "/pinned", 0, 20, 1);
		reclaim();
		read_tree(MNT "/pinned");
		one_more(&seen->pinned);
	}
}

/* So many reads and writes have to be judged while CPUs come and go. */
#define HOTPLUG_IO	300

/* On a slow machine little is done between two rounds. */
static bool too_little_io(void)
{
	return guarded() && (stat_value("reads") < HOTPLUG_IO ||
			     stat_value("writes") < HOTPLUG_IO);
}

/*
 * cpu_hotplug: the second CPU goes offline in the middle of its work, with the references
 * that tasks took there, and comes back.  What it has counted stays.
 */
static void run_cpu_hotplug(void)
{
	int rounds = option_number("rounds", 60), round;
	long moving = 0, lost = 0, before;
	pid_t tasks[3], pinned;

	start_load(tasks);
	make_files(MNT "/pinned", 0, 20);
	pinned = spawn(work_on_cpu1);
	for (round = 0; round < rounds || (round < 10 * rounds && too_little_io()); round++) {
		if (!wait_for_more(&seen->pinned, 1))
			die("nothing works on the second CPU");
		usleep(round * 1370 % 20000);
		before = guarded() ? stat_value("events") : 0;
		put_file(CPU1, "0");
		if (sysconf(_SC_NPROCESSORS_ONLN) != 1)
			die("the second CPU is still there");
		lost += guarded() && stat_value("events") < before;
		moving += wait_for_more(&seen->changes, 5);
		put_file(CPU1, "1");
	}
	stop_worker(pinned);
	end_load(tasks);
	check("offline_under_load", moving, round);
	check("nothing_uncounted", !lost, 1);
	check("turns_on_cpu1", seen->pinned, rounds);
	check_stat("reads", HOTPLUG_IO);
	check_stat("writes", HOTPLUG_IO);
}

#define MANY		64
#define MANY_DIR	"/many"
#define MANY_FILES	30
#define MANY_TASKS	4

static const char *many_path(int i)
{
	static char path[64];

	snprintf(path, sizeof(path), MANY_DIR "/%02d", i);
	return path;
}

/* The file systems lie on pieces of the disk, one behind the other. */
static void make_many(void)
{
	uint64_t size = disk_sectors(DISK) / MANY;

	open_mapper();
	mkdir(MANY_DIR, 0755);
	for (int i = 0; i < MANY; i++) {
		char name[16], device[32], params[64];
		struct piece piece = { 0, size, "linear", params };
		const char * const args[] = {
			"mkfs.btrfs", "-q", "-f", "-K", "-m", "single", "-d", "single",
			device, NULL
		};

		snprintf(name, sizeof(name), "many%d", i);
		snprintf(device, sizeof(device), "/dev/dm-%d", i);
		snprintf(params, sizeof(params), DISK " %llu", (unsigned long long)(i * size));
		mapper_create(name);
		mapper_load(name, &piece, 1);
		if (run_program("/sbin/mkfs.btrfs", args))
			die("making file system %d", i);
		mkdir(many_path(i), 0755);
	}
}

static void mount_many(int first, int step)
{
	for (int i = first; i < MANY; i += step) {
		char device[32];

		snprintf(device, sizeof(device), "/dev/dm-%d", i);
		if (mount(device, many_path(i), "btrfs", MS_NOATIME, NULL))
			die("mounting file system %d", i);
	}
}

static void umount_many(int first, int step)
{
	for (int i = first; i < MANY; i += step)
		if (umount2(many_path(i), 0))
			die("unmounting file system %d", i);
}

/* How many are mounted now, as btrfs knows them. */
static long mounted_now(void)
{
	static char mounts[32768];
	long n = 0;

	if (get_file("/proc/mounts", mounts, sizeof(mounts)) < 0)
		die("reading the mounts");
	for (char *pos = mounts; (pos = strstr(pos, " btrfs ")); pos++)
		n++;
	return n;
}

static int many_part;

/* One task's part of them: each is changed, synced and read. */
static void work_on_many(void)
{
	for (int i = many_part; i < MANY; i += MANY_TASKS) {
		char dir[96];
		int fd;

		snprintf(dir, sizeof(dir), "%s/d", many_path(i));
		make_files(dir, 0, MANY_FILES);
		fd = open(dir, O_RDONLY);
		if (fd < 0 || syncfs(fd))
			die("syncing file system %d", i);
		close(fd);
		if (read_tree(dir) < MANY_FILES)
			die("files of file system %d are missing", i);
	}
}

static void work_on_all(void)
{
	pid_t tasks[MANY_TASKS];

	for (many_part = 0; many_part < MANY_TASKS; many_part++)
		tasks[many_part] = spawn(work_on_many);
	for (int i = 0; i < MANY_TASKS; i++)
		if (wait_for(tasks[i]))
			die("a task failed");
}

/*
 * many_fs: 64 file systems at once, four tasks that work on all of them, and a half that
 * goes and comes back while the guard's files are read.
 */
static void run_many_fs(void)
{
	int rounds = option_number("rounds", 3);
	long most, files = 0;
	pid_t reader;

	share_seen();
	make_many();
	mount_many(0, 1);
	most = mounted_now();
	work_on_all();
	reader = spawn(read_guard);
	for (int round = 0; round < rounds; round++) {
		umount_many(round & 1, 2);
		mount_many(round & 1, 2);
		reclaim();
		work_on_all();
	}
	stop_worker(reader);
	if (guarded())
		check("buffers_at_once", stat_value("buffers"), MANY * 5);
	umount_many(0, 1);
	check("buffers_freed", !guarded() || buffers_gone(), 1);
	mount_many(0, 1);
	for (int i = 0; i < MANY; i++)
		files += read_tree(many_path(i)) >= MANY_FILES;
	umount_many(0, 1);
	check("mounted_at_once", most, MANY);
	check("whole_afterwards", files, MANY);
	check("reads_of_files", seen->reads, rounds * 10L);
	check_stat("reads", MANY * 20);
	check_stat("writes", MANY * 20);
}

const struct workload lifetime_workloads[] = {
	{ "module_life", run_module_life },
	{ "fs_freeze", run_fs_freeze },
	{ "cpu_hotplug", run_cpu_hotplug },
	{ "many_fs", run_many_fs },
	{ NULL, NULL }
};
