/*
 * token_bucket: a level that refills evenly; a request takes its cost from it.
 *
 * The level is true at `updated_us`, and what flowed in since is added when it is looked at:
 *
 *      units
 *      full  ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ╭──────     a spend writes level and moment;
 *                          ╭─────╯           a look or a refusal does not, so a client that is refused
 *      level ●─────────────╯                 costs a store no write
 *            updated_us          now_us
 *
 * Whole units flow in each microsecond (units_per_us), so nothing is ever rounded and nothing drifts. No
 * product reaches 2^53: limit * units_per_token is a full bucket, below 2^53 by limit_init_token_bucket, and
 * an elapsed time is multiplied only where it fills less than is missing. Waits are rounded up: a microsecond
 * earlier one unit is still missing.
 */
#include "algorithm.h"

#include "number.h"

static int64_t
full_level(const struct limit *limit)
{
    return limit->limit * limit->units_per_token;
}

static int64_t
level_at(const struct limit *limit, const union algorithm_state *state, int64_t now_us)
{
    int64_t elapsed_us = now_us - state->token_bucket.updated_us;

    if (elapsed_us <= 0)
        return state->token_bucket.level;
    if (elapsed_us >= divide_up(full_level(limit) - state->token_bucket.level, limit->units_per_us))
        return full_level(limit);
    return state->token_bucket.level + elapsed_us * limit->units_per_us;
}

static void
init(const struct limit *limit, union algorithm_state *state, int64_t now_us)
{
    state->token_bucket.level = full_level(limit);
    state->token_bucket.updated_us = now_us;
}

static void
advance(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us)
{
    (void)pool;
    if (state->token_bucket.level >= full_level(limit))
        init(limit, state, now_us); /* written under a larger limit, perhaps */
    else if (state->token_bucket.updated_us - now_us > limit->window_us)
        state->token_bucket.updated_us = now_us; /* the clock was set back */
    else if (level_at(limit, state, now_us) == full_level(limit))
        init(limit, state, now_us); /* a full bucket is the same as a new one */
}

static bool
fits(const struct limit *limit, const union algorithm_state *state, int64_t now_us, int64_t cost)
{
    return cost <= limit->limit && cost * limit->units_per_token <= level_at(limit, state, now_us);
}

static void
spend(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us,
      int64_t cost)
{
    (void)pool;
    state->token_bucket.level = level_at(limit, state, now_us) - cost * limit->units_per_token;
    if (state->token_bucket.updated_us < now_us)
        state->token_bucket.updated_us = now_us;
}

static void
report(const struct limit *limit, const union algorithm_state *state, const struct window_log_pool *pool,
       int64_t now_us, int64_t cost, bool allowed, struct decision *decision)
{
    int64_t level = level_at(limit, state, now_us);
    int64_t missing = full_level(limit) - level;
    /* While the clock is behind the state, nothing flows. */
    int64_t behind_us = state->token_bucket.updated_us > now_us ? state->token_bucket.updated_us - now_us : 0;

    (void)pool;
    decision->allowed = allowed;
    decision->limit = limit->limit;
    decision->remaining = level / limit->units_per_token;
    decision->reset_after_us = missing == 0 ? 0 : behind_us + divide_up(missing, limit->units_per_us);
    if (allowed)
        decision->retry_after_us = 0;
    else if (cost > limit->limit)
        decision->retry_after_us = RETRY_NEVER;
    else
        decision->retry_after_us =
            behind_us + divide_up(cost * limit->units_per_token - level, limit->units_per_us);
}

const struct algorithm_ops token_bucket_ops = {
    .init = init,
    .advance = advance,
    .fits = fits,
    .spend = spend,
    .report = report,
};
