/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations that are done again and again with one allocation failing, each
 * time a later one.  faults.c does that; fault_files.c, fault_trees.c,
 * fault_mounts.c and fault_guard.c have the operations, a table for each part.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include "guest.h"

struct fault_op {
	const char *name;
	/* What must be there before, without any fault; it may be NULL. */
	void (*prepare)(int turn);
	/* 0, or -1 as a system call has it; @turn makes names that are new. */
	int (*run)(int turn);
	/* Forget inodes and tree blocks before, so that they are read. */
	bool cold;
	/* Only each step'th allocation fails, where there are very many. */
	int step;
	/* No more than so many faults, where one turn takes long. */
	int most;
};

extern const struct fault_op fault_file_ops[];
extern const struct fault_op fault_tree_ops[];
extern const struct fault_op fault_chunk_ops[];
extern const struct fault_op fault_mount_ops[];
extern const struct fault_op fault_guard_ops[];

/* All that can be made to fail may fail, silently. */
void allow_faults(void);
/* @stem and @turn as a path below the mount point; one of a few static buffers. */
const char *turn_path(const char *stem, int turn);
int close_with(int fd, int ret);
void must_create(const char *path, size_t size);

#endif /* FAULTS_H */
