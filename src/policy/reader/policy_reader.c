/*
 *     bytes ──► json_text: JSON to the letter? ──► cJSON tree ──► the rules ──► is one hidden? ──► policy
 *               no: line and column, and the end   └── all errors from here on are collected  ──┘
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conditions.h"
#include "diagnostic.h"
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
read_name(const struct rules_reader *reader, const struct place *place, const char *name, struct rule *rule)
{
    if (!rule_name_is_good(name))
        diagnostic_add(reader, place, NULL,
                       "a rule's name must be 1 to %d letters, digits, \"_\", \".\" and \"-\"",
                       RULE_NAME_BYTES);
    else
        memcpy(rule->name, name, strlen(name) + 1);
}

/* The first match wins: a rule after one that matches all its requests has no effect, but would look as if it
   had. */
static void
check_hidden(const struct rules_reader *reader, const struct place *place, const struct rule *rule)
{
    if (rule->path == NULL || rule->methods == 0)
        return; /* no match, or an invalid one */
    for (const struct rule *before = reader->policy->rules; before < rule; before++) {
        if (before->path == NULL || (rule->methods & ~before->methods) != 0 ||
            !path_pattern_covers(before->path, rule->path) ||
            !conditions_cover(before->conditions, rule->conditions))
            continue;
        diagnostic_add(reader, place, NULL,
                       "is never reached: \"%s\" comes before it and matches every request that it matches",
                       before->name);
        return;
    }
}

/* A file without a default is valid, so a misspelt one would silently let everything pass. */
static void
warn_misspelt_default(const struct rules_reader *reader)
{
    static const char *const words[] = {DEFAULT_RULE};
    const struct policy *policy = reader->policy;

    for (uint32_t i = 0; i < policy->rule_count; i++) {
        const struct rule *rule = &policy->rules[i];
        if (rule->path == NULL && report_did_you_mean(rule->name, words, 1) != NULL)
            report_warn(reader->report,
                        "%s: $.%s: has no match, so it is reached only by name; did you mean \"" DEFAULT_RULE
                        "\"?",
                        reader->file, rule->name);
    }
}

static void
read_rules(const struct rules_reader *reader, const cJSON *root)
{
    struct policy *policy = reader->policy;
    struct place at_root = place_root();
    const cJSON *item;

    diagnostic_add_keys(reader, &at_root, root, NULL, 0);
    cJSON_ArrayForEach(item, root)
    {
        struct rule *rule = &policy->rules[policy->rule_count];
        struct place at = place_key(&at_root, item->string);

        rule->index = policy->rule_count++;
        rule->limits.id = unique_id();
        read_name(reader, &at, item->string, rule);
        rule_read(reader, &at, item, rule);
        check_hidden(reader, &at, rule);
    }
    policy->fallback = policy_rule(policy, DEFAULT_RULE);
    if (policy->rule_count == 0)
        report_warn(reader->report, "%s: no rules, so no request is limited", reader->file);
    else if (policy->fallback == NULL)
        warn_misspelt_default(reader);
}

static void
read_root(const struct rules_reader *reader, const cJSON *root)
{
    struct place at = place_root();
    int count = cJSON_GetArraySize(root);

    if (!cJSON_IsObject(root)) {
        diagnostic_add(reader, &at, root, "must be an object that maps rule names to rules");
    } else if (count > POLICY_RULES_MAX) {
        diagnostic_add(reader, &at, NULL, "%d rules; at most %d are accepted", count, POLICY_RULES_MAX);
    } else {
        reader->policy->rules = calloc((size_t)count + 1, sizeof(struct rule));
        reader->policy->lists = calloc((size_t)count + 1, sizeof(struct client_list *));
        if (reader->policy->rules == NULL || reader->policy->lists == NULL)
            diagnostic_add(reader, &at, NULL, "out of memory");
        else
            read_rules(reader, root);
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
        read_root(&reader, root);
    }
    cJSON_Delete(root);
    if (report->count == before)
        return reader.policy;
    policy_free(reader.policy);
    return NULL;
}
