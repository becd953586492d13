// SPDX-License-Identifier: GPL-2.0
/*
 * What happens next?
 *
 * Tasks follow scripts of what btrfs does, and take turns; how often one of them does
 * something that nobody would do is a property of the world that they are in.  All of it
 * follows from the seed of that world.
 */

#include "fuzz.h"

/* One step of a script: what is true of the buffer then, and what changes after. */
struct step {
	enum act act;
	enum eb_debug_event event;
	enum eb_debug_site site;
	u32 set;
	u32 clear;
	/* io_pages are this many less one, or as they are. */
	int pages;
	/* refs change before a get, after a put. */
	int refs;
};

#define STEPS		20
#define EVENT(_event, _site, ...)					\
	{ .act = ACT_EVENT, .event = EB_EVENT_##_event,			\
	  .site = EB_SITE_##_site, ##__VA_ARGS__ }
#define ACT(_act, ...)							\
	{ .act = ACT_##_act, .site = EB_SITE_PUT, ##__VA_ARGS__ }
/* 0 leaves them as they are. */
#define PAGES(_nr)	.pages = (_nr) + 1
#define SET(_flag)	.set = EB_FLAG_##_flag
#define CLEAR(_flag)	.clear = EB_FLAG_##_flag
#define FOUND		ACT(LOOKUP_BEGIN, .refs = 1)
#define HANDED_OUT	ACT(LOOKUP_END)
#define GET		ACT(GET, .refs = 1)
#define PUT		ACT(PUT, .refs = -1)
#define SLOW_PUT	EVENT(PUT_LOCKED, PUT)
#define IO_STATE	(EB_FLAG_UPTODATE | EB_FLAG_DIRTY | EB_FLAG_WRITEBACK | \
			 EB_FLAG_WRITE_ERR)

static const struct step scripts[][STEPS] = {
	/* a read of 5.10 and 6.1 */
	{ FOUND, HANDED_OUT, EVENT(IO_START, READ, .clear = IO_STATE, PAGES(0)),
	  EVENT(IO_ARM, READ, PAGES(2)), EVENT(IO_DANCE, READ),
	  EVENT(IO_SUBMIT, READ), EVENT(IO_PAGE, READ), EVENT(IO_PAGE, READ),
	  EVENT(IO_SENT, READ), EVENT(IO_END, READ_END),
	  EVENT(IO_END, READ_END, PAGES(1)),
	  EVENT(CLEAN, TREE, SET(UPTODATE), PAGES(0)), PUT, SLOW_PUT, ACT(RETURN) },
	/* a read of 7.x */
	{ GET, EVENT(READING, READ, .clear = IO_STATE, PAGES(0)),
	  ACT(UPTODATE), EVENT(IO_ARM, READ, PAGES(1)), EVENT(IO_DANCE, READ),
	  EVENT(IO_SUBMIT, READ), EVENT(IO_PAGE, READ), EVENT(IO_SENT, READ),
	  EVENT(IO_END, READ_END), EVENT(REFS_LOCK, READ_END),
	  EVENT(READING_CLEAR, READ_END),
	  EVENT(READ_PUT, READ_END, SET(UPTODATE), PAGES(0)), PUT, SLOW_PUT },
	/* the same behind a write that has failed */
	{ EVENT(CLEAN, TREE, .clear = IO_STATE, SET(WRITE_ERR)),
	  EVENT(IO_START, READ), EVENT(IO_ARM, READ), EVENT(IO_SENT, READ) },
	/* READING, and then there is nothing to read */
	{ EVENT(READING, READ), ACT(UPTODATE), EVENT(READING_CLEAR, READ_END) },
	/* a write */
	{ FOUND, HANDED_OUT, EVENT(MARKS, TREE, SET(DIRTY)), EVENT(REFS_LOCK, WRITE),
	  EVENT(WRITEBACK, WRITE, CLEAR(DIRTY), SET(WRITEBACK)),
	  EVENT(MARKS, WRITE), EVENT(IO_ARM, WRITE, PAGES(2)),
	  EVENT(MUST_DANCE, WRITE), EVENT(IO_DANCE, WRITE),
	  EVENT(IO_SUBMIT, WRITE), EVENT(IO_PAGE, WRITE), EVENT(WRITE_OUT, WRITE),
	  EVENT(IO_PAGE, WRITE), EVENT(IO_SENT, WRITE), PUT, SLOW_PUT,
	  EVENT(IO_END, WRITE_END), EVENT(WRITEBACK_END, WRITE_END, PAGES(0)),
	  EVENT(MARKS, WRITE_END, CLEAR(WRITEBACK)) },
	/* TREE_REF is lost and repaired */
	{ GET, EVENT(REFS_LOCK, TREE, CLEAR(TREE_REF)),
	  EVENT(TREE_REF_SET, TREE, SET(TREE_REF)), ACT(HAND_OUT), PUT, SLOW_PUT },
	/* reclaim */
	{ EVENT(REFS_LOCK, RELEASE), ACT(TESTED),
	  EVENT(TREE_REF_CLEAR, RELEASE, CLEAR(TREE_REF)) },
	{ EVENT(REFS_LOCK, RELEASE), EVENT(UNDER_IO, RELEASE),
	  EVENT(TREE_REF_CLEAR, RELEASE_SUBPAGE, CLEAR(TREE_REF)) },
	{ EVENT(REFS_LOCK, RELEASE), EVENT(RELEASE_REFUSED, RELEASE) },
	/* a stale buffer, and another one is made of it */
	{ GET, EVENT(STALE, PUT_STALE), EVENT(PUT_LOCKED, PUT_STALE),
	  ACT(TESTED), EVENT(TREE_REF_CLEAR, PUT_STALE), FOUND, HANDED_OUT,
	  EVENT(REFS_LOCK, LOOKUP), EVENT(NEW_BLOCK, TREE), PUT, SLOW_PUT },
	{ FOUND, EVENT(REFS_LOCK, LOOKUP), HANDED_OUT, PUT, SLOW_PUT },
	/* paths */
	{ GET, GET, ACT(PATH), ACT(PATH_RELEASE), PUT, PUT, ACT(PATH_FREE) },
	{ GET, ACT(GET_NODE, .refs = 1), ACT(PATH), PUT, ACT(PATH_RELEASE), PUT,
	  ACT(PATH_FREE), ACT(TASK_END) },
	{ GET, GET, ACT(EXTRA), PUT, PUT, ACT(RETURN) },
	/* nodes that are given back by hand, and one too many */
	{ ACT(GET_NODE, .refs = 1), PUT },
	{ ACT(GET_NODE, .refs = 1), PUT, ACT(PUT) },
	/* structures */
	{ GET, ACT(GIVE), GET, ACT(TAKE), PUT, SLOW_PUT, PUT, SLOW_PUT },
	{ ACT(TAKE), PUT, SLOW_PUT, ACT(HAND_OUT), ACT(TASK_END) },
	/* the end */
	{ EVENT(PRIVATE, TREE), PUT,
	  EVENT(LAST_PUT, TREE, .clear = IO_STATE | EB_FLAG_TREE_REF, PAGES(0)),
	  EVENT(FREE, TREE), ACT(FORGET) },
	{ EVENT(LAST_PUT, TREE), EVENT(FREE, TREE), ACT(FORGET) },
	{ EVENT(UNMOUNT, TREE), EVENT(INSERT, TREE), EVENT(CLEAN, TREE) },
};

/* What a buffer is like, as scripts leave it. */
static struct {
	u32 flags;
	int refs;
	int io_pages;
} buffers[BUFFERS];

static struct {
	const struct step *at;
	const struct step *end;
	u8 eb;
	u8 path;
} tasks[TASKS];

static struct {
	u64 state;
	/* How often, of 1024, somebody does what nobody would do. */
	unsigned int wild;
	/* How often a script begins anew before its end, of 1024. */
	unsigned int restless;
	unsigned int nr_buffers;
	unsigned int who;
	bool is_off;
	bool fs_error;
	bool read_holds;
	bool write_tests;
	/* The same again so many times. */
	unsigned int again;
	struct op op;
} world;

/* xorshift64*, see Vigna, "An experimental exploration of Marsaglia's xorshift generators". */
static u32 random_number(void)
{
	world.state ^= world.state >> 12;
	world.state ^= world.state << 25;
	world.state ^= world.state >> 27;
	return (world.state * 2685821657736338717ULL) >> 32;
}

static unsigned int below(unsigned int limit)
{
	return ((u64)random_number() * limit) >> 32;
}

static bool chance(unsigned int of_1024)
{
	return below(1024) < of_1024;
}

void choose_world(u64 seed)
{
	static const unsigned int wild[] = { 0, 4, 32, 128, 512, 1024 };

	memset(buffers, 0, sizeof(buffers));
	memset(tasks, 0, sizeof(tasks));
	memset(&world, 0, sizeof(world));
	/* Neighbouring seeds must not begin alike, and the state must not be 0. */
	world.state = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
	random_number();
	world.wild = wild[below(ARRAY_SIZE(wild))];
	world.restless = below(64);
	world.nr_buffers = 1 + below(BUFFERS);
	world.fs_error = chance(100);
	world.read_holds = chance(512);
	world.write_tests = chance(512);
}

static enum eb_debug_kind structure(void)
{
	return below(EB_KIND_STRUCTURES);
}

static enum eb_debug_kind any_kind(void)
{
	return chance(300) ? structure() :
	       EB_KIND_STRUCTURES + below(EB_KIND_COUNT - EB_KIND_STRUCTURES);
}

/* What marks go with depends on which of them is told of. */
static void choose_marks(struct op *op)
{
	op->marks = (op->flags & EB_FLAG_DIRTY ? EB_MARKED_DIRTY : 0) |
		    (op->flags & EB_FLAG_WRITEBACK ? EB_MARKED_WRITEBACK : 0);
	op->arg = op->site == EB_SITE_WRITE_END ? EB_MARKS_WRITTEN :
		  op->flags & EB_FLAG_WRITEBACK ? EB_MARKS_WRITEBACK :
		  op->flags & EB_FLAG_DIRTY ? EB_MARKS_DIRTY : EB_MARKS_CLEAN;
}

/* The newest references of the task that are in no other path, as a search has it. */
static void choose_nodes(struct op *op)
{
	struct shown shown[EB_HELD + 1];
	unsigned int nr = meaning_shows(op->who, shown);

	op->nr_nodes = 0;
	while (nr-- && op->nr_nodes < NODES && shown[nr].path == NO_PATH)
		op->nodes[op->nr_nodes++] = shown[nr].eb;
}

/* The buffer of a reference that the task holds, mostly of the newest one. */
static void choose_held(struct op *op)
{
	struct shown shown[EB_HELD + 1];
	unsigned int nr = op->who == IRQ ? 0 : meaning_shows(op->who, shown);

	if (nr)
		op->eb = shown[chance(768) ? nr - 1 : below(nr)].eb;
}

/* The rest of an event, as it would be if all were well. */
static void fill(struct op *op)
{
	op->flags = buffers[op->eb].flags;
	op->refs = buffers[op->eb].refs;
	op->io_pages = buffers[op->eb].io_pages;
	op->lock_owner = IRQ;
	op->door = chance(700);
	op->news = chance(900);
	op->locked = true;
	op->fs_error = world.fs_error && op->site == EB_SITE_WRITE && chance(512);
	op->read_holds = world.read_holds;
	op->write_tests = world.write_tests;
	op->in_tree = op->event == EB_EVENT_MARKS;
	op->ip = random_number();
	op->arg = op->event == EB_EVENT_PRIVATE;
	op->kind = op->act == ACT_GET ? any_kind() :
		   op->act == ACT_GIVE || op->act == ACT_TAKE ? structure() :
		   EB_KIND_LOOKUP;
	choose_marks(op);
	if (op->event != EB_EVENT_MARKS)
		op->arg = op->event == EB_EVENT_PRIVATE;
	if (op->act == ACT_PATH)
		choose_nodes(op);
}

/* One thing, or some, that are not as they should be. */
static void spoil(struct op *op)
{
	do {
		switch (below(14)) {
		case 0:
			op->flags ^= 1U << below(14);
			break;
		case 1:
			op->refs = (int)below(5) - 1;
			break;
		case 2:
			op->io_pages = below(4);
			break;
		case 3:
			op->locked = false;
			break;
		case 4:
			op->lock_owner = chance(512) ? op->who : below(TASKS);
			break;
		case 5:
			op->in_tree = !op->in_tree;
			break;
		case 6:
			op->on_list = true;
			break;
		case 7:
			op->fs_error = !op->fs_error;
			break;
		case 8:
			op->site = below(EB_SITE_COUNT);
			break;
		case 9:
			op->marks ^= 1U << below(3);
			break;
		case 10:
			op->arg = below(EB_MARKS_COUNT);
			break;
		case 11:
			op->path = below(PATHS);
			break;
		case 12:
			op->who = below(TASKS + 1);
			break;
		default:
			op->eb = below(world.nr_buffers);
			break;
		}
	} while (chance(512));
}

/* Events of which the core is told by others than owners. */
static enum eb_debug_event any_event(void)
{
	enum eb_debug_event event;

	do {
		event = below(EB_EVENT_COUNT);
	} while (event == EB_EVENT_GET || event == EB_EVENT_HOLD ||
		 event == EB_EVENT_GIVE || event == EB_EVENT_TAKE ||
		 event == EB_EVENT_PUT || event == EB_EVENT_ALLOC ||
		 event == EB_EVENT_LOOKUP || event == EB_EVENT_PATH_FREE ||
		 event == EB_EVENT_TASK_END || event == EB_EVENT_TREE_REF_REPAIR);
	return event;
}

/* Anything at all, but memory is rarely freed. */
static void choose_any(struct op *op)
{
	unsigned int i;

	do {
		op->act = chance(400) ? ACT_EVENT : below(ACT_LEVEL);
	} while (op->act == ACT_FORGET && chance(900));
	op->event = op->act == ACT_EVENT ? any_event() : EB_EVENT_GET;
	op->site = below(EB_SITE_COUNT);
	op->path = below(PATHS);
	fill(op);
	spoil(op);
	if (op->act == ACT_GET)
		op->kind = any_kind();
	if (op->act != ACT_PATH || chance(512))
		return;
	op->nr_nodes = below(NODES + 1);
	for (i = 0; i < op->nr_nodes; i++)
		op->nodes[i] = below(world.nr_buffers);
}

static enum eb_level any_level(void)
{
	return EB_LEVEL_GUARD + below(EB_LEVEL_COUNT - EB_LEVEL_GUARD);
}

/* What happens to the guard itself. */
static void choose_switch(struct op *op)
{
	static const enum act acts[] = {
		ACT_LEVEL, ACT_LEVEL, ACT_OFF, ACT_TABLE, ACT_TABLE, ACT_SWEEP,
	};

	op->act = acts[below(ARRAY_SIZE(acts))];
	op->event = EB_EVENT_GET;
	fill(op);
	op->arg = op->act == ACT_LEVEL ? any_level() : chance(256);
}

static bool begins(const struct step *step)
{
	return step->act || step->event;
}

static void begin_script(unsigned int who)
{
	const struct step *script = scripts[below(ARRAY_SIZE(scripts))];

	tasks[who].at = script;
	for (tasks[who].end = script; tasks[who].end < script + STEPS &&
	     begins(tasks[who].end); tasks[who].end++)
		;
	tasks[who].eb = below(world.nr_buffers);
	tasks[who].path = below(PATHS);
}

static void begin_life(struct op *op)
{
	op->act = ACT_ALLOC;
	op->event = EB_EVENT_GET;
	op->site = EB_SITE_TREE;
	buffers[op->eb].flags = chance(900) ? EB_FLAG_TREE_REF :
					     EB_FLAG_TREE_REF | EB_FLAG_UNMAPPED;
	buffers[op->eb].refs = 2;
	buffers[op->eb].io_pages = 0;
	fill(op);
	op->arg = chance(100);
	if (meaning_possible(op))
		return;
	/* Somebody still holds what was there before. */
	op->act = ACT_RETURN;
	op->who = below(TASKS);
}

static void choose_step(struct op *op)
{
	const struct step *step;

	if (tasks[op->who].at == tasks[op->who].end || chance(world.restless))
		begin_script(op->who);
	step = tasks[op->who].at;
	op->eb = tasks[op->who].eb;
	op->path = tasks[op->who].path;
	op->act = step->act;
	op->event = step->act == ACT_EVENT ? step->event : EB_EVENT_GET;
	op->site = step->site;
	if (op->act == ACT_PUT && chance(900))
		choose_held(op);
	if (!meaning_alive(op->eb)) {
		begin_life(op);
		return;
	}
	tasks[op->who].at++;
	buffers[op->eb].flags = (buffers[op->eb].flags & ~step->clear) | step->set;
	if (step->pages)
		buffers[op->eb].io_pages = step->pages - 1;
	if (step->refs > 0)
		buffers[op->eb].refs += step->refs;
	fill(op);
	if (step->refs < 0 && buffers[op->eb].refs > 1)
		buffers[op->eb].refs += step->refs;
	if (op->event == EB_EVENT_LAST_PUT)
		op->refs = 0;
}

/* The same reference again and again, until nobody can count them any more. */
static void begin_burst(const struct op *op)
{
	if ((op->act != ACT_GET && op->act != ACT_PUT) || !chance(3))
		return;
	world.op = *op;
	world.again = 1 + below(op->act == ACT_GET && op->kind < EB_KIND_STRUCTURES ?
				400 : 48);
}

/**
 * choose - make the next event up
 * @op: where to
 */
void choose(struct op *op)
{
	memset(op, 0, sizeof(*op));
	if (world.again) {
		world.again--;
		*op = world.op;
		return;
	}
	if (chance(400))
		world.who = below(TASKS);
	op->who = world.who;
	op->eb = below(world.nr_buffers);
	if (!world.is_off && chance(4)) {
		choose_switch(op);
		world.is_off = op->act == ACT_OFF;
	} else if (world.is_off && chance(32)) {
		op->act = ACT_ON;
		op->event = EB_EVENT_GET;
		op->arg = any_level();
		world.is_off = false;
	} else if (chance(world.wild / 2)) {
		choose_any(op);
	} else {
		choose_step(op);
		if (chance(world.wild / 4))
			spoil(op);
	}
	begin_burst(op);
}
