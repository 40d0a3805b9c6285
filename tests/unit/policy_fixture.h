/*
 * policy_fixture: a policy and its report, fresh for each test, in the directory of the test data.
 */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy.h"

static const struct policy_defaults defaults = {
    .limit = 100, .window_us = 60000000, .failure_mode = FAILURE_CLOSED};
static struct report report;
static struct policy *policy;

static void
set_up(void)
{
    report_init(&report);
    policy = NULL;
    ck_assert_int_eq(chdir(TEST_DATA), 0);
}

static void
tear_down(void)
{
    policy_free(policy);
    report_fini(&report);
}

static char *
read_file(const char *path)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    ssize_t bytes;

    if (file == NULL)
        return strdup("(there is no such file)\n");
    bytes = getdelim(&text, &room, '\0', file);
    fclose(file);
    if (bytes < 0) {
        free(text);
        return strdup("");
    }
    return text;
}

/* What rule_mismatch says of each rule leads to the same one. */
static inline const struct rule *
first_without_mismatch(const struct policy_request *request)
{
    for (uint32_t i = 0; i < policy->rule_count; i++)
        if (rule_mismatch(&policy->rules[i], request) == MATCHES)
            return &policy->rules[i];
    return policy->fallback;
}

/* By method and path alone. */
static inline const struct rule *
match(enum method method, const char *path)
{
    static const struct field none[POLICY_HEADERS_MAX];
    const struct policy_request request = {
        .method = method, .path = {.text = path, .bytes = strlen(path)}, .headers = none};

    ck_assert_ptr_eq(first_without_mismatch(&request), policy_match(policy, &request));
    return policy_match(policy, &request);
}

static inline void
compile_file(const char *path)
{
    char *text = read_file(path);

    ck_assert_ptr_nonnull(text);
    policy = policy_parse(path, text, strlen(text), &defaults, &report);
    free(text);
}

/* Rules that must be right, with ' for ". */
static inline void
compile_rules(const char *quoted)
{
    char *text = strdup(quoted);

    ck_assert_ptr_nonnull(text);
    for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
        *quote = '"';
    policy = policy_parse("test", text, strlen(text), &defaults, &report);
    ck_assert_msg(policy != NULL, "%s", report.lines[0]);
    ck_assert(report_is_empty(&report));
    free(text);
}

static inline const struct rule *
rule_named(const char *name)
{
    const struct rule *rule = policy_rule(policy, name);

    ck_assert_msg(rule != NULL, "no rule is named %s", name);
    return rule;
}

#endif
