/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What meaning.c and meaning-owners.c share: a buffer's life, as all that was told of it.
 */

#ifndef EB_MODEL_MEANING_H
#define EB_MODEL_MEANING_H

#include "fuzz.h"

/**
 * struct fact - something that was told of a buffer
 * @op: what
 * @epoch: since when the guard was on then, 0 if it was off
 * @judged: a rule was judged by it
 */
struct fact {
	struct op op;
	u32 epoch;
	bool judged;
};

struct note {
	enum eb_debug_event event;
	u32 flags;
	int refs;
	u32 ip;
};

/**
 * struct life - all that was told of one buffer, from allocation to the end
 * @alive: its memory was not freed
 * @epoch: since when the guard was on at its allocation, 0 if it was off
 * @serial: tells it from others with the same memory
 * @doubt: a reference of it could not be recorded
 * @flags: as they were told last, @refs too
 * @has_history: its transitions are kept
 */
struct life {
	bool alive;
	u32 epoch;
	u32 serial;
	bool doubt;
	u32 flags;
	int refs;
	bool has_history;
	struct fact *facts;
	int nr_facts;
	int room_for_facts;
	struct note *notes;
	int nr_notes;
	int room_for_notes;
};

extern struct life lives[BUFFERS];
extern u32 now_epoch;
extern enum eb_level now_level;
/* The hooks are not dead; the guard may be off all the same. */
extern bool hooks_live;

void means(struct said *said, enum eb_rule rule, bool kept);
void counts(struct said *said, enum eb_count count);
void note(struct life *life, enum eb_debug_event event, u32 ip);
bool owes_any_write(const struct life *life, const struct op *op);
bool owes_write(const struct life *life, const struct op *op);
bool complete(const struct life *life);

void owners_reset(void);
void owners_void(void);
bool owners_know(unsigned int eb);
bool owners_took_more(const struct op *op);
void owners_get(struct life *life, const struct op *op, enum eb_debug_kind kind,
		struct sayings *sayings);
void owners_forget(const struct op *op);
void owners(struct life *life, const struct op *op, struct sayings *sayings);

#endif
