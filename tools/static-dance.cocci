// SPDX-License-Identifier: GPL-2.0
/// IO state of an extent buffer is armed and IO is started, and on some way from the one
/// to the other check_buffer_tree_ref() is not called: "you set io_pages, you do the
/// tree_ref dance".
///
/// submit_write_bio() and flush_write_bio() start nothing here: they send what others
/// have gathered.  A function that arms, dances or starts IO for its caller is followed,
/// one level deep and within a file.
//
// Confidence: High
// Options: --no-includes

// Functions that dance on all ways.
@dancer forall@
identifier f, e;
@@
 f(..., struct extent_buffer *e, ...)
 {
 ... when strict
 check_buffer_tree_ref(e);
 ... when any
     when strict
 }

@@
identifier dancer.f;
fresh identifier m = "eb_dances__" ## f;
@@
- f
+ m
  (...)

// Those that arm, and may return without the dance.
@armer exists@
identifier f, e;
identifier D =~ "^eb_dances__";
@@
 f(..., struct extent_buffer *e, ...)
 {
 ... when any
(
 atomic_set(&e->io_pages, ...)
|
 \(set_bit\|__set_bit\|test_and_set_bit\|__test_and_set_bit\)(\(EXTENT_BUFFER_READING\|EXTENT_BUFFER_WRITEBACK\), &e->bflags)
)
 ... when != check_buffer_tree_ref(e)
     when != D(..., e, ...)
     when any
 }

@@
identifier armer.f;
fresh identifier m = "eb_arms__" ## f;
@@
- f
+ m
  (...)

// Those that may start IO without a dance of their own before.
@starter exists@
identifier f, e;
identifier D =~ "^eb_dances__";
@@
 f(..., struct extent_buffer *e, ...)
 {
 ... when != check_buffer_tree_ref(e)
     when != D(..., e, ...)
 \(submit_extent_page\|submit_one_bio\|btrfs_submit_bbio\|btrfs_submit_bio\|submit_bio\|submit_bio_noacct\)(...)
 ... when any
 }

@@
identifier starter.f;
fresh identifier m = "eb_starts__" ## f;
@@
- f
+ m
  (...)

@undanced exists@
expression E;
identifier A =~ "^eb_arms__";
identifier D =~ "^eb_dances__";
identifier S =~ "^eb_starts__";
position p;
@@
(
 atomic_set(&E->io_pages, ...)
|
 \(set_bit\|__set_bit\|test_and_set_bit\|__test_and_set_bit\)(\(EXTENT_BUFFER_READING\|EXTENT_BUFFER_WRITEBACK\), &E->bflags)
|
 A(..., E, ...)
)
 ... when != check_buffer_tree_ref(E)
     when != D(..., E, ...)
(
 S@p(..., E, ...)
|
 \(submit_extent_page@p\|submit_one_bio@p\|btrfs_submit_bbio@p\|btrfs_submit_bio@p\|submit_bio@p\|submit_bio_noacct@p\)(...)
)

@@
position undanced.p;
identifier f;
fresh identifier m = "eb_found__" ## f;
@@
- f@p
+ m
  (...)
