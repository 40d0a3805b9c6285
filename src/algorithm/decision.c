#include "decision.h"

static bool
refuses_longer(const struct decision *a, const struct decision *b)
{
    if (a->retry_after_us == RETRY_NEVER || b->retry_after_us == RETRY_NEVER)
        return b->retry_after_us != RETRY_NEVER;
    return a->retry_after_us > b->retry_after_us;
}

static bool
is_tighter(const struct decision *a, const struct decision *b)
{
    if (a->allowed != b->allowed)
        return !a->allowed;
    if (!a->allowed)
        return refuses_longer(a, b);
    return a->remaining < b->remaining;
}

uint32_t
decision_tightest(const struct decision *decisions, uint32_t count)
{
    uint32_t tightest = 0;

    for (uint32_t i = 1; i < count; i++)
        if (is_tighter(&decisions[i], &decisions[tightest]))
            tightest = i;
    return tightest;
}
