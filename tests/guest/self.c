// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads that go wrong on purpose, for the tests of the harness itself: it
 * must call a guest that panics, hangs or says nothing a failure.
 */
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#include "guest.h"

static void run_self_panic(void)
{
	put_file("/proc/sysrq-trigger", "c");
}

/* Keep the only CPU for ourselves: not even the supervisor runs any more. */
static void run_self_hang(void)
{
	struct sched_param top = { .sched_priority = 99 };

	put_file("/proc/sys/kernel/sched_rt_runtime_us", "-1");
	if (sched_setscheduler(0, SCHED_FIFO, &top))
		die("becoming a real-time task");
	verdict("hanging");
	for (;;)
		;
}

static void run_self_silent(void)
{
	put_file("/proc/sysrq-trigger", "b");
}

/* A child that never ends: the supervisor's own limit. */
static void run_self_timeout(void)
{
	for (;;)
		pause();
}

static void run_self_exit(void)
{
	exit(7);
}

static void run_self_low(void)
{
	check("nothing", 0, 1);
}

const struct workload self_workloads[] = {
	{ "self_panic", run_self_panic },
	{ "self_hang", run_self_hang },
	{ "self_silent", run_self_silent },
	{ "self_timeout", run_self_timeout },
	{ "self_exit", run_self_exit },
	{ "self_low", run_self_low },
	{ NULL, NULL }
};
