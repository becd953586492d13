// SPDX-License-Identifier: GPL-2.0
/*
 * The words of the extent buffer guard: every sentence that a person reads.
 *
 * What do we say about a verdict, and whom do we blame?  Nothing here judges,
 * locks, or touches an extent buffer: a verdict holds copies.  Titles are stable,
 * without a number, since people and machines tell reports apart by them.
 */

#define pr_fmt(fmt) "BTRFS eb_debug: " fmt

#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/printk.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include "ctree.h"
#include "extent_io.h"
#include "eb_debug_internal.h"
#include "eb_debug_base.h"
#include "eb_debug_names.h"

static const char * const counts[] = {
	[EB_COUNT_EVENTS] = "events",
	[EB_COUNT_ALLOC] = "alloc",
	[EB_COUNT_FREE] = "free",
	[EB_COUNT_READS] = "reads",
	[EB_COUNT_WRITES] = "writes",
	[EB_COUNT_IO_ENDS] = "io_ends",
	[EB_COUNT_GETS] = "gets",
	[EB_COUNT_PUTS] = "puts",
	[EB_COUNT_TASK_ENDS] = "task_ends",
	[EB_COUNT_PATH_FREES] = "path_frees",
	[EB_COUNT_UNRECORDED] = "unrecorded",
	[EB_COUNT_RELEASE_DONE] = "release_done",
	[EB_COUNT_RELEASE_BUSY] = "release_busy",
	[EB_COUNT_RELEASE_NO_TREE_REF] = "release_no_tree_ref",
	[EB_COUNT_REPAIRS] = "repairs",
	[EB_COUNT_FOREIGN_CLEARS] = "foreign_clears",
	[EB_COUNT_STALE_PUTS_UNDER_IO] = "stale_puts_under_io",
	[EB_COUNT_STALE_LOOKUPS] = "stale_lookups",
	[EB_COUNT_UNKNOWN] = "unknown",
	[EB_COUNT_DISTRUSTED] = "distrusted",
	[EB_COUNT_REPORTS] = "reports",
	[EB_COUNT_DROPPED] = "dropped",
};

static_assert(ARRAY_SIZE(counts) == EB_COUNT_COUNT);

static const char * const levels[] = {
	[EB_LEVEL_OFF] = "off",
	[EB_LEVEL_GUARD] = "guard",
	[EB_LEVEL_HISTORY] = "history",
	[EB_LEVEL_STACKS] = "stacks",
};

static_assert(ARRAY_SIZE(levels) == EB_LEVEL_COUNT);

const char *btrfs_eb_rule_name(enum eb_rule rule)
{
	return rules[rule].name;
}

const char *btrfs_eb_site_name(enum eb_debug_site site)
{
	return sites[site];
}

const char *btrfs_eb_count_name(enum eb_count count)
{
	return counts[count];
}

const char *btrfs_eb_kind_name(enum eb_debug_kind kind)
{
	return kinds[kind];
}

const char *btrfs_eb_level_name(enum eb_level level)
{
	return levels[level];
}

/**
 * btrfs_eb_flags_string - spell a buffer's flags out
 * @buf: where to
 * @size: its size; 128 holds them all
 * @flags: enum eb_flag
 *
 * Context: any.
 * Return: @buf, "-" in it if no flag is set.
 */
char *btrfs_eb_flags_string(char *buf, size_t size, u32 flags)
{
	size_t len = 0;
	int i;

	strscpy(buf, "-", size);
	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (flags & flag_names[i].flag)
			len += scnprintf(buf + len, size - len, "%s%s",
					 len ? "|" : "", flag_names[i].name);
	return buf;
}

/**
 * btrfs_eb_function_name - the name of a function, as people know it
 * @buf: where to
 * @size: its size
 * @ip: an address in that function, 0 if it is not known
 *
 * Without what the compiler or the module loader hangs on to it, so that titles
 * are stable.
 *
 * Context: any.
 */
void btrfs_eb_function_name(char *buf, size_t size, unsigned long ip)
{
	if (!ip) {
		strscpy(buf, "unknown", size);
		return;
	}
	snprintf(buf, size, "%ps", (void *)ip);
	buf[strcspn(buf, ". ")] = 0;
}

static const char * const helpers[] = { EB_BASE_HELPERS };

static bool is_helper(const char *function)
{
	return match_string(helpers, ARRAY_SIZE(helpers), function) >= 0;
}

/**
 * btrfs_eb_blame - find out which function a verdict is about
 * @verdict: with its rule and its look filled in
 *
 * Fills in the function and the address that tell one site from another.
 *
 * Context: any; walks the stack, so it must be called below the hook.
 */
void btrfs_eb_blame(struct eb_verdict *verdict)
{
	unsigned long stack[24];
	unsigned int nr, i;

	verdict->blamed_ip = verdict->owner_ip ? verdict->owner_ip :
						 verdict->look.ip;
	btrfs_eb_function_name(verdict->function, sizeof(verdict->function),
			       verdict->blamed_ip);
	if (verdict->owner_ip || rules[verdict->rule].blame_hook || !is_helper(verdict->function))
		return;

	nr = stack_trace_save(stack, ARRAY_SIZE(stack), 0);
	for (i = 0; i < nr && stack[i] != verdict->look.ip; i++)
		;
	while (++i < nr && is_helper(verdict->function)) {
		verdict->blamed_ip = stack[i];
		btrfs_eb_function_name(verdict->function,
				       sizeof(verdict->function), stack[i]);
	}
}

/**
 * btrfs_eb_state_facts - put a verdict into words
 * @verdict: with everything filled in but the facts, two lines, and the text
 *
 * Context: any.
 */
void btrfs_eb_state_facts(struct eb_verdict *verdict)
{
	const struct eb_shown *shown = &verdict->shown;
	size_t size = sizeof(verdict->facts);
	char flags[128];
	size_t len;

	len = scnprintf(verdict->facts, size,
			"rule=%s start=%llu level=%u owner=%lld generation=%llu refs=%d io_pages=%d flags=%s\nBTRFS eb_debug: fsid=%pU",
			rules[verdict->rule].name, shown->start,
			shown->level, shown->owner, shown->generation,
			verdict->look.refs, verdict->look.io_pages,
			btrfs_eb_flags_string(flags, sizeof(flags),
					      verdict->look.flags),
			shown->fsid);
	if (verdict->armed_ip)
		len += scnprintf(verdict->facts + len, size - len,
				 " armed=%ps", (void *)verdict->armed_ip);
	if (verdict->submitted_ip)
		len += scnprintf(verdict->facts + len, size - len,
				 " submitted=%ps",
				 (void *)verdict->submitted_ip);
	if (verdict->others)
		scnprintf(verdict->facts + len, size - len, " others=%u",
			  verdict->others);
	snprintf(verdict->text, sizeof(verdict->text),
		 "BTRFS eb_debug: %s in %s\nBTRFS eb_debug: %s\n",
		 rules[verdict->rule].title, verdict->function, verdict->facts);
}

static void tell_stack(u32 handle)
{
	unsigned long *frames;
	unsigned int nr;

	if (!handle)
		return;
	nr = stack_depot_fetch(handle, &frames);
	stack_trace_print(frames, nr, 4);
}

static void tell_owner(const struct eb_owner *owner)
{
	char function[64];

	btrfs_eb_function_name(function, sizeof(function), owner->site);
	if (owner->pid)
		pr_warn("    %-11s %-32s pid %d, %u ms ago\n",
			kinds[owner->kind], function, owner->pid,
			jiffies_to_msecs((u32)jiffies - owner->when));
	else
		pr_warn("    %-11s %-32s count %u, %u ms ago\n",
			kinds[owner->kind], function, owner->count,
			jiffies_to_msecs((u32)jiffies - owner->when));
	tell_stack(owner->stack);
}

static void tell_owners(const struct eb_shown *shown)
{
	unsigned int i;

	pr_warn("owners of buffer start=%llu, oldest first:\n", shown->start);
	for (i = 0; i < shown->nr_owners; i++)
		tell_owner(&shown->owners[i]);
	if (!shown->nr_owners)
		pr_warn("    none that is known\n");
}

#ifdef EB_X86_64

/* A moment by both clocks. */
static u64 eb_start_tsc, eb_start_ns;

/* So many units of eb_now() in microseconds. */
static u64 clock_us(u32 units)
{
	u64 tsc, ns;

	if (tsc_khz)
		return div_u64(((u64)units << 10) * 1000, tsc_khz);
	/* Not calibrated, or not to be trusted: measured by what is. */
	tsc = rdtsc() - eb_start_tsc;
	ns = ktime_get_mono_fast_ns() - eb_start_ns;
	return tsc ? mul_u64_u64_div_u64((u64)units << 10, ns, tsc) / 1000 : 0;
}

/* The clock is going to be read. */
void btrfs_eb_clock_start(void)
{
	eb_start_tsc = rdtsc();
	eb_start_ns = ktime_get_mono_fast_ns();
}

#else

static u64 clock_us(u32 units)
{
	return div_u64((u64)units << 10, 1000);
}

void btrfs_eb_clock_start(void)
{
}

#endif

static void tell_transition(const struct eb_transition *t, u32 now,
			    unsigned long near)
{
	char flags[128], function[64];

	if (!t->event || t->event > EB_EVENT_COUNT)
		return;
	btrfs_eb_function_name(function, sizeof(function),
			       eb_address(t->site, near));
	pr_warn("%10llu us ago  cpu%-2u %-15s refs=%u flags=%s %s\n",
		clock_us(now - t->now), t->cpu, events[t->event - 1],
		t->refs, btrfs_eb_flags_string(flags, sizeof(flags), t->flags),
		function);
}

/**
 * btrfs_eb_tell_background - print who holds the buffer, and its last transitions
 * @verdict: the verdict
 *
 * Context: any; no lock of the guard is held.
 */
void btrfs_eb_tell_background(const struct eb_verdict *verdict)
{
	u32 next = atomic_read(&verdict->history.next);
	unsigned int i;

	tell_owners(&verdict->shown);
	if (verdict->owner_stack) {
		pr_warn("it was taken at:\n");
		tell_stack(verdict->owner_stack);
	}
	if (verdict->has_history)
		pr_warn("last transitions of buffer start=%llu, newest last:\n",
			verdict->shown.start);
	for (i = 0; i < EB_HISTORY && verdict->has_history; i++)
		tell_transition(&verdict->history.ring[(next + i) % EB_HISTORY],
				verdict->now, verdict->look.ip);
	if (verdict->rule != EB_RULE_NONE)
		pr_warn("rule %s is explained in Documentation/dev-tools/btrfs-eb-debug.rst\n",
			rules[verdict->rule].name);
}
