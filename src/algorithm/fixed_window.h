/*
 * fixed_window: a count that starts anew with every window on the clock.
 *
 * The functions of algorithm.h, for this algorithm alone; see there.
 */
#ifndef FIXED_WINDOW_H
#define FIXED_WINDOW_H

#include "algorithm.h"

void fixed_window_init(const struct limit *limit, struct fixed_window_state *state, int64_t now_us);
void fixed_window_advance(const struct limit *limit, struct fixed_window_state *state, int64_t now_us);
bool fixed_window_fits(const struct limit *limit, const struct fixed_window_state *state, int64_t now_us,
                       int64_t cost);
void fixed_window_spend(const struct limit *limit, struct fixed_window_state *state, int64_t now_us,
                        int64_t cost);
void fixed_window_report(const struct limit *limit, const struct fixed_window_state *state, int64_t now_us,
                         int64_t cost, bool allowed, struct decision *decision);

#endif
