#include "policy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client_list.h"
#include "conditions.h"
#include "number.h"
#include "overrides.h"
#include "path.h"

static void
rule_fini(struct rule *rule)
{
    path_pattern_free(rule->path);
    conditions_free(rule->conditions);
    for (uint32_t i = 0; i < rule->identifier_count; i++)
        for (uint32_t k = 0; k < rule->identifiers[i].count; k++)
            free(rule->identifiers[i].sources[k].text);
    free(rule->treatments);
}

void
policy_free(struct policy *policy)
{
    if (policy == NULL)
        return;
    for (uint32_t i = 0; i < policy->rule_count; i++)
        rule_fini(&policy->rules[i]);
    for (uint32_t i = 0; i < policy->list_count; i++)
        client_list_free(policy->lists[i]);
    free(policy->lists);
    for (uint32_t i = 0; i < policy->header_count; i++)
        free(policy->headers[i]);
    for (uint32_t i = 0; i < policy->cookie_count; i++)
        free(policy->cookies[i]);
    free(policy->rules);
    free(policy);
}

/* The path of a request in its other spelling, which is written to `text`; text NULL: it has none. */
static struct field
other_spelling(const struct field *path, char text[PATH_BYTES_MAX])
{
    struct field other = {.text = NULL};

    assert(path->bytes <= PATH_BYTES_MAX);
    if (memchr(path->text, '%', path->bytes) == NULL)
        return other;
    memcpy(text, path->text, path->bytes);
    other.bytes = path->bytes;
    if (path_decode_slashes(text, &other.bytes))
        other.text = text;
    return other;
}

/* The parts of a match. */

static bool
fits_method(const struct rule *rule, const struct policy_request *request)
{
    return (rule->methods & request->method) != 0;
}

static bool
fits_path(const struct rule *rule, const struct field *path, const struct field *other)
{
    return path_pattern_matches(rule->path, path->text, path->bytes) ||
           (other->text != NULL && path_pattern_matches(rule->path, other->text, other->bytes));
}

static bool
matches(const struct rule *rule, const struct policy_request *request, const struct field *other)
{
    return rule->path != NULL && fits_method(rule, request) && fits_path(rule, &request->path, other) &&
           (rule->conditions == NULL || conditions_hold(rule->conditions, request));
}

const struct rule *
policy_match(const struct policy *policy, const struct policy_request *request)
{
    char text[PATH_BYTES_MAX];
    const struct field other = other_spelling(&request->path, text);

    for (uint32_t i = 0; i < policy->rule_count; i++)
        if (matches(&policy->rules[i], request, &other))
            return &policy->rules[i];
    return policy->fallback;
}

enum mismatch
rule_mismatch(const struct rule *rule, const struct policy_request *request)
{
    char text[PATH_BYTES_MAX];
    const struct field other = other_spelling(&request->path, text);

    if (rule->path == NULL)
        return MISMATCH_NO_MATCH;
    if (!fits_path(rule, &request->path, &other))
        return MISMATCH_PATH;
    if (!fits_method(rule, request))
        return MISMATCH_METHOD;
    if (rule->conditions == NULL)
        return MATCHES;
    if (!conditions_host_holds(rule->conditions, &request->host))
        return MISMATCH_HOST;
    return conditions_unmet_header(rule->conditions, request) != NULL ? MISMATCH_HEADER : MATCHES;
}

const struct treatment *
policy_treatment(const struct rule *rule, const struct client *client, const struct address *address)
{
    const struct overridden *overridden = overrides_find(rule, client, address);
    uint32_t number;

    if (overridden != NULL)
        return overridden->treatment;
    number = rule->clients != NULL ? client_table_find(rule->clients, client, address) : 0;
    return number > 0 ? &rule->treatments[number - 1] : NULL;
}

bool
rule_cost(const struct rule *rule, const struct field *headers, int64_t *cost)
{
    const struct field *value = rule->cost_header != NO_HEADER ? &headers[rule->cost_header] : NULL;
    char digits[sizeof("9007199254740991")];

    *cost = rule->cost;
    if (value == NULL || value->text == NULL)
        return true;
    if (value->bytes >= sizeof(digits))
        return false;
    memcpy(digits, value->text, value->bytes);
    digits[value->bytes] = '\0';
    return strlen(digits) == value->bytes && number_parse(digits, 0, NUMBER_EXACT_MAX, cost);
}

uint32_t
policy_closed_rules(const struct policy *policy)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < policy->rule_count; i++)
        count += rule_needs_store(&policy->rules[i]);
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
