// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: what would the guard have said?
 *
 * Each event is told to fs/btrfs/eb_debug.c, the guard's own core, with the look that
 * the hook took, and references go through eb_debug_ledger.h, the guard's own lists.
 * What they need beside is done here as fs/btrfs/eb_debug_owner.c and eb_debug_fs.c do
 * it in the kernel.
 *
 * What was not seen from its beginning is not judged, as in the kernel: the beginning
 * of the recording is when the guard was turned on, and events that were lost are the
 * guard turned off and on.
 */
#include "trace.h"

#define SPACE	(1 << 16)

/* What one task holds, and the lookup that it is in. */
struct task {
	struct task *next;
	int pid;
	u32 looked_up;
	struct btrfs_eb_token token;
	struct eb_task list;
};

struct replay replay = { .epoch = 1 };

static struct buffer *buffers[SPACE];
static struct buffer *spare;
static struct task *tasks[SPACE];

/* --- tables --------------------------------------------------------------------- */

static struct buffer **buffer_place(u32 serial)
{
	struct buffer **at = &buffers[serial % SPACE];

	while (*at && (*at)->rec.serial != serial)
		at = &(*at)->next;
	return at;
}

/* A buffer that is seen for the first time carries no epoch, and is not judged. */
static struct buffer *find_buffer(const struct event *e)
{
	struct buffer **at = buffer_place(e->serial), *buffer = *at;

	if (buffer)
		return buffer;
	buffer = spare;
	if (buffer)
		spare = buffer->next;
	else
		buffer = get_memory(sizeof(*buffer));
	memset(buffer, 0, sizeof(*buffer));
	buffer->rec.serial = e->serial;
	*at = buffer;
	return buffer;
}

static void forget_buffer(u32 serial)
{
	struct buffer **at = buffer_place(serial), *buffer = *at;

	if (!buffer)
		return;
	*at = buffer->next;
	buffer->next = spare;
	spare = buffer;
}

static struct buffer *known_buffer(u32 serial)
{
	return *buffer_place(serial);
}

/* The ledger only compares buffers; a number is never used again. */
static struct extent_buffer *as_eb(u32 serial)
{
	return (struct extent_buffer *)(uintptr_t)serial;
}

static struct task *find_task(int pid)
{
	struct task **at = &tasks[(u32)pid % SPACE], *t;

	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	t = *at;
	if (!t) {
		t = get_memory(sizeof(*t));
		t->pid = pid;
		*at = t;
	}
	if (t->list.epoch != replay.epoch) {
		eb_ledger_init(&t->list);
		t->list.epoch = replay.epoch;
	}
	return t;
}

static bool complete(const struct buffer *buffer)
{
	return btrfs_eb_core_complete(&buffer->rec, replay.epoch);
}

/* --- references ----------------------------------------------------------------- */

/*
 * The reference that this event is about.  With the guard on it has said of which kind
 * it is; a list that has several of them is searched from its newest on.
 */
static struct eb_held *find_held(struct task *t, const struct event *e)
{
	struct eb_held *held;

	for (held = t->list.top; held > t->list.held; held--)
		if (held->eb == as_eb(e->serial) && held->kind == e->kind)
			return held;
	return eb_ledger_find(&t->list, as_eb(e->serial), NULL);
}

/* What is the node of a path already is told once more after each search. */
static struct eb_held *find_other(struct task *t, const struct event *e)
{
	struct eb_held *held;

	for (held = t->list.top; held > t->list.held; held--)
		if (held->eb == as_eb(e->serial) && held->kind != EB_KIND_PATH)
			return held;
	return eb_ledger_find(&t->list, as_eb(e->serial), NULL);
}

static void task_gets(struct buffer *buffer, const struct event *e,
		      struct outcome *out)
{
	static u32 refs;
	struct task *t = find_task(e->task);
	struct eb_held *held;

	if (eb_ledger_full(&t->list)) {
		buffer->rec.unrecorded = true;
		return;
	}
	held = eb_ledger_add(&t->list, as_eb(e->serial), e->serial, e->kind, 0);
	held->path = e->kind == EB_KIND_EXTRA ? EB_EXTRA : NULL;
	held->stack = ++refs;
	eb_ledger_added(&t->list, held);
	buffer->held++;
	out->ref = held->stack;
}

static void drop(struct task *t, struct buffer *buffer, struct eb_held *held)
{
	eb_ledger_drop(&t->list, held);
	if (buffer->held)
		buffer->held--;
}

static void get(struct buffer *buffer, const struct event *e, struct outcome *out)
{
	out->change = REF_GET;
	if (e->kind >= EB_KIND_STRUCTURES && e->task)
		task_gets(buffer, e, out);
	else
		btrfs_eb_core_structure_get(&buffer->rec,
					    e->kind < EB_KIND_STRUCTURES ?
					    e->kind : EB_KIND_IRQ);
	/* A lookup of a stale buffer remembers what it compares at its end. */
	if (e->kind == EB_KIND_LOOKUP && e->task) {
		struct task *t = find_task(e->task);

		t->looked_up = e->serial;
		t->token.epoch = replay.epoch;
		t->token.lock_seq = buffer->rec.lock_seq;
		t->token.stale_seq = buffer->rec.stale_seq;
		t->token.stale = e->flags & EB_FLAG_STALE;
	}
}

static void hold(const struct event *e, struct outcome *out)
{
	struct task *t = find_task(e->task);
	struct eb_held *held = find_other(t, e);

	out->change = REF_HOLD;
	if (!held)
		return;
	held->kind = e->kind;
	out->ref = held->stack;
}

static void give(struct buffer *buffer, const struct event *e,
		 struct outcome *out)
{
	struct task *t = find_task(e->task);
	struct eb_held *held = eb_ledger_find(&t->list, as_eb(e->serial), NULL);

	out->change = REF_GIVE;
	if (e->kind >= EB_KIND_STRUCTURES || !held) {
		buffer->rec.unrecorded = true;
		return;
	}
	out->ref = held->stack;
	btrfs_eb_core_structure_get(&buffer->rec, e->kind);
	drop(t, buffer, held);
}

static void take(struct buffer *buffer, const struct event *e,
		 struct outcome *out)
{
	out->change = REF_TAKE;
	if (e->kind >= EB_KIND_STRUCTURES ||
	    !btrfs_eb_core_structure_put(&buffer->rec, e->kind))
		return;
	if (e->task)
		task_gets(buffer, e, out);
	else
		btrfs_eb_core_structure_get(&buffer->rec, EB_KIND_IRQ);
}

/* As judge_put() of the kernel. */
static void put(struct buffer *buffer, const struct event *e,
		struct eb_look *look, struct outcome *out)
{
	u32 dummy = EB_FLAG_UNMAPPED | EB_FLAG_TREE_REF;
	struct task *t = e->task ? find_task(e->task) : NULL;
	struct eb_held *held = t ? find_held(t, e) : NULL;
	bool owned = held;

	out->change = REF_PUT;
	if (!t)
		owned = btrfs_eb_core_structure_put(&buffer->rec, EB_KIND_IRQ);
	if (owned)
		look->owned = EB_OWNED;
	else if (complete(buffer) && (e->flags & dummy) != dummy)
		look->owned = EB_NOT_OWNED;
	if (!held)
		return;
	look->lock_left = complete(buffer) && look->own_lock &&
			  !eb_ledger_has_more(&t->list, held) &&
			  !btrfs_eb_core_structures(&buffer->rec, EB_KIND_RELOC);
	out->ref = held->stack;
	drop(t, buffer, held);
}

static unsigned int held_by_anybody(const struct buffer *buffer)
{
	unsigned int kind, held = buffer->held;

	for (kind = 0; kind < EB_KIND_STRUCTURES; kind++)
		held += btrfs_eb_core_structures(&buffer->rec, kind);
	return held;
}

/* --- one event ------------------------------------------------------------------ */

static void look_of(struct eb_look *look, const struct event *e, const void *task)
{
	memset(look, 0, sizeof(*look));
	look->task = task;
	look->epoch = replay.epoch;
	look->flags = e->flags;
	look->refs = e->refs;
	look->io_pages = e->io_pages;
	look->arg = e->arg;
	look->site = e->at;
	look->locked = e->seen & EB_SEEN_LOCKED;
	look->tested = e->seen & EB_SEEN_TESTED;
	look->write_locked = e->seen & EB_SEEN_WRITE_LOCKED;
	look->own_lock = e->seen & EB_SEEN_OWN_LOCK;
	look->in_tree = e->seen & EB_SEEN_IN_TREE;
	look->on_list = e->seen & EB_SEEN_ON_LIST;
	look->fs_error = e->seen & EB_SEEN_FS_ERROR;
	look->read_holds = e->seen & EB_SEEN_READ_HOLDS;
	look->write_tests = e->seen & EB_SEEN_WRITE_TESTS;
	look->marks = (e->seen & EB_SEEN_MARK_DIRTY ? EB_MARKED_DIRTY : 0) |
		      (e->seen & EB_SEEN_MARK_WRITEBACK ? EB_MARKED_WRITEBACK : 0) |
		      (e->seen & EB_SEEN_MARK_TOWRITE ? EB_MARKED_TOWRITE : 0);
}

static void alloc(struct buffer *buffer)
{
	u32 serial = buffer->rec.serial;

	memset(&buffer->rec, 0, sizeof(buffer->rec));
	buffer->rec.serial = serial;
	buffer->rec.epoch = replay.epoch;
	buffer->rec.section_epoch = replay.epoch;
	buffer->held = 0;
	buffer->distrusted = false;
}

/* What the event does to the ledger, and what the core wants to know from there. */
static void ledger(struct buffer *buffer, const struct event *e,
		   struct eb_look *look, struct outcome *out)
{
	struct eb_held *held;

	switch (e->event) {
	case EB_EVENT_ALLOC:
		alloc(buffer);
		break;
	case EB_EVENT_GET:
		get(buffer, e, out);
		break;
	case EB_EVENT_HOLD:
		hold(e, out);
		break;
	case EB_EVENT_GIVE:
		give(buffer, e, out);
		break;
	case EB_EVENT_TAKE:
		take(buffer, e, out);
		break;
	case EB_EVENT_PUT:
		put(buffer, e, look, out);
		break;
	case EB_EVENT_LAST_PUT:
		if (!complete(buffer))
			break;
		look->owned = EB_OWNED;
		look->held = held_by_anybody(buffer);
		break;
	case EB_EVENT_PATH_FREE:
	case EB_EVENT_TASK_END:
		/* The guard tells of these when something is left. */
		look->held = 1;
		held = eb_ledger_find(&find_task(e->task)->list,
				      as_eb(e->serial), NULL);
		if (held)
			drop(find_task(e->task), buffer, held);
		break;
	default:
		break;
	}
}

/* What the kernel notes in line, and tells with the event that is judged by it. */
static void asked(struct btrfs_eb_debug *rec, const struct eb_look *look,
		  enum eb_debug_event event)
{
	if (!look->tested)
		return;
	if (event == EB_EVENT_IO_ARM)
		rec->reading_tested = true;
	else
		rec->section |= EB_SECTION_TESTED;
}

static void core(struct buffer *buffer, const struct event *e,
		 const struct eb_look *look, struct eb_judgement *judgement)
{
	enum eb_debug_event event = e->event;
	struct task *t;

	if (event == EB_EVENT_LOOKUP) {
		t = e->task ? find_task(e->task) : NULL;
		if (t && t->looked_up == e->serial)
			btrfs_eb_core_lookup(&buffer->rec, look, &t->token,
					     judgement);
		judgement->event = event;
		return;
	}
	/* It turned out to be that by what the core knew. */
	if (event == EB_EVENT_TREE_REF_REPAIR)
		event = EB_EVENT_TREE_REF_SET;
	/* The clear of TREE_REF has told of it. */
	if (event == EB_EVENT_RELEASE_REFUSED && e->arg == EB_RELEASED) {
		judgement->event = event;
		return;
	}
	asked(&buffer->rec, look, event);
	btrfs_eb_core_event(&buffer->rec, look, event, judgement);
	if (e->event == EB_EVENT_TREE_REF_REPAIR)
		judgement->event = e->event;
}

static void conclude(struct buffer *buffer, const struct event *e,
		     const struct eb_judgement *judgement, struct outcome *out)
{
	out->event = judgement->event;
	replay.judged += __builtin_popcountll(judgement->judged);
	out->unknown = judgement->counts & BIT(EB_COUNT_UNKNOWN);
	replay.unknown += out->unknown;
	replay.repairs += e->event == EB_EVENT_TREE_REF_REPAIR;
	if (judgement->broken == EB_RULE_NONE || buffer->distrusted)
		return;
	buffer->distrusted = true;
	out->rule = judgement->broken;
	replay.verdicts++;
}

/*
 * The memory goes, or a buffer that lost a race never came into the tree.  A step of a
 * buffer that is not known is no reason to know it: it may be on its way to be freed.
 */
static bool is_end(const struct event *e, bool known)
{
	return (e->quiet && !known) || e->event == EB_EVENT_FREE ||
	       e->event == EB_EVENT_UNMOUNT ||
	       (e->event == EB_EVENT_PUT && e->at == EB_SITE_TREE && e->refs <= 1);
}

/**
 * replay_event - tell the core of an event
 * @event: the event
 */
void replay_event(const struct event *event)
{
	struct outcome out = { .event = event->event };
	struct eb_judgement judgement = { 0 };
	struct buffer *buffer;
	struct eb_look look;
	bool known;

	if (!replay.first_ns)
		replay.first_ns = event->ns;
	replay.last_ns = event->ns;
	known = known_buffer(event->serial);
	buffer = find_buffer(event);
	replay.buffers += !known && !event->quiet;
	if (event->event == EB_EVENT_COUNT) {
		replay.said++;
	} else {
		look_of(&look, event, event->task ? find_task(event->task) : NULL);
		ledger(buffer, event, &look, &out);
		core(buffer, event, &look, &judgement);
		conclude(buffer, event, &judgement, &out);
	}
	buffer->last = *event;
	buffer->events++;
	if (replay.seen)
		replay.seen(buffer, event, &out);
	if (is_end(event, known))
		forget_buffer(event->serial);
}

/* Events are missing here: what came before is not the beginning of anything. */
void replay_lost(void)
{
	replay.epoch++;
}

/* All buffers that have not come to their end. */
void replay_buffers(void (*found)(const struct buffer *buffer))
{
	struct buffer *buffer;
	unsigned int i;

	for (i = 0; i < SPACE; i++)
		for (buffer = buffers[i]; buffer; buffer = buffer->next)
			found(buffer);
}

/* All references that tasks hold, of buffers that are still there. */
void replay_held(void (*found)(int task, const struct eb_held *held))
{
	struct eb_held *held;
	struct task *t;
	unsigned int i;

	for (i = 0; i < SPACE; i++)
		for (t = tasks[i]; t; t = t->next)
			for (held = &t->list.held[1];
			     t->list.epoch == replay.epoch && held <= t->list.top;
			     held++)
				if (known_buffer(held->serial))
					found(t->pid, held);
}
