/*
 * store: the interface to the counters: takes a cost from all limits of a client, or from none.
 *
 *      store_take ──► STORE_DONE          decided: the answer is in the request; no callback
 *                 ├─► STORE_PENDING       the callback runs exactly once, later, on this thread: never before
 *                 │                       store_take returns, never after the store's deadline
 *                 └─► STORE_UNAVAILABLE   no decision is possible now; no callback
 *
 * A handle of redis_store belongs to one thread; that of memory_store may be shared by all. A store owns the
 * clock that it decides by. store_take allocates nothing for a request: the request is the caller's, and must
 * not move until the callback or store_cancel.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "decision.h"
#include "limit.h"
#include "penalty.h"

#define STORE_KEYS_MAX (LIMIT_SET_MAX + 1) /* of a subject: one for each limit, and one for the penalty */

enum store_status { STORE_DONE, STORE_PENDING, STORE_UNAVAILABLE };

/* The name of the counts: with the limit's index and state name (limit.h), `rl:{client}:rule:index:state` in
   Redis; for the penalty `rl:{client}:rule:p`. */
struct store_subject {
    const struct client *client;
    const char *rule;               /* the rule's name */
    const struct limit_set *limits; /* equal ids mean the same penalty, too */
    const struct penalty *penalty;  /* NULL: none */
};

/* The keys of its states. */
static inline uint32_t
store_key_count(const struct store_subject *subject)
{
    return subject->limits->count + (subject->penalty != NULL);
}

struct store_request {
    /* Set by the caller; the pointers must stay valid until the answer. */
    struct store_subject subject;
    int64_t cost; /* 0 .. NUMBER_EXACT_MAX; 0 peeks */
    void (*callback)(struct store_request *request, enum store_status status); /* DONE or UNAVAILABLE */

    /* The answer, when the status is STORE_DONE. */
    bool allowed;       /* every limit allows it, there is no penalty, and the cost was spent on each limit */
    int64_t penalty_us; /* the rest of the client's penalty; 0: not penalised */
    struct decision decisions[LIMIT_SET_MAX]; /* one per limit; penalised: as penalty_apply makes them */

    void *place; /* the store's own while PENDING: where the request waits */
};

enum store_state {
    STORE_READY,      /* decisions are possible */
    STORE_CONNECTING, /* not ready yet, or reconnecting */
    STORE_LOST,       /* waiting before the next attempt */
};

struct store_health {
    enum store_state state;
    const char *kind;   /* "memory", "redis" */
    const char *detail; /* why it is not ready, or ""; valid until the next call to the store */
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

/* Forgets the subject's counts: the client's next request finds every limit of the rule full, and no penalty.
   As store_take, but the cost is ignored and nothing is decided. The denial caches of other workers and nodes
   forget it within a second. */
static inline enum store_status
store_reset(struct store *store, struct store_request *request)
{
    return store->ops->reset(store, request);
}

/* Cancels a PENDING request: its callback will not run. A command that was sent may still count. */
static inline void
store_cancel(struct store *store, struct store_request *request)
{
    store->ops->cancel(store, request);
}

/* Call it at the end of each turn of the loop: sends the requests gathered in the turn. */
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

/* Before it returns, the callback of each pending request runs with STORE_UNAVAILABLE. NULL is allowed. */
static inline void
store_free(struct store *store)
{
    if (store)
        store->ops->free(store);
}

#endif
