#include "limiter.h"

#include <assert.h>
#include <stddef.h>

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

static void
on_decided(struct limiter_take *take)
{
    const struct decision *decisions = take->request.decisions;

    take->verdict = take->request.allowed ? VERDICT_ALLOWED : VERDICT_REFUSED;
    take->decided = true;
    take->tightest = 0;
    for (uint32_t i = 1; i < take->rule->limit_count; i++)
        if (is_tighter(&decisions[i], &decisions[take->tightest]))
            take->tightest = i;
}

/* The store cannot say: the rule's failure mode does, at once. */
static void
on_unavailable(struct limiter_take *take)
{
    struct limiter *limiter = take->limiter;
    enum store_status status;

    take->degraded = true;
    atomic_fetch_add_explicit(&limiter->counts->degraded[take->rule->on_store_failure], 1,
                              memory_order_relaxed);
    switch (take->rule->on_store_failure) {
    case FAILURE_CLOSED:
        take->verdict = VERDICT_UNAVAILABLE;
        break;
    case FAILURE_OPEN:
        take->verdict = VERDICT_ALLOWED;
        break;
    case FAILURE_LOCAL:
        assert(limiter->local != NULL);
        status = store_take(limiter->local, &take->request);
        assert(status == STORE_DONE); /* a memory store always says */
        on_decided(take);
        break;
    }
}

static void
on_store_answer(struct store_request *request, enum store_status status)
{
    struct limiter_take *take =
        (struct limiter_take *)((char *)request - offsetof(struct limiter_take, request));

    if (status == STORE_DONE)
        on_decided(take);
    else
        on_unavailable(take);
    take->callback(take);
}

enum limiter_status
limiter_take(struct limiter *limiter, struct limiter_take *take)
{
    const struct rule *rule = take->rule;

    take->limiter = limiter;
    take->degraded = take->decided = false;
    take->tightest = 0;
    take->request.subject = (struct store_subject){.client = &take->client,
                                                   .rule = rule->name,
                                                   .limits = rule->limits,
                                                   .limit_count = rule->limit_count};
    take->request.cost = take->cost;
    take->request.callback = on_store_answer;
    switch (store_take(limiter->store, &take->request)) {
    case STORE_DONE:
        on_decided(take);
        break;
    case STORE_UNAVAILABLE:
        on_unavailable(take);
        break;
    case STORE_PENDING:
        return LIMITER_PENDING;
    }
    return LIMITER_DONE;
}

void
limiter_cancel(struct limiter *limiter, struct limiter_take *take)
{
    store_cancel(limiter->store, &take->request);
}
