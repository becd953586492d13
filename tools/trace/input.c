// SPDX-License-Identifier: GPL-2.0
/*
 * eb-trace: a line of text becomes an event.
 *
 * Reads what tracefs, trace-cmd report and perf script print, which differs only in
 * what stands before the name of the event:
 *
 *	init-23 [000] .....     1.234567: btrfs_eb_put: fsid=... start=...
 *	init-23 [000]     1.234567: btrfs_eb_put:         fsid=... start=...
 *	init    23 [000]     1.234567:      btrfs:btrfs_eb_put: fsid=... start=...
 *
 * A line that is ours and is not understood ends the program: a verdict on half of a
 * recording would be worth nothing.
 */
#include <errno.h>
#include <unistd.h>
#include "trace.h"

#define CHUNK		(1 << 18)
#define LONGEST		8192
#define PREFIX		"btrfs_eb_"
#define WORDS		4096

static struct input *in;

static void __attribute__((noreturn)) bad_line(const char *why)
{
	fail("%s: line %lu %s", in->name, in->lines, why);
}

/* --- words: what comes again and again is looked at once ---------------------- */

enum word_type { FLAGS, SEEN, KIND, AT, SITE, FSID, RULE, EVENT, STEP };

struct word {
	struct word *next;
	enum word_type type;
	size_t len;
	int value;
	char text[];
};

static struct word *words[WORDS];

static int meaning(enum word_type type, const char *text, size_t len)
{
	bool known = true;
	int value = 0;

	switch (type) {
	case FLAGS:
		value = flags_of(text, len, &known);
		break;
	case SEEN:
		value = seen_of(text, len, &known);
		break;
	case KIND:
		value = kind_of(text, len);
		break;
	case AT:
		value = site_of(text, len);
		break;
	case RULE:
		value = rule_of(text, len);
		break;
	case STEP:
		value = event_of(text, len);
		break;
	default:
		break;
	}
	if (!known || value < 0)
		bad_line("has a name that this program does not know: is the kernel newer?");
	return value;
}

static const struct word *word(enum word_type type, const char *text, size_t len)
{
	u32 hash = 2166136261u ^ type;
	struct word **at, *new;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (u8)text[i]) * 16777619u;
	for (at = &words[(hash ^ hash >> 15) % WORDS]; *at; at = &(*at)->next)
		if ((*at)->type == type && (*at)->len == len &&
		    !memcmp((*at)->text, text, len))
			return *at;
	new = get_memory(sizeof(*new) + len + 1);
	new->type = type;
	new->len = len;
	new->value = meaning(type, text, len);
	memcpy(new->text, text, len);
	*at = new;
	return new;
}

/* --- one line ------------------------------------------------------------------ */

/* A number that is all of the text. */
static s64 number(const char *text, size_t len, s64 min, s64 max)
{
	bool minus = len && *text == '-';
	u64 value = 0, limit = minus ? -(u64)min : (u64)max;
	size_t i;

	if (len <= minus || (minus && min >= 0))
		bad_line("has something else where a number must be");
	for (i = minus; i < len; i++) {
		unsigned int digit = (u8)text[i] - '0';

		if (digit > 9)
			bad_line("has something else where a number must be");
		if (value > (limit - digit) / 10)
			bad_line("has a number that is too large");
		value = value * 10 + digit;
	}
	return minus ? -(s64)value : (s64)value;
}

/* Fields that each event has, and those that some have. */
enum field {
	F_FSID = 1, F_START = 2, F_SERIAL = 4, F_REFS = 8, F_IO_PAGES = 16,
	F_FLAGS = 32, F_SEEN = 64, F_AT = 128, F_TASK = 256, F_SITE = 512,
	F_KIND = 1024, F_ARG = 2048, F_STEP = 4096, F_RULE = 8192,
	F_LEVEL = 16384,
};

#define F_COMMON	(F_FSID | F_START | F_SERIAL | F_LEVEL | F_REFS |	\
			 F_IO_PAGES | F_FLAGS | F_TASK | F_SITE)

static enum field field_of(const char *key, size_t len)
{
	static const struct {
		const char *name;
		enum field field;
	} keys[] = {
		{ "fsid", F_FSID }, { "start", F_START }, { "serial", F_SERIAL },
		{ "level", F_LEVEL },
		{ "refs", F_REFS }, { "io_pages", F_IO_PAGES },
		{ "flags", F_FLAGS }, { "seen", F_SEEN }, { "at", F_AT },
		{ "task", F_TASK }, { "site", F_SITE }, { "kind", F_KIND },
		{ "arg", F_ARG }, { "error", F_ARG }, { "result", F_ARG },
		{ "step", F_STEP }, { "rule", F_RULE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strncmp(keys[i].name, key, len) && !keys[i].name[len])
			return keys[i].field;
	return 0;
}

static int result_of(const char *text, size_t len)
{
	static const char * const results[] = { "released", "busy", "no_tree_ref" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(results); i++)
		if (!strncmp(results[i], text, len) && !results[i][len])
			return i;
	bad_line("has a result that this program does not know");
}

static void set_field(struct event *e, enum field field, const char *text,
		      size_t len)
{
	switch (field) {
	case F_FSID:
		e->fsid = word(FSID, text, len)->text;
		break;
	case F_START:
		e->start = number(text, len, 0, INT64_MAX);
		break;
	case F_SERIAL:
		e->serial = number(text, len, 0, UINT32_MAX);
		break;
	case F_LEVEL:
		/* No rule is about it. */
		number(text, len, 0, UINT8_MAX);
		break;
	case F_REFS:
		e->refs = number(text, len, INT32_MIN, INT32_MAX);
		break;
	case F_IO_PAGES:
		e->io_pages = number(text, len, INT32_MIN, INT32_MAX);
		break;
	case F_FLAGS:
		e->flags = word(FLAGS, text, len)->value;
		break;
	case F_SEEN:
		e->seen = word(SEEN, text, len)->value;
		break;
	case F_AT:
		e->at = word(AT, text, len)->value;
		break;
	case F_TASK:
		e->task = number(text, len, 0, INT32_MAX);
		break;
	case F_SITE:
		e->site = word(SITE, text, len)->text;
		break;
	case F_KIND:
		e->kind = word(KIND, text, len)->value;
		break;
	case F_ARG:
		e->arg = len && (u8)(text[0] - 'a') < 26 ?
			 result_of(text, len) :
			 (int)number(text, len, INT32_MIN, INT32_MAX);
		break;
	case F_STEP:
		e->event = word(STEP, text, len)->value;
		break;
	case F_RULE:
		e->rule = word(RULE, text, len)->text;
		break;
	default:
		break;
	}
}

static void set_fields(struct event *e, const char *text, const char *end,
		       unsigned int must)
{
	unsigned int has = 0;

	while (text < end) {
		const char *key = text, *equal, *next;
		enum field field;

		next = memchr(text, ' ', end - text);
		if (!next)
			next = end;
		text = next + 1;
		if (next == key)
			continue;
		equal = memchr(key, '=', next - key);
		/* A function in a module has "[btrfs]" behind it. */
		if (!equal)
			continue;
		field = field_of(key, equal - key);
		if (has & field)
			bad_line("says the same thing twice");
		has |= (unsigned int)field;
		set_field(e, field, equal + 1, next - equal - 1);
	}
	if ((has & must) != must)
		bad_line("lacks a field: it is cut off, or of another version of the guard");
}

/* What this event must say beside the common fields. */
static unsigned int must_say(struct event *e, const char *name, size_t len)
{
	int event;

	if (len == 4 && !memcmp(name, "step", 4)) {
		e->quiet = true;
		return F_COMMON | F_SEEN | F_AT | F_STEP | F_ARG;
	}
	if (len == 9 && !memcmp(name, "violation", 9)) {
		e->event = EB_EVENT_COUNT;
		return F_COMMON | F_RULE;
	}
	if (len == 7 && !memcmp(name, "release", 7)) {
		e->event = EB_EVENT_RELEASE_REFUSED;
		return F_COMMON | F_SEEN | F_AT | F_ARG;
	}
	event = event_of(name, len);
	if (event < 0)
		bad_line("has an event that this program does not know: is the kernel newer?");
	e->event = event;
	switch (event) {
	case EB_EVENT_GET:
	case EB_EVENT_HOLD:
	case EB_EVENT_GIVE:
	case EB_EVENT_TAKE:
	case EB_EVENT_PUT:
		return F_COMMON | F_SEEN | F_AT | F_KIND;
	case EB_EVENT_IO_END:
		return F_COMMON | F_SEEN | F_AT | F_ARG;
	default:
		return F_COMMON | F_SEEN | F_AT;
	}
}

/* The number before @end, seconds with a fraction, as nanoseconds. */
static u64 time_before(const char *line, const char *end)
{
	const char *text = end;
	u64 ns = 0, unit = 1000000000;
	bool fraction = false;

	while (text > line && (text[-1] == '.' || (u8)(text[-1] - '0') < 10))
		text--;
	if (text == end)
		bad_line("has no time before its event");
	for (; text < end; text++) {
		if (*text == '.') {
			if (fraction)
				bad_line("has no time before its event");
			fraction = true;
			continue;
		}
		if (ns > UINT64_MAX / 10 - 10)
			bad_line("has a time that is too large");
		ns = ns * 10 + *text - '0';
		if (fraction)
			unit /= 10;
	}
	if (!unit || (ns && ns > INT64_MAX / unit))
		bad_line("has a time that is too large");
	return ns * unit;
}

/*
 * Where the name of one of our events begins, and where the time before it ends; NULL in a
 * line of another event.
 */
static const char *find_event(const char *line, const char *end,
			      const char **time_end)
{
	const char *at = line;

	while ((at = memmem(at, end - at, PREFIX, strlen(PREFIX)))) {
		const char *before = at;

		if (before - line >= 6 && !memcmp(before - 6, "btrfs:", 6))
			before -= 6;
		*time_end = before;
		while (*time_end > line && (*time_end)[-1] == ' ')
			--*time_end;
		if (*time_end < before && *time_end > line &&
		    *--*time_end == ':')
			return at;
		at += strlen(PREFIX);
	}
	return NULL;
}

static bool parse(const char *line, const char *end, struct event *e)
{
	const char *time_end, *name = find_event(line, end, &time_end), *colon;

	if (!name)
		return false;
	memset(e, 0, sizeof(*e));
	e->line = in->lines;
	e->kind = EB_KIND_COUNT;
	e->ns = time_before(line, time_end);
	name += strlen(PREFIX);
	colon = memchr(name, ':', end - name);
	if (!colon)
		bad_line("is cut off");
	set_fields(e, colon + 1, end, must_say(e, name, colon - name));
	return true;
}

/* The number behind @words in a line, 0 if they are not in it. */
static unsigned long long count_behind(const char *line, const char *words)
{
	const char *at = strstr(line, words);

	return at ? strtoull(at + strlen(words), NULL, 10) : 0;
}

/* Lines that say that there is less than there was. */
static unsigned long long lost_in(const char *line)
{
	const char *at;

	if (strstr(line, "[LOST "))
		return count_behind(line, "[LOST ") ?: 1;
	at = strstr(line, " EVENTS DROPPED]");
	if (at) {
		while (at > line && at[-1] != '[')
			at--;
		return strtoull(at, NULL, 10) ?: 1;
	}
	if (strstr(line, "PERF_RECORD_LOST"))
		return count_behind(line, "lost ") ?: 1;
	return 0;
}

/* "# entries-in-buffer/entries-written: 10/20   #P:1" */
static void heading(const char *line)
{
	unsigned long long there, written;

	if (sscanf(line, "# entries-in-buffer/entries-written: %llu/%llu", &there,
		   &written) == 2 && written > there)
		in->overwritten += written - there;
}

static void take_line(char *line, char *end,
		      void (*found)(const struct event *event),
		      void (*lost)(void))
{
	unsigned long long nr;
	struct event e;

	in->lines++;
	if (end > line && end[-1] == '\r')
		end--;
	*end = 0;
	if (memchr(line, 0, end - line))
		bad_line("has a byte that is no text");
	if (*line == '#') {
		heading(line);
		return;
	}
	if (parse(line, end, &e)) {
		in->events++;
		found(&e);
		return;
	}
	nr = lost_in(line);
	if (nr) {
		in->lost += nr;
		lost();
	}
}

/* What was read and is not yet taken: the beginning of a line. */
static char *buf;
static size_t kept;

static void take_lines(size_t len, void (*found)(const struct event *event),
		       void (*lost)(void))
{
	char *line = buf, *end;

	while ((end = memchr(line, '\n', buf + len - line))) {
		take_line(line, end, found, lost);
		line = end + 1;
	}
	kept = buf + len - line;
	if (kept > LONGEST)
		fail("%s: line %lu has no end: this is no trace", in->name,
		     in->lines + 1);
	memmove(buf, line, kept);
}

/**
 * read_some - read once, and take the lines that are whole
 * @fd: what to read
 * @input: with its name; the rest is filled in
 * @found: called for each of our events
 * @lost: called where events are missing
 *
 * Return: whether the end is not reached.
 */
bool read_some(int fd, struct input *input,
	       void (*found)(const struct event *event), void (*lost)(void))
{
	ssize_t got;

	in = input;
	if (!buf)
		buf = get_memory(CHUNK + LONGEST + 1);
	got = read(fd, buf + kept, CHUNK);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got < 0)
		fail("%s: %s", in->name, strerror(errno));
	if (!in->lines && !kept)
		must_be_text(in->name, buf, got);
	take_lines(kept + got, found, lost);
	return got;
}

/**
 * read_events - read the recording on standard input
 * @input: with its name; the rest is filled in
 * @found: called for each of our events
 * @lost: called where events are missing
 */
void read_events(struct input *input, void (*found)(const struct event *event),
		 void (*lost)(void))
{
	while (read_some(0, input, found, lost))
		;
	close_source(input->name);
	if (kept) {
		in->lines++;
		bad_line("is cut off: the recording has no end");
	}
	if (!in->events)
		fail("%s: no event of the guard (btrfs_eb_*) is in it", in->name);
	free(buf);
	buf = NULL;
}
