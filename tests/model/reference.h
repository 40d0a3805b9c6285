/*
 * reference: the same limits from their definitions, as plainly as possible and however slowly: lists of
 * everything that was spent, rational arithmetic in 128 bits, and every duration found by trying moments.
 *
 *      retry_after   the first microsecond from now at which the cost would pass
 *      reset_after   the first at which a cost of the limit would
 *      remaining     the largest cost that passes now
 *      penalty       the first microsecond from now at which the client is not penalised
 *
 * It shares no formula with src/algorithm; from `struct limit` it takes the numbers of the rule, and the
 * tick.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decision.h"
#include "limit.h"
#include "penalty.h"

/* A limit as the rule has it: `refill` tokens each `period_us`, or the window. */
struct asked_limit {
    struct limit limit;
    int64_t refill;
    int64_t period_us;
};

#define REFERENCE_CLIENTS_MAX 8
#define REFERENCE_LIMITS_MAX  4

struct spent {
    int64_t at; /* the moment; the number of the window for the algorithms that count by windows */
    int64_t cost;
};

struct history {
    struct spent *spent;
    size_t count, room;
    int64_t at;       /* the time that it has reached: a moment or a window */
    __int128 missing; /* TOKEN_BUCKET: from full, before the first of `spent`, in tokens times period_us */
    int64_t missing_at;
    int64_t period_us;         /* of the limit that decided last */
    int64_t longest_window_us; /* of the limits that have decided by it */
};

#define REFERENCE_REFUSALS_MAX 64

/* One client's penalty. */
struct record {
    int64_t refusals
        [REFERENCE_REFUSALS_MAX]; /* the moments of those that are not forgotten, since the last penalty */
    size_t refusal_count;
    size_t penalty_count; /* in a row */
    int64_t penalty_end;
};

struct reference {
    const struct asked_limit *limits; /* borrowed; others with the same periods may take their place */
    size_t limit_count;
    const struct penalty *penalty; /* borrowed; NULL: none */
    struct record records[REFERENCE_CLIENTS_MAX];
    struct history histories[REFERENCE_CLIENTS_MAX][REFERENCE_LIMITS_MAX];
};

void reference_init(struct reference *reference, const struct asked_limit *limits, size_t limit_count,
                    const struct penalty *penalty);
void reference_fini(struct reference *reference);
void reference_take(struct reference *reference, size_t client, int64_t now_us, int64_t cost,
                    struct decision *decisions, int64_t *penalty_us);

#endif
