/*
 *      ──┬─────────────┬─────────────┬──►      windows begin at whole multiples of window_us since the epoch,
 *        window        window + 1              so every node agrees where, and none has to be told
 */
#include "fixed_window.h"

void
fixed_window_init(const struct limit *limit, struct fixed_window_state *state, int64_t now_us)
{
    state->window = now_us / limit->window_us;
    state->count = 0;
}

void
fixed_window_advance(const struct limit *limit, struct fixed_window_state *state, int64_t now_us)
{
    int64_t window = now_us / limit->window_us;

    if (window > state->window)
        state->count = 0;
    /* One window behind, the clock is waited for; more, and it was set back: the count comes along. */
    if (window > state->window || state->window - window > 1 || state->count == 0)
        state->window = window;
}

bool
fixed_window_fits(const struct limit *limit, const struct fixed_window_state *state, int64_t now_us,
                  int64_t cost)
{
    (void)now_us;
    return cost <= limit->limit - state->count;
}

void
fixed_window_spend(const struct limit *limit, struct fixed_window_state *state, int64_t now_us, int64_t cost)
{
    (void)limit;
    (void)now_us;
    state->count += cost;
}

void
fixed_window_report(const struct limit *limit, const struct fixed_window_state *state, int64_t now_us,
                    int64_t cost, bool allowed, struct decision *decision)
{
    int64_t next_window_us = (state->window + 1) * limit->window_us;

    decision->allowed = allowed;
    decision->limit = limit->limit;
    decision->remaining = limit->limit - state->count;
    decision->reset_after_us = state->count == 0 ? 0 : next_window_us - now_us;
    if (allowed)
        decision->retry_after_us = 0;
    else if (cost > limit->limit)
        decision->retry_after_us = RETRY_NEVER;
    else
        decision->retry_after_us = next_window_us - now_us;
}
