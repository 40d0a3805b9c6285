/*
 * sliding_window_counter: two counts; the older one weighs as much as the sliding window overlaps it.
 *
 * The functions of algorithm.h, for this algorithm alone; see there.
 */
#ifndef SLIDING_WINDOW_COUNTER_H
#define SLIDING_WINDOW_COUNTER_H

#include "algorithm.h"

void sliding_window_counter_init(const struct limit *limit, struct sliding_window_counter_state *state,
                                 int64_t now_us);
void sliding_window_counter_advance(const struct limit *limit, struct sliding_window_counter_state *state,
                                    int64_t now_us);
bool sliding_window_counter_fits(const struct limit *limit, const struct sliding_window_counter_state *state,
                                 int64_t now_us, int64_t cost);
void sliding_window_counter_spend(const struct limit *limit, struct sliding_window_counter_state *state,
                                  int64_t now_us, int64_t cost);
void sliding_window_counter_report(const struct limit *limit,
                                   const struct sliding_window_counter_state *state, int64_t now_us,
                                   int64_t cost, bool allowed, struct decision *decision);

#endif
