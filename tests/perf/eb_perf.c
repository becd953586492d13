// SPDX-License-Identifier: GPL-2.0
/*
 * What does one get and put of an extent buffer cost, and what one search?
 *
 * A parameter of btrfs, so that it needs no device and no ioctl: "pairs FD N" or
 * "search FD N" is written, FD is any open file of a btrfs, and what N of them
 * took is read.  It is in cycles, which is instructions where the virtual machine
 * counts those.  Another one tells how long the CPU has slept since it was first
 * read: newer kernels count that by ticks.  Part of the kernels that are measured,
 * with the guard and without; never of one that a user builds.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/timex.h>
#include <trace/events/power.h>
#include "ctree.h"
#include "disk-io.h"
#include "extent_io.h"

static u64 eb_perf_cycles;

/* A buffer that stays in memory all the time, as the root of a tree does. */
static int perf_pairs(struct btrfs_root *root, unsigned int count)
{
	struct extent_buffer *eb = btrfs_root_node(root);
	u64 start = eb->start;

	for (; count; count--) {
		struct extent_buffer *found;

		found = find_extent_buffer(root->fs_info, start);
		if (!found)
			break;
		free_extent_buffer(found);
	}
	free_extent_buffer(eb);
	return count ? -ENOENT : 0;
}

/* From the root down to the item of the top directory, and everything put. */
static int perf_search(struct btrfs_root *root, unsigned int count)
{
	const struct btrfs_key key = {
		.objectid = BTRFS_FIRST_FREE_OBJECTID,
		.type = BTRFS_INODE_ITEM_KEY,
	};
	int ret = 0;

	for (; count && !ret; count--) {
		struct btrfs_path *path = btrfs_alloc_path();

		if (!path)
			return -ENOMEM;
		ret = btrfs_search_slot(NULL, root, &key, path, 0, 0);
		btrfs_free_path(path);
	}
	return ret > 0 ? -ENOENT : ret;
}

static int eb_perf_set(const char *val, const struct kernel_param *kp)
{
	struct btrfs_fs_info *fs_info;
	unsigned int fd, count;
	struct super_block *sb;
	struct file *file;
	char what[8];
	u64 begin;
	int ret;

	if (sscanf(val, "%7s %u %u", what, &fd, &count) != 3)
		return -EINVAL;
	file = fget(fd);
	if (!file)
		return -EBADF;
	sb = file_inode(file)->i_sb;
	ret = -EINVAL;
	if (sb->s_magic != BTRFS_SUPER_MAGIC)
		goto out;
	fs_info = sb->s_fs_info;

	fs_info = sb->s_fs_info;
	begin = get_cycles();
	if (!strcmp(what, "pairs"))
		ret = perf_pairs(fs_info->fs_root, count);
	else if (!strcmp(what, "search"))
		ret = perf_search(fs_info->fs_root, count);
	eb_perf_cycles = get_cycles() - begin;
out:
	fput(file);
	return ret;
}

static int eb_perf_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%llu\n", eb_perf_cycles);
}

static const struct kernel_param_ops eb_perf_ops = {
	.set = eb_perf_set,
	.get = eb_perf_get,
};

module_param_cb(eb_perf, &eb_perf_ops, NULL, 0600);
MODULE_PARM_DESC(eb_perf, "measure pairs of get and put, or searches");

/* For the single CPU that such a machine has, in cycles. */
static u64 eb_perf_slept;
static u64 eb_perf_asleep;
static bool eb_perf_watched;

/* The same on all kernels; what interrupts do in between counts as sleep. */
static void eb_perf_watch(void *data, unsigned int state, unsigned int cpu)
{
	if (state != (u32)PWR_EVENT_EXIT) {
		eb_perf_asleep = get_cycles();
		return;
	}
	if (eb_perf_asleep)
		eb_perf_slept += get_cycles() - eb_perf_asleep;
	eb_perf_asleep = 0;
}

static int eb_perf_slept_get(char *buf, const struct kernel_param *kp)
{
	int ret = 0;

	if (!eb_perf_watched)
		ret = register_trace_cpu_idle(eb_perf_watch, NULL);
	if (ret)
		return ret;
	eb_perf_watched = true;
	return sysfs_emit(buf, "%llu\n", eb_perf_slept);
}

static const struct kernel_param_ops eb_perf_slept_ops = {
	.get = eb_perf_slept_get,
};

module_param_cb(eb_perf_slept, &eb_perf_slept_ops, NULL, 0400);
MODULE_PARM_DESC(eb_perf_slept, "how long the CPU has slept, in cycles");
