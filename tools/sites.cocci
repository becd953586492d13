// SPDX-License-Identifier: GPL-2.0
// Marks each call that is handed the address of a reference count: eb_site__ is
// put before the function's name when the count is an extent buffer's, and
// other_site__ when it is known to be that of something else.  The type decides,
// not the name of a variable.  tools/sites reads the marks off the diff; a call
// that gets neither stands where Coccinelle could not follow, and is taken for
// an extent buffer's there.  No script rules: they need libpython, which spatch
// has on few machines.
//
// spatch --very-quiet --sp-file sites.cocci FILE...

@@
struct extent_buffer *E;
type T;
T *P;
identifier f !~ "_read$";
fresh identifier eb = "eb_site__" ## f;
fresh identifier other = "other_site__" ## f;
@@
(
- f
+ eb
  (..., &E->refs, ...)
|
- f
+ eb
  (..., &E->refs.refs, ...)
|
- f
+ other
  (..., &P->refs, ...)
|
- f
+ other
  (..., &P->refs.refs, ...)
)
