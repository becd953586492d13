// SPDX-License-Identifier: GPL-2.0
/*
 * Workload tools: a script of the host, run among the programs of a distribution.
 * tools=DISK is the image that they are on, output=DISK takes what the script prints.
 * The script has the file system's disk to itself, and finds tracefs and debugfs where
 * they always are.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "guest.h"

#define ROOT	"/tools"
/* In there, and the only directory that can be written to. */
#define HOME	"/guest"
#define SCRIPT	"/script"

static void mount_in_root(const char *from, const char *to, const char *type,
			  unsigned long flags)
{
	if (mount(from, to, type, flags, NULL))
		die("mounting %s", to);
}

static void make_root(void)
{
	mkdir(ROOT, 0755);
	mount_in_root(option("tools", ""), ROOT, "squashfs", MS_RDONLY);
	mount_in_root("/dev", ROOT "/dev", NULL, MS_BIND);
	mount_in_root("/proc", ROOT "/proc", NULL, MS_BIND);
	mount_in_root("/sys", ROOT "/sys", NULL, MS_BIND | MS_REC);
	mount_in_root("tmpfs", ROOT HOME, "tmpfs", 0);
	mkdir(ROOT HOME MNT, 0755);
}

static void copy_script(void)
{
	static char text[1 << 20];
	int to = open(ROOT HOME SCRIPT, O_WRONLY | O_CREAT, 0644);
	long len = get_file(SCRIPT, text, sizeof(text));

	if (to < 0 || len <= 0 || len == sizeof(text) - 1 ||
	    write(to, text, len) != len)
		die("copying the script");
	close(to);
}

/* Synchronous: what a script printed that then hangs is there as well. */
static void print_to_disk(void)
{
	const char *disk = option("output", "");
	int fd = open(disk, O_WRONLY | O_SYNC);

	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		die("opening %s", disk);
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	if (fd < 0 || dup2(fd, 0) < 0)
		die("opening /dev/null");
}

/* Init tells the host how the script has ended. */
static void run_tools(void)
{
	make_root();
	copy_script();
	print_to_disk();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", HOME, 1);
	if (chroot(ROOT) || chdir(HOME))
		die("chroot");
	execl("/bin/sh", "sh", HOME SCRIPT, NULL);
	die("running the script");
}

const struct workload tools_workloads[] = {
	{ "tools", run_tools },
	{ NULL, NULL }
};
