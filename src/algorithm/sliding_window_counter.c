/*
 * sliding_window_counter: two counts; the older one weighs as much as the sliding window overlaps it.
 *
 * The sliding window ends now and reaches back into the previous window; of what was counted there, the part
 * that it still overlaps counts, as if the requests had come evenly:
 *
 *           previous            current
 *      ├─────────────────┼─────────────────┤     W  ticks in a window
 *                ╰───────┴───────╯               e  ticks elapsed in the current one
 *                  W - e     e ▲ now             used = previous * (W - e) / W + current
 *
 * Everything is multiplied by W, so that nothing is rounded: free = (limit - current) * W - previous * (W -
 * e), and a cost fits where cost * W <= free. No product reaches 2^53: every count is taken as at most the
 * limit, and limit * W is below 2^53 by limit_init_window, which chooses the tick for it.
 *
 * A count that was written under a larger limit counts as this limit: nothing passes while it is the current
 * one. The state keeps what was spent, so that it counts in full where the larger limit decides again: after
 * an override, or on a node with other rules.
 */
#include "algorithm.h"

static int64_t
current_of(const struct limit *limit, const union algorithm_state *state)
{
    int64_t count = state->sliding_window_counter.current;

    return count < limit->limit ? count : limit->limit;
}

static int64_t
previous_of(const struct limit *limit, const union algorithm_state *state)
{
    int64_t count = state->sliding_window_counter.previous;

    return count < limit->limit ? count : limit->limit;
}

static int64_t
window_ticks(const struct limit *limit)
{
    return limit->window_us / limit->tick_us;
}

static int64_t
elapsed_ticks(const struct limit *limit, const union algorithm_state *state, int64_t now_us)
{
    int64_t start_us = state->sliding_window_counter.window * limit->window_us;

    return now_us > start_us ? (now_us - start_us) / limit->tick_us : 0;
}

/* In requests times ticks. Below 0 after the clock was set back: the previous window then weighs more. */
static int64_t
free_quota(const struct limit *limit, const union algorithm_state *state, int64_t now_us)
{
    int64_t ticks = window_ticks(limit);

    return (limit->limit - current_of(limit, state)) * ticks -
           previous_of(limit, state) * (ticks - elapsed_ticks(limit, state, now_us));
}

/* The first tick of a window at which `count` requests of the window before weigh no more than `room` of this
   one; at its end, W, they weigh nothing. */
static int64_t
first_tick_with_room(const struct limit *limit, int64_t count, int64_t room)
{
    int64_t ticks = window_ticks(limit);

    return count <= room ? 0 : ticks - room * ticks / count;
}

static void
init(const struct limit *limit, union algorithm_state *state, int64_t now_us)
{
    state->sliding_window_counter.window = now_us / limit->window_us;
    state->sliding_window_counter.current = 0;
    state->sliding_window_counter.previous = 0;
}

static void
advance(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us)
{
    int64_t window = now_us / limit->window_us;

    (void)pool;
    if (window > state->sliding_window_counter.window) {
        state->sliding_window_counter.previous =
            window == state->sliding_window_counter.window + 1 ? state->sliding_window_counter.current : 0;
        state->sliding_window_counter.current = 0;
    }
    /* If the clock is one window behind the state, wait for it; if more, it was set back, and the counts move
       to it. */
    if (window > state->sliding_window_counter.window || state->sliding_window_counter.window - window > 1 ||
        (state->sliding_window_counter.current == 0 && state->sliding_window_counter.previous == 0))
        state->sliding_window_counter.window = window;
}

static bool
fits(const struct limit *limit, const union algorithm_state *state, int64_t now_us, int64_t cost)
{
    return cost == 0 ||
           (cost <= limit->limit && cost * window_ticks(limit) <= free_quota(limit, state, now_us));
}

static void
spend(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us,
      int64_t cost)
{
    (void)limit;
    (void)pool;
    (void)now_us;
    state->sliding_window_counter.current += cost;
}

/*
 * When a refused cost would first pass, if nothing else came. Beside the current count it either has room,
 * and waits for the previous window to weigh less: at the next window's start at the latest, where that is
 * gone. Or it has none, and waits for the current count to become the previous one, and then to weigh less.
 */
static int64_t
fits_at_us(const struct limit *limit, const union algorithm_state *state, int64_t cost)
{
    int64_t room = limit->limit - cost; /* for what has already been counted */
    int64_t start_us = state->sliding_window_counter.window * limit->window_us;
    int64_t current = current_of(limit, state);

    if (current <= room)
        return start_us +
               first_tick_with_room(limit, previous_of(limit, state), room - current) * limit->tick_us;
    return start_us + limit->window_us + first_tick_with_room(limit, current, room) * limit->tick_us;
}

static void
report(const struct limit *limit, const union algorithm_state *state, const struct window_log_pool *pool,
       int64_t now_us, int64_t cost, bool allowed, struct decision *decision)
{
    int64_t unused = free_quota(limit, state, now_us);
    int64_t start_us = state->sliding_window_counter.window * limit->window_us;

    (void)pool;
    decision->allowed = allowed;
    decision->limit = limit->limit;
    decision->remaining = unused > 0 ? unused / window_ticks(limit) : 0;
    if (state->sliding_window_counter.current > 0)
        decision->reset_after_us = start_us + 2 * limit->window_us - now_us;
    else
        decision->reset_after_us =
            state->sliding_window_counter.previous > 0 ? start_us + limit->window_us - now_us : 0;
    if (allowed)
        decision->retry_after_us = 0;
    else if (cost > limit->limit)
        decision->retry_after_us = RETRY_NEVER;
    else
        decision->retry_after_us = fits_at_us(limit, state, cost) - now_us;
}

const struct algorithm_ops sliding_window_counter_ops = {
    .init = init,
    .advance = advance,
    .fits = fits,
    .spend = spend,
    .report = report,
};
