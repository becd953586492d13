/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of one extent buffer, for spin: who takes and gives back references,
 * sets and clears TREE_REF, DIRTY, WRITEBACK and READING, and what can happen in
 * between?
 *
 * Each read or write of what another task may touch is a step of its own, also in a
 * section under refs_lock, since lookups and the fast path of check_buffer_tree_ref()
 * look in without it.  A step is a d_step, in which did() tells the schedule of a
 * counterexample what btrfs does.  Tasks go on for ever where btrfs's would, so that
 * "holds" is said of any number of rounds.
 *
 * Memory is sequentially consistent here: what a CPU or a compiler may reorder is not
 * in the model.
 *
 *	-DBASE_5_10, ...	the kernel: its features, by name, follow
 *	-DREAD, ...		the scenario: which tasks run, under "scenarios"
 *	-DNO_DANCE		reads don't call check_buffer_tree_ref()
 *	-DFIX_..., -DIF_...	changes of btrfs, see model/claims
 *	-DPLANT_...		errors that must be found, the same
 *	-DONLY=NAME		judge nothing but NAME
 */

/* --- kernels --------------------------------------------------------------- */

#ifdef BASE_5_10
#define IO_PAGES		/* IO is counted in pages, in under_io() as well */
#define PAGE_LOCK		/* a read locks all pages first, reclaim locks one */
#define WRITE_UNDO		/* lock_extent_buffer_for_io() can fail and take it back */
#endif
#ifdef BASE_6_1
#define IO_PAGES
#define PAGE_LOCK
#endif
#ifdef BASE_6_1_SUBPAGE
#define IO_PAGES
#define EXTENT_LOCK		/* a read locks the extent, reclaim does not */
#define SUBPAGE	true		/* set_page_dirty() with the page lock */
#define BARE_PUT		/* a write's end takes a reference and drops it unlocked */
#endif
#ifdef BASE_6_12
#define SUBPAGE	false
#define IO_REF			/* READING; a read has a reference of its own */
#endif
#ifdef BASE_7_X
#define SUBPAGE	false
#define IO_REF
#define END_IN_ONE		/* READING and that reference go in one section */
#define UNMOUNT_WAITS		/* invalidate_and_check_btree_folios() */
#endif

#ifdef PAGE_LOCK
#define PAGES	2
#else
#define PAGES	1
#endif

/* --- scenarios ------------------------------------------------------------- */

#ifdef ALONE			/* one read, and nobody else */
#define READAHEAD
#endif
#ifdef READ			/* a read against reclaim */
#define RECLAIM
#define READAHEAD
#endif
#ifdef READ2			/* two of them */
#define RECLAIM
#define READAHEAD
#define READER
#endif
#ifdef DIRTY			/* a clean buffer is dirtied, against reclaim */
#define RECLAIM
#define DIRTIER
#define FINDER
#define UPTODATE
#endif
#ifdef WRITE			/* the same, and it is written */
#define RECLAIM
#define DIRTIER
#define WRITER
#define UPTODATE
#endif
#ifdef REWRITE			/* a buffer that is dirty is written, and looked up */
#define RECLAIM
#define FINDER
#define WRITER
#define UPTODATE
#define IS_DIRTY
#endif
#ifdef STALE			/* a block is freed by one holder, and allocated anew */
#define HOLDERS	2
#define REUSER
#define UPTODATE
#endif
#ifdef LOST			/* two allocate a block, and one of them gives it up */
#define CREATOR
#define UPTODATE
#endif
#ifdef UNMOUNTED		/* readahead, then unmount */
#define READAHEAD
#define UNMOUNTER
#endif

/* --- what must hold -------------------------------------------------------- */

/* With ONLY, init() turns the one that is judged on. */
#ifdef ONLY
#define JUDGED	1
#define CLAIM	byte
#else
#define JUDGED	0
#define CLAIM	hidden byte
#endif

/* Names for spin to print; what is 1 is not judged. */
CLAIM S1_READ = JUDGED;		/* a read goes out: TREE_REF is set */
CLAIM S1_WRITE = JUDGED;		/* a write goes out: TREE_REF is set */
CLAIM S2_READ = JUDGED;		/* TREE_REF is cleared: no read is under way */
CLAIM S2_WRITE = JUDGED;		/* ... not DIRTY, not WRITEBACK */
CLAIM S2_FOREIGN = JUDGED;	/* ... nobody else holds a reference */
CLAIM S2_LOCKED = JUDGED;		/* ... under refs_lock */
CLAIM S3 = JUDGED;		/* DIRTY becomes WRITEBACK: TREE_REF, refs >= 2 */
CLAIM S4 = JUDGED;		/* a read goes out: its task danced since arming */
CLAIM S5 = JUDGED;		/* no dance finds TREE_REF lost under IO */
CLAIM END_READ = JUDGED;		/* a read ends: TREE_REF is set */
CLAIM END_WRITE = JUDGED;		/* a write ends: TREE_REF is set */
CLAIM R3 = JUDGED;		/* WRITEBACK is cleared after the last page's end */
CLAIM FREED_READ = JUDGED;	/* refs reaches 0: no read is under way */
CLAIM FREED_WRITE = JUDGED;	/* ... not WRITEBACK */
CLAIM FREED_DIRTY = JUDGED;	/* ... not DIRTY */
CLAIM FREED_TREE_REF = JUDGED;	/* ... TREE_REF is clear */
CLAIM REPAIR = JUDGED;		/* a repaired TREE_REF stays until the IO ends */
CLAIM MARKED = JUDGED;		/* set_extent_buffer_dirty() sees TREE_REF set */
CLAIM ALIVE = JUDGED;		/* whoever uses the buffer finds a reference */
CLAIM RECHECK = JUDGED;		/* a read starts on what is not UPTODATE */
CLAIM UNMOUNT = JUDGED;		/* unmount finds no read, and no reference of one */

#define CHECK(name, ok)	assert((ok) || name)

/* --- the buffer ------------------------------------------------------------ */

mtype = { readahead, reader, read_end, reclaim, finder, dirtier, writer, write_end,
	  stale_putter, putter, reuser, creator, loser, unmount };

byte refs = 1;			/* eb->refs */
byte refs_lock;			/* eb->refs_lock: who holds it, 0 if nobody does */
bit tree_ref = 1;		/* EXTENT_BUFFER_TREE_REF, and so on */
bit dirty;
bit writeback;
bit stale;
bit uptodate;
bit reading;
byte io_pages;			/* eb->io_pages */
bit in_tree = 1;		/* a lookup, or its page, finds it */
bit tree_lock;			/* eb->lock, for writing */
bit page_lock[PAGES];
bit page_uptodate[PAGES];
bit page_dirty;			/* of the page that reclaim looks at */
bit page_writeback;
bit extent_lock;		/* of the extent in the btree inode's io_tree */

bit gone;			/* tasks that unmount does not wait for itself */

byte read_bio;			/* pages of a read that was submitted, as bits */
byte write_bio;			/* pages of a write, in number */

/* Not in btrfs: what the properties need to know. */
bit repaired;			/* a dance has set TREE_REF while this held: */
#define BUSY	(dirty || writeback || UNDER_READ)

#ifdef IO_REF
#define UNDER_READ	reading
#else
#define UNDER_READ	(io_pages > 0 && !writeback)
#endif

#define did(function, what)						\
	printf("@%e|%d|%d|%d|%d|%d|%d|%d|", who, refs, tree_ref, dirty,	\
	       writeback, stale, reading, io_pages);			\
	printf(function); printf("|"); printf(what); printf("\n");	\
	repaired = repaired && BUSY

/* Of each task: what it read, what it found, what extent_buffer_under_io() said. */
#define TASK(name)							\
	mtype who = name;						\
	byte r; byte pages; bit t; bit busy; bit got; bit danced

#include "eb-refs.pml"
#include "eb-io.pml"
#include "eb-life.pml"
