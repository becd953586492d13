/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of model/fuzz share: an event, and what is said of it.
 *
 *	fuzz-choose.c	makes events up
 *	fuzz-guard.c	tells them to the guard: its core, owners and hooks as they are
 *	meaning.c	says what the rules mean, slowly
 *	fuzz.c		compares what the two say, counts, and cuts a failure short
 */

#ifndef EB_MODEL_FUZZ_H
#define EB_MODEL_FUZZ_H

#include "user-btrfs.h"
#include "eb_debug_internal.h"

#define TASKS		5
#define BUFFERS		5
#define PATHS		3
#define NODES		4
/* In place of a task: whoever runs outside of one. */
#define IRQ		TASKS
/* In place of a path. */
#define NO_PATH		PATHS
#define EXTRA_PATH	(PATHS + 1)

enum act {
	/* The core is told of @event; if @door, by the hook that stands for it. */
	ACT_EVENT,
	ACT_TESTED,
	ACT_UPTODATE,
	ACT_ALLOC,
	ACT_FORGET,
	ACT_LOOKUP_BEGIN,
	ACT_LOOKUP_END,
	ACT_GET,
	ACT_GET_NODE,
	ACT_HAND_OUT,
	ACT_GIVE,
	ACT_TAKE,
	ACT_PATH,
	ACT_PATH_RELEASE,
	ACT_EXTRA,
	ACT_PATH_FREE,
	ACT_PUT,
	ACT_TASK_END,
	/* The task has returned to user space, its next reference asks for a look. */
	ACT_RETURN,
	/* The table takes back the place of a task that holds nothing. */
	ACT_SWEEP,
	/* The table has no place for a task that is not in it, or has again. */
	ACT_TABLE,
	ACT_LEVEL,
	/* Off and on; @arg: the hooks are not dead while it is off. */
	ACT_OFF,
	ACT_ON,
	ACT_COUNT
};

/**
 * struct op - one event, complete in itself, so that others may be left out
 * @act: what happens
 * @event: which event the core is told of
 * @who: which task, or %IRQ
 * @eb: which buffer
 * @path: which path
 * @nr_nodes: how many nodes it has, @nodes are they
 * @lock_owner: a task that holds the tree lock, or %IRQ for none
 * @door: by the hook in eb_debug_fast.h
 * @news: a report of it would be printed
 * @ip: where
 *
 * The rest is how the buffer is then.
 */
struct op {
	enum act act;
	enum eb_debug_event event;
	enum eb_debug_site site;
	enum eb_debug_kind kind;
	u8 who;
	u8 eb;
	u8 path;
	u8 nr_nodes;
	u8 nodes[NODES];
	u8 lock_owner;
	bool door;
	bool news;
	bool locked;
	bool in_tree;
	bool on_list;
	bool fs_error;
	bool read_holds;
	bool write_tests;
	u32 flags;
	u32 marks;
	int refs;
	int io_pages;
	int arg;
	u32 ip;
};

/* What is said of one event of one buffer. */
struct said {
	enum eb_debug_event event;
	enum eb_rule broken;
	u64 judged;
	u32 counts;
	u32 blame;
	bool quiet;
};

#define SAID	(EB_HELD + 1)

/* All that is said when one thing happens. */
struct sayings {
	unsigned int nr;
	struct said said[SAID];
	/* What is counted beside. */
	u32 counted[EB_COUNT_COUNT];
	u64 judged;
};

/* One reference, as either side shows what a task holds. */
struct shown {
	u8 eb;
	u8 path;
	u8 kind;
	u32 site;
};

/* What the guard has made of events, for the coverage. */
struct tally {
	unsigned long in_line;
	unsigned long out_of_line;
	unsigned long list_full;
	unsigned long counter_full;
	unsigned long table_full;
	unsigned long history_wraps;
	unsigned long doubts;
	unsigned long doubts_forgotten;
	unsigned long lives;
	unsigned long epochs;
	unsigned long levels;
	unsigned long transfers;
};

extern struct tally tally;

void say(struct sayings *sayings, const struct said *said);

/* the choice */
void choose_world(u64 seed);
void choose(struct op *op);

/* the guard */
void guard_reset(void);
void guard_settle(struct op *op);
void guard_keeps_stale(struct op *op);
void guard_told(const struct op *op, struct sayings *sayings);
unsigned int guard_shows(unsigned int who, struct shown *shown);
const struct btrfs_eb_debug *guard_record(unsigned int eb);

/* the meaning */
void meaning_reset(void);
bool meaning_possible(const struct op *op);
void meaning_of(const struct op *op, struct sayings *sayings);
unsigned int meaning_shows(unsigned int who, struct shown *shown);
unsigned int meaning_structures(unsigned int eb, enum eb_debug_kind kind);
bool meaning_alive(unsigned int eb);
bool meaning_doubts(unsigned int eb);
bool meaning_held(unsigned int eb);
bool meaning_holds(unsigned int who, unsigned int eb);
bool meaning_io_places(unsigned int eb, u32 *armed, u32 *submitted);
const char *meaning_history(unsigned int eb, const struct eb_history *history);

#endif
