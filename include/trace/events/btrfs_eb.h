/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events of the extent buffer guard, in the system btrfs.
 *
 * Units: start is a logical address in bytes; serial is what tells buffers apart, for
 * a clone has the start of its original, and an address is used again; level is that
 * of the block in its tree, as those say who asked for it; refs counts references;
 * io_pages counts pages under IO; error is 0 or a negative errno; task is a pid, 0
 * outside of a task.  Names and bits are the same on every kernel.  Nothing
 * here is read from the pages of a buffer.  These events are no stable ABI.
 *
 * All that the guard judges by is in them: tools/eb-trace of the project tells it to
 * the guard's core once more.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM btrfs

#if !defined(_TRACE_BTRFS_EB_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_BTRFS_EB_H

#include <linux/tracepoint.h>

#define EB_FLAGS							\
	EM(EB_FLAG_UPTODATE,		"UPTODATE")			\
	EM(EB_FLAG_DIRTY,		"DIRTY")			\
	EM(EB_FLAG_WRITEBACK,		"WRITEBACK")			\
	EM(EB_FLAG_TREE_REF,		"TREE_REF")			\
	EM(EB_FLAG_STALE,		"STALE")			\
	EM(EB_FLAG_UNMAPPED,		"UNMAPPED")			\
	EM(EB_FLAG_IN_TREE,		"IN_TREE")			\
	EM(EB_FLAG_WRITE_ERR,		"WRITE_ERR")			\
	EM(EB_FLAG_READ_ERR,		"READ_ERR")			\
	EM(EB_FLAG_CORRUPT,		"CORRUPT")			\
	EM(EB_FLAG_NO_CHECK,		"NO_CHECK")			\
	EM(EB_FLAG_READAHEAD,		"READAHEAD")			\
	EM(EB_FLAG_READING,		"READING")			\
	EMe(EB_FLAG_ZEROOUT,		"ZONED_ZEROOUT")

/* What the hook saw beside the flags. */
#define EB_SEEN								\
	EM(EB_SEEN_LOCKED,		"LOCKED")			\
	EM(EB_SEEN_TESTED,		"TESTED")			\
	EM(EB_SEEN_WRITE_LOCKED,	"WRITE_LOCKED")			\
	EM(EB_SEEN_OWN_LOCK,		"OWN_LOCK")			\
	EM(EB_SEEN_IN_TREE,		"FOUND")			\
	EM(EB_SEEN_ON_LIST,		"ON_LIST")			\
	EM(EB_SEEN_FS_ERROR,		"FS_ERROR")			\
	EM(EB_SEEN_READ_HOLDS,		"READ_HOLDS")			\
	EM(EB_SEEN_WRITE_TESTS,		"WRITE_TESTS")			\
	EM(EB_SEEN_MARK_DIRTY,		"MARK_DIRTY")			\
	EM(EB_SEEN_MARK_WRITEBACK,	"MARK_WRITEBACK")		\
	EMe(EB_SEEN_MARK_TOWRITE,	"MARK_TOWRITE")

#define EB_SITES							\
	EM(EB_SITE_READ,		"read")				\
	EM(EB_SITE_READ_SUBPAGE,	"read_subpage")			\
	EM(EB_SITE_READ_END,		"read_end")			\
	EM(EB_SITE_WRITE,		"write")			\
	EM(EB_SITE_WRITE_END,		"write_end")			\
	EM(EB_SITE_PUT,			"put")				\
	EM(EB_SITE_PUT_STALE,		"put_stale")			\
	EM(EB_SITE_RELEASE,		"release")			\
	EM(EB_SITE_RELEASE_SUBPAGE,	"release_subpage")		\
	EM(EB_SITE_LOOKUP,		"lookup")			\
	EMe(EB_SITE_TREE,		"tree")

#define EB_KINDS							\
	EM(EB_KIND_TREE,		"tree")				\
	EM(EB_KIND_ROOT,		"root")				\
	EM(EB_KIND_COMMIT_ROOT,		"commit_root")			\
	EM(EB_KIND_RELOC,		"reloc")			\
	EM(EB_KIND_ZONED,		"zoned")			\
	EM(EB_KIND_IRQ,			"irq")				\
	EM(EB_KIND_READ,		"read")				\
	EM(EB_KIND_TRANS,		"trans")			\
	EM(EB_KIND_NEW,			"new")				\
	EM(EB_KIND_LOOKUP,		"lookup")			\
	EM(EB_KIND_WALK,		"walk")				\
	EM(EB_KIND_PATH,		"path")				\
	EM(EB_KIND_READAHEAD,		"readahead")			\
	EM(EB_KIND_WRITEBACK,		"writeback")			\
	EM(EB_KIND_IO,			"io")				\
	EM(EB_KIND_LOG,			"log")				\
	EM(EB_KIND_CLONE,		"clone")			\
	EM(EB_KIND_EXTRA,		"extra")			\
	EMe(EB_KIND_COUNT,		"unknown")

/* What has no event of its own, and what turned out to be none of the named ones. */
#define EB_STEPS							\
	EM(EB_EVENT_TREE_REF_SET,	"tree_ref_set")			\
	EM(EB_EVENT_TREE_REF_CLEAR,	"tree_ref_clear")		\
	EM(EB_EVENT_READING,		"reading")			\
	EM(EB_EVENT_READING_CLEAR,	"reading_clear")		\
	EM(EB_EVENT_READ_PUT,		"read_put")			\
	EM(EB_EVENT_IO_START,		"io_start")			\
	EM(EB_EVENT_MUST_DANCE,		"must_dance")			\
	EM(EB_EVENT_IO_DANCE,		"io_dance")			\
	EM(EB_EVENT_IO_PAGE,		"io_page")			\
	EM(EB_EVENT_IO_SENT,		"io_sent")			\
	EM(EB_EVENT_WRITE_OUT,		"write_out")			\
	EM(EB_EVENT_WRITEBACK_END,	"writeback_end")		\
	EM(EB_EVENT_MARKS,		"marks")			\
	EM(EB_EVENT_PRIVATE,		"private")			\
	EM(EB_EVENT_NEW_BLOCK,		"new_block")			\
	EM(EB_EVENT_REFS_LOCK,		"refs_lock")			\
	EM(EB_EVENT_PUT_LOCKED,		"put_locked")			\
	EM(EB_EVENT_LAST_PUT,		"last_put")			\
	EM(EB_EVENT_PATH_FREE,		"path_free")			\
	EM(EB_EVENT_TASK_END,		"task_end")			\
	EMe(EB_EVENT_UNMOUNT,		"unmount")

#define EB_RESULTS							\
	EM(EB_RELEASED,			"released")			\
	EM(EB_BUSY,			"busy")				\
	EMe(EB_NO_TREE_REF,		"no_tree_ref")

#undef EM
#undef EMe
#define EM(value, name)		TRACE_DEFINE_ENUM(value);
#define EMe(value, name)	TRACE_DEFINE_ENUM(value);
EB_FLAGS
EB_SEEN
EB_SITES
EB_KINDS
EB_STEPS
EB_RESULTS

#undef EM
#undef EMe
#define EM(value, name)		{ value, name },
#define EMe(value, name)	{ value, name }

#define EB_ENTRY							\
	TP_STRUCT__entry(						\
		__array(	u8,		fsid,	UUID_SIZE	)\
		__field(	u64,		start			)\
		__field(	unsigned long,	ip			)\
		__field(	u32,		serial			)\
		__field(	int,		level			)\
		__field(	int,		refs			)\
		__field(	int,		io_pages		)\
		__field(	u32,		flags			)\
		__field(	u32,		seen			)\
		__field(	int,		arg			)\
		__field(	int,		event			)\
		__field(	int,		at			)\
		__field(	int,		task			)\
	)

#define EB_ASSIGN							\
	TP_fast_assign(							\
		eb_base_fsid(__entry->fsid, eb->fs_info);		\
		__entry->start		= eb->start;			\
		__entry->ip		= look->ip;			\
		__entry->serial		= eb->debug.serial;		\
		__entry->level		= eb->debug.level;		\
		__entry->refs		= look->refs;			\
		__entry->io_pages	= look->io_pages;		\
		__entry->flags		= look->flags;			\
		__entry->seen		= eb_seen(look);		\
		__entry->arg		= look->arg;			\
		__entry->event		= event;			\
		__entry->at		= look->site;			\
		__entry->task		= look->task ? current->pid : 0;\
	)

/* Each line begins with the same words, and ends with the function. */
#define EB_PRINT(words, ...)						\
	TP_printk(							\
	"fsid=%pU start=%llu serial=%u level=%d refs=%d io_pages=%d flags=%s seen=%s at=%s" \
	" task=%d" words " site=%ps",					\
		  __entry->fsid, __entry->start, __entry->serial,	\
		  __entry->level, __entry->refs, __entry->io_pages,	\
		  __print_flags(__entry->flags, "|", EB_FLAGS),		\
		  __print_flags(__entry->seen, "|", EB_SEEN),		\
		  __print_symbolic(__entry->at, EB_SITES),		\
		  __entry->task, ##__VA_ARGS__, (void *)__entry->ip)

#define EB_PROTO							\
	TP_PROTO(const struct extent_buffer *eb,			\
		 const struct eb_look *look, enum eb_debug_event event)
#define EB_PASS		TP_ARGS(eb, look, event)

DECLARE_EVENT_CLASS(btrfs_eb, EB_PROTO, EB_PASS, EB_ENTRY, EB_ASSIGN,
		    EB_PRINT(""));

/* They work with the guard turned off, too: the hooks are told that somebody traces. */
#define DEFINE_EB_EVENT(name)						\
DEFINE_EVENT_FN(btrfs_eb, btrfs_eb_##name, EB_PROTO, EB_PASS,		\
		btrfs_eb_trace_reg, btrfs_eb_trace_unreg)

DEFINE_EB_EVENT(alloc);
DEFINE_EB_EVENT(insert);
DEFINE_EB_EVENT(lookup);
DEFINE_EB_EVENT(tree_ref_set);
DEFINE_EB_EVENT(tree_ref_repair);
DEFINE_EB_EVENT(tree_ref_clear);
DEFINE_EB_EVENT(io_arm);
DEFINE_EB_EVENT(io_dance);
DEFINE_EB_EVENT(io_submit);
DEFINE_EB_EVENT(writeback);
DEFINE_EB_EVENT(dirty);
DEFINE_EB_EVENT(clean);
DEFINE_EB_EVENT(stale);
DEFINE_EB_EVENT(free);

/* References: who gets one, passes it on, and gives it back. */
DECLARE_EVENT_CLASS(btrfs_eb_ref, EB_PROTO, EB_PASS, EB_ENTRY, EB_ASSIGN,
		    EB_PRINT(" kind=%s",
			     __print_symbolic(__entry->arg, EB_KINDS)));

#define DEFINE_EB_REF_EVENT(name)					\
DEFINE_EVENT_FN(btrfs_eb_ref, btrfs_eb_##name, EB_PROTO, EB_PASS,	\
		btrfs_eb_trace_reg, btrfs_eb_trace_unreg)

DEFINE_EB_REF_EVENT(get);
DEFINE_EB_REF_EVENT(put);
DEFINE_EB_REF_EVENT(hold);
DEFINE_EB_REF_EVENT(give);
DEFINE_EB_REF_EVENT(take);

#define EB_TRACE_EVENT(name, print)					\
TRACE_EVENT_FN(btrfs_eb_##name, EB_PROTO, EB_PASS, EB_ENTRY, EB_ASSIGN,	\
	       PARAMS(print), btrfs_eb_trace_reg, btrfs_eb_trace_unreg)

EB_TRACE_EVENT(io_end, EB_PRINT(" error=%d", __entry->arg));

EB_TRACE_EVENT(release,
	       EB_PRINT(" result=%s",
			__print_symbolic(__entry->arg, EB_RESULTS)));

/* What only the rules need to know. */
EB_TRACE_EVENT(step,
	       EB_PRINT(" step=%s arg=%d",
			__print_symbolic(__entry->event, EB_STEPS),
			__entry->arg));

/* What was wrong; all others are what happened. */
TRACE_EVENT(btrfs_eb_violation,

	TP_PROTO(const struct extent_buffer *eb, const struct eb_look *look,
		 const char *rule),

	TP_ARGS(eb, look, rule),

	TP_STRUCT__entry(
		__array(	u8,		fsid,	UUID_SIZE	)
		__string(	rule,		rule			)
		__field(	u64,		start			)
		__field(	unsigned long,	ip			)
		__field(	u32,		serial			)
		__field(	int,		level			)
		__field(	int,		refs			)
		__field(	int,		io_pages		)
		__field(	u32,		flags			)
		__field(	int,		task			)
	),

	TP_fast_assign(
		eb_base_fsid(__entry->fsid, eb->fs_info);
		eb_base_assign_str(rule, rule);
		__entry->start		= eb->start;
		__entry->ip		= look->ip;
		__entry->serial		= eb->debug.serial;
		__entry->level		= eb->debug.level;
		__entry->refs		= look->refs;
		__entry->io_pages	= look->io_pages;
		__entry->flags		= look->flags;
		__entry->task		= look->task ? current->pid : 0;
	),

	TP_printk("fsid=%pU rule=%s start=%llu serial=%u level=%d refs=%d io_pages=%d flags=%s task=%d site=%ps",
		  __entry->fsid, __get_str(rule), __entry->start,
		  __entry->serial, __entry->level, __entry->refs,
		  __entry->io_pages,
		  __print_flags(__entry->flags, "|", EB_FLAGS),
		  __entry->task, (void *)__entry->ip)
);

#endif

#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE btrfs_eb
#include <trace/define_trace.h>
