/*
 * sliding_window: a log of what passed, each entry forgotten exactly one window later.
 *
 * A log has at most SLIDING_WINDOW_ENTRIES entries. Up to a limit of that many, requests share an entry only if they
 * came in the same microsecond, and the window is exact. Above, requests of one tick share an entry, and count from
 * the last of them on: a request is forgotten up to one tick late, a thousandth of the window, and never early. So no
 * window ever holds more than the limit.
 *
 * A log may hold more than the limit, or entries finer than the tick, where it was written under another limit. It is
 * read as it is; what passed before the change counts for one window, of the length that the window has now. If such
 * a log is full, what follows shares its newest entry until the oldest expires.
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
void sliding_window_spend(const struct limit *limit, struct sliding_window_state *state,
                          struct window_log_pool *pool, int64_t now_us, int64_t cost);
void sliding_window_report(const struct limit *limit, const struct sliding_window_state *state,
                           const struct window_log_pool *pool, int64_t now_us, int64_t cost, bool allowed,
                           struct decision *decision);

#endif
