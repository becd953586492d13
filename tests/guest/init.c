// SPDX-License-Identifier: GPL-2.0
/*
 * /init of the guest: runs the workload that the kernel's command line names
 * in a child, watches over it, and tells the host on a serial line of its own
 * (the console is evidence, not a channel) what the guard has counted and how
 * the child ended.  The end of the guest needs nothing from the child: it may
 * hang in the kernel with locks held.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "guest.h"

#define MODULES		"/modules"

/* What alone is awaited of a workload stops it, after this. */
#define AFTER_IT	1.0

static char cmdline[4096];
static int channel = -1;

/* One line to the host, in one write: a child that dies leaves no half lines. */
void verdict(const char *fmt, ...)
{
	char line[512];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(channel, line, len) != len)
		mark("the channel to the host is broken");
}

/* Next word of the command line as a copy, NULL at the end. */
static char *next_word(const char **pos, char *word, size_t size)
{
	size_t len;

	*pos += strspn(*pos, " \n");
	len = strcspn(*pos, " \n");
	if (!len)
		return NULL;
	snprintf(word, size, "%.*s", (int)len, *pos);
	*pos += len;
	return word;
}

/* Value of eb.<key> on the command line. */
const char *option(const char *key, const char *fallback)
{
	static char word[256];
	const char *pos = cmdline;
	size_t len = strlen(key);

	while (next_word(&pos, word, sizeof(word)))
		if (!strncmp(word, "eb.", 3) && !strncmp(word + 3, key, len) &&
		    word[3 + len] == '=')
			return word + 4 + len;
	return fallback;
}

long option_number(const char *key, long fallback)
{
	const char *value = option(key, NULL);

	return value ? atol(value) : fallback;
}

/* The words "<module>.param=value" of the command line, as the module wants them. */
static void module_params(const char *module, char *params, size_t size)
{
	const char *pos = cmdline;
	size_t len = strlen(module);
	char word[256];

	*params = 0;
	while (next_word(&pos, word, sizeof(word))) {
		size_t used = strlen(params);

		if (!strncmp(word, module, len) && word[len] == '.')
			snprintf(params + used, size - used, "%s ", word + len + 1);
	}
}

/*
 * Load what the second initramfs brought, in the order that the host worked
 * out.  False when btrfs is built in.
 */
bool load_modules(void)
{
	static char list[4096];
	char *name, *rest = list;

	if (get_file(MODULES "/order", list, sizeof(list)) < 0)
		return false;
	while ((name = strsep(&rest, "\n"))) {
		char path[256], params[512];
		int fd;

		if (!*name)
			continue;
		snprintf(path, sizeof(path), MODULES "/%s.ko", name);
		module_params(name, params, sizeof(params));
		fd = open(path, O_RDONLY);
		if (fd < 0 || (syscall(SYS_finit_module, fd, params, 0) && errno != EEXIST))
			die("loading module %s", name);
		close(fd);
	}
	return true;
}

static void mount_all(void)
{
	static const char * const fs[][2] = {
		{ "proc", "/proc" }, { "sysfs", "/sys" }, { "devtmpfs", "/dev" },
		{ "debugfs", DEBUGFS }, { "tracefs", "/sys/kernel/tracing" },
		{ "cgroup2", "/sys/fs/cgroup" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fs); i++) {
		mkdir(fs[i][1], 0755);
		mount(fs[i][0], fs[i][1], fs[i][0], 0, NULL);
	}
	try_put_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir(CGROUP, 0755);
	mkdir(MNT, 0755);
}

static void open_channel(void)
{
	struct termios raw;

	channel = open(option("channel", "/dev/ttyS1"), O_RDWR | O_NOCTTY);
	if (channel < 0 || tcgetattr(channel, &raw))
		return;
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	tcsetattr(channel, TCSANOW, &raw);
}

static const struct workload *find_workload(const char *name)
{
	static const struct workload * const tables[] = {
		basic_workloads, io_workloads, lookup_workloads,
		knob_workloads, self_workloads, trace_workloads,
		fault_workloads, power_workloads, dm_workloads,
		feature_workloads, device_workloads, space_workloads,
		load_workloads, find_workloads, race_workloads,
		point_workloads, perf_workloads, checker_workloads,
		tools_workloads, garbage_workloads, scale_workloads, refused_workloads,
		vanish_workloads, cut_workloads, lifetime_workloads,
		no_pages_workloads,
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct workload *w = tables[i]; w->name; w++)
			if (!strcmp(w->name, name))
				return w;
	return NULL;
}

/* Tell each line of @path with @prefix before it; false when there is none. */
static bool tell_file(const char *path, const char *prefix)
{
	static char buf[65536];
	char *line, *rest = buf;

	if (get_file(path, buf, sizeof(buf)) < 0)
		return false;
	while ((line = strsep(&rest, "\n"))) {
		char *colon = strstr(line, ": ");

		if (colon)	/* "name: value" */
			memmove(colon, colon + 1, strlen(colon));
		if (*line)
			verdict("%s %s", prefix, line);
	}
	return true;
}

/* Has come what alone is awaited, a report or the execution of a mutant? */
static bool has_come(const char *awaited)
{
	if (!strcmp(awaited, "report"))
		return stat_value("reports") > 0;
	return !strcmp(awaited, "hit") && mutant_hits() > 0;
}

/*
 * Wait for the child; it is left alone when its time is over, or when only
 * one thing was awaited and came.  Returns whether it ended as it should.
 */
static bool supervise(pid_t child)
{
	double limit = now() + option_number("timeout", 100);
	char awaited[16];
	double stop_at = 0;
	int status;

	snprintf(awaited, sizeof(awaited), "%s", option("until", ""));
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (!stop_at && has_come(awaited))
			stop_at = now() + AFTER_IT;
		if (stop_at && now() > stop_at) {
			verdict("child: stopped after the %s", awaited);
			return true;
		}
		if (now() > limit) {
			verdict("child: timeout");
			return false;
		}
		usleep(20000);
	}
	if (WIFSIGNALED(status)) {
		verdict("child: signal %d", WTERMSIG(status));
		return false;
	}
	verdict("child: exit %d", WEXITSTATUS(status));
	return WEXITSTATUS(status) == 0;
}

/* End at once, without anything that a broken kernel may not be able to do. */
static void end_guest(void)
{
	tcdrain(channel);
	/* User Mode Linux starts itself again if it is told to reboot. */
	if (!strcmp(option("end", "b"), "o"))
		reboot(RB_POWER_OFF);
	try_put_file("/proc/sysrq-trigger", "b");
	reboot(RB_AUTOBOOT);
}

/* This guest is not what was asked for. */
static void __attribute__((format(printf, 1, 2))) refuse(const char *fmt, ...)
{
	char why[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	verdict("failed: %s", why);
	verdict("end: fail");
	end_guest();
}

int main(void)
{
	const struct workload *workload;
	const char *name;
	bool ok;
	pid_t child;

	mount_all();
	get_file("/proc/cmdline", cmdline, sizeof(cmdline));
	open_channel();
	/* Its own messages would fill the console. */
	try_put_file("/proc/sys/vm/drop_caches", "4");
	name = strdup(option("workload", "mount"));
	workload = find_workload(name);
	verdict("workload: %s", name);
	if (!workload)
		refuse("there is no such workload");
	if (sysconf(_SC_NPROCESSORS_ONLN) != option_number("cpus", 1))
		refuse("%ld CPUs are there", sysconf(_SC_NPROCESSORS_ONLN));

	record_begin();
	child = fork();
	if (child == 0) {
		/* What it makes the kernel cache can be reclaimed by name then. */
		try_put_file(CGROUP "/cgroup.procs", "0");
		load_modules();
		make_fs();
		workload->run();
		_exit(checks_low ? 1 : 0);
	}
	ok = supervise(child);
	record_end();
	if (!tell_file(GUARD "/stats", "stat"))
		verdict("guard: none");
	tell_file(GUARD "/coverage", "coverage");
	tell_file(PARAMS "/eb_mutant_hits", "mutant_hits");
	tell_file(PARAMS "/eb_debug", "level");
	tell_file(DEBUGFS "/kcsan", "kcsan");
	tell_lock_chains();
	verdict("end: %s", ok ? "ok" : "fail");
	end_guest();
	return 0;
}
