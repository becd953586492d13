/* SPDX-License-Identifier: GPL-2.0 */
/*
 * eb-trace: what its parts tell each other.
 *
 *	source.c	where the text comes from
 *	input.c		a line of text becomes an event
 *	replay.c	an event is told to the guard's own core, and to its ledger
 *	show.c		what a person reads: verdicts, a buffer's life, what is left
 *	draw.c		the same as a picture
 *	follow.c	what happens now, counted
 *
 * All of it lives in one process and in one thread, and ends with it: what is
 * allocated for the whole run is not freed.
 */
#ifndef EB_TRACE_H
#define EB_TRACE_H

#include "user.h"
#include "eb_debug_internal.h"
#include "eb_debug_ledger.h"

/* Exit status. */
#define FOUND	1
#define FAILED	2

/**
 * struct event - a line of the recording
 * @ns: when
 * @start: address of the buffer
 * @fsid: as it stands there
 * @site: the function
 * @rule: of a violation, else NULL
 * @event: what happened
 * @kind: of the owner
 * @at: enum eb_debug_site
 * @quiet: it was a step
 * @seen: enum eb_seen
 */
struct event {
	u64 ns;
	u64 start;
	const char *fsid;
	const char *site;
	const char *rule;
	unsigned long line;
	enum eb_debug_event event;
	enum eb_debug_kind kind;
	enum eb_debug_site at;
	u32 serial;
	u32 flags;
	u32 seen;
	int refs;
	int io_pages;
	int arg;
	int task;
	bool quiet;
};

/* What the reader met beside events. */
struct input {
	const char *name;
	unsigned long lines;
	unsigned long long events;
	unsigned long long lost;
	unsigned long long overwritten;
};

/* What becomes of a reference. */
enum ref_change {
	REF_SAME,
	REF_GET,
	REF_HOLD,
	REF_GIVE,
	REF_TAKE,
	REF_PUT,
};

/**
 * struct outcome - what the core and the ledger say of an event
 * @rule: that is broken, or EB_RULE_NONE
 * @event: as it turned out
 * @change: of a reference
 * @ref: tells references of tasks apart, 0 if that one was not seen before
 * @unknown: a rule could not be judged
 */
struct outcome {
	enum eb_rule rule;
	enum eb_debug_event event;
	enum ref_change change;
	u32 ref;
	bool unknown;
};

/**
 * struct buffer - what is known of one
 * @rec: the record of the guard, as the kernel has it in the buffer
 * @events: how many were about it
 * @held: references of tasks
 * @last: the newest event
 * @distrusted: it was reported already
 */
struct buffer {
	struct buffer *next;
	struct btrfs_eb_debug rec;
	struct event last;
	unsigned long events;
	unsigned int held;
	bool distrusted;
};

struct replay {
	/* Moves when events were lost: what is older is not judged. */
	u32 epoch;
	unsigned long long judged;
	unsigned long long unknown;
	unsigned long long repairs;
	unsigned long long verdicts;
	unsigned long long said;
	unsigned long buffers;
	u64 first_ns;
	u64 last_ns;
	/* Called for each event when it was judged. */
	void (*seen)(const struct buffer *buffer, const struct event *event,
		     const struct outcome *outcome);
};

/* eb-trace.c */
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void *get_memory(size_t size);

/* fuzz.c */
int fuzz(int argc, char **argv, int (*run)(int argc, char **argv));

/* source.c */
void open_source(const char *name);
void must_be_text(const char *name, const char *buf, size_t len);
void close_source(const char *name);

/* input.c */
bool read_some(int fd, struct input *input,
	       void (*found)(const struct event *event), void (*lost)(void));
void read_events(struct input *input, void (*found)(const struct event *event),
		 void (*lost)(void));

/* replay.c */
extern struct replay replay;
void replay_event(const struct event *event);
void replay_lost(void);
void replay_buffers(void (*found)(const struct buffer *buffer));
void replay_held(void (*found)(int task, const struct eb_held *held));

/* names.c */
const char *rule_name(enum eb_rule rule);
const char *rule_title(enum eb_rule rule);
const char *event_name(enum eb_debug_event event);
const char *kind_name(enum eb_debug_kind kind);
int event_of(const char *text, size_t len);
int kind_of(const char *text, size_t len);
int site_of(const char *text, size_t len);
int rule_of(const char *text, size_t len);
u32 flags_of(const char *text, size_t len, bool *known);
u32 seen_of(const char *text, size_t len, bool *known);
char *flags_text(char *buf, size_t size, u32 flags);

/* show.c */
void show_verdict(const struct buffer *buffer, const struct event *event,
		  const struct outcome *outcome);
void show_guard(const struct event *event);
void show_end(const struct input *input);
void show_life(const struct buffer *buffer, const struct event *event,
	       const struct outcome *outcome);
void show_left(void);

/* draw.c */
void draw_event(const struct buffer *buffer, const struct event *event,
		const struct outcome *outcome);
void draw(FILE *to, u32 serial);

/* follow.c */
bool follow(unsigned int limit);

#endif
