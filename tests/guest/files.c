// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata, made and read: directories of small files, whose data lies inline
 * in the tree blocks, with attributes, hard links, and subvolumes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/btrfs.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include "guest.h"

/* Largest content: stays inline with any node size from 4K. */
#define MAX_INLINE	1500

static void fill_file(int fd, const char *path, int seed)
{
	char data[MAX_INLINE];
	size_t size = 500 + seed * 37 % (MAX_INLINE - 500);

	memset(data, 'a' + seed % 26, size);
	if (pwrite(fd, data, size, 0) != (ssize_t)size)
		die("writing %s", path);
}

/*
 * Files @dir/f<first> and on; each fourth has an attribute, each seventh is
 * renamed there and back, each ninth has a second name, each fiftieth is
 * forced to disk through the log tree.
 */
void make_files(const char *dir, int first, int count)
{
	char path[128], other[144];

	if (mkdir(dir, 0755) && errno != EEXIST)
		die("mkdir %s", dir);
	for (int i = first; i < first + count; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/f%06d", dir, i);
		snprintf(other, sizeof(other), "%s.other", path);
		fd = open(path, O_CREAT | O_RDWR, 0644);
		if (fd < 0)
			die("creating %s", path);
		fill_file(fd, path, i);
		if (i % 4 == 0 && fsetxattr(fd, "user.eb", path, strlen(path), 0))
			die("attribute of %s", path);
		if (i % 50 == 49 && fsync(fd))
			die("fsync of %s", path);
		close(fd);
		if (i % 7 == 0 && (rename(path, other) || rename(other, path)))
			die("renaming %s", path);
		if (i % 9 == 0 && link(path, other) && errno != EEXIST)
			die("linking %s", path);
	}
}

/*
 * Change every file a little, so that its leaf has to be written again.  An
 * attribute goes into the leaf at once; times and modes wait for the commit.
 */
void touch_files(const char *dir, int first, int count, int round)
{
	char path[128];

	for (int i = first; i < first + count; i++) {
		snprintf(path, sizeof(path), "%s/f%06d", dir, i);
		if (setxattr(path, "user.round", &round, sizeof(round), 0))
			die("changing %s", path);
	}
}

void remove_files(const char *dir, int first, int count)
{
	char path[128];

	for (int i = first; i < first + count; i++) {
		snprintf(path, sizeof(path), "%s/f%06d", dir, i);
		if (unlink(path))
			die("unlinking %s", path);
	}
}

/* Has that file an extent whose data lies there otherwise than it is read? */
static bool is_encoded(const char *path)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
	} found = { .map = { .fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = 1 } };
	int fd = open(path, O_RDONLY);

	if (fd < 0 || ioctl(fd, FS_IOC_FIEMAP, &found))
		die("asking for the extents of %s", path);
	close(fd);
	return found.map.fm_mapped_extents &&
	       found.map.fm_extents[0].fe_flags & FIEMAP_EXTENT_ENCODED;
}

/* If the mount asks for compression, are these files, which are on the disk, compressed? */
void check_compressed(const char *dir, int first, int count)
{
	char path[128];
	int encoded = 0;

	if (!strstr(option("mount", ""), "compress"))
		return;
	for (int i = first; i < first + count; i++) {
		snprintf(path, sizeof(path), "%s/f%06d", dir, i);
		encoded += is_encoded(path);
	}
	check("compressed_files", encoded, count);
}

/*
 * List @dir and all below it, stat and read each file.  Returns how many
 * entries could be read; an IO error ends nothing, the caller knows how many
 * there are.
 */
long read_tree(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	long seen = 0;

	if (!d)
		return 0;
	while ((entry = readdir(d))) {
		char path[512], data[MAX_INLINE];
		struct stat st;
		int fd;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode)) {
			seen += read_tree(path);
			continue;
		}
		fd = open(path, O_RDONLY);
		if (fd >= 0 && read(fd, data, sizeof(data)) >= 0)
			seen++;
		if (fd >= 0) {
			/* An inode with pages would outlive drop_inodes(). */
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			close(fd);
		}
	}
	closedir(d);
	return seen;
}

static void subvol_ioctl(unsigned long request, void *args, const char *what)
{
	int fd = open(MNT, O_RDONLY);

	if (fd < 0 || ioctl(fd, request, args))
		die("%s", what);
	close(fd);
}

/* Subvolumes lie directly below the mount point. */
void make_subvol(const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	snprintf(args.name, sizeof(args.name), "%s", name);
	subvol_ioctl(BTRFS_IOC_SUBVOL_CREATE, &args, "creating a subvolume");
}

void make_snapshot(const char *from, const char *name, bool readonly)
{
	struct btrfs_ioctl_vol_args_v2 args = { 0 };
	char path[128];

	snprintf(path, sizeof(path), MNT "/%s", from);
	args.fd = open(path, O_RDONLY);
	if (args.fd < 0)
		die("opening %s", path);
	args.flags = readonly ? BTRFS_SUBVOL_RDONLY : 0;
	snprintf(args.name, sizeof(args.name), "%s", name);
	subvol_ioctl(BTRFS_IOC_SNAP_CREATE_V2, &args, "making a snapshot");
	close(args.fd);
}

void destroy_subvol(const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };

	snprintf(args.name, sizeof(args.name), "%s", name);
	subvol_ioctl(BTRFS_IOC_SNAP_DESTROY, &args, "destroying a subvolume");
}
