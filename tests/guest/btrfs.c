// SPDX-License-Identifier: GPL-2.0
/*
 * What btrfs is asked for by ioctl, by more than one workload: items of its
 * trees, balance, quotas, files whose data has an extent of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include "guest.h"

#define SEARCH_SIZE	65536

/* An ioctl on the file or directory @path; what it returns, with errno. */
int path_ioctl(const char *path, unsigned long request, void *args)
{
	int fd = open(path, O_RDONLY);
	int ret, err;

	if (fd < 0)
		die("opening %s", path);
	ret = ioctl(fd, request, args);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

/* An ioctl on the file system that must succeed. */
void fs_ioctl(unsigned long request, void *args, const char *what)
{
	if (path_ioctl(MNT, request, args))
		die("%s", what);
}

/*
 * How many items of @type are in the range of @want; of the last of them its
 * offset and its content are handed out, if @data is not NULL.
 */
static long search_items(const struct btrfs_ioctl_search_key *want, uint32_t type,
			 uint64_t *offset, void *data, size_t size)
{
	static union {
		struct btrfs_ioctl_search_args_v2 args;
		char space[sizeof(struct btrfs_ioctl_search_args_v2) + SEARCH_SIZE];
	} search;
	struct btrfs_ioctl_search_key *key = &search.args.key;
	long found = 0;

	search.args.key = *want;
	for (;;) {
		struct btrfs_ioctl_search_header head;
		char *pos = (char *)search.args.buf;

		key->nr_items = -1;
		search.args.buf_size = SEARCH_SIZE;
		fs_ioctl(BTRFS_IOC_TREE_SEARCH_V2, &search, "searching a tree");
		if (!key->nr_items)
			return found;
		for (unsigned int i = 0; i < key->nr_items; i++) {
			memcpy(&head, pos, sizeof(head));
			pos += sizeof(head);
			if (head.type == type) {
				found++;
				if (data) {
					*offset = head.offset;
					memcpy(data, pos, head.len < size ? head.len : size);
				}
			}
			pos += head.len;
		}
		/* Go on behind the last one. */
		key->min_objectid = head.objectid;
		key->min_type = head.type;
		key->min_offset = head.offset + 1;
		if (!key->min_offset)
			return found;
	}
}

/* How many items of @type are in @tree whose objectid is from @first to @last. */
long count_items(uint64_t tree, uint32_t type, uint64_t first, uint64_t last)
{
	struct btrfs_ioctl_search_key want = {
		.tree_id = tree, .min_objectid = first, .max_objectid = last,
		.max_type = 255, .max_offset = -1, .max_transid = -1,
	};

	return search_items(&want, type, NULL, NULL, 0);
}

/* Get the last item of @objectid whose offset is not above *@offset; false if none is. */
bool find_item(uint64_t tree, uint64_t objectid, uint32_t type, uint64_t *offset,
	       void *data, size_t size)
{
	struct btrfs_ioctl_search_key want = {
		.tree_id = tree, .min_objectid = objectid, .max_objectid = objectid,
		.min_type = type, .max_type = type,
		.max_offset = *offset, .max_transid = -1,
	};

	return search_items(&want, type, offset, data, size) > 0;
}

/* Subvolumes and snapshots that the tree of roots knows, deleted ones included. */
long count_subvols(void)
{
	return count_items(BTRFS_ROOT_TREE_OBJECTID, BTRFS_ROOT_ITEM_KEY,
			   BTRFS_FIRST_FREE_OBJECTID, BTRFS_LAST_FREE_OBJECTID);
}

/* Wait until the cleaner has taken apart all but @left subvolumes. */
bool wait_dropped(long left)
{
	double limit = now() + 30;

	while (count_subvols() > left) {
		if (now() > limit)
			return false;
		/* The commit wakes the cleaner up. */
		sync_fs();
		usleep(50000);
	}
	return true;
}

/* Number of the tree of a subvolume, given by its path. */
uint64_t subvol_id(const char *path)
{
	struct btrfs_ioctl_ino_lookup_args args = {
		.objectid = BTRFS_FIRST_FREE_OBJECTID,
	};

	if (path_ioctl(path, BTRFS_IOC_INO_LOOKUP, &args))
		die("looking up the tree of %s", path);
	return args.treeid;
}

/*
 * Relocate all chunks of the kinds in @flags.  Returns 0, or the error number;
 * *@completed, if not NULL, is how many chunks of metadata were relocated.
 */
int balance_chunks(uint64_t flags, long *completed)
{
	struct btrfs_ioctl_balance_args args = { .flags = flags };
	int ret = path_ioctl(MNT, BTRFS_IOC_BALANCE_V2, &args);

	if (completed)
		*completed += args.stat.completed;
	return ret ? errno : 0;
}

static void quota_control(uint64_t cmd, const char *what)
{
	struct btrfs_ioctl_quota_ctl_args args = { .cmd = cmd };

	fs_ioctl(BTRFS_IOC_QUOTA_CTL, &args, what);
}

/* Quotas on; that starts to count what is there, which is waited for. */
void enable_quotas(void)
{
	quota_control(BTRFS_QUOTA_CTL_ENABLE, "enabling quotas");
	fs_ioctl(BTRFS_IOC_QUOTA_RESCAN_WAIT, NULL, "waiting for the quota scan");
}

void disable_quotas(void)
{
	quota_control(BTRFS_QUOTA_CTL_DISABLE, "disabling quotas");
}

/* What a quota group refers to, in bytes, as the last commit has it. */
long quota_of(uint64_t group)
{
	struct btrfs_qgroup_info_item info;
	uint64_t found = group;

	sync_fs();
	if (!find_item(BTRFS_QUOTA_TREE_OBJECTID, 0, BTRFS_QGROUP_INFO_KEY, &found,
		       &info, sizeof(info)) || found != group)
		die("there is no quota group %lx", (long)group);
	return info.rfer;
}

/* Write @size bytes of a new file, so many that they are not kept in the tree. */
void make_data_file(const char *path, size_t size)
{
	static char data[65536];
	int fd = open(path, O_CREAT | O_RDWR, 0644);

	if (fd < 0)
		die("creating %s", path);
	memset(data, path[strlen(path) - 1], sizeof(data));
	for (size_t done = 0; done < size; done += sizeof(data))
		if (pwrite(fd, data, sizeof(data), done) != sizeof(data))
			die("writing %s", path);
	close(fd);
}

/* Wait for a task that ends by itself; its exit status. */
int wait_for(pid_t task)
{
	int status;

	if (waitpid(task, &status, 0) != task)
		die("waiting for a task");
	if (!WIFEXITED(status))
		die("a task was killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* Stop a task that works until then; one that has ended before has failed. */
void stop_worker(pid_t task)
{
	if (waitpid(task, NULL, WNOHANG))
		die("a task has ended too early");
	stop(task);
}
