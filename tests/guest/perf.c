// SPDX-License-Identifier: GPL-2.0
/*
 * What does the guard cost?  Work of which the instructions are counted: small
 * files and nothing else, which is as dense as it gets, and the workload meta.
 *
 * For a machine that counts them as time: with qemu -icount shift=0 the time
 * stamp counter moves by one with each instruction, and by a jump when the CPU is
 * idle.  The jumps are taken off again, by what the kernel says when it sleeps and
 * wakes.  The disk is in the guest's memory, so that nothing waits for the host, of
 * which no two runs are alike.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "guest.h"

#define RAMDISK		"/dev/ram0"
#define FILES		1000
#define ROUNDS		2
#define META_ROUNDS	10
#define PAIRS		200000
#define SEARCHES	50000
#define SPINS		500000

static uint64_t cycles(void)
{
#ifdef __x86_64__
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
#else
	die("instructions are counted on x86-64 only");
#endif
}

/* How long the CPU has slept, see tests/perf/eb_perf.c. */
static uint64_t slept(void)
{
	char value[32];

	if (get_file(PARAMS "/eb_perf_slept", value, sizeof(value)) < 0)
		die("asking how long the CPU has slept");
	return strtoull(value, NULL, 10);
}

static uint64_t slept_before, begin;

/* What stands between start() and taken() is measured, asking for sleep is not. */
static void start(void)
{
	slept_before = slept();
	begin = cycles();
}

static uint64_t taken(void)
{
	uint64_t all = cycles() - begin;

	return all - (slept() - slept_before);
}

/*
 * The counter counts instructions, and nothing else: else all figures are void.
 * What the kernel does beside this is not the counter's fault, so the best of some
 * tries counts.
 */
static void check_counter(void)
{
	long best = SPINS;

	for (int i = 0; i < 6; i++) {
		long spins = SPINS;
		long off;

		start();
		__asm__ volatile("1: dec %0; jnz 1b" : "+r"(spins) : : "cc");
		off = (long)taken() - 2L * SPINS;
		if (labs(off) < labs(best))
			best = off;
	}
	verdict("perf_counter_off %ld", best);
	/* Too short for a tick of the kernel's clock to fall into each try. */
	if (labs(best) > SPINS / 50)
		die("the time stamp counter does not count instructions, it is %ld off", best);
}

/* Copy what the host has made to a disk in memory; what is 0 is there already. */
static void fill_ramdisk(void)
{
	static char block[8 << 20], zero[4096];
	int from = open(DISK, O_RDONLY), to = open(RAMDISK, O_WRONLY);
	ssize_t got;

	if (from < 0 || to < 0)
		die("opening the disks");
	/* Few and large reads: each is a wait for the host. */
	for (off_t at = 0; (got = pread(from, block, sizeof(block), at)) > 0; at += got)
		for (ssize_t i = 0; i < got; i += sizeof(zero))
			if (memcmp(block + i, zero, sizeof(zero)) &&
			    pwrite(to, block + i, sizeof(zero), at + i) != sizeof(zero))
				die("filling " RAMDISK);
	if (got < 0 || fsync(to))
		die("copying " DISK);
	close(from);
	close(to);
	put_file("/proc/sys/vm/drop_caches", "3");
}

/* Newer kernels discard in the background, as much as there is time for. */
static void mount_ramdisk(void)
{
	if (mount(RAMDISK, MNT, "btrfs", MS_NOATIME, "nodiscard"))
		die("mounting " RAMDISK);
}

static void name_of(char *path, size_t size, const char *kind, int i)
{
	snprintf(path, size, MNT "/%s%04d", kind, i);
}

static void create(void)
{
	char path[64], data[1500];

	memset(data, 'x', sizeof(data));
	for (int i = 0; i < FILES; i++) {
		ssize_t size = 500 + i;
		int fd;

		name_of(path, sizeof(path), "file", i);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0 || write(fd, data, size) != size)
			die("creating %s", path);
		close(fd);
	}
	sync_fs();
}

static void read_all(void)
{
	char path[64], data[2000];

	for (int i = 0; i < FILES; i++) {
		int fd;

		name_of(path, sizeof(path), "file", i);
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, data, sizeof(data)) != 500 + i)
			die("reading %s", path);
		close(fd);
	}
}

static void rename_all(void)
{
	char from[64], to[64];

	for (int i = 0; i < FILES; i++) {
		name_of(from, sizeof(from), "file", i);
		name_of(to, sizeof(to), "other", i);
		if (rename(from, to))
			die("renaming %s", from);
	}
}

static void unlink_all(void)
{
	char path[64];

	for (int i = 0; i < FILES; i++) {
		name_of(path, sizeof(path), "other", i);
		if (unlink(path))
			die("unlinking %s", path);
	}
	sync_fs();
}

/* The memory that the kernel takes for one buffer, as the allocator sees it. */
static void tell_slab(const char *file, const char *name)
{
	char path[128], value[32];

	snprintf(path, sizeof(path), "/sys/kernel/slab/btrfs_extent_buffer/%s", file);
	if (get_file(path, value, sizeof(value)) < 0)
		die("reading %s", path);
	verdict("%s %ld", name, atol(value));
}

/* The level that the kernel runs at, to be compared with what was asked for. */
static void tell_level(void)
{
	char value[32];

	if (get_file(PARAMS "/eb_debug", value, sizeof(value)) < 0)
		return;
	value[strcspn(value, "\n")] = 0;
	verdict("perf_level %s", value);
}

/* Loops in the kernel, see tests/perf/eb_perf.c. */
static void loop(const char *what, unsigned int count)
{
	char text[64], value[32];
	int fd = open(MNT, O_RDONLY);

	if (fd < 0)
		die("opening " MNT);
	snprintf(text, sizeof(text), "%s %d %u", what, fd, count);
	put_file(PARAMS "/eb_perf", text);
	close(fd);
	if (get_file(PARAMS "/eb_perf", value, sizeof(value)) < 0)
		die("reading what %s took", what);
	verdict("perf_%s %.2f", what, strtod(value, NULL) / count);
}

static long puts_so_far(void)
{
	return guarded() ? stat_value("puts") : 0;
}

/*
 * The rounds of the workload meta: files, directories and snapshots are made,
 * changed, removed and read by whoever walks a tree, with reclaim in between.
 */
static void measure_rounds(void)
{
	uint64_t took;
	long before;

	mount_ramdisk();
	make_subvol("sub");
	before = puts_so_far();
	start();
	for (int round = 0; round < META_ROUNDS; round++)
		meta_round(round);
	took = taken();
	verdict("perf_rounds %lu", (unsigned long)took);
	verdict("perf_rounds_puts %ld", puts_so_far() - before);
	umount_disk();
}

/*
 * perf_meta: small files are made, read back from the disk after a mount, renamed
 * and removed, twice.  Each part is measured for itself.  With traced=y the guard's trace
 * events are enabled all the time; the trace is not read.
 */
static void run_perf_meta(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {
		{ "create", create }, { "umount", umount_disk },
		{ "mount", mount_ramdisk }, { "read", read_all },
		{ "rename", rename_all }, { "unlink", unlink_all },
	};
	uint64_t part[ARRAY_SIZE(parts)] = { 0 }, all = 0;
	long before;

	fill_ramdisk();
	check_counter();
	if (*option("traced", ""))
		check("events_enabled", enable_events(true), 20);
	/* What a kernel does once in its life is done now. */
	mount_ramdisk();
	before = puts_so_far();
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
			start();
			parts[i].run();
			part[i] += taken();
		}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		verdict("perf_meta_%s %lu", parts[i].name, (unsigned long)part[i]);
		all += part[i];
	}
	verdict("perf_meta %lu", (unsigned long)all);
	verdict("perf_meta_puts %ld", puts_so_far() - before);
	tell_level();
	tell_slab("object_size", "perf_sizeof");
	tell_slab("slab_size", "perf_slab");
	create();
	loop("pairs", option_number("pairs", PAIRS));
	loop("search", option_number("searches", SEARCHES));
	umount_disk();
	measure_rounds();
}

const struct workload perf_workloads[] = {
	{ "perf_meta", run_perf_meta },
	{ NULL, NULL }
};
