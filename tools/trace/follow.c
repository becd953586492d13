// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: what happens now, counted.
 *
 * In a trace instance of its own, so that nobody else's tracing is touched; it goes when
 * we go.  Nothing is judged: two CPUs may be read out of order.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <tracefs.h>
#include "trace.h"

#define INSTANCE	"eb-trace"
#define BUFFER_KB	"16384"

static struct tracefs_instance *instance;
static int pipe_fd = -1;
static volatile sig_atomic_t stopped;

/* The last one are violations. */
static unsigned long long total[EB_EVENT_COUNT + 1], before[EB_EVENT_COUNT + 1];
static struct event last_violation;

static void stop(int sig)
{
	stopped = 1;
}

static void disable(void)
{
	tracefs_event_disable(instance, "btrfs", "btrfs_eb_.*");
}

/* Also called when we fail. */
static void tear_down(void)
{
	if (!instance)
		return;
	disable();
	/* An instance that is being read can't go. */
	if (pipe_fd >= 0)
		close(pipe_fd);
	tracefs_instance_destroy(instance);
	tracefs_instance_free(instance);
	instance = NULL;
}

static void set_up(void)
{
	if (!tracefs_tracing_dir())
		fail("there is no tracefs: mount -t tracefs tracefs /sys/kernel/tracing");
	instance = tracefs_instance_create(INSTANCE);
	if (!instance)
		fail("a trace instance can't be made: %s", strerror(errno));
	atexit(tear_down);
	tracefs_instance_file_write(instance, "buffer_size_kb", BUFFER_KB);
	if (tracefs_event_enable(instance, "btrfs", "btrfs_eb_.*"))
		fail("no events btrfs:btrfs_eb_*: no CONFIG_BTRFS_EB_DEBUG, or no btrfs loaded");
	pipe_fd = tracefs_instance_file_open(instance, "trace_pipe", O_RDONLY | O_NONBLOCK);
	if (pipe_fd < 0)
		fail("trace_pipe: %s", strerror(errno));
}

static void count(const struct event *event)
{
	/* Also those that only the rules need count as what they are. */
	total[event->event]++;
	if (event->event == EB_EVENT_COUNT)
		last_violation = *event;
}

static const char *name_of(unsigned int event)
{
	return event == EB_EVENT_COUNT ? "violation" : event_name(event);
}

/* What comes all the time goes in one column, the rest is not shown as long as it is 0. */
static void show(const struct input *input, double seconds, bool screen)
{
	unsigned int event, column = 0;

	if (screen)
		printf("\033[H\033[J");
	printf("%.1f s: %llu events, %llu lost, %llu rules broken\n", seconds,
	       input->events, input->lost, total[EB_EVENT_COUNT]);
	for (event = 0; event <= EB_EVENT_COUNT; event++) {
		if (!total[event])
			continue;
		printf("%-16s %10llu/s %12llu%s", name_of(event),
		       total[event] - before[event], total[event],
		       ++column % 2 ? "   " : "\n");
	}
	if (column % 2)
		printf("\n");
	if (last_violation.rule)
		printf("last: rule=%s start=%llu serial=%u site=%s\n",
		       last_violation.rule,
		       (unsigned long long)last_violation.start,
		       last_violation.serial, last_violation.site);
	if (fflush(stdout))
		stopped = 1;
	memcpy(before, total, sizeof(before));
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void no_matter(void)
{
}

/**
 * follow - count events until interrupted
 * @limit: or for so many seconds; 0 is no limit
 *
 * Return: whether a rule was broken.
 */
bool follow(unsigned int limit)
{
	struct sigaction action = { .sa_handler = stop };
	struct input input = { .name = "trace_pipe" };
	bool screen = isatty(1);
	double begin, next;
	struct pollfd wait = { .events = POLLIN };

	set_up();
	wait.fd = pipe_fd;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGPIPE, &action, NULL);
	begin = now();
	next = begin + 1;
	while (!stopped && (!limit || now() < begin + limit)) {
		if (poll(&wait, 1, 100) > 0)
			read_some(pipe_fd, &input, count, no_matter);
		if (now() < next)
			continue;
		show(&input, now() - begin, screen);
		next += 1;
	}
	/* What is there already counts: where we are slow that may be seconds. */
	disable();
	while (poll(&wait, 1, 0) > 0 && read_some(pipe_fd, &input, count, no_matter))
		;
	show(&input, now() - begin, screen);
	tear_down();
	return total[EB_EVENT_COUNT];
}
