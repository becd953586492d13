// SPDX-License-Identifier: GPL-2.0
/*
 * What does one get and put of an extent buffer cost, and what one search?
 *
 * A parameter of btrfs, so that it needs no device and no ioctl: "pairs FD N" or
 * "search FD N" is written, FD is any open file of a btrfs, and what N of them
 * took is read.  It is in cycles, which is instructions where the virtual machine
 * counts those.  Part of the kernels that are measured, with the guard and
 * without; never of one that a user builds.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/timex.h>
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
	unsigned int fd, count;
	struct super_block *sb;
	char what[8];
	u64 begin;
	struct fd f;
	int ret;

	if (sscanf(val, "%7s %u %u", what, &fd, &count) != 3)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	sb = file_inode(f.file)->i_sb;
	ret = -EINVAL;
	if (sb->s_magic != BTRFS_SUPER_MAGIC)
		goto out;

	begin = get_cycles();
	if (!strcmp(what, "pairs"))
		ret = perf_pairs(btrfs_sb(sb)->fs_root, count);
	else if (!strcmp(what, "search"))
		ret = perf_search(btrfs_sb(sb)->fs_root, count);
	eb_perf_cycles = get_cycles() - begin;
out:
	fdput(f);
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
