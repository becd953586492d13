/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vocabulary of the extent buffer guard, shared by its files and by nobody else.
 *
 * How it flows, arrows go down only:
 *
 *	door	include/linux/eb_debug.h	one nop when off
 *	core	eb_debug.c			notes the event, judges it
 *	knobs	eb_debug_fs.c			looks at the buffer, counts, traces, limits
 *	words	eb_debug_report.c		every sentence that a person reads
 *
 * Beside them eb_debug_live.c keeps the list of live buffers.
 *
 * The core knows a buffer's record and one look at the buffer, nothing else, so
 * that KUnit can judge it without a disk.  What differs between kernels is in
 * eb_debug_base.h.
 *
 * Locks: eb_live.lock and eb_debug_said.lock.  Both are leaves: taken
 * with interrupts off, never together, nothing is printed under them, and none
 * of btrfs's locks is taken under them.
 */

#ifndef BTRFS_EB_DEBUG_INTERNAL_H
#define BTRFS_EB_DEBUG_INTERNAL_H

#include <linux/eb_debug.h>
#include <linux/fs.h>
#include <linux/uuid.h>

/*
 * The flags of a buffer as the guard shows them: the same bits on every kernel,
 * whatever the kernel's own are.
 */
enum eb_flag {
	EB_FLAG_UPTODATE	= 1 << 0,
	EB_FLAG_DIRTY		= 1 << 1,
	EB_FLAG_WRITEBACK	= 1 << 2,
	EB_FLAG_TREE_REF	= 1 << 3,
	EB_FLAG_STALE		= 1 << 4,
	EB_FLAG_UNMAPPED	= 1 << 5,
	EB_FLAG_IN_TREE		= 1 << 6,
	EB_FLAG_WRITE_ERR	= 1 << 7,
	EB_FLAG_READ_ERR	= 1 << 8,
	EB_FLAG_CORRUPT		= 1 << 9,
	EB_FLAG_NO_CHECK	= 1 << 10,
	EB_FLAG_READAHEAD	= 1 << 11,
	EB_FLAG_READING		= 1 << 12,
	EB_FLAG_ZEROOUT		= 1 << 13,
};

/* Names and titles are in eb_debug_report.c, paragraphs in the user's page. */
enum eb_rule {
	EB_RULE_NONE,
	EB_RULE_IO_WITHOUT_DANCE,
	EB_RULE_IO_WITHOUT_TREE_REF,
	EB_RULE_WRITEBACK_WITHOUT_TREE_REF,
	EB_RULE_TREE_REF_CLEARED_UNDER_IO,
	EB_RULE_TREE_REF_CLEARED_UNLOCKED,
	EB_RULE_TREE_REF_CLEARED_UNTESTED,
	EB_RULE_READ_OF_UPTODATE,
	EB_RULE_READ_AFTER_WRITE_ERROR,
	EB_RULE_WRITE_WITHOUT_WRITEBACK,
	EB_RULE_WRITEBACK_WITHOUT_IO,
	EB_RULE_IO_PAGES_LEAKED,
	EB_RULE_IO_ENDED_TWICE,
	EB_RULE_WRITEBACK_CLEARED_EARLY,
	EB_RULE_IO_END_WITHOUT_TREE_REF,
	EB_RULE_FREED_UNDER_IO,
	EB_RULE_FREED_DIRTY,
	EB_RULE_FREED_IN_TREE,
	EB_RULE_FREED_WITH_TREE_REF,
	EB_RULE_FREED_LOCKED,
	EB_RULE_FREED_ON_LIST,
	EB_RULE_PUT_WITHOUT_REFERENCE,
	EB_RULE_STALE_LOOKUP_UNLOCKED,
	EB_RULE_BUFFER_LEAKED,
	EB_RULE_WRITE_ON_FAILED_FS,
	EB_RULE_COUNT
};

/* What is counted beside the rules; names are in eb_debug_report.c. */
enum eb_count {
	EB_COUNT_EVENTS,
	EB_COUNT_ALLOC,
	EB_COUNT_FREE,
	EB_COUNT_READS,
	EB_COUNT_WRITES,
	EB_COUNT_IO_ENDS,
	EB_COUNT_PUTS,
	EB_COUNT_RELEASE_DONE,
	EB_COUNT_RELEASE_BUSY,
	EB_COUNT_RELEASE_NO_TREE_REF,
	EB_COUNT_REPAIRS,
	EB_COUNT_FOREIGN_CLEARS,
	EB_COUNT_STALE_PUTS_UNDER_IO,
	EB_COUNT_STALE_LOOKUPS,
	EB_COUNT_UNKNOWN,
	EB_COUNT_DISTRUSTED,
	EB_COUNT_REPORTS,
	EB_COUNT_DROPPED,
	EB_COUNT_COUNT
};

/**
 * struct eb_look - one look at a buffer, taken by the hook
 * @task: who runs the hook, NULL outside of a task
 * @flags: enum eb_flag
 * @epoch: since when the guard is on
 * @refs: reference count
 * @io_pages: pages under IO, 0 on kernels that don't count them
 * @arg: what the hook said beside the event
 * @site: where the hook stands
 * @ip: the address of the hook in btrfs
 * @locked: refs_lock is held by somebody, or this kernel can't tell
 * @write_locked: the tree write lock is held
 * @in_tree: the tree of buffers has this very buffer
 * @on_list: the buffer is on a list of btrfs
 * @fs_error: the file system is in error
 */
struct eb_look {
	const void *task;
	unsigned long ip;
	u32 flags;
	u32 epoch;
	int refs;
	int io_pages;
	int arg;
	enum eb_debug_site site;
	bool locked;
	bool write_locked;
	bool in_tree;
	bool on_list;
	bool fs_error;
};

/**
 * struct eb_judgement - what the core says of one event
 * @judged: bits of the rules that were judged
 * @broken: the first one that is broken, or EB_RULE_NONE
 * @counts: bits of the counters to raise
 * @event: the event as it turned out, for history and trace
 * @quiet: nothing happened that history or trace should show
 */
struct eb_judgement {
	u64 judged;
	u32 counts;
	enum eb_rule broken;
	enum eb_debug_event event;
	bool quiet;
};

/* What a report needs, copied while the buffer was still there. */
struct btrfs_eb_verdict {
	unsigned long busy;
	enum eb_rule rule;
	enum eb_debug_event event;
	struct eb_look look;
	u64 start;
	u64 owner;
	u64 generation;
	u8 level;
	u8 fsid[UUID_SIZE];
	unsigned long armed_ip;
	unsigned long submitted_ip;
	unsigned long blamed_ip;
	/* Buffers of the same kind beside this one, at unmount. */
	unsigned int others;
	u32 now_us;
	u32 history_next;
	u64 history[BTRFS_EB_HISTORY];
	char function[64];
	char facts[384];
};

/* What is shown of a live buffer. */
struct eb_shown {
	u64 start;
	u64 owner;
	u64 generation;
	u8 level;
	u8 fsid[UUID_SIZE];
	u32 flags;
	int refs;
	int io_pages;
	u64 last;
};

/* core */
bool btrfs_eb_core_ignores(const struct btrfs_eb_debug *rec,
			   enum eb_debug_event event, const void *task);
void btrfs_eb_core_event(struct btrfs_eb_debug *rec, const struct eb_look *look,
			 enum eb_debug_event event, struct eb_judgement *verdict);
void btrfs_eb_core_lookup(struct btrfs_eb_debug *rec, const struct eb_look *look,
			  const struct btrfs_eb_token *token,
			  struct eb_judgement *verdict);
void btrfs_eb_core_note(struct btrfs_eb_debug *rec, const struct eb_look *look,
			enum eb_debug_event event, u32 now_us);

/* A remembered transition, packed so that it is written in one store. */
static inline u64 eb_history_pack(enum eb_debug_event event, int refs, u32 flags,
				  u32 now_us)
{
	return (u64)now_us << 32 | (flags & 0xffff) << 16 |
	       min_t(u32, refs, 0xff) << 8 | (event + 1);
}

/* All hooks are in btrfs, less than 2 GiB from each other: @near is one. */
static inline unsigned long eb_address(u32 low, unsigned long near)
{
	return low ? near + (s32)(low - (u32)near) : 0;
}

/* words */
const char *btrfs_eb_rule_name(enum eb_rule rule);
const char *btrfs_eb_site_name(enum eb_debug_site site);
const char *btrfs_eb_count_name(enum eb_count count);
const char *btrfs_eb_event_name(enum eb_debug_event event);
char *btrfs_eb_flags_string(char *buf, size_t size, u32 flags);
void btrfs_eb_blame(struct btrfs_eb_verdict *verdict);
void btrfs_eb_state_facts(struct btrfs_eb_verdict *verdict);

/* live buffers */
extern const struct file_operations btrfs_eb_buffers_fops;

void btrfs_eb_live_add(struct extent_buffer *eb);
void btrfs_eb_live_forget_all(const struct btrfs_fs_info *fs_info,
			      void (*found)(struct extent_buffer *eb, void *arg),
			      void *arg);
void btrfs_eb_live_show(struct eb_shown *shown, const struct extent_buffer *eb);
unsigned long btrfs_eb_live_count(void);

/* knobs */
void btrfs_eb_debug_distrust(const char *why);

/* Something is wrong with the guard itself: it turns itself off and says so. */
#define EB_DEBUG_DISTRUST_ON(cond)					\
	({								\
		bool __distrust = !!(cond);				\
									\
		if (unlikely(__distrust))				\
			btrfs_eb_debug_distrust(#cond);			\
		unlikely(__distrust);					\
	})

#endif
