// SPDX-License-Identifier: GPL-2.0
/*
 * The owners of references: who takes one, who gives it back, and who has not?
 *
 * Whatever a task holds is in a list of that task: only it can give that back, the
 * list needs no lock, and tasks that meet at the root of a tree share nothing.
 * What a structure of btrfs holds, as root->node, is counted in the buffer.
 * References move between the two where btrfs moves them.
 *
 * What is usual about a get and a put is decided in line, in eb_debug_fast.h;
 * whatever is not comes here, and what is wrong goes to the core to be judged.
 * Nothing here allocates or takes a lock, except that a stack is stored when that is
 * asked for.
 *
 * A reference that can't be recorded, for want of room, leaves its buffer unjudged.
 */

#include <linux/workqueue.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_fast.h"

/* Sites that have lost a reference: their stacks are kept from then on. */
#define EB_SUSPECTS	16

/* Tells buffers apart that have the same memory, one after the other. */
static atomic_t eb_serial;

static u32 eb_suspects[EB_SUSPECTS];
static atomic_t eb_nr_suspects;

/* What suspects do is known from this on. */
static void watch_suspects(struct work_struct *work);
static DECLARE_WORK(eb_suspects_work, watch_suspects);

/* Something beside the owners is wanted at each get and put. */
static __always_inline bool more_wanted(void)
{
	return static_branch_unlikely(&btrfs_eb_note_key);
}

static bool is_suspect(u32 site)
{
	int i, nr = min(atomic_read(&eb_nr_suspects), EB_SUSPECTS);

	for (i = 0; i < nr; i++)
		if (READ_ONCE(eb_suspects[i]) == site)
			return true;
	return false;
}

/*
 * Level stacks keeps the stack of every get, others of those that were guilty.
 * @place is where the address of the hook is on the stack, 0 if that is not known.
 */
static void keep_stack(struct eb_held *held, unsigned long place)
{
	if (held->stack || (READ_ONCE(btrfs_eb_level) < EB_LEVEL_STACKS &&
			    !is_suspect(held->site)))
		return;
	held->stack = btrfs_eb_stack(place);
}

static __always_inline void note(struct extent_buffer *eb,
				 enum eb_debug_event event, u32 site)
{
	struct eb_history *history = READ_ONCE(eb->debug.history);

	if (history)
		btrfs_eb_core_note(history, event, eb_base_refs(eb),
				   eb_base_flags(eb), site, eb_now());
}

static bool listened_to(enum eb_debug_event event)
{
	switch (event) {
	case EB_EVENT_GET:
		return tracepoint_enabled(btrfs_eb_get);
	case EB_EVENT_GIVE:
		return tracepoint_enabled(btrfs_eb_give);
	case EB_EVENT_TAKE:
		return tracepoint_enabled(btrfs_eb_take);
	default:
		return tracepoint_enabled(btrfs_eb_hold);
	}
}

/* Tell those who trace of a reference. */
static __always_inline void told(const struct extent_buffer *eb,
				 enum eb_debug_event event,
				 enum eb_debug_kind kind, unsigned long ip)
{
	if (listened_to(event))
		btrfs_eb_trace_ref(eb, event, kind, EB_SITE_TREE, ip);
}

/* Of what is in the list of a task; the address is made up for those who trace only. */
static noinline __cold void told_held(const struct extent_buffer *eb,
				      enum eb_debug_event event,
				      const struct eb_held *held,
				      unsigned long near)
{
	btrfs_eb_trace_ref(eb, event, held->kind, EB_SITE_TREE,
			   eb_address(held->site, near));
}

static __always_inline void told_put(const struct extent_buffer *eb,
				     enum eb_debug_kind kind,
				     enum eb_debug_site site, unsigned long by)
{
	if (tracepoint_enabled(btrfs_eb_put))
		btrfs_eb_trace_ref(eb, EB_EVENT_PUT, kind, site, by);
}

/*
 * The guard is off, and who owns what is not known.  Those who trace are told what
 * the hook says; it may have no buffer.
 */
static bool only_told(u32 epoch, const struct extent_buffer *eb,
		      enum eb_debug_event event, enum eb_debug_kind kind,
		      unsigned long ip)
{
	if (likely(epoch))
		return false;
	if (more_wanted() && !IS_ERR_OR_NULL(eb))
		told(eb, event, kind, ip);
	return true;
}

/* Where the address is that this function returns to; elsewhere nobody asks. */
#ifdef EB_X86_64
#define EB_RETURN_PLACE	((unsigned long)__builtin_frame_address(0) + sizeof(long))
#else
#define EB_RETURN_PLACE	0
#endif

/* A get that was decided in line, and somebody wants to know more of it. */
void btrfs_eb_more_get(struct extent_buffer *eb, struct eb_held *held)
{
	note(eb, EB_EVENT_GET, held->site);
	if (tracepoint_enabled(btrfs_eb_get))
		told_held(eb, EB_EVENT_GET, held, _RET_IP_);
	if (READ_ONCE(btrfs_eb_level) >= EB_LEVEL_STACKS ||
	    atomic_read(&eb_nr_suspects))
		keep_stack(held, EB_RETURN_PLACE);
}

/* What this task has just given back lies above what it still holds. */
static noinline __cold void told_newest(struct extent_buffer *eb,
					enum eb_debug_site site, unsigned long by)
{
	struct eb_task *t = btrfs_eb_table_find(READ_ONCE(btrfs_eb_epoch));

	told_put(eb, t ? t->top[1].kind : EB_KIND_COUNT, site, by);
}

/* The same of a put. */
void btrfs_eb_more_put(struct extent_buffer *eb, enum eb_debug_site site,
		       unsigned long by)
{
	note(eb, EB_EVENT_PUT, by);
	if (tracepoint_enabled(btrfs_eb_put))
		told_newest(eb, site, by);
}

/* The same of a path: its nodes have got another site, which may be a suspect. */
void btrfs_eb_more_path(struct eb_task *t, const struct btrfs_path *path)
{
	struct eb_held *held;

	if (!atomic_read(&eb_nr_suspects) && !tracepoint_enabled(btrfs_eb_hold))
		return;
	for (held = t->top; held > t->held && held->path == path; held--) {
		if (atomic_read(&eb_nr_suspects))
			keep_stack(held, EB_RETURN_PLACE);
		if (tracepoint_enabled(btrfs_eb_hold))
			told_held(held->eb, EB_EVENT_HOLD, held, _RET_IP_);
	}
}

static noinline void unrecorded(struct extent_buffer *eb)
{
	WRITE_ONCE(eb->debug.unrecorded, true);
	eb_count(EB_COUNT_UNRECORDED);
}

/* The stack of a structure's reference: of the task which gave it, or of this one. */
static noinline void keep_structure_stack(struct extent_buffer *eb,
					  enum eb_debug_kind kind, u32 stack,
					  unsigned long place)
{
	struct eb_history *history = READ_ONCE(eb->debug.history);
	struct eb_held held = { .stack = stack };

	if (!history)
		return;
	if (in_task())
		keep_stack(&held, place);
	WRITE_ONCE(history->stacks[kind], held.stack);
}

/*
 * Where reads and transaction handles take theirs.  A kernel has one such place for
 * each of the two, so that it need not be kept in each buffer.
 */
static u32 eb_taken_at[EB_KIND_STRUCTURES - EB_KIND_READ];

static void structure_takes(struct btrfs_eb_debug *rec, enum eb_debug_kind kind,
			    u32 site)
{
	if (kind < EB_KIND_IRQ) {
		rec->kinds[kind].at = site;
		rec->kinds[kind].when = jiffies;
	} else if (kind > EB_KIND_IRQ) {
		u32 *at = &eb_taken_at[kind - EB_KIND_READ];

		/* All CPUs share it, so it is not written for nothing. */
		if (READ_ONCE(*at) != site)
			WRITE_ONCE(*at, site);
		rec->taken_when = jiffies;
	}
}

/**
 * btrfs_eb_owner_taken - where and when did a kind of structure take its last one?
 * @rec: the buffer's record
 * @kind: below EB_KIND_STRUCTURES, and not EB_KIND_IRQ, of which nothing is kept
 * @at: where to: low half of an address
 * @when: where to: jiffies
 *
 * Context: any.
 */
void btrfs_eb_owner_taken(const struct btrfs_eb_debug *rec,
			  enum eb_debug_kind kind, u32 *at, u32 *when)
{
	if (kind < EB_KIND_IRQ) {
		*at = READ_ONCE(rec->kinds[kind].at);
		*when = READ_ONCE(rec->kinds[kind].when);
	} else {
		*at = READ_ONCE(eb_taken_at[kind - EB_KIND_READ]);
		*when = READ_ONCE(rec->taken_when);
	}
}

static void structure_holds(struct extent_buffer *eb, enum eb_debug_kind kind,
			    u32 site, u32 stack, unsigned long place)
{
	struct btrfs_eb_debug *rec = &eb->debug;

	structure_takes(rec, kind, site);
	if (!btrfs_eb_core_structure_get(rec, kind))
		eb_count(EB_COUNT_UNRECORDED);
	if (kind < EB_KIND_IRQ && more_wanted())
		keep_structure_stack(eb, kind, stack, place);
}

static void task_holds(struct extent_buffer *eb, enum eb_debug_kind kind,
		       const struct btrfs_path *path, u32 site, u32 epoch,
		       unsigned long place)
{
	struct eb_task *t = btrfs_eb_table_find(epoch);
	struct eb_held *held;

	if (!t)
		t = btrfs_eb_table_enter(epoch);
	if (!t || (eb_ledger_full(t) && !btrfs_eb_table_room(t))) {
		unrecorded(eb);
		return;
	}
	held = eb_ledger_add(t, eb, eb->debug.serial, kind, site);
	if (path)
		held->path = path;
	if (more_wanted())
		keep_stack(held, place);
	eb_ledger_added(t, held);
}

static void holds(struct extent_buffer *eb, enum eb_debug_kind kind,
		  const struct btrfs_path *path, u32 site, u32 epoch,
		  unsigned long place)
{
	eb_count(EB_COUNT_GETS);
	if (kind < EB_KIND_STRUCTURES)
		structure_holds(eb, kind, site, 0, place);
	else if (likely(in_task()))
		task_holds(eb, kind, path, site, epoch, place);
	else
		structure_holds(eb, EB_KIND_IRQ, site, 0, 0);
	if (more_wanted()) {
		note(eb, EB_EVENT_GET, site);
		told(eb, EB_EVENT_GET, in_task() || kind < EB_KIND_STRUCTURES ?
				       kind : EB_KIND_IRQ,
		     eb_address(site, _RET_IP_));
	}
}

/**
 * btrfs_eb_debug_get - somebody took a reference
 * @eb: the buffer
 * @kind: as what
 * @ip: who, 0 for the function that the hook stands in
 *
 * Context: any.
 */
void btrfs_eb_debug_get(struct extent_buffer *eb, enum eb_debug_kind kind,
			unsigned long ip)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);

	if (likely(epoch))
		holds(eb, kind, NULL, ip ? ip : _RET_IP_, epoch,
		      EB_RETURN_PLACE);
	else
		only_told(epoch, eb, EB_EVENT_GET, kind, ip ? ip : _RET_IP_);
}

/**
 * btrfs_eb_debug_get_node - a task took a reference for a node of a path
 * @eb: the buffer
 * @path: the path
 *
 * Context: the task that uses the path.
 */
void btrfs_eb_debug_get_node(struct extent_buffer *eb,
			     const struct btrfs_path *path)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);

	if (epoch)
		holds(eb, EB_KIND_PATH, path, _RET_IP_, epoch, EB_RETURN_PLACE);
	else
		only_told(epoch, eb, EB_EVENT_GET, EB_KIND_PATH, _RET_IP_);
}

/**
 * btrfs_eb_debug_lookup_stale - a lookup has found a buffer that is STALE
 * @eb: the buffer
 * @token: on the stack of the function that looks up: what it remembers
 *
 * Context: any.
 */
void btrfs_eb_debug_lookup_stale(struct extent_buffer *eb,
				 struct btrfs_eb_token *token)
{
	token->lock_seq = READ_ONCE(eb->debug.lock_seq);
	token->stale_seq = READ_ONCE(eb->debug.stale_seq);
	/* The counts first: what moves after this must be seen to have moved. */
	smp_rmb();
	token->stale = eb_base_stale(eb);
	token->epoch = READ_ONCE(btrfs_eb_epoch);
}

/**
 * btrfs_eb_debug_alloc - a buffer begins to live, its first reference is held
 * @eb: the buffer
 * @ip: by whom
 *
 * Context: any.
 */
void btrfs_eb_debug_alloc(struct extent_buffer *eb, unsigned long ip)
{
	struct eb_look look = { .ip = _RET_IP_ };
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct eb_judgement judgement = { };

	memset(&eb->debug, 0, sizeof(eb->debug));
	eb->debug.serial = atomic_inc_return(&eb_serial);
	if (READ_ONCE(btrfs_eb_level) >= EB_LEVEL_HISTORY)
		eb->debug.history = kzalloc(sizeof(*eb->debug.history),
					    GFP_NOWAIT | __GFP_NOWARN);
	btrfs_eb_live_add(eb);
	look.epoch = epoch ? epoch : READ_ONCE(btrfs_eb_trace_epoch);
	if (!look.epoch)
		return;
	eb->debug.epoch = epoch;
	eb->debug.section_epoch = look.epoch;
	btrfs_eb_look(&look, eb, EB_EVENT_ALLOC, EB_SITE_TREE);
	btrfs_eb_core_event(&eb->debug, &look, EB_EVENT_ALLOC, &judgement);
	btrfs_eb_conclude(eb, &look, &judgement, NULL);
	if (!only_told(epoch, eb, EB_EVENT_GET, EB_KIND_NEW, ip))
		holds(eb, EB_KIND_NEW, NULL, ip, epoch, EB_RETURN_PLACE);
}

/*
 * Before the memory of a buffer goes: nobody can hold it now.  Called with the
 * guard off too, and before the table is made or after it has gone.
 */
void btrfs_eb_owner_forget(struct extent_buffer *eb)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct eb_task *t;
	struct eb_held *held;

	if (!epoch || !in_task())
		return;
	t = btrfs_eb_table_find(epoch);
	while (t && (held = eb_ledger_find(t, eb, NULL)))
		eb_ledger_drop(t, held);
}

/**
 * btrfs_eb_debug_hand_out - a reference of this task passes to another function
 * @eb: the buffer
 * @kind: as what it is held from now on
 * @ip: that function, 0 for the one that the hook stands in
 *
 * Context: the task that holds it.
 */
void btrfs_eb_debug_hand_out(struct extent_buffer *eb, enum eb_debug_kind kind,
			     unsigned long ip)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct eb_task *t = btrfs_eb_table_find(epoch);
	unsigned long site = ip ? ip : _RET_IP_;
	struct eb_held *held = t ? eb_ledger_find(t, eb, NULL) : NULL;

	if (!held) {
		only_told(epoch, eb, EB_EVENT_HOLD, kind, site);
		return;
	}
	held->site = site;
	held->kind = kind;
	if (more_wanted()) {
		keep_stack(held, EB_RETURN_PLACE);
		told(eb, EB_EVENT_HOLD, kind, site);
	}
}

/* Of what is in no list as long as the guard is off. */
static void path_only_told(u32 epoch, const struct btrfs_path *path,
			   unsigned long ip)
{
	int level = path->lowest_level;

	for (; level < EB_BASE_LEVELS && eb_base_node(path, level); level++)
		only_told(epoch, eb_base_node(path, level), EB_EVENT_HOLD,
			  EB_KIND_PATH, ip);
}

/**
 * btrfs_eb_debug_path - a search has put nodes into a path
 * @path: the path
 * @ip: who searched
 *
 * Each node has one reference; the task may hold more of the same buffer for
 * another purpose.  What is not in the path stays with the function that took it.
 *
 * Context: the task that uses the path.
 */
void btrfs_eb_debug_path(const struct btrfs_path *path, unsigned long ip)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct eb_task *t = btrfs_eb_table_find(epoch);
	int level = path->lowest_level;

	if (!t || eb_ledger_empty(t)) {
		path_only_told(epoch, path, ip);
		return;
	}
	for (; level < EB_BASE_LEVELS; level++) {
		const struct extent_buffer *eb = eb_base_node(path, level);
		struct eb_held *held;

		if (!eb)
			break;
		/* What is in the path already is told once more, nothing else. */
		held = eb_ledger_find(t, eb, path);
		if (!held || (held->path && held->path != path))
			continue;
		held->path = path;
		held->site = ip;
		held->kind = EB_KIND_PATH;
		if (more_wanted()) {
			keep_stack(held, EB_RETURN_PLACE);
			told(eb, EB_EVENT_HOLD, EB_KIND_PATH, ip);
		}
	}
}

/* What is given back next was taken as EB_KIND_EXTRA. */
void btrfs_eb_debug_extra(void)
{
	btrfs_eb_debug_path_release(EB_EXTRA);
}

/* The puts that follow give back the nodes of @path. */
void btrfs_eb_debug_path_release(const struct btrfs_path *path)
{
	struct eb_task *t = btrfs_eb_table_find(READ_ONCE(btrfs_eb_epoch));

	if (t)
		t->releasing = path;
}

/**
 * btrfs_eb_debug_give - a reference of this task passes to a structure
 * @eb: the buffer
 * @kind: the kind of structure
 * @ip: by whom, 0 for the function that the hook stands in
 *
 * Context: any.  What an interrupt gives nobody has recorded.
 */
void btrfs_eb_debug_give(struct extent_buffer *eb, enum eb_debug_kind kind,
			 unsigned long ip)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	struct eb_task *t = in_task() ? btrfs_eb_table_find(epoch) : NULL;
	unsigned long site = ip ? ip : _RET_IP_;
	struct eb_held *held = t ? eb_ledger_find(t, eb, NULL) : NULL;

	if (only_told(epoch, eb, EB_EVENT_GIVE, kind, site))
		return;
	if (more_wanted())
		told(eb, EB_EVENT_GIVE, kind, site);
	if (!held) {
		unrecorded(eb);
		return;
	}
	structure_holds(eb, kind, site, held->stack, EB_RETURN_PLACE);
	eb_ledger_drop(t, held);
	if (more_wanted())
		note(eb, EB_EVENT_GIVE, site);
}

/**
 * btrfs_eb_debug_take - this task takes over the reference of a structure
 * @eb: the buffer, or what the structure has in its place
 * @kind: the kind of structure
 * @ip: who takes it, 0 for the function that the hook stands in
 *
 * If the ledger does not know that the structure holds one, the task gets none,
 * and the put that follows is judged by that.
 *
 * Context: any.
 */
void btrfs_eb_debug_take(struct extent_buffer *eb, enum eb_debug_kind kind,
			 unsigned long ip)
{
	u32 epoch = READ_ONCE(btrfs_eb_epoch);
	unsigned long site = ip ? ip : _RET_IP_;

	if (only_told(epoch, eb, EB_EVENT_TAKE, kind, site) || IS_ERR_OR_NULL(eb))
		return;
	if (more_wanted())
		told(eb, EB_EVENT_TAKE, kind, site);
	if (!btrfs_eb_core_structure_put(&eb->debug, kind))
		return;
	if (in_task())
		task_holds(eb, kind, NULL, site, epoch, EB_RETURN_PLACE);
	else
		structure_holds(eb, EB_KIND_IRQ, site, 0, 0);
	if (more_wanted())
		note(eb, EB_EVENT_TAKE, site);
}

/* The self-tests give back the tree's reference of their dummies by hand. */
static bool is_test_dummy(const struct extent_buffer *eb)
{
	return (eb_base_flags(eb) & (EB_FLAG_UNMAPPED | EB_FLAG_TREE_REF)) ==
	       (EB_FLAG_UNMAPPED | EB_FLAG_TREE_REF);
}

static enum eb_owned owned(const struct extent_buffer *eb, bool held, u32 epoch)
{
	if (held)
		return EB_OWNED;
	if (is_test_dummy(eb))
		return EB_OWNED_UNKNOWN;
	return btrfs_eb_core_complete(&eb->debug, epoch) ? EB_NOT_OWNED :
							    EB_OWNED_UNKNOWN;
}

/* A put that the core has to judge. */
static noinline const char *judge_put(struct extent_buffer *eb,
				      enum eb_debug_site site,
				      unsigned long by, unsigned long ip)
{
	struct eb_look look = { .ip = ip, .epoch = READ_ONCE(btrfs_eb_epoch) };
	struct eb_judgement judgement = { };
	struct eb_task *t = NULL;
	struct eb_held *held = NULL, doubt = { };
	enum eb_debug_kind kind = EB_KIND_COUNT;
	const struct eb_held *found;

	if (!look.epoch) {
		if (more_wanted())
			told_put(eb, kind, site, by);
		return NULL;
	}
	btrfs_eb_look(&look, eb, EB_EVENT_PUT, site);
	if (look.task) {
		t = btrfs_eb_table_find(look.epoch);
		held = t ? eb_ledger_find(t, eb, t->releasing) : NULL;
		look.owned = owned(eb, held, look.epoch);
	} else {
		look.owned = owned(eb, btrfs_eb_core_structure_put(&eb->debug,
								   EB_KIND_IRQ),
				   look.epoch);
	}
	if (held)
		kind = held->kind;
	if (more_wanted())
		told_put(eb, kind, site, by);
	if (held) {
		/* Relocation keeps blocks locked that its own nodes hold. */
		look.lock_left = btrfs_eb_core_complete(&eb->debug, look.epoch) &&
				 look.own_lock &&
				 !eb_ledger_has_more(t, held) &&
				 !btrfs_eb_core_structures(&eb->debug,
							   EB_KIND_RELOC);
		eb_ledger_put(t, held, by);
	} else if (look.owned == EB_NOT_OWNED && t) {
		found = eb_ledger_doubt(t, eb, eb->debug.serial);
		if (found)
			doubt = *found;
	}
	btrfs_eb_core_event(&eb->debug, &look, EB_EVENT_PUT, &judgement);
	return btrfs_eb_conclude(eb, &look, &judgement, &doubt);
}

/**
 * btrfs_eb_debug_put - a reference is about to be given back
 * @eb: the buffer
 * @site: the function that btrfs calls for that
 * @by: who calls it
 *
 * Context: any.
 * Return: what the hook must print, see eb_debug_say(), or NULL.
 */
const char *btrfs_eb_debug_put(struct extent_buffer *eb,
			       enum eb_debug_site site, unsigned long by)
{
	enum eb_debug_kind kind;
	struct eb_held *held;
	struct eb_task *t;

	if (unlikely(!in_task()))
		return judge_put(eb, site, by, _RET_IP_);
	t = btrfs_eb_table_find(READ_ONCE(btrfs_eb_epoch));
	if (unlikely(!t))
		return judge_put(eb, site, by, _RET_IP_);
	held = eb_ledger_find(t, eb, t->releasing);
	if (unlikely(!held || eb_base_refs(eb) < 1 ||
		     READ_ONCE(eb->debug.wb_task) == current ||
		     eb_base_locked_by(eb, current->pid)))
		return judge_put(eb, site, by, _RET_IP_);

	kind = held->kind;
	eb_ledger_put(t, held, by);
	this_cpu_inc(btrfs_eb_hot.puts[site]);
	if (more_wanted()) {
		note(eb, EB_EVENT_PUT, by);
		told_put(eb, kind, site, by);
	}
	return NULL;
}

/* One reference that should not be there any more.  It is not held after this. */
static const char *judge_left(struct eb_task *t, struct eb_held *at,
			      enum eb_debug_event event, unsigned long ip)
{
	struct extent_buffer *eb = (struct extent_buffer *)at->eb;
	struct eb_look look = { .ip = ip, .epoch = t->epoch, .held = 1 };
	struct eb_judgement judgement = { };
	struct eb_held held = *at;
	const char *report = NULL;
	bool there;

	/*
	 * Asked while the task holds it, so that whoever frees it after that tells, and
	 * waits for us: by call_rcu(), or at unmount.
	 */
	rcu_read_lock();
	there = btrfs_eb_live_has(eb, held.serial);
	eb_ledger_drop(t, at);
	if (there) {
		btrfs_eb_owner_suspect(held.site);
		btrfs_eb_look(&look, eb, event, EB_SITE_TREE);
		btrfs_eb_core_event(&eb->debug, &look, event, &judgement);
		report = btrfs_eb_conclude(eb, &look, &judgement, &held);
	}
	rcu_read_unlock();
	return report;
}

/* Judge that nothing is left, one after the other; see what the hook prints. */
static const char *judge_all_left(const struct btrfs_path *path,
				  enum eb_debug_event event, unsigned long ip)
{
	struct eb_task *t = btrfs_eb_table_find(READ_ONCE(btrfs_eb_epoch));
	const char *report = NULL;
	struct eb_held *held;

	if (!t)
		return NULL;
	/* The oldest is told first: what came later may have come because of it. */
	for (held = &t->held[1]; held <= t->top && !report;)
		if (!path || held->path == path)
			report = judge_left(t, held, event, ip);
		else
			held++;
	return report;
}

static void count_judged(enum eb_rule rule, enum eb_count count)
{
	this_cpu_inc(btrfs_eb_counts->judged[rule][EB_SITE_TREE]);
	eb_count(count);
}

/**
 * btrfs_eb_debug_path_free - a path goes
 * @path: the path, released
 *
 * Context: the task that used it.
 * Return: as btrfs_eb_debug_put(); called again there may be another one.
 */
const char *btrfs_eb_debug_path_free(const struct btrfs_path *path)
{
	if (!READ_ONCE(btrfs_eb_epoch))
		return NULL;
	count_judged(EB_RULE_LEFT_IN_PATH, EB_COUNT_PATH_FREES);
	return judge_all_left(path, EB_EVENT_PATH_FREE, _RET_IP_);
}

/**
 * btrfs_eb_debug_task_end - a task is done, and must not hold a reference
 *
 * Context: the task.
 * Return: as btrfs_eb_debug_put(); called again there may be another one.
 */
const char *btrfs_eb_debug_task_end(void)
{
	if (!READ_ONCE(btrfs_eb_epoch))
		return NULL;
	count_judged(EB_RULE_LEFT_BY_TASK, EB_COUNT_TASK_ENDS);
	return judge_all_left(NULL, EB_EVENT_TASK_END, _RET_IP_);
}

/**
 * btrfs_eb_owner_suspect - a function has lost a reference
 * @site: low half of an address in it
 *
 * From now on the stacks of what it takes are kept, so that the second time tells
 * all.
 *
 * Context: any.
 */
void btrfs_eb_owner_suspect(u32 site)
{
	int nr;

	if (is_suspect(site))
		return;
	schedule_work(&eb_suspects_work);
	nr = atomic_inc_return(&eb_nr_suspects) - 1;
	if (nr < EB_SUSPECTS)
		WRITE_ONCE(eb_suspects[nr], site);
	else
		atomic_set(&eb_nr_suspects, EB_SUSPECTS);
}

/* Without memory for stacks there is still the second report. */
static void watch_suspects(struct work_struct *work)
{
	btrfs_eb_stack_init();
	btrfs_eb_debug_more(EB_MORE_SUSPECTS, true);
}

/* The guard is off. */
void btrfs_eb_owner_exit(void)
{
	btrfs_eb_table_exit();
	/* Nobody is in a hook any more who could ask for it. */
	cancel_work_sync(&eb_suspects_work);
	btrfs_eb_stack_exit();
}
