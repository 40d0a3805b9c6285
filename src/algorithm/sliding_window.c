/*
 * sliding_window: a log of what passed, each entry forgotten exactly one window later.
 *
 * A log has at most SLIDING_WINDOW_ENTRIES entries. Up to a limit of that many, requests share an entry only
 * if they came in the same microsecond, and the window is exact. Above, requests of one tick share an entry,
 * and count from the last of them on: a request is forgotten up to one tick late, a thousandth of the window,
 * and never early. So no window ever holds more than the limit.
 *
 * A log may hold more than the limit, or entries finer than the tick, where it was written under another
 * limit. It is read as it is; what passed before the change counts for one window, of the length that the
 * window has now. If such a log is full, what follows shares its newest entry until the oldest expires.
 *
 * An entry at t counts while now < t + window_us. Moments only grow: the oldest entries expire first.
 *
 *      oldest                          newest
 *      (t1, 3)   (t2, 1)  ...  (t8, 2)              used = 3 + 1 + ... + 2
 *      popped as they expire       pushed, or added to: its moment becomes that of its last request
 *
 * Each entry is pushed once and popped once: a decision is O(1) amortised. A refusal of a cost above 1 walks
 * over as many entries as must expire for it, to say when. Neither passes over more than
 * SLIDING_WINDOW_ENTRIES.
 */
#include "algorithm.h"

static void
init(const struct limit *limit, union algorithm_state *state, int64_t now_us)
{
    (void)limit;
    (void)now_us;
    state->sliding_window.used = 0;
    window_log_init(&state->sliding_window.log);
}

static void
advance(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us)
{
    const struct window_log_entry *entry = window_log_newest(&state->sliding_window.log, pool);

    if (entry != NULL && entry->at_us - now_us > limit->window_us) {
        /* The clock was set back: all of it counts for one window from now. */
        window_log_clear(&state->sliding_window.log, pool);
        window_log_push(&state->sliding_window.log, pool,
                        (struct window_log_entry){.at_us = now_us, .count = state->sliding_window.used});
        return;
    }
    while ((entry = window_log_oldest(&state->sliding_window.log, pool)) != NULL &&
           now_us - entry->at_us >= limit->window_us) {
        state->sliding_window.used -= entry->count;
        window_log_pop(&state->sliding_window.log, pool);
    }
}

static bool
fits(const struct limit *limit, const union algorithm_state *state, int64_t now_us, int64_t cost)
{
    (void)now_us;
    return cost == 0 || cost <= limit->limit - state->sliding_window.used;
}

/* Whether the newest entry takes in what is spent now: it is of this tick, or ahead of the clock, or the log
   is full. */
static bool
joins_newest(const struct limit *limit, const struct window_log *log, const struct window_log_entry *newest,
             int64_t now_us)
{
    return newest->at_us >= now_us - now_us % limit->tick_us || log->entry_count >= SLIDING_WINDOW_ENTRIES;
}

static void
spend(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us,
      int64_t cost)
{
    struct window_log_entry *newest = window_log_newest(&state->sliding_window.log, pool);

    if (newest != NULL && joins_newest(limit, &state->sliding_window.log, newest, now_us)) {
        newest->count += cost;
        if (newest->at_us < now_us)
            newest->at_us = now_us;
    } else {
        window_log_push(&state->sliding_window.log, pool,
                        (struct window_log_entry){.at_us = now_us, .count = cost});
    }
    state->sliding_window.used += cost;
}

/* When `count` requests of the log have expired. */
static int64_t
expired_at_us(const struct limit *limit, const union algorithm_state *state,
              const struct window_log_pool *pool, int64_t count)
{
    struct window_log_cursor cursor = window_log_begin(&state->sliding_window.log);
    const struct window_log_entry *entry;
    int64_t at_us = 0;

    while (count > 0 && (entry = window_log_next(&state->sliding_window.log, pool, &cursor)) != NULL) {
        count -= entry->count;
        at_us = entry->at_us + limit->window_us;
    }
    return at_us;
}

static void
report(const struct limit *limit, const union algorithm_state *state, const struct window_log_pool *pool,
       int64_t now_us, int64_t cost, bool allowed, struct decision *decision)
{
    const struct window_log_entry *newest = window_log_newest(&state->sliding_window.log, pool);
    const int64_t free = limit->limit - state->sliding_window.used;

    decision->allowed = allowed;
    decision->limit = limit->limit;
    decision->remaining = free > 0 ? free : 0; /* below 0: spent under a larger limit */
    decision->reset_after_us = newest == NULL ? 0 : newest->at_us + limit->window_us - now_us;
    if (allowed)
        decision->retry_after_us = 0;
    else if (cost > limit->limit)
        decision->retry_after_us = RETRY_NEVER;
    else
        decision->retry_after_us = expired_at_us(limit, state, pool, cost - free) - now_us;
}

const struct algorithm_ops sliding_window_ops = {
    .init = init,
    .advance = advance,
    .fits = fits,
    .spend = spend,
    .report = report,
};
