/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sequences of eb_debug_kunit.c.  Each is a name, the rule that its last step breaks,
 * or EB_RULE_NONE for one that is legal, and its steps.  All steps but the last must be
 * silent, and the rule in question must have been judged: a sequence that judges nothing
 * proves nothing.  tell() tells the core of a step.
 */
#ifndef BTRFS_EB_DEBUG_KUNIT_H
#define BTRFS_EB_DEBUG_KUNIT_H

#include <kunit/test.h>
#include "eb_debug_internal.h"

#define EPOCH	7
#define STEPS	10

/* Who runs the hook; tasks are only compared. */
enum eb_who {
	BY_ME,
	BY_OTHER,
	BY_IRQ,
};

struct eb_step {
	enum eb_debug_event event;
	struct eb_look look;
	enum eb_who by;
	/* The guard was turned off and on since. */
	bool before;
	/* refs_lock is not held. */
	bool unlocked;
	/* No event: UPTODATE is looked at. */
	bool tested;
};

struct eb_sequence {
	const char *name;
	/* The rule that the last step breaks, or none. */
	enum eb_rule broken;
	/* A rule that must have been judged by then, or none. */
	enum eb_rule judged;
	struct eb_step steps[STEPS];
	unsigned int nr;
};

/* Older kernels want both sides to be of one type. */
#define EXPECT_EQ(test, left, right)					\
	KUNIT_EXPECT_EQ(test, (long long)(left), (long long)(right))

#define TREE	EB_FLAG_TREE_REF

#define STEP(_event, _flags, _refs, _io_pages, ...)			\
	{ .event = EB_EVENT_##_event, .look.flags = (_flags),		\
	  .look.refs = (_refs), .look.io_pages = (_io_pages), ##__VA_ARGS__ }
#define LEGAL(_name, _judged, ...)					\
	{ .name = _name, .judged = EB_RULE_##_judged,			\
	  .steps = { __VA_ARGS__ },					\
	  .nr = ARRAY_SIZE(((struct eb_step []) { __VA_ARGS__ })) }
#define ILLEGAL(_name, _rule, ...)					\
	{ .name = _name, .broken = EB_RULE_##_rule,			\
	  .judged = EB_RULE_##_rule, .steps = { __VA_ARGS__ },		\
	  .nr = ARRAY_SIZE(((struct eb_step []) { __VA_ARGS__ })) }

#define WRITE_SITE	.look.site = EB_SITE_WRITE
#define PUT_SITE	.look.site = EB_SITE_PUT
#define RECLAIM		.look.site = EB_SITE_RELEASE
#define OWNED		.look.owned = EB_OWNED
#define NOT_OWNED	.look.owned = EB_NOT_OWNED

#define STARTED		STEP(IO_START, TREE, 2, 0)
#define ARMED		STEP(IO_ARM, TREE, 2, 4)
#define HANDED_OVER							\
	STEP(WRITEBACK, TREE | EB_FLAG_WRITEBACK, 2, 0, WRITE_SITE)

/* The second look at UPTODATE, which the hook notes itself. */
#define TESTED		{ .tested = true }
#define MARKED(_when, _marks)						\
	STEP(MARKS, TREE, 2, 0, .look.arg = EB_MARKS_##_when,		\
	     .look.marks = (_marks), .look.in_tree = true)
#define TESTED_WRITE(_what, _error)					\
	STEP(IO_##_what, TREE | EB_FLAG_WRITEBACK, 2, 1, WRITE_SITE,	\
	     .look.write_tests = true, .look.fs_error = (_error))

static const struct eb_sequence sequences[] = {
	/* io_without_dance */
	LEGAL("a read that dances", IO_WITHOUT_DANCE,
	      STARTED, ARMED, STEP(IO_DANCE, TREE, 2, 4),
	      STEP(IO_SUBMIT, TREE, 2, 4)),
	ILLEGAL("a read that does not", IO_WITHOUT_DANCE,
		STARTED, ARMED, STEP(IO_SUBMIT, TREE, 2, 4)),
	ILLEGAL("somebody else dances for it", IO_WITHOUT_DANCE,
		STARTED, ARMED, STEP(IO_DANCE, TREE, 3, 4, .by = BY_OTHER),
		STEP(IO_SUBMIT, TREE, 3, 4)),
	ILLEGAL("the dance comes before the IO state", IO_WITHOUT_DANCE,
		STEP(IO_START, TREE, 2, 0), STEP(IO_DANCE, TREE, 2, 0),
		STEP(IO_ARM, TREE, 2, 4), STEP(IO_SUBMIT, TREE, 2, 4)),
	ILLEGAL("the dance of the read before", IO_WITHOUT_DANCE,
		STARTED, ARMED, STEP(IO_DANCE, TREE, 2, 4),
		STEP(IO_SUBMIT, TREE, 2, 4), STARTED, ARMED,
		STEP(IO_SUBMIT, TREE, 2, 4)),
	ILLEGAL("an interrupt dances for it", IO_WITHOUT_DANCE,
		STARTED, ARMED, STEP(IO_DANCE, TREE, 3, 4, .by = BY_IRQ),
		STEP(IO_SUBMIT, TREE, 3, 4)),
	LEGAL("armed before the guard was turned on", IO_WITHOUT_TREE_REF,
	      STEP(IO_START, TREE, 2, 0, .before = true),
	      STEP(IO_ARM, TREE, 2, 4, .before = true),
	      STEP(IO_SUBMIT, TREE, 2, 4)),
	LEGAL("a write need not dance", IO_WITHOUT_TREE_REF, HANDED_OVER,
	      STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE),
	      STEP(IO_SUBMIT, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE)),

	/* io_without_tree_ref */
	LEGAL("armed without TREE_REF, repaired, submitted",
	      IO_WITHOUT_TREE_REF, STEP(IO_START, 0, 1, 0),
	      STEP(IO_ARM, 0, 1, 4), STEP(IO_DANCE, 0, 1, 4),
	      STEP(REFS_LOCK, 0, 1, 4), STEP(TREE_REF_SET, TREE, 2, 4),
	      STEP(IO_SUBMIT, TREE, 2, 4)),
	ILLEGAL("submitted without TREE_REF", IO_WITHOUT_TREE_REF,
		STARTED, ARMED, STEP(IO_DANCE, TREE, 2, 4),
		STEP(IO_SUBMIT, 0, 1, 4)),
	ILLEGAL("a write has no reference of its own, where a read has one",
		IO_WITHOUT_TREE_REF, HANDED_OVER,
		STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE),
		STEP(IO_SUBMIT, EB_FLAG_WRITEBACK, 1, 4, WRITE_SITE,
		     .look.read_holds = true)),

	/* writeback_without_tree_ref */
	LEGAL("dirty is handed over", WRITEBACK_WITHOUT_TREE_REF, HANDED_OVER),
	ILLEGAL("handed over without TREE_REF", WRITEBACK_WITHOUT_TREE_REF,
		STEP(WRITEBACK, EB_FLAG_WRITEBACK, 2, 0, WRITE_SITE)),
	ILLEGAL("handed over with one reference", WRITEBACK_WITHOUT_TREE_REF,
		STEP(WRITEBACK, TREE | EB_FLAG_WRITEBACK, 1, 0, WRITE_SITE)),

	/* tree_ref_cleared_* */
	LEGAL("reclaim of a clean buffer", TREE_REF_CLEARED_UNDER_IO,
	      STEP(REFS_LOCK, TREE, 1, 0), STEP(UNDER_IO, TREE, 1, 0),
	      STEP(TREE_REF_CLEAR, 0, 1, 0, RECLAIM)),
	LEGAL("a lookup takes a reference meanwhile",
	      TREE_REF_CLEARED_UNDER_IO,
	      STEP(REFS_LOCK, TREE, 1, 0), STEP(UNDER_IO, TREE, 1, 0),
	      STEP(TREE_REF_CLEAR, 0, 2, 0, RECLAIM)),
	ILLEGAL("cleared while read", TREE_REF_CLEARED_UNDER_IO,
		STEP(REFS_LOCK, TREE, 1, 0), STEP(UNDER_IO, TREE, 1, 0),
		STEP(TREE_REF_CLEAR, 0, 2, 4, RECLAIM)),
	LEGAL("a subpage read arms it meanwhile", TREE_REF_CLEARED_UNDER_IO,
	      STEP(REFS_LOCK, TREE, 1, 0), STEP(UNDER_IO, TREE, 1, 0),
	      STEP(TREE_REF_CLEAR, 0, 2, 1,
		   .look.site = EB_SITE_RELEASE_SUBPAGE)),
	ILLEGAL("cleared while dirty", TREE_REF_CLEARED_UNDER_IO,
		STEP(REFS_LOCK, TREE, 1, 0), STEP(UNDER_IO, TREE, 1, 0),
		STEP(TREE_REF_CLEAR, EB_FLAG_DIRTY, 2, 0, RECLAIM)),
	ILLEGAL("cleared by a put while written", TREE_REF_CLEARED_UNDER_IO,
		STEP(PUT_LOCKED, TREE, 2, 0, PUT_SITE),
		STEP(UNDER_IO, TREE | EB_FLAG_WRITEBACK, 2, 0),
		STEP(TREE_REF_CLEAR, EB_FLAG_WRITEBACK, 1, 0, PUT_SITE)),
	ILLEGAL("cleared with the lock dropped", TREE_REF_CLEARED_UNLOCKED,
		STEP(REFS_LOCK, TREE, 1, 0), STEP(UNDER_IO, TREE, 1, 0),
		STEP(TREE_REF_CLEAR, 0, 1, 0, RECLAIM, .unlocked = true)),
	ILLEGAL("tested before the lock", TREE_REF_CLEARED_UNTESTED,
		STEP(UNDER_IO, TREE, 1, 0), STEP(REFS_LOCK, TREE, 1, 0),
		STEP(TREE_REF_CLEAR, 0, 1, 0, RECLAIM)),
	ILLEGAL("tested by somebody else", TREE_REF_CLEARED_UNTESTED,
		STEP(REFS_LOCK, TREE, 1, 0),
		STEP(UNDER_IO, TREE, 1, 0, .by = BY_OTHER),
		STEP(TREE_REF_CLEAR, 0, 1, 0, RECLAIM)),
	LEGAL("a put that clears nothing", PUT_WITHOUT_REFERENCE,
	      STEP(PUT_LOCKED, TREE, 2, 0, PUT_SITE),
	      STEP(TREE_REF_CLEAR, TREE, 2, 0, PUT_SITE)),
	LEGAL("the section is older than the guard", NONE,
	      STEP(REFS_LOCK, TREE, 1, 0, .before = true),
	      STEP(TREE_REF_CLEAR, 0, 1, 0, RECLAIM)),
	LEGAL("an interrupt has no section", NONE, STEP(REFS_LOCK, TREE, 1, 0),
	      STEP(TREE_REF_CLEAR, 0, 1, 0, PUT_SITE, .by = BY_IRQ)),
	LEGAL("a read that holds itself is armed meanwhile",
	      TREE_REF_CLEARED_UNDER_IO,
	      STEP(REFS_LOCK, TREE, 1, 0), STEP(UNDER_IO, TREE, 1, 0),
	      STEP(TREE_REF_CLEAR, 0, 2, 1, RECLAIM, .look.read_holds = true)),
	LEGAL("TREE_REF was set already", NONE, STEP(REFS_LOCK, TREE, 2, 0),
	      STEP(TREE_REF_SET, TREE, 2, 0)),
	LEGAL("TREE_REF is set outside of a section", NONE,
	      STEP(TREE_REF_SET, TREE, 2, 0)),

	/* read_of_uptodate, read_after_write_error */
	ILLEGAL("read over valid content", READ_OF_UPTODATE,
		STEP(IO_ARM, TREE | EB_FLAG_UPTODATE, 2, 4)),
	ILLEGAL("read over newer content", READ_OF_UPTODATE,
		STEP(IO_ARM, TREE | EB_FLAG_DIRTY, 2, 4)),
	ILLEGAL("read after a write error", READ_AFTER_WRITE_ERROR,
		STEP(IO_ARM, TREE | EB_FLAG_WRITE_ERR, 2, 4)),
	ILLEGAL("of two broken rules the first is told", READ_AFTER_WRITE_ERROR,
		STEP(IO_ARM, TREE | EB_FLAG_WRITE_ERR | EB_FLAG_UPTODATE, 2, 4)),
	LEGAL("read after a read error", READ_OF_UPTODATE,
	      STEP(IO_ARM, TREE | EB_FLAG_READ_ERR, 2, 4)),

	/* read_without_recheck */
	LEGAL("a read that looks again", READ_WITHOUT_RECHECK,
	      STEP(READING, TREE, 2, 1), TESTED, STEP(IO_ARM, TREE, 2, 1)),
	ILLEGAL("a read that does not look again", READ_WITHOUT_RECHECK,
		STEP(READING, TREE, 2, 1), STEP(IO_ARM, TREE, 2, 1)),
	ILLEGAL("it looked before it had READING", READ_WITHOUT_RECHECK,
		STEP(READING, TREE, 2, 1), TESTED, STEP(IO_ARM, TREE, 2, 1),
		STEP(READING, TREE, 2, 1), STEP(IO_ARM, TREE, 2, 1)),
	LEGAL("READING was set before the guard was turned on",
	      READ_OF_UPTODATE, STEP(READING, TREE, 2, 1, .before = true),
	      STEP(IO_ARM, TREE, 2, 1)),
	LEGAL("a kernel whose reads have no READING", READ_OF_UPTODATE,
	      STARTED, ARMED),

	/* reading_cleared_alone */
	LEGAL("a read ends in one section", READING_CLEARED_ALONE,
	      STEP(IO_ARM, TREE, 3, 1), STEP(REFS_LOCK, TREE, 3, 1),
	      STEP(READING_CLEAR, TREE, 3, 1), STEP(READ_PUT, TREE, 3, 0)),
	LEGAL("the same, by another task", READING_CLEARED_ALONE,
	      STEP(IO_ARM, TREE, 3, 1),
	      STEP(REFS_LOCK, TREE, 3, 1, .by = BY_OTHER),
	      STEP(READING_CLEAR, TREE, 3, 1, .by = BY_OTHER)),
	ILLEGAL("READING is cleared without the lock", READING_CLEARED_ALONE,
		STEP(IO_ARM, TREE, 3, 1),
		STEP(READING_CLEAR, TREE, 3, 1, .unlocked = true)),
	ILLEGAL("READING is cleared in the section of somebody else",
		READING_CLEARED_ALONE, STEP(IO_ARM, TREE, 3, 1),
		STEP(REFS_LOCK, TREE, 3, 1, .by = BY_OTHER),
		STEP(READING_CLEAR, TREE, 3, 1)),
	ILLEGAL("the lock is dropped before the put", READING_CLEARED_ALONE,
		STEP(IO_ARM, TREE, 3, 1), STEP(REFS_LOCK, TREE, 3, 1),
		STEP(READING_CLEAR, TREE, 3, 1),
		STEP(READ_PUT, TREE, 3, 0, .unlocked = true)),
	LEGAL("somebody has read it meanwhile, no IO goes out", NONE,
	      STEP(READING, TREE, 2, 1), TESTED,
	      STEP(READING_CLEAR, TREE | EB_FLAG_UPTODATE, 2, 1,
		   .unlocked = true)),
	LEGAL("a read from before the guard was turned on", NONE,
	      STEP(IO_ARM, TREE, 3, 1, .before = true),
	      STEP(READING_CLEAR, TREE, 3, 1, .unlocked = true)),

	/* private_unlocked */
	LEGAL("attached under the lock", PRIVATE_UNLOCKED,
	      STEP(PRIVATE, 0, 1, 0, .look.arg = true)),
	ILLEGAL("attached without the lock", PRIVATE_UNLOCKED,
		STEP(PRIVATE, 0, 1, 0, .look.arg = false)),

	/* marks_out_of_step */
	LEGAL("dirty and marked", MARKS_OUT_OF_STEP,
	      MARKED(DIRTY, EB_MARKED_DIRTY)),
	ILLEGAL("dirty and not marked", MARKS_OUT_OF_STEP, MARKED(DIRTY, 0)),
	LEGAL("clean and not marked", MARKS_OUT_OF_STEP, MARKED(CLEAN, 0)),
	ILLEGAL("clean and still marked", MARKS_OUT_OF_STEP,
		MARKED(CLEAN, EB_MARKED_DIRTY)),
	LEGAL("handed over and marked", MARKS_OUT_OF_STEP,
	      MARKED(WRITEBACK, EB_MARKED_WRITEBACK)),
	ILLEGAL("handed over and still marked dirty", MARKS_OUT_OF_STEP,
		MARKED(WRITEBACK, EB_MARKED_WRITEBACK | EB_MARKED_DIRTY)),
	ILLEGAL("handed over and still to be written", MARKS_OUT_OF_STEP,
		MARKED(WRITEBACK, EB_MARKED_WRITEBACK | EB_MARKED_TOWRITE)),
	LEGAL("dirty and to be written", MARKS_OUT_OF_STEP,
	      MARKED(DIRTY, EB_MARKED_DIRTY | EB_MARKED_TOWRITE)),
	LEGAL("clean before it was written", MARKS_OUT_OF_STEP,
	      MARKED(CLEAN, EB_MARKED_TOWRITE)),
	ILLEGAL("handed over and not marked", MARKS_OUT_OF_STEP,
		MARKED(WRITEBACK, 0)),
	LEGAL("written, and dirty again", MARKS_OUT_OF_STEP,
	      MARKED(WRITTEN, EB_MARKED_DIRTY)),
	ILLEGAL("written and still marked", MARKS_OUT_OF_STEP,
		MARKED(WRITTEN, EB_MARKED_WRITEBACK)),
	LEGAL("a buffer that is in no tree", NONE,
	      STEP(MARKS, EB_FLAG_DIRTY, 1, 0, .look.arg = EB_MARKS_DIRTY)),

	/* write_without_writeback, writeback_without_io */
	ILLEGAL("a write without WRITEBACK", WRITE_WITHOUT_WRITEBACK,
		STEP(IO_ARM, TREE, 2, 4, WRITE_SITE)),
	LEGAL("the IO that is owed is started", WRITEBACK_WITHOUT_IO,
	      HANDED_OVER,
	      STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE),
	      STEP(PUT, TREE | EB_FLAG_WRITEBACK, 2, 4, PUT_SITE)),
	LEGAL("somebody else puts meanwhile", PUT_WITHOUT_REFERENCE,
	      HANDED_OVER, STEP(PUT, TREE | EB_FLAG_WRITEBACK, 3, 0, PUT_SITE,
				.by = BY_OTHER)),
	ILLEGAL("the IO that is owed is not started", WRITEBACK_WITHOUT_IO,
		HANDED_OVER,
		STEP(PUT, TREE | EB_FLAG_WRITEBACK, 2, 0, PUT_SITE)),
	LEGAL("the IO was owed before the guard was turned on", PUT_LOCKED,
	      STEP(WRITEBACK, TREE | EB_FLAG_WRITEBACK, 2, 0, WRITE_SITE,
		   .before = true),
	      STEP(PUT, TREE | EB_FLAG_WRITEBACK, 2, 0, PUT_SITE)),

	/* io_pages_leaked */
	LEGAL("a page fails and is accounted for", IO_PAGES_LEAKED, STARTED, ARMED,
	      STEP(IO_DANCE, TREE, 2, 4), STEP(IO_SUBMIT, TREE, 2, 4),
	      STEP(IO_PAGE, TREE, 2, 4), STEP(IO_PAGE, TREE, 2, 4, .look.arg = -5),
	      STEP(IO_SENT, TREE, 2, 1)),
	ILLEGAL("a page fails and is forgotten", IO_PAGES_LEAKED, STARTED, ARMED,
		STEP(IO_DANCE, TREE, 2, 4), STEP(IO_SUBMIT, TREE, 2, 4),
		STEP(IO_PAGE, TREE, 2, 4), STEP(IO_PAGE, TREE, 2, 4, .look.arg = -5),
		STEP(IO_SENT, TREE, 2, 2)),
	LEGAL("another reader armed it meanwhile", NONE,
	      STEP(IO_START, TREE, 2, 0),
	      STEP(IO_START, TREE, 3, 0, .by = BY_OTHER),
	      STEP(IO_SENT, TREE, 3, 4)),

	/* io_ended_twice, writeback_cleared_early, io_end_without_tree_ref */
	LEGAL("a read ends", IO_ENDED_TWICE, STEP(IO_END, TREE, 2, 1)),
	LEGAL("a write ends, held by the tree alone", IO_END_WITHOUT_TREE_REF,
	      STEP(IO_END, TREE | EB_FLAG_WRITEBACK, 1, 1, .by = BY_IRQ)),
	LEGAL("a read fails and io_pages is raised again", IO_ENDED_TWICE,
	      STEP(IO_END, TREE, 2, 1), STEP(IO_END, TREE, 1, 1)),
	ILLEGAL("one end too many", IO_ENDED_TWICE, STEP(IO_END, TREE, 2, 0)),
	ILLEGAL("writeback ends that was not begun", IO_ENDED_TWICE,
		STEP(WRITEBACK_END, TREE, 1, 0)),
	ILLEGAL("TREE_REF is gone at the end", IO_END_WITHOUT_TREE_REF,
		STEP(IO_END, 0, 1, 1)),
	LEGAL("a read that holds itself ends without TREE_REF",
	      IO_END_WITHOUT_TREE_REF,
	      STEP(IO_END, 0, 1, 1, .look.site = EB_SITE_READ_END,
		   .look.read_holds = true)),
	ILLEGAL("nobody holds what ends", IO_END_WITHOUT_TREE_REF,
		STEP(IO_END, TREE, 0, 1)),
	LEGAL("writeback ends", WRITEBACK_CLEARED_EARLY,
	      STEP(WRITEBACK_END, TREE | EB_FLAG_WRITEBACK, 1, 0)),
	ILLEGAL("writeback ends before the last page",
		WRITEBACK_CLEARED_EARLY,
		STEP(WRITEBACK_END, TREE | EB_FLAG_WRITEBACK, 1, 1)),

	/* freed_* */
	LEGAL("the last put", FREED_DIRTY, STEP(LAST_PUT, 0, 0, 0)),
	LEGAL("a clone that was written to", FREED_UNDER_IO,
	      STEP(LAST_PUT, EB_FLAG_UNMAPPED | EB_FLAG_DIRTY, 0, 0)),
	ILLEGAL("freed while read", FREED_UNDER_IO, STEP(LAST_PUT, 0, 0, 4)),
	ILLEGAL("freed while written", FREED_UNDER_IO,
		STEP(LAST_PUT, EB_FLAG_WRITEBACK, 0, 0)),
	ILLEGAL("freed while dirty", FREED_DIRTY,
		STEP(LAST_PUT, EB_FLAG_DIRTY, 0, 0)),
	ILLEGAL("freed with TREE_REF", FREED_WITH_TREE_REF,
		STEP(LAST_PUT, TREE, 0, 0)),
	ILLEGAL("freed while locked", FREED_LOCKED,
		STEP(LAST_PUT, 0, 0, 0, .look.write_locked = true)),
	ILLEGAL("freed while on a list", FREED_ON_LIST,
		STEP(LAST_PUT, 0, 0, 0, .look.on_list = true)),
	LEGAL("out of the tree", FREED_IN_TREE, STEP(FREE, 0, 0, 0)),
	ILLEGAL("freed while in the tree", FREED_IN_TREE,
		STEP(FREE, 0, 0, 0, .look.in_tree = true)),

	/* buffer_leaked */
	LEGAL("a freed buffer that waits for RCU", BUFFER_LEAKED,
	      STEP(UNMOUNT, 0, 0, 0)),
	ILLEGAL("a cached buffer is left", BUFFER_LEAKED,
		STEP(UNMOUNT, TREE, 1, 0)),

	/* put_without_reference */
	LEGAL("a put beside the tree's reference", PUT_WITHOUT_REFERENCE,
	      STEP(PUT_LOCKED, TREE, 2, 0, PUT_SITE)),
	LEGAL("a finder whose TREE_REF was taken away", PUT_WITHOUT_REFERENCE,
	      STEP(PUT_LOCKED, 0, 1, 0, PUT_SITE)),
	LEGAL("the user of a stale buffer whose TREE_REF is gone",
	      PUT_WITHOUT_REFERENCE,
	      STEP(PUT_LOCKED, EB_FLAG_STALE, 2, 0, PUT_SITE)),
	LEGAL("a dummy of the self-tests, put by hand", PUT_WITHOUT_REFERENCE,
	      STEP(PUT_LOCKED, TREE | EB_FLAG_UNMAPPED, 1, 0, PUT_SITE)),
	ILLEGAL("a put of the tree's reference", PUT_WITHOUT_REFERENCE,
		STEP(PUT_LOCKED, TREE, 1, 0, PUT_SITE)),
	ILLEGAL("a put after the last", PUT_WITHOUT_REFERENCE,
		STEP(PUT, 0, 0, 0, PUT_SITE)),
	LEGAL("a put whose lock was dropped meanwhile", NONE,
	      STEP(PUT_LOCKED, TREE, 1, 0, PUT_SITE, .unlocked = true)),

	LEGAL("a put of what the ledger has", PUT_WITHOUT_REFERENCE,
	      STEP(PUT, TREE, 3, 0, PUT_SITE, OWNED)),
	LEGAL("a put of what the ledger may have missed", PUT_WITHOUT_REFERENCE,
	      STEP(PUT, TREE, 3, 0, PUT_SITE)),
	ILLEGAL("a put of what somebody else holds", PUT_WITHOUT_REFERENCE,
		STEP(PUT, TREE, 3, 0, PUT_SITE, NOT_OWNED)),

	/* put_locked */
	LEGAL("a put after the unlock", PUT_LOCKED,
	      STEP(PUT, TREE, 3, 0, PUT_SITE, OWNED)),
	ILLEGAL("the last put of a task that has not unlocked", PUT_LOCKED,
		STEP(PUT, TREE, 3, 0, PUT_SITE, OWNED, .look.lock_left = true)),

	/* freed_owned */
	LEGAL("nobody holds what is freed", FREED_OWNED,
	      STEP(LAST_PUT, 0, 0, 0, OWNED)),
	LEGAL("freed, and not all is known", FREED_UNDER_IO,
	      STEP(LAST_PUT, 0, 0, 0, .look.held = 1)),
	ILLEGAL("freed while somebody holds it", FREED_OWNED,
		STEP(LAST_PUT, 0, 0, 0, OWNED, .look.held = 1)),

	/* left_in_path, left_by_task */
	LEGAL("a path leaves nothing", LEFT_IN_PATH,
	      STEP(PATH_FREE, TREE, 2, 0)),
	ILLEGAL("a path leaves a reference", LEFT_IN_PATH,
		STEP(PATH_FREE, TREE, 2, 0, .look.held = 1)),
	LEGAL("a task leaves nothing", LEFT_BY_TASK,
	      STEP(TASK_END, TREE, 1, 0)),
	ILLEGAL("a task leaves a reference", LEFT_BY_TASK,
		STEP(TASK_END, TREE, 2, 0, .look.held = 1)),

	/* write_on_failed_fs */
	LEGAL("a write", WRITE_ON_FAILED_FS, HANDED_OVER,
	      STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE),
	      STEP(IO_SUBMIT, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE)),
	ILLEGAL("a write on a file system in error", WRITE_ON_FAILED_FS,
		STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE),
		STEP(IO_SUBMIT, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE,
		     .look.fs_error = true)),
	LEGAL("the error comes while it is written", WRITE_ON_FAILED_FS,
	      TESTED_WRITE(ARM, false), TESTED_WRITE(SUBMIT, true),
	      STEP(WRITE_OUT, TREE | EB_FLAG_WRITEBACK, 2, 1, WRITE_SITE)),
	LEGAL("armed before the guard was turned on, and it goes out", NONE,
	      STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE, .before = true),
	      STEP(WRITE_OUT, TREE | EB_FLAG_WRITEBACK, 2, 1, WRITE_SITE)),
	ILLEGAL("the error was there before, and it goes out",
		WRITE_ON_FAILED_FS,
		TESTED_WRITE(ARM, true), TESTED_WRITE(SUBMIT, true),
		STEP(WRITE_OUT, TREE | EB_FLAG_WRITEBACK, 2, 1, WRITE_SITE)),
};

/* What a lookup has seen of STALE, before and after, and whether that is judged. */
struct eb_lookup_case {
	const char *name;
	bool stale_before;
	bool stale_after;
	bool section;
	bool taken_back;
	bool unlocked_section;
	u32 epoch;
	bool judged;
	bool broken;
};

static const struct eb_lookup_case lookups[] = {
	{ .name = "not stale", .epoch = EPOCH },
	{ .name = "stale, waited", .stale_before = true, .stale_after = true,
	  .section = true, .epoch = EPOCH, .judged = true },
	{ .name = "stale, did not wait", .stale_before = true,
	  .stale_after = true, .epoch = EPOCH, .judged = true,
	  .broken = true },
	{ .name = "stale, the lock is not taken", .stale_before = true,
	  .stale_after = true, .unlocked_section = true, .epoch = EPOCH,
	  .judged = true, .broken = true },
	{ .name = "became stale later", .stale_after = true, .epoch = EPOCH },
	{ .name = "not stale any more", .stale_before = true, .epoch = EPOCH },
	{ .name = "used again and stale again", .stale_before = true,
	  .stale_after = true, .taken_back = true, .epoch = EPOCH },
	{ .name = "began before the guard was on", .stale_before = true,
	  .stale_after = true, .epoch = EPOCH - 1 },
};

static struct eb_look look_of(const struct eb_step *step)
{
	static const int tasks[BY_IRQ];
	struct eb_look look = step->look;

	look.task = step->by == BY_IRQ ? NULL : &tasks[step->by];
	look.epoch = step->before ? EPOCH - 1 : EPOCH;
	look.locked = !step->unlocked;
	return look;
}

static void tell(struct btrfs_eb_debug *rec, const struct eb_step *step,
		 struct eb_judgement *judgement)
{
	struct eb_look look = look_of(step);

	memset(judgement, 0, sizeof(*judgement));
	if (step->tested)
		rec->reading_tested = true;
	else
		btrfs_eb_core_event(rec, &look, step->event, judgement);
}

#endif
