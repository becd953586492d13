// SPDX-License-Identifier: GPL-2.0
/*
 * The device mapper, as far as workloads use it: devices and their tables.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include "guest.h"
#include "mapper.h"

static int control = -1;

void open_mapper(void)
{
	control = open("/dev/mapper/control", O_RDWR);
	if (control < 0)
		die("opening the device mapper");
}

uint64_t disk_sectors(const char *disk)
{
	int fd = open(disk, O_RDONLY);
	uint64_t bytes;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes))
		die("asking for the size of %s", disk);
	close(fd);
	return bytes / 512;
}

static void call(const char *name, unsigned long request, struct dm_ioctl *args, size_t size,
		 const char *what)
{
	args->version[0] = DM_VERSION_MAJOR;
	args->data_size = size;
	args->data_start = sizeof(*args);
	snprintf(args->name, sizeof(args->name), "%s", name);
	if (ioctl(control, request, args))
		die("device mapper: %s %s", what, name);
}

static void plain_call(const char *name, unsigned long request, uint32_t flags, const char *what)
{
	struct dm_ioctl args = { .flags = flags };

	call(name, request, &args, sizeof(args), what);
}

void mapper_create(const char *name)
{
	plain_call(name, DM_DEV_CREATE, 0, "creating");
}

/* The file system is not asked: it would write all that it has before. */
void mapper_suspend(const char *name)
{
	plain_call(name, DM_DEV_SUSPEND,
		   DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG, "suspending");
}

/* What has begun comes to its end on the old table, all else goes to the new one. */
void mapper_load(const char *name, const struct piece *pieces, int count)
{
	static union {
		struct dm_ioctl args;
		char space[8192];
	} load;
	char *pos = load.space + sizeof(load.args);

	memset(&load, 0, sizeof(load));
	load.args.target_count = count;
	for (int i = 0; i < count; i++) {
		struct dm_target_spec *spec = (void *)pos;
		char *params = pos + sizeof(*spec);

		spec->sector_start = pieces[i].start;
		spec->length = pieces[i].end - pieces[i].start;
		snprintf(spec->target_type, sizeof(spec->target_type), "%s", pieces[i].type);
		snprintf(params, 128, "%s", pieces[i].params);
		pos = params + 128;
		spec->next = pos - (char *)spec;
	}
	mapper_suspend(name);
	call(name, DM_TABLE_LOAD, &load.args, sizeof(load), "loading a table of");
	plain_call(name, DM_DEV_SUSPEND, 0, "resuming");
}
