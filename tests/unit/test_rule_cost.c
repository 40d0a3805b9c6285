/* policy: what a request costs under a rule. */
#include "policy_fixture.h"
#include "suite.h"

static const struct {
    const char *header; /* NULL: there is none */
    int64_t cost;       /* -1: it is not a cost */
} costs[] = {
    {NULL, 1},
    {"0", 0},
    {"7", 7},
    {"9007199254740991", INT64_C(9007199254740991)},
    {"9007199254740992", -1},
    {"-1", -1},
    {"1.5", -1},
    {"1 2", -1},
    {"1e3", -1},
    {"x", -1},
    {"+1", -1},
    {"0x10", -1},
    {"1,2", -1},
    {"00000000000000001", -1},
};

START_TEST(header_says_the_cost)
{
    struct field headers[POLICY_HEADERS_MAX] = {{0}};
    const struct rule *rule;
    int64_t cost;

    compile_rules("{'default': {'cost': 'header:X-Cost', 'identify_by': ['header:X-A', 'ip'], 'capacity': 1, "
                  "'refill_rate': 1}}");
    rule = rule_named("default");
    ck_assert_int_eq(rule->cost, 1);
    ck_assert_str_eq(policy->headers[rule->cost_header], "x-cost");
    headers[rule->cost_header] =
        (struct field){.text = costs[_i].header, .bytes = costs[_i].header ? strlen(costs[_i].header) : 0};
    ck_assert_int_eq(rule_cost(rule, headers, &cost), costs[_i].cost >= 0);
    if (costs[_i].cost >= 0)
        ck_assert_int_eq(cost, costs[_i].cost);
}
END_TEST

START_TEST(rule_says_the_cost)
{
    static const struct field headers[POLICY_HEADERS_MAX];
    int64_t cost;

    compile_rules(
        "{'default': {'cost': 5, 'capacity': 5, 'refill_rate': 1}, 'one': {'capacity': 5, 'refill_rate': "
        "1}}");
    ck_assert(rule_cost(rule_named("default"), headers, &cost));
    ck_assert_int_eq(cost, 5);
    ck_assert(rule_cost(rule_named("one"), headers, &cost));
    ck_assert_int_eq(cost, 1);
    ck_assert_uint_eq(report.warning_count, 0);
}
END_TEST

START_TEST(zero_byte_in_a_cost_is_refused)
{
    struct field headers[POLICY_HEADERS_MAX] = {{.text = "1\0", .bytes = 2}};
    int64_t cost;

    compile_rules("{'default': {'cost': 'header:X-Cost', 'capacity': 1, 'refill_rate': 1}}");
    ck_assert(!rule_cost(rule_named("default"), headers, &cost));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rule_cost");
    TCase *tests = tcase_create("rule_cost");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, header_says_the_cost, 0, ROWS(costs));
    tcase_add_test(tests, rule_says_the_cost);
    tcase_add_test(tests, zero_byte_in_a_cost_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
