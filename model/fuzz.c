// SPDX-License-Identifier: GPL-2.0
/*
 * Does the guard judge as its rules mean?
 *
 *	fuzz EVENTS [SEED [WORLD]]
 *
 * Tells so many random events, or those of one world, to the guard and to meaning.c, and
 * compares after each what both say and know.  A world is 2000 events that begin with
 * nothing, so that what differs is repeated without what came before.
 *
 * Exit status 0: they never differed, and nothing that can be said was left unsaid.
 */

#include <inttypes.h>
#include "fuzz.h"
#include "eb_debug_names.h"

#define WORLD	2000

struct tally tally;

static u64 seed;
static struct op told[WORLD];
static unsigned long reported[EB_RULE_COUNT];
static unsigned long kept[EB_RULE_COUNT];
static unsigned long nr_told;
/* Failures are looked for again, and must not be counted again. */
static bool quiet;

static const char * const acts[ACT_COUNT] = {
	[ACT_EVENT] = "event", [ACT_TESTED] = "tested", [ACT_UPTODATE] = "uptodate",
	[ACT_ALLOC] = "alloc", [ACT_FORGET] = "forget",
	[ACT_LOOKUP_BEGIN] = "lookup_begin", [ACT_LOOKUP_END] = "lookup_end",
	[ACT_GET] = "get", [ACT_GET_NODE] = "get_node", [ACT_HAND_OUT] = "hand_out",
	[ACT_GIVE] = "give", [ACT_TAKE] = "take", [ACT_PATH] = "path",
	[ACT_PATH_RELEASE] = "path_release", [ACT_EXTRA] = "extra",
	[ACT_PATH_FREE] = "path_free", [ACT_PUT] = "put", [ACT_TASK_END] = "task_end",
	[ACT_RETURN] = "return", [ACT_SWEEP] = "sweep", [ACT_TABLE] = "table",
	[ACT_LEVEL] = "level", [ACT_OFF] = "off", [ACT_ON] = "on",
};

/* What nobody would show and what has nothing wrong is not said. */
void say(struct sayings *sayings, const struct said *said)
{
	if (said->quiet && !said->judged && !said->counts)
		return;
	assert(sayings->nr < SAID);
	sayings->said[sayings->nr++] = *said;
}

/* --- comparing ---------------------------------------------------------------- */

static bool same_said(const struct said *left, const struct said *right)
{
	return left->event == right->event && left->broken == right->broken &&
	       left->judged == right->judged && left->counts == right->counts &&
	       left->blame == right->blame && left->quiet == right->quiet;
}

static const char *compare_sayings(const struct sayings *guard,
				   const struct sayings *meaning)
{
	unsigned int i;

	if (guard->nr != meaning->nr)
		return "not the same number of verdicts";
	for (i = 0; i < guard->nr; i++)
		if (!same_said(&guard->said[i], &meaning->said[i]))
			return "another verdict";
	if (guard->judged != meaning->judged)
		return "not the same is judged beside";
	if (memcmp(guard->counted, meaning->counted, sizeof(guard->counted)))
		return "not the same is counted beside";
	return NULL;
}

static const char *compare_lists(unsigned int who)
{
	struct shown guard[EB_HELD + 1], meaning[EB_HELD + 1];
	unsigned int i, nr = guard_shows(who, guard);

	if (meaning_shows(who, meaning) != nr)
		return "the task holds another number of references";
	for (i = 0; i < nr; i++)
		if (guard[i].eb != meaning[i].eb || guard[i].path != meaning[i].path ||
		    guard[i].kind != meaning[i].kind || guard[i].site != meaning[i].site)
			return "the task holds another reference";
	return NULL;
}

static const char *compare_records(unsigned int eb)
{
	const struct btrfs_eb_debug *rec = guard_record(eb);
	u32 armed, submitted;
	unsigned int kind;

	if (!meaning_io_places(eb, &armed, &submitted))
		return NULL;
	if (rec->armed_at != armed || rec->submitted_at != submitted)
		return "another place of IO";
	if (rec->unrecorded != meaning_doubts(eb))
		return "the buffer is in doubt, or is not";
	for (kind = 0; kind < EB_KIND_STRUCTURES; kind++)
		if (btrfs_eb_core_structures(rec, kind) !=
		    meaning_structures(eb, kind))
			return "a structure holds another number of references";
	return meaning_history(eb, rec->history);
}

static void count(const struct sayings *sayings)
{
	unsigned int i, rule;

	for (i = 0; i < sayings->nr; i++) {
		const struct said *said = &sayings->said[i];

		reported[said->broken]++;
		for (rule = 0; rule < EB_RULE_COUNT; rule++)
			if (said->judged & BIT_ULL(rule) && said->broken != rule)
				kept[rule]++;
	}
	/* Of what a path or a task has left nothing is said if it is nothing. */
	for (rule = 0; rule < EB_RULE_COUNT && !sayings->nr; rule++)
		if (sayings->judged & BIT_ULL(rule))
			kept[rule]++;
}

/* Tell both; what differs, or NULL. */
static const char *tell(struct op *op, struct sayings *guard,
			struct sayings *meaning)
{
	const char *wrong;

	memset(guard, 0, sizeof(*guard));
	memset(meaning, 0, sizeof(*meaning));
	guard_settle(op);
	if (!meaning_possible(op))
		return NULL;
	guard_keeps_stale(op);
	guard_told(op, guard);
	meaning_of(op, meaning);
	if (!quiet) {
		nr_told++;
		count(guard);
	}
	wrong = compare_sayings(guard, meaning);
	if (!wrong && op->who != IRQ)
		wrong = compare_lists(op->who);
	if (!wrong)
		wrong = compare_records(op->eb);
	return wrong;
}

/* --- a failure ---------------------------------------------------------------- */

static void show_flags(u32 flags)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (flags & flag_names[i].flag)
			printf("|%s", flag_names[i].name);
}

static void show_op(const struct op *op)
{
	unsigned int i;

	printf("  %-12s", acts[op->act]);
	if (op->act == ACT_EVENT)
		printf(" %s", events[op->event]);
	printf(" task=%u buffer=%u path=%u site=%s kind=%s refs=%d io_pages=%d arg=%d flags=",
	       op->who, op->eb, op->path, sites[op->site], kinds[op->kind], op->refs,
	       op->io_pages, op->arg);
	show_flags(op->flags);
	printf("%s%s%s%s%s%s%s%s ip=%08x", op->door ? " door" : "",
	       op->news ? " news" : "", op->locked ? " locked" : "",
	       op->in_tree ? " in_tree" : "", op->on_list ? " on_list" : "",
	       op->fs_error ? " fs_error" : "", op->read_holds ? " read_holds" : "",
	       op->write_tests ? " write_tests" : "", op->ip);
	if (op->lock_owner != IRQ)
		printf(" tree_lock=%u", op->lock_owner);
	for (i = 0; op->act == ACT_PATH && i < op->nr_nodes; i++)
		printf(" node=%u", op->nodes[i]);
	puts("");
}

static void show_sayings(const char *who, const struct sayings *sayings)
{
	unsigned int i, rule;

	printf("%s: %u verdicts\n", who, sayings->nr);
	for (i = 0; i < sayings->nr; i++) {
		const struct said *said = &sayings->said[i];

		printf("  event=%s broken=%s counts=0x%x blame=%08x%s judged=",
		       events[said->event], rules[said->broken].name, said->counts,
		       said->blame, said->quiet ? " quiet" : "");
		for (rule = 0; rule < EB_RULE_COUNT; rule++)
			if (said->judged & BIT_ULL(rule))
				printf("|%s", rules[rule].name);
		puts("");
	}
}

static void show_list(const char *whose, const struct shown *shown, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		printf("  %s holds buffer=%u path=%u kind=%s ip=%08x\n", whose,
		       shown[i].eb, shown[i].path, kinds[shown[i].kind], shown[i].site);
}

static void show_lists(unsigned int who)
{
	struct shown shown[EB_HELD + 1];

	if (who == IRQ)
		return;
	show_list("guard: task", shown, guard_shows(who, shown));
	show_list("meaning: task", shown, meaning_shows(who, shown));
}

static void begin_world(void)
{
	guard_reset();
	meaning_reset();
}

/* Do these events end in the same difference, the last one of them? */
static bool fails_with(const struct op *ops, unsigned int nr, const char *wrong)
{
	struct sayings guard, meaning;
	const char *found = NULL;
	unsigned int i;

	begin_world();
	for (i = 0; i < nr && !found; i++) {
		struct op op = ops[i];

		found = tell(&op, &guard, &meaning);
	}
	return i == nr && found && !strcmp(found, wrong);
}

/* Leave out each run of so many events that is not needed; returns how many are left. */
static unsigned int leave_out(struct op *ops, unsigned int nr, unsigned int size,
			      const char *wrong)
{
	static struct op fewer[WORLD];
	unsigned int at = 0;

	while (at + size < nr) {
		memcpy(fewer, ops, at * sizeof(*ops));
		memcpy(fewer + at, ops + at + size, (nr - at - size) * sizeof(*ops));
		if (fails_with(fewer, nr - size, wrong)) {
			nr -= size;
			memcpy(ops, fewer, nr * sizeof(*ops));
		} else {
			at += size;
		}
	}
	return nr;
}

/* First much and then little. */
static unsigned int cut_short(struct op *ops, unsigned int nr, const char *wrong)
{
	unsigned int size = nr, before;

	while (size > 1) {
		size /= 2;
		do {
			before = nr;
			nr = leave_out(ops, nr, size, wrong);
		} while (nr < before);
	}
	return nr;
}

static void show_failure(unsigned int nr, const char *wrong)
{
	struct sayings guard = { 0 }, meaning = { 0 };
	struct op op = { 0 };
	unsigned int i;

	quiet = true;
	nr = cut_short(told, nr, wrong);
	printf("of that world these %u events are enough:\n", nr);
	begin_world();
	for (i = 0; i < nr; i++) {
		op = told[i];
		tell(&op, &guard, &meaning);
		show_op(&op);
	}
	show_sayings("guard", &guard);
	show_sayings("meaning", &meaning);
	show_lists(op.who);
}

/* One world; false if the two sides differ, which is shown. */
static bool live(u64 world)
{
	struct sayings guard, meaning;
	const char *wrong;
	unsigned int i;

	begin_world();
	choose_world(seed * 1000003 + world);
	for (i = 0; i < WORLD; i++) {
		choose(&told[i]);
		wrong = tell(&told[i], &guard, &meaning);
		if (!wrong)
			continue;
		printf("fuzz: %s: seed %" PRIu64 " world %" PRIu64 " event %" PRIu64 "\n",
		       wrong, seed, world, world * WORLD + i);
		show_failure(i + 1, wrong);
		return false;
	}
	return true;
}

/* --- coverage ----------------------------------------------------------------- */

static bool never(const char *what, unsigned long number)
{
	if (!number)
		printf("fuzz: there was never: %s\n", what);
	return !number;
}

static bool show_tally(void)
{
	const struct {
		const char *what;
		unsigned long number;
	} all[] = {
		{ "decided in line", tally.in_line },
		{ "decided by the owners", tally.out_of_line },
		{ "lists of tasks that were full", tally.list_full },
		{ "counters of structures that were full", tally.counter_full },
		{ "tasks without a place in the table", tally.table_full },
		{ "histories that went round", tally.history_wraps },
		{ "puts blamed on one before", tally.doubts },
		{ "puts of a path that were forgotten", tally.doubts_forgotten },
		{ "lives of buffers", tally.lives },
		{ "epochs", tally.epochs },
		{ "changes of the level", tally.levels },
		{ "references that changed hands", tally.transfers },
	};
	bool bad = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		printf("%-38s %lu\n", all[i].what, all[i].number);
		bad |= never(all[i].what, all[i].number);
	}
	return bad;
}

/* False if something that can be said was never said. */
static bool covered(void)
{
	bool bad = false;
	unsigned int i;

	for (i = EB_RULE_NONE + 1; i < EB_RULE_COUNT; i++) {
		printf("rule %-33s reported %lu, kept %lu\n", rules[i].name,
		       reported[i], kept[i]);
		bad |= never(rules[i].name, reported[i]);
		bad |= never(rules[i].name, kept[i]);
	}
	bad |= show_tally();
	return !bad;
}

int main(int argc, char **argv)
{
	u64 events = argc > 1 ? strtoull(argv[1], NULL, 0) : 0, world = 0;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	printf("seed %" PRIu64 "\n", seed);
	if (argc > 3)
		return !live(strtoull(argv[3], NULL, 0));
	while (nr_told < events)
		if (!live(world++))
			return 1;
	if (!covered())
		return 1;
	printf("%lu events, guard and meaning agree\n", nr_told);
	return 0;
}
