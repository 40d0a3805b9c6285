/*
 * An entry at t counts while now < t + window_us. Requests of one moment share an entry, so the log is as
 * long as there were moments, and moments only grow: the oldest entries expire first.
 *
 *      oldest                          newest
 *      (t1, 3)   (t2, 1)  ...  (t8, 2)              used = 3 + 1 + ... + 2
 *      popped as they expire       pushed, or added to
 *
 * Each entry is pushed once and popped once: a decision is O(1) amortised. A refusal of a cost above 1 walks
 * over as many entries as must expire for it, to say when.
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
    return cost <= limit->limit - state->used;
}

void
sliding_window_spend(struct sliding_window_state *state, struct window_log_pool *pool, int64_t now_us,
                     int64_t cost)
{
    struct window_log_entry *newest = window_log_newest(&state->log, pool);

    if (newest != NULL && newest->at_us >= now_us)
        newest->count += cost; /* of one moment with it, or the clock is behind and waits there */
    else
        window_log_push(&state->log, pool, (struct window_log_entry){.at_us = now_us, .count = cost});
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

    decision->allowed = allowed;
    decision->limit = limit->limit;
    decision->remaining = limit->limit - state->used;
    decision->reset_after_us = newest == NULL ? 0 : newest->at_us + limit->window_us - now_us;
    if (allowed)
        decision->retry_after_us = 0;
    else if (cost > limit->limit)
        decision->retry_after_us = RETRY_NEVER;
    else
        decision->retry_after_us = expired_at_us(limit, state, pool, cost - decision->remaining) - now_us;
}
