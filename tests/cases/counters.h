/*
 * counters: the smallest store: the limits of a few clients, counted by the functions of src/algorithm alone.
 * All limits of a request allow it, or nothing is spent.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "algorithm.h"
#include "penalty.h"

#define COUNTERS_CLIENTS_MAX 16
#define COUNTERS_LIMITS_MAX  8

struct counters {
    const struct limit *limits; /* borrowed */
    size_t limit_count;
    const struct penalty *penalty; /* borrowed; NULL: none, which is what counters_init sets */
    struct window_log_pool pool;
    bool seen[COUNTERS_CLIENTS_MAX];
    union algorithm_state states[COUNTERS_CLIENTS_MAX][COUNTERS_LIMITS_MAX];
    struct penalty_state penalties[COUNTERS_CLIENTS_MAX];
};

void counters_init(struct counters *counters, const struct limit *limits, size_t limit_count);
void counters_fini(struct counters *counters);

/* One request; fills one decision for each limit, and `*penalty_us`, the rest of the client's penalty; 0: not
   penalised. True: allowed, and spent. */
bool counters_take(struct counters *counters, size_t client, int64_t now_us, int64_t cost,
                   struct decision *decisions, int64_t *penalty_us);

#endif
