/*
 * counters: a few clients' limits counted by the functions of src/algorithm, and nothing else: the smallest
 * store. All limits of a request allow it, or nothing is spent.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "algorithm.h"

#define COUNTERS_CLIENTS_MAX 16
#define COUNTERS_LIMITS_MAX  8

struct counters {
    const struct limit *limits; /* borrowed */
    size_t limit_count;
    struct window_log_pool pool;
    bool seen[COUNTERS_CLIENTS_MAX];
    union algorithm_state states[COUNTERS_CLIENTS_MAX][COUNTERS_LIMITS_MAX];
};

void counters_init(struct counters *counters, const struct limit *limits, size_t limit_count);
void counters_fini(struct counters *counters);

/* One request; fills a decision a limit. True: allowed, and spent. */
bool counters_take(struct counters *counters, size_t client, int64_t now_us, int64_t cost,
                   struct decision *decisions);

#endif
