// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own checkers that have to be asked: the search for lost memory, and
 * lockdep for what the guard adds to its tables.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "guest.h"

#define KMEMLEAK	DEBUGFS "/kmemleak"

/* Younger memory than this is not searched for, in seconds: MSECS_MIN_AGE. */
#define MIN_AGE		5

/*
 * Look for lost memory.  The first scan only notes the contents of what is new,
 * and what changes between two scans is not lost.
 */
static void scan_memory(void)
{
	put_file(KMEMLEAK, "scan");
	put_file(KMEMLEAK, "scan");
}

/* Tell all that was found, for the host to judge; how many objects. */
static long tell_leaks(void)
{
	FILE *leaks = fopen(KMEMLEAK, "r");
	char line[256];
	long objects = 0;

	if (!leaks)
		die("opening " KMEMLEAK);
	while (fgets(line, sizeof(line), leaks)) {
		line[strcspn(line, "\n")] = 0;
		objects += !strncmp(line, "unreferenced object", 19);
		verdict("kmemleak %s", line);
	}
	if (ferror(leaks))
		die("reading " KMEMLEAK);
	fclose(leaks);
	return objects;
}

/*
 * kmemleak: buffers come and go with all that the guard hangs on them; then
 * nothing of it may be left that nobody knows of.
 */
static void run_kmemleak(void)
{
	int rounds = option_number("rounds", 4);

	for (int i = 0; i < rounds; i++) {
		char name[64];

		mount_disk(NULL);
		snprintf(name, sizeof(name), MNT "/d%d", i);
		make_files(name, 0, 150);
		snprintf(name, sizeof(name), "sub%d", i);
		make_subvol(name);
		sync_fs();
		reclaim();
		read_tree(MNT);
		destroy_subvol(name);
		umount_disk();
	}
	/* What is freed after a grace period is gone then as well. */
	sleep(MIN_AGE + 1);
	scan_memory();
	/* The module that loses memory at its load is there to be found. */
	check("lost_objects", tell_leaks(), 1);
	check_stat("free", rounds * 10);
	check_stat("reads", rounds * 10);
}

/* The class of a lock of the guard, as lockdep names it: the words of its initializer. */
static bool is_ours(const char *class)
{
	return !strncmp(class, "eb_", 3) || strstr(class, "btrfs_eb_");
}

/* Of a tree block's lock: "btrfs-", the tree's name, and the level. */
static bool is_tree_lock(const char *class)
{
	const char *level = strrchr(class, '-');

	return !strncmp(class, "btrfs-", 6) && level && level[1] == '0' &&
	       strspn(level + 1, "0123456789") == 2;
}

/* A chain of /proc/lockdep_chains, as far as it was read. */
struct lock_chain {
	bool tree, ours, below;
};

/* A line of it: "[address] class", outermost first. */
static void see_class(struct lock_chain *chain, const char *class)
{
	chain->tree |= is_tree_lock(class);
	if (!is_ours(class))
		return;
	chain->ours = true;
	if (chain->tree && !chain->below)
		verdict("lockdep_below %s", class);
	chain->below |= chain->tree;
}

/*
 * In what rows lockdep has seen locks taken: in how many, in how many of them is a lock of
 * the guard, and in how many below a tree block's lock.
 */
void tell_lock_chains(void)
{
	FILE *file = fopen("/proc/lockdep_chains", "r");
	unsigned long all = 0, trees = 0, ours = 0, below = 0;
	struct lock_chain chain = {};
	char line[256];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		char *class = strstr(line, "] ");

		line[strcspn(line, "\n")] = 0;
		if (class)
			see_class(&chain, class + 2);
		if (line[0])
			continue;
		/* The end of a chain. */
		all++;
		trees += chain.tree;
		ours += chain.ours;
		below += chain.below;
		chain = (struct lock_chain){};
	}
	fclose(file);
	verdict("lockdep chains %lu", all);
	verdict("lockdep with_tree_locks %lu", trees);
	verdict("lockdep ours %lu", ours);
	verdict("lockdep below_tree_locks %lu", below);
}

const struct workload checker_workloads[] = {
	{ "kmemleak", run_kmemleak },
	{ NULL, NULL }
};
