/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events of the extent buffer guard, in the system btrfs.
 *
 * Units: start is a logical address in bytes and is what tells buffers apart;
 * refs counts references; io_pages counts pages under IO; ret is 0 or a negative
 * errno, in btrfs_eb_release 0 for released, 1 for busy, 2 for no tree ref.  The
 * flags have the same names and bits on every kernel.  Nothing here is read from
 * the pages of a buffer.  These events are no stable ABI.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM btrfs

#if !defined(_TRACE_BTRFS_EB_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_BTRFS_EB_H

#include <linux/tracepoint.h>

TRACE_DEFINE_ENUM(EB_FLAG_UPTODATE);
TRACE_DEFINE_ENUM(EB_FLAG_DIRTY);
TRACE_DEFINE_ENUM(EB_FLAG_WRITEBACK);
TRACE_DEFINE_ENUM(EB_FLAG_TREE_REF);
TRACE_DEFINE_ENUM(EB_FLAG_STALE);
TRACE_DEFINE_ENUM(EB_FLAG_UNMAPPED);
TRACE_DEFINE_ENUM(EB_FLAG_IN_TREE);
TRACE_DEFINE_ENUM(EB_FLAG_WRITE_ERR);
TRACE_DEFINE_ENUM(EB_FLAG_READ_ERR);
TRACE_DEFINE_ENUM(EB_FLAG_CORRUPT);
TRACE_DEFINE_ENUM(EB_FLAG_NO_CHECK);
TRACE_DEFINE_ENUM(EB_FLAG_READAHEAD);
TRACE_DEFINE_ENUM(EB_FLAG_READING);
TRACE_DEFINE_ENUM(EB_FLAG_ZEROOUT);

#define show_eb_flags(flags)						\
	__print_flags(flags, "|",					\
		{ EB_FLAG_UPTODATE,	"UPTODATE" },			\
		{ EB_FLAG_DIRTY,	"DIRTY" },			\
		{ EB_FLAG_WRITEBACK,	"WRITEBACK" },			\
		{ EB_FLAG_TREE_REF,	"TREE_REF" },			\
		{ EB_FLAG_STALE,	"STALE" },			\
		{ EB_FLAG_UNMAPPED,	"UNMAPPED" },			\
		{ EB_FLAG_IN_TREE,	"IN_TREE" },			\
		{ EB_FLAG_WRITE_ERR,	"WRITE_ERR" },			\
		{ EB_FLAG_READ_ERR,	"READ_ERR" },			\
		{ EB_FLAG_CORRUPT,	"CORRUPT" },			\
		{ EB_FLAG_NO_CHECK,	"NO_CHECK" },			\
		{ EB_FLAG_READAHEAD,	"READAHEAD" },			\
		{ EB_FLAG_READING,	"READING" },			\
		{ EB_FLAG_ZEROOUT,	"ZONED_ZEROOUT" })

DECLARE_EVENT_CLASS(btrfs_eb,

	TP_PROTO(const struct extent_buffer *eb, const struct eb_look *look),

	TP_ARGS(eb, look),

	TP_STRUCT__entry(
		__array(	u8,		fsid,	UUID_SIZE	)
		__field(	u64,		start			)
		__field(	int,		refs			)
		__field(	int,		io_pages		)
		__field(	u32,		flags			)
		__field(	int,		ret			)
		__field(	unsigned long,	ip			)
	),

	TP_fast_assign(
		eb_base_fsid(__entry->fsid, eb->fs_info);
		__entry->start		= eb->start;
		__entry->refs		= look->refs;
		__entry->io_pages	= look->io_pages;
		__entry->flags		= look->flags;
		__entry->ret		= look->arg;
		__entry->ip		= look->ip;
	),

	TP_printk("fsid=%pU start=%llu refs=%d io_pages=%d flags=%s ret=%d site=%ps",
		  __entry->fsid, __entry->start, __entry->refs,
		  __entry->io_pages, show_eb_flags(__entry->flags),
		  __entry->ret, (void *)__entry->ip)
);

#define DEFINE_EB_EVENT(name)						\
DEFINE_EVENT(btrfs_eb, btrfs_eb_##name,					\
	TP_PROTO(const struct extent_buffer *eb,			\
		 const struct eb_look *look),				\
	TP_ARGS(eb, look))

DEFINE_EB_EVENT(alloc);
DEFINE_EB_EVENT(insert);
DEFINE_EB_EVENT(tree_ref_set);
DEFINE_EB_EVENT(tree_ref_repair);
DEFINE_EB_EVENT(tree_ref_clear);
DEFINE_EB_EVENT(io_arm);
DEFINE_EB_EVENT(io_dance);
DEFINE_EB_EVENT(io_submit);
DEFINE_EB_EVENT(io_end);
DEFINE_EB_EVENT(writeback);

/* These say when somebody traces: else nobody looks at what has happened there. */
#define DEFINE_EB_NOTE(name)						\
DEFINE_EVENT_FN(btrfs_eb, btrfs_eb_##name,				\
	TP_PROTO(const struct extent_buffer *eb,			\
		 const struct eb_look *look),				\
	TP_ARGS(eb, look), note_reg, note_unreg)

DEFINE_EB_NOTE(dirty);
DEFINE_EB_EVENT(clean);
DEFINE_EB_EVENT(stale);
DEFINE_EB_NOTE(release);
DEFINE_EB_EVENT(free);

/* What was wrong; the class above is what happened. */
TRACE_EVENT(btrfs_eb_violation,

	TP_PROTO(const struct extent_buffer *eb, const struct eb_look *look,
		 const char *rule),

	TP_ARGS(eb, look, rule),

	TP_STRUCT__entry(
		__array(	u8,		fsid,	UUID_SIZE	)
		__string(	rule,		rule			)
		__field(	u64,		start			)
		__field(	int,		refs			)
		__field(	int,		io_pages		)
		__field(	u32,		flags			)
		__field(	unsigned long,	ip			)
	),

	TP_fast_assign(
		eb_base_fsid(__entry->fsid, eb->fs_info);
		eb_base_assign_str(rule, rule);
		__entry->start		= eb->start;
		__entry->refs		= look->refs;
		__entry->io_pages	= look->io_pages;
		__entry->flags		= look->flags;
		__entry->ip		= look->ip;
	),

	TP_printk("fsid=%pU rule=%s start=%llu refs=%d io_pages=%d flags=%s site=%ps",
		  __entry->fsid, __get_str(rule), __entry->start,
		  __entry->refs, __entry->io_pages,
		  show_eb_flags(__entry->flags), (void *)__entry->ip)
);

#endif

#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE btrfs_eb
#include <trace/define_trace.h>
