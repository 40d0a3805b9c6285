/*
 * limiter: client + rule -> decision, whatever the store does.
 *
 * It asks the store; when the store cannot say, or not in time, the rule's failure mode does. So every take
 * is answered exactly once: at once (LIMITER_DONE) or by the callback. One limiter a worker; its thread only.
 */
#ifndef LIMITER_H
#define LIMITER_H

#include <stdatomic.h>

#include "policy.h"
#include "store.h"

enum limiter_status { LIMITER_DONE, LIMITER_PENDING };

enum verdict {
    VERDICT_ALLOWED,
    VERDICT_REFUSED,
    VERDICT_UNAVAILABLE, /* the store is away and the rule fails closed */
};

struct limiter_take {
    /* Set by the caller; both stay valid until the answer. */
    const struct rule *rule; /* NULL: not limited, so allowed at once, whatever the rest says */
    struct client client;
    int64_t cost;
    void (*callback)(struct limiter_take *take);

    /* The answer. */
    enum verdict verdict;
    bool degraded; /* the store could not say: rule->on_store_failure did */
    bool decided;  /* request.decisions hold numbers: not so where a failure mode without a table decided */
    uint32_t
        tightest; /* index of the decision that the headers show: of those that refuse, the one that does so
                          longest, else the one with the least remaining */

    struct store_request request; /* the answer's decisions; for the rest the limiter's own */
    struct limiter *limiter;      /* the limiter's own */
};

/* How the limiters of all workers are, and what they have done; any thread may read it. */
struct limiter_counts {
    _Atomic uint32_t stores[STORE_LOST + 1];      /* workers, by the state of their store */
    _Atomic bool reached;                         /* a worker's store has been ready since the start */
    _Atomic uint64_t degraded[FAILURE_LOCAL + 1]; /* answers that a failure mode gave, by enum failure_mode */
};

struct limiter {
    struct store *store; /* borrowed */
    struct store
        *local; /* borrowed: the memory store that FAILURE_LOCAL asks; NULL where no rule has that mode */
    struct limiter_counts *counts; /* borrowed: of all workers */
};

/* The worst state that a worker's store is in. */
enum store_state limiter_store_state(const struct limiter *limiter);

/* The callback never runs before this returns. */
enum limiter_status limiter_take(struct limiter *limiter, struct limiter_take *take);

/* Forgets what was counted for the client under the rule, whatever the cost. The verdict is VERDICT_ALLOWED
   when that is done, VERDICT_UNAVAILABLE when the store cannot; the rest of the answer says nothing.
   Otherwise as limiter_take. */
enum limiter_status limiter_reset(struct limiter *limiter, struct limiter_take *take);

/* The callback of a pending take or reset will not come. */
void limiter_cancel(struct limiter *limiter, struct limiter_take *take);

#endif
