// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the extent buffer guard: does the core judge right?
 *
 * One table of sequences.  Each is a name, the rule that its last step breaks,
 * or EB_RULE_NONE for one that is legal, and its steps.  All steps but the last
 * must be silent, and the rules in question must have been judged: a sequence
 * that judges nothing proves nothing.
 */

#include <kunit/test.h>
#include <linux/irq_work.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_ledger.h"

/* Older kernels want both sides to be of one type. */
#define EXPECT_EQ(test, left, right)					\
	KUNIT_EXPECT_EQ(test, (long long)(left), (long long)(right))

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

static void run_sequence(struct kunit *test, const struct eb_sequence *seq)
{
	struct btrfs_eb_debug rec = { };
	u64 judged = 0;
	unsigned int i;

	for (i = 0; i < seq->nr; i++) {
		bool last = i == seq->nr - 1;
		struct eb_judgement judgement;

		tell(&rec, &seq->steps[i], &judgement);
		judged |= judgement.judged;
		KUNIT_EXPECT_EQ_MSG(test, (int)judgement.broken,
				    last ? (int)seq->broken : EB_RULE_NONE,
				    "%s, step %u", seq->name, i);
	}
	if (seq->judged != EB_RULE_NONE)
		KUNIT_EXPECT_TRUE_MSG(test, judged & BIT_ULL(seq->judged),
				      "%s: its rule was not judged", seq->name);
}

static void eb_test_sequences(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sequences); i++)
		run_sequence(test, &sequences[i]);
}

/* Every rule that the core judges by events has both kinds of sequence. */
static void eb_test_both_halves(struct kunit *test)
{
	u64 legal = 0, illegal = 0;
	u64 all = GENMASK_ULL(EB_RULE_COUNT - 1, EB_RULE_NONE + 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sequences); i++) {
		struct btrfs_eb_debug rec = { };
		unsigned int step;

		for (step = 0; step < sequences[i].nr; step++) {
			struct eb_judgement judgement;

			tell(&rec, &sequences[i].steps[step], &judgement);
			illegal |= BIT_ULL(judgement.broken);
			if (judgement.broken == EB_RULE_NONE)
				legal |= judgement.judged;
		}
	}
	/* This one is judged at the end of a lookup, see below. */
	all &= ~BIT_ULL(EB_RULE_STALE_LOOKUP_UNLOCKED);
	EXPECT_EQ(test, legal & all, all);
	EXPECT_EQ(test, illegal & all, all);
}

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

static void run_lookup(struct kunit *test, const struct eb_lookup_case *c)
{
	struct eb_step section = STEP(REFS_LOCK, TREE, 3, 0,
				      .unlocked = c->unlocked_section);
	static const struct eb_step taken_back = STEP(NEW_BLOCK, TREE, 3, 0);
	struct btrfs_eb_token token = {
		.epoch = c->epoch,
		.stale = c->stale_before,
	};
	struct eb_look look = look_of(&taken_back);
	struct btrfs_eb_debug rec = { };
	struct eb_judgement judgement;

	if (c->section || c->unlocked_section)
		tell(&rec, &section, &judgement);
	if (c->taken_back)
		tell(&rec, &taken_back, &judgement);
	if (c->stale_after)
		look.flags |= EB_FLAG_STALE;

	memset(&judgement, 0, sizeof(judgement));
	btrfs_eb_core_lookup(&rec, &look, &token, &judgement);
	KUNIT_EXPECT_EQ_MSG(test, judgement.judged != 0, (int)c->judged, "%s",
			    c->name);
	KUNIT_EXPECT_EQ_MSG(test, judgement.broken != EB_RULE_NONE,
			    (int)c->broken, "%s", c->name);
}

static void eb_test_lookups(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lookups); i++)
		run_lookup(test, &lookups[i]);
}

/* What is healed by the dance is a statistic, told apart from a first set. */
static void eb_test_repair(struct kunit *test)
{
	static const struct eb_step lost = STEP(REFS_LOCK, 0, 1, 4);
	static const struct eb_step repaired = STEP(TREE_REF_SET, TREE, 2, 4);
	static const struct eb_step set = STEP(TREE_REF_SET, TREE, 2, 0);
	struct btrfs_eb_debug rec = { };
	struct eb_judgement judgement;

	tell(&rec, &lost, &judgement);
	tell(&rec, &repaired, &judgement);
	KUNIT_EXPECT_TRUE(test, judgement.counts & BIT(EB_COUNT_REPAIRS));
	EXPECT_EQ(test, (int)judgement.broken, EB_RULE_NONE);

	tell(&rec, &lost, &judgement);
	tell(&rec, &set, &judgement);
	KUNIT_EXPECT_FALSE(test, judgement.counts & BIT(EB_COUNT_REPAIRS));
}

/* Only a task can owe the IO: of a write that is armed outside of one nobody asks that. */
static void eb_test_no_debt(struct kunit *test)
{
	static const struct eb_step debt = HANDED_OVER;
	static const struct eb_step paid =
		STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE);
	static const struct eb_step irq =
		STEP(IO_ARM, TREE | EB_FLAG_WRITEBACK, 2, 4, WRITE_SITE, .by = BY_IRQ);
	struct btrfs_eb_debug rec = { };
	struct eb_judgement judgement;

	tell(&rec, &debt, &judgement);
	tell(&rec, &paid, &judgement);
	KUNIT_EXPECT_TRUE(test, judgement.judged & BIT_ULL(EB_RULE_WRITEBACK_WITHOUT_IO));
	tell(&rec, &irq, &judgement);
	KUNIT_EXPECT_FALSE(test, judgement.judged & BIT_ULL(EB_RULE_WRITEBACK_WITHOUT_IO));
}

/* The history is a ring, and what does not fit is cut, not wrapped. */
static void eb_test_history(struct kunit *test)
{
	struct eb_history *history;
	int i;

	history = kunit_kzalloc(test, sizeof(*history), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, history);
	for (i = 0; i <= EB_HISTORY; i++)
		btrfs_eb_core_note(history, EB_EVENT_DIRTY, 70000, TREE, 7, i);
	EXPECT_EQ(test, history->ring[0].now, EB_HISTORY);
	EXPECT_EQ(test, history->ring[1].now, 1);
	EXPECT_EQ(test, history->ring[0].refs, 0xffff);
	EXPECT_EQ(test, history->ring[0].flags, TREE);
	EXPECT_EQ(test, history->ring[0].event, EB_EVENT_DIRTY + 1);
}

/* Addresses that are only compared. */
static const struct extent_buffer eb_test_buffers[2];
static const struct btrfs_path eb_test_paths[2];

static struct eb_task *empty_list(struct kunit *test)
{
	struct eb_task *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	eb_ledger_init(t);
	return t;
}

static void take(struct kunit *test, struct eb_task *t, int buffer,
		 const struct btrfs_path *path, u32 site)
{
	struct eb_held *held;

	KUNIT_ASSERT_FALSE(test, eb_ledger_full(t));
	held = eb_ledger_add(t, &eb_test_buffers[buffer], 0, EB_KIND_LOOKUP,
			     site);
	held->path = path;
	eb_ledger_added(t, held);
}

static u32 give_back(struct eb_task *t, int buffer,
		     const struct btrfs_path *path)
{
	struct eb_held *held = eb_ledger_find(t, &eb_test_buffers[buffer], path);
	u32 site = held ? held->site : 0;

	if (held)
		eb_ledger_put(t, held, 99);
	return site;
}

/* Of several references to one buffer, the right one is given back. */
static void eb_test_ledger(struct kunit *test)
{
	const struct btrfs_path *path = &eb_test_paths[0];
	struct eb_task *t = empty_list(test);

	take(test, t, 0, path, 1);
	take(test, t, 0, NULL, 2);
	take(test, t, 1, NULL, 3);
	take(test, t, 0, &eb_test_paths[1], 4);

	EXPECT_EQ(test, give_back(t, 0, NULL), 2);
	t->releasing = path;
	EXPECT_EQ(test, give_back(t, 0, path), 1);
	/* What is left is in another path, whose release has a reason for doubt. */
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    (void *)eb_ledger_doubt(t, &eb_test_buffers[0], 0));
	EXPECT_EQ(test, give_back(t, 0, NULL), 4);
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    (void *)eb_ledger_doubt(t, &eb_test_buffers[0], 0));
	t->releasing = &eb_test_paths[1];
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, eb_ledger_doubt(t, &eb_test_buffers[0], 0));
	EXPECT_EQ(test, eb_ledger_doubt(t, &eb_test_buffers[0], 0)->site, 99);
	EXPECT_EQ(test, give_back(t, 0, NULL), 0);
	EXPECT_EQ(test, give_back(t, 1, NULL), 3);
	KUNIT_EXPECT_TRUE(test, eb_ledger_empty(t));

	/* One more for a moment is not what others give back. */
	take(test, t, 0, path, 5);
	take(test, t, 0, EB_EXTRA, 6);
	EXPECT_EQ(test, give_back(t, 0, NULL), 5);
	take(test, t, 0, path, 7);
	EXPECT_EQ(test, give_back(t, 0, EB_EXTRA), 6);
	EXPECT_EQ(test, give_back(t, 0, path), 7);

	/* Of two such the newest, if there is no other. */
	take(test, t, 0, EB_EXTRA, 8);
	take(test, t, 0, EB_EXTRA, 9);
	EXPECT_EQ(test, give_back(t, 0, NULL), 9);
	EXPECT_EQ(test, give_back(t, 0, NULL), 8);
}

/* What does not fit is refused, and nothing else is lost. */
static void eb_test_ledger_full(struct kunit *test)
{
	struct eb_task *t = empty_list(test);
	struct btrfs_eb_debug rec = { };
	int i;

	for (i = 0; i < EB_HELD; i++)
		take(test, t, 0, NULL, i + 1);
	KUNIT_EXPECT_TRUE(test, eb_ledger_full(t));
	for (i = EB_HELD; i > 0; i--)
		EXPECT_EQ(test, give_back(t, 0, NULL), i);

	for (i = 0; i < 0xff; i++)
		btrfs_eb_core_structure_get(&rec, EB_KIND_RELOC);
	KUNIT_EXPECT_FALSE(test, rec.unrecorded);
	EXPECT_EQ(test, btrfs_eb_core_structures(&rec, EB_KIND_RELOC), 0xff);
	EXPECT_EQ(test, btrfs_eb_core_structures(&rec, EB_KIND_ZONED), 0);
	btrfs_eb_core_structure_get(&rec, EB_KIND_RELOC);
	KUNIT_EXPECT_TRUE(test, rec.unrecorded);
	for (i = 0; i < 0xff; i++)
		KUNIT_EXPECT_TRUE(test, btrfs_eb_core_structure_put(&rec, EB_KIND_RELOC));
	KUNIT_EXPECT_FALSE(test, btrfs_eb_core_structure_put(&rec, EB_KIND_RELOC));
}

struct eb_irq_test {
	struct irq_work work;
	struct extent_buffer *eb;
	unsigned int held;
	const char *report;
};

static unsigned int in_structure(const struct eb_irq_test *t,
				 enum eb_debug_kind kind)
{
	return btrfs_eb_core_structures(&t->eb->debug, kind);
}

/* An interrupt takes over what a structure holds, gives it back, and takes another one. */
static void act_in_irq(struct irq_work *work)
{
	struct eb_irq_test *t = container_of(work, struct eb_irq_test, work);

	btrfs_eb_debug_take(t->eb, EB_KIND_RELOC, 0);
	t->held = in_structure(t, EB_KIND_IRQ);
	t->report = btrfs_eb_debug_put(t->eb, EB_SITE_PUT, _RET_IP_);
	btrfs_eb_debug_get(t->eb, EB_KIND_LOOKUP, 0);
}

/* What an interrupt holds is in no list of a task; what can't be noted is unrecorded. */
static void eb_test_irq(struct kunit *test)
{
	struct eb_irq_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	/* Nothing is recorded while the guard is off, and there it would be a task. */
	if (!READ_ONCE(btrfs_eb_epoch) || IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	t->eb = kunit_kzalloc(test, sizeof(*t->eb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->eb);
	/* An atomic_t or a refcount_t. */
	atomic_set((atomic_t *)&t->eb->refs, 2);
	eb_debug_alloc(t->eb);
	btrfs_eb_debug_give(t->eb, EB_KIND_RELOC, 0);
	EXPECT_EQ(test, in_structure(t, EB_KIND_RELOC), 1);

	init_irq_work(&t->work, act_in_irq);
	irq_work_queue(&t->work);
	irq_work_sync(&t->work);
	EXPECT_EQ(test, t->held, 1);
	KUNIT_EXPECT_PTR_EQ(test, NULL, (void *)t->report);
	EXPECT_EQ(test, in_structure(t, EB_KIND_RELOC), 0);
	EXPECT_EQ(test, in_structure(t, EB_KIND_IRQ), 1);
	KUNIT_EXPECT_FALSE(test, t->eb->debug.unrecorded);

	btrfs_eb_debug_give(t->eb, EB_KIND_RELOC, 0);
	KUNIT_EXPECT_TRUE(test, t->eb->debug.unrecorded);
	for (i = 0; i <= 0xff; i++)
		btrfs_eb_debug_get(t->eb, EB_KIND_RELOC, 0);
	EXPECT_EQ(test, in_structure(t, EB_KIND_RELOC), 0xff);

	btrfs_eb_debug_get(t->eb, EB_KIND_LOOKUP, 0);
	EXPECT_EQ(test, btrfs_eb_owner_held(t->eb, t->eb->debug.serial), 1);
	btrfs_eb_debug_forget(t->eb);
	EXPECT_EQ(test, btrfs_eb_owner_held(t->eb, t->eb->debug.serial), 0);
}

/* A buffer that is freed although this task holds it is looked for before it is looked at. */
static void eb_test_gone(struct kunit *test)
{
	struct eb_look look = { .epoch = READ_ONCE(btrfs_eb_epoch) };
	struct extent_buffer *eb = kunit_kzalloc(test, sizeof(*eb), GFP_KERNEL);
	u32 serial;

	if (!look.epoch)
		return;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, eb);
	atomic_set((atomic_t *)&eb->refs, 1);
	eb_debug_alloc(eb);
	serial = eb->debug.serial;
	btrfs_eb_look(&look, eb, EB_EVENT_LAST_PUT, EB_SITE_PUT);
	EXPECT_EQ(test, look.held, 1);
	KUNIT_EXPECT_TRUE(test, btrfs_eb_live_has(eb, serial));
	KUNIT_EXPECT_FALSE(test, btrfs_eb_live_has(eb, serial + 1));
	btrfs_eb_debug_forget(eb);
	KUNIT_EXPECT_FALSE(test, btrfs_eb_live_has(eb, serial));
}

/* More verdicts at a time than there is room for are dropped; the newest is said first. */
static void eb_test_verdicts(struct kunit *test)
{
	struct eb_verdict *verdicts[16], *newest;
	unsigned int i, nr = 0;

	while (nr < ARRAY_SIZE(verdicts) && (verdicts[nr] = btrfs_eb_verdict_get()))
		nr++;
	KUNIT_ASSERT_GT(test, nr, 1u);
	KUNIT_ASSERT_LT(test, nr, 16u);
	btrfs_eb_debug_said();
	newest = btrfs_eb_verdict_get();
	KUNIT_EXPECT_PTR_EQ(test, newest, verdicts[nr - 1]);
	for (i = 0; i < nr; i++)
		btrfs_eb_verdict_put(verdicts[i]);
}

/*
 * A hook on a buffer whose allocation was not seen is a mistake of the
 * guard: it must turn itself off and blame nobody.  Then it is turned on again, as
 * this kernel may have more to do than these tests.
 */
static void eb_test_distrust(struct kunit *test)
{
	struct extent_buffer *eb;

	if (!READ_ONCE(btrfs_eb_epoch))
		return;
	eb = kunit_kzalloc(test, sizeof(*eb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, eb);
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    (void *)btrfs_eb_debug_event(eb, EB_EVENT_IO_END,
							 EB_SITE_READ_END, 0));
	KUNIT_EXPECT_FALSE(test, eb->debug.distrusted);
	EXPECT_EQ(test, READ_ONCE(btrfs_eb_epoch), 0);
	WRITE_ONCE(btrfs_eb_epoch, btrfs_eb_new_epoch());
	btrfs_eb_table_epoch();
}

static struct kunit_case eb_debug_cases[] = {
	KUNIT_CASE(eb_test_sequences),
	KUNIT_CASE(eb_test_both_halves),
	KUNIT_CASE(eb_test_lookups),
	KUNIT_CASE(eb_test_repair),
	KUNIT_CASE(eb_test_no_debt),
	KUNIT_CASE(eb_test_history),
	KUNIT_CASE(eb_test_ledger),
	KUNIT_CASE(eb_test_ledger_full),
	KUNIT_CASE(eb_test_irq),
	KUNIT_CASE(eb_test_gone),
	KUNIT_CASE(eb_test_verdicts),
	KUNIT_CASE(eb_test_distrust),
	{}
};

static struct kunit_suite eb_debug_suite = {
	.name = "btrfs_eb_debug",
	.test_cases = eb_debug_cases,
};

kunit_test_suite(eb_debug_suite);
