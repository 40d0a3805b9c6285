/*
 * The sliding window ends now and reaches back into the previous window; of what was counted there, the part
 * that it still overlaps is held to count, as if it had come evenly:
 *
 *           previous            current
 *      ├─────────────────┼─────────────────┤     W  ticks in a window
 *                ╰───────┴───────╯               e  ticks elapsed in the current one
 *                  W - e     e ▲ now             used = previous * (W - e) / W + current
 *
 * Everything is multiplied by W, so that nothing is rounded: free = (limit - current) * W - previous * (W -
 * e), and a cost fits where cost * W <= free. No product reaches 2^53: every count is at most the limit, and
 * limit * W is below 2^53 by limit_init_window, which chooses the tick for it.
 */
#include "sliding_window_counter.h"

static int64_t
window_ticks(const struct limit *limit)
{
    return limit->window_us / limit->tick_us;
}

static int64_t
elapsed_ticks(const struct limit *limit, const struct sliding_window_counter_state *state, int64_t now_us)
{
    int64_t start_us = state->window * limit->window_us;

    return now_us > start_us ? (now_us - start_us) / limit->tick_us : 0;
}

/* In requests times ticks. Below 0 after the clock was set back: the previous window then weighs more. */
static int64_t
free_quota(const struct limit *limit, const struct sliding_window_counter_state *state, int64_t now_us)
{
    int64_t ticks = window_ticks(limit);

    return (limit->limit - state->current) * ticks -
           state->previous * (ticks - elapsed_ticks(limit, state, now_us));
}

/* The first tick of a window at which `count` requests of the window before weigh no more than `room` of this
   one; at its end, W, they weigh nothing. */
static int64_t
first_tick_with_room(const struct limit *limit, int64_t count, int64_t room)
{
    int64_t ticks = window_ticks(limit);

    return count <= room ? 0 : ticks - room * ticks / count;
}

void
sliding_window_counter_init(const struct limit *limit, struct sliding_window_counter_state *state,
                            int64_t now_us)
{
    state->window = now_us / limit->window_us;
    state->current = 0;
    state->previous = 0;
}

void
sliding_window_counter_advance(const struct limit *limit, struct sliding_window_counter_state *state,
                               int64_t now_us)
{
    int64_t window = now_us / limit->window_us;

    if (window > state->window) {
        state->previous = window == state->window + 1 ? state->current : 0;
        state->current = 0;
    }
    /* One window behind, the clock is waited for; more, and it was set back: the counts come along. */
    if (window > state->window || state->window - window > 1 || (state->current == 0 && state->previous == 0))
        state->window = window;
}

bool
sliding_window_counter_fits(const struct limit *limit, const struct sliding_window_counter_state *state,
                            int64_t now_us, int64_t cost)
{
    return cost == 0 ||
           (cost <= limit->limit && cost * window_ticks(limit) <= free_quota(limit, state, now_us));
}

void
sliding_window_counter_spend(const struct limit *limit, struct sliding_window_counter_state *state,
                             int64_t now_us, int64_t cost)
{
    (void)limit;
    (void)now_us;
    state->current += cost;
}

/*
 * When a refused cost would first pass, if nothing else came. Beside the current count it either has room,
 * and waits for the previous window to weigh less: at the next window's start at the latest, where that is
 * gone. Or it has none, and waits for the current count to become the previous one, and then to weigh less.
 */
static int64_t
fits_at_us(const struct limit *limit, const struct sliding_window_counter_state *state, int64_t cost)
{
    int64_t room = limit->limit - cost; /* for what has already been counted */
    int64_t start_us = state->window * limit->window_us;

    if (state->current <= room)
        return start_us +
               first_tick_with_room(limit, state->previous, room - state->current) * limit->tick_us;
    return start_us + limit->window_us + first_tick_with_room(limit, state->current, room) * limit->tick_us;
}

void
sliding_window_counter_report(const struct limit *limit, const struct sliding_window_counter_state *state,
                              int64_t now_us, int64_t cost, bool allowed, struct decision *decision)
{
    int64_t unused = free_quota(limit, state, now_us);
    int64_t start_us = state->window * limit->window_us;

    decision->allowed = allowed;
    decision->limit = limit->limit;
    decision->remaining = unused > 0 ? unused / window_ticks(limit) : 0;
    if (state->current > 0)
        decision->reset_after_us = start_us + 2 * limit->window_us - now_us;
    else
        decision->reset_after_us = state->previous > 0 ? start_us + limit->window_us - now_us : 0;
    if (allowed)
        decision->retry_after_us = 0;
    else if (cost > limit->limit)
        decision->retry_after_us = RETRY_NEVER;
    else
        decision->retry_after_us = fits_at_us(limit, state, cost) - now_us;
}
