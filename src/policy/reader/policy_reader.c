/*
 *     bytes ──► json_text: JSON to the letter? ──► cJSON tree ──► the rules ──► is one hidden? ──► policy
 *               no: line and column, and the end   └── all errors from here on are collected  ──┘
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conditions.h"
#include "json_text.h"
#include "path.h"
#include "rules_reader.h"
#include "unique.h"

#define VALUES_MAX 100000 /* a file has thousands of rules at most */

cJSON *
rules_json_parse(const struct rules_reader *reader, const char *text, size_t bytes, size_t values_max)
{
    size_t at, line, column, mark = json_text_mark_bytes(text, bytes);
    const char *error = json_text_check(text, bytes, values_max, &at);
    cJSON *root;

    if (error != NULL) {
        json_text_position(text, at, &line, &column);
        report_add(reader->report, "%s: line %zu, column %zu: %s", reader->file, line, column, error);
        return NULL;
    }
    root = cJSON_ParseWithLength(text + mark, bytes - mark);
    if (root == NULL)
        report_add(reader->report, "%s: cannot be parsed: out of memory", reader->file);
    return root;
}

/* A rule's name appears in the store's keys, logs and metrics, so it is plain. */
static void
read_name(const struct place *at, struct rule *rule)
{
    if (rule_name_is_good(at->key))
        memcpy(rule->name, at->key, strlen(at->key) + 1);
    else
        diagnostic_add(at, "a rule's name must be 1 to %d letters, digits, \"_\", \".\" and \"-\"",
                       RULE_NAME_BYTES);
}

static bool
hides(const struct rule *before, const struct rule *rule)
{
    return before->path != NULL && (rule->methods & ~before->methods) == 0 &&
           path_pattern_covers(before->path, rule->path) &&
           conditions_cover(before->conditions, rule->conditions);
}

/* The first match wins: a rule after one that matches all its requests has no effect, but would look as if it
   had. */
static void
check_hidden(const struct place *at, const struct rule *rule)
{
    if (rule->path == NULL || rule->methods == 0)
        return; /* no match, or an invalid one */
    for (const struct rule *before = at->reader->policy->rules; before < rule; before++) {
        if (!hides(before, rule))
            continue;
        diagnostic_add(at,
                       "is never reached: \"%s\" comes before it and matches every request that it matches",
                       before->name);
        return;
    }
}

/* A file without a default is valid, so a misspelt one would silently let everything pass. */
static void
warn_misspelt_default(const struct place *root)
{
    static const char *const words[] = {DEFAULT_RULE};
    const struct policy *policy = root->reader->policy;

    for (uint32_t i = 0; i < policy->rule_count; i++) {
        const struct place at = place_key(root, policy->rules[i].name);
        if (policy->rules[i].path == NULL && report_did_you_mean(at.key, words, 1) != NULL)
            diagnostic_warn(&at, "has no match, so it is reached only by name; did you mean \"" DEFAULT_RULE
                                 "\"?");
    }
}

static void
read_rules(const struct place *root)
{
    struct policy *policy = root->reader->policy;
    const cJSON *item;

    diagnostic_check_keys(root, NULL, 0);
    cJSON_ArrayForEach(item, root->value)
    {
        struct rule *rule = &policy->rules[policy->rule_count];
        const struct place at = place_item(root, item);

        rule->index = policy->rule_count++;
        rule->limits.id = unique_id();
        read_name(&at, rule);
        rule_read(&at, rule);
        check_hidden(&at, rule);
    }
    policy->fallback = policy_rule(policy, DEFAULT_RULE);
    if (policy->rule_count == 0)
        report_warn(root->reader->report, "%s: no rules, so no request is limited", root->reader->file);
    else if (policy->fallback == NULL)
        warn_misspelt_default(root);
}

static void
read_root(const struct place *root)
{
    struct policy *policy = root->reader->policy;
    int count = cJSON_GetArraySize(root->value);

    if (!cJSON_IsObject(root->value)) {
        diagnostic_add_value(root, "must be an object that maps rule names to rules");
    } else if (count > POLICY_RULES_MAX) {
        diagnostic_add(root, "%d rules; at most %d are accepted", count, POLICY_RULES_MAX);
    } else {
        policy->rules = calloc((size_t)count + 1, sizeof(struct rule));
        policy->lists = calloc((size_t)count + 1, sizeof(struct client_list *));
        if (policy->rules == NULL || policy->lists == NULL)
            diagnostic_add(root, "out of memory");
        else
            read_rules(root);
    }
}

struct policy *
policy_parse(const char *name, const char *text, size_t bytes, const struct policy_defaults *defaults,
             struct report *report)
{
    return policy_parse_files(name, text, bytes, defaults, NULL, report);
}

struct policy *
policy_parse_files(const char *name, const char *text, size_t bytes, const struct policy_defaults *defaults,
                   struct file_set *files, struct report *report)
{
    size_t before = report->count;
    struct rules_reader reader = {.file = name, .defaults = defaults, .files = files, .report = report};
    cJSON *root;

    if (bytes > POLICY_FILE_BYTES) {
        report_add(report, "%s: too large: at most %d bytes are accepted", name, POLICY_FILE_BYTES);
        return NULL;
    }
    root = rules_json_parse(&reader, text, bytes, VALUES_MAX);
    if (root == NULL)
        return NULL;
    reader.policy = calloc(1, sizeof(*reader.policy));
    if (reader.policy == NULL)
        report_add(report, "%s: out of memory", name);
    else {
        reader.policy->defaults = *defaults;
        read_root(&(struct place){.reader = &reader, .value = root});
    }
    cJSON_Delete(root);
    if (report->count == before)
        return reader.policy;
    policy_free(reader.policy);
    return NULL;
}
