// SPDX-License-Identifier: GPL-2.0
/// The reference count of an extent buffer, its bit TREE_REF or its word of bits is used by
/// itself, and not only read.  The type decides, not the name of a variable.
//
// Confidence: High

@@
struct extent_buffer *E;
@@
(
 \(atomic_read\|refcount_read\)(\(&E->refs\|&E->refs.refs\))
|
- E->refs
+ E->eb_found__refs
)

@@
@@
(
 test_bit(EXTENT_BUFFER_TREE_REF, ...)
|
- EXTENT_BUFFER_TREE_REF
+ eb_found__TREE_REF
)

@@
struct extent_buffer *E;
expression X;
@@
(
- E->bflags
+ E->eb_found__bflags
  = X
|
- E->bflags
+ E->eb_found__bflags
  |= X
|
- E->bflags
+ E->eb_found__bflags
  &= X
)
