// SPDX-License-Identifier: GPL-2.0
/*
 * Which bug is put back into btrfs?  See eb_mutant.h.
 */

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_mutant.h"

static const char * const names[] = {
	[EB_MUTANT_NONE] = "none",
	[EB_MUTANT_READ_DANCE] = "read_dance",
	[EB_MUTANT_READ_DANCE_SUBPAGE] = "read_dance_subpage",
	[EB_MUTANT_WRITE_DANCE] = "write_dance",
	[EB_MUTANT_CLEAR_UNLOCKED] = "clear_unlocked",
	[EB_MUTANT_RELEASE_TEST_UNLOCKED] = "release_test_unlocked",
	[EB_MUTANT_CLEAR_UNDER_IO] = "clear_under_io",
	[EB_MUTANT_READ_WRITE_ERROR] = "read_write_error",
	[EB_MUTANT_READ_UPTODATE] = "read_uptodate",
	[EB_MUTANT_WRITEBACK_NO_IO] = "writeback_no_io",
	[EB_MUTANT_WRITE_NOT_WRITEBACK] = "write_not_writeback",
	[EB_MUTANT_IO_PAGES_HIGH] = "io_pages_high",
	[EB_MUTANT_END_TWICE] = "end_twice",
	[EB_MUTANT_WRITEBACK_EARLY] = "writeback_early",
	[EB_MUTANT_FREE_DIRTY] = "free_dirty",
	[EB_MUTANT_FREE_UNDER_IO] = "free_under_io",
	[EB_MUTANT_FREE_IN_TREE] = "free_in_tree",
	[EB_MUTANT_FREE_TREE_REF] = "free_tree_ref",
	[EB_MUTANT_FREE_LOCKED] = "free_locked",
	[EB_MUTANT_FREE_ON_LIST] = "free_on_list",
	[EB_MUTANT_STALE_LOOKUP] = "stale_lookup",
	[EB_MUTANT_PUT_EXTRA] = "put_extra",
	[EB_MUTANT_LEAK] = "leak",
	[EB_MUTANT_WRITEBACK_NO_TREE_REF] = "writeback_no_tree_ref",
	[EB_MUTANT_SUBMIT_NO_TREE_REF] = "submit_no_tree_ref",
	[EB_MUTANT_END_NO_TREE_REF] = "end_no_tree_ref",
	[EB_MUTANT_LOST_BEFORE_DANCE] = "lost_before_dance",
	[EB_MUTANT_WRITE_FAILED_FS] = "write_failed_fs",
	[EB_MUTANT_COPY_ROOT] = "copy_root",
	[EB_MUTANT_COW_ERROR] = "cow_error",
	[EB_MUTANT_ALLOC_BLOCK_LOCKED] = "alloc_block_locked",
	[EB_MUTANT_REPLACE_PATH] = "replace_path",
	[EB_MUTANT_TRY_LOCK] = "try_lock",
	[EB_MUTANT_CLONE] = "clone",
	[EB_MUTANT_DEL_ITEMS] = "del_items",
	[EB_MUTANT_LOG_WALK] = "log_walk",
	[EB_MUTANT_PUT_FOREIGN] = "put_foreign",
	[EB_MUTANT_COMMIT_ROOT] = "commit_root",
	[EB_MUTANT_MERGE_RELOC] = "merge_reloc",
	[EB_MUTANT_QGROUP_SWAP] = "qgroup_swap",
	[EB_MUTANT_WORK_ITEM] = "work_item",
	[EB_MUTANT_PATH_NODE] = "path_node",
	[EB_MUTANT_PUT_PATH_NODE] = "put_path_node",
	[EB_MUTANT_RELOC_NODE] = "reloc_node",
	[EB_MUTANT_PUT_LOCKED] = "put_locked",
	[EB_MUTANT_FREE_OWNED] = "free_owned",
	[EB_MUTANT_SPLIT_NODE] = "split_node",
	[EB_MUTANT_FREE_BLOCK] = "free_block",
	[EB_MUTANT_RELOC_ROOT] = "reloc_root",
	[EB_MUTANT_READING_ALONE] = "reading_alone",
	[EB_MUTANT_READING_UNLOCK] = "reading_unlock",
	[EB_MUTANT_NO_RECHECK] = "no_recheck",
	[EB_MUTANT_ATTACH_UNLOCKED] = "attach_unlocked",
	[EB_MUTANT_ATTACH_LATE] = "attach_late",
	[EB_MUTANT_DIRTY_UNMARKED] = "dirty_unmarked",
	[EB_MUTANT_TOWRITE_LEFT] = "towrite_left",
	[EB_MUTANT_ZONED_LIST] = "zoned_list",
};

static_assert(ARRAY_SIZE(names) == EB_MUTANT_COUNT);

static int chosen;
static atomic_t hits;

static int chosen_set(const char *val, const struct kernel_param *kp)
{
	int ret;

	ret = sysfs_match_string(names, val);
	if (ret < 0)
		return ret;
	chosen = ret;
	atomic_set(&hits, 0);
	return 0;
}

static int chosen_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", names[chosen]);
}

static int hits_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&hits));
}

static const struct kernel_param_ops chosen_ops = {
	.set = chosen_set,
	.get = chosen_get,
};

static const struct kernel_param_ops hits_ops = {
	.get = hits_get,
};

module_param_cb(eb_mutant, &chosen_ops, NULL, 0644);
module_param_cb(eb_mutant_hits, &hits_ops, NULL, 0444);

/* Let the bug kill the kernel, as it would without us. */
static bool deadly;
module_param_named(eb_mutant_deadly, deadly, bool, 0444);

bool btrfs_eb_mutant(enum eb_mutant mutant)
{
	if (likely(chosen != mutant))
		return false;
	atomic_inc(&hits);
	return true;
}

/* A bug that is put back once comes each time. */
static bool again;
module_param_named(eb_mutant_again, again, bool, 0644);

bool btrfs_eb_mutant_once(enum eb_mutant mutant)
{
	if (unlikely(again))
		return btrfs_eb_mutant(mutant);
	return unlikely(chosen == mutant) && atomic_cmpxchg(&hits, 0, 1) == 0;
}

/* References that a mutant has taken away and that heal gives back. */
static int stolen;

/* The count, whichever of the two types it has in this kernel. */
static atomic_t *refs_of(struct extent_buffer *eb)
{
	static_assert(sizeof(eb->refs) == sizeof(atomic_t));

	return (atomic_t *)&eb->refs;
}

void btrfs_eb_mutant_strip(struct extent_buffer *eb)
{
	stolen = atomic_read(refs_of(eb)) - 1;
	clear_bit(EXTENT_BUFFER_TREE_REF, &eb->bflags);
	atomic_set(refs_of(eb), 1);
}

void btrfs_eb_mutant_steal(enum eb_mutant mutant, struct extent_buffer *eb)
{
	if (likely(chosen != mutant) || atomic_read(refs_of(eb)) < 4 ||
	    eb != eb->fs_info->tree_root->node ||
	    !btrfs_eb_mutant_once(mutant))
		return;
	btrfs_eb_mutant_strip(eb);
}

bool btrfs_eb_mutant_heal(struct extent_buffer *eb)
{
	if (likely(!chosen) || deadly ||
	    (!extent_buffer_under_io(eb) && !stolen))
		return false;
	atomic_set(refs_of(eb), stolen ?: 1);
	stolen = 0;
	set_bit(EXTENT_BUFFER_TREE_REF, &eb->bflags);
	return true;
}
