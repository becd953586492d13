// SPDX-License-Identifier: GPL-2.0
/*
 * What is done with the guard's own files and levels, for the workload enomem: each
 * allocation that the guard makes fails once, outside of any work of btrfs, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "faults.h"

/* A file that is not there has no allocation; any error but one of memory is ours. */
static int judged(int ret)
{
	if (ret && errno != ENOMEM && errno != ENOENT)
		die("not for lack of memory");
	return ret && errno == ENOENT ? 0 : ret;
}

static int read_all(const char *path)
{
	char buf[512];
	int fd = open(path, O_RDONLY);
	long got;

	if (fd < 0)
		return judged(-1);
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		;
	return judged(close_with(fd, got < 0 ? -1 : 0));
}

static int write_all(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return judged(-1);
	return judged(close_with(fd, write(fd, text, strlen(text)) < 0 ? -1 : 0));
}

static int run_read_stats(int turn)
{
	(void)turn;
	return read_all(GUARD "/stats");
}

static int run_read_coverage(int turn)
{
	(void)turn;
	return read_all(GUARD "/coverage");
}

static int run_read_buffers(int turn)
{
	(void)turn;
	return read_all(GUARD "/buffers");
}

static int run_read_owners(int turn)
{
	(void)turn;
	return read_all(GUARD "/owners");
}

static int run_read_schedule(int turn)
{
	(void)turn;
	return read_all(GUARD "/schedule");
}

static int run_verbs(int turn)
{
	(void)turn;
	if (write_all(GUARD "/owners", "baseline"))
		return -1;
	return write_all(GUARD "/owners", "clear");
}

static int run_points(int turn)
{
	(void)turn;
	if (write_all(GUARD "/schedule", "writer put refs=77\n"))
		return -1;
	if (write_all(GUARD "/schedule", "\n"))
		return -1;
	return write_all(GUARD "/delay/at", "\n");
}

/* From off to stacks: from here on each buffer that is read has a history. */
static int run_levels(int turn)
{
	(void)turn;
	if (write_all(PARAMS "/eb_debug", "off"))
		return -1;
	return write_all(PARAMS "/eb_debug", "stacks");
}

/* All is read again, at level stacks; a file that can't be read is the file system's. */
static int run_histories(int turn)
{
	(void)turn;
	return read_tree(MNT) < 300 ? -1 : 0;
}

const struct fault_op fault_guard_ops[] = {
	{ .name = "levels", .run = run_levels },
	{ .name = "histories", .run = run_histories, .cold = true, .step = 7, .most = 50 },
	{ .name = "read_stats", .run = run_read_stats },
	{ .name = "read_coverage", .run = run_read_coverage },
	{ .name = "read_buffers", .run = run_read_buffers },
	{ .name = "read_owners", .run = run_read_owners },
	{ .name = "read_schedule", .run = run_read_schedule },
	{ .name = "verbs", .run = run_verbs },
	{ .name = "points", .run = run_points },
	{ .name = NULL }
};
