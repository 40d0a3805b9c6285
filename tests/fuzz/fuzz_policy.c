/*
 * Any bytes as a rules file: either a policy that keeps its promises, or at least one line that a terminal
 * can be shown.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void
check_identifier(const struct policy *policy, const struct identifier *identifier)
{
    assert(identifier->count >= 1 && identifier->count <= IDENTIFIER_SOURCES_MAX);
    for (uint32_t i = 0; i < identifier->count; i++) {
        const struct source *source = &identifier->sources[i];

        assert(source->ipv4_bits >= 1 && source->ipv4_bits <= 32);
        assert(source->ipv6_bits >= 1 && source->ipv6_bits <= 128);
        if (source->kind == SOURCE_HEADER) {
            assert(source->index < policy->header_count);
            assert(strcmp(source->text + strlen("header:"), policy->headers[source->index]) == 0);
        }
        if (source->kind == SOURCE_COOKIE) {
            assert(source->index < policy->cookie_count);
            assert(strcmp(source->text + strlen("cookie:"), policy->cookies[source->index]) == 0);
        }
    }
}

static void
check_rule(const struct policy *policy, const struct rule *rule)
{
    assert(rule->name[0] != '\0' && strlen(rule->name) <= RULE_NAME_BYTES);
    assert(policy_rule(policy, rule->name) == rule);
    assert(rule->index == (uint32_t)(rule - policy->rules));
    assert(rule->methods != 0);
    assert(rule->identifier_count >= 1 && rule->identifier_count <= RULE_IDENTIFIERS_MAX);
    for (uint32_t i = 0; i < rule->identifier_count; i++)
        check_identifier(policy, &rule->identifiers[i]);
    assert(rule->limits.count >= 1 && rule->limits.count <= LIMIT_SET_MAX);
    for (uint32_t i = 0; i < rule->limits.count; i++) {
        const struct limit *limit = &rule->limits.limits[i];

        assert(limit->limit >= 1 && limit->window_us >= 1);
        assert((limit->algorithm == TOKEN_BUCKET) == (limit->units_per_token > 0));
    }
}

static void
check_policy(const struct policy *policy)
{
    static const char *const paths[] = {"/",         "/a",  "/a/", "/a/b", "/search", "/search/x/y/z",
                                        "/api/data", "/%2F"};

    static const struct field no_headers[POLICY_HEADERS_MAX];

    assert(policy->fallback == policy_rule(policy, "default"));
    for (uint32_t i = 0; i < policy->rule_count; i++)
        check_rule(policy, &policy->rules[i]);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        for (unsigned method = METHOD_GET; method <= METHOD_OTHER; method <<= 1) {
            const struct policy_request request = {.method = (enum method)method,
                                                   .path = {.text = paths[i], .bytes = strlen(paths[i])},
                                                   .headers = no_headers};
            const struct rule *rule = policy_match(policy, &request);

            assert(rule == policy->fallback || (rule->path != NULL && (rule->methods & method)));
        }
    }
}

static void
check_lines(char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (const char *byte = lines[i]; *byte != '\0'; byte++)
            assert((unsigned char)*byte >= ' ' && *byte != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct policy_defaults defaults = {.limit = 100, .window_us = 60000000};
    struct report report;
    struct policy *policy;

    report_init(&report);
    policy = policy_parse("fuzz", (const char *)data, bytes, &defaults, &report);
    assert((policy != NULL) == report_is_empty(&report));
    if (policy != NULL)
        check_policy(policy);
    check_lines(report.lines, report.count);
    check_lines(report.warnings, report.warning_count);
    policy_free(policy);
    report_fini(&report);
    return 0;
}
