// SPDX-License-Identifier: GPL-2.0
/*
 * The core of the extent buffer guard: what do we know of a buffer, and is what
 * just happened to it allowed?
 *
 * Everything here depends on the buffer's record and on one look at the buffer
 * that the caller took.  Nothing here prints, locks, allocates, counts, or
 * touches the buffer.
 *
 * The rule that all this is for, by Chris Mason in the review of "btrfs: fix
 * fatal extent_buffer readahead vs releasepage race", 5.8: "You set io_pages,
 * you do the tree_ref dance."  check_buffer_tree_ref() repairs a lost TREE_REF
 * after the IO state was set, so the state between the two is legal and is not
 * judged; what is judged is that the IO goes out after them.
 */

#include <linux/kernel.h>
#include "eb_debug_internal.h"

static_assert(EB_RULE_COUNT <= 64);
static_assert(EB_COUNT_COUNT <= 32);

/* Judge @rule: it is kept if @ok.  The first broken one is what is reported. */
static void judge(struct eb_judgement *verdict, enum eb_rule rule, bool ok)
{
	verdict->judged |= BIT_ULL(rule);
	if (ok)
		return;
	verdict->all_broken |= BIT_ULL(rule);
	if (verdict->broken == EB_RULE_NONE)
		verdict->broken = rule;
}

static void counts(struct eb_judgement *verdict, enum eb_count count)
{
	verdict->counts |= BIT(count);
}

/* A rule could not be judged, since its beginning was not seen. */
static void unknown(struct eb_judgement *verdict)
{
	counts(verdict, EB_COUNT_UNKNOWN);
}

static bool under_io(const struct eb_look *look)
{
	return look->io_pages || look->flags & EB_FLAG_WRITEBACK;
}

static bool is_read(enum eb_debug_site site)
{
	return site == EB_SITE_READ || site == EB_SITE_READ_SUBPAGE;
}

/* The IO that this is about has a reference of its own, and needs no TREE_REF. */
static bool holds_itself(const struct eb_look *look)
{
	return look->read_holds &&
	       (is_read(look->site) || look->site == EB_SITE_READ_END);
}

/* Did this task, since the guard is on, arm the IO that it now submits? */
static bool armed_by_us(const struct btrfs_eb_debug *rec,
			const struct eb_look *look)
{
	return look->task && READ_ONCE(rec->io_task) == look->task &&
	       rec->io_epoch == look->epoch;
}

/* Has this task, since the guard is on, turned DIRTY into WRITEBACK and not armed the IO? */
static bool owed_by_us(const struct btrfs_eb_debug *rec,
		       const struct eb_look *look)
{
	return look->task && READ_ONCE(rec->wb_task) == look->task &&
	       rec->wb_epoch == look->epoch;
}

static bool in_our_section(const struct btrfs_eb_debug *rec,
			   const struct eb_look *look)
{
	return look->task && READ_ONCE(rec->section_task) == look->task &&
	       rec->section_epoch == look->epoch;
}

/* This task is about to set IO state. */
static void io_start(struct btrfs_eb_debug *rec, const struct eb_look *look,
		     struct eb_judgement *verdict)
{
	verdict->quiet = true;
	WRITE_ONCE(rec->io_task, look->task);
	rec->io_epoch = look->epoch;
	/* The task first, then the IO state; pairs with io_sent(). */
	smp_wmb();
}

/*
 * This task has taken READING.  Somebody else may have read the buffer since it was
 * last found not UPTODATE, so that this must be looked at once more.
 */
static void reading(struct btrfs_eb_debug *rec, const struct eb_look *look,
		    struct eb_judgement *verdict)
{
	io_start(rec, look, verdict);
	rec->reading_recheck = true;
	rec->reading_tested = false;
	rec->reading_io = false;
}

/*
 * READING is about to be cleared.  If no IO went out that is free of rules.  Else
 * whoever waits for the read must not see that it is over and that it still has its
 * reference: both end in one section under refs_lock.
 */
static void reading_clear(struct btrfs_eb_debug *rec, const struct eb_look *look,
			  struct eb_judgement *verdict)
{
	verdict->quiet = true;
	cmpxchg(&rec->io_task, look->task, NULL);
	if (!rec->reading_io || rec->io_epoch != look->epoch)
		return;
	rec->reading_io = false;
	judge(verdict, EB_RULE_READING_CLEARED_ALONE,
	      look->locked && in_our_section(rec, look));
}

static void read_put(const struct eb_look *look, struct eb_judgement *verdict)
{
	verdict->quiet = true;
	judge(verdict, EB_RULE_READING_CLEARED_ALONE, look->locked);
}

/*
 * IO state was set.  A read that starts on a buffer whose content is valid, or
 * newer than the disk, overwrites it; the caller's own tests of these flags came
 * before it took the page locks.
 */
static void io_arm(struct btrfs_eb_debug *rec, const struct eb_look *look,
		   struct eb_judgement *verdict)
{
	bool recheck = rec->reading_recheck && armed_by_us(rec, look);

	WRITE_ONCE(rec->io_task, look->task);
	rec->io_epoch = look->epoch;
	rec->armed_at = look->ip;
	rec->submitted_at = 0;
	rec->io_submitted = 0;
	rec->io_danced = false;
	rec->io_must_dance = is_read(look->site);
	rec->io_failed_fs = look->fs_error;

	if (is_read(look->site)) {
		counts(verdict, EB_COUNT_READS);
		rec->reading_io = true;
		if (recheck)
			judge(verdict, EB_RULE_READ_WITHOUT_RECHECK,
			      rec->reading_tested);
		judge(verdict, EB_RULE_READ_AFTER_WRITE_ERROR,
		      !(look->flags & EB_FLAG_WRITE_ERR));
		judge(verdict, EB_RULE_READ_OF_UPTODATE,
		      !(look->flags & (EB_FLAG_UPTODATE | EB_FLAG_DIRTY |
				       EB_FLAG_WRITEBACK)));
		return;
	}
	counts(verdict, EB_COUNT_WRITES);
	judge(verdict, EB_RULE_WRITE_WITHOUT_WRITEBACK,
	      look->flags & EB_FLAG_WRITEBACK);
	if (owed_by_us(rec, look))
		judge(verdict, EB_RULE_WRITEBACK_WITHOUT_IO, true);
	WRITE_ONCE(rec->wb_task, NULL);
}

/* This write must dance as a read must; the hook comes with the dance. */
static void must_dance(struct btrfs_eb_debug *rec, struct eb_judgement *verdict)
{
	verdict->quiet = true;
	rec->io_must_dance = true;
}

/* The dance counts for the IO that this very task has armed, for no other. */
static void io_dance(struct btrfs_eb_debug *rec, const struct eb_look *look,
		     struct eb_judgement *verdict)
{
	if (armed_by_us(rec, look))
		rec->io_danced = true;
	else
		verdict->quiet = true;
}

static void io_submit(struct btrfs_eb_debug *rec, const struct eb_look *look,
		      struct eb_judgement *verdict)
{
	rec->submitted_at = look->ip;
	if (!armed_by_us(rec, look))
		unknown(verdict);
	else if (rec->io_must_dance)
		judge(verdict, EB_RULE_IO_WITHOUT_DANCE, rec->io_danced);
	if (!holds_itself(look))
		judge(verdict, EB_RULE_IO_WITHOUT_TREE_REF,
		      look->flags & EB_FLAG_TREE_REF);
	if (look->site == EB_SITE_WRITE && !look->write_tests)
		judge(verdict, EB_RULE_WRITE_ON_FAILED_FS, !look->fs_error);
}

/*
 * The bio of a write goes to the disk.  The error of a file system is never taken
 * back: one that was there when the write was armed was there for its test as well.
 */
static void write_out(const struct btrfs_eb_debug *rec,
		      const struct eb_look *look, struct eb_judgement *verdict)
{
	verdict->quiet = true;
	if (rec->io_epoch == look->epoch)
		judge(verdict, EB_RULE_WRITE_ON_FAILED_FS, !rec->io_failed_fs);
	else
		unknown(verdict);
}

static void io_page(struct btrfs_eb_debug *rec, const struct eb_look *look,
		    struct eb_judgement *verdict)
{
	verdict->quiet = true;
	if (armed_by_us(rec, look) && !look->arg)
		rec->io_submitted++;
}

/*
 * Ends only lower io_pages, and a read that fails its checks raises it back to
 * what it was at most, so that the number of pages in bios is a bound from above
 * at any moment.  Another reader may have armed the buffer once the pages of a
 * failed read are unlocked: then the task is not ours any more.
 */
static void io_sent(struct btrfs_eb_debug *rec, const struct eb_look *look,
		    struct eb_judgement *verdict)
{
	verdict->quiet = true;
	/* The look came first; pairs with io_start(). */
	smp_rmb();
	if (!armed_by_us(rec, look)) {
		unknown(verdict);
		return;
	}
	judge(verdict, EB_RULE_IO_PAGES_LEAKED,
	      look->io_pages <= rec->io_submitted);
	/* Not if another reader has armed it since. */
	cmpxchg(&rec->io_task, look->task, NULL);
}

/*
 * Every page that is under IO is still counted here, and the tree's reference
 * is what keeps the buffer: a write has no reference of its own, and the
 * submitter's may be gone.
 */
static void io_end(const struct eb_look *look, struct eb_judgement *verdict)
{
	counts(verdict, EB_COUNT_IO_ENDS);
	judge(verdict, EB_RULE_IO_ENDED_TWICE, look->io_pages >= 1);
	judge(verdict, EB_RULE_IO_END_WITHOUT_TREE_REF,
	      (look->flags & EB_FLAG_TREE_REF || holds_itself(look)) &&
	      look->refs >= 1);
}

/*
 * The DIRTY to WRITEBACK hand-over, exact since it is under refs_lock: the tree
 * and the caller both hold a reference.  From here on this task owes the IO.
 */
static void writeback(struct btrfs_eb_debug *rec, const struct eb_look *look,
		      struct eb_judgement *verdict)
{
	judge(verdict, EB_RULE_WRITEBACK_WITHOUT_TREE_REF,
	      look->flags & EB_FLAG_TREE_REF && look->refs >= 2);
	WRITE_ONCE(rec->wb_task, look->task);
	rec->wb_epoch = look->epoch;
}

/*
 * The tree of buffers has marks by which writeback finds what to do.  The tree lock
 * keeps DIRTY as it is, WRITEBACK is this task's, and each is marked when this is
 * judged.  TOWRITE goes to dirty ones only, and stays with one that becomes clean without
 * a write.  The self-tests use buffers that are in no tree.
 */
static void marks(const struct eb_look *look, struct eb_judgement *verdict)
{
	static const struct {
		u32 which;
		u32 set;
	} right[] = {
		[EB_MARKS_DIRTY] = { EB_MARKED_DIRTY, EB_MARKED_DIRTY },
		[EB_MARKS_CLEAN] = { EB_MARKED_DIRTY, 0 },
		[EB_MARKS_WRITEBACK] = { EB_MARKED_DIRTY | EB_MARKED_TOWRITE |
					 EB_MARKED_WRITEBACK,
					 EB_MARKED_WRITEBACK },
		[EB_MARKS_WRITTEN] = { EB_MARKED_WRITEBACK, 0 },
	};

	static_assert(ARRAY_SIZE(right) == EB_MARKS_COUNT);
	verdict->quiet = true;
	if (look->in_tree)
		judge(verdict, EB_RULE_MARKS_OUT_OF_STEP,
		      (look->marks & right[look->arg].which) ==
		      right[look->arg].set);
	else
		unknown(verdict);
}

static void writeback_end(const struct eb_look *look,
			  struct eb_judgement *verdict)
{
	judge(verdict, EB_RULE_IO_ENDED_TWICE, look->flags & EB_FLAG_WRITEBACK);
	judge(verdict, EB_RULE_WRITEBACK_CLEARED_EARLY, look->io_pages == 0);
}

/*
 * The sequence is what a lookup of a stale buffer compares; it moves only if the
 * lock was really taken.
 */
static void refs_lock(struct btrfs_eb_debug *rec, const struct eb_look *look,
		      struct eb_judgement *verdict)
{
	verdict->quiet = true;
	btrfs_eb_core_section_open(rec, look->task, look->epoch,
				   look->flags & EB_FLAG_TREE_REF,
				   look->locked);
}

static void tested(struct btrfs_eb_debug *rec, const struct eb_look *look,
		   struct eb_judgement *verdict)
{
	verdict->quiet = true;
	if (in_our_section(rec, look))
		rec->section |= EB_SECTION_TESTED;
}

static void tree_ref_set(struct btrfs_eb_debug *rec, const struct eb_look *look,
			 struct eb_judgement *verdict)
{
	if (!in_our_section(rec, look) || rec->section & EB_SECTION_TREE_REF) {
		verdict->quiet = true;
		return;
	}
	/* The race of 2020 took place, and the dance healed it. */
	if (under_io(look)) {
		verdict->event = EB_EVENT_TREE_REF_REPAIR;
		counts(verdict, EB_COUNT_REPAIRS);
	}
}

/*
 * A lookup takes its reference without refs_lock, so a foreign reference at this
 * moment is legal: its owner dances before it starts IO.  It is only counted.
 *
 * Reclaim of whole pages holds the page lock, which a read needs before it sets
 * its IO state.  A subpage read has no such lock: it may set its state here, and
 * its dance then repairs what this clear has taken.  Nor has a read that holds the
 * buffer itself; WRITEBACK is never set here.
 */
static void tree_ref_clear(struct btrfs_eb_debug *rec,
			   const struct eb_look *look,
			   struct eb_judgement *verdict)
{
	bool released = look->site == EB_SITE_RELEASE ||
			look->site == EB_SITE_RELEASE_SUBPAGE;

	if (!in_our_section(rec, look)) {
		verdict->quiet = !released;
		unknown(verdict);
		return;
	}
	if (!(rec->section & EB_SECTION_TREE_REF) || look->flags & EB_FLAG_TREE_REF) {
		verdict->quiet = true;
		if (look->site == EB_SITE_PUT_STALE && look->refs == 2 &&
		    under_io(look))
			counts(verdict, EB_COUNT_STALE_PUTS_UNDER_IO);
		return;
	}
	if (released)
		counts(verdict, EB_COUNT_RELEASE_DONE);
	if (look->refs > 1)
		counts(verdict, EB_COUNT_FOREIGN_CLEARS);
	judge(verdict, EB_RULE_TREE_REF_CLEARED_UNLOCKED, look->locked);
	judge(verdict, EB_RULE_TREE_REF_CLEARED_UNTESTED,
	      rec->section & EB_SECTION_TESTED);
	judge(verdict, EB_RULE_TREE_REF_CLEARED_UNDER_IO,
	      !(look->flags & (EB_FLAG_DIRTY | EB_FLAG_WRITEBACK)) &&
	      (!look->io_pages || look->read_holds ||
	       look->site == EB_SITE_RELEASE_SUBPAGE));
	/* The next clear needs a section of its own. */
	WRITE_ONCE(rec->section_task, NULL);
}

/*
 * Whoever gives a reference back must hold one, by the count and by the ledger;
 * and must not leave the tree lock behind, that only its holder can release.
 *
 * A task that turned DIRTY into WRITEBACK and gives its reference back before it
 * has armed the IO leaves a writeback that nobody will ever end.
 */
static void put(struct btrfs_eb_debug *rec, const struct eb_look *look,
		struct eb_judgement *verdict)
{
	counts(verdict, EB_COUNT_PUTS);
	if (look->owned == EB_OWNED_UNKNOWN)
		unknown(verdict);
	judge(verdict, EB_RULE_PUT_WITHOUT_REFERENCE,
	      look->refs >= 1 && look->owned != EB_NOT_OWNED);
	judge(verdict, EB_RULE_PUT_LOCKED, !look->lock_left);
	if (!owed_by_us(rec, look))
		return;
	judge(verdict, EB_RULE_WRITEBACK_WITHOUT_IO,
	      !(look->flags & EB_FLAG_WRITEBACK));
	WRITE_ONCE(rec->wb_task, NULL);
}

/*
 * Under refs_lock the flag and the count agree: if the tree holds one reference,
 * whoever gives one back needs another.  The self-tests put dummies into the tree
 * and give the tree's reference back by hand.
 */
static void put_locked(struct btrfs_eb_debug *rec, const struct eb_look *look,
		       struct eb_judgement *verdict)
{
	bool by_tree = (look->flags & (EB_FLAG_TREE_REF | EB_FLAG_UNMAPPED)) ==
		       EB_FLAG_TREE_REF;

	refs_lock(rec, look, verdict);
	if (look->locked)
		judge(verdict, EB_RULE_PUT_WITHOUT_REFERENCE,
		      look->refs >= (by_tree ? 2 : 1));
}

static void release_refused(const struct eb_look *look,
			    struct eb_judgement *verdict)
{
	counts(verdict, look->arg == EB_BUSY ? EB_COUNT_RELEASE_BUSY :
					       EB_COUNT_RELEASE_NO_TREE_REF);
}

/* Clones and dummies may be freed as they are, but not under IO. */
static void last_put(const struct eb_look *look, struct eb_judgement *verdict)
{
	verdict->quiet = true;
	judge(verdict, EB_RULE_FREED_UNDER_IO, !under_io(look));
	if (!(look->flags & EB_FLAG_UNMAPPED)) {
		judge(verdict, EB_RULE_FREED_WITH_TREE_REF,
		      !(look->flags & EB_FLAG_TREE_REF));
		judge(verdict, EB_RULE_FREED_DIRTY,
		      !(look->flags & EB_FLAG_DIRTY));
	}
	if (look->owned != EB_OWNED_UNKNOWN)
		judge(verdict, EB_RULE_FREED_OWNED, look->held == 0);
	judge(verdict, EB_RULE_FREED_LOCKED, !look->write_locked);
	judge(verdict, EB_RULE_FREED_ON_LIST, !look->on_list);
}

/**
 * btrfs_eb_core_structure_get - a structure of btrfs takes a reference
 * @rec: the buffer's record
 * @kind: which kind of structure
 *
 * What does not fit into the counter makes all of it unknown.
 *
 * Context: any, irq included.
 * Return: false if it did not fit.
 */
bool btrfs_eb_core_structure_get(struct btrfs_eb_debug *rec,
				 enum eb_debug_kind kind)
{
	s64 old = atomic64_read(&rec->structures);

	do {
		if (((u64)old >> (8 * kind) & 0xff) == 0xff) {
			WRITE_ONCE(rec->unrecorded, true);
			return false;
		}
	} while (!atomic64_try_cmpxchg(&rec->structures, &old,
				       (u64)old + (1ULL << (8 * kind))));
	return true;
}

/**
 * btrfs_eb_core_structure_put - a structure of btrfs parts with a reference
 * @rec: the buffer's record
 * @kind: which kind of structure
 *
 * Context: any, irq included.
 * Return: false if it held none, and nothing changed.
 */
bool btrfs_eb_core_structure_put(struct btrfs_eb_debug *rec,
				 enum eb_debug_kind kind)
{
	s64 old = atomic64_read(&rec->structures);

	do {
		if (!((u64)old >> (8 * kind) & 0xff))
			return false;
	} while (!atomic64_try_cmpxchg(&rec->structures, &old,
				       (u64)old - (1ULL << (8 * kind))));
	return true;
}

/**
 * btrfs_eb_core_event - note one event and judge it
 * @rec: the buffer's record
 * @look: one look at the buffer
 * @event: what happened
 * @verdict: zeroed by the caller; what the core says of it
 *
 * Context: that of the hook, see include/linux/eb_debug.h.
 */
void btrfs_eb_core_event(struct btrfs_eb_debug *rec, const struct eb_look *look,
			 enum eb_debug_event event, struct eb_judgement *verdict)
{
	verdict->event = event;
	switch (event) {
	case EB_EVENT_ALLOC:
		counts(verdict, EB_COUNT_ALLOC);
		break;
	case EB_EVENT_READING:
		reading(rec, look, verdict);
		break;
	case EB_EVENT_READING_CLEAR:
		reading_clear(rec, look, verdict);
		break;
	case EB_EVENT_READ_PUT:
		read_put(look, verdict);
		break;
	case EB_EVENT_IO_START:
		io_start(rec, look, verdict);
		break;
	case EB_EVENT_IO_ARM:
		io_arm(rec, look, verdict);
		break;
	case EB_EVENT_MUST_DANCE:
		must_dance(rec, verdict);
		break;
	case EB_EVENT_IO_DANCE:
		io_dance(rec, look, verdict);
		break;
	case EB_EVENT_IO_SUBMIT:
		io_submit(rec, look, verdict);
		break;
	case EB_EVENT_IO_PAGE:
		io_page(rec, look, verdict);
		break;
	case EB_EVENT_IO_SENT:
		io_sent(rec, look, verdict);
		break;
	case EB_EVENT_WRITE_OUT:
		write_out(rec, look, verdict);
		break;
	case EB_EVENT_IO_END:
		io_end(look, verdict);
		break;
	case EB_EVENT_WRITEBACK:
		writeback(rec, look, verdict);
		break;
	case EB_EVENT_WRITEBACK_END:
		writeback_end(look, verdict);
		break;
	case EB_EVENT_REFS_LOCK:
		refs_lock(rec, look, verdict);
		break;
	case EB_EVENT_UNDER_IO:
		tested(rec, look, verdict);
		break;
	case EB_EVENT_TREE_REF_SET:
		tree_ref_set(rec, look, verdict);
		break;
	case EB_EVENT_TREE_REF_CLEAR:
		tree_ref_clear(rec, look, verdict);
		break;
	case EB_EVENT_PUT:
		put(rec, look, verdict);
		break;
	case EB_EVENT_PUT_LOCKED:
		put_locked(rec, look, verdict);
		break;
	case EB_EVENT_RELEASE_REFUSED:
		release_refused(look, verdict);
		break;
	case EB_EVENT_MARKS:
		marks(look, verdict);
		break;
	case EB_EVENT_PRIVATE:
		verdict->quiet = true;
		judge(verdict, EB_RULE_PRIVATE_UNLOCKED, look->arg);
		break;
	case EB_EVENT_NEW_BLOCK:
		WRITE_ONCE(rec->stale_seq, rec->stale_seq + 1);
		/* The count first, then STALE; pairs with the lookup. */
		smp_mb();
		break;
	case EB_EVENT_LAST_PUT:
		last_put(look, verdict);
		break;
	case EB_EVENT_FREE:
		counts(verdict, EB_COUNT_FREE);
		judge(verdict, EB_RULE_FREED_IN_TREE, !look->in_tree);
		break;
	case EB_EVENT_PATH_FREE:
		judge(verdict, EB_RULE_LEFT_IN_PATH, look->held == 0);
		break;
	case EB_EVENT_TASK_END:
		judge(verdict, EB_RULE_LEFT_BY_TASK, look->held == 0);
		break;
	case EB_EVENT_UNMOUNT:
		/* What has no reference waits for RCU. */
		verdict->quiet = true;
		judge(verdict, EB_RULE_BUFFER_LEAKED, look->refs == 0);
		break;
	default:
		break;
	}
}

/**
 * btrfs_eb_core_reported - which of the broken rules is reported?
 * @judgement: with a broken rule
 * @quiet: bits of those that are only counted
 *
 * The first one, and what is only counted hides no other.
 *
 * Context: any.
 * Return: that rule, or EB_RULE_NONE if all of them are only counted.
 */
enum eb_rule btrfs_eb_core_reported(const struct eb_judgement *judgement,
				    u64 quiet)
{
	u64 rest = judgement->all_broken & ~quiet;

	if (rest & BIT_ULL(judgement->broken))
		return judgement->broken;
	return rest ? __ffs64(rest) : EB_RULE_NONE;
}

/**
 * btrfs_eb_core_lookup - judge the end of a lookup
 * @rec: the buffer's record
 * @look: one look at the buffer, taken after the lookup's own test of STALE
 * @token: filled in before that test
 * @verdict: zeroed by the caller
 *
 * "Btrfs: fix race when reusing stale extent buffers that leads to BUG_ON", 4.1:
 * who finds a buffer STALE must wait for refs_lock once.  If it was STALE before
 * and is STALE now and nobody took that back in between, then the lookup saw it
 * too, and some section under refs_lock must have begun since.
 *
 * Context: the task that looks up; owns a reference.
 */
void btrfs_eb_core_lookup(struct btrfs_eb_debug *rec, const struct eb_look *look,
			  const struct btrfs_eb_token *token,
			  struct eb_judgement *verdict)
{
	verdict->event = EB_EVENT_LOOKUP;
	verdict->quiet = true;
	if (token->epoch != look->epoch || !token->stale ||
	    !(look->flags & EB_FLAG_STALE))
		return;
	/* Pairs with the barrier at EB_EVENT_NEW_BLOCK: flag first, then count. */
	smp_mb();
	if (READ_ONCE(rec->stale_seq) != token->stale_seq)
		return;
	counts(verdict, EB_COUNT_STALE_LOOKUPS);
	judge(verdict, EB_RULE_STALE_LOOKUP_UNLOCKED,
	      READ_ONCE(rec->lock_seq) != token->lock_seq);
}
