/*
 * overrides: a list of overrides, compiled for one policy: which treatment a client has under a rule at run
 * time.
 *
 *     overrides_compile(list, policy)  ──►  a policy like that one, whose rules ask for them first
 *
 * Immutable once compiled; any thread may search. An override for the rule comes before one for every rule.
 * One for a rule that the policy does not have waits in the list for a policy that has it; limits that do not
 * fit the rule are ignored, and the log says so.
 */
#ifndef OVERRIDES_H
#define OVERRIDES_H

#include "override.h"
#include "policy.h"

struct overrides;

/* What is found. */
struct overridden {
    const struct treatment *treatment;
    int64_t end_us; /* monotonic */
};

/* Both are borrowed: the policy for its life, the list only now. NULL when out of memory. */
struct overrides *overrides_compile(const struct override_list *list, const struct policy *policy);
void overrides_free(struct overrides *overrides); /* NULL is allowed */

/* The policy, with each rule->overrides set. */
const struct policy *overrides_policy(const struct overrides *overrides);

/* By rule->overrides; NULL: the client is treated as the rule says. `address` as in client_table.h. */
const struct overridden *overrides_find(const struct rule *rule, const struct client *client,
                                        const struct address *address);

/* The limits that the object says for a client of the rule. False: with mistakes, a line of the report for
   each, "$.limit: must be ...". */
bool overrides_read_limits(const struct cJSON *object, const struct policy *policy, const struct rule *rule,
                           struct limit_set *limits, struct report *report);

#endif
