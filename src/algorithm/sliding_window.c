/*
 * An entry at t counts while now < t + window_us. Moments only grow: the oldest entries expire first.
 *
 *      oldest                          newest
 *      (t1, 3)   (t2, 1)  ...  (t8, 2)              used = 3 + 1 + ... + 2
 *      popped as they expire       pushed, or added to: its moment becomes that of its last request
 *
 * Each entry is pushed once and popped once: a decision is O(1) amortised. A refusal of a cost above 1 walks
 * over as many entries as must expire for it, to say when. Neither passes over more than SLIDING_WINDOW_ENTRIES.
 */
#include "sliding_window.h"

void
sliding_window_init(struct sliding_window_state *state)
{
    state->used = 0;
    window_log_init(&state->log);
}

void
sliding_window_fini(struct sliding_window_state *state, struct window_log_pool *pool)
{
    window_log_clear(&state->log, pool);
    state->used = 0;
}

void
sliding_window_advance(const struct limit *limit, struct sliding_window_state *state,
                       struct window_log_pool *pool, int64_t now_us)
{
    const struct window_log_entry *entry = window_log_newest(&state->log, pool);

    if (entry != NULL && entry->at_us - now_us > limit->window_us) {
        /* The clock was set back: all of it counts for one window from now. */
        window_log_clear(&state->log, pool);
        window_log_push(&state->log, pool, (struct window_log_entry){.at_us = now_us, .count = state->used});
        return;
    }
    while ((entry = window_log_oldest(&state->log, pool)) != NULL &&
           now_us - entry->at_us >= limit->window_us) {
        state->used -= entry->count;
        window_log_pop(&state->log, pool);
    }
}

bool
sliding_window_fits(const struct limit *limit, const struct sliding_window_state *state, int64_t cost)
{
    return cost == 0 || cost <= limit->limit - state->used;
}

/* The newest entry may take in what is spent now: it is of this tick, or the clock is behind it, or the log is full. */
static bool
joins_newest(const struct limit *limit, const struct window_log *log, const struct window_log_entry *newest,
             int64_t now_us)
{
    return newest->at_us >= now_us - now_us % limit->tick_us || log->entry_count >= SLIDING_WINDOW_ENTRIES;
}

void
sliding_window_spend(const struct limit *limit, struct sliding_window_state *state,
                     struct window_log_pool *pool, int64_t now_us, int64_t cost)
{
    struct window_log_entry *newest = window_log_newest(&state->log, pool);

    if (newest != NULL && joins_newest(limit, &state->log, newest, now_us)) {
        newest->count += cost;
        if (newest->at_us < now_us)
            newest->at_us = now_us;
    } else {
        window_log_push(&state->log, pool, (struct window_log_entry){.at_us = now_us, .count = cost});
    }
    state->used += cost;
}

/* When `count` requests of the log have expired. */
static int64_t
expired_at_us(const struct limit *limit, const struct sliding_window_state *state,
              const struct window_log_pool *pool, int64_t count)
{
    struct window_log_cursor cursor = window_log_begin(&state->log);
    const struct window_log_entry *entry;
    int64_t at_us = 0;

    while (count > 0 && (entry = window_log_next(&state->log, pool, &cursor)) != NULL) {
        count -= entry->count;
        at_us = entry->at_us + limit->window_us;
    }
    return at_us;
}

void
sliding_window_report(const struct limit *limit, const struct sliding_window_state *state,
                      const struct window_log_pool *pool, int64_t now_us, int64_t cost, bool allowed,
                      struct decision *decision)
{
    const struct window_log_entry *newest = window_log_newest(&state->log, pool);
    const int64_t free = limit->limit - state->used;

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
