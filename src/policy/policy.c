#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include "path.h"

void
policy_free(struct policy *policy)
{
    if (policy == NULL)
        return;
    for (uint32_t i = 0; i < policy->rule_count; i++)
        path_pattern_free(policy->rules[i].path);
    for (uint32_t i = 0; i < policy->header_count; i++)
        free(policy->headers[i] - strlen("header:")); /* the text of its sources begins there */
    free(policy->rules);
    free(policy);
}

const struct rule *
policy_match(const struct policy *policy, enum method method, const char *path, size_t bytes)
{
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        const struct rule *rule = &policy->rules[i];

        if (rule->path != NULL && (rule->methods & method) && path_pattern_matches(rule->path, path, bytes))
            return rule;
    }
    return policy->fallback;
}

uint32_t
policy_closed_rules(const struct policy *policy)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < policy->rule_count; i++)
        count += policy->rules[i].on_store_failure == FAILURE_CLOSED;
    return count;
}

const struct rule *
policy_rule(const struct policy *policy, const char *name)
{
    for (uint32_t i = 0; i < policy->rule_count; i++)
        if (strcmp(policy->rules[i].name, name) == 0)
            return &policy->rules[i];
    return NULL;
}
