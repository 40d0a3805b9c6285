/*
 * redis_queue: the batches of a store, in the order of arrival: those that wait to be sent, the last of which
 * gathers requests, and those whose reply has not come.
 *
 *      requests ──► gathering ─ ─ redis_queue_begin ─ ─► unsent ──► sent ──► unused, for the next burst
 *
 * Embedded in the store; on its thread.
 */
#ifndef REDIS_QUEUE_H
#define REDIS_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "redis_batch.h"

struct redis_queue {
    struct denial_cache *denials;         /* borrowed; what each batch notes its refusals in */
    struct redis_batch *unsent;           /* oldest first */
    struct redis_batch *gathering;        /* the last of them; NULL only before the first redis_queue_begin */
    struct redis_batch *sent, **sent_end; /* in the order of sending */
    unsigned sent_count;
    struct redis_batch *unused;
    unsigned unused_count;
};

/* With one empty batch to gather in. False: out of memory. */
bool redis_queue_init(struct redis_queue *queue, struct denial_cache *denials);

/* Answers what was not sent with STORE_UNAVAILABLE, and frees all batches. None is sent. */
void redis_queue_fini(struct redis_queue *queue);

/* Requests from now on go into a new batch. False: out of memory. */
bool redis_queue_begin(struct redis_queue *queue);

/* There is a batch to send, and few enough commands are under way. */
bool redis_queue_is_due(const struct redis_queue *queue);

/* The oldest unsent batch, which is not the one that gathers, was sent; or, without live requests, it need
   not be. */
void redis_queue_advance(struct redis_queue *queue);

/* The batch was sent, and all of its requests are answered. */
void redis_queue_remove(struct redis_queue *queue, struct redis_batch *batch);

/* Answers what was not sent with STORE_UNAVAILABLE. */
void redis_queue_fail_unsent(struct redis_queue *queue);

/* A command that was sent has not been answered in time. */
bool redis_queue_is_overdue(const struct redis_queue *queue, int64_t now_us);

/* Answers the requests past their deadline with STORE_UNAVAILABLE. Returns the earliest deadline that is
   left; INT64_MAX: none. */
int64_t redis_queue_expire(struct redis_queue *queue, int64_t now_us);

#endif
