#include "overrides.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "client_table.h"
#include "log.h"
#include "rules_reader.h"
#include "unique.h"

struct overrides {
    struct policy policy;           /* its rules are a copy; all else is the other policy's */
    struct client_table *of_every;  /* rule; values are numbers of `found`, from 1, here and below */
    struct client_table **of_rules; /* by index; NULL: none */
    struct overridden *found;       /* by number - 1 */
    uint32_t found_count;
    struct treatment *treatments; /* each different one of a rule once */
    uint32_t treatment_count;
};

static const struct treatment blocked = {.kind = TREATMENT_BLOCKED};

/* What they are compiled into. Each that is left out is as if it were not in the list. */
struct compiler {
    struct overrides *overrides;
    const struct policy *policy;
    struct client_table *numbers; /* of treatments, by rule and text */
    uint32_t misfits;
    const char *misfit_rule; /* of the first */
};

bool
overrides_read_limits(const cJSON *object, const struct policy *policy, const struct rule *rule,
                      struct limit_set *limits, struct report *report)
{
    static const char *const keys[] = {LIMITS_KEYS};
    const struct rules_reader reader = {.defaults = &policy->defaults, .report = report};
    const struct place root = {.reader = &reader, .value = object};

    *limits = (struct limit_set){.id = unique_id()};
    diagnostic_check_keys(&root, keys, COUNT_OF(keys));
    limits_read(&root, &rule->limits, limits);
    return report_is_empty(report);
}

/* Equal texts have one set of limits, so that their clients share batches. `key` is a name that nothing but
   `numbers` sees. */
static void
name_treatment(const struct override *override, struct client_name *key)
{
    char *text = cJSON_PrintUnformatted(override->treatment);

    *key = (struct client_name){0};
    client_write_parts(&key->client,
                       (struct client_part[]){
                           {.source = "rule", .value = override->rule, .value_bytes = strlen(override->rule)},
                           {.source = "limits",
                            .value = text != NULL ? text : override->id,
                            .value_bytes = strlen(text != NULL ? text : override->id)}},
                       2);
    cJSON_free(text);
}

/* NULL: it does not fit the rule. */
static const struct treatment *
compile_limits(struct compiler *compiler, const struct override *override, const struct rule *rule)
{
    struct overrides *overrides = compiler->overrides;
    struct treatment *treatment = &overrides->treatments[overrides->treatment_count];
    static const struct address no_address;
    struct client_name key;
    struct report report;
    uint32_t number;
    bool is_good;

    name_treatment(override, &key);
    number = client_table_find(compiler->numbers, &key.client, &no_address);
    if (number > 0)
        return &overrides->treatments[number - 1];
    report_init(&report);
    is_good = overrides_read_limits(override->treatment, compiler->policy, rule, &treatment->limits, &report);
    report_fini(&report);
    if (!is_good)
        return NULL;
    treatment->kind = TREATMENT_LIMITS;
    client_table_add(compiler->numbers, &key, ++overrides->treatment_count);
    return treatment;
}

/* False: out of memory. */
static bool
add(struct overrides *overrides, struct client_table **table, const struct override *override,
    const struct treatment *treatment)
{
    if (*table == NULL)
        *table = client_table_new();
    if (*table == NULL)
        return false;
    overrides->found[overrides->found_count++] =
        (struct overridden){.treatment = treatment, .end_us = override->end_us};
    return client_table_add(*table, &override->name, overrides->found_count) != CLIENT_TABLE_NO_MEMORY;
}

static bool
compile(struct compiler *compiler, const struct override *override)
{
    struct overrides *overrides = compiler->overrides;
    const struct rule *rule = policy_rule(compiler->policy, override->rule);
    const struct treatment *treatment = &blocked;

    if (override->rule[0] == '\0')
        return add(overrides, &overrides->of_every, override, treatment);
    if (rule == NULL)
        return true;
    if (cJSON_IsObject(override->treatment))
        treatment = compile_limits(compiler, override, rule);
    if (treatment != NULL)
        return add(overrides, &overrides->of_rules[rule->index], override, treatment);
    if (compiler->misfits++ == 0)
        compiler->misfit_rule = rule->name;
    return true;
}

static void
finish(struct overrides *overrides)
{
    if (overrides->of_every != NULL)
        client_table_finish(overrides->of_every);
    for (uint32_t i = 0; i < overrides->policy.rule_count; i++)
        if (overrides->of_rules[i] != NULL)
            client_table_finish(overrides->of_rules[i]);
}

static bool
copy_policy(struct overrides *overrides, const struct policy *policy)
{
    struct rule *rules = malloc((policy->rule_count + 1) * sizeof(struct rule));

    overrides->policy = *policy;
    overrides->policy.rules = rules;
    if (rules == NULL)
        return false;
    memcpy(rules, policy->rules, policy->rule_count * sizeof(struct rule));
    for (uint32_t i = 0; i < policy->rule_count; i++)
        rules[i].overrides = overrides;
    if (policy->fallback != NULL)
        overrides->policy.fallback = &rules[policy->fallback->index];
    return true;
}

static bool
compile_all(struct compiler *compiler, const struct override_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (!compile(compiler, list->items[i]))
            return false;
    finish(compiler->overrides);
    if (compiler->misfits > 0)
        log_warn(
            "overrides",
            "limits that were given at run time do not fit the rules of this node, such as \"%s\", and are "
            "ignored here (%u of them)",
            compiler->misfit_rule, compiler->misfits);
    return true;
}

struct overrides *
overrides_compile(const struct override_list *list, const struct policy *policy)
{
    struct overrides *overrides = calloc(1, sizeof(*overrides));
    struct compiler compiler = {.overrides = overrides, .policy = policy};
    bool is_good;

    if (overrides == NULL)
        return NULL;
    overrides->of_rules = calloc(policy->rule_count + 1, sizeof(struct client_table *));
    overrides->found = calloc(list->count + 1, sizeof(struct overridden));
    overrides->treatments = calloc(list->count + 1, sizeof(struct treatment));
    compiler.numbers = client_table_new();
    is_good = copy_policy(overrides, policy) && overrides->of_rules != NULL && overrides->found != NULL &&
              overrides->treatments != NULL && compiler.numbers != NULL && compile_all(&compiler, list);
    client_table_free(compiler.numbers);
    if (is_good)
        return overrides;
    overrides_free(overrides);
    return NULL;
}

void
overrides_free(struct overrides *overrides)
{
    if (overrides == NULL)
        return;
    client_table_free(overrides->of_every);
    for (uint32_t i = 0; overrides->of_rules != NULL && i < overrides->policy.rule_count; i++)
        client_table_free(overrides->of_rules[i]);
    free(overrides->of_rules);
    free(overrides->found);
    free(overrides->treatments);
    free(overrides->policy.rules);
    free(overrides);
}

const struct policy *
overrides_policy(const struct overrides *overrides)
{
    return &overrides->policy;
}

static uint32_t
find(const struct client_table *table, const struct client *client, const struct address *address)
{
    return table != NULL ? client_table_find(table, client, address) : 0;
}

const struct overridden *
overrides_find(const struct rule *rule, const struct client *client, const struct address *address)
{
    const struct overrides *overrides = rule->overrides;
    uint32_t number;

    if (overrides == NULL)
        return NULL;
    number = find(overrides->of_rules[rule->index], client, address);
    if (number == 0)
        number = find(overrides->of_every, client, address);
    return number > 0 ? &overrides->found[number - 1] : NULL;
}
