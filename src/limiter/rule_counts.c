#include "rule_counts.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "counter.h"

/* What one worker writes. */
struct worker_rule_counts {
    counter counts[RULE_COUNTS];
} __attribute__((aligned(64)));

struct rule_counts {
    _Atomic unsigned holders; /* rules */
    unsigned workers;
    int64_t since_us;
    uint64_t told[RULE_COUNTS]; /* by rule_counts_news */
    struct worker_rule_counts of[];
};

const char *
rule_count_name(enum rule_count count)
{
    static const char *const names[RULE_COUNTS_NAMED] = {
        [COUNT_ALLOWED] = "allowed",
        [COUNT_REFUSED] = "refused",
        [COUNT_PENALISED] = "penalised",
        [COUNT_BLOCKED] = "blocked",
        [COUNT_UNAVAILABLE] = "unavailable",
        [COUNT_DEGRADED + FAILURE_CLOSED] = "degraded_closed",
        [COUNT_DEGRADED + FAILURE_OPEN] = "degraded_open",
        [COUNT_DEGRADED + FAILURE_LOCAL] = "degraded_local",
        [COUNT_SHADOW] = "shadow_refused",
        [COUNT_SHADOW_PENALISED] = "shadow_penalised",
        [COUNT_SHADOW_BLOCKED] = "shadow_blocked",
        [COUNT_SHADOW_UNAVAILABLE] = "shadow_unavailable",
        [COUNT_CANDIDATE_ALLOWED] = "candidate_allowed",
        [COUNT_CANDIDATE_REFUSED] = "candidate_refused",
        [COUNT_CANDIDATE_MISSED] = "candidate_missed",
        [COUNT_NEAR_LIMIT] = "near_limit",
    };

    return names[count];
}

static struct rule_counts *
counts_new(unsigned workers)
{
    size_t bytes = sizeof(struct rule_counts) + workers * sizeof(struct worker_rule_counts);
    struct rule_counts *counts = aligned_alloc(64, bytes);

    if (counts == NULL)
        return NULL;
    memset(counts, 0, bytes);
    atomic_init(&counts->holders, 1);
    counts->workers = workers;
    counts->since_us = clock_wall_us();
    return counts;
}

/* NULL: out of memory. */
static struct rule_counts *
counts_for(const struct rule *before, unsigned workers)
{
    if (before == NULL || before->counts == NULL)
        return counts_new(workers);
    atomic_fetch_add_explicit(&before->counts->holders, 1, memory_order_relaxed);
    return before->counts;
}

bool
rule_counts_attach(struct policy *policy, const struct policy *before, unsigned workers)
{
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        struct rule *rule = &policy->rules[i];

        assert(rule->counts == NULL);
        rule->counts = counts_for(before != NULL ? policy_rule(before, rule->name) : NULL, workers);
        if (rule->counts == NULL) {
            rule_counts_detach(policy);
            return false;
        }
    }
    return true;
}

void
rule_counts_detach(struct policy *policy)
{
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        struct rule_counts *counts = policy->rules[i].counts;

        policy->rules[i].counts = NULL;
        if (counts != NULL && atomic_fetch_sub_explicit(&counts->holders, 1, memory_order_acq_rel) == 1)
            free(counts);
    }
}

void
rule_counts_add(struct rule_counts *counts, unsigned worker, enum rule_count count)
{
    if (counts == NULL)
        return;
    assert(worker < counts->workers);
    counter_add(&counts->of[worker].counts[count], 1);
}

void
rule_counts_sum(const struct rule_counts *counts, uint64_t sums[RULE_COUNTS])
{
    memset(sums, 0, RULE_COUNTS * sizeof(sums[0]));
    for (unsigned i = 0; i < counts->workers; i++)
        for (size_t k = 0; k < RULE_COUNTS; k++)
            sums[k] += counter_value(&counts->of[i].counts[k]);
}

void
rule_counts_news(struct rule_counts *counts, uint64_t news[RULE_COUNTS])
{
    uint64_t sums[RULE_COUNTS];

    rule_counts_sum(counts, sums);
    for (size_t k = 0; k < RULE_COUNTS; k++) {
        news[k] = sums[k] - counts->told[k];
        counts->told[k] = sums[k];
    }
}

int64_t
rule_counts_since_us(const struct rule_counts *counts)
{
    return counts->since_us;
}
