/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vocabulary of the extent buffer guard, shared by its files and by nobody else.
 *
 * How it flows, arrows go down only:
 *
 *	door	include/linux/eb_debug.h	one nop when off
 *	door	eb_debug_fast.h			what is usual all the time, in line
 *	owners	eb_debug_owner.c		who takes and gives back a reference
 *	core	eb_debug.c			notes the event, judges it
 *	knobs	eb_debug_fs.c			looks at the buffer, counts, traces, limits
 *	words	eb_debug_report.c		every sentence that a person reads
 *
 * Beside them eb_debug_trace.c has the trace events, eb_debug_table.c knows whose list
 * is whose, eb_debug_live.c keeps the list of live buffers, eb_debug_who.c finds out who
 * holds what now, eb_debug_stack.c keeps stacks, and eb_debug_points.c lets tests delay
 * and stop tasks.
 *
 * The core knows a buffer's record, a task's list and one look at the buffer,
 * nothing else, so that KUnit can judge it without a disk.  What differs between
 * kernels is in eb_debug_base.h.
 *
 * Locks: eb_live.lock and eb_debug_said.lock.  Both are leaves: taken
 * with interrupts off, never together, nothing is printed under them, and none
 * of btrfs's locks is taken under them.  Mutexes are taken by unmount, by readers and
 * writers of our files and by a work item, never by a hook that stands elsewhere:
 * eb_left_mutex and eb_baseline_mutex stand before eb_live.lock, eb_points_mutex before
 * the lock of the schedule, eb_switch_mutex before that of btrfs_eb_debug_more(), and
 * that before those of the jump labels.
 */

#ifndef BTRFS_EB_DEBUG_INTERNAL_H
#define BTRFS_EB_DEBUG_INTERNAL_H

#include <linux/eb_debug.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/sched.h>
#include <linux/task_work.h>
#include <linux/uuid.h>

/*
 * The flags of a buffer as the guard shows them: the same bits on every kernel,
 * whatever the kernel's own are.  In the order of 6.1: where a kernel has the same
 * bits, taking them over is one instruction.
 */
enum eb_flag {
	EB_FLAG_UPTODATE	= 1 << 0,
	EB_FLAG_DIRTY		= 1 << 1,
	EB_FLAG_CORRUPT		= 1 << 2,
	EB_FLAG_READAHEAD	= 1 << 3,
	EB_FLAG_TREE_REF	= 1 << 4,
	EB_FLAG_STALE		= 1 << 5,
	EB_FLAG_WRITEBACK	= 1 << 6,
	EB_FLAG_READ_ERR	= 1 << 7,
	EB_FLAG_UNMAPPED	= 1 << 8,
	EB_FLAG_IN_TREE		= 1 << 9,
	EB_FLAG_WRITE_ERR	= 1 << 10,
	EB_FLAG_NO_CHECK	= 1 << 11,
	EB_FLAG_READING		= 1 << 12,
	EB_FLAG_ZEROOUT		= 1 << 13,
};

/* The marks of a buffer in the tree of buffers, by which writeback goes. */
enum eb_marked {
	EB_MARKED_DIRTY		= 1 << 0,
	EB_MARKED_WRITEBACK	= 1 << 1,
	EB_MARKED_TOWRITE	= 1 << 2,
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
	EB_RULE_READ_WITHOUT_RECHECK,
	EB_RULE_READ_AFTER_WRITE_ERROR,
	EB_RULE_READING_CLEARED_ALONE,
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
	EB_RULE_FREED_OWNED,
	EB_RULE_PUT_WITHOUT_REFERENCE,
	EB_RULE_PUT_LOCKED,
	EB_RULE_LEFT_IN_PATH,
	EB_RULE_LEFT_BY_TASK,
	EB_RULE_STALE_LOOKUP_UNLOCKED,
	EB_RULE_PRIVATE_UNLOCKED,
	EB_RULE_MARKS_OUT_OF_STEP,
	EB_RULE_BUFFER_LEAKED,
	EB_RULE_WRITE_ON_FAILED_FS,
	EB_RULE_COUNT
};

/* Rules that need to know of all references: see eb_debug_sites.h. */
#define EB_RULES_OF_OWNERS						\
	(BIT_ULL(EB_RULE_PUT_WITHOUT_REFERENCE) |			\
	 BIT_ULL(EB_RULE_PUT_LOCKED) | BIT_ULL(EB_RULE_FREED_OWNED) |	\
	 BIT_ULL(EB_RULE_LEFT_IN_PATH) | BIT_ULL(EB_RULE_LEFT_BY_TASK))

/* What is counted beside the rules; names are in eb_debug_report.c. */
enum eb_count {
	EB_COUNT_EVENTS,
	EB_COUNT_ALLOC,
	EB_COUNT_FREE,
	EB_COUNT_READS,
	EB_COUNT_WRITES,
	EB_COUNT_IO_ENDS,
	EB_COUNT_GETS,
	EB_COUNT_PUTS,
	EB_COUNT_TASK_ENDS,
	EB_COUNT_PATH_FREES,
	EB_COUNT_UNRECORDED,
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

/* How much is recorded; each level has what those before it have. */
enum eb_level {
	EB_LEVEL_OFF,
	EB_LEVEL_GUARD,
	EB_LEVEL_HISTORY,
	EB_LEVEL_STACKS,
	EB_LEVEL_COUNT
};

/* Who wants more than to judge. */
enum eb_more {
	EB_MORE_LEVEL,
	EB_MORE_SUSPECTS,
	EB_MORE_COUNT
};

/* What the ledger says of somebody who gives a reference back. */
enum eb_owned {
	/* Not all references of the buffer were seen. */
	EB_OWNED_UNKNOWN,
	EB_OWNED,
	EB_NOT_OWNED,
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
 * @tested: this section has asked whether the buffer is under IO, or this read, since
 *	it has READING, whether it is UPTODATE; the core has a note of its own
 * @write_locked: the tree write lock is held
 * @own_lock: this task holds it; looked at when a reference is given back
 * @in_tree: the tree of buffers has this very buffer
 * @on_list: the buffer is on a list of btrfs
 * @fs_error: the file system is in error
 * @owned: whoever gives a reference back holds one
 * @lock_left: this task gives its last one back and holds the tree write lock
 * @read_holds: on this kernel a read has a reference of its own
 * @write_tests: on this kernel a write of a file system in error is not submitted
 * @marks: of the buffer in the tree of buffers, EB_MARKED_*
 * @held: references that the ledger knows of beside
 */
struct eb_look {
	const void *task;
	unsigned long ip;
	u32 flags;
	u32 marks;
	u32 epoch;
	int refs;
	int io_pages;
	int arg;
	enum eb_debug_site site;
	enum eb_owned owned;
	unsigned int held;
	bool locked;
	bool tested;
	bool write_locked;
	bool own_lock;
	bool in_tree;
	bool on_list;
	bool fs_error;
	bool lock_left;
	bool read_holds;
	bool write_tests;
};

/* What a look sees beside the flags, as a trace event has it. */
enum eb_seen {
	EB_SEEN_LOCKED		= 1 << 0,
	EB_SEEN_WRITE_LOCKED	= 1 << 1,
	EB_SEEN_OWN_LOCK	= 1 << 2,
	EB_SEEN_IN_TREE		= 1 << 3,
	EB_SEEN_ON_LIST		= 1 << 4,
	EB_SEEN_FS_ERROR	= 1 << 5,
	EB_SEEN_READ_HOLDS	= 1 << 6,
	EB_SEEN_WRITE_TESTS	= 1 << 7,
	EB_SEEN_MARK_DIRTY	= 1 << 8,
	EB_SEEN_MARK_WRITEBACK	= 1 << 9,
	EB_SEEN_TESTED		= 1 << 10,
	EB_SEEN_MARK_TOWRITE	= 1 << 11,
};

static inline u32 eb_seen(const struct eb_look *look)
{
	return (look->locked ? EB_SEEN_LOCKED : 0) |
	       (look->tested ? EB_SEEN_TESTED : 0) |
	       (look->write_locked ? EB_SEEN_WRITE_LOCKED : 0) |
	       (look->own_lock ? EB_SEEN_OWN_LOCK : 0) |
	       (look->in_tree ? EB_SEEN_IN_TREE : 0) |
	       (look->on_list ? EB_SEEN_ON_LIST : 0) |
	       (look->fs_error ? EB_SEEN_FS_ERROR : 0) |
	       (look->read_holds ? EB_SEEN_READ_HOLDS : 0) |
	       (look->write_tests ? EB_SEEN_WRITE_TESTS : 0) |
	       (look->marks & EB_MARKED_DIRTY ? EB_SEEN_MARK_DIRTY : 0) |
	       (look->marks & EB_MARKED_WRITEBACK ? EB_SEEN_MARK_WRITEBACK : 0) |
	       (look->marks & EB_MARKED_TOWRITE ? EB_SEEN_MARK_TOWRITE : 0);
}

/**
 * struct eb_judgement - what the core says of one event
 * @judged: bits of the rules that were judged
 * @all_broken: bits of those that are broken
 * @broken: the first of them, or EB_RULE_NONE
 * @counts: bits of the counters to raise
 * @event: the event as it turned out, for history and trace
 * @quiet: nothing happened that history or trace should show
 */
struct eb_judgement {
	u64 judged;
	u64 all_broken;
	u32 counts;
	enum eb_rule broken;
	enum eb_debug_event event;
	bool quiet;
};

/* References that one task can hold at a time and be known for. */
#define EB_HELD		31
/* Tasks that can hold references at the same time and be known for. */
#define EB_TASKS	256
/* Puts of a task that are remembered, since they may not have been its own. */
#define EB_DOUBTS	4
/* Owners of one buffer that a report shows, and sites of owners in a list. */
#define EB_OWNERS	12
/* Frames of a stack. */
#define EB_FRAMES	16
/* Transitions that are remembered from level history on; a power of two. */
#define EB_HISTORY	16

/**
 * struct eb_held - one reference that a task holds
 * @eb: the buffer, only compared
 * @path: the path whose node it is, only compared
 * @site: low half of the address of the one who holds it
 * @stack: of the one who took it, 0 if it was not recorded
 * @kind: enum eb_debug_kind
 * @serial: that of the buffer
 * @when: in jiffies
 */
struct eb_held {
	const struct extent_buffer *eb;
	const struct btrfs_path *path;
	u32 site;
	u32 stack;
	u32 kind;
	u32 serial;
	u32 when;
};

/**
 * struct eb_task - what one task holds
 * @pid: of the task, 0 while nobody has this entry, negative once the table wants
 *       it back, see eb_debug_table.c
 * @epoch: in which the rest was written
 * @top: the newest reference, the bottom if there is none
 * @limit: the last one that fits, the bottom while @work has to be made ready
 * @releasing: the path whose nodes it gives back now, or EB_EXTRA
 * @next_doubt: where the next one goes
 * @pending: @work waits for the return to user space
 * @work: what looks at the list then
 * @held: the references; the first is the bottom, and never one
 * @doubts: references of a path that were given back, but not by the path's
 *          release; that may be right, or the mistake of which the release suffers
 *
 * Written by the task alone, so that nothing here needs a lock.  Others read it
 * to find out who holds a buffer, and may see what is changing.
 */
struct eb_task {
	pid_t pid;
	u32 epoch;
	struct eb_held *top;
	struct eb_held *limit;
	const struct btrfs_path *releasing;
	u8 next_doubt;
	bool pending;
	struct callback_head work;
	struct eb_held held[1 + EB_HELD];
	struct eb_held doubts[EB_DOUBTS];
} ____cacheline_aligned;

/*
 * In place of a path: one more, taken for a moment of a buffer that the task holds
 * anyway, and given back by the function that took it.
 */
#define EB_EXTRA	((const struct btrfs_path *)1)

/* One transition of a buffer. */
struct eb_transition {
	u32 now;
	u32 site;
	u16 flags;
	u16 refs;
	u16 cpu;
	u16 event;
};

/* The last ones of a buffer; @next counts them all. */
struct eb_history {
	atomic_t next;
	struct eb_transition ring[EB_HISTORY];
	/* Where each kind of structure took its last reference, at level stacks. */
	u32 stacks[EB_KIND_IRQ];
};

/* One owner, as it is shown. */
struct eb_owner {
	enum eb_debug_kind kind;
	unsigned int count;
	unsigned long site;
	u32 when;
	u32 stack;
	pid_t pid;
};

/* What is shown of a live buffer. */
struct eb_shown {
	const struct extent_buffer *eb;
	u64 start;
	u64 owner;
	u64 generation;
	u8 level;
	u8 fsid[UUID_SIZE];
	u32 flags;
	u32 serial;
	int refs;
	int io_pages;
	unsigned int nr_owners;
	struct eb_owner owners[EB_OWNERS];
};

/* What a report needs, copied while the buffer was still there. */
struct eb_verdict {
	unsigned long busy;
	/* Who says it, and the how many'th verdict it is. */
	const struct task_struct *task;
	unsigned int nr;
	enum eb_rule rule;
	enum eb_debug_event event;
	struct eb_look look;
	unsigned long armed_ip;
	unsigned long submitted_ip;
	/* Whom the owners' ledger holds responsible, 0 if it does not say. */
	unsigned long owner_ip;
	u32 owner_stack;
	unsigned long blamed_ip;
	/* Buffers of the same kind beside this one, at unmount. */
	unsigned int others;
	u32 now;
	struct eb_shown shown;
	bool has_history;
	struct eb_history history;
	char function[64];
	char facts[384];
	char text[640];
};

struct eb_counts {
	u64 count[EB_COUNT_COUNT];
	u64 broken[EB_RULE_COUNT];
	u64 judged[EB_RULE_COUNT][EB_SITE_COUNT];
};

/**
 * struct eb_hot - what each CPU has at hand for the hooks in eb_debug_fast.h
 * @list: that of the task that was here last, or an empty one of nobody
 * @gets: references taken of which nothing was unusual
 * @puts: references given back, the same
 * @path_frees: paths freed after which the task held nothing
 * @task_ends: returns to user space, the same
 *
 * The counts are in none of struct eb_counts.
 */
struct eb_hot {
	struct eb_task *list;
	u64 gets;
	u64 puts[EB_SITE_COUNT];
	u64 path_frees;
	u64 task_ends;
};

DECLARE_PER_CPU(struct eb_hot, btrfs_eb_hot);

/* Set by the knobs, read by all. */
extern struct eb_counts __percpu *btrfs_eb_counts;
extern u32 btrfs_eb_epoch;
extern enum eb_level btrfs_eb_level;

static inline void eb_count(enum eb_count count)
{
	this_cpu_inc(btrfs_eb_counts->count[count]);
}

/* User Mode Linux is one, too, and has neither this clock nor the unwinder. */
#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)
#define EB_X86_64
#endif

/*
 * A clock that may be read anywhere and costs little, in units of
 * clock_us().  It goes round after some 20 minutes.
 */
static __always_inline u32 eb_now(void)
{
#ifdef EB_X86_64
	return rdtsc() >> 10;
#else
	return local_clock() >> 10;
#endif
}

/* All hooks are in btrfs, less than 2 GiB from each other: @near is one. */
static inline unsigned long eb_address(u32 low, unsigned long near)
{
	return low ? near + (s32)(low - (u32)near) : 0;
}

/* core */
enum eb_rule btrfs_eb_core_reported(const struct eb_judgement *judgement,
				    u64 quiet);
void btrfs_eb_core_event(struct btrfs_eb_debug *rec, const struct eb_look *look,
			 enum eb_debug_event event, struct eb_judgement *verdict);
void btrfs_eb_core_lookup(struct btrfs_eb_debug *rec, const struct eb_look *look,
			  const struct btrfs_eb_token *token,
			  struct eb_judgement *verdict);
bool btrfs_eb_core_structure_get(struct btrfs_eb_debug *rec,
				 enum eb_debug_kind kind);
bool btrfs_eb_core_structure_put(struct btrfs_eb_debug *rec,
				 enum eb_debug_kind kind);

/**
 * btrfs_eb_core_note - remember a transition in the buffer's history
 * @history: the buffer's history
 * @event: what happened
 * @refs: reference count
 * @flags: enum eb_flag
 * @site: low half of the address of whom it belongs to
 * @now: eb_now()
 *
 * Context: any.  Writers may meet; each writes a transition of its own, unless
 * one of them is held up for a whole round.
 */
static __always_inline void
btrfs_eb_core_note(struct eb_history *history, enum eb_debug_event event,
		   int refs, u32 flags, u32 site, u32 now)
{
	u32 next = atomic_inc_return(&history->next) - 1;
	struct eb_transition *t = &history->ring[next % EB_HISTORY];

	t->now = now;
	t->site = site;
	t->flags = flags;
	t->refs = clamp(refs, 0, 0xffff);
	t->cpu = raw_smp_processor_id();
	t->event = event + 1;
}

static inline unsigned int
btrfs_eb_core_structures(const struct btrfs_eb_debug *rec,
			 enum eb_debug_kind kind)
{
	return (u64)atomic64_read(&rec->structures) >> (8 * kind) & 0xff;
}

/*
 * A section under refs_lock begins: tests made before it don't count in it.  The
 * epoch is left as it is: a buffer that was there before the guard was turned on
 * has none until a section begins in another way, and is not judged.
 */
static inline void btrfs_eb_core_section(struct btrfs_eb_debug *rec,
					 const void *task, bool tree_ref)
{
	WRITE_ONCE(rec->section_task, task);
	rec->section = tree_ref ? EB_SECTION_TREE_REF : 0;
}

/* The same for good; @locked if refs_lock is really held, as the lookups want it. */
static inline void btrfs_eb_core_section_open(struct btrfs_eb_debug *rec,
					      const void *task, u32 epoch,
					      bool tree_ref, bool locked)
{
	btrfs_eb_core_section(rec, task, tree_ref);
	rec->section_epoch = epoch;
	if (locked)
		WRITE_ONCE(rec->lock_seq, rec->lock_seq + 1);
}

/* Were all references of this buffer recorded? */
static inline bool btrfs_eb_core_complete(const struct btrfs_eb_debug *rec,
					  u32 epoch)
{
	return rec->epoch == epoch && !READ_ONCE(rec->unrecorded);
}

/* owners */
void btrfs_eb_owner_exit(void);
void btrfs_eb_more_get(struct extent_buffer *eb, struct eb_held *held);
void btrfs_eb_more_put(struct extent_buffer *eb, enum eb_debug_site site,
		       unsigned long by);
void btrfs_eb_more_path(struct eb_task *t, const struct btrfs_path *path);
void btrfs_eb_owner_forget(struct extent_buffer *eb);
void btrfs_eb_owner_suspect(u32 site);

/* table of tasks */
int btrfs_eb_table_init(void);
void btrfs_eb_table_exit(void);
void btrfs_eb_table_epoch(void);
struct eb_task *btrfs_eb_table_find(u32 epoch);
struct eb_task *btrfs_eb_table_enter(u32 epoch);
bool btrfs_eb_table_room(struct eb_task *t);
unsigned int btrfs_eb_owner_held(const struct extent_buffer *eb, u32 serial);
void btrfs_eb_owner_walk(void (*found)(const struct eb_held *held, pid_t pid,
				       void *arg), void *arg);
unsigned int btrfs_eb_owner_tasks(void);
void btrfs_eb_owner_taken(const struct btrfs_eb_debug *rec,
			  enum eb_debug_kind kind, u32 *at, u32 *when);

/* stacks */
int btrfs_eb_stack_init(void);
void btrfs_eb_stack_exit(void);
u32 btrfs_eb_stack(unsigned long place);

/* who holds what */
extern const struct file_operations btrfs_eb_buffers_fops;
extern const struct file_operations btrfs_eb_owners_fops;

void btrfs_eb_live_show(struct eb_shown *shown, const struct extent_buffer *eb);
void btrfs_eb_who(struct eb_shown *shown, unsigned int nr);

/* verdicts */
struct eb_verdict *btrfs_eb_verdict_get(void);
void btrfs_eb_verdict_put(struct eb_verdict *verdict);
void btrfs_eb_verdict_fill(struct eb_verdict *verdict, enum eb_rule rule,
			   const struct extent_buffer *eb,
			   const struct eb_look *look,
			   const struct eb_held *held);
const char *btrfs_eb_verdict_pronounce(struct eb_verdict *verdict);
void btrfs_eb_violation(struct extent_buffer *eb, const struct eb_look *look,
			enum eb_rule rule);
void btrfs_eb_tell_coverage(void);
const char *btrfs_eb_conclude(struct extent_buffer *eb,
			      const struct eb_look *look,
			      const struct eb_judgement *judgement,
			      const struct eb_held *held);
void btrfs_eb_look(struct eb_look *look, const struct extent_buffer *eb,
		   enum eb_debug_event event, enum eb_debug_site site);

/* words */
void btrfs_eb_clock_start(void);
const char *btrfs_eb_rule_name(enum eb_rule rule);
const char *btrfs_eb_site_name(enum eb_debug_site site);
const char *btrfs_eb_count_name(enum eb_count count);
char *btrfs_eb_flags_string(char *buf, size_t size, u32 flags);
void btrfs_eb_blame(struct eb_verdict *verdict);
void btrfs_eb_state_facts(struct eb_verdict *verdict);
void btrfs_eb_tell_background(const struct eb_verdict *verdict);

const char *btrfs_eb_kind_name(enum eb_debug_kind kind);
const char *btrfs_eb_level_name(enum eb_level level);
void btrfs_eb_function_name(char *buf, size_t size, unsigned long ip);

/* live buffers */
struct eb_mark {
	struct list_head live;
	struct list_head marks;
};

void btrfs_eb_live_add(struct extent_buffer *eb);
void btrfs_eb_live_gone_held(void);
bool btrfs_eb_live_has(const struct extent_buffer *eb, u32 serial);
void btrfs_eb_live_forget_all(const struct btrfs_fs_info *fs_info,
			      void (*found)(struct extent_buffer *eb, void *arg),
			      void *arg);
void btrfs_eb_live_open(struct eb_mark *mark);
void btrfs_eb_live_close(struct eb_mark *mark);
void btrfs_eb_live_rewind(struct eb_mark *mark);
unsigned int btrfs_eb_live_next(struct eb_mark *mark, unsigned int max,
				void (*found)(struct extent_buffer *eb,
					      void *arg), void *arg);
unsigned long btrfs_eb_live_count(void);

/* trace events */
DECLARE_TRACEPOINT(btrfs_eb_get);
DECLARE_TRACEPOINT(btrfs_eb_put);
DECLARE_TRACEPOINT(btrfs_eb_hold);
DECLARE_TRACEPOINT(btrfs_eb_give);
DECLARE_TRACEPOINT(btrfs_eb_take);
DECLARE_TRACEPOINT(btrfs_eb_dirty);

extern u32 btrfs_eb_trace_epoch;
u32 btrfs_eb_new_epoch(void);
void btrfs_eb_trace(const struct extent_buffer *eb, const struct eb_look *look,
		    enum eb_debug_event event, bool quiet);
void btrfs_eb_trace_ref(const struct extent_buffer *eb,
			enum eb_debug_event event, enum eb_debug_kind kind,
			enum eb_debug_site site, unsigned long ip);
void btrfs_eb_trace_step(const struct extent_buffer *eb,
			 enum eb_debug_event event, unsigned long ip);
void btrfs_eb_trace_violation(const struct extent_buffer *eb,
			      const struct eb_look *look, enum eb_rule rule);

/* The epoch of what the core is told: the guard's, or that of those who trace. */
static inline u32 eb_core_epoch(void)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);

	return likely(epoch) ? epoch : READ_ONCE(btrfs_eb_trace_epoch);
}

/* knobs */
void btrfs_eb_debug_more(enum eb_more who, bool wanted);
void btrfs_eb_debug_distrust(const char *why);

/* points */
#ifdef CONFIG_BTRFS_EB_DEBUG_POINTS
void btrfs_eb_points_init(struct dentry *dir);
void btrfs_eb_points_exit(void);
#else
static inline void btrfs_eb_points_init(struct dentry *dir) { }
static inline void btrfs_eb_points_exit(void) { }
#endif

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
