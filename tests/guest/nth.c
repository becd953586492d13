// SPDX-License-Identifier: GPL-2.0
/*
 * Which allocation of this task fails?  /proc/self/fail-nth counts them for it alone, so
 * that nothing else is hit.  What may fail at all is said by who asks.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "guest.h"

static int fail_nth = -1;

/* From here on it is about the task that calls this. */
void open_nth(void)
{
	fail_nth = open("/proc/self/fail-nth", O_RDWR);
	if (fail_nth < 0)
		die("opening /proc/self/fail-nth");
}

/* The next allocations succeed, the @nth fails; none does if it is 0. */
void arm_nth(long nth)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld", nth);

	if (pwrite(fail_nth, text, len, 0) != len)
		die("arming the fault");
}

/* How many allocations are left until the fault; 0 if it has been. */
long nth_left(void)
{
	char text[24] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		die("asking for the fault");
	return atol(text);
}

/* Those that are filtered by task may fail or not; to open the file may fail itself. */
void let_fail(bool on)
{
	static int file = -1;

	if (file < 0)
		file = open("/proc/self/make-it-fail", O_WRONLY);
	if (pwrite(file, on ? "1" : "0", 1, 0) != 1)
		die("letting allocations of this task fail");
}
