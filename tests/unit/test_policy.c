/*
 * policy: what a rules file compiles to, and which rule a request matches.
 */
#include "clock.h"
#include "number.h"
#include "policy_fixture.h"
#include "suite.h"

static void
assert_limit(const struct limit *limit, enum algorithm algorithm, int64_t requests, int64_t window_us)
{
    ck_assert_str_eq(algorithm_name(limit->algorithm), algorithm_name(algorithm));
    ck_assert_int_eq(limit->limit, requests);
    ck_assert_int_eq(limit->window_us, window_us);
}

START_TEST(the_shipped_rules_are_valid)
{
    compile_file("../../rate_limits.json");
    ck_assert_msg(policy != NULL, "%s", report.lines[0]);
    ck_assert_str_eq(match(METHOD_GET, "/")->name, "root");
    ck_assert_str_eq(match(METHOD_POST, "/api/resource")->name, "api-resource");
    ck_assert_str_eq(match(METHOD_GET, "/limited-resource")->name, "limited-resource");
}
END_TEST

START_TEST(the_short_form_is_a_token_bucket_by_address)
{
    const struct rule *rule;

    compile_rules("{'default': {'capacity': 20, 'refill_rate': 5}}");
    rule = rule_named("default");
    ck_assert_ptr_eq(rule, policy->fallback);
    ck_assert_ptr_null(rule->path);
    ck_assert_uint_eq(rule->limits.count, 1);
    assert_limit(&rule->limits.limits[0], TOKEN_BUCKET, 20, 4000000);
    ck_assert_uint_eq(rule->identifier_count, 1);
    ck_assert_int_eq(rule->identifiers[0].sources[0].kind, SOURCE_IP);
    ck_assert_str_eq(rule->identifiers[0].sources[0].text, "ip");
    ck_assert_int_eq(rule->on_store_failure, FAILURE_CLOSED);
}
END_TEST

START_TEST(every_key_of_a_rule_takes_effect)
{
    const struct rule *limited, *search;

    compile_rules("{'default': {'capacity': 20, 'refill_rate': 5},"
                  " 'limited-resource': {'match': {'path': '/limited-resource', 'methods': ['POST']},"
                  "   'identify_by': ['header:User_Id', 'header:X-API-Key', 'global'],"
                  "   'algorithm': 'token_bucket', 'capacity': 10, 'refill_rate': '10/1m'},"
                  " 'search': {'match': {'path': '/search/**'}, 'on_store_failure': 'open',"
                  "   'identify_by': ['header:x-api-key', 'ip'],"
                  "   'limits': [{'algorithm': 'fixed_window', 'limit': 10, 'window': '1s'},"
                  "              {'algorithm': 'sliding_window_counter', 'limit': 10000, 'window': '1h'},"
                  "              {'algorithm': 'sliding_window', 'limit': 50, 'window': '1500ms'}]}}");
    limited = rule_named("limited-resource");
    ck_assert_uint_eq(limited->methods, METHOD_POST);
    ck_assert_uint_eq(limited->identifier_count, 3);
    ck_assert_str_eq(limited->identifiers[0].sources[0].text, "header:user_id");
    ck_assert_str_eq(policy->headers[limited->identifiers[0].sources[0].index], "user_id");
    ck_assert_str_eq(limited->identifiers[1].sources[0].text, "header:x-api-key");
    ck_assert_int_eq(limited->identifiers[2].sources[0].kind, SOURCE_GLOBAL);
    assert_limit(&limited->limits.limits[0], TOKEN_BUCKET, 10, 60000000);
    ck_assert_int_eq(limited->limits.limits[0].units_per_token, 6000000);
    ck_assert_int_eq(limited->limits.limits[0].units_per_us, 1);

    search = rule_named("search");
    ck_assert_uint_eq(search->methods, METHOD_ALL);
    ck_assert_int_eq(search->on_store_failure, FAILURE_OPEN);
    ck_assert_uint_eq(search->limits.count, 3);
    assert_limit(&search->limits.limits[0], FIXED_WINDOW, 10, 1000000);
    assert_limit(&search->limits.limits[1], SLIDING_WINDOW_COUNTER, 10000, INT64_C(3600000000));
    assert_limit(&search->limits.limits[2], SLIDING_WINDOW, 50, 1500000);
    ck_assert_uint_eq(search->identifiers[0].sources[0].index, limited->identifiers[1].sources[0].index);
    ck_assert_uint_eq(policy->header_count, 2);
    ck_assert_uint_eq(limited->index, 1);
    ck_assert_uint_eq(search->index, 2);
}
END_TEST

START_TEST(a_window_takes_defaults_for_missing_keys)
{
    struct policy_defaults other = {.limit = 7, .window_us = 9000000, .failure_mode = FAILURE_LOCAL};
    static const char text[] = "{\"default\": {\"algorithm\": \"fixed_window\"},"
                               " \"a\": {\"algorithm\": \"sliding_window\", \"limit\": 3},"
                               " \"b\": {\"algorithm\": \"sliding_window\", \"window\": \"1s\"}}";

    policy = policy_parse("test", text, strlen(text), &other, &report);
    ck_assert_ptr_nonnull(policy);
    assert_limit(&rule_named("default")->limits.limits[0], FIXED_WINDOW, 7, 9000000);
    assert_limit(&rule_named("a")->limits.limits[0], SLIDING_WINDOW, 3, 9000000);
    assert_limit(&rule_named("b")->limits.limits[0], SLIDING_WINDOW, 7, 1000000);
    ck_assert_int_eq(rule_named("a")->on_store_failure, FAILURE_LOCAL);
}
END_TEST

/* The rate of a bucket of one token, as the time that this token takes: exact, so it tells the ratio. */
static const struct {
    const char *rate;
    int64_t units_per_token, units_per_us;
} rates[] = {
    {"5", 200000, 1},
    {"1", 1000000, 1},
    {"0.5", 2000000, 1},
    {"1.25", 800000, 1},
    {"0.1", 10000000, 1},
    {"0.3", 10000000, 3},
    {"2.000001", INT64_C(1000000000000), 2000001},
    {"0.000001", INT64_C(1000000000000), 1},
    {"123456.789012", INT64_C(250000000000), INT64_C(30864197253)},
    {"999999999.999999", INT64_C(1000000000000), INT64_C(999999999999999)},
    {"5.0", 200000, 1},
    {"5e0", 200000, 1},
    {"3000000", 1, 3},
    {"9007199254740991", 1000000, INT64_C(9007199254740991)},
    {"\"10/1m\"", 6000000, 1},
    {"\"1/7d\"", INT64_C(604800000000), 1},
    {"\"7/500ms\"", 500000, 7},
};

START_TEST(a_refill_rate_is_an_exact_ratio)
{
    for (int i = 0; i < ROWS(rates); i++) {
        char text[128];
        const struct limit *limit;

        snprintf(text, sizeof(text), "{\"default\": {\"capacity\": 1, \"refill_rate\": %s}}", rates[i].rate);
        policy = policy_parse("test", text, strlen(text), &defaults, &report);
        ck_assert_msg(policy != NULL, "%s: %s", rates[i].rate, report.lines[0]);
        limit = &policy->fallback->limits.limits[0];
        ck_assert_msg(limit->units_per_token == rates[i].units_per_token &&
                          limit->units_per_us == rates[i].units_per_us,
                      "%s: %lld units a token, %lld a microsecond", rates[i].rate,
                      (long long)limit->units_per_token, (long long)limit->units_per_us);
        policy_free(policy);
        policy = NULL;
    }
}
END_TEST

static const struct {
    const char *window;
    int64_t window_us;
} windows[] = {
    {"\"1ms\"", 1000},
    {"\"500ms\"", 500000},
    {"\"10s\"", 10000000},
    {"\"1m\"", 60000000},
    {"\"31622400000ms\"", INT64_C(31622400000000)},
    {"\"1h\"", 3600000000},
    {"\"7d\"", INT64_C(604800000000)},
    {"\"366d\"", INT64_C(31622400000000)},
};

START_TEST(a_window_is_a_number_and_its_unit)
{
    for (int i = 0; i < ROWS(windows); i++) {
        char text[128];

        snprintf(text, sizeof(text),
                 "{\"default\": {\"algorithm\": \"fixed_window\", \"limit\": 1, \"window\": %s}}",
                 windows[i].window);
        policy = policy_parse("test", text, strlen(text), &defaults, &report);
        ck_assert_msg(policy != NULL, "%s: %s", windows[i].window, report.lines[0]);
        ck_assert_msg(policy->fallback->limits.limits[0].window_us == windows[i].window_us, "%s: %lld us",
                      windows[i].window, (long long)policy->fallback->limits.limits[0].window_us);
        policy_free(policy);
        policy = NULL;
    }
}
END_TEST

static const struct {
    enum method method;
    const char *path;
    const char *rule;
} requests[] = {
    {METHOD_GET, "/", "default"},
    {METHOD_GET, "/books", "read"},
    {METHOD_HEAD, "/books", "read"}, /* a rule for GET is one for HEAD */
    {METHOD_POST, "/books", "write"},
    {METHOD_PUT, "/books", "write"},
    {METHOD_DELETE, "/books", "default"},
    {METHOD_OTHER, "/books", "default"},
    {METHOD_GET, "/books/5", "one"},
    {METHOD_GET, "/books/new", "new"}, /* comes before the wider one */
    {METHOD_OTHER, "/books/5", "one"}, /* no methods: all of them */
    {METHOD_GET, "/books/5/pages", "below"},
    {METHOD_OPTIONS, "/books/", "below"},
    {METHOD_OPTIONS, "/books", "below"},
    {METHOD_POST, "/books/5/pages", "default"},
    {METHOD_GET, "/bookshop", "default"},
    {METHOD_GET, "/named", "default"},
};

START_TEST(the_first_rule_in_file_order_that_matches_wins)
{
    compile_rules(
        "{'named':   {'capacity': 1, 'refill_rate': 1},"
        " 'read':    {'match': {'path': '/books', 'methods': ['GET']}, 'capacity': 1, 'refill_rate': 1},"
        " 'default': {'capacity': 1, 'refill_rate': 1},"
        " 'write':   {'match': {'path': '/books', 'methods': ['POST', 'PUT']}, 'capacity': 1, "
        "'refill_rate': 1},"
        " 'new':     {'match': {'path': '/books/new'}, 'capacity': 1, 'refill_rate': 1},"
        " 'one':     {'match': {'path': '/books/*'}, 'capacity': 1, 'refill_rate': 1},"
        " 'below':   {'match': {'path': '/books/**', 'methods': ['GET', 'OPTIONS']},"
        "             'capacity': 1, 'refill_rate': 1}}");
    for (int i = 0; i < ROWS(requests); i++) {
        const char *path = requests[i].path;
        const struct rule *rule = match(requests[i].method, path);

        ck_assert_msg(strcmp(rule->name, requests[i].rule) == 0, "row %d: %s meets %s instead of %s", i, path,
                      rule->name, requests[i].rule);
    }
    ck_assert_ptr_null(policy_rule(policy, "books"));
    ck_assert_ptr_nonnull(policy_rule(policy, "named"));
}
END_TEST

static const struct {
    const char *path, *rule;
} slashes[] = {
    {"/api/resource", "exact"},
    {"/api%2Fresource", "exact"},
    {"/api%2F%2Fresource", "exact"},
    {"/api%2F.%2Fresource", "exact"},
    {"/x%2F..%2Fapi/resource", "exact"},
    {"/x/..%2Fapi%2Fresource", "exact"},
    {"/api%252Fresource", "default"}, /* decodes to %2F, not to a slash */
    {"/api%25resource", "default"},
    {"/users/a%2Fb", "one"}, /* as one segment, too */
    {"/users%2Fa", "one"},
    {"/files%2Fa%2Fb", "below"},
    {"/literal%2Fslash", "literal"},
    {"/literal/slash", "default"},
    {"/first%2Fof/both", "as-segment"}, /* the first in file order, in whichever spelling */
};

START_TEST(an_encoded_slash_matches_both_spellings)
{
    compile_rules("{'default':    {'capacity': 1, 'refill_rate': 1},"
                  " 'exact':      {'match': {'path': '/api/resource'}, 'capacity': 1, 'refill_rate': 1},"
                  " 'one':        {'match': {'path': '/users/*'}, 'capacity': 1, 'refill_rate': 1},"
                  " 'below':      {'match': {'path': '/files/**'}, 'capacity': 1, 'refill_rate': 1},"
                  " 'literal':    {'match': {'path': '/literal%2Fslash'}, 'capacity': 1, 'refill_rate': 1},"
                  " 'as-segment': {'match': {'path': '/*/both'}, 'capacity': 1, 'refill_rate': 1},"
                  " 'as-slash':   {'match': {'path': '/first/of/both'}, 'capacity': 1, 'refill_rate': 1}}");
    for (int i = 0; i < ROWS(slashes); i++) {
        const struct rule *rule = match(METHOD_GET, slashes[i].path);

        ck_assert_msg(strcmp(rule->name, slashes[i].rule) == 0, "%s meets %s instead of %s", slashes[i].path,
                      rule->name, slashes[i].rule);
    }
}
END_TEST

START_TEST(without_a_default_an_unmatched_request_has_no_rule)
{
    compile_rules(
        "{'named': {'capacity': 1, 'refill_rate': 1},"
        " 'books': {'match': {'path': '/books', 'methods': ['GET']}, 'capacity': 1, 'refill_rate': 1}}");
    ck_assert_ptr_null(policy->fallback);
    ck_assert_ptr_eq(match(METHOD_GET, "/books"), policy_rule(policy, "books"));
    ck_assert_ptr_null(match(METHOD_POST, "/books"));
    ck_assert_ptr_null(match(METHOD_GET, "/"));
    ck_assert_uint_eq(report.warning_count, 0);
}
END_TEST

static const struct {
    const char *rules, *warning;
} warnings[] = {
    {"{}", "test: no rules, so no request is limited"},
    {"{'defualt': {'capacity': 1, 'refill_rate': 1}}",
     "test: $.defualt: has no match, so it is reached only by name; did you mean \"default\"?"},
    {"{'Default': {'capacity': 1, 'refill_rate': 1}}",
     "test: $.Default: has no match, so it is reached only by name; did you mean \"default\"?"},
    {"{'a': {'match': {'path': '/a'}, 'cost': 3, 'limits': [{'capacity': 9, 'refill_rate': 1}, {'capacity': "
     "2, "
     "'refill_rate': 1}]}}",
     "test: $.a.cost: more than the limit of 2: requests that do not say another cost are refused"},
};

START_TEST(probably_unintended_rules_get_a_warning)
{
    compile_rules(warnings[_i].rules);
    ck_assert_uint_eq(report.warning_count, 1);
    ck_assert_str_eq(report.warnings[0], warnings[_i].warning);
    ck_assert_ptr_null(match(METHOD_GET, "/"));
}
END_TEST

static const struct {
    const char *penalty;
    struct penalty read;
} penalties[] = {
    {"{'after': 20, 'within': '1m', 'for': '10m', 'growth': 2, 'up_to': '1d'}",
     {20, 60 * US_PER_S, 600 * US_PER_S, 2, 86400 * US_PER_S}},
    {"{'after': 1, 'within': '1ms', 'for': '1ms'}", {1, US_PER_MS, US_PER_MS, 1, US_PER_MS}},
    {"{'after': 1, 'within': '1s', 'for': '1s', 'growth': 1, 'up_to': '1s'}",
     {1, US_PER_S, US_PER_S, 1, US_PER_S}},
    {"{'after': 1000000, 'within': '366d', 'for': '365d', 'growth': 10, 'up_to': '366d'}",
     {PENALTY_AFTER_MAX, DURATION_MAX_US, 365 * 86400 * US_PER_S, PENALTY_GROWTH_MAX, DURATION_MAX_US}},
};

START_TEST(a_penalty_is_read_with_its_defaults)
{
    const struct penalty *expected = &penalties[_i].read, *got;
    char text[256];

    snprintf(text, sizeof(text), "{'default': {'capacity': 1, 'refill_rate': 1, 'penalty': %s}}",
             penalties[_i].penalty);
    compile_rules(text);
    ck_assert_uint_eq(report.warning_count, 0);
    got = rule_penalty(policy->fallback);
    ck_assert_ptr_nonnull(got);
    ck_assert_int_eq(got->after, expected->after);
    ck_assert_int_eq(got->within_us, expected->within_us);
    ck_assert_int_eq(got->for_us, expected->for_us);
    ck_assert_int_eq(got->growth, expected->growth);
    ck_assert_int_eq(got->up_to_us, expected->up_to_us);
}
END_TEST

START_TEST(a_rule_that_names_no_penalty_has_none)
{
    compile_rules("{'default': {'capacity': 1, 'refill_rate': 1}}");
    ck_assert_ptr_null(rule_penalty(policy->fallback));
}
END_TEST

#define WITH(identify_by, penalty) \
    "{'default': {'identify_by': " identify_by ", 'capacity': 1, 'refill_rate': 1, 'penalty': " penalty "}}"

static const struct {
    const char *rules, *warning;
} penalty_warnings[] = {
    {WITH("['ip']", "{'after': 1, 'within': '1s', 'for': '1s', 'up_to': '2s'}"),
     "test: $.default.penalty: \"up_to\" has no effect without \"growth\", as every penalty is \"for\""},
    {WITH("['ip']", "{'after': 1, 'within': '1s', 'for': '2s', 'growth': 3, 'up_to': '2s'}"),
     "test: $.default.penalty: \"growth\" has no effect, as \"up_to\" is not longer than \"for\""},
    {WITH("['global']", "{'after': 1, 'within': '1s', 'for': '1s'}"),
     "test: $.default.penalty: penalises all clients that are identified by \"global\" together"},
    {WITH("['header:key', 'global']", "{'after': 1, 'within': '1s', 'for': '1s'}"),
     "test: $.default.penalty: penalises all clients that are identified by \"global\" together"},
};

START_TEST(a_penalty_that_makes_no_sense_gets_a_warning)
{
    compile_rules(penalty_warnings[_i].rules);
    ck_assert_uint_eq(report.warning_count, 1);
    ck_assert_str_eq(report.warnings[0], penalty_warnings[_i].warning);
    ck_assert_ptr_nonnull(rule_penalty(policy->fallback));
}
END_TEST

START_TEST(method_names_are_case_sensitive)
{
    ck_assert_int_eq(method_by_name("GET", 3), METHOD_GET);
    ck_assert_int_eq(method_by_name("OPTIONS", 7), METHOD_OPTIONS);
    ck_assert_int_eq(method_by_name("get", 3), METHOD_OTHER);
    ck_assert_int_eq(method_by_name("GETT", 4), METHOD_OTHER);
    ck_assert_int_eq(method_by_name("", 0), METHOD_OTHER);
}
END_TEST

START_TEST(each_failure_mode_has_a_name)
{
    for (int mode = FAILURE_CLOSED; mode <= FAILURE_LOCAL; mode++)
        ck_assert_int_eq(failure_mode_by_name(failure_mode_name((enum failure_mode)mode)), mode);
    ck_assert_int_eq(failure_mode_by_name("Open"), -1);
}
END_TEST

START_TEST(a_byte_order_mark_is_skipped)
{
    static const char text[] = "\xef\xbb\xbf{\"default\": {\"capacity\": 20, \"refill_rate\": 5}}";

    policy = policy_parse("test", text, sizeof(text) - 1, &defaults, &report);
    ck_assert_ptr_nonnull(policy);
}
END_TEST

START_TEST(as_many_headers_as_are_allowed_are_kept)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    ck_assert_ptr_nonnull(out);
    fputs("{\"default\": {\"capacity\": 1, \"refill_rate\": 1}", out);
    for (int i = 0; i < POLICY_HEADERS_MAX; i++)
        fprintf(out, ", \"r%d\": {\"identify_by\": [\"header:X-%d\"], \"capacity\": 1, \"refill_rate\": 1}",
                i, i);
    fputs("}", out);
    fclose(out);
    policy = policy_parse("test", text, bytes, &defaults, &report);
    ck_assert_msg(policy != NULL, "%s", report.lines[0]);
    ck_assert_uint_eq(policy->header_count, POLICY_HEADERS_MAX);
    ck_assert_str_eq(policy->headers[POLICY_HEADERS_MAX - 1], "x-31");
    free(text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tests = tcase_create("rules");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_shipped_rules_are_valid);
    tcase_add_test(tests, the_short_form_is_a_token_bucket_by_address);
    tcase_add_test(tests, every_key_of_a_rule_takes_effect);
    tcase_add_test(tests, a_window_takes_defaults_for_missing_keys);
    tcase_add_test(tests, a_refill_rate_is_an_exact_ratio);
    tcase_add_test(tests, a_window_is_a_number_and_its_unit);
    tcase_add_test(tests, the_first_rule_in_file_order_that_matches_wins);
    tcase_add_test(tests, an_encoded_slash_matches_both_spellings);
    tcase_add_test(tests, without_a_default_an_unmatched_request_has_no_rule);
    tcase_add_loop_test(tests, a_penalty_is_read_with_its_defaults, 0, ROWS(penalties));
    tcase_add_test(tests, a_rule_that_names_no_penalty_has_none);
    tcase_add_loop_test(tests, a_penalty_that_makes_no_sense_gets_a_warning, 0, ROWS(penalty_warnings));
    tcase_add_loop_test(tests, probably_unintended_rules_get_a_warning, 0, ROWS(warnings));
    tcase_add_test(tests, method_names_are_case_sensitive);
    tcase_add_test(tests, each_failure_mode_has_a_name);
    tcase_add_test(tests, a_byte_order_mark_is_skipped);
    tcase_add_test(tests, as_many_headers_as_are_allowed_are_kept);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
