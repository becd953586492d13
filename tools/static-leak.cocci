// SPDX-License-Identifier: GPL-2.0
/// A reference to an extent buffer is in a local variable, and on some way the function
/// returns, or overwrites the variable, and has neither given it back, nor handed it out,
/// nor stored it.
///
/// F has functions that return a reference, P those that take one over.  What P takes for
/// granted of btrfs_drop_subtree() and others is looked at as well.  Whatever is copied
/// counts as stored, so this misses much; a way that a second variable rules out is
/// found all the same.
//
// Confidence: Moderate
// Options: --no-includes

@lost exists@
local idexpression struct extent_buffer *E;
identifier F =~ "^((btrfs_)?find_create_tree_block|find_extent_buffer(_nolock)?|find_get_eb|read_tree_block|alloc_extent_buffer|(__)?alloc_dummy_extent_buffer|__alloc_extent_buffer|alloc_test_extent_buffer|btrfs_clone_extent_buffer|btrfs_root_node|btrfs_(try_)?(read_)?lock_root_node|btrfs_alloc_tree_block|btrfs_init_new_buffer|(btrfs_)?read_node_slot|(btrfs_)?get_old_root|(btrfs_)?tree_mod_log_rewind)$";
identifier P =~ "^(free_extent_buffer(_stale|_clear_reading)?|btrfs_release_extent_buffer|btrfs_drop_subtree|__push_leaf_(left|right)|eb_batch_add)$";
expression X;
position p;
@@
(
 E = F(...)
|
 \(atomic_inc\|refcount_inc\|extent_buffer_get\)(\(&E->refs\|E\))
)
 ... when != P(..., E, ...)
     when != kmem_cache_free(..., E)
     when != \(atomic_dec\|atomic_dec_and_test\|refcount_dec\)(&E->refs)
     when != true \(IS_ERR(E)\|unlikely(IS_ERR(E))\|WARN_ON(IS_ERR(E))\|IS_ERR_OR_NULL(E)\)
     when != false !IS_ERR(E)
     when != true \(!E\|WARN_ON(!E)\|unlikely(!E)\)
     when != false \(E\|1\)
     when != X = E
     when != \(rcu_assign_pointer\|WRITE_ONCE\)(..., E)
     when != E = X
(
 return \(E\|PTR_ERR(E)\);
|
 return P(..., E, ...);
|
 return@p ...;
)

@@
local idexpression struct extent_buffer *lost.E;
position lost.p;
@@
++ eb_found__(E);
  return@p ...;

// The same of one that comes by a pointer.
@by_pointer exists@
local idexpression struct extent_buffer *E;
idexpression int R;
identifier P =~ "^(free_extent_buffer(_stale|_clear_reading)?|btrfs_release_extent_buffer|btrfs_drop_subtree|__push_leaf_(left|right)|eb_batch_add)$";
expression X;
position p;
@@
 R = \(read_block_for_search\|btrfs_copy_root\)(..., &E, ...)
 ... when != P(..., E, ...)
     when != kmem_cache_free(..., E)
     when != \(atomic_dec\|atomic_dec_and_test\|refcount_dec\)(&E->refs)
     when != true \(IS_ERR(E)\|unlikely(IS_ERR(E))\|WARN_ON(IS_ERR(E))\|IS_ERR_OR_NULL(E)\)
     when != false !IS_ERR(E)
     when != true \(!E\|WARN_ON(!E)\|unlikely(!E)\)
     when != false \(E\|1\)
     when != X = E
     when != \(rcu_assign_pointer\|WRITE_ONCE\)(..., E)
     when != true \(R\|unlikely(R)\|R < 0\|R != 0\|R == -EAGAIN\)
     when != E = X
(
 return \(E\|PTR_ERR(E)\);
|
 return P(..., E, ...);
|
 return@p ...;
)

@@
local idexpression struct extent_buffer *by_pointer.E;
position by_pointer.p;
@@
++ eb_found__(E);
  return@p ...;

// The same of a parameter that its function takes over.
@taken exists@
identifier f =~ "^(btrfs_drop_subtree|__push_leaf_(left|right)|eb_batch_add)$";
identifier P =~ "^(free_extent_buffer(_stale|_clear_reading)?|btrfs_release_extent_buffer|btrfs_drop_subtree|__push_leaf_(left|right)|eb_batch_add)$";
identifier E =~ "^(node|left|right|eb)$";
expression X;
position p;
@@
 f(..., struct extent_buffer *E, ...)
 {
 ... when != P(..., E, ...)
     when != X = E
 return@p ...;
 }

@@
identifier taken.E;
position taken.p;
@@
++ eb_found__(E);
  return@p ...;

@overwritten exists@
local idexpression struct extent_buffer *E;
identifier F =~ "^((btrfs_)?find_create_tree_block|find_extent_buffer(_nolock)?|find_get_eb|read_tree_block|alloc_extent_buffer|(__)?alloc_dummy_extent_buffer|__alloc_extent_buffer|alloc_test_extent_buffer|btrfs_clone_extent_buffer|btrfs_root_node|btrfs_(try_)?(read_)?lock_root_node|btrfs_alloc_tree_block|btrfs_init_new_buffer|(btrfs_)?read_node_slot|(btrfs_)?get_old_root|(btrfs_)?tree_mod_log_rewind)$";
identifier P =~ "^(free_extent_buffer(_stale|_clear_reading)?|btrfs_release_extent_buffer|btrfs_drop_subtree|__push_leaf_(left|right)|eb_batch_add)$";
expression X, Y;
position p;
@@
 E = F(...)
 ... when != P(..., E, ...)
     when != kmem_cache_free(..., E)
     when != \(atomic_dec\|atomic_dec_and_test\|refcount_dec\)(&E->refs)
     when != true \(IS_ERR(E)\|unlikely(IS_ERR(E))\|WARN_ON(IS_ERR(E))\|IS_ERR_OR_NULL(E)\)
     when != false !IS_ERR(E)
     when != true \(!E\|WARN_ON(!E)\|unlikely(!E)\)
     when != false \(E\|1\)
     when != X = E
     when != \(rcu_assign_pointer\|WRITE_ONCE\)(..., E)
 E =@p Y

@@
local idexpression struct extent_buffer *overwritten.E;
expression Y;
position overwritten.p;
@@
- E =@p Y
+ E = eb_found__over(E, Y)
