#include "algorithm.h"

#include <assert.h>

extern const struct algorithm_ops token_bucket_ops, sliding_window_ops, sliding_window_counter_ops,
    fixed_window_ops;

static const struct algorithm_ops *const algorithms[ALGORITHM_COUNT] = {
    [TOKEN_BUCKET] = &token_bucket_ops,
    [SLIDING_WINDOW] = &sliding_window_ops,
    [SLIDING_WINDOW_COUNTER] = &sliding_window_counter_ops,
    [FIXED_WINDOW] = &fixed_window_ops,
};

void
algorithm_init(const struct limit *limit, union algorithm_state *state, int64_t now_us)
{
    algorithms[limit->algorithm]->init(limit, state, now_us);
}

void
algorithm_advance(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool,
                  int64_t now_us)
{
    assert(now_us >= 0); /* below 0, division does not round down */
    algorithms[limit->algorithm]->advance(limit, state, pool, now_us);
}

bool
algorithm_fits(const struct limit *limit, const union algorithm_state *state, int64_t now_us, int64_t cost)
{
    assert(cost >= 0);
    return algorithms[limit->algorithm]->fits(limit, state, now_us, cost);
}

void
algorithm_spend(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool,
                int64_t now_us, int64_t cost)
{
    if (cost > 0)
        algorithms[limit->algorithm]->spend(limit, state, pool, now_us, cost);
}

void
algorithm_report(const struct limit *limit, const union algorithm_state *state,
                 const struct window_log_pool *pool, int64_t now_us, int64_t cost, bool allowed,
                 struct decision *decision)
{
    algorithms[limit->algorithm]->report(limit, state, pool, now_us, cost, allowed, decision);
}
