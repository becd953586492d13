// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel has said: stacks that fault injection shows of what it let fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "guest.h"

static int kernel_log = -1;

/* From now on; what was said before is none of the caller's business. */
void open_log(void)
{
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (kernel_log < 0 || lseek(kernel_log, 0, SEEK_END) < 0)
		die("opening the kernel's log");
}

/* Is this line of a stack about @name?  Not all had the prefix in older kernels. */
static bool is_function(const char *text, const char *name)
{
	static const char prefix[] = "btrfs_";
	size_t len = sizeof(prefix) - 1;

	return !strncmp(text, name, strlen(name)) ||
	       (!strncmp(name, prefix, len) && !strncmp(text, name + len, strlen(name) - len));
}

/*
 * What the kernel has said since the last call: was @callee called by @caller
 * in a stack that it showed?
 */
bool log_has_call(const char *caller, const char *callee)
{
	bool found = false, below = false;
	char line[8192];
	ssize_t len;

	while ((len = read(kernel_log, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		char *text;

		if (len < 0)
			continue;
		line[len] = 0;
		text = strchr(line, ';');
		if (!text)
			continue;
		text += 1 + strspn(text + 1, " ");
		if (*text == '?')
			continue;
		found |= below && is_function(text, caller);
		below = is_function(text, callee);
	}
	return found;
}
