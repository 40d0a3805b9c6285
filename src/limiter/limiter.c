#include "limiter.h"

#include <assert.h>
#include <string.h>

#include "candidates.h"
#include "clock.h"
#include "container_of.h"
#include "decision_stream.h"
#include "metrics.h"
#include "rule_counts.h"
#include "traceparent.h"

const char *
verdict_name(enum verdict verdict)
{
    static const char *const names[] = {[VERDICT_ALLOWED] = "allowed",
                                        [VERDICT_REFUSED] = "refused",
                                        [VERDICT_BLOCKED] = "blocked",
                                        [VERDICT_UNAVAILABLE] = "unavailable"};

    return names[verdict];
}

static void
count(const struct limiter_take *take, enum rule_count what)
{
    if (take->cost > 0)
        rule_counts_add(take->rule->counts, take->limiter->worker, what);
}

static enum rule_count
result_of(const struct limiter_take *take)
{
    static const enum rule_count results[] = {[VERDICT_ALLOWED] = COUNT_ALLOWED,
                                              [VERDICT_REFUSED] = COUNT_REFUSED,
                                              [VERDICT_BLOCKED] = COUNT_BLOCKED,
                                              [VERDICT_UNAVAILABLE] = COUNT_UNAVAILABLE};
    bool is_penalised = take->verdict == VERDICT_REFUSED && take->request.penalty_us > 0;

    return is_penalised ? COUNT_PENALISED : results[take->verdict];
}

static bool
is_near_limit(const struct limiter_take *take)
{
    uint32_t count = take->decided ? take->limits->count : 0;

    for (uint32_t i = 0; i < count; i++)
        if (decision_is_near(&take->request.decisions[i]))
            return true;
    return false;
}

/* How near the client came to a limit, or which one it ran into. */
static void
count_limit(const struct limiter_take *take, enum rule_count result)
{
    bool is_of_rule = take->limits == &take->rule->limits;

    if (result == COUNT_ALLOWED && is_near_limit(take))
        count(take, COUNT_NEAR_LIMIT);
    if (result == COUNT_REFUSED)
        count(take, COUNT_BY_LIMIT + (is_of_rule ? take->tightest : LIMIT_SET_MAX));
}

static void
describe_limit(const struct limiter_take *take, struct decision_record *record)
{
    const struct limit *limit = &take->limits->limits[take->tightest];
    const struct decision *decision = &take->request.decisions[take->tightest];

    record->algorithm = limit->algorithm;
    record->limit = limit->limit;
    record->window_us = limit->window_us;
    if (take->decided) {
        record->remaining = decision->remaining;
        record->retry_after_us = decision->retry_after_us;
    }
}

static void
record(const struct limiter_take *take, enum rule_count result)
{
    const struct rule *rule = take->rule;
    const struct trace_id_text trace_id = trace_id_text(&take->trace_id);
    struct decision_record record = {.result = (enum decision_result)result,
                                     .shadow = rule->shadow,
                                     .degraded = take->degraded,
                                     .cost = take->cost,
                                     .rule = {rule->name, strlen(rule->name)},
                                     .client = {take->client.text, take->client.bytes},
                                     .trace_id = {trace_id.text, take->trace_id.bytes}};

    _Static_assert((int)COUNT_ALLOWED == (int)RESULT_ALLOWED &&
                       (int)COUNT_UNAVAILABLE == (int)RESULT_UNAVAILABLE,
                   "the first counts of a rule are the results of a record");
    if (take->limits != NULL)
        describe_limit(take, &record);
    decision_ring_write(take->limiter->records, &record);
}

/* What the rule says is counted, and is the verdict, unless it is a shadow: that refuses nothing. */
static void
settle(struct limiter_take *take)
{
    enum rule_count result = result_of(take);

    take->withheld = VERDICT_ALLOWED;
    if (take->rule == NULL)
        return;
    count_limit(take, result);
    if (take->cost > 0 && take->limiter->records != NULL)
        record(take, result);
    if (take->rule->shadow && result != COUNT_ALLOWED) {
        result += COUNT_SHADOW - COUNT_REFUSED;
        take->withheld = take->verdict;
        take->verdict = VERDICT_ALLOWED;
    }
    count(take, result);
}

static void
on_decided(struct limiter_take *take)
{
    take->verdict = take->request.allowed ? VERDICT_ALLOWED : VERDICT_REFUSED;
    take->decided = true;
    take->tightest = decision_tightest(take->request.decisions, take->limits->count);
}

_Static_assert(FAILURE_MODES == FAILURE_LOCAL + 1, "a counter for each mode");

static void
count_degraded(const struct limiter_take *take)
{
    struct decision_counts *decisions = take->limiter->decisions;
    enum failure_mode mode = take->rule->on_store_failure;

    if (decisions != NULL)
        counter_add(&decisions->degraded[mode], 1);
    count(take, COUNT_DEGRADED + mode);
}

/* The rule's failure mode decides, at once. */
static void
on_unavailable(struct limiter_take *take)
{
    struct limiter *limiter = take->limiter;
    enum store_status status;

    take->degraded = true;
    count_degraded(take);
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
        assert(status == STORE_DONE); /* as memory_store always answers */
        on_decided(take);
        break;
    }
}

static void
observe(const struct limiter_take *take)
{
    if (take->limiter->decisions != NULL)
        histogram_observe(&take->limiter->decisions->duration, clock_mono_us() - take->began_us);
}

static enum limiter_status
pend(struct limiter *limiter)
{
    if (limiter->decisions != NULL)
        counter_add(&limiter->decisions->waited, 1);
    return LIMITER_PENDING;
}

/* What was pending is so no longer. */
static void
resume(struct limiter *limiter)
{
    if (limiter->decisions != NULL)
        counter_add(&limiter->decisions->resumed, 1);
}

/* The status is DONE or UNAVAILABLE. */
static void
on_answer(struct limiter_take *take, enum store_status status)
{
    if (status == STORE_DONE)
        on_decided(take);
    else
        on_unavailable(take);
    settle(take);
    observe(take);
}

static void
on_store_answer(struct store_request *request, enum store_status status)
{
    struct limiter_take *take = container_of(request, struct limiter_take, request);

    resume(take->limiter);
    on_answer(take, status);
    take->callback(take);
}

static void
begin(struct limiter *limiter, struct limiter_take *take, const struct limit_set *limits)
{
    take->limiter = limiter;
    take->limits = limits;
    take->degraded = take->decided = false;
    take->tightest = 0;
}

/* What no limit decides. */
static enum limiter_status
decide(struct limiter *limiter, struct limiter_take *take, enum verdict verdict)
{
    begin(limiter, take, NULL);
    take->verdict = verdict;
    settle(take);
    if (take->rule == NULL && limiter->decisions != NULL)
        counter_add(&limiter->decisions->unmatched, 1);
    return LIMITER_DONE;
}

/* What the limits of the rule decide, or the client's own. */
static void
begin_request(struct limiter *limiter, struct limiter_take *take, const struct treatment *treatment,
              void (*callback)(struct store_request *request, enum store_status status))
{
    bool has_own = treatment != NULL && treatment->kind == TREATMENT_LIMITS;

    begin(limiter, take, has_own ? &treatment->limits : &take->rule->limits);
    take->request.subject = (struct store_subject){.client = &take->client,
                                                   .rule = take->rule->name,
                                                   .limits = take->limits,
                                                   .penalty = rule_penalty(take->rule)};
    take->request.cost = take->cost;
    take->request.callback = callback;
}

static const struct treatment *
treatment_of(const struct limiter_take *take)
{
    return take->rule == NULL ? NULL : policy_treatment(take->rule, &take->client, &take->address);
}

enum limiter_status
limiter_take(struct limiter *limiter, struct limiter_take *take)
{
    const struct treatment *treatment = treatment_of(take);
    enum store_status status;

    if (take->rule == NULL || (treatment != NULL && treatment->kind == TREATMENT_UNLIMITED))
        return decide(limiter, take, VERDICT_ALLOWED);
    if (treatment != NULL && treatment->kind == TREATMENT_BLOCKED)
        return decide(limiter, take, VERDICT_BLOCKED);
    begin_request(limiter, take, treatment, on_store_answer);
    take->began_us = clock_mono_us();
    status = store_take(limiter->store, &take->request);
    if (rule_has_candidate(take->rule) && treatment == NULL && take->cost > 0)
        candidates_ask(take);
    if (status == STORE_PENDING)
        return pend(limiter);
    on_answer(take, status);
    return LIMITER_DONE;
}

static void
on_forgotten(struct limiter_take *take, enum store_status status)
{
    take->verdict = status == STORE_DONE ? VERDICT_ALLOWED : VERDICT_UNAVAILABLE;
}

static void
on_store_reset(struct store_request *request, enum store_status status)
{
    struct limiter_take *take = container_of(request, struct limiter_take, request);

    resume(take->limiter);
    on_forgotten(take, status);
    take->callback(take);
}

enum limiter_status
limiter_reset(struct limiter *limiter, struct limiter_take *take)
{
    enum store_status status;

    begin_request(limiter, take, treatment_of(take), on_store_reset);
    if (limiter->local != NULL) /* also what FAILURE_LOCAL has counted; done at once */
        store_reset(limiter->local, &take->request);
    status = store_reset(limiter->store, &take->request);
    if (rule_has_candidate(take->rule))
        candidates_reset(take);
    if (status == STORE_PENDING)
        return pend(limiter);
    on_forgotten(take, status);
    return LIMITER_DONE;
}

void
limiter_cancel(struct limiter *limiter, struct limiter_take *take)
{
    store_cancel(limiter->store, &take->request);
    resume(limiter);
}

const char *
store_state_name(enum store_state state)
{
    static const char *const names[] = {
        [STORE_READY] = "ready", [STORE_CONNECTING] = "connecting", [STORE_LOST] = "lost"};

    return names[state];
}

enum store_state
limiter_store_state(const struct limiter_counts *counts)
{
    static const enum store_state worst_first[] = {STORE_LOST, STORE_CONNECTING};

    for (size_t i = 0; i < sizeof(worst_first) / sizeof(worst_first[0]); i++)
        if (atomic_load_explicit(&counts->stores[worst_first[i]], memory_order_relaxed) > 0)
            return worst_first[i];
    return STORE_READY;
}
