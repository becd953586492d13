/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of eb.pml that is about IO: reads, dirtying and writes, as each kernel has them.
 */

/* --- reads ----------------------------------------------------------------- */

#ifdef PAGE_LOCK
#define ALL_UPTODATE	(page_uptodate[0] && page_uptodate[1])
#else
#define ALL_UPTODATE	page_uptodate[0]
#endif
/* The pages to read, as bits: the first is there already if a read failed at the second. */
#define TO_READ		(PAGES == 1 || page_uptodate[0] -> PAGES : ALL_PAGES)
#define ALL_PAGES	(2 * PAGES - 1)
#define COUNT(pages)	(pages == 3 -> 2 : 1)

/* got: it is ours to read, pages or extent are locked. */
inline lock_for_read(wait)
{
#ifdef PAGE_LOCK
	if
	:: d_step { !page_lock[0] -> page_lock[0] = 1; got = 1; did("read_extent_buffer_pages", "locks page 0") }
	:: d_step { !wait && page_lock[0] -> got = 0; did("read_extent_buffer_pages", "trylock of page 0 fails") }
	fi;
	if
	:: !got
	:: else ->
		if
		:: d_step { !page_lock[1] -> page_lock[1] = 1; did("read_extent_buffer_pages", "locks page 1") }
		:: d_step { !wait && page_lock[1] -> got = 0; page_lock[0] = 0; did("read_extent_buffer_pages", "trylock of page 1 fails") }
		fi
	fi
#else
	if
	:: d_step { !extent_lock -> extent_lock = 1; got = 1; did("read_extent_buffer_subpage", "locks the extent") }
	:: d_step { !wait && extent_lock -> got = 0; did("read_extent_buffer_subpage", "try_lock_extent fails") }
	fi
#endif
}

inline unlock_read_page(page)
{
#ifdef PAGE_LOCK
	page_lock[page] = 0
#else
	extent_lock = 0
#endif
}

inline submit_read(pages)
{
	d_step {
		CHECK(ALIVE, refs > 0);
		CHECK(S1_READ, tree_ref);
		CHECK(S4, danced);
		read_bio = pages;
		did("submit_bio", "the read goes out")
	}
}

#ifdef IO_PAGES
inline read_extent_buffer_pages(wait)
{
	d_step { t = uptodate; did("read_extent_buffer_pages", "reads UPTODATE") }
	if
	:: t -> got = 0
	:: else -> lock_for_read(wait)
	fi;
	if
	:: got ->
#ifdef PLANT_NO_RECHECK
		if
		:: false
#else
		if
		:: ALL_UPTODATE ->
			d_step {
				uptodate = 1;
				unlock_read_page(0);
				unlock_read_page(PAGES - 1);
				did("read_extent_buffer_pages", "all pages are uptodate, unlocks them")
			}
#endif
		:: else ->
			d_step {
				CHECK(RECHECK, !uptodate);
				pages = (ALL_UPTODATE -> ALL_PAGES : TO_READ);
				io_pages = COUNT(pages);
				did("read_extent_buffer_pages", "sets io_pages")
			}
			dance_for_io();
#ifdef PAGE_LOCK
			if
			:: pages == 2 -> d_step { unlock_read_page(0); did("read_extent_buffer_pages", "page 0 is uptodate, unlocks it") }
			:: else
			fi;
#endif
			submit_read(pages);
			pages = 0
		fi
	:: else
	fi;
	/* wait_on_page_locked() */
	if
	:: wait ->
#ifdef PAGE_LOCK
		!page_lock[0];
		!page_lock[1]
#else
		!extent_lock
#endif
	:: else
	fi
}

/*
 * The end of one page of a read: btrfs_validate_metadata_buffer(), then what is left to do
 * in end_bio_extent_readpage().  A read whose last page has ended may fail its checks.
 */
inline end_read_page(page)
{
#ifdef EXTENT_LOCK
	find_extent_buffer();
	CHECK(ALIVE, got);
	got;
#else
	d_step { CHECK(ALIVE, refs > 0); refs++; did("btrfs_validate_metadata_buffer", "refs + 1") }
#endif
	d_step {
		CHECK(END_READ, tree_ref);
		io_pages--;
		t = (io_pages == 0);
		did("btrfs_validate_metadata_buffer", "io_pages - 1")
	}
	if
	:: !t -> good = 1
	:: t -> d_step { good = 1; uptodate = 1; did("btrfs_validate_metadata_buffer", "sets UPTODATE") }
#ifdef BAD
	:: t ->
		d_step { good = 0; io_pages++; did("btrfs_validate_metadata_buffer", "it is bad: io_pages + 1") }
		d_step { uptodate = 0; did("btrfs_validate_metadata_buffer", "clears UPTODATE") }
#endif
	fi;
	free_extent_buffer();
	if
	:: !good ->
		d_step {
			CHECK(ALIVE, refs > 0);
			io_pages--;
			did("end_bio_extent_readpage", "io_pages - 1")
		}
	:: else
	fi;
	d_step {
		page_uptodate[page] = good;
		unlock_read_page(page);
		did("end_page_read", "unlocks the page")
	}
	good = 0
}

#ifdef READAHEAD
proctype end_read()
{
	TASK(read_end);
	byte bio;
	bit good;

end:	do
	:: d_step { read_bio != 0 -> bio = read_bio; read_bio = 0 }
		if
		:: bio & 1 -> end_read_page(0)
		:: else
		fi;
#ifdef PAGE_LOCK
		if
		:: bio & 2 -> end_read_page(1)
		:: else
		fi;
#endif
		bio = 0
	od
}
#endif
#endif

#ifdef IO_REF
/* read_extent_buffer_pages_nowait(), and the wait */
inline read_extent_buffer_pages(wait)
{
	d_step { t = uptodate; did("read_extent_buffer_pages_nowait", "reads UPTODATE") }
	if
	:: t -> got = 0
	:: else ->
		d_step {
			got = !reading;
			reading = 1;
			did("read_extent_buffer_pages_nowait", "test_and_set_bit READING")
		}
	fi;
#ifndef PLANT_NO_RECHECK
	if
	:: got ->
		d_step { t = uptodate; did("read_extent_buffer_pages_nowait", "reads UPTODATE again") }
		if
		:: t -> d_step { got = 0; reading = 0; did("read_extent_buffer_pages_nowait", "clears READING") }
		:: else
		fi
	:: else
	fi;
#endif
	if
	:: got ->
		dance_for_io();
#ifndef PLANT_NO_IO_REF
		d_step { CHECK(ALIVE, refs > 0); refs++; did("read_extent_buffer_pages_nowait", "refs + 1, the IO's") }
#endif
		submit_read(1)
	:: else
	fi;
	/* wait_on_bit_io() */
	if
	:: wait -> !reading
	:: else
	fi
}

#ifdef READAHEAD
proctype end_read()
{
	TASK(read_end);

end:	do
	:: d_step { read_bio != 0 -> read_bio = 0 }
		d_step {
			CHECK(ALIVE, refs > 0);
			CHECK(RECHECK, !uptodate);
			CHECK(END_READ, tree_ref);
			did("end_bbio_meta_read", "reads UPTODATE")
		}
		if
		:: d_step { uptodate = 1; did("end_bbio_meta_read", "sets UPTODATE") }
#ifdef BAD
		:: d_step { uptodate = 0; did("end_bbio_meta_read", "it is bad: clears UPTODATE") }
#endif
		fi;
#if defined(END_IN_ONE) && !defined(PLANT_END_IN_TWO)
		/* At most three references, or the last cmpxchg is as good as this. */
		spin_lock();
		d_step { reading = 0; did("end_bbio_meta_read", "clears READING") }
		put_locked();
		forget()
#elif defined(PLANT_NO_IO_REF)
		d_step { reading = 0; did("end_bbio_meta_read", "clears READING") }
#else
		d_step { reading = 0; did("end_bbio_meta_read", "clears READING") }
		free_extent_buffer()
#endif
	od
}
#endif
#endif

#ifdef READER
/* read_tree_block() */
proctype read_tree_block()
{
	TASK(reader);

	do
	:: find_extent_buffer();
		if
		:: got ->
			read_extent_buffer_pages(1);
			free_extent_buffer()
		:: else -> break
		fi
	od
}
#endif

#ifdef READAHEAD
/* btrfs_readahead_tree_block(): does not wait for the read. */
proctype readahead_tree_block()
{
	TASK(readahead);

	do
	:: find_extent_buffer();
		if
		:: got ->
			read_extent_buffer_pages(0);
			free_extent_buffer()
		:: else -> break
		fi
#ifdef UNMOUNTED
		;
		gone = 1;
		break
#endif
	od
}
#endif

/* --- dirtying and writes --------------------------------------------------- */

inline btrfs_tree_lock()
{
	d_step { !tree_lock -> tree_lock = 1; did("btrfs_tree_lock", "") }
}

inline btrfs_tree_unlock()
{
	d_step { tree_lock = 0; did("btrfs_tree_unlock", "") }
}

/* With the tree lock. */
inline set_extent_buffer_dirty()
{
	dance_for_dirty();
	d_step {
		CHECK(ALIVE, refs > 0);
		t = dirty;
		dirty = 1;
		did("set_extent_buffer_dirty", "test_and_set_bit DIRTY")
	}
	d_step { CHECK(MARKED, tree_ref); did("set_extent_buffer_dirty", "WARN_ON !TREE_REF") }
	if
	:: !t ->
#if defined(IF_DIRTY_REF) && !defined(PLANT_DIRTY_UNCOUNTED)
		d_step { refs++; did("set_extent_buffer_dirty", "refs + 1, that of DIRTY") }
#endif
#ifdef PAGE_LOCK
		d_step { page_dirty = 1; did("set_page_dirty", "") }
#else
		/* Locked if the page has other buffers. */
		if
		:: SUBPAGE -> d_step { !page_lock[0] -> page_dirty = 1; did("set_page_dirty", "with the page lock") }
		:: else -> d_step { page_dirty = 1; did("set_page_dirty", "") }
		fi
#endif
	:: else
	fi
}

#ifdef FINDER
proctype find_and_put()
{
	TASK(finder);

	do
	:: find_extent_buffer();
		if
		:: got -> free_extent_buffer()
		:: else -> break
		fi
	od
}
#endif

#ifdef DIRTIER
proctype find_and_dirty()
{
	TASK(dirtier);

	do
	:: find_extent_buffer();
		if
		:: got ->
			btrfs_tree_lock();
			set_extent_buffer_dirty();
			btrfs_tree_unlock();
			free_extent_buffer()
		:: else -> break
		fi
	od
}
#endif

#ifdef WRITER
/* A task of writeback: lock_extent_buffer_for_io(), write_one_eb(). */
proctype write_back()
{
	TASK(writer);

	do
	:: in_tree && dirty ->
		/* It found the buffer by its page or by its mark. */
		find_extent_buffer_nolock();
		if
		:: got -> skip
		:: else -> break
		fi;
		btrfs_tree_lock();
		d_step { t = writeback; did("lock_extent_buffer_for_io", "reads WRITEBACK") }
		if
		:: t -> btrfs_tree_unlock(); t = 0
		:: else ->
			spin_lock();
			d_step { t = dirty; dirty = 0; did("lock_extent_buffer_for_io", "test_and_clear_bit DIRTY") }
			if
			:: t ->
				d_step {
					CHECK(S3, tree_ref && refs >= 2);
					writeback = 1;
					did("lock_extent_buffer_for_io", "sets WRITEBACK")
				}
			:: else
			fi;
			spin_unlock();
#if defined(IF_WRITE_REF) && !defined(PLANT_WRITE_UNCOUNTED)
			if
			:: t -> d_step { refs++; did("lock_extent_buffer_for_io", "refs + 1, the IO's") }
			:: else
			fi;
#endif
			btrfs_tree_unlock()
		fi;
		busy = t;
#ifdef WRITE_UNDO
		if
		:: busy -> skip
		:: busy ->
			/* flush_write_bio() failed */
			btrfs_tree_lock();
			spin_lock();
			d_step { dirty = 1; did("lock_extent_buffer_for_io", "the flush failed: sets DIRTY") }
			d_step { writeback = 0; did("lock_extent_buffer_for_io", "clears WRITEBACK") }
			spin_unlock();
			btrfs_tree_unlock();
			busy = 0
		:: else
		fi;
#endif
		if
		:: busy ->
#ifdef PAGE_LOCK
			d_step { !page_lock[0] -> page_lock[0] = 1; did("lock_extent_buffer_for_io", "locks page 0") }
			d_step { !page_lock[1] -> page_lock[1] = 1; did("lock_extent_buffer_for_io", "locks page 1") }
#endif
#ifdef IO_PAGES
			d_step { io_pages = PAGES; did("write_one_eb", "sets io_pages") }
#endif
#ifdef FIX_WRITE_DANCE
			set_tree_ref();
#endif
#ifdef PAGE_LOCK
			d_step { page_dirty = 0; page_writeback = 1; did("write_one_eb", "set_page_writeback") }
#else
			d_step { !page_lock[0] -> page_dirty = 0; page_writeback = 1; did("write_one_eb", "set_page_writeback, with the page lock") }
#endif
			d_step {
				CHECK(ALIVE, refs > 0);
				CHECK(S1_WRITE, tree_ref);
				write_bio = PAGES;
				did("submit_bio", "the write goes out")
			}
#ifdef PAGE_LOCK
			d_step { page_lock[0] = 0; page_lock[1] = 0; did("write_one_eb", "unlocks the pages") }
#endif
		:: else
		fi;
		free_extent_buffer()
	:: !in_tree -> break
	od
}
#endif

#ifdef WRITER
proctype end_write()
{
	TASK(write_end);

end:	do
	:: d_step { write_bio != 0 -> write_bio-- }
#ifdef BARE_PUT
		d_step { CHECK(ALIVE, refs > 0); refs++; did("end_bio_subpage_eb_writepage", "find_extent_buffer_nolock: refs + 1") }
#endif
		d_step { CHECK(END_WRITE, tree_ref); CHECK(ALIVE, refs > 0); did("end_bio_extent_buffer_writepage", "") }
#ifdef PLANT_WRITEBACK_EARLY
		d_step { CHECK(R3, io_pages == 0); writeback = 0; did("end_extent_buffer_writeback", "clears WRITEBACK") }
#endif
#ifdef IO_PAGES
		d_step { io_pages--; t = (io_pages == 0); did("end_bio_extent_buffer_writepage", "io_pages - 1") }
#else
		t = 1;
#endif
		d_step { page_writeback = 0; did("end_page_writeback", "") }
#ifndef PLANT_WRITEBACK_EARLY
		if
		:: t -> d_step { CHECK(R3, io_pages == 0); writeback = 0; did("end_extent_buffer_writeback", "clears WRITEBACK") }
		:: else
		fi;
#endif
#ifdef BARE_PUT
		d_step { CHECK(ALIVE, refs > 1); refs--; did("end_bio_subpage_eb_writepage", "refs - 1, without refs_lock") }
#endif
#if defined(IF_WRITE_REF) || defined(IF_DIRTY_REF)
		if
		:: t -> free_extent_buffer()
		:: else
		fi
#else
		forget()
#endif
	od
}
#endif
