/*
 * token_bucket: a bucket that fills up evenly; a request takes its cost from it.
 *
 * Kept is what is missing from a full bucket, and since when; what has flowed in since is subtracted when it is looked at:
 *
 *      missing
 *      units  ●─────────────╮                  a spend writes what is missing, and the moment;
 *                           ╰─────╮            a look or a refusal does not, so a client that is refused
 *      0 ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─╰────────    costs a store no write
 *             updated_us          now_us
 *
 * Nothing is missing: the bucket is full, whatever its capacity. So the same state serves limits that differ in their
 * capacity alone, as after a change of the rules, or on nodes with different versions of them: what was spent is missing in
 * each. More than all is missing where it was spent from a larger bucket: nothing passes until that has flowed in.
 *
 * Whole units flow in each microsecond (units_per_us), so nothing is ever rounded and nothing drifts. No product reaches
 * 2^53: limit * units_per_token is a full bucket, below 2^53 by limit_init_token_bucket, and an elapsed time is multiplied
 * only where less flows in than is missing.
 */
#include "algorithm.h"

static int64_t
full_level(const struct limit *limit)
{
    return limit->limit * limit->units_per_token;
}

/* How long until `units` have flowed in, rounded up: a microsecond earlier one unit is still missing. */
static int64_t
time_to_flow_us(const struct limit *limit, int64_t units)
{
    return units / limit->units_per_us + (units % limit->units_per_us != 0);
}

static int64_t
missing_at(const struct limit *limit, const union algorithm_state *state, int64_t now_us)
{
    int64_t elapsed_us = now_us - state->token_bucket.updated_us;

    if (elapsed_us <= 0)
        return state->token_bucket.missing;
    if (elapsed_us >= time_to_flow_us(limit, state->token_bucket.missing))
        return 0;
    return state->token_bucket.missing - elapsed_us * limit->units_per_us;
}

static void
init(const struct limit *limit, union algorithm_state *state, int64_t now_us)
{
    (void)limit;
    state->token_bucket.missing = 0;
    state->token_bucket.updated_us = now_us;
}

static void
advance(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us)
{
    (void)pool;
    if (state->token_bucket.updated_us - now_us > limit->window_us)
        state->token_bucket.updated_us = now_us; /* the clock was set back */
    else if (missing_at(limit, state, now_us) == 0)
        init(limit, state, now_us); /* a full bucket is the same as a new one */
}

static bool
fits(const struct limit *limit, const union algorithm_state *state, int64_t now_us, int64_t cost)
{
    return cost == 0 || (cost <= limit->limit && cost * limit->units_per_token <=
                                                     full_level(limit) - missing_at(limit, state, now_us));
}

static void
spend(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool, int64_t now_us,
      int64_t cost)
{
    (void)pool;
    state->token_bucket.missing = missing_at(limit, state, now_us) + cost * limit->units_per_token;
    if (state->token_bucket.updated_us < now_us)
        state->token_bucket.updated_us = now_us;
}

static void
report(const struct limit *limit, const union algorithm_state *state, const struct window_log_pool *pool,
       int64_t now_us, int64_t cost, bool allowed, struct decision *decision)
{
    int64_t missing = missing_at(limit, state, now_us);
    int64_t level = full_level(limit) - missing;
    /* While the clock is behind the state, nothing flows. */
    int64_t behind_us = state->token_bucket.updated_us > now_us ? state->token_bucket.updated_us - now_us : 0;

    (void)pool;
    decision->allowed = allowed;
    decision->limit = limit->limit;
    decision->remaining = level > 0 ? level / limit->units_per_token : 0;
    decision->reset_after_us = missing == 0 ? 0 : behind_us + time_to_flow_us(limit, missing);
    if (allowed)
        decision->retry_after_us = 0;
    else if (cost > limit->limit)
        decision->retry_after_us = RETRY_NEVER;
    else
        decision->retry_after_us = behind_us + time_to_flow_us(limit, cost * limit->units_per_token - level);
}

const struct algorithm_ops token_bucket_ops = {
    .init = init,
    .advance = advance,
    .fits = fits,
    .spend = spend,
    .report = report,
};
