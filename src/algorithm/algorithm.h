/*
 * algorithm: one interface for the four algorithms.
 *
 * Each algorithm is five pure functions of (state, limit, now, cost); no clock, no I/O, no allocation. A
 * store calls them in this order, for every limit of the request, all at the same `now`:
 *
 *      init      the state of a new client, or of one whose quota is full again
 *      advance   applies the time that has passed: expires entries, begins a new window
 *      fits      would this cost pass?                 -> all limits fit, or nothing is spent on any of them
 *      spend     takes the cost; only if it fits
 *      report    fills the decision: `allowed` is the result of fits, the rest describes the new state
 *
 * Cost 0 always fits and spends nothing: it peeks. A cost above the limit never fits.
 *
 * Time: `now` is microseconds since the epoch by the store's clock. A state never goes back in time: with a
 * `now` before its own last moment it stays at that moment. But a state more than one window ahead of the
 * clock can only come from a clock that was set back: it is brought back to `now` with what was spent kept,
 * so that such a step grants nothing and delays no client by more than a window. Durations in a decision
 * count from `now` as given.
 *
 * After reset_after a state means the same as none: a store may drop it then, and only then. A state whose
 * quota is full is dropped: advance replaces it with a new one, at the clock's own moment.
 *
 * The twins in lua/ have the same names, the same order and the same units; tests/cases and tests/model hold
 * both to the same answers. Pure; any thread, one at a time for each state.
 */
#ifndef ALGORITHM_H
#define ALGORITHM_H

#include <stdbool.h>
#include <stdint.h>

#include "decision.h"
#include "limit.h"
#include "window_log.h"

/* Starts full; refills continuously; bursts up to its capacity. */
struct token_bucket_state {
    int64_t missing;    /* from a full bucket, in units: limit->units_per_token make a token */
    int64_t updated_us; /* the moment at which that was missing */
};

/* Never more than the limit in any window. */
struct sliding_window_state {
    int64_t used; /* the sum of the counts in the log */
    struct window_log log;
};

/* The previous window's count, weighted by how much of it the sliding window still overlaps, plus this
   one's. */
struct sliding_window_counter_state {
    int64_t window;   /* number of the current window: now / window_us, rounded down */
    int64_t current;  /* requests in it */
    int64_t previous; /* requests in the one before */
};

/* Windows aligned to the epoch, so that every node agrees where one begins. */
struct fixed_window_state {
    int64_t window; /* number: now / window_us, rounded down */
    int64_t count;  /* requests in it */
};

union algorithm_state {
    struct token_bucket_state token_bucket;
    struct sliding_window_state sliding_window;
    struct sliding_window_counter_state sliding_window_counter;
    struct fixed_window_state fixed_window;
};

/* One algorithm. `pool` holds the logs of sliding windows; the other algorithms ignore it. spend needs room
   for one chunk in it. */
struct algorithm_ops {
    void (*init)(const struct limit *limit, union algorithm_state *state, int64_t now_us);
    void (*advance)(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool,
                    int64_t now_us);
    bool (*fits)(const struct limit *limit, const union algorithm_state *state, int64_t now_us, int64_t cost);
    void (*spend)(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool,
                  int64_t now_us, int64_t cost);
    void (*report)(const struct limit *limit, const union algorithm_state *state,
                   const struct window_log_pool *pool, int64_t now_us, int64_t cost, bool allowed,
                   struct decision *decision);
};

/* By the limit's algorithm. */
void algorithm_init(const struct limit *limit, union algorithm_state *state, int64_t now_us);
void algorithm_advance(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool,
                       int64_t now_us);
bool algorithm_fits(const struct limit *limit, const union algorithm_state *state, int64_t now_us,
                    int64_t cost);
void algorithm_spend(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool,
                     int64_t now_us, int64_t cost);
void algorithm_report(const struct limit *limit, const union algorithm_state *state,
                      const struct window_log_pool *pool, int64_t now_us, int64_t cost, bool allowed,
                      struct decision *decision);

#endif
