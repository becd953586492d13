// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: names, as the kernel's own tables have them.
 */
#include "trace.h"
#include "eb_debug_names.h"

/* As in the trace event, beside the flags. */
static const struct {
	enum eb_seen seen;
	const char *name;
} seen_names[] = {
	{ EB_SEEN_LOCKED, "LOCKED" }, { EB_SEEN_TESTED, "TESTED" },
	{ EB_SEEN_WRITE_LOCKED, "WRITE_LOCKED" },
	{ EB_SEEN_OWN_LOCK, "OWN_LOCK" }, { EB_SEEN_IN_TREE, "FOUND" },
	{ EB_SEEN_ON_LIST, "ON_LIST" }, { EB_SEEN_FS_ERROR, "FS_ERROR" },
	{ EB_SEEN_READ_HOLDS, "READ_HOLDS" },
	{ EB_SEEN_WRITE_TESTS, "WRITE_TESTS" },
	{ EB_SEEN_MARK_DIRTY, "MARK_DIRTY" },
	{ EB_SEEN_MARK_WRITEBACK, "MARK_WRITEBACK" },
	{ EB_SEEN_MARK_TOWRITE, "MARK_TOWRITE" },
};

const char *rule_name(enum eb_rule rule)
{
	return rules[rule].name;
}

const char *rule_title(enum eb_rule rule)
{
	return rules[rule].title;
}

const char *event_name(enum eb_debug_event event)
{
	return events[event];
}

const char *kind_name(enum eb_debug_kind kind)
{
	return kind < EB_KIND_COUNT ? kinds[kind] : "unknown";
}

static bool is(const char *name, const char *text, size_t len)
{
	return !strncmp(name, text, len) && !name[len];
}

static int find(const char * const *names, int nr, const char *text, size_t len)
{
	int i;

	for (i = 0; i < nr; i++)
		if (is(names[i], text, len))
			return i;
	return -1;
}

/* Which one is this, -1 for none. */
int event_of(const char *text, size_t len)
{
	return find(events, EB_EVENT_COUNT, text, len);
}

int kind_of(const char *text, size_t len)
{
	return is("unknown", text, len) ? EB_KIND_COUNT :
					  find(kinds, EB_KIND_COUNT, text, len);
}

int site_of(const char *text, size_t len)
{
	return find(sites, EB_SITE_COUNT, text, len);
}

int rule_of(const char *text, size_t len)
{
	int i;

	for (i = 0; i < EB_RULE_COUNT; i++)
		if (is(rules[i].name, text, len))
			return i;
	return -1;
}

static u32 flag_of(const char *text, size_t len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (is(flag_names[i].name, text, len))
			return flag_names[i].flag;
	return 0;
}

static u32 one_seen_of(const char *text, size_t len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(seen_names); i++)
		if (is(seen_names[i].name, text, len))
			return seen_names[i].seen;
	return 0;
}

static u32 bits_of(const char *text, size_t len, bool *known,
		   u32 (*bit_of)(const char *text, size_t len))
{
	const char *end = text + len, *next;
	u32 bits = 0, bit;

	for (; text < end; text = next + 1) {
		next = memchr(text, '|', end - text);
		if (!next)
			next = end;
		bit = bit_of(text, next - text);
		if (!bit)
			*known = false;
		bits |= bit;
	}
	return bits;
}

/* Bits by name, joined by "|"; @known is cleared if one has no such name. */
u32 flags_of(const char *text, size_t len, bool *known)
{
	return bits_of(text, len, known, flag_of);
}

u32 seen_of(const char *text, size_t len, bool *known)
{
	return bits_of(text, len, known, one_seen_of);
}

char *flags_text(char *buf, size_t size, u32 flags)
{
	size_t len = 0;
	unsigned int i;

	snprintf(buf, size, "-");
	for (i = 0; i < ARRAY_SIZE(flag_names) && len < size; i++)
		if (flags & flag_names[i].flag)
			len += snprintf(buf + len, size - len, "%s%s",
					len ? "|" : "", flag_names[i].name);
	return buf;
}
