/*
 * store: where the counters live, behind one face: take a cost from a client's limits, all or nothing.
 *
 *      store_take ──► STORE_DONE          decided; the answer is in the request; no callback
 *                 ├─► STORE_PENDING       the callback comes exactly once, later, on this thread, never before
 *                 │                       store_take returns, and never later than the store's deadline
 *                 └─► STORE_UNAVAILABLE   no decision can be had now; no callback
 *
 * A handle belongs to one thread (a worker's); the memory store's table behind it may be shared by all. A store
 * owns the clock that it decides by. Nothing is allocated by store_take: the request is the caller's, and must
 * stay where it is until the callback or store_cancel.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "decision.h"
#include "limit.h"

#define STORE_LIMITS_MAX 8

enum store_status { STORE_DONE, STORE_PENDING, STORE_UNAVAILABLE };

/* What counts are kept under: with the limit's index and state name (limit.h), `rl:{client}:rule:index:state` in Redis. */
struct store_subject {
    const struct client *client;
    const char *rule; /* the rule's name */
    uint64_t rule_id; /* unique_id() of the rule, got when it was compiled: equal ids mean equal limits */
    const struct limit *limits; /* the rule's */
    uint32_t limit_count;       /* 1 .. STORE_LIMITS_MAX */
};

struct store_request {
    /* Set by the caller; the pointers must stay valid until the answer. */
    struct store_subject subject;
    int64_t cost; /* 0 .. NUMBER_EXACT_MAX; 0 peeks */
    void (*callback)(struct store_request *request, enum store_status status); /* DONE or UNAVAILABLE */

    /* The answer, when the status is STORE_DONE. */
    bool allowed;                                /* every limit allows it, and the cost was spent on each */
    struct decision decisions[STORE_LIMITS_MAX]; /* one a limit */

    void *place; /* the store's own while PENDING: where the request waits */
};

enum store_state {
    STORE_READY,      /* decisions can be had */
    STORE_CONNECTING, /* never been ready, or on the way back */
    STORE_LOST,       /* waiting before the next attempt */
};

struct store_health {
    enum store_state state;
    const char *kind;   /* "memory", "redis" */
    const char *detail; /* why it is not ready, or "" ; static, or valid until the next call to the store */
};

struct store;
struct store_ops {
    enum store_status (*take)(struct store *store, struct store_request *request);
    enum store_status (*reset)(struct store *store, struct store_request *request);
    void (*cancel)(struct store *store, struct store_request *request);
    void (*flush)(struct store *store);
    struct store_health (*health)(const struct store *store);
    void (*free)(struct store *store);
};
/* Embedded first in each store's handle. */
struct store {
    const struct store_ops *ops;
};

static inline enum store_status
store_take(struct store *store, struct store_request *request)
{
    return store->ops->take(store, request);
}

/* Forgets the subject's counts: the client's next request finds every limit of the rule whole. As store_take,
   but the cost is not looked at and nothing is decided. What another process or worker still refuses by its own
   memory is forgotten there within a second. */
static inline enum store_status
store_reset(struct store *store, struct store_request *request)
{
    return store->ops->reset(store, request);
}

/* The callback of a PENDING request will not come; what was sent cannot be called back and may count. */
static inline void
store_cancel(struct store *store, struct store_request *request)
{
    store->ops->cancel(store, request);
}

/* The end of a turn of the loop: what was gathered leaves now. */
static inline void
store_flush(struct store *store)
{
    store->ops->flush(store);
}

static inline struct store_health
store_health(const struct store *store)
{
    return store->ops->health(store);
}

/* Pending requests get their callback, STORE_UNAVAILABLE, before it returns. NULL is allowed. */
static inline void
store_free(struct store *store)
{
    if (store)
        store->ops->free(store);
}

#endif
