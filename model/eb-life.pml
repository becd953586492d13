/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of eb.pml that is about the beginning and the end: stale buffers, new ones,
 * unmount; and the start of all tasks of a scenario.
 */

/* --- stale buffers and new ones -------------------------------------------- */

#ifdef HOLDERS
/* Each of these holds a reference from the start. */
proctype put_as_stale()
{
	TASK(stale_putter);

	free_extent_buffer_stale()
}
#endif

#ifdef HOLDERS
proctype put_once()
{
	TASK(putter);

	free_extent_buffer()
}
#endif

/* The block is allocated anew: btrfs_init_new_buffer(). */
inline btrfs_init_new_buffer()
{
	btrfs_tree_lock();
	d_step { stale = 0; did("btrfs_init_new_buffer", "clears STALE") }
	set_extent_buffer_dirty();
	btrfs_tree_unlock();
	free_extent_buffer()
}

#ifdef REUSER
proctype find_and_reuse()
{
	TASK(reuser);

	find_extent_buffer();
	if
	:: got -> btrfs_init_new_buffer()
	:: else
	fi
}
#endif

#ifdef CREATOR
/* alloc_extent_buffer() of a block of which there is no buffer, which is given up later. */
proctype allocate()
{
	TASK(creator);

	d_step { !page_lock[0] -> page_lock[0] = 1; did("alloc_extent_buffer", "locks the page") }
	d_step { refs = 1; in_tree = 1; did("alloc_extent_buffer", "into the tree") }
	check_buffer_tree_ref();
	d_step { page_lock[0] = 0; did("alloc_extent_buffer", "unlocks the page") }
	free_extent_buffer_stale()
}
#endif

#ifdef CREATOR
/* It looks, finds none, makes one of its own, and meets the other's on its way. */
proctype allocate_too_late()
{
	TASK(loser);

	d_step { !page_lock[0] -> page_lock[0] = 1; did("alloc_extent_buffer", "locks the page") }
	find_extent_buffer_nolock();
	d_step { page_lock[0] = 0; did("alloc_extent_buffer", "unlocks the page") }
	if
	:: got ->
#ifdef IO_PAGES
		/* mark_extent_buffer_accessed() */
		check_buffer_tree_ref();
#endif
		btrfs_init_new_buffer()
	:: else
	fi
}
#endif

/* --- unmount --------------------------------------------------------------- */

#ifdef UNMOUNTER
proctype close_ctree()
{
	TASK(unmount);

	/* Tasks that hold a reference are gone; reads that they started may not be. */
	gone;
#if defined(PAGE_LOCK) && !defined(PLANT_NO_WAIT)
	/* invalidate_inode_pages2() */
	d_step { !page_lock[0] -> did("invalidate_inode_pages2", "waits for page 0") }
	d_step { !page_lock[1] -> did("invalidate_inode_pages2", "waits for page 1") }
#endif
#if defined(EXTENT_LOCK) && !defined(PLANT_NO_WAIT)
	d_step { !extent_lock -> did("btree_invalidate_folio", "waits for the extent") }
#endif
#ifdef UNMOUNT_WAITS
	find_extent_buffer_nolock();
	if
	:: got ->
		d_step { t = reading; did("invalidate_and_check_btree_folios", "reads READING") }
		if
		:: t -> !reading
		:: else
		fi;
		spin_lock();
		d_step { r = refs; did("invalidate_and_check_btree_folios", "reads refs") }
		spin_unlock();
		d_step { CHECK(UNMOUNT, r <= 2 && !UNDER_READ); did("invalidate_and_check_btree_folios", "more than 2, or under IO?") }
		free_extent_buffer()
	:: else
	fi
#else
	d_step { CHECK(UNMOUNT, refs <= 1 && !UNDER_READ); did("close_ctree", "frees the file system") }
#endif
}
#endif

/* --- all of them ----------------------------------------------------------- */

init
{
	atomic {
#ifdef ONLY
		ONLY = 0;
#endif
#ifdef UPTODATE
		uptodate = 1;
#endif
#ifdef IS_DIRTY
		dirty = 1;
		page_dirty = 1;
#endif
#ifdef HOLDERS
		refs = 1 + HOLDERS;
		run put_as_stale();
		run put_once();
#endif
#ifdef REUSER
		run find_and_reuse();
#endif
#ifdef CREATOR
		refs = 0;
		tree_ref = 0;
		in_tree = 0;
		run allocate();
		run allocate_too_late();
#endif
#ifdef PLANT_NO_TREE_REF
		tree_ref = 0;
#endif
#ifdef RECLAIM
		run release_folio();
#endif
#ifdef READAHEAD
		run readahead_tree_block();
		run end_read();
#endif
#ifdef READER
		run read_tree_block();
#endif
#ifdef DIRTIER
		run find_and_dirty();
#endif
#ifdef FINDER
		run find_and_put();
#endif
#ifdef WRITER
		run write_back();
		run end_write();
#endif
#ifdef UNMOUNTER
		run close_ctree();
#endif
		skip
	}
}
