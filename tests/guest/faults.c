// SPDX-License-Identifier: GPL-2.0
/*
 * enomem: allocations fail.  An operation is done once for each allocation that
 * it makes: in its Nth turn, /proc/self/fail-nth lets the Nth one fail, until a
 * turn comes to its end without a fault.  The kernel counts for this task
 * alone, so nothing else is hit, and every error path is.
 *
 * With function=NAME the calls of that function fail in the same way.
 *
 * Slab caches fail if they have the flag of slub_debug=A,<caches> on the kernel's
 * command line; tests/cases/faults.sh says which are left out, and why.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include "faults.h"

/* Nothing makes more allocations than this; else it hangs in a loop. */
#define MOST_FAULTS	4000

static long aborted;

const char *turn_path(const char *stem, int turn)
{
	static char paths[8][128];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), MNT "/%s%05d", stem, turn);
	return path;
}

/* Close @fd after a call that returned @ret, whose errno stays. */
int close_with(int fd, int ret)
{
	int err = errno;

	close(fd);
	errno = err;
	return ret;
}

/* A file of @size bytes that no fault meets. */
void must_create(const char *path, size_t size)
{
	static const char data[65536] = "data";
	const int flags = O_CREAT | O_RDWR | O_TRUNC;
	int fd = open(path, flags, 0644);

	/* From 7.x on this tells if a write to the old file of that name failed. */
	if (fd < 0 && errno == EIO && !unlink(path))
		fd = open(path, flags, 0644);
	if (fd < 0)
		die("creating %s", path);
	for (size_t done = 0; done < size; done += sizeof(data)) {
		size_t part = size - done < sizeof(data) ? size - done : sizeof(data);

		if (pwrite(fd, data, part, done) != (ssize_t)part)
			die("writing %s", path);
	}
	close(fd);
}

/* All that can be made to fail may fail, silently. */
void allow_faults(void)
{
	const char * const settings[][2] = {
		{ "failslab/verbose", option("verbose", "0") },
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/cache-filter", "Y" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
	};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), DEBUGFS "/%s", settings[i][0]);
		put_file(path, settings[i][1]);
	}
	open_nth();
	/* A page fault of ours must not be what fails. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("preparing for faults");
}

#define FUNCTIONS	DEBUGFS "/fail_function"

/* The function that fails instead of allocations, NULL if these do. */
static const char *function;

static void put_function(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), FUNCTIONS "/%s/%s", function, file);
	put_file(path, text);
}

/*
 * A call of the function fails, once armed, with @error; whichever task it is of:
 * to a probe, no task is one that can be filtered.
 */
static void allow_function(const char *error)
{
	put_file(FUNCTIONS "/inject", function);
	put_function("retval", error);
	put_file(FUNCTIONS "/verbose", "0");
	put_file(FUNCTIONS "/interval", "1");
	put_file(FUNCTIONS "/times", "0");
	put_file(FUNCTIONS "/probability", "100");
}

/* The next allocations or calls succeed, the @nth fails; none does if it is 0. */
static void arm(int nth)
{
	char text[16];

	if (!function) {
		arm_nth(nth);
		return;
	}
	/* Each call takes 1 from it, and below 2 it has its way. */
	snprintf(text, sizeof(text), "%d", nth);
	put_file(FUNCTIONS "/space", text);
	put_file(FUNCTIONS "/times", nth ? "1" : "0");
}

/* How many calls of the function are still to fail. */
static long calls_left(void)
{
	char text[16];

	if (get_file(FUNCTIONS "/times", text, sizeof(text)) < 0)
		die("asking for the fault");
	return atol(text);
}

/* No fault from here on; has there been one? */
static bool disarm(void)
{
	bool hit = !(function ? calls_left() : nth_left());

	arm(0);
	return hit;
}

#define MOUNT_OPTIONS	"commit=300,skip_balance"
#define BASE_FILES	300

/*
 * Begin the next turn with a file system that is mounted and can be written; after
 * an aborted transaction only a new mount brings that.
 */
static void heal(void)
{
	struct statfs st;

	if (statfs(MNT, &st))
		die("asking for the state of " MNT);
	if (st.f_type != BTRFS_SUPER_MAGIC) {
		mount_disk(MOUNT_OPTIONS);
		return;
	}
	if (!(st.f_flags & ST_RDONLY) ||
	    !mount(NULL, MNT, NULL, MS_REMOUNT | MS_NOATIME, MOUNT_OPTIONS))
		return;
	aborted++;
	umount_disk();
	mount_disk(MOUNT_OPTIONS);
}

static bool one_turn(const struct fault_op *op, int nth, int turn, long *failed)
{
	bool hit;
	int ret;

	if (op->prepare)
		op->prepare(turn);
	if (op->cold)
		reclaim();
	if (option_number("trace", 0))
		mark("%s %d", op->name, nth);
	arm(nth);
	ret = op->run(turn);
	hit = disarm();
	*failed += hit && ret;
	if (!hit && ret)
		verdict("last turn of %s: %s", op->name, strerror(errno));
	heal();
	return hit;
}

/* One operation, from its first allocation to its last; how many failed. */
static long all_turns(const struct fault_op *op)
{
	int step = op->step ? op->step : 1;
	int most = op->most ? op->most : MOST_FAULTS;
	long hits = 0, failed = 0, before = aborted;
	double start = now();
	int nth = 1;

	while (hits < most && one_turn(op, nth, hits, &failed)) {
		nth += step;
		hits++;
	}
	verdict("faults %s %ld hit %ld failed %ld aborted %.1f s", op->name, hits, failed,
		aborted - before, now() - start);
	if (hits == MOST_FAULTS)
		die("%s has no last allocation", op->name);
	return hits;
}

/* What is there before any fault. */
static void begin_with_files(void)
{
	mount_disk(MOUNT_OPTIONS);
	make_files(MNT "/d", 0, BASE_FILES);
	make_subvol("sub");
	make_files(MNT "/sub/d", 0, 100);
	must_create(MNT "/data", 1 << 20);
	sync_fs();
}

/* It is there after all of them, also on the disk. */
static void end_with_files(void)
{
	check("files_left", read_tree(MNT "/d"), BASE_FILES);
	umount_disk();
	mount_disk(NULL);
	check("files_after_remount", read_tree(MNT "/d"), BASE_FILES);
	umount_disk();
	verdict("aborted %ld", aborted);
}

static void run_enomem(void)
{
	static const struct {
		const char *name;
		const struct fault_op *ops;
	} parts[] = {
		{ "files", fault_file_ops },
		{ "trees", fault_tree_ops },
		{ "chunks", fault_chunk_ops },
		{ "mounts", fault_mount_ops },
		{ "guard", fault_guard_ops },
	};
	const char *part = strdup(option("part", "files"));
	const char *only = strdup(option("only", ""));
	const char *skip = strdup(option("skip", ""));
	long hits = 0, ops = 0;

	begin_with_files();
	if (option("function", NULL)) {
		function = strdup(option("function", NULL));
		allow_function(option("error", "0xfffffffffffffffb"));
	} else {
		allow_faults();
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (strcmp(part, parts[i].name))
			continue;
		for (const struct fault_op *op = parts[i].ops; op->name; op++) {
			if ((*only && strcmp(only, op->name)) || !strcmp(skip, op->name))
				continue;
			hits += all_turns(op);
			ops++;
		}
	}
	end_with_files();
	check("operations", ops, 1);
	check("injections", hits, option_number("want", 1));
}

#define RANDOM_FAULTS	10000

/* Allocations of this task and its children fail by chance, so many in all. */
static void allow_random_faults(long count)
{
	static const char * const attributes[] = { "failslab", "fail_page_alloc" };
	char path[128], times[16];

	allow_faults();
	snprintf(times, sizeof(times), "%ld", count);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		const char * const settings[][2] = {
			{ "task-filter", "Y" }, { "interval", "1" }, { "space", "0" },
			{ "verbose", "0" }, { "times", times },
		};

		for (size_t j = 0; j < ARRAY_SIZE(settings); j++) {
			snprintf(path, sizeof(path), DEBUGFS "/%s/%s", attributes[i],
				 settings[j][0]);
			put_file(path, settings[j][1]);
		}
	}
}

static void set_chance(const char *percent)
{
	put_file(DEBUGFS "/failslab/probability", percent);
	put_file(DEBUGFS "/fail_page_alloc/probability", percent);
}

/* How many there were, as the kernel counts. */
static long random_faults(long count)
{
	char slab[16], pages[16];

	if (get_file(DEBUGFS "/failslab/times", slab, sizeof(slab)) < 0 ||
	    get_file(DEBUGFS "/fail_page_alloc/times", pages, sizeof(pages)) < 0)
		die("asking how many faults there were");
	return 2 * count - atol(slab) - atol(pages);
}

/* One operation with faults at any of its allocations; whether it failed. */
static bool random_turn(const struct fault_op *op, int turn)
{
	static const char * const chances[] = { "2", "5", "10", "25" };
	bool failed;

	if (op->prepare)
		op->prepare(turn);
	if (op->cold)
		reclaim();
	set_chance(chances[random() % ARRAY_SIZE(chances)]);
	let_fail(true);
	failed = op->run(turn) != 0;
	let_fail(false);
	heal();
	return failed;
}

/*
 * enomem_random: operations on files and trees in any order, and each allocation may
 * fail, several of the same operation as well, until there were so many faults.
 */
static void run_enomem_random(void)
{
	long want = option_number("want", RANDOM_FAULTS), turns = 0, failed = 0;
	const char *skip = strdup(option("skip", ""));
	const struct fault_op *ops[128];
	int count = 0;

	srandom(option_number("seed", 1));
	for (const struct fault_op *op = fault_file_ops; op->name; op++)
		ops[count++] = op;
	for (const struct fault_op *op = fault_tree_ops; op->name; op++)
		ops[count++] = op;
	begin_with_files();
	allow_random_faults(want);
	while (random_faults(want) < want) {
		const struct fault_op *op = ops[random() % count];

		/* What a single fault does to it is too much already, see its row. */
		if (!strcmp(op->name, "link") || strstr(skip, op->name))
			continue;
		if (option_number("trace", 0))
			mark("%ld: %s", turns, op->name);
		failed += random_turn(op, turns++);
	}
	end_with_files();
	check("operations", turns, want / 20);
	check("operations_failed", failed, want / 40);
	check("buffers_freed", !guarded() || buffers_gone(), 1);
	check("injections", random_faults(want), want);
}

const struct workload fault_workloads[] = {
	{ "enomem", run_enomem },
	{ "enomem_random", run_enomem_random },
	{ NULL, NULL }
};
