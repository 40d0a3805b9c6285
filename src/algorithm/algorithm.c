#include "algorithm.h"

#include <assert.h>

#include "fixed_window.h"
#include "sliding_window.h"
#include "sliding_window_counter.h"
#include "token_bucket.h"

void
algorithm_init(const struct limit *limit, union algorithm_state *state, int64_t now_us)
{
    switch (limit->algorithm) {
    case TOKEN_BUCKET:
        token_bucket_init(limit, &state->token_bucket, now_us);
        break;
    case SLIDING_WINDOW:
        sliding_window_init(&state->sliding_window);
        break;
    case SLIDING_WINDOW_COUNTER:
        sliding_window_counter_init(limit, &state->sliding_window_counter, now_us);
        break;
    case FIXED_WINDOW:
        fixed_window_init(limit, &state->fixed_window, now_us);
        break;
    }
}

void
algorithm_advance(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool,
                  int64_t now_us)
{
    assert(now_us >= 0); /* divisions round down only from there */
    switch (limit->algorithm) {
    case TOKEN_BUCKET:
        token_bucket_advance(limit, &state->token_bucket, now_us);
        break;
    case SLIDING_WINDOW:
        sliding_window_advance(limit, &state->sliding_window, pool, now_us);
        break;
    case SLIDING_WINDOW_COUNTER:
        sliding_window_counter_advance(limit, &state->sliding_window_counter, now_us);
        break;
    case FIXED_WINDOW:
        fixed_window_advance(limit, &state->fixed_window, now_us);
        break;
    }
}

bool
algorithm_fits(const struct limit *limit, const union algorithm_state *state, int64_t now_us, int64_t cost)
{
    assert(cost >= 0);
    switch (limit->algorithm) {
    case TOKEN_BUCKET:
        return token_bucket_fits(limit, &state->token_bucket, now_us, cost);
    case SLIDING_WINDOW:
        return sliding_window_fits(limit, &state->sliding_window, cost);
    case SLIDING_WINDOW_COUNTER:
        return sliding_window_counter_fits(limit, &state->sliding_window_counter, now_us, cost);
    case FIXED_WINDOW:
        return fixed_window_fits(limit, &state->fixed_window, now_us, cost);
    }
    return false;
}

void
algorithm_spend(const struct limit *limit, union algorithm_state *state, struct window_log_pool *pool,
                int64_t now_us, int64_t cost)
{
    if (cost == 0)
        return;
    switch (limit->algorithm) {
    case TOKEN_BUCKET:
        token_bucket_spend(limit, &state->token_bucket, now_us, cost);
        break;
    case SLIDING_WINDOW:
        sliding_window_spend(limit, &state->sliding_window, pool, now_us, cost);
        break;
    case SLIDING_WINDOW_COUNTER:
        sliding_window_counter_spend(limit, &state->sliding_window_counter, now_us, cost);
        break;
    case FIXED_WINDOW:
        fixed_window_spend(limit, &state->fixed_window, now_us, cost);
        break;
    }
}

void
algorithm_report(const struct limit *limit, const union algorithm_state *state,
                 const struct window_log_pool *pool, int64_t now_us, int64_t cost, bool allowed,
                 struct decision *decision)
{
    switch (limit->algorithm) {
    case TOKEN_BUCKET:
        token_bucket_report(limit, &state->token_bucket, now_us, cost, allowed, decision);
        break;
    case SLIDING_WINDOW:
        sliding_window_report(limit, &state->sliding_window, pool, now_us, cost, allowed, decision);
        break;
    case SLIDING_WINDOW_COUNTER:
        sliding_window_counter_report(limit, &state->sliding_window_counter, now_us, cost, allowed, decision);
        break;
    case FIXED_WINDOW:
        fixed_window_report(limit, &state->fixed_window, now_us, cost, allowed, decision);
        break;
    }
}

void
algorithm_fini(enum algorithm algorithm, union algorithm_state *state, struct window_log_pool *pool)
{
    if (algorithm == SLIDING_WINDOW)
        sliding_window_fini(&state->sliding_window, pool);
}
