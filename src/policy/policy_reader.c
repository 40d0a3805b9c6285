/*
 *     bytes ──► json_text: JSON to the letter? ──► cJSON tree ──► the rules ──► is one hidden? ──► policy
 *               no: line and column, and the end   └── every mistake from here on is gathered ──┘
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnostic.h"
#include "json_text.h"
#include "path.h"
#include "reader.h"
#include "unique.h"

#define VALUES_MAX 100000 /* a file has thousands of rules at most */

/* NULL where it is not one, with a line in the report; else to be freed with cJSON_Delete. */
static cJSON *
parse_json(const struct reader *reader, const char *text, size_t bytes)
{
    size_t at, line, column, mark = json_text_mark_bytes(text, bytes);
    const char *mistake = json_text_check(text, bytes, VALUES_MAX, &at);
    cJSON *root;

    if (mistake != NULL) {
        json_text_position(text, at, &line, &column);
        report_add(reader->report, "%s: line %zu, column %zu: %s", reader->file, line, column, mistake);
        return NULL;
    }
    root = cJSON_ParseWithLength(text + mark, bytes - mark);
    if (root == NULL)
        report_add(reader->report, "%s: cannot be parsed: memory is out", reader->file);
    return root;
}

/* A rule's name stands in keys of the store, in logs and in metrics: it is plain everywhere. */
static void
read_name(const struct reader *reader, const struct place *place, const char *name, struct rule *rule)
{
    if (!rule_name_is_good(name))
        diagnostic_add(reader, place, NULL,
                       "a rule's name must be 1 to %d letters, digits, \"_\", \".\" and \"-\"",
                       RULE_NAME_BYTES);
    else
        memcpy(rule->name, name, strlen(name) + 1);
}

/* The first match wins: a rule behind one that takes all its requests would look as if it were in force. */
static void
check_hidden(const struct reader *reader, const struct place *place, const struct rule *rule)
{
    if (rule->path == NULL || rule->methods == 0)
        return; /* no match, or one with mistakes */
    for (const struct rule *before = reader->policy->rules; before < rule; before++) {
        if (before->path == NULL || (rule->methods & ~before->methods) != 0 ||
            !path_pattern_covers(before->path, rule->path))
            continue;
        diagnostic_add(reader, place, NULL,
                       "is never reached: \"%s\" comes before it and matches the same paths and at least the "
                       "same methods",
                       before->name);
        return;
    }
}

/* Without a default the file is valid, so a slip in its name would let everything pass in silence. */
static void
warn_misspelt_default(const struct reader *reader)
{
    static const char *const words[] = {DEFAULT_RULE};
    const struct policy *policy = reader->policy;

    for (uint32_t i = 0; i < policy->rule_count; i++) {
        const struct rule *rule = &policy->rules[i];
        if (rule->path == NULL && report_did_you_mean(rule->name, words, 1) != NULL)
            report_warn(
                reader->report,
                "%s: $.%s: without a match it is reached by its name only; did you mean \"" DEFAULT_RULE
                "\"?",
                reader->file, rule->name);
    }
}

static void
read_rules(const struct reader *reader, const cJSON *root)
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
        rule->id = unique_id();
        read_name(reader, &at, item->string, rule);
        rule_read(reader, &at, item, rule);
        check_hidden(reader, &at, rule);
    }
    policy->fallback = policy_rule(policy, DEFAULT_RULE);
    if (policy->rule_count == 0)
        report_warn(reader->report, "%s: has no rules: no request is limited", reader->file);
    else if (policy->fallback == NULL)
        warn_misspelt_default(reader);
}

static void
read_root(const struct reader *reader, const cJSON *root)
{
    struct place at = place_root();
    int count = cJSON_GetArraySize(root);

    if (!cJSON_IsObject(root)) {
        diagnostic_add(reader, &at, root, "must be an object: each key a rule's name, each value the rule");
    } else if (count > POLICY_RULES_MAX) {
        diagnostic_add(reader, &at, NULL, "%d rules: at most %d are accepted", count, POLICY_RULES_MAX);
    } else {
        reader->policy->rules = calloc((size_t)count + 1, sizeof(struct rule));
        if (reader->policy->rules == NULL)
            diagnostic_add(reader, &at, NULL, "memory is out");
        else
            read_rules(reader, root);
    }
}

struct policy *
policy_parse(const char *name, const char *text, size_t bytes, const struct policy_defaults *defaults,
             struct report *report)
{
    size_t mistakes = report->count;
    struct reader reader = {.file = name, .defaults = defaults, .report = report};
    cJSON *root;

    if (bytes > POLICY_FILE_BYTES) {
        report_add(report, "%s: too large: at most %d bytes are accepted", name, POLICY_FILE_BYTES);
        return NULL;
    }
    root = parse_json(&reader, text, bytes);
    if (root == NULL)
        return NULL;
    reader.policy = calloc(1, sizeof(*reader.policy));
    if (reader.policy == NULL)
        report_add(report, "%s: memory is out", name);
    else
        read_root(&reader, root);
    cJSON_Delete(root);
    if (report->count == mistakes)
        return reader.policy;
    policy_free(reader.policy);
    return NULL;
}
