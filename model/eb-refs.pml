/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of eb.pml that is about references: refs_lock, TREE_REF, gets and puts, lookups
 * and reclaim.
 */

/* --- refs_lock ------------------------------------------------------------- */

#if defined(IF_NO_REFS_LOCK) || defined(IF_LOCKLESS)
#define spin_lock()	skip
#define spin_unlock()	skip
#define LOCKED		true
#else
inline spin_lock()
{
	d_step { refs_lock == 0 -> refs_lock = _pid + 1; did("spin_lock", "refs_lock") }
}

inline spin_unlock()
{
	d_step { refs_lock = 0; did("spin_unlock", "refs_lock") }
}
#define LOCKED	(refs_lock == _pid + 1)
#endif

/* --- TREE_REF -------------------------------------------------------------- */

/* The slow path of check_buffer_tree_ref(). */
#ifdef IF_LOCKLESS
inline set_tree_ref()
{
	/* The count first: TREE_REF must never be seen without its reference. */
	d_step { CHECK(ALIVE, refs > 0); refs++; did("check_buffer_tree_ref", "refs + 1") }
	d_step {
		t = tree_ref;
		tree_ref = 1;
		did("check_buffer_tree_ref", "test_and_set_bit TREE_REF")
	}
	if
	:: t -> d_step { refs--; did("check_buffer_tree_ref", "it was set: refs - 1") }
	:: else
	fi
}
#else
inline set_tree_ref()
{
	spin_lock();
	d_step {
		t = tree_ref;
		tree_ref = 1;
		did("check_buffer_tree_ref", "test_and_set_bit TREE_REF")
	}
	if
	:: !t ->
		d_step {
			CHECK(ALIVE, refs > 0);
			CHECK(S5, !UNDER_READ && !writeback);
			repaired = BUSY;
#ifndef PLANT_UNCOUNTED
			refs++;
#endif
			did("check_buffer_tree_ref", "TREE_REF was lost: refs + 1")
		}
	:: else
	fi;
	spin_unlock()
}
#endif

/* t: there is nothing to do. */
inline fast_path()
{
	d_step {
		CHECK(ALIVE, refs > 0);
		r = refs;
		did("check_buffer_tree_ref", "reads refs")
	}
	if
	:: r >= 2 ->
		d_step {
			t = tree_ref;
			did("check_buffer_tree_ref", "reads TREE_REF: if set, the fast path")
		}
	:: else -> t = 0
	fi;
	r = 0
}

inline check_buffer_tree_ref()
{
	fast_path();
	if
	:: !t -> set_tree_ref()
	:: else
	fi
}

/* That of who has armed IO. */
inline dance_for_io()
{
#ifndef NO_DANCE
#ifdef FIX_LOCKED_DANCE
	set_tree_ref();
#else
	check_buffer_tree_ref();
#endif
	danced = 1
#else
	danced = 0
#endif
}

inline dance_for_dirty()
{
#if defined(PLANT_DIRTY_FAST)
	check_buffer_tree_ref()
#elif defined(FIX_UNLESS_DIRTY)
	/* The tree lock keeps DIRTY as it is. */
	d_step { t = dirty; did("set_extent_buffer_dirty", "reads DIRTY") }
	if
	:: !t -> set_tree_ref()
	:: else
	fi
#elif defined(FIX_LOCKED_DANCE)
	set_tree_ref()
#else
	check_buffer_tree_ref()
#endif
}

#define NOT_CLEARED_WHEN_BUSY(others)					\
	CHECK(S2_READ, !UNDER_READ);					\
	CHECK(S2_WRITE, !dirty && !writeback);				\
	CHECK(S2_FOREIGN, refs <= others);				\
	CHECK(S2_LOCKED, LOCKED);					\
	CHECK(REPAIR, !repaired)

#define NOT_FREED_WHEN_BUSY						\
	CHECK(FREED_READ, !UNDER_READ);					\
	CHECK(FREED_WRITE, !writeback);					\
	CHECK(FREED_DIRTY, !dirty);					\
	CHECK(FREED_TREE_REF, !tree_ref)

/* busy: dirty or under IO.  What comes first in an || is read first. */
inline extent_buffer_under_io()
{
	busy = 0;
#ifdef IO_PAGES
	d_step { busy = io_pages > 0; did("extent_buffer_under_io", "reads io_pages") }
#endif
	if
	:: !busy -> d_step { busy = writeback; did("extent_buffer_under_io", "reads WRITEBACK") }
	:: else
	fi;
	if
	:: !busy -> d_step { busy = dirty; did("extent_buffer_under_io", "reads DIRTY") }
	:: else
	fi
}

/* --- references ------------------------------------------------------------ */

/* t: refs went from exactly this to 0 by one cmpxchg, and TREE_REF with it. */
inline freeze(from)
{
	d_step { t = tree_ref; did("freeze", "reads TREE_REF") }
#ifdef PLANT_NOT_ATOMIC
	if
	:: t -> d_step { t = (refs == from); did("freeze", "reads refs") }
	:: else
	fi;
#define NOW	t
#else
#define NOW	(refs == from)
#endif
	if
	:: t ->
		d_step {
			t = NOW;
			if
			:: t ->
				NOT_CLEARED_WHEN_BUSY(from);
				tree_ref = 0;
				refs = 0;
				NOT_FREED_WHEN_BUSY
			:: else
			fi;
			did("freeze", "cmpxchg refs to 0: it is freed, or it was found")
		}
	:: else
	fi
}

/* t: TREE_REF was set, and is clear now. */
inline clear_tree_ref(others)
{
	d_step {
		t = tree_ref;
		if
		:: t -> NOT_CLEARED_WHEN_BUSY(others)
		:: else
		fi;
		tree_ref = 0;
		did("test_and_clear_bit", "TREE_REF")
	}
}

inline out_of_tree()
{
	d_step { in_tree = 0; did("release_extent_buffer", "out of the tree") }
}

/* With refs_lock, which it gives back.  The caller's reference. */
inline release_extent_buffer()
{
	d_step {
		CHECK(ALIVE, refs > 0);
		refs = (refs > 0 -> refs - 1 : 0);
		r = refs;
		if
		:: r == 0 -> NOT_FREED_WHEN_BUSY
		:: else
		fi;
		did("release_extent_buffer", "refs - 1, at 0 it is freed")
	}
	spin_unlock();
	if
	:: r == 0 -> out_of_tree()
	:: else
	fi
}

/* The second half of free_extent_buffer(), and that of free_extent_buffer_stale(). */
inline put_locked()
{
	d_step { t = (refs == 2); did("free_extent_buffer", "reads refs: 2?") }
	if
	:: t -> d_step { t = stale; did("free_extent_buffer", "reads STALE") }
	:: else
	fi;
	if
	:: t -> extent_buffer_under_io(); t = !busy
	:: else
	fi;
#ifdef FIX_FREEZE_STALE
	if
	:: t -> freeze(2)
	:: else
	fi;
	if
	:: t -> spin_unlock(); out_of_tree()
	:: else -> release_extent_buffer()
	fi
#else
	if
	:: t -> clear_tree_ref(2)
	:: else
	fi;
	if
	:: t -> d_step { refs--; did("free_extent_buffer", "refs - 1, the tree's") }
	:: else
	fi;
	release_extent_buffer()
#endif
}

#ifdef IF_LOCKLESS
/* No lock: at 2, stale, from 2 to 0, else one less.  Who is dirty or under IO has more. */
inline free_extent_buffer()
{
	got = 1;
	do
	:: !got -> break
	:: else ->
		d_step { CHECK(ALIVE, refs > 0); r = refs; did("free_extent_buffer", "reads refs") }
		t = (r == 2);
		if
		:: t -> d_step { t = stale; did("free_extent_buffer", "reads STALE") }
		:: else
		fi;
		if
		:: t -> d_step { t = tree_ref; did("free_extent_buffer", "reads TREE_REF") }
		:: else
		fi;
		d_step {
			if
			:: refs != r || r == 0
			:: else ->
				got = 0;
				refs = (t -> 0 : refs - 1);
				r = refs;
				if
				:: t -> NOT_CLEARED_WHEN_BUSY(2); tree_ref = 0
				:: else
				fi;
				if
				:: r == 0 -> NOT_FREED_WHEN_BUSY
				:: else
				fi
			fi;
			did("free_extent_buffer", "cmpxchg refs: one less, or 2 to 0")
		}
	od;
	if
	:: r == 0 -> out_of_tree()
	:: else
	fi;
	forget()
}
#else
/* free_extent_buffer() takes refs_lock at this many references and below. */
#ifdef PLANT_PUT_UNLOCKED
#define LOCKED_PUT	1
#else
#define LOCKED_PUT	3
#endif
inline free_extent_buffer()
{
	d_step { CHECK(ALIVE, refs > 0); r = refs; did("free_extent_buffer", "reads refs") }
	do
	:: r <= LOCKED_PUT -> break
	:: else ->
		d_step {
			t = (refs == r);
			refs = (t -> refs - 1 : refs);
			r = (t -> 255 : refs);
			did("free_extent_buffer", "cmpxchg refs, without refs_lock")
		}
		if
		:: t -> break
		:: else
		fi
	od;
	if
	:: r == 255
	:: else -> spin_lock(); put_locked()
	fi;
	forget()
}
#endif

inline free_extent_buffer_stale()
{
#ifdef IF_LOCKLESS
	d_step { stale = 1; did("free_extent_buffer_stale", "sets STALE") }
	free_extent_buffer()
#else
	spin_lock();
	d_step { stale = 1; did("free_extent_buffer_stale", "sets STALE") }
	put_locked();
	forget()
#endif
}

/* What a task no longer needs to know: fewer states. */
inline forget()
{
	d_step { r = 0; t = 0; busy = 0; got = 0; danced = 0 }
}

/* --- lookups --------------------------------------------------------------- */

/* got: it was there, and the caller has a reference now. */
inline find_extent_buffer_nolock()
{
	d_step { got = in_tree; did("find_extent_buffer", "looks into the tree") }
	if
	:: got ->
		d_step {
			got = refs > 0;
			refs = (got -> refs + 1 : 0);
			did("find_extent_buffer", "refs + 1 if it is not 0")
		}
	:: else
	fi
}

inline find_extent_buffer()
{
	find_extent_buffer_nolock();
	if
	:: got ->
#ifndef PLANT_NO_STALE_WAIT
		d_step { t = stale; did("find_extent_buffer", "reads STALE") }
		if
		:: t -> spin_lock(); spin_unlock()
		:: else
		fi;
#endif
#if defined(PLANT_NO_TREE_REF)
		skip
#elif defined(FIX_LOCKED_FIND) && !defined(PLANT_FIND_FAST)
		set_tree_ref()
#else
		check_buffer_tree_ref()
#endif
	:: else
	fi
}

/* --- reclaim --------------------------------------------------------------- */

/* t: nobody but one uses it, and it is neither dirty nor under IO. */
inline test_unused()
{
#ifdef PLANT_REFS_UNTESTED
	t = 1;
#else
	d_step { t = (refs == 1); did("try_release_extent_buffer", "reads refs: 1?") }
#endif
#ifndef PLANT_IO_UNTESTED
	if
	:: t -> extent_buffer_under_io(); t = !busy
	:: else
	fi
#endif
}

inline try_release_extent_buffer()
{
#ifdef PLANT_TEST_BEFORE_LOCK
	test_unused();
	spin_lock();
#else
	spin_lock();
	test_unused();
#endif
#ifdef PLANT_CLEAR_UNLOCKED
	spin_unlock();
#endif
#ifdef FIX_RETEST
	if
	:: t -> test_unused()
	:: else
	fi;
#endif
	if
	:: t ->
#if defined(FIX_FREEZE) || defined(IF_LOCKLESS)
		freeze(1);
		spin_unlock();
		if
		:: t -> out_of_tree()
		:: else
		fi
#elif defined(FIX_RESTORE)
		clear_tree_ref(1);
		if
		:: t ->
			test_unused();
			if
			:: t -> release_extent_buffer()
			:: else ->
				d_step { tree_ref = 1; did("try_release_extent_buffer", "sets TREE_REF again") }
				spin_unlock()
			fi
		:: else -> spin_unlock()
		fi
#else
		clear_tree_ref(1);
		if
		:: t ->
#ifdef PLANT_CLEAR_UNLOCKED
			spin_lock();
#endif
			release_extent_buffer()
		:: else ->
#ifndef PLANT_CLEAR_UNLOCKED
			spin_unlock()
#else
			skip
#endif
		fi
#endif
	:: else ->
#ifndef PLANT_CLEAR_UNLOCKED
		spin_unlock()
#else
		skip
#endif
	fi
}

#ifdef RECLAIM
/* Reclaim, for one page of the buffer, again and again. */
proctype release_folio()
{
	TASK(reclaim);

	do
	:: in_tree ->
		d_step { !page_lock[0] -> page_lock[0] = 1; did("btree_release_folio", "has the page lock") }
#ifndef PLANT_PAGE_UNTESTED
		d_step { t = page_writeback || page_dirty; did("btree_release_folio", "is the page dirty, under writeback?") }
#endif
		if
		:: !t -> try_release_extent_buffer()
		:: else
		fi;
		d_step { page_lock[0] = 0; did("btree_release_folio", "gives the page lock back") }
		forget()
	:: else -> break
	od
}
#endif
