/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What are rules, sites, events, kinds and flags called?
 *
 * The tables, without anything that needs a kernel: those who read a trace in user
 * space have the same names from here.
 */

#ifndef BTRFS_EB_DEBUG_NAMES_H
#define BTRFS_EB_DEBUG_NAMES_H

#include <linux/kernel.h>
#include "eb_debug_internal.h"

/*
 * A rule's name, its title, and whether the function that the hook stands in is
 * the one at fault.  If it is not, the first caller is that is not a mere helper.
 */
static const struct {
	const char *name;
	const char *title;
	bool blame_hook;
} rules[] = {
	[EB_RULE_NONE] = { "none", "nothing" },
	[EB_RULE_IO_WITHOUT_DANCE] = {
		"io_without_dance", "IO submitted without the tree_ref dance" },
	[EB_RULE_IO_WITHOUT_TREE_REF] = {
		"io_without_tree_ref", "IO submitted without TREE_REF" },
	[EB_RULE_WRITEBACK_WITHOUT_TREE_REF] = {
		"writeback_without_tree_ref", "writeback begun without TREE_REF",
		true },
	[EB_RULE_TREE_REF_CLEARED_UNDER_IO] = {
		"tree_ref_cleared_under_io",
		"TREE_REF cleared of a buffer dirty or under IO", true },
	[EB_RULE_TREE_REF_CLEARED_UNLOCKED] = {
		"tree_ref_cleared_unlocked", "TREE_REF cleared without refs_lock",
		true },
	[EB_RULE_TREE_REF_CLEARED_UNTESTED] = {
		"tree_ref_cleared_untested",
		"TREE_REF cleared on a test made outside of refs_lock", true },
	[EB_RULE_READ_OF_UPTODATE] = {
		"read_of_uptodate", "read started over valid content" },
	[EB_RULE_READ_WITHOUT_RECHECK] = {
		"read_without_recheck",
		"read started without a second look at UPTODATE" },
	[EB_RULE_READ_AFTER_WRITE_ERROR] = {
		"read_after_write_error", "read started after a write error" },
	[EB_RULE_READING_CLEARED_ALONE] = {
		"reading_cleared_alone",
		"READING cleared apart from the reference of the read" },
	[EB_RULE_WRITE_WITHOUT_WRITEBACK] = {
		"write_without_writeback", "write of a buffer that is not WRITEBACK" },
	[EB_RULE_WRITEBACK_WITHOUT_IO] = {
		"writeback_without_io", "WRITEBACK set and nothing submitted" },
	[EB_RULE_IO_PAGES_LEAKED] = {
		"io_pages_leaked", "io_pages higher than what was submitted" },
	[EB_RULE_IO_ENDED_TWICE] = {
		"io_ended_twice", "IO ended more often than it started" },
	[EB_RULE_WRITEBACK_CLEARED_EARLY] = {
		"writeback_cleared_early",
		"WRITEBACK cleared before the last page ended" },
	[EB_RULE_IO_END_WITHOUT_TREE_REF] = {
		"io_end_without_tree_ref", "TREE_REF lost while under IO" },
	[EB_RULE_FREED_UNDER_IO] = { "freed_under_io", "buffer freed under IO" },
	[EB_RULE_FREED_DIRTY] = { "freed_dirty", "buffer freed while dirty" },
	[EB_RULE_FREED_IN_TREE] = {
		"freed_in_tree", "buffer freed while in the tree", true },
	[EB_RULE_FREED_WITH_TREE_REF] = {
		"freed_with_tree_ref", "buffer freed with TREE_REF set" },
	[EB_RULE_FREED_LOCKED] = { "freed_locked", "buffer freed while locked" },
	[EB_RULE_FREED_ON_LIST] = {
		"freed_on_list", "buffer freed while on a list" },
	[EB_RULE_FREED_OWNED] = {
		"freed_owned", "buffer freed while somebody holds it" },
	[EB_RULE_PUT_WITHOUT_REFERENCE] = {
		"put_without_reference", "put by somebody who holds no reference" },
	[EB_RULE_PUT_LOCKED] = {
		"put_locked", "last reference put while the buffer is locked" },
	[EB_RULE_LEFT_IN_PATH] = {
		"left_in_path", "reference lost from a path", true },
	[EB_RULE_LEFT_BY_TASK] = {
		"left_by_task", "reference taken and never given back", true },
	[EB_RULE_STALE_LOOKUP_UNLOCKED] = {
		"stale_lookup_unlocked",
		"stale buffer handed out without waiting for refs_lock", true },
	[EB_RULE_PRIVATE_UNLOCKED] = {
		"private_unlocked",
		"private of a page of the buffer changed without its lock", true },
	[EB_RULE_MARKS_OUT_OF_STEP] = {
		"marks_out_of_step",
		"marks in the tree of buffers differ from the flags", true },
	[EB_RULE_BUFFER_LEAKED] = {
		"buffer_leaked", "buffer left at unmount", true },
	[EB_RULE_WRITE_ON_FAILED_FS] = {
		"write_on_failed_fs", "write on a file system in error" },
};

static_assert(ARRAY_SIZE(rules) == EB_RULE_COUNT);

static const char * const sites[] = {
	[EB_SITE_READ] = "read",
	[EB_SITE_READ_SUBPAGE] = "read_subpage",
	[EB_SITE_READ_END] = "read_end",
	[EB_SITE_WRITE] = "write",
	[EB_SITE_WRITE_END] = "write_end",
	[EB_SITE_PUT] = "put",
	[EB_SITE_PUT_STALE] = "put_stale",
	[EB_SITE_RELEASE] = "release",
	[EB_SITE_RELEASE_SUBPAGE] = "release_subpage",
	[EB_SITE_LOOKUP] = "lookup",
	[EB_SITE_TREE] = "tree",
};

static_assert(ARRAY_SIZE(sites) == EB_SITE_COUNT);

static const char * const events[] = {
	[EB_EVENT_ALLOC] = "alloc",
	[EB_EVENT_GET] = "get",
	[EB_EVENT_HOLD] = "hold",
	[EB_EVENT_GIVE] = "give",
	[EB_EVENT_TAKE] = "take",
	[EB_EVENT_INSERT] = "insert",
	[EB_EVENT_TREE_REF_SET] = "tree_ref_set",
	[EB_EVENT_TREE_REF_REPAIR] = "tree_ref_repair",
	[EB_EVENT_TREE_REF_CLEAR] = "tree_ref_clear",
	[EB_EVENT_READING] = "reading",
	[EB_EVENT_READING_CLEAR] = "reading_clear",
	[EB_EVENT_READ_PUT] = "read_put",
	[EB_EVENT_IO_START] = "io_start",
	[EB_EVENT_IO_ARM] = "io_arm",
	[EB_EVENT_MUST_DANCE] = "must_dance",
	[EB_EVENT_IO_DANCE] = "io_dance",
	[EB_EVENT_IO_SUBMIT] = "io_submit",
	[EB_EVENT_IO_PAGE] = "io_page",
	[EB_EVENT_IO_SENT] = "io_sent",
	[EB_EVENT_WRITE_OUT] = "write_out",
	[EB_EVENT_IO_END] = "io_end",
	[EB_EVENT_WRITEBACK] = "writeback",
	[EB_EVENT_WRITEBACK_END] = "writeback_end",
	[EB_EVENT_DIRTY] = "dirty",
	[EB_EVENT_CLEAN] = "clean",
	[EB_EVENT_STALE] = "stale",
	[EB_EVENT_MARKS] = "marks",
	[EB_EVENT_PRIVATE] = "private",
	[EB_EVENT_NEW_BLOCK] = "new_block",
	[EB_EVENT_LOOKUP] = "lookup",
	[EB_EVENT_REFS_LOCK] = "refs_lock",
	[EB_EVENT_UNDER_IO] = "under_io",
	[EB_EVENT_PUT] = "put",
	[EB_EVENT_PUT_LOCKED] = "put_locked",
	[EB_EVENT_RELEASE_REFUSED] = "release_refused",
	[EB_EVENT_LAST_PUT] = "last_put",
	[EB_EVENT_FREE] = "free",
	[EB_EVENT_PATH_FREE] = "path_free",
	[EB_EVENT_TASK_END] = "task_end",
	[EB_EVENT_UNMOUNT] = "unmount",
};

static_assert(ARRAY_SIZE(events) == EB_EVENT_COUNT);

static const char * const kinds[] = {
	[EB_KIND_TREE] = "tree",
	[EB_KIND_ROOT] = "root",
	[EB_KIND_COMMIT_ROOT] = "commit_root",
	[EB_KIND_RELOC] = "reloc",
	[EB_KIND_ZONED] = "zoned",
	[EB_KIND_IRQ] = "irq",
	[EB_KIND_READ] = "read",
	[EB_KIND_TRANS] = "trans",
	[EB_KIND_NEW] = "new",
	[EB_KIND_LOOKUP] = "lookup",
	[EB_KIND_WALK] = "walk",
	[EB_KIND_PATH] = "path",
	[EB_KIND_READAHEAD] = "readahead",
	[EB_KIND_WRITEBACK] = "writeback",
	[EB_KIND_IO] = "io",
	[EB_KIND_LOG] = "log",
	[EB_KIND_CLONE] = "clone",
	[EB_KIND_EXTRA] = "extra",
};

static_assert(ARRAY_SIZE(kinds) == EB_KIND_COUNT);

/* In the order in which a person wants to read them. */
static const struct {
	enum eb_flag flag;
	const char *name;
} flag_names[] = {
	{ EB_FLAG_UPTODATE, "UPTODATE" }, { EB_FLAG_DIRTY, "DIRTY" },
	{ EB_FLAG_WRITEBACK, "WRITEBACK" }, { EB_FLAG_TREE_REF, "TREE_REF" },
	{ EB_FLAG_STALE, "STALE" }, { EB_FLAG_UNMAPPED, "UNMAPPED" },
	{ EB_FLAG_IN_TREE, "IN_TREE" }, { EB_FLAG_WRITE_ERR, "WRITE_ERR" },
	{ EB_FLAG_READ_ERR, "READ_ERR" }, { EB_FLAG_CORRUPT, "CORRUPT" },
	{ EB_FLAG_NO_CHECK, "NO_CHECK" }, { EB_FLAG_READAHEAD, "READAHEAD" },
	{ EB_FLAG_READING, "READING" }, { EB_FLAG_ZEROOUT, "ZONED_ZEROOUT" },
};

/* Each bit has its name. */
static_assert(EB_FLAG_ZEROOUT == 1 << (ARRAY_SIZE(flag_names) - 1));

#endif
