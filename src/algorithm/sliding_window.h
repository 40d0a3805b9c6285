/*
 * sliding_window: a log of what passed, each entry forgotten exactly one window later.
 *
 * The functions of algorithm.h, for this algorithm alone; see there.
 */
#ifndef SLIDING_WINDOW_H
#define SLIDING_WINDOW_H

#include "algorithm.h"

void sliding_window_init(struct sliding_window_state *state);
void sliding_window_fini(struct sliding_window_state *state, struct window_log_pool *pool);
void sliding_window_advance(const struct limit *limit, struct sliding_window_state *state,
                            struct window_log_pool *pool, int64_t now_us);
bool sliding_window_fits(const struct limit *limit, const struct sliding_window_state *state, int64_t cost);
void sliding_window_spend(struct sliding_window_state *state, struct window_log_pool *pool, int64_t now_us,
                          int64_t cost);
void sliding_window_report(const struct limit *limit, const struct sliding_window_state *state,
                           const struct window_log_pool *pool, int64_t now_us, int64_t cost, bool allowed,
                           struct decision *decision);

#endif
