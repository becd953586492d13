// SPDX-License-Identifier: GPL-2.0
/*
 * The guard in user space: who tells it what happens, and hears what it says?
 *
 * The core, the ledger, the owners and the hooks in line are the kernel's files.  What
 * stands here in place of eb_debug_fs.c, eb_debug_table.c, eb_debug_live.c and
 * eb_debug_stack.c is as short as one CPU allows.
 */

#include "fuzz.h"
#include "eb_debug_fast.h"

struct task_struct *fuzz_current;
bool fuzz_in_task;
bool fuzz_no_memory;
unsigned long fuzz_ip;

struct static_key btrfs_eb_debug_key;
struct static_key btrfs_eb_note_key;
struct eb_counts *btrfs_eb_counts;
struct eb_hot btrfs_eb_hot;
enum eb_level btrfs_eb_level;
u32 btrfs_eb_epoch;
u32 btrfs_eb_trace_epoch;

static struct extent_buffer *buffers[BUFFERS];
static struct task_struct tasks[TASKS];
static struct eb_task *lists[TASKS];
static struct eb_task nobody;
static struct btrfs_path paths[PATHS];
static struct btrfs_eb_token tokens[TASKS + 1][BUFFERS];
static bool stale[BUFFERS];
static bool table_full;
static u32 last_epoch;

static const struct op *now;
static struct sayings *hears;

static void hear(const struct eb_judgement *judgement, u32 blame)
{
	struct said said = {
		.event = judgement->event,
		.broken = judgement->broken,
		.judged = judgement->judged,
		.counts = judgement->counts,
		.quiet = judgement->quiet,
		.blame = blame,
	};

	say(hears, &said);
}

/* --- in place of eb_debug_fs.c ---------------------------------------------- */

const char *btrfs_eb_conclude(struct extent_buffer *eb, const struct eb_look *look,
			      const struct eb_judgement *judgement,
			      const struct eb_held *held)
{
	if (eb->debug.history && !judgement->quiet)
		btrfs_eb_core_note(eb->debug.history, judgement->event,
				   look->refs, look->flags, look->ip, eb_now());
	if (look->epoch != btrfs_eb_epoch)
		return NULL;
	hear(judgement, held ? held->site : 0);
	return judgement->broken != EB_RULE_NONE && now->news ? "broken" : NULL;
}

static unsigned int held_by_anybody(const struct extent_buffer *eb)
{
	unsigned int i, held = 0;
	const struct eb_held *at;

	for (i = 0; i < EB_KIND_STRUCTURES; i++)
		held += btrfs_eb_core_structures(&eb->debug, i);
	for (i = 0; i < TASKS; i++)
		for (at = lists[i]->top; lists[i]->epoch == btrfs_eb_epoch &&
		     at > lists[i]->held; at--)
			held += at->eb == eb && at->serial == eb->debug.serial;
	return held;
}

void btrfs_eb_look(struct eb_look *look, const struct extent_buffer *eb,
		   enum eb_debug_event event, enum eb_debug_site site)
{
	look->task = in_task() ? current : NULL;
	look->site = site;
	look->flags = eb->flags;
	look->marks = eb->marks;
	look->refs = eb->refs;
	look->io_pages = eb->io_pages;
	look->locked = eb->locked;
	look->write_locked = eb->lock_owner;
	look->own_lock = look->task && eb->lock_owner == current->pid;
	look->in_tree = eb->in_tree;
	look->on_list = eb->on_list;
	look->fs_error = eb->fs_error;
	look->read_holds = eb->read_holds;
	look->write_tests = eb->write_tests;
	if (event == EB_EVENT_LAST_PUT &&
	    btrfs_eb_core_complete(&eb->debug, look->epoch)) {
		look->owned = EB_OWNED;
		look->held = held_by_anybody(eb);
	}
}

const char *btrfs_eb_debug_event(struct extent_buffer *eb,
				 enum eb_debug_event event,
				 enum eb_debug_site site, int arg)
{
	struct eb_look look = { .arg = arg, .ip = _RET_IP_ };
	struct eb_judgement judgement = { };

	look.epoch = eb_core_epoch();
	if (!look.epoch)
		return NULL;
	btrfs_eb_look(&look, eb, event, site);
	btrfs_eb_core_event(&eb->debug, &look, event, &judgement);
	return btrfs_eb_conclude(eb, &look, &judgement, NULL);
}

void btrfs_eb_debug_refs_lock(struct extent_buffer *eb)
{
	if (eb_core_epoch())
		btrfs_eb_core_section_open(&eb->debug, in_task() ? current : NULL,
					   eb_core_epoch(), eb_base_tree_ref(eb),
					   eb->locked);
}

const char *btrfs_eb_debug_lookup(struct extent_buffer *eb,
				  const struct btrfs_eb_token *token)
{
	struct eb_look look = { .ip = _RET_IP_, .epoch = btrfs_eb_epoch };
	struct eb_judgement judgement = { };

	if (!look.epoch || token->epoch != look.epoch || !token->stale)
		return NULL;
	btrfs_eb_look(&look, eb, EB_EVENT_LOOKUP, EB_SITE_LOOKUP);
	btrfs_eb_core_lookup(&eb->debug, &look, token, &judgement);
	return btrfs_eb_conclude(eb, &look, &judgement, NULL);
}

const char *btrfs_eb_debug_release_refused(struct extent_buffer *eb,
					   enum eb_debug_site site,
					   enum eb_debug_refusal why)
{
	return btrfs_eb_debug_event(eb, EB_EVENT_RELEASE_REFUSED, site, why);
}

void btrfs_eb_debug_said(void)
{
}

/* What suspects do is of no matter here. */
void btrfs_eb_debug_more(enum eb_more who, bool wanted)
{
	(void)who;
	(void)wanted;
}

/* --- in place of eb_debug_live.c and eb_debug_stack.c ------------------------- */

void btrfs_eb_live_add(struct extent_buffer *eb)
{
	eb->alive = true;
}

bool btrfs_eb_live_has(const struct extent_buffer *eb, u32 serial)
{
	return eb->alive && eb->debug.serial == serial;
}

int btrfs_eb_stack_init(void)
{
	return 0;
}

void btrfs_eb_stack_exit(void)
{
}

u32 btrfs_eb_stack(unsigned long place)
{
	(void)place;
	return _RET_IP_;
}

void btrfs_eb_trace_ref(const struct extent_buffer *eb,
			enum eb_debug_event event, enum eb_debug_kind kind,
			enum eb_debug_site site, unsigned long ip)
{
	(void)eb;
	(void)event;
	(void)kind;
	(void)site;
	(void)ip;
}

/* --- in place of eb_debug_table.c --------------------------------------------- */

static struct eb_task *find_list(void)
{
	struct eb_task *t = lists[current - tasks];

	return t->pid == current->pid ? t : NULL;
}

struct eb_task *btrfs_eb_table_find(u32 epoch)
{
	struct eb_task *t = eb_fast_list();

	if (eb_fast_mine(t))
		return t;
	t = epoch ? find_list() : NULL;
	if (!t || t->epoch != epoch)
		return NULL;
	btrfs_eb_hot.list = t;
	return t;
}

struct eb_task *btrfs_eb_table_enter(u32 epoch)
{
	struct eb_task *t = find_list();

	if (!t && table_full)
		return NULL;
	t = lists[current - tasks];
	t->pid = current->pid;
	eb_ledger_init(t);
	t->limit = t->held;
	t->epoch = epoch;
	return t;
}

bool btrfs_eb_table_room(struct eb_task *t)
{
	if (t->limit != t->held)
		return false;
	t->limit = &t->held[EB_HELD];
	return true;
}

void btrfs_eb_table_exit(void)
{
}

/* What was changed may be more than is decided in line. */
static void table_epoch(void)
{
	btrfs_eb_hot.list = &nobody;
}

static void sweep(struct eb_task *t)
{
	if (t->pid && (eb_ledger_empty(t) || t->epoch != btrfs_eb_epoch))
		t->pid = 0;
}

static void task_return(struct eb_task *t)
{
	if (t->pid != current->pid || t->epoch != btrfs_eb_epoch) {
		eb_debug_work_end();
		return;
	}
	if (eb_ledger_empty(t))
		btrfs_eb_hot.task_ends++;
	else
		eb_debug_work_end();
	t->limit = t->held;
}

/* --- the other side ----------------------------------------------------------- */

static void switch_level(enum eb_level level)
{
	btrfs_eb_level = level;
	btrfs_eb_note_key.on = level >= EB_LEVEL_HISTORY;
	table_epoch();
}

static void switch_off(bool hooks_live)
{
	btrfs_eb_epoch = 0;
	btrfs_eb_debug_key.on = hooks_live;
	switch_level(EB_LEVEL_OFF);
}

static void switch_on(enum eb_level level)
{
	btrfs_eb_epoch = ++last_epoch;
	btrfs_eb_debug_key.on = true;
	switch_level(level);
}

/* Whatever the core is told by a hook in line, if that is wanted. */
static void told_event(struct extent_buffer *eb, const struct op *op)
{
	if (op->door && op->event == EB_EVENT_PUT_LOCKED)
		eb_debug_put_locked(eb, op->site);
	else if (op->door && op->event == EB_EVENT_TREE_REF_CLEAR)
		eb_debug_tree_ref_clear(eb, op->site);
	else if (op->door && op->event == EB_EVENT_REFS_LOCK)
		eb_debug_refs_lock(eb);
	else if (op->door && op->event == EB_EVENT_IO_DANCE)
		eb_debug_dance(eb);
	else
		eb_debug_note(eb, op->event, op->site, op->arg);
}

static void search(const struct op *op)
{
	struct btrfs_path *path = &paths[op->path];
	int i;

	memset(path, 0, sizeof(*path));
	path->lowest_level = op->ip % (BTRFS_MAX_LEVEL - NODES);
	for (i = 0; i < op->nr_nodes; i++)
		path->nodes[path->lowest_level + i] = buffers[op->nodes[i]];
	eb_debug_path(path);
}

static void forget(struct extent_buffer *eb)
{
	eb->alive = false;
	btrfs_eb_owner_forget(eb);
	free(eb->debug.history);
	eb->debug.history = NULL;
}

static void get(struct extent_buffer *eb, const struct op *op)
{
	if (op->door)
		eb_debug_get_for_caller(eb, op->kind);
	else
		eb_debug_get(eb, op->kind);
}

static void tell(struct extent_buffer *eb, const struct op *op)
{
	switch (op->act) {
	case ACT_EVENT:
		return told_event(eb, op);
	case ACT_TESTED:
		return eb_debug_tested(&eb->debug);
	case ACT_UPTODATE:
		return eb_debug_uptodate(&eb->debug);
	case ACT_ALLOC:
		return btrfs_eb_debug_alloc(eb, _RET_IP_);
	case ACT_FORGET:
		return forget(eb);
	case ACT_LOOKUP_BEGIN:
		return eb_debug_lookup_begin(eb, &tokens[op->who][op->eb]);
	case ACT_LOOKUP_END:
		return eb_debug_lookup_end(eb, &tokens[op->who][op->eb]);
	case ACT_GET:
		return get(eb, op);
	case ACT_GET_NODE:
		return eb_debug_get_node(eb, &paths[op->path]);
	case ACT_HAND_OUT:
		return eb_debug_hand_out(eb, op->kind);
	case ACT_GIVE:
		return eb_debug_give(eb, op->kind);
	case ACT_TAKE:
		return eb_debug_take(eb, op->kind);
	case ACT_PATH:
		return search(op);
	case ACT_PATH_RELEASE:
		return eb_debug_path_release(&paths[op->path]);
	case ACT_EXTRA:
		return eb_debug_extra();
	case ACT_PATH_FREE:
		return eb_debug_path_free(&paths[op->path]);
	case ACT_PUT:
		return eb_debug_put(eb, op->site);
	case ACT_TASK_END:
		return eb_debug_work_end();
	case ACT_RETURN:
		return task_return(lists[op->who]);
	case ACT_SWEEP:
		return sweep(lists[op->who]);
	case ACT_TABLE:
		table_full = op->arg;
		return;
	case ACT_LEVEL:
		tally.levels++;
		return switch_level(op->arg);
	case ACT_OFF:
		return switch_off(op->arg);
	case ACT_ON:
		tally.epochs++;
		return switch_on(op->arg);
	default:
		return;
	}
}

/* The buffer as the event says that it is. */
static void set_buffer(struct extent_buffer *eb, const struct op *op)
{
	eb->flags = op->flags;
	eb->marks = op->marks;
	eb->refs = op->refs;
	eb->io_pages = op->io_pages;
	eb->lock_owner = op->lock_owner == IRQ ? 0 : tasks[op->lock_owner].pid;
	eb->locked = op->locked;
	eb->in_tree = op->in_tree;
	eb->on_list = op->on_list;
	eb->fs_error = op->fs_error;
	eb->read_holds = op->read_holds;
	eb->write_tests = op->write_tests;
}

/* What the hooks in line have counted, and what they would have said. */
static void hear_hot(const struct op *op)
{
	struct said put = {
		.event = EB_EVENT_PUT,
		.judged = BIT_ULL(EB_RULE_PUT_WITHOUT_REFERENCE) |
			  BIT_ULL(EB_RULE_PUT_LOCKED),
		.counts = BIT(EB_COUNT_PUTS),
	};
	int i;

	if (btrfs_eb_hot.puts[op->site])
		say(hears, &put);
	for (i = 0; i < EB_COUNT_COUNT; i++)
		hears->counted[i] = btrfs_eb_counts->count[i];
	hears->counted[EB_COUNT_GETS] += btrfs_eb_hot.gets;
	hears->counted[EB_COUNT_PATH_FREES] += btrfs_eb_hot.path_frees;
	hears->counted[EB_COUNT_TASK_ENDS] += btrfs_eb_hot.task_ends;
	if (hears->counted[EB_COUNT_PATH_FREES])
		hears->judged |= BIT_ULL(EB_RULE_LEFT_IN_PATH);
	if (hears->counted[EB_COUNT_TASK_ENDS])
		hears->judged |= BIT_ULL(EB_RULE_LEFT_BY_TASK);
	if (btrfs_eb_hot.gets || btrfs_eb_hot.path_frees || btrfs_eb_hot.puts[op->site])
		tally.in_line++;
	else if (btrfs_eb_epoch && op->act >= ACT_GET && op->act <= ACT_PUT)
		tally.out_of_line++;
}

static void clear_hot(void)
{
	struct eb_task *list = btrfs_eb_hot.list;

	memset(&btrfs_eb_hot, 0, sizeof(btrfs_eb_hot));
	btrfs_eb_hot.list = list;
	memset(btrfs_eb_counts->count, 0, sizeof(btrfs_eb_counts->count));
}

/**
 * guard_told - tell the guard what happens, and write down what it says
 * @op: what happens
 * @sayings: empty
 */
void guard_told(const struct op *op, struct sayings *sayings)
{
	struct extent_buffer *eb = buffers[op->eb];

	now = op;
	hears = sayings;
	fuzz_in_task = op->who != IRQ;
	fuzz_current = &tasks[op->who == IRQ ? 0 : op->who];
	fuzz_ip = op->ip;
	fuzz_no_memory = op->act == ACT_ALLOC && op->arg;
	clear_hot();
	if (op->act < ACT_PATH || op->act == ACT_PUT)
		set_buffer(eb, op);
	tell(eb, op);
	hear_hot(op);
}

/* A block is at one level of a tree, so it is once in a path. */
static void cut_path(struct op *op)
{
	unsigned int i, k;

	for (i = 0; i < op->nr_nodes; i++)
		for (k = 0; k < i; k++)
			if (op->nodes[k] == op->nodes[i])
				op->nr_nodes = i;
}

/* Hooks that are called by tasks only. */
static bool of_a_task(const struct op *op)
{
	switch (op->act) {
	case ACT_EVENT:
	case ACT_ALLOC:
	case ACT_FORGET:
	case ACT_LOOKUP_BEGIN:
	case ACT_LOOKUP_END:
	case ACT_GET:
	case ACT_TAKE:
	case ACT_PUT:
		return false;
	default:
		return true;
	}
}

/**
 * guard_settle - make an event one that a hook can tell of
 * @op: the event
 *
 * Hooks that stand in tasks are not called outside of one.  Who is known to hold a
 * reference sees a count of one at least, which a put in line takes on trust, see
 * eb_fast_put().
 */
void guard_settle(struct op *op)
{
	if (op->who == IRQ && of_a_task(op))
		op->who = 0;
	if (op->who == IRQ && op->act == ACT_PUT)
		op->site = EB_SITE_WRITE_END;
	if (op->who == IRQ && op->event == EB_EVENT_PUT_LOCKED)
		op->door = false;
	/* What a structure takes is not for a caller. */
	if (op->act == ACT_GET && op->kind < EB_KIND_STRUCTURES)
		op->door = false;
	cut_path(op);
	if (op->act == ACT_PUT && op->who != IRQ && op->refs < 1 &&
	    meaning_holds(op->who, op->eb))
		op->refs = 1;
}

/**
 * guard_keeps_stale - only a new block takes STALE back
 * @op: the event, which gets the flag if the buffer has it
 */
void guard_keeps_stale(struct op *op)
{
	bool *is_stale = &stale[op->eb];

	if (op->act == ACT_ALLOC)
		*is_stale = false;
	if (op->act == ACT_EVENT && op->event == EB_EVENT_STALE)
		*is_stale = true;
	op->flags = (op->flags & ~EB_FLAG_STALE) | (*is_stale ? EB_FLAG_STALE : 0);
	if (op->act == ACT_EVENT && op->event == EB_EVENT_NEW_BLOCK)
		*is_stale = false;
}

/* What is in the list of a task, as far as it is valid. */
unsigned int guard_shows(unsigned int who, struct shown *shown)
{
	const struct eb_task *t = lists[who];
	const struct eb_held *held;
	unsigned int i, nr = 0;

	if (!t->pid || !btrfs_eb_epoch || t->epoch != btrfs_eb_epoch)
		return 0;
	for (held = &t->held[1]; held <= t->top; held++, nr++) {
		for (i = 0; i < BUFFERS && buffers[i] != held->eb; i++)
			;
		shown[nr] = (struct shown) {
			.eb = i, .kind = held->kind, .site = held->site,
			.path = !held->path ? NO_PATH :
				held->path == EB_EXTRA ? EXTRA_PATH :
				held->path - paths,
		};
	}
	return nr;
}

const struct btrfs_eb_debug *guard_record(unsigned int eb)
{
	return &buffers[eb]->debug;
}

/* All memory is new, so that nobody reads or writes beside it. */
void guard_reset(void)
{
	unsigned int i;

	if (!btrfs_eb_counts)
		btrfs_eb_counts = calloc(1, sizeof(*btrfs_eb_counts));
	for (i = 0; i < BUFFERS; i++) {
		if (buffers[i])
			free(buffers[i]->debug.history);
		free(buffers[i]);
		buffers[i] = calloc(1, sizeof(*buffers[i]));
	}
	for (i = 0; i < TASKS; i++) {
		free(lists[i]);
		lists[i] = calloc(1, sizeof(*lists[i]));
		tasks[i].pid = i + 1;
		/* It goes round soon. */
		lists[i]->next_doubt = 0xfe;
	}
	memset(tokens, 0, sizeof(tokens));
	memset(stale, 0, sizeof(stale));
	table_full = false;
	last_epoch = 0;
	switch_on(EB_LEVEL_GUARD);
}
