#include "policy.h"

#include <assert.h>
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

static const struct rule *
first_match(const struct policy *policy, enum method method, const char *path, size_t bytes,
            const char *other, size_t other_bytes)
{
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        const struct rule *rule = &policy->rules[i];

        if (rule->path == NULL || (rule->methods & method) == 0)
            continue;
        if (path_pattern_matches(rule->path, path, bytes) ||
            (other_bytes > 0 && path_pattern_matches(rule->path, other, other_bytes)))
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
policy_match(const struct policy *policy, enum method method, const char *path, size_t bytes)
{
    char other[PATH_BYTES_MAX];
    size_t other_bytes = bytes;

    assert(bytes <= sizeof(other));
    if (memchr(path, '%', bytes) == NULL)
        return first_match(policy, method, path, bytes, NULL, 0);
    memcpy(other, path, bytes);
    if (!path_decode_slashes(other, &other_bytes))
        other_bytes = 0;
    return first_match(policy, method, path, bytes, other, other_bytes);
}

const struct rule *
policy_rule(const struct policy *policy, const char *name)
{
    for (uint32_t i = 0; i < policy->rule_count; i++)
        if (strcmp(policy->rules[i].name, name) == 0)
            return &policy->rules[i];
    return NULL;
}
