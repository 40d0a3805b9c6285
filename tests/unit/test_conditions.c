/* conditions: which requests `match.host` and `match.headers` are for, and which rules they hide. */
#include <stdlib.h>
#include <string.h>

#include "policy_text.h"
#include "suite.h"

#define LIMIT "'capacity': 1, 'refill_rate': 1"

/* With \' for ". */
static char *
quoted(const char *text)
{
    char *copy = strdup(text);

    ck_assert_ptr_nonnull(copy);
    for (char *quote = copy; (quote = strchr(quote, '\'')) != NULL;)
        *quote = '"';
    return copy;
}

static struct field
field(const char *text)
{
    return (struct field){.text = text, .bytes = text != NULL ? strlen(text) : 0};
}

static const struct {
    const char *match;
    const char *host, *plan, *path; /* of the request; NULL: no host, no X-Plan, the path / */
    bool holds;
} rows[] = {
    {"{'host': 'api.example.com'}", "api.example.com", NULL, NULL, true},
    {"{'host': 'API.Example.com'}", "api.example.com", NULL, "/any/path", true},
    {"{'host': 'api.example.com'}", "www.example.com", NULL, NULL, false},
    {"{'host': 'api.example.com'}", NULL, NULL, NULL, false},
    {"{'host': '*.example.com'}", "api.example.com", NULL, NULL, true},
    {"{'host': '*.example.com'}", "a.b.example.com", NULL, NULL, true},
    {"{'host': '*.example.com'}", "example.com", NULL, NULL, false},
    {"{'host': ['example.com', '*.example.com']}", "example.com", NULL, NULL, true},
    {"{'host': ['example.com', '*.example.com']}", "example.org", NULL, NULL, false},
    {"{'host': '[2001:DB8:0::1]'}", "[2001:db8::1]", NULL, NULL, true},
    {"{'host': 'example.com', 'path': '/a/**'}", "example.com", NULL, "/a/b", true},
    {"{'host': 'example.com', 'path': '/a/**'}", "example.com", NULL, "/b", false},
    {"{'host': 'example.com', 'path': '/a/b'}", "example.com", NULL, "/a%2Fb", true},
    {"{'host': 'example.com', 'path': '/a/b'}", "example.org", NULL, "/a%2Fb", false},
    {"{'headers': {'X-Plan': 'gold'}}", NULL, "gold", NULL, true},
    {"{'headers': {'x-plan': 'gold'}}", NULL, "gold", NULL, true},
    {"{'headers': {'X-Plan': 'gold'}}", NULL, "Gold", NULL, false},
    {"{'headers': {'X-Plan': 'gold'}}", NULL, "golden", NULL, false},
    {"{'headers': {'X-Plan': 'gold'}}", NULL, "gol", NULL, false},
    {"{'headers': {'X-Plan': 'gold'}}", NULL, NULL, NULL, false},
    {"{'headers': {'X-Plan': {'prefix': 'gold'}}}", NULL, "golden", NULL, true},
    {"{'headers': {'X-Plan': {'prefix': 'gold'}}}", NULL, "gold", NULL, true},
    {"{'headers': {'X-Plan': {'prefix': 'gold '}}}", NULL, "gold x", NULL, true},
    {"{'headers': {'X-Plan': {'prefix': 'gold '}}}", NULL, "gold", NULL, false},
    {"{'headers': {'X-Plan': {'prefix': 'gold'}}}", NULL, "a gold", NULL, false},
    {"{'headers': {'X-Plan': {'prefix': 'gold'}}}", NULL, NULL, NULL, false},
    {"{'headers': {'X-Plan': {'present': true}}}", NULL, "x", NULL, true},
    {"{'headers': {'X-Plan': {'present': true}}}", NULL, NULL, NULL, false},
    {"{'headers': {'X-Plan': {'present': false}}}", NULL, NULL, NULL, true},
    {"{'headers': {'X-Plan': {'present': false}}}", NULL, "x", NULL, false},
    {"{'headers': {'X-Plan': 'gold', 'X-Other': {'present': false}}}", NULL, "gold", NULL, true},
    {"{'headers': {'X-Plan': 'gold', 'X-Other': {'present': true}}}", NULL, "gold", NULL, false},
    {"{'host': 'example.com', 'headers': {'X-Plan': 'gold'}}", "example.com", "gold", NULL, true},
    {"{'host': 'example.com', 'headers': {'X-Plan': 'gold'}}", "example.org", "gold", NULL, false},
    {"{'host': 'example.com', 'headers': {'X-Plan': 'gold'}}", "example.com", "silver", NULL, false},
    {"{'methods': ['GET']}", NULL, NULL, "/any/path", true},
    {"{'methods': ['POST']}", NULL, NULL, NULL, false},
};

START_TEST(all_conditions_hold_or_the_rule_does_not_match)
{
    struct field headers[POLICY_HEADERS_MAX] = {{0}};
    struct policy_request request = {.method = METHOD_GET, .headers = headers, .host = field(rows[_i].host)};
    struct policy *policy;
    char *text;

    ck_assert_int_ge(asprintf(&text, "{'it': {'match': %s, " LIMIT "}}", rows[_i].match), 0);
    for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
        *quote = '"';
    policy = policy_of_text(text);
    request.path = field(rows[_i].path != NULL ? rows[_i].path : "/");
    for (uint32_t i = 0; i < policy->header_count; i++)
        headers[i] = strcmp(policy->headers[i], "x-plan") == 0 ? field(rows[_i].plan) : field(NULL);
    ck_assert_msg((policy_match(policy, &request) != NULL) == rows[_i].holds, "%s", rows[_i].match);
    ck_assert_msg((rule_mismatch(&policy->rules[0], &request) == MATCHES) == rows[_i].holds, "%s",
                  rows[_i].match);
    policy_free(policy);
    free(text);
}
END_TEST

static const struct {
    const char *match;
    enum mismatch mismatch; /* of GET /a to example.com, without headers */
} mismatches[] = {
    {"{'path': '/**'}", MATCHES},
    {"{'path': '/b'}", MISMATCH_PATH},
    {"{'methods': ['POST']}", MISMATCH_METHOD},
    {"{'host': 'example.org'}", MISMATCH_HOST},
    {"{'headers': {'A': 'v'}}", MISMATCH_HEADER},
    {"{'path': '/b', 'methods': ['POST'], 'host': 'example.org', 'headers': {'A': 'v'}}", MISMATCH_PATH},
    {"{'path': '/a', 'methods': ['POST'], 'host': 'example.org', 'headers': {'A': 'v'}}", MISMATCH_METHOD},
    {"{'path': '/a', 'methods': ['GET'], 'host': 'example.org', 'headers': {'A': 'v'}}", MISMATCH_HOST},
    {"{'path': '/a', 'methods': ['GET'], 'host': 'example.com', 'headers': {'A': 'v'}}", MISMATCH_HEADER},
    {"{'path': '/a', 'methods': ['GET'], 'host': 'example.com', 'headers': {'A': {'present': false}}}",
     MATCHES},
};

START_TEST(rule_tells_the_first_mismatch)
{
    struct field headers[POLICY_HEADERS_MAX] = {{0}};
    const struct policy_request request = {
        .method = METHOD_GET, .path = field("/a"), .host = field("example.com"), .headers = headers};
    struct policy *policy;
    char *text, *match = quoted(mismatches[_i].match);

    ck_assert_int_ge(asprintf(&text, "{\"it\": {\"match\": %s, \"capacity\": 1, \"refill_rate\": 1}}", match),
                     0);
    policy = policy_of_text(text);
    ck_assert_int_eq((int)rule_mismatch(&policy->rules[0], &request), (int)mismatches[_i].mismatch);
    policy_free(policy);
    free(text);
    free(match);
}
END_TEST

START_TEST(only_a_policy_with_a_host_reads_it)
{
    static const struct {
        const char *text;
        bool reads_host;
    } policies[] = {
        {"{'a': {'match': {'host': 'h'}, " LIMIT "}}", true},
        {"{'a': {'identify_by': ['host'], " LIMIT "}}", true},
        {"{'a': {'match': {'headers': {'X-Host': 'h'}}, 'identify_by': ['header:Host'], " LIMIT "}}", false},
    };

    for (int i = 0; i < ROWS(policies); i++) {
        char *text = quoted(policies[i].text);
        struct policy *policy = policy_of_text(text);
        ck_assert_int_eq(policy->reads_host, policies[i].reads_host);
        policy_free(policy);
        free(text);
    }
}
END_TEST

static const struct {
    const char *before, *after;
    bool hidden;
} orders[] = {
    {"{'host': 'a.b'}", "{'host': 'a.b'}", true},
    {"{'host': 'a.b'}", "{'host': 'c.b'}", false},
    {"{'host': '*.b'}", "{'host': 'a.b'}", true},
    {"{'host': '*.b'}", "{'host': '*.a.b'}", true},
    {"{'host': '*.b'}", "{'host': '*.b'}", true},
    {"{'host': '*.a.b'}", "{'host': '*.b'}", false},
    {"{'host': '*.b'}", "{'host': 'b'}", false},
    {"{'host': 'a.b'}", "{'host': '*.b'}", false},
    {"{'host': ['*.b', 'c']}", "{'host': ['c', 'a.b']}", true},
    {"{'host': ['*.b', 'c']}", "{'host': ['c', 'd']}", false},
    {"{'host': 'a.b'}", "{'path': '/x'}", false},
    {"{'path': '/**'}", "{'host': 'a.b'}", true},
    {"{'path': '/x'}", "{'host': 'a.b'}", false},
    {"{'headers': {'A': 'v'}}", "{'headers': {'A': 'v'}}", true},
    {"{'headers': {'A': 'v'}}", "{'headers': {'A': 'v', 'B': 'w'}}", true},
    {"{'headers': {'A': 'v', 'B': 'w'}}", "{'headers': {'A': 'v'}}", false},
    {"{'headers': {'A': 'v'}}", "{'headers': {'A': 'w'}}", false},
    {"{'headers': {'A': 'v'}}", "{'headers': {'A': {'prefix': 'v'}}}", false},
    {"{'headers': {'A': 'v'}}", "{'headers': {'A': {'present': true}}}", false},
    {"{'headers': {'A': {'prefix': 'v'}}}", "{'headers': {'A': 'vw'}}", true},
    {"{'headers': {'A': {'prefix': 'v'}}}", "{'headers': {'A': {'prefix': 'vw'}}}", true},
    {"{'headers': {'A': {'prefix': 'vw'}}}", "{'headers': {'A': {'prefix': 'v'}}}", false},
    {"{'headers': {'A': {'prefix': 'v'}}}", "{'headers': {'A': {'present': true}}}", false},
    {"{'headers': {'A': {'prefix': 'v'}}}", "{'headers': {'A': {'present': false}}}", false},
    {"{'headers': {'A': {'present': true}}}", "{'headers': {'A': 'v'}}", true},
    {"{'headers': {'A': {'present': true}}}", "{'headers': {'A': {'prefix': 'v'}}}", true},
    {"{'headers': {'A': {'present': true}}}", "{'headers': {'A': {'present': false}}}", false},
    {"{'headers': {'A': {'present': false}}}", "{'headers': {'A': {'present': false}}}", true},
    {"{'headers': {'A': {'present': false}}}", "{'headers': {'A': 'v'}}", false},
    {"{'headers': {'A': {'present': false}}}", "{'host': 'a'}", false},
    {"{'host': '*.b', 'headers': {'A': 'v'}}", "{'host': 'a.b', 'headers': {'A': 'v'}}", true},
    {"{'host': '*.b', 'headers': {'A': 'v'}}", "{'host': 'a.b', 'headers': {'A': 'w'}}", false},
};

START_TEST(rule_after_one_with_wider_conditions_is_hidden)
{
    static const struct policy_defaults defaults = {.limit = 1, .window_us = 1000000};
    struct report report;
    struct policy *policy;
    char *text, *before = quoted(orders[_i].before), *after = quoted(orders[_i].after);

    report_init(&report);
    ck_assert_int_ge(asprintf(&text,
                              "{\"before\": {\"match\": %s, \"capacity\": 1, \"refill_rate\": 1},"
                              " \"after\": {\"match\": %s, \"capacity\": 1, \"refill_rate\": 1}}",
                              before, after),
                     0);
    policy = policy_parse("test", text, strlen(text), &defaults, &report);
    ck_assert_msg((policy == NULL) == orders[_i].hidden, "%s, then %s", orders[_i].before, orders[_i].after);
    if (orders[_i].hidden)
        ck_assert_ptr_nonnull(strstr(report.lines[0], "never reached"));
    policy_free(policy);
    report_fini(&report);
    free(text);
    free(before);
    free(after);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conditions");
    TCase *tests = tcase_create("conditions");

    tcase_add_loop_test(tests, all_conditions_hold_or_the_rule_does_not_match, 0, ROWS(rows));
    tcase_add_loop_test(tests, rule_tells_the_first_mismatch, 0, ROWS(mismatches));
    tcase_add_test(tests, only_a_policy_with_a_host_reads_it);
    tcase_add_loop_test(tests, rule_after_one_with_wider_conditions_is_hidden, 0, ROWS(orders));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
