/*
 * fixed_window: a count that restarts with every window of the clock.
 *
 *      ──┬─────────────┬─────────────┬──►      windows begin at whole multiples of window_us since the epoch,
 *        window        window + 1              so every node agrees on them
 *
 * A count may be above the limit where it was written under a larger one: nothing passes until the window
 * ends.
 */
#include "algorithm.h"

static void
init(const struct limit *limit, union algorithm_state *state, int64_t now_us)
{
    state->fixed_window.window = now_us / limit->window_us;
    state->fixed_window.count = 0;
}

static void
advance(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us)
{
    int64_t window = now_us / limit->window_us;

    (void)pool;
    if (window > state->fixed_window.window)
        state->fixed_window.count = 0;
    /* If the clock is one window behind the state, wait for it; if more, it was set back, and the count moves
       to it. */
    if (window > state->fixed_window.window || state->fixed_window.window - window > 1 ||
        state->fixed_window.count == 0)
        state->fixed_window.window = window;
}

static bool
fits(const struct limit *limit, const union algorithm_state *state, int64_t now_us, int64_t cost)
{
    (void)now_us;
    return cost == 0 || cost <= limit->limit - state->fixed_window.count;
}

static void
spend(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us,
      int64_t cost)
{
    (void)pool;
    (void)limit;
    (void)now_us;
    state->fixed_window.count += cost;
}

static void
report(const struct limit *limit, const union algorithm_state *state, const struct window_log_pool *pool,
       int64_t now_us, int64_t cost, bool allowed, struct decision *decision)
{
    int64_t next_window_us = (state->fixed_window.window + 1) * limit->window_us;
    int64_t free = limit->limit - state->fixed_window.count;

    (void)pool;
    decision->allowed = allowed;
    decision->limit = limit->limit;
    decision->remaining = free > 0 ? free : 0;
    decision->reset_after_us = state->fixed_window.count == 0 ? 0 : next_window_us - now_us;
    if (allowed)
        decision->retry_after_us = 0;
    else if (cost > limit->limit)
        decision->retry_after_us = RETRY_NEVER;
    else
        decision->retry_after_us = next_window_us - now_us;
}

const struct algorithm_ops fixed_window_ops = {
    .init = init,
    .advance = advance,
    .fits = fits,
    .spend = spend,
    .report = report,
};
