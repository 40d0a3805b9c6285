/*
 * limiter: client + rule -> decision, whatever the store does.
 *
 * It asks the store. If the store is unavailable, the rule's failure mode decides. So every take is answered
 * exactly once: at once (LIMITER_DONE) or by the callback. One limiter per worker, on the worker's thread.
 */
#ifndef LIMITER_H
#define LIMITER_H

#include <stdatomic.h>

#include "address.h"
#include "policy.h"
#include "store.h"

struct decision_ring; /* decision_stream.h */
struct override_keeper;

enum limiter_status { LIMITER_DONE, LIMITER_PENDING };

enum verdict {
    VERDICT_ALLOWED,
    VERDICT_REFUSED,
    VERDICT_BLOCKED,     /* the client is, under the rule; the store is not asked */
    VERDICT_UNAVAILABLE, /* the store is unavailable and the rule fails closed */
};

/* "allowed", "refused" ... */
const char *verdict_name(enum verdict verdict);

struct candidates;       /* candidates.h */
struct generation_share; /* generation.h */

struct limiter_take {
    /* Set by the caller; both stay valid until the answer. */
    const struct rule *rule;        /* NULL: not limited; allowed at once */
    struct generation_share *share; /* the generation of the rule; NULL: the rule outlives the store */
    struct client client;
    struct address address; /* the client's, if it was identified by it; else of size 0 */
    int64_t cost;
    struct field trace_id; /* of the request's traceparent; of 0 bytes: none */
    void (*callback)(struct limiter_take *take);

    /* The answer. */
    const struct limit_set
        *limits; /* what decides, the rule's or the client's own; set before the store is asked.
                                       NULL: no rule, or the client is unlimited or blocked under it */
    enum verdict verdict;
    enum verdict
        withheld;  /* what the verdict would be if the rule were no shadow; VERDICT_ALLOWED: the same */
    bool degraded; /* the store was unavailable: rule->on_store_failure decided */
    bool decided;  /* request.decisions are set; not after the failure modes open and closed */
    uint32_t
        tightest; /* index of the decision in the headers: of those that refuse the one with the longest wait,
                          else the one with the least remaining */

    struct store_request request; /* its decisions are part of the answer; the rest is private */
    int64_t began_us;             /* private: monotonic */
    struct limiter *limiter;      /* private */
};

/* The states of the stores of all workers; any thread may read them. */
struct limiter_counts {
    _Atomic uint32_t stores[STORE_LOST + 1]; /* workers, by the state of their store */
    _Atomic bool reached;                    /* the store of some worker has been ready since the start */
};

struct decision_counts;

struct limiter {
    struct store *store; /* borrowed */
    struct store *local; /* borrowed: the memory store of FAILURE_LOCAL; NULL: no rule has that mode */
    struct candidates *candidates;     /* borrowed; NULL: no candidate is asked */
    unsigned worker;                   /* its number, by which it counts for each rule (rule_counts.h) */
    struct override_keeper *keeper;    /* borrowed; of the admin listener's worker, else NULL */
    struct decision_counts *decisions; /* borrowed; the worker's own; NULL: not counted */
    struct decision_ring *records;     /* borrowed; the worker's own; NULL: nobody observes */
};

/* "ready", "connecting", "lost". */
const char *store_state_name(enum store_state state);

/* The worst state of the stores of all workers. */
enum store_state limiter_store_state(const struct limiter_counts *counts);

/* The callback never runs before this returns. */
enum limiter_status limiter_take(struct limiter *limiter, struct limiter_take *take);

/* Forgets the counts of the client under the rule, by what limits it now; the cost is ignored. The verdict is
   VERDICT_ALLOWED when that is done and VERDICT_UNAVAILABLE when the store cannot; the rest of the answer has
   no meaning. Otherwise as limiter_take. */
enum limiter_status limiter_reset(struct limiter *limiter, struct limiter_take *take);

/* Cancels a pending take or reset: its callback will not run. */
void limiter_cancel(struct limiter *limiter, struct limiter_take *take);

#endif
