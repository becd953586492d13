// SPDX-License-Identifier: GPL-2.0
/*
 * The guard's tables are larger than a page, and kvcalloc() asks for them twice: in one
 * piece, and page by page.  So some requests for pages in a row must fail before there is
 * no table.  From the Nth page on all do, for each N, until nothing fails any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "faults.h"

#define ATTRIBUTE	DEBUGFS "/fail_page_alloc"
#define LEVEL		PARAMS "/eb_debug"

/* One piece, many pages at once, a single page; newer kernels try what is between as well. */
#define LEAST		3
#define IN_A_ROW	1000

/* What is tried takes fewer pages. */
#define MOST		20000

static void prepare_faults(void)
{
	allow_faults();
	put_file(ATTRIBUTE "/task-filter", "Y");
	put_file(ATTRIBUTE "/interval", "1");
	put_file(ATTRIBUTE "/times", "0");
	put_file(ATTRIBUTE "/probability", "100");
}

/* So many pages may be had yet, and then so many requests in a row fail. */
static void arm(long pages)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", pages);
	put_file(ATTRIBUTE "/space", text);
	snprintf(text, sizeof(text), "%d", IN_A_ROW);
	put_file(ATTRIBUTE "/times", text);
	let_fail(true);
}

/* How many requests have failed; none does from here on. */
static int disarm(void)
{
	int err = errno;
	char text[16];

	let_fail(false);
	if (get_file(ATTRIBUTE "/times", text, sizeof(text)) < 0)
		die("asking for the faults");
	put_file(ATTRIBUTE "/times", "0");
	errno = err;
	return IN_A_ROW - atoi(text);
}

static bool level_is(const char *level)
{
	char text[16];

	if (get_file(LEVEL, text, sizeof(text)) < 0)
		die("reading the level");
	text[strcspn(text, "\n")] = 0;
	return !strcmp(text, level);
}

static bool refused(const char *path, const char *text)
{
	if (try_put_file(path, text))
		return false;
	if (errno != ENOMEM)
		die("'%s' to %s: not for lack of memory", text, path);
	return true;
}

/*
 * The level stays what it was, and is had when there is memory.  Where the guard has no
 * table of stacks of its own it would be the depot that gets none, which the kernel tells
 * with a stack, and then never; level=no leaves it out.
 */
static void check_level(void)
{
	bool no;

	put_file(LEVEL, "guard");
	arm(0);
	no = refused(LEVEL, "stacks");
	check("level_faults", disarm(), LEAST);
	check("level_refused", no, 1);
	check("level_stays", level_is("guard"), 1);
	put_file(LEVEL, "stacks");
	check("level_taken", level_is("stacks"), 1);
}

/*
 * Until nothing fails any more; how often @attempt was refused for want of a table.  A slab
 * that can't be had takes fewer faults, and is any function's on the way.
 */
static long refusals(bool (*attempt)(void))
{
	long count = 0;
	int faults;

	for (long pages = 0; pages < MOST; pages++) {
		bool no;

		arm(pages);
		no = attempt();
		faults = disarm();
		count += no && faults >= LEAST;
		if (no && !faults)
			die("refused without a fault");
		if (!faults)
			return count;
	}
	die("it takes more than %d pages", MOST);
}

static bool read_refused(void)
{
	char buf[512];
	int fd = open(GUARD "/owners", O_RDONLY);
	long got;

	if (fd < 0 && errno == ENOMEM)
		return true;
	if (fd < 0)
		die("opening owners");
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		;
	if (close_with(fd, got) && errno != ENOMEM)
		die("reading owners");
	return got < 0;
}

static bool baseline_refused(void)
{
	return refused(GUARD "/owners", "baseline");
}

/* A file system comes and goes. */
static void use(void)
{
	mount_disk(NULL);
	make_files(MNT "/d", 0, 20);
	sync_fs();
	reclaim();
	read_tree(MNT "/d");
	umount_disk();
}

static void run_no_pages(void)
{
	prepare_faults();
	use();
	if (strcmp(option("level", ""), "no"))
		check_level();
	check("owners_refused", refusals(read_refused), 1);
	check("baseline_refused", refusals(baseline_refused), 1);
	use();
	check_stat("reads", 1);
	check("buffers_freed", buffers_gone(), 1);
}

const struct workload no_pages_workloads[] = {
	{ "no_pages", run_no_pages },
	{ NULL, NULL }
};
