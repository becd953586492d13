// SPDX-License-Identifier: GPL-2.0
/*
 * What do the rules mean?
 *
 * Written after the user's page, Documentation/dev-tools/btrfs-eb-debug.rst, and not after
 * the core, with which it shares names and nothing else.  It remembers all that was ever
 * told of a buffer, and answers each question by looking back through that.  Slow on
 * purpose: nothing is packed, nothing is limited, and what is limited in the guard is said
 * here as a sentence.  Where the page is silent, as about which of several broken rules is
 * told, this is where it is decided.
 *
 * Who holds which reference is in meaning-owners.c.
 */

#include "meaning.h"

struct life lives[BUFFERS];
u32 now_epoch;
static u32 last_epoch;

static bool is_read(enum eb_debug_site site)
{
	return site == EB_SITE_READ || site == EB_SITE_READ_SUBPAGE;
}

static bool is_event(const struct fact *fact, enum eb_debug_event event)
{
	return fact->op.act == ACT_EVENT && fact->op.event == event;
}

static bool is_arm(const struct fact *fact)
{
	return is_event(fact, EB_EVENT_IO_ARM);
}

/* The newest fact of that kind before the @n'th, -1 if there is none. */
static int newest(const struct life *life, int n, bool (*is)(const struct fact *))
{
	while (--n >= 0 && !is(&life->facts[n]))
		;
	return n;
}

/* --- who is at IO ---------------------------------------------------------- */

static bool begins_io(const struct fact *fact)
{
	return is_event(fact, EB_EVENT_IO_START) ||
	       is_event(fact, EB_EVENT_READING) || is_arm(fact);
}

/* Has this task said since that it is done with the IO that it began? */
static bool io_over(const struct life *life, int begun, int n, unsigned int who)
{
	const struct fact *fact;
	int i;

	for (i = begun + 1; i < n; i++) {
		fact = &life->facts[i];
		if (fact->op.who != who)
			continue;
		if (is_event(fact, EB_EVENT_READING_CLEAR))
			return true;
		if (is_event(fact, EB_EVENT_IO_SENT) &&
		    fact->epoch == life->facts[begun].epoch)
			return true;
	}
	return false;
}

/* Is it this task that began IO last, and is at it?  Only a task can be. */
static bool at_io(const struct life *life, int n, unsigned int who)
{
	int begun = newest(life, n, begins_io);

	return who != IRQ && begun >= 0 && life->facts[begun].op.who == who &&
	       !io_over(life, begun, n, who);
}

/* The same, and the guard was on all the while. */
static bool seen_at_io(const struct life *life, int n, unsigned int who, u32 epoch)
{
	int begun = newest(life, n, begins_io);

	return at_io(life, n, who) && life->facts[begun].epoch == epoch;
}

static bool ours(const struct life *life, const struct op *op)
{
	return seen_at_io(life, life->nr_facts, op->who, now_epoch);
}

/* Was the IO that was begun last begun while the guard was on as it is now? */
static bool io_known(const struct life *life)
{
	int begun = newest(life, life->nr_facts, begins_io);

	return begun >= 0 && life->facts[begun].epoch == now_epoch;
}

/* How often has this happened to the IO that was armed last, by whoever was at it? */
static int in_this_io(const struct life *life, enum eb_debug_event event)
{
	int i, armed = newest(life, life->nr_facts, is_arm), nr = 0;

	for (i = armed + 1; i < life->nr_facts; i++) {
		const struct fact *fact = &life->facts[i];

		if (is_event(fact, event) &&
		    (event != EB_EVENT_IO_PAGE || !fact->op.arg) &&
		    seen_at_io(life, i, fact->op.who, fact->epoch))
			nr++;
	}
	return nr;
}

/* A read must dance, and whatever was said that it must. */
static bool must_dance(const struct life *life)
{
	int i, armed = newest(life, life->nr_facts, is_arm);

	if (armed >= 0 && is_read(life->facts[armed].op.site))
		return true;
	for (i = armed + 1; i < life->nr_facts; i++)
		if (is_event(&life->facts[i], EB_EVENT_MUST_DANCE))
			return true;
	return false;
}

static bool takes_reading(const struct fact *fact)
{
	return is_event(fact, EB_EVENT_READING);
}

/* Has whoever has READING looked at UPTODATE since? */
static bool looked_again(const struct life *life)
{
	int i = newest(life, life->nr_facts, takes_reading);

	for (i++; i < life->nr_facts; i++)
		if (life->facts[i].op.act == ACT_UPTODATE &&
		    at_io(life, i, life->facts[i].op.who))
			return true;
	return false;
}

/* Did IO go out since READING was set, or since it was judged how READING was cleared? */
static bool read_went_out(const struct life *life)
{
	int i;

	for (i = life->nr_facts - 1; i >= 0; i--) {
		const struct fact *fact = &life->facts[i];

		if (takes_reading(fact))
			return false;
		if (is_event(fact, EB_EVENT_READING_CLEAR) && fact->judged)
			return false;
		if (is_arm(fact) && is_read(fact->op.site))
			return true;
	}
	return false;
}

static bool owes_or_pays(const struct fact *fact)
{
	return is_event(fact, EB_EVENT_WRITEBACK) ||
	       (is_arm(fact) && !is_read(fact->op.site));
}

/*
 * The moment at which this task turned DIRTY into WRITEBACK, if the write was not armed since,
 * nor the task asked for it at a put; -1 if it owes none.
 */
static int owed_since(const struct life *life, const struct op *op)
{
	int i, since = newest(life, life->nr_facts, owes_or_pays);

	if (since < 0 || is_arm(&life->facts[since]) || op->who == IRQ ||
	    life->facts[since].op.who != op->who)
		return -1;
	for (i = since + 1; i < life->nr_facts; i++)
		if (life->facts[i].op.act == ACT_PUT &&
		    life->facts[i].op.who == op->who &&
		    life->facts[i].epoch == life->facts[since].epoch)
			return -1;
	return since;
}

/* Does this task owe a write, from whatever time? */
bool owes_any_write(const struct life *life, const struct op *op)
{
	return owed_since(life, op) >= 0;
}

bool owes_write(const struct life *life, const struct op *op)
{
	int since = owed_since(life, op);

	return since >= 0 && life->facts[since].epoch == now_epoch;
}

/* --- sections under refs_lock ----------------------------------------------- */

static bool begins_section(const struct fact *fact)
{
	return is_event(fact, EB_EVENT_REFS_LOCK) ||
	       is_event(fact, EB_EVENT_PUT_LOCKED);
}

/* The usual put says that a section begins, and not since when the guard is on. */
static bool is_usual_put(const struct op *op)
{
	return op->act == ACT_EVENT && op->event == EB_EVENT_PUT_LOCKED &&
	       op->door && op->site == EB_SITE_PUT && op->refs >= 2 &&
	       !(op->flags & EB_FLAG_STALE) && op->flags & EB_FLAG_TREE_REF;
}

static bool tells_epoch(const struct fact *fact)
{
	return fact->op.act == ACT_ALLOC ||
	       (begins_section(fact) && !is_usual_put(&fact->op));
}

/* The section that this task is in and that was seen from its beginning, -1 if none. */
static int our_section(const struct life *life, const struct op *op)
{
	int i, begun = newest(life, life->nr_facts, begins_section);
	int known = newest(life, life->nr_facts, tells_epoch);

	if (begun < 0 || op->who == IRQ || life->facts[begun].op.who != op->who)
		return -1;
	if (known < 0 || life->facts[known].epoch != now_epoch)
		return -1;
	/* A clear that was judged needs a section of its own. */
	for (i = begun + 1; i < life->nr_facts; i++)
		if (is_event(&life->facts[i], EB_EVENT_TREE_REF_CLEAR) &&
		    life->facts[i].judged)
			return -1;
	return begun;
}

static bool had_tree_ref(const struct life *life, int section)
{
	return life->facts[section].op.flags & EB_FLAG_TREE_REF;
}

/* Did whoever opened the section ask in it whether the buffer is under IO? */
static bool tested_in(const struct life *life, int section)
{
	unsigned int who = life->facts[section].op.who;
	int i;

	for (i = section + 1; i < life->nr_facts; i++)
		if (life->facts[i].op.who == who &&
		    (life->facts[i].op.act == ACT_TESTED ||
		     is_event(&life->facts[i], EB_EVENT_UNDER_IO)))
			return true;
	return false;
}

/* --- the rules -------------------------------------------------------------- */

/* Of several that are broken the first one is told. */
void means(struct said *said, enum eb_rule rule, bool kept)
{
	said->judged |= 1ULL << rule;
	if (!kept && said->broken == EB_RULE_NONE)
		said->broken = rule;
}

void counts(struct said *said, enum eb_count count)
{
	said->counts |= 1U << count;
}

static bool has(const struct op *op, u32 flags)
{
	return op->flags & flags;
}

static bool under_io(const struct op *op)
{
	return op->io_pages > 0 || has(op, EB_FLAG_WRITEBACK);
}

/* The IO has a reference of its own on this kernel. */
static bool holds_itself(const struct op *op)
{
	return op->read_holds && (is_read(op->site) || op->site == EB_SITE_READ_END);
}

static void read_armed(const struct life *life, const struct op *op,
		       struct said *said)
{
	counts(said, EB_COUNT_READS);
	if (newest(life, life->nr_facts, takes_reading) >= 0 && ours(life, op))
		means(said, EB_RULE_READ_WITHOUT_RECHECK, looked_again(life));
	means(said, EB_RULE_READ_AFTER_WRITE_ERROR, !has(op, EB_FLAG_WRITE_ERR));
	means(said, EB_RULE_READ_OF_UPTODATE,
	      !has(op, EB_FLAG_UPTODATE) && !has(op, EB_FLAG_DIRTY) &&
	      !has(op, EB_FLAG_WRITEBACK));
}

static void write_armed(const struct life *life, const struct op *op,
			struct said *said)
{
	counts(said, EB_COUNT_WRITES);
	means(said, EB_RULE_WRITE_WITHOUT_WRITEBACK, has(op, EB_FLAG_WRITEBACK));
	if (owes_write(life, op))
		means(said, EB_RULE_WRITEBACK_WITHOUT_IO, true);
}

static void io_armed(const struct life *life, const struct op *op,
		     struct said *said)
{
	if (is_read(op->site))
		read_armed(life, op, said);
	else
		write_armed(life, op, said);
}

static void io_submitted(const struct life *life, const struct op *op,
			 struct said *said)
{
	if (!ours(life, op))
		counts(said, EB_COUNT_UNKNOWN);
	else if (must_dance(life))
		means(said, EB_RULE_IO_WITHOUT_DANCE,
		      in_this_io(life, EB_EVENT_IO_DANCE) > 0);
	if (!holds_itself(op))
		means(said, EB_RULE_IO_WITHOUT_TREE_REF, has(op, EB_FLAG_TREE_REF));
	if (op->site == EB_SITE_WRITE && !op->write_tests)
		means(said, EB_RULE_WRITE_ON_FAILED_FS, !op->fs_error);
}

static void write_out(const struct life *life, const struct op *op,
		      struct said *said)
{
	int armed = newest(life, life->nr_facts, is_arm);

	(void)op;
	if (io_known(life))
		means(said, EB_RULE_WRITE_ON_FAILED_FS,
		      armed < 0 || !life->facts[armed].op.fs_error);
	else
		counts(said, EB_COUNT_UNKNOWN);
}

static void io_sent(const struct life *life, const struct op *op,
		    struct said *said)
{
	if (ours(life, op))
		means(said, EB_RULE_IO_PAGES_LEAKED,
		      op->io_pages <= in_this_io(life, EB_EVENT_IO_PAGE));
	else
		counts(said, EB_COUNT_UNKNOWN);
}

static void io_ended(const struct life *life, const struct op *op,
		     struct said *said)
{
	(void)life;
	counts(said, EB_COUNT_IO_ENDS);
	means(said, EB_RULE_IO_ENDED_TWICE, op->io_pages > 0);
	means(said, EB_RULE_IO_END_WITHOUT_TREE_REF,
	      op->refs > 0 && (has(op, EB_FLAG_TREE_REF) || holds_itself(op)));
}

static void reading_cleared(const struct life *life, const struct op *op,
			    struct said *said)
{
	if (read_went_out(life) && io_known(life))
		means(said, EB_RULE_READING_CLEARED_ALONE,
		      op->locked && our_section(life, op) >= 0);
}

static void read_put(const struct life *life, const struct op *op,
		     struct said *said)
{
	(void)life;
	means(said, EB_RULE_READING_CLEARED_ALONE, op->locked);
}

static void writeback(const struct life *life, const struct op *op,
		      struct said *said)
{
	(void)life;
	means(said, EB_RULE_WRITEBACK_WITHOUT_TREE_REF,
	      has(op, EB_FLAG_TREE_REF) && op->refs > 1);
}

static void writeback_ended(const struct life *life, const struct op *op,
			    struct said *said)
{
	(void)life;
	means(said, EB_RULE_IO_ENDED_TWICE, has(op, EB_FLAG_WRITEBACK));
	means(said, EB_RULE_WRITEBACK_CLEARED_EARLY, !op->io_pages);
}

/* What the marks must be depends on what was done with the buffer. */
static bool marks_right(const struct op *op)
{
	bool dirty = op->marks & EB_MARKED_DIRTY;
	bool written = op->marks & EB_MARKED_WRITEBACK;
	bool wanted = op->marks & EB_MARKED_TOWRITE;

	switch (op->arg) {
	case EB_MARKS_DIRTY:
		return dirty;
	case EB_MARKS_CLEAN:
		return !dirty;
	case EB_MARKS_WRITEBACK:
		return written && !dirty && !wanted;
	default:
		return !written;
	}
}

static void marks(const struct life *life, const struct op *op,
		  struct said *said)
{
	(void)life;
	if (op->in_tree)
		means(said, EB_RULE_MARKS_OUT_OF_STEP, marks_right(op));
	else
		counts(said, EB_COUNT_UNKNOWN);
}

static void private_changed(const struct life *life, const struct op *op,
			    struct said *said)
{
	(void)life;
	means(said, EB_RULE_PRIVATE_UNLOCKED, op->arg);
}

static void tree_ref_set(const struct life *life, const struct op *op,
			 struct said *said)
{
	int section = our_section(life, op);

	if (section < 0 || had_tree_ref(life, section))
		return;
	said->quiet = false;
	if (!under_io(op))
		return;
	said->event = EB_EVENT_TREE_REF_REPAIR;
	counts(said, EB_COUNT_REPAIRS);
}

/* TREE_REF really went: what was asked of it, and was it allowed? */
static void tree_ref_gone(const struct life *life, const struct op *op,
			  int section, bool released, struct said *said)
{
	said->quiet = false;
	if (released)
		counts(said, EB_COUNT_RELEASE_DONE);
	if (op->refs > 1)
		counts(said, EB_COUNT_FOREIGN_CLEARS);
	means(said, EB_RULE_TREE_REF_CLEARED_UNLOCKED, op->locked);
	means(said, EB_RULE_TREE_REF_CLEARED_UNTESTED, tested_in(life, section));
	/* A read that holds the buffer itself may go on, a subpage read repairs. */
	means(said, EB_RULE_TREE_REF_CLEARED_UNDER_IO,
	      !has(op, EB_FLAG_DIRTY) && !has(op, EB_FLAG_WRITEBACK) &&
	      (!op->io_pages || op->read_holds ||
	       op->site == EB_SITE_RELEASE_SUBPAGE));
}

static void tree_ref_clear(const struct life *life, const struct op *op,
			   struct said *said)
{
	bool released = op->site == EB_SITE_RELEASE ||
			op->site == EB_SITE_RELEASE_SUBPAGE;
	int section = our_section(life, op);

	if (section < 0) {
		said->quiet = !released;
		counts(said, EB_COUNT_UNKNOWN);
	} else if (had_tree_ref(life, section) && !has(op, EB_FLAG_TREE_REF)) {
		tree_ref_gone(life, op, section, released, said);
	} else if (op->site == EB_SITE_PUT_STALE && op->refs == 2 &&
		   under_io(op)) {
		counts(said, EB_COUNT_STALE_PUTS_UNDER_IO);
	}
}

/* Beside the tree's reference there must be one to give back. */
static void put_locked(const struct life *life, const struct op *op,
		       struct said *said)
{
	bool by_tree = has(op, EB_FLAG_TREE_REF) && !has(op, EB_FLAG_UNMAPPED);

	(void)life;
	if (op->locked)
		means(said, EB_RULE_PUT_WITHOUT_REFERENCE,
		      op->refs > (by_tree ? 1 : 0));
}

static void refused(const struct life *life, const struct op *op,
		    struct said *said)
{
	(void)life;
	counts(said, op->arg == EB_BUSY ? EB_COUNT_RELEASE_BUSY :
					  EB_COUNT_RELEASE_NO_TREE_REF);
}

static void last_put(const struct life *life, const struct op *op,
		     struct said *said)
{
	unsigned int eb = life - lives;

	means(said, EB_RULE_FREED_UNDER_IO, !under_io(op));
	if (!has(op, EB_FLAG_UNMAPPED)) {
		means(said, EB_RULE_FREED_WITH_TREE_REF, !has(op, EB_FLAG_TREE_REF));
		means(said, EB_RULE_FREED_DIRTY, !has(op, EB_FLAG_DIRTY));
	}
	if (complete(life))
		means(said, EB_RULE_FREED_OWNED, !meaning_held(eb));
	means(said, EB_RULE_FREED_LOCKED, op->lock_owner == IRQ);
	means(said, EB_RULE_FREED_ON_LIST, !op->on_list);
}

static void freed(const struct life *life, const struct op *op,
		  struct said *said)
{
	(void)life;
	counts(said, EB_COUNT_FREE);
	means(said, EB_RULE_FREED_IN_TREE, !op->in_tree);
}

static void unmounted(const struct life *life, const struct op *op,
		      struct said *said)
{
	(void)life;
	means(said, EB_RULE_BUFFER_LEAKED, !op->refs);
}

/* What an event means, and whether history shows it in any case. */
static const struct {
	void (*judge)(const struct life *life, const struct op *op,
		      struct said *said);
	bool quiet;
} meanings[EB_EVENT_COUNT] = {
	[EB_EVENT_TREE_REF_SET] = { tree_ref_set, true },
	[EB_EVENT_TREE_REF_CLEAR] = { tree_ref_clear, true },
	[EB_EVENT_READING] = { NULL, true },
	[EB_EVENT_READING_CLEAR] = { reading_cleared, true },
	[EB_EVENT_READ_PUT] = { read_put, true },
	[EB_EVENT_IO_START] = { NULL, true },
	[EB_EVENT_IO_ARM] = { io_armed },
	[EB_EVENT_MUST_DANCE] = { NULL, true },
	[EB_EVENT_IO_SUBMIT] = { io_submitted },
	[EB_EVENT_IO_PAGE] = { NULL, true },
	[EB_EVENT_IO_SENT] = { io_sent, true },
	[EB_EVENT_WRITE_OUT] = { write_out, true },
	[EB_EVENT_IO_END] = { io_ended },
	[EB_EVENT_WRITEBACK] = { writeback },
	[EB_EVENT_WRITEBACK_END] = { writeback_ended },
	[EB_EVENT_MARKS] = { marks, true },
	[EB_EVENT_PRIVATE] = { private_changed, true },
	[EB_EVENT_REFS_LOCK] = { NULL, true },
	[EB_EVENT_UNDER_IO] = { NULL, true },
	[EB_EVENT_PUT_LOCKED] = { put_locked, true },
	[EB_EVENT_RELEASE_REFUSED] = { refused },
	[EB_EVENT_LAST_PUT] = { last_put, true },
	[EB_EVENT_FREE] = { freed },
	[EB_EVENT_UNMOUNT] = { unmounted, true },
};

/* A lookup that found STALE, and finds it still, must have waited for refs_lock. */
static void looked_up(const struct life *life, const struct op *op, int begun,
		      struct sayings *sayings)
{
	struct said said = { .event = EB_EVENT_LOOKUP, .quiet = true };
	bool waited = false;
	int i;

	if (life->facts[begun].epoch != now_epoch ||
	    !(life->facts[begun].op.flags & EB_FLAG_STALE) ||
	    !has(op, EB_FLAG_STALE))
		return;
	for (i = begun + 1; i < life->nr_facts; i++) {
		if (is_event(&life->facts[i], EB_EVENT_NEW_BLOCK))
			return;
		waited |= begins_section(&life->facts[i]) &&
			  life->facts[i].op.locked;
	}
	counts(&said, EB_COUNT_STALE_LOOKUPS);
	means(&said, EB_RULE_STALE_LOOKUP_UNLOCKED, waited);
	say(sayings, &said);
}

/* The lookup that this task began, -1 if it began none of this buffer. */
static int lookup_begun(const struct life *life, unsigned int who)
{
	int i;

	for (i = life->nr_facts - 1; i >= 0; i--) {
		if (life->facts[i].op.who != who)
			continue;
		if (life->facts[i].op.act == ACT_LOOKUP_END)
			return -1;
		if (life->facts[i].op.act == ACT_LOOKUP_BEGIN)
			return i;
	}
	return -1;
}

/* --- what is remembered ------------------------------------------------------ */

/* A transition that the history of a buffer shows. */
void note(struct life *life, enum eb_debug_event event, u32 ip)
{
	if (!life->has_history)
		return;
	if (life->nr_notes == life->room_for_notes) {
		life->room_for_notes = 2 * life->room_for_notes + 16;
		life->notes = realloc(life->notes,
				      life->room_for_notes * sizeof(*life->notes));
	}
	life->notes[life->nr_notes++] = (struct note) {
		.event = event, .flags = life->flags, .refs = life->refs, .ip = ip,
	};
	if (life->nr_notes > EB_HISTORY && life->nr_notes % EB_HISTORY == 1)
		tally.history_wraps++;
}

static void remember(struct life *life, const struct op *op, bool judged)
{
	if (life->nr_facts == life->room_for_facts) {
		life->room_for_facts = 2 * life->room_for_facts + 16;
		life->facts = realloc(life->facts,
				      life->room_for_facts * sizeof(*life->facts));
	}
	life->facts[life->nr_facts++] = (struct fact) {
		.op = *op, .epoch = now_epoch, .judged = judged,
	};
}

static void begin_life(struct life *life, const struct op *op,
		       struct sayings *sayings)
{
	struct said said = { .event = EB_EVENT_ALLOC };
	static u32 serial;

	tally.lives++;
	free(life->facts);
	free(life->notes);
	*life = (struct life) {
		.alive = true,
		.epoch = now_epoch,
		.serial = ++serial,
		.flags = op->flags,
		.refs = op->refs,
		.has_history = now_level >= EB_LEVEL_HISTORY && !op->arg,
	};
	if (!now_epoch)
		return;
	counts(&said, EB_COUNT_ALLOC);
	note(life, EB_EVENT_ALLOC, op->ip);
	say(sayings, &said);
	remember(life, op, false);
	owners_get(life, op, EB_KIND_NEW, sayings);
}

/* Hooks of what is usual leave the core alone. */
static bool not_told(const struct op *op)
{
	if (!op->door)
		return false;
	return is_usual_put(op) ||
	       (op->event == EB_EVENT_TREE_REF_CLEAR && op->site == EB_SITE_PUT &&
		has(op, EB_FLAG_TREE_REF));
}

static void event(struct life *life, const struct op *op, struct sayings *sayings)
{
	struct said said = { .event = op->event, .quiet = meanings[op->event].quiet };

	if (!now_epoch)
		return;
	if (op->event == EB_EVENT_IO_DANCE)
		said.quiet = !ours(life, op);
	if (!not_told(op)) {
		if (meanings[op->event].judge)
			meanings[op->event].judge(life, op, &said);
		if (!said.quiet)
			note(life, said.event, op->ip);
		say(sayings, &said);
	}
	remember(life, op, said.judged);
}

/* Were all references of this buffer seen? */
bool complete(const struct life *life)
{
	return life->epoch == now_epoch && !life->doubt;
}

static void lookup(struct life *life, const struct op *op, struct sayings *sayings)
{
	int begun = lookup_begun(life, op->who);

	if (now_epoch && op->act == ACT_LOOKUP_BEGIN)
		owners_get(life, op, EB_KIND_LOOKUP, sayings);
	else if (now_epoch && begun >= 0)
		looked_up(life, op, begun, sayings);
	remember(life, op, false);
}

static void switch_epoch(const struct op *op)
{
	now_epoch = op->act == ACT_ON ? ++last_epoch : 0;
	now_level = op->act == ACT_ON ? op->arg : EB_LEVEL_OFF;
	hooks_live = op->act == ACT_ON || op->arg;
	owners_void();
}

/*
 * Only what is there has events.  A buffer that is freed while a task is known to hold it
 * leaves its address in that task's list, see eb_ledger_find(): no other buffer gets that
 * memory as long as it is there.  For what a search does not find in its path see
 * eb_fast_path().
 */
bool meaning_possible(const struct op *op)
{
	switch (op->act) {
	case ACT_ALLOC:
		return !lives[op->eb].alive && !owners_know(op->eb);
	case ACT_ON:
	case ACT_LEVEL:
		return !now_epoch == (op->act == ACT_ON);
	case ACT_OFF:
		return now_epoch;
	case ACT_LOOKUP_BEGIN:
		return lives[op->eb].alive && lookup_begun(&lives[op->eb], op->who) < 0;
	case ACT_LOOKUP_END:
		return lives[op->eb].alive && lookup_begun(&lives[op->eb], op->who) >= 0;
	case ACT_PATH:
		return !owners_took_more(op);
	case ACT_PATH_RELEASE:
	case ACT_EXTRA:
	case ACT_PATH_FREE:
	case ACT_TASK_END:
	case ACT_RETURN:
	case ACT_SWEEP:
	case ACT_TABLE:
		return true;
	default:
		return lives[op->eb].alive;
	}
}

void meaning_of(const struct op *op, struct sayings *sayings)
{
	struct life *life = &lives[op->eb];

	if (op->act < ACT_PATH || op->act == ACT_PUT) {
		life->flags = op->flags;
		life->refs = op->refs;
	}
	switch (op->act) {
	case ACT_EVENT:
		event(life, op, sayings);
		break;
	case ACT_TESTED:
	case ACT_UPTODATE:
		if (hooks_live)
			remember(life, op, false);
		break;
	case ACT_ALLOC:
		begin_life(life, op, sayings);
		break;
	case ACT_FORGET:
		owners_forget(op);
		life->alive = false;
		break;
	case ACT_LOOKUP_BEGIN:
	case ACT_LOOKUP_END:
		lookup(life, op, sayings);
		break;
	case ACT_LEVEL:
		now_level = op->arg;
		break;
	case ACT_OFF:
	case ACT_ON:
		switch_epoch(op);
		break;
	default:
		owners(life, op, sayings);
		if (now_epoch && op->act == ACT_PUT)
			remember(life, op, false);
		break;
	}
}

void meaning_reset(void)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++) {
		free(lives[i].facts);
		free(lives[i].notes);
	}
	memset(lives, 0, sizeof(lives));
	last_epoch = 1;
	now_epoch = 1;
	now_level = EB_LEVEL_GUARD;
	hooks_live = true;
	owners_reset();
}

bool meaning_alive(unsigned int eb)
{
	return lives[eb].alive;
}

bool meaning_doubts(unsigned int eb)
{
	return lives[eb].doubt;
}

static bool submits(const struct fact *fact)
{
	return is_event(fact, EB_EVENT_IO_SUBMIT);
}

/* Where the last IO was armed, and submitted since: what a report says of it. */
bool meaning_io_places(unsigned int eb, u32 *armed, u32 *submitted)
{
	const struct life *life = &lives[eb];
	int at = newest(life, life->nr_facts, is_arm);
	int out = newest(life, life->nr_facts, submits);

	*armed = at < 0 ? 0 : life->facts[at].op.ip;
	*submitted = out < 0 || out < at ? 0 : life->facts[out].op.ip;
	return life->alive;
}

/* What is wrong with this history of a buffer, which has the newest transitions. */
const char *meaning_history(unsigned int eb, const struct eb_history *history)
{
	const struct life *life = &lives[eb];
	int i;

	if (!history != !life->has_history)
		return "a buffer has a history, or lacks one";
	for (i = 0; history && i < EB_HISTORY && i < life->nr_notes; i++) {
		const struct note *note = &life->notes[life->nr_notes - 1 - i];
		const struct eb_transition *t;

		t = &history->ring[(life->nr_notes - 1 - i) % EB_HISTORY];
		if (t->event != note->event + 1 || t->flags != note->flags ||
		    t->refs != (note->refs < 0 ? 0 :
				note->refs > 0xffff ? 0xffff : note->refs) ||
		    t->site != note->ip)
			return "the history differs";
	}
	return NULL;
}
