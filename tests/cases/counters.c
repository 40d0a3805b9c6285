#include "counters.h"

#include <assert.h>
#include <stdlib.h>

void
counters_init(struct counters *counters, const struct limit *limits, size_t limit_count)
{
    assert(limit_count <= COUNTERS_LIMITS_MAX);
    *counters = (struct counters){.limits = limits, .limit_count = limit_count};
    if (!window_log_pool_init(&counters->pool, 1000000))
        abort(); /* no address space for the logs */
}

void
counters_fini(struct counters *counters)
{
    window_log_pool_fini(&counters->pool);
}

/* The rest of the client's penalty, which a refusal may begin. */
static int64_t
penalise(const struct penalty *penalty, struct penalty_state *state, int64_t now_us, bool fits)
{
    if (penalty == NULL)
        return 0;
    penalty_advance(penalty, state, now_us);
    if (!fits && penalty_rest_us(state, now_us) == 0)
        penalty_refuse(penalty, state, now_us);
    return penalty_rest_us(state, now_us);
}

bool
counters_take(struct counters *counters, size_t client, int64_t now_us, int64_t cost,
              struct decision *decisions, int64_t *penalty_us)
{
    union algorithm_state *states = counters->states[client];
    bool fits[COUNTERS_LIMITS_MAX], all = true;

    assert(client < COUNTERS_CLIENTS_MAX);
    for (size_t i = 0; i < counters->limit_count; i++) {
        const struct limit *limit = &counters->limits[i];

        if (!counters->seen[client])
            algorithm_init(limit, &states[i], now_us);
        algorithm_advance(limit, &states[i], &counters->pool, now_us);
        fits[i] = algorithm_fits(limit, &states[i], now_us, cost);
        all = all && fits[i];
    }
    counters->seen[client] = true;
    *penalty_us = penalise(counters->penalty, &counters->penalties[client], now_us, all);
    all = all && *penalty_us == 0;
    for (size_t i = 0; i < counters->limit_count; i++) {
        const struct limit *limit = &counters->limits[i];

        if (all)
            algorithm_spend(limit, &states[i], &counters->pool, now_us, cost);
        algorithm_report(limit, &states[i], &counters->pool, now_us, cost, fits[i], &decisions[i]);
    }
    if (*penalty_us > 0)
        penalty_apply(decisions, (uint32_t)counters->limit_count, *penalty_us);
    return all;
}
