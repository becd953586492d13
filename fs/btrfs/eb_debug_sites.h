/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many places of this btrfs change the reference count of an extent buffer
 * without a hook that tells the guard.
 *
 * tools/apply looks for them in the tree that the guard is put into, and writes
 * the number here: 0 when all have their hook, -1 when nobody looked.  Unless it
 * is 0 the guard can't know who owns which reference, so the rules that need
 * complete counts rest in this build; those about history and IO go on.
 */

#ifndef BTRFS_EB_DEBUG_SITES_H
#define BTRFS_EB_DEBUG_SITES_H

#define EB_DEBUG_UNHOOKED_SITES 0

#endif
