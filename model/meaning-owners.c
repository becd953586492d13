// SPDX-License-Identifier: GPL-2.0
/*
 * What does it mean to hold a reference?
 *
 * One list of all references, in the order in which they were taken.  Written after
 * "Owners" in the user's page, see meaning.c.  Where the guard gives up it is for one of
 * four reasons: a task holds as many as it can be known for, a structure does, the table has
 * no place for the task, or a task gives to a structure what it is not known to hold.  Then
 * the buffer is in doubt for good.
 */

#include "meaning.h"

/* A structure of btrfs in place of a task. */
#define STRUCTURE	(TASKS + 1)
#define STRUCTURE_MAX	255

struct ref {
	const struct life *life;
	u32 serial;
	unsigned int holder;
	enum eb_debug_kind kind;
	u8 path;
	u32 site;
};

/* The node of a path that was not given back by that path's release. */
struct suspicion {
	const struct life *life;
	u32 serial;
	u8 path;
	u32 by;
};

static struct {
	/* The path that it gives back now. */
	u8 releasing;
	bool has_place;
	struct suspicion *suspicions;
	int nr_suspicions;
} tasks[TASKS];

static struct ref *refs;
static int nr_refs;
static int room_for_refs;
static bool table_full;

enum eb_level now_level;
bool hooks_live;

static bool is_of(const struct ref *ref, const struct life *life)
{
	return ref->life == life && ref->serial == life->serial;
}

static int held_by(unsigned int who)
{
	int i, nr = 0;

	for (i = 0; i < nr_refs; i++)
		nr += refs[i].holder == who;
	return nr;
}

static int held_of(const struct life *life, unsigned int who,
		   enum eb_debug_kind kind)
{
	int i, nr = 0;

	for (i = 0; i < nr_refs; i++)
		nr += is_of(&refs[i], life) && refs[i].holder == who &&
		      (kind == EB_KIND_COUNT || refs[i].kind == kind);
	return nr;
}

static void add(const struct ref *ref)
{
	if (nr_refs == room_for_refs) {
		room_for_refs = 2 * room_for_refs + 16;
		refs = realloc(refs, room_for_refs * sizeof(*refs));
	}
	refs[nr_refs++] = *ref;
}

static void drop(int at)
{
	nr_refs--;
	for (; at < nr_refs; at++)
		refs[at] = refs[at + 1];
}

/* The newest one of a task that is in this path; @is_other: in any other one. */
static int newest_in(const struct life *life, unsigned int who, u8 path,
		     bool is_other)
{
	int i;

	for (i = nr_refs - 1; i >= 0; i--) {
		if (!is_of(&refs[i], life) || refs[i].holder != who)
			continue;
		if (is_other ? refs[i].path < PATHS : refs[i].path == path)
			return i;
	}
	return -1;
}

/*
 * Which one is meant?  That of the path, else one that is in none, else one of another path;
 * one more that was taken for a moment only if there is no other.
 */
static int which(const struct life *life, unsigned int who, u8 path)
{
	int found = newest_in(life, who, path, false);

	if (found < 0)
		found = newest_in(life, who, NO_PATH, false);
	if (found < 0)
		found = newest_in(life, who, NO_PATH, true);
	if (found < 0)
		found = newest_in(life, who, EXTRA_PATH, false);
	return found;
}

static void unrecorded(struct life *life, struct sayings *sayings)
{
	life->doubt = true;
	sayings->counted[EB_COUNT_UNRECORDED]++;
}

static void structure_holds(struct life *life, enum eb_debug_kind kind, u32 site,
			    struct sayings *sayings)
{
	struct ref ref = {
		.life = life, .serial = life->serial, .holder = STRUCTURE,
		.kind = kind, .path = NO_PATH, .site = site,
	};

	if (held_of(life, STRUCTURE, kind) < STRUCTURE_MAX) {
		add(&ref);
	} else {
		tally.counter_full++;
		unrecorded(life, sayings);
	}
}

static void task_holds(struct life *life, const struct op *op,
		       enum eb_debug_kind kind, struct sayings *sayings)
{
	struct ref ref = {
		.life = life, .serial = life->serial, .holder = op->who,
		.kind = kind, .path = NO_PATH, .site = op->ip,
	};

	if (!tasks[op->who].has_place && table_full) {
		tally.table_full++;
		unrecorded(life, sayings);
		return;
	}
	tasks[op->who].has_place = true;
	if (held_by(op->who) >= EB_HELD) {
		tally.list_full++;
		unrecorded(life, sayings);
		return;
	}
	if (op->act == ACT_GET_NODE)
		ref.path = op->path;
	else if (kind == EB_KIND_EXTRA)
		ref.path = EXTRA_PATH;
	add(&ref);
	/* What is given back after this is not of the release any more. */
	tasks[op->who].releasing = NO_PATH;
}

static bool more_wanted(void)
{
	return now_level >= EB_LEVEL_HISTORY;
}

/* Somebody took a reference: a structure, a task, or who runs outside of one. */
void owners_get(struct life *life, const struct op *op, enum eb_debug_kind kind,
		struct sayings *sayings)
{
	sayings->counted[EB_COUNT_GETS]++;
	if (kind < EB_KIND_STRUCTURES)
		structure_holds(life, kind, op->ip, sayings);
	else if (op->who != IRQ)
		task_holds(life, op, kind, sayings);
	else
		structure_holds(life, EB_KIND_IRQ, op->ip, sayings);
	if (more_wanted())
		note(life, EB_EVENT_GET, op->ip);
}

static void hand_out(struct life *life, const struct op *op)
{
	int at = op->who == IRQ ? -1 : which(life, op->who, NO_PATH);

	if (at < 0)
		return;
	refs[at].site = op->ip;
	refs[at].kind = op->kind;
}

static void give(struct life *life, const struct op *op, struct sayings *sayings)
{
	int at = which(life, op->who, NO_PATH);

	if (at < 0) {
		unrecorded(life, sayings);
		return;
	}
	tally.transfers++;
	drop(at);
	structure_holds(life, op->kind, op->ip, sayings);
	if (more_wanted())
		note(life, EB_EVENT_GIVE, op->ip);
}

static int of_structure(const struct life *life, enum eb_debug_kind kind)
{
	int i;

	for (i = nr_refs - 1; i >= 0; i--)
		if (is_of(&refs[i], life) && refs[i].holder == STRUCTURE &&
		    refs[i].kind == kind)
			break;
	return i;
}

static void take(struct life *life, const struct op *op, struct sayings *sayings)
{
	int at = of_structure(life, op->kind);

	if (at < 0)
		return;
	tally.transfers++;
	drop(at);
	if (op->who != IRQ)
		task_holds(life, op, op->kind, sayings);
	else
		structure_holds(life, EB_KIND_IRQ, op->ip, sayings);
	if (more_wanted())
		note(life, EB_EVENT_TAKE, op->ip);
}

/* The nodes of a path belong to it, and to whoever has searched. */
static void path(const struct op *op)
{
	int i, at;

	for (i = 0; i < op->nr_nodes; i++) {
		at = which(&lives[op->nodes[i]], op->who, op->path);
		if (at < 0 || (refs[at].path != NO_PATH && refs[at].path != op->path))
			continue;
		refs[at].path = op->path;
		refs[at].site = op->ip;
		refs[at].kind = EB_KIND_PATH;
	}
}

static void suspect(const struct op *op, const struct ref *ref)
{
	int nr = tasks[op->who].nr_suspicions++;
	size_t size = (nr + 1) * sizeof(struct suspicion);

	tally.doubts_forgotten += nr >= EB_DOUBTS;
	tasks[op->who].suspicions = realloc(tasks[op->who].suspicions, size);
	tasks[op->who].suspicions[nr] = (struct suspicion) {
		.life = ref->life, .serial = ref->serial, .path = ref->path, .by = op->ip,
	};
}

/*
 * Who has given back before what the release of a path misses now?  The last four are
 * remembered.
 */
static u32 blame(const struct life *life, unsigned int who)
{
	int i, nr = tasks[who].nr_suspicions;

	for (i = nr - 1; i >= 0 && i >= nr - EB_DOUBTS; i--) {
		const struct suspicion *s = &tasks[who].suspicions[i];

		if (s->life == life && s->serial == life->serial &&
		    s->path == tasks[who].releasing) {
			tally.doubts++;
			return s->by;
		}
	}
	return 0;
}

/* The reference that is given back, -1 if whoever does that is not known to hold one. */
static int given_back(const struct life *life, const struct op *op)
{
	if (op->who == IRQ)
		return of_structure(life, EB_KIND_IRQ);
	return which(life, op->who, tasks[op->who].releasing);
}

/* Nobody can say who holds a dummy of the self-tests. */
static bool is_dummy(const struct op *op)
{
	return op->flags & EB_FLAG_UNMAPPED && op->flags & EB_FLAG_TREE_REF;
}

static bool leaves_lock(const struct life *life, const struct op *op)
{
	return op->who != IRQ && op->lock_owner == op->who && complete(life) &&
	       held_of(life, op->who, EB_KIND_COUNT) == 1 &&
	       !held_of(life, STRUCTURE, EB_KIND_RELOC);
}

static void put(struct life *life, const struct op *op, struct sayings *sayings)
{
	struct said said = { .event = EB_EVENT_PUT };
	int at = given_back(life, op);
	bool is_known = at >= 0 || (complete(life) && !is_dummy(op));
	/* History has it in any case if it is not what puts are like. */
	bool is_unusual = at < 0 || op->who == IRQ || op->refs < 1 ||
			  owes_any_write(life, op) || op->lock_owner == op->who;

	counts(&said, EB_COUNT_PUTS);
	if (!is_known)
		counts(&said, EB_COUNT_UNKNOWN);
	means(&said, EB_RULE_PUT_WITHOUT_REFERENCE,
	      op->refs > 0 && (at >= 0 || !is_known));
	means(&said, EB_RULE_PUT_LOCKED, at < 0 || !leaves_lock(life, op));
	if (owes_write(life, op))
		means(&said, EB_RULE_WRITEBACK_WITHOUT_IO,
		      !(op->flags & EB_FLAG_WRITEBACK));
	if (at < 0 && is_known && op->who != IRQ)
		said.blame = blame(life, op->who);
	if (at >= 0) {
		if (refs[at].path < PATHS && op->who != IRQ &&
		    refs[at].path != tasks[op->who].releasing)
			suspect(op, &refs[at]);
		drop(at);
	}
	if (is_unusual || more_wanted())
		note(life, EB_EVENT_PUT, op->ip);
	say(sayings, &said);
}

/* Whatever a task has left is told, the oldest first; true: until a report was printed. */
static bool left(const struct op *op, enum eb_rule rule, struct sayings *sayings)
{
	enum eb_debug_event event = rule == EB_RULE_LEFT_IN_PATH ?
				    EB_EVENT_PATH_FREE : EB_EVENT_TASK_END;
	int i = 0;

	while (i < nr_refs) {
		struct ref ref = refs[i];
		struct life *life = &lives[ref.life - lives];
		struct said said = { .event = event, .blame = ref.site };

		if (ref.holder != op->who ||
		    (rule == EB_RULE_LEFT_IN_PATH && ref.path != op->path)) {
			i++;
			continue;
		}
		drop(i);
		/* Somebody else has given it back. */
		if (!is_of(&ref, life) || !life->alive)
			continue;
		means(&said, rule, false);
		note(life, event, op->ip);
		say(sayings, &said);
		if (op->news)
			return true;
	}
	return false;
}

/* Whoever asks goes on only when it has been asked once in vain. */
static void nothing_left(const struct op *op, enum eb_rule rule,
			 enum eb_count count, struct sayings *sayings)
{
	sayings->judged |= 1ULL << rule;
	do {
		sayings->counted[count]++;
	} while (left(op, rule, sayings));
}

/*
 * What was counted in the buffer goes with it, and whoever frees the memory can't hold
 * what was in it.
 */
void owners_forget(const struct op *op)
{
	int i;

	for (i = nr_refs - 1; i >= 0; i--)
		if (is_of(&refs[i], &lives[op->eb]) &&
		    (refs[i].holder == STRUCTURE ||
		     (now_epoch && refs[i].holder == op->who)))
			drop(i);
}

static void forget_suspicions(unsigned int who)
{
	free(tasks[who].suspicions);
	tasks[who].suspicions = NULL;
	tasks[who].nr_suspicions = 0;
}

/* The guard was turned off, so that nobody knows any more what tasks hold. */
void owners_void(void)
{
	unsigned int who;
	int i;

	for (i = nr_refs - 1; i >= 0; i--)
		if (refs[i].holder != STRUCTURE)
			drop(i);
	for (who = 0; who < TASKS; who++) {
		tasks[who].releasing = NO_PATH;
		forget_suspicions(who);
	}
}

/* The table wants a place back, and has it of a task that holds nothing. */
static void sweep(const struct op *op)
{
	if (held_by(op->who))
		return;
	tasks[op->who].has_place = false;
	forget_suspicions(op->who);
}

void owners(struct life *life, const struct op *op, struct sayings *sayings)
{
	if (op->act == ACT_TABLE)
		table_full = op->arg;
	else if (op->act == ACT_SWEEP)
		sweep(op);
	if (!now_epoch)
		return;
	switch (op->act) {
	case ACT_GET:
		owners_get(life, op, op->kind, sayings);
		break;
	case ACT_GET_NODE:
		owners_get(life, op, EB_KIND_PATH, sayings);
		break;
	case ACT_HAND_OUT:
		hand_out(life, op);
		break;
	case ACT_GIVE:
		give(life, op, sayings);
		break;
	case ACT_TAKE:
		take(life, op, sayings);
		break;
	case ACT_PATH:
		path(op);
		break;
	case ACT_PATH_RELEASE:
		tasks[op->who].releasing = op->path;
		break;
	case ACT_EXTRA:
		tasks[op->who].releasing = EXTRA_PATH;
		break;
	case ACT_PATH_FREE:
		nothing_left(op, EB_RULE_LEFT_IN_PATH, EB_COUNT_PATH_FREES, sayings);
		break;
	case ACT_PUT:
		put(life, op, sayings);
		break;
	case ACT_TASK_END:
	case ACT_RETURN:
		nothing_left(op, EB_RULE_LEFT_BY_TASK, EB_COUNT_TASK_ENDS, sayings);
		break;
	default:
		break;
	}
}

void owners_reset(void)
{
	unsigned int who;

	nr_refs = 0;
	table_full = false;
	owners_void();
	for (who = 0; who < TASKS; who++)
		tasks[who].has_place = false;
}

/* Does any task hold what was in this memory, or is it not known to be gone? */
bool owners_know(unsigned int eb)
{
	int i;

	for (i = 0; i < nr_refs; i++)
		if (refs[i].life == &lives[eb] && refs[i].holder != STRUCTURE)
			return true;
	return false;
}

/* Has the task taken one more reference to one of these nodes since it is in the path? */
bool owners_took_more(const struct op *op)
{
	int i, in_path;

	for (i = 0; i < op->nr_nodes; i++) {
		const struct life *life = &lives[op->nodes[i]];

		in_path = newest_in(life, op->who, op->path, false);
		if (in_path >= 0 &&
		    newest_in(life, op->who, NO_PATH, false) > in_path)
			return true;
	}
	return false;
}

bool meaning_held(unsigned int eb)
{
	int i;

	for (i = 0; i < nr_refs; i++)
		if (is_of(&refs[i], &lives[eb]))
			return true;
	return false;
}

bool meaning_holds(unsigned int who, unsigned int eb)
{
	return held_of(&lives[eb], who, EB_KIND_COUNT);
}

unsigned int meaning_structures(unsigned int eb, enum eb_debug_kind kind)
{
	return held_of(&lives[eb], STRUCTURE, kind);
}

unsigned int meaning_shows(unsigned int who, struct shown *shown)
{
	unsigned int nr = 0;
	int i;

	for (i = 0; i < nr_refs; i++)
		if (refs[i].holder == who)
			shown[nr++] = (struct shown) {
				.eb = refs[i].life - lives, .path = refs[i].path,
				.kind = refs[i].kind, .site = refs[i].site,
			};
	return nr;
}
