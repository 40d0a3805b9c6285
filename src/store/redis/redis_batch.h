/*
 * redis_batch: many requests in one EVALSHA of take.lua, and its reply, split into the answer to each.
 *
 *      requests   0    1    2    3    4         in the order of arrival
 *                 a    b    a    c    a
 *      groups     a×3: 0─►2─►4   b×1: 1   c×1: 3
 *
 * Requests of the same client, rule and cost in a row are folded into one group with a count; the script
 * decides them one by one.
 *
 * A request that is cancelled or past its deadline leaves a gap: before the batch is sent, it is not sent;
 * after that, its decision is dropped. The batch then no longer reads the request or its subject, both of
 * which may be freed: it keeps copies of the limits that decide. One thread, the store's.
 */
#ifndef REDIS_BATCH_H
#define REDIS_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redis_call.h"
#include "store.h"

/* Redis does nothing else while it runs a script, so the work of a batch is bounded: some 0.9 ms at worst. To
   compile the script takes 0.6 ms more, in a command of its own (redis_script.h). BATCH_WORK is in the unit
   of limit_work. */
#define BATCH_REQUESTS 256
#define BATCH_WORK     768
#define BATCH_RULES    32
#define BATCH_BUCKETS  512

/* A request's place in the batch; store_request.place points to it. */
struct redis_batch_slot {
    struct redis_batch *batch;
    struct store_request *request; /* NULL: answered or removed */
    int64_t deadline_us;           /* monotonic */
    uint16_t next_equal;           /* in a group's chain */
    bool decided;                  /* the reply has decided it: redis_batch_answer says DONE */
};

struct redis_batch_group {
    uint32_t hash;
    uint16_t first, last; /* its slots, chained by `next_equal` */
    uint16_t count;       /* of its requests that were sent */
    uint16_t rule;
};

/* Copies: the rule may be freed before the reply comes. */
struct redis_batch_rule {
    struct limit_set limits;
    struct penalty penalty; /* `after` 0: none */
};

struct redis_store;

struct redis_batch {
    struct redis_call call;    /* of the store below, once it is sent */
    struct redis_store *store; /* likewise */
    struct redis_batch *next;  /* the store's list */
    uint16_t request_count, group_count, rule_count, key_count;
    uint16_t work;                /* up to BATCH_WORK */
    uint16_t live;                /* requests without an answer yet */
    uint16_t sent_live;           /* those when it was sent */
    uint16_t expiring;            /* slots before this one are empty */
    uint8_t resent;               /* times, as Redis did not have the script */
    bool repeats;                 /* a key may appear in the command more than once */
    bool is_reset;                /* holds one reset, for redis_batch_encode_reset; nothing is added */
    int64_t sent_us;              /* monotonic, from before the encode */
    struct denial_cache *denials; /* borrowed: remembers refusals; may be NULL */
    struct redis_batch_slot slots[BATCH_REQUESTS]; /* in the order of arrival */
    struct redis_batch_group groups[BATCH_REQUESTS];
    uint16_t buckets[BATCH_BUCKETS]; /* index of a group + 1; open addressing */
    struct redis_batch_rule rules[BATCH_RULES];

    char *command; /* as sent */
    size_t command_bytes;
    size_t command_room;
    size_t arguments; /* offset in `command` of what follows the script's digest */
    size_t words;     /* in the command, for its first line */
};

struct redis_batch *redis_batch_new(void);
void redis_batch_free(struct redis_batch *batch);

/* Empties it, but keeps the buffer of its command. */
void redis_batch_clear(struct redis_batch *batch);

/* Adds the request, which belongs to the batch until it is answered or removed. False: the batch is full. */
bool redis_batch_add(struct redis_batch *batch, struct store_request *request, int64_t deadline_us);

/* Takes the request out of the batch that it waits in: its callback will not run. */
void redis_batch_remove(struct store_request *request);

/* Makes the EVALSHA of what is still live in `command`. False: out of memory. */
bool redis_batch_encode(struct redis_batch *batch);

/* Makes the DEL of the keys of its one request, a reset, in `command`; its reply is a number. False:
   out of memory. */
bool redis_batch_encode_reset(struct redis_batch *batch);

/* The same command with the script's text, for a Redis that does not have it. `*bytes` is its length; free()
   it. NULL: out of memory. */
char *redis_batch_encode_eval(const struct redis_batch *batch, size_t *bytes);

/* Writes what the script's reply says into the requests that still wait; runs no callback. It decides none of
   a group whose key is not ours, or from the first number on that no decision can have (`*foreign` counts
   such groups). False where the reply cannot be told apart into groups: what precedes that point is
   decided. */
bool redis_batch_decode(struct redis_batch *batch, const char *reply, size_t bytes, unsigned *foreign);

/* The reset is done. */
void redis_batch_decide_reset(struct redis_batch *batch);

/* Runs the callback of every request that still waits, in the order of arrival: STORE_DONE where it has been
   decided, STORE_UNAVAILABLE elsewhere. A callback may remove other requests, and may add some to another
   batch. */
void redis_batch_answer(struct redis_batch *batch);

/* The earliest deadline of a request that still waits; INT64_MAX: none waits. */
int64_t redis_batch_deadline(const struct redis_batch *batch);

/* Answers what is past its deadline with STORE_UNAVAILABLE. `*next_us` is the earliest deadline of the rest,
   untouched when none is left. */
void redis_batch_expire(struct redis_batch *batch, int64_t now_us, int64_t *next_us);

#endif
