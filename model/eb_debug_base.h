/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is particular to no kernel at all: the buffers of model/fuzz, see user-btrfs.h.
 */

#ifndef BTRFS_EB_DEBUG_BASE_H
#define BTRFS_EB_DEBUG_BASE_H

#include "user-btrfs.h"
#include "eb_debug_internal.h"

#define EB_BASE_LEVELS	BTRFS_MAX_LEVEL

static inline u32 eb_base_flags(const struct extent_buffer *eb)
{
	return eb->flags;
}

static inline bool eb_base_stale(const struct extent_buffer *eb)
{
	return eb->flags & EB_FLAG_STALE;
}

static inline bool eb_base_tree_ref(const struct extent_buffer *eb)
{
	return eb->flags & EB_FLAG_TREE_REF;
}

static inline int eb_base_refs(const struct extent_buffer *eb)
{
	return eb->refs;
}

static inline bool eb_base_locked_by(const struct extent_buffer *eb, pid_t pid)
{
	return eb->lock_owner == pid;
}

static inline const struct extent_buffer *
eb_base_node(const struct btrfs_path *path, int level)
{
	return path->nodes[level];
}

#endif
