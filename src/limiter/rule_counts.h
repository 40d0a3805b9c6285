/*
 * rule_counts: how many requests of a rule ended in what, since the rule was first in force.
 *
 * Each worker counts in lines of the cache that no other one writes (counter.h): nothing is shared on the way of
 * a decision. Any thread may read the sums, which are then a moment old. A peek is not counted.
 *
 *      rules_1 ──► counts of "search" ◄── rules_2       a reload: rules of the same name have the same counts,
 *                                                       which live as long as one of them
 */
#ifndef RULE_COUNTS_H
#define RULE_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy.h"

/* Each request is counted in one of the first five, or of the four of shadow rules; and in each of the others that
   applies to it. */
enum rule_count {
    COUNT_ALLOWED,
    COUNT_REFUSED, /* by a limit */
    COUNT_PENALISED,
    COUNT_BLOCKED,
    COUNT_UNAVAILABLE,
    COUNT_DEGRADED, /* decided by a failure mode: its number in enum failure_mode is added */
    COUNT_SHADOW = COUNT_DEGRADED + FAILURE_LOCAL + 1, /* refused by a shadow rule, which let it pass, */
    COUNT_SHADOW_PENALISED,                            /* and the other three of that kind */
    COUNT_SHADOW_BLOCKED,
    COUNT_SHADOW_UNAVAILABLE,
    COUNT_CANDIDATE_ALLOWED,
    COUNT_CANDIDATE_REFUSED,
    COUNT_CANDIDATE_MISSED, /* not asked, or without an answer */
    COUNT_NEAR_LIMIT,       /* allowed, and of some limit little remains: decision_is_near */

    /* Refused, also by a shadow rule: the index of the limit that does so longest is added, or LIMIT_SET_MAX
       where the client has limits of its own. */
    COUNT_BY_LIMIT,
};
#define RULE_COUNTS_NAMED COUNT_BY_LIMIT /* those before it */
#define RULE_COUNTS       (COUNT_BY_LIMIT + LIMIT_SET_MAX + 1)

/* "allowed", "shadow_refused" ...; of a named one. */
const char *rule_count_name(enum rule_count count);

struct rule_counts;

/* Gives each rule its counts: those that the rule of that name has in `before`, which may be NULL, else new
   ones, with room for `workers`. False: out of memory, and no rule has any. */
bool rule_counts_attach(struct policy *policy, const struct policy *before, unsigned workers);

/* Before the policy is freed. Where no rule has counts, it does nothing. */
void rule_counts_detach(struct policy *policy);

/* By the worker of that number alone. NULL is allowed: nothing is counted. */
void rule_counts_add(struct rule_counts *counts, unsigned worker, enum rule_count count);

/* The sums over all workers. */
void rule_counts_sum(const struct rule_counts *counts, uint64_t sums[RULE_COUNTS]);

/* What has come since the last call. One thread alone calls it. */
void rule_counts_news(struct rule_counts *counts, uint64_t news[RULE_COUNTS]);

/* When they began to count: Unix time. */
int64_t rule_counts_since_us(const struct rule_counts *counts);

#endif
