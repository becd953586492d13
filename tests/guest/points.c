// SPDX-License-Identifier: GPL-2.0
/*
 * The points themselves: what their files refuse, that each point is come to and
 * delays, that what can be refused is, and that no schedule holds anybody for ever.
 * And what longer and longer delays do to an unbroken kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guest.h"

#define DELAY_AT	GUARD "/delay/at"
#define FAIL_AT		GUARD "/fail/at"
#define SCHEDULE	GUARD "/schedule"

/* With nodes of 4096 bytes some dozen leaves, each to be read again. */
#define FILES		300

/* As many as the kernel takes, and one more. */
#define STEPS		33
#define ROLES		9
#define LETTERS		2049

/* A delay: long enough to be seen on the clock, in microseconds. */
#define DELAY_US	1000
#define DELAYS		5

static char text_before[8192], text_after[8192];
static int refusals;

/* The kernel refuses the text with this error, and what was asked for stays. */
static void refuses(const char *path, const char *text, int error)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || get_file(path, text_before, sizeof(text_before)) < 0)
		die("opening %s", path);
	errno = 0;
	if (write(fd, text, strlen(text)) >= 0 || errno != error)
		die("'%.40s' to %s: not refused with error %d", text, path, error);
	close(fd);
	if (get_file(path, text_after, sizeof(text_after)) < 0 || strcmp(text_before, text_after))
		die("'%.40s' to %s: refused, and something has changed", text, path);
	refusals++;
}

/* Lines that name so many steps or roles. */
static const char *steps(int count, bool one_role)
{
	static char text[1024];
	int len = 0;

	for (int i = 0; i < count; i++)
		len += snprintf(text + len, sizeof(text) - len, "r%d put\n", one_role ? 0 : i);
	return text;
}

static void refuse_garbage(void)
{
	static const char *const no_points[] = {
		"nowhere", "lookup nowhere", "Lookup", "all,none",
	};
	static const char *const no_steps[] = {
		"writer", "writer nowhere", "writer put fail", "role_of_16_chars put",
		"writer put refs=", "writer put refs=-1", "writer put refs=x",
		"writer put refs=2 more", "writer lookup\nreader put\nnobody",
		"timeout 0", "timeout 10001", "timeout 99999999999", "timeout x",
		"start", "start -1",
	};
	static char letters[LETTERS + 1];

	put_file(DELAY_AT, "new_block put");
	put_file(FAIL_AT, "tree_trylock, read_trylock");
	put_file(SCHEDULE, "timeout 2000\nstart 4096\n"
		 "writer tree_trylock fail\nreader put refs=3\n");
	for (size_t i = 0; i < ARRAY_SIZE(no_points); i++) {
		refuses(DELAY_AT, no_points[i], EINVAL);
		refuses(FAIL_AT, no_points[i], EINVAL);
	}
	/* There is such a point, and nothing that could fail. */
	refuses(FAIL_AT, "put", EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(no_steps); i++)
		refuses(SCHEDULE, no_steps[i], EINVAL);
	refuses(SCHEDULE, steps(STEPS, true), EINVAL);
	refuses(SCHEDULE, steps(ROLES, false), EINVAL);
	memset(letters, '\n', LETTERS);
	refuses(DELAY_AT, letters, E2BIG);
	refuses(FAIL_AT, letters, E2BIG);
	refuses(SCHEDULE, letters, E2BIG);
	put_file(SCHEDULE, steps(STEPS - 1, true));
	put_file(SCHEDULE, steps(ROLES - 1, false));
	put_file(SCHEDULE, "\n");
	put_file(FAIL_AT, "\n");
	put_file(DELAY_AT, "\n");
}

/* What @path says behind "name: ", and in @line all of it; -1 if nothing. */
static long value_of(const char *path, const char *name, char *line, size_t size)
{
	char key[64];
	const char *at;

	if (get_file(path, text_after, sizeof(text_after)) < 0)
		die("reading %s", path);
	snprintf(key, sizeof(key), "%s: ", name);
	at = !strncmp(text_after, key, strlen(key)) ? text_after : NULL;
	if (!at) {
		snprintf(key, sizeof(key), "\n%s: ", name);
		at = strstr(text_after, key);
	}
	if (!at)
		return -1;
	at += strlen(key);
	if (line)
		snprintf(line, size, "%.*s", (int)strcspn(at, "\n"), at);
	return atol(at);
}

/* Something of all that btrfs does to a buffer. */
static void work(int round)
{
	char dir[64];

	snprintf(dir, sizeof(dir), MNT "/round%d", round);
	make_files(dir, 0, 20);
	touch_files(MNT "/d", 0, FILES, round);
	sync_fs();
	remove_files(dir, 0, 20);
	sync_fs();
	reclaim();
	check("files_read", read_tree(MNT "/d"), FILES);
}

/* A point that is asked for is come to, and what it delays takes the time. */
static void delay_at(const char *name, int *round)
{
	double began, took;
	char line[64] = "";
	long before = value_of(DELAY_AT, name, line, sizeof(line)), times = 0;

	put_file(GUARD "/delay/times", "5");
	put_file(DELAY_AT, name);
	began = now();
	for (int i = 0; i < 5 && times < DELAYS; i++) {
		work((*round)++);
		times = value_of(DELAY_AT, name, line, sizeof(line)) - before;
	}
	took = now() - began;
	verdict("delayed %s %ld %s", name, times, strstr(line, "can't sleep") ? "spins" : "sleeps");
	if (times > DELAYS)
		die("%s was delayed %ld times, %d were asked for", name, times, DELAYS);
	/* With one CPU who turns on the spot stops everybody, who sleeps may not. */
	if (times && took * 1e6 < DELAY_US * (strstr(line, "can't sleep") ? times : 1))
		die("%s: %ld delays took %f s together with the work", name, times, took);
}

static void delay_each(void)
{
	static char names[8192];
	char *line, *rest = names;
	int round = 0;

	put_file(GUARD "/delay/probability", "100");
	put_file(GUARD "/delay/us", "1000");
	if (get_file(DELAY_AT, names, sizeof(names)) < 0)
		die("reading " DELAY_AT);
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		*strchrnul(line, ':') = 0;
		delay_at(line, &round);
	}
	put_file(DELAY_AT, "\n");
}

/*
 * A lock that can't be had costs time, and nothing else: half of them, and then all.
 * @times: how often this was done before.
 */
static void fail_each(int times)
{
	put_file(GUARD "/fail/times", "-1");
	put_file(GUARD "/fail/probability", "50");
	put_file(FAIL_AT, "all");
	for (int round = 0; round < 2; round++) {
		if (round == 1)
			put_file(GUARD "/fail/probability", "100");
		work(100 + 2 * times + round);
	}
	put_file(FAIL_AT, "\n");
}

static void tell_refused(void)
{
	verdict("failed_at tree_trylock %ld", value_of(FAIL_AT, "tree_trylock", NULL, 0));
	verdict("failed_at read_trylock %ld", value_of(FAIL_AT, "read_trylock", NULL, 0));
}

static void look_around(void)
{
	for (;;) {
		reclaim();
		read_tree(MNT "/d");
	}
}

/* That schedule is over after some work, or, if @round is -1, by reading. */
static void replay(const char *schedule, int round)
{
	put_file(SCHEDULE, schedule);
	if (round >= 0)
		work(round);
	for (double limit = now() + 20; !value_of(SCHEDULE, "done", NULL, 0) && now() < limit;) {
		reclaim();
		read_tree(MNT "/d");
		if (round >= 0)
			work(round);
	}
	if (!value_of(SCHEDULE, "done", NULL, 0))
		die("nobody has made the steps of '%s'", schedule);
}

/* A schedule is about one buffer, and begins with no other; a step may ask for more. */
static void replay_some(void)
{
	pid_t reader = spawn(look_around);
	char text[64];
	long start;

	put_file(SCHEDULE, "start 1\nreader lookup\n");
	work(200);
	check("not_begun", !value_of(SCHEDULE, "done", NULL, 0), 1);
	/* As long as nothing is written, the block is where it was. */
	sync_fs();
	replay("reader lookup\n", -1);
	start = value_of(SCHEDULE, "start", NULL, 0);
	snprintf(text, sizeof(text), "start %ld\nreader lookup\n", start);
	replay(text, -1);
	check("same_start", value_of(SCHEDULE, "start", NULL, 0) == start, 1);
	/* Who looks up has no buffer yet, whose references could be counted. */
	replay("reader lookup refs=1000\n", 203);
	replay("reader put refs=2\n", 204);
	/* Not each kernel tries such a lock in this work. */
	if (value_of(FAIL_AT, "tree_trylock", NULL, 0) > 0)
		replay("reader tree_trylock fail\n", 205);
	/* The one who has begun goes on, and nobody else in its place. */
	replay("reader lookup\nreader lookup\nreader lookup\n", 206);
	put_file(SCHEDULE, "\n");
	stop_worker(reader);
}

/* Somebody waits for a step that nobody ever makes: until the timeout, or the end. */
static void wait_in_vain(void)
{
	static const char schedule[] =
		"timeout 100\n"
		"reader lookup\n"
		"nobody put refs=1000\n"
		"reader lookup\n";
	double began = now(), limit = began + 20;
	char forever[128];
	pid_t reader;

	put_file(SCHEDULE, schedule);
	reader = spawn(look_around);
	while (value_of(SCHEDULE, "given_up", NULL, 0) < 3 && now() < limit)
		usleep(10000);
	check("given_up", value_of(SCHEDULE, "given_up", NULL, 0), 3);
	if (now() - began < 0.3)
		die("three rounds were given up before their time");
	check("most", value_of(SCHEDULE, "most", NULL, 0), 1);

	snprintf(forever, sizeof(forever), "timeout 10000\n%s", strchr(schedule, '\n') + 1);
	put_file(SCHEDULE, forever);
	while (value_of(SCHEDULE, "start", NULL, 0) < 0 && now() < limit)
		usleep(1000);
	usleep(100000);
	began = now();
	put_file(SCHEDULE, "\n");
	stop_worker(reader);
	check("files_read", read_tree(MNT "/d"), FILES);
	verdict("waited %f", now() - began);
	check("at_once", now() - began < 5, 1);
}

static void run_points(void)
{
	refuse_garbage();
	check("refusals", refusals, 28);
	mount_disk(NULL);
	make_files(MNT "/d", 0, FILES);
	sync_fs();
	/*
	 * Blocks of a young file system that are read one after the other lie side by side,
	 * which is where readahead looks; those of an old one do not.
	 */
	fail_each(0);
	delay_each();
	fail_each(1);
	tell_refused();
	replay_some();
	wait_in_vain();
	umount_disk();
}

static void take_memory_back(void)
{
	for (;;)
		reclaim();
}

static void read_for_ever(void)
{
	for (;;)
		read_tree(MNT "/d");
}

static void write_for_ever(void)
{
	for (int round = 0;; round++) {
		touch_files(MNT "/d", 0, FILES, round);
		sync_fs();
	}
}

/*
 * dose: reclaim against readers, and a writer if the file system is not read-only,
 * while what comes to the points in at= is delayed for us= microseconds.  Half of the
 * page locks that readahead tries are refused, where it tries any: that leaves buffers
 * which nobody has read.  How often it mattered is in the guard's counters.
 */
static void run_dose(void)
{
	long us = option_number("us", 0);
	bool ro = option_number("ro", 0);
	char text[32], *at = strdup(option("at", "release"));
	pid_t tasks[4];
	int nr = 0;

	/* On from the start to the end: patched code and two CPUs are too much for QEMU. */
	put_file(GUARD "/delay/times", "-1");
	put_file(GUARD "/delay/probability", "0");
	snprintf(text, sizeof(text), "%ld", us ? us : 1);
	put_file(GUARD "/delay/us", text);
	put_file(GUARD "/delay/at", at);
	put_file(GUARD "/fail/times", "-1");
	put_file(GUARD "/fail/probability", "50");
	put_file(GUARD "/fail/at", "read_trylock");
	mount_disk(NULL);
	make_files(MNT "/d", 0, FILES);
	sync_fs();
	umount_disk();
	mount_disk(NULL);
	if (ro && mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY | MS_NOATIME, NULL))
		die("remounting read-only");
	put_file(GUARD "/delay/probability", us ? "100" : "0");
	tasks[nr++] = spawn(take_memory_back);
	tasks[nr++] = spawn(read_for_ever);
	tasks[nr++] = spawn(read_for_ever);
	if (!ro)
		tasks[nr++] = spawn(write_for_ever);
	sleep(option_number("seconds", 20));
	put_file(GUARD "/delay/probability", "0");
	while (nr)
		stop_worker(tasks[--nr]);
	check("files_read", read_tree(MNT "/d"), FILES);
	umount_disk();
	check_stat("reads", 100);
	check_stat("release_done", 100);
}

const struct workload point_workloads[] = {
	{ "points", run_points },
	{ "dose", run_dose },
	{ NULL, NULL }
};
