/*
 * render: the status, headers and body of every decision.
 */
#include <stdio.h>

#include "clock.h"
#include "number.h"
#include "render_fixture.h"

START_TEST(allowed_request_shows_what_is_left)
{
    struct limiter_take take = decided("default");
    struct response answer;
    int64_t before_us = clock_wall_us(), reset_s;

    take.request.decisions[0].reset_after_us = 17000001;
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 200);
    check_header(&answer, "Content-Type", "application/json");
    check_header(&answer, "Cache-Control", "no-store");
    check_header(&answer, "X-RateLimit-Limit", "10");
    check_header(&answer, "X-RateLimit-Remaining", "7");
    check_header(&answer, "RateLimit-Policy", "\"default\";q=10;w=60");
    check_header(&answer, "RateLimit", "\"default\";r=7;t=18");
    check_header(&answer, "Retry-After", NULL);
    check_header(&answer, "X-RateLimit-Degraded", NULL);
    check_header(&answer, "Connection", NULL);
    ck_assert(
        number_parse(MHD_get_response_header(answer.response, "X-RateLimit-Reset"), 0, INT64_MAX, &reset_s));
    ck_assert_int_ge(reset_s, us_to_s_up(before_us + 17000001));
    ck_assert_int_le(reset_s, us_to_s_up(clock_wall_us() + 17000001));
    check_body(&answer,
               "{\"message\": \"This is a limited resource.\", \"rule\": \"default\", \"limit\": 10, "
               "\"remaining\": 7, \"reset_after\": 18}\n");
}
END_TEST

START_TEST(unlimited_request_shows_no_limit)
{
    static const char *const absent[] = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
                                         "RateLimit",         "RateLimit-Policy",      "X-RateLimit-Degraded",
                                         "Retry-After"};
    struct limiter_take take = {.verdict = VERDICT_ALLOWED};
    struct response answer = rendered(&take);

    ck_assert_uint_eq(answer.status, 200);
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        check_header(&answer, absent[i], NULL);
    check_header(&answer, "Cache-Control", "no-store");
    check_body(&answer, "{\"message\": \"This is a limited resource.\", \"rule\": null}\n");
}
END_TEST

/* A client that is unlimited or blocked under a rule: limits NULL. */
START_TEST(client_that_no_limit_decides_shows_none)
{
    struct limiter_take take = {.rule = policy_rule(policy, "default"), .verdict = VERDICT_ALLOWED};
    struct response answer = rendered(&take);

    ck_assert_uint_eq(answer.status, 200);
    check_header(&answer, "X-RateLimit-Limit", NULL);
    check_header(&answer, "RateLimit-Policy", NULL);
    check_body(&answer, "{\"message\": \"This is a limited resource.\", \"rule\": \"default\"}\n");
    take.verdict = VERDICT_BLOCKED;
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 403);
    check_header(&answer, "X-RateLimit-Limit", NULL);
    check_header(&answer, "Retry-After", NULL);
    check_header(&answer, "Content-Type", "application/problem+json");
    check_header(&answer, "Cache-Control", "no-store");
    check_body(&answer, "{\"detail\": \"This client is blocked.\", \"type\": \"about:blank\", "
                        "\"title\": \"Forbidden\", \"status\": 403}\n");
}
END_TEST

/* The same numbers by other limits are another answer. */
START_TEST(limits_of_a_client_are_shown_instead_of_the_rule_s)
{
    struct limiter_take take = decided("default");
    struct limit_set own = take.rule->limits;
    struct response answer = rendered(&take);

    check_header(&answer, "X-RateLimit-Limit", "10");
    own.id = UINT64_MAX;
    own.limits[0].limit = 1000;
    take.limits = &own;
    answer = rendered(&take);
    check_header(&answer, "X-RateLimit-Limit", "1000");
    check_header(&answer, "RateLimit-Policy", "\"default\";q=1000;w=60");
}
END_TEST

static void
check_decision(const struct limiter_take *take, unsigned status, const char *body)
{
    struct response answer = render_check(renderer, take, false);

    ck_assert_uint_eq(answer.status, status);
    check_body(&answer, body);
    response_free(&answer);
}

START_TEST(decision_says_that_the_client_is_unlimited_or_blocked)
{
    struct limiter_take take = {.rule = policy_rule(policy, "default"), .verdict = VERDICT_ALLOWED};

    check_decision(&take, 200,
                   "{\"allowed\": true, \"rule\": \"default\", \"limit\": null, \"remaining\": null, "
                   "\"retry_after_ms\": 0, \"reset_after_ms\": null, \"unlimited\": true}\n");
    take.verdict = VERDICT_BLOCKED;
    check_decision(&take, 403,
                   "{\"allowed\": false, \"rule\": \"default\", \"limit\": null, \"remaining\": null, "
                   "\"retry_after_ms\": null, \"reset_after_ms\": null, \"blocked\": true}\n");
    take.rule = NULL;
    take.verdict = VERDICT_ALLOWED;
    check_decision(&take, 200,
                   "{\"allowed\": true, \"rule\": null, \"limit\": null, \"remaining\": null, "
                   "\"retry_after_ms\": 0, \"reset_after_ms\": null}\n");
}
END_TEST

static const struct {
    int64_t retry_after_us;
    const char *retry_after;
} retries[] = {
    {0, "1"},
    {1, "1"},
    {999999, "1"},
    {1000000, "1"},
    {1000001, "2"},
    {59999999, "60"},
    {31622400000000, "31622400"},
};

START_TEST(refusal_has_retry_after)
{
    struct limiter_take take = decided("default");
    struct response answer;
    char text[512];

    refuse(&take, 0, retries[_i].retry_after_us);
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 429);
    check_header(&answer, "Content-Type", "application/problem+json");
    check_header(&answer, "Cache-Control", "no-store");
    check_header(&answer, "X-RateLimit-Limit", "10");
    check_header(&answer, "X-RateLimit-Remaining", "0");
    check_header(&answer, "Retry-After", retries[_i].retry_after);
    snprintf(text, sizeof(text), "\"default\";r=0;t=%s", retries[_i].retry_after);
    check_header(&answer, "RateLimit", text);
    snprintf(text, sizeof(text),
             "{\"detail\": \"Too many requests. Please retry later.\", "
             "\"type\": \"https://iana.org/assignments/http-problem-types#quota-exceeded\", "
             "\"title\": \"Too Many Requests\", \"status\": 429, \"violated-policies\": [\"default\"], "
             "\"retry_after\": %s}\n",
             retries[_i].retry_after);
    check_body(&answer, text);
}
END_TEST

START_TEST(refusal_above_limit_has_no_retry_after)
{
    struct limiter_take take = decided("default");
    struct response answer;

    refuse(&take, 0, RETRY_NEVER);
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 429);
    check_header(&answer, "Retry-After", NULL);
    check_header(&answer, "RateLimit", "\"default\";r=0");
    check_body(&answer,
               "{\"detail\": \"Too many requests. Please retry later.\", "
               "\"type\": \"https://iana.org/assignments/http-problem-types#quota-exceeded\", "
               "\"title\": \"Too Many Requests\", \"status\": 429, \"violated-policies\": [\"default\"]}\n");
}
END_TEST

START_TEST(failure_mode_closed_is_a_503)
{
    struct limiter_take take = undecided("default", VERDICT_UNAVAILABLE);
    struct response answer = rendered(&take);

    ck_assert_uint_eq(answer.status, 503);
    check_header(&answer, "Content-Type", "application/problem+json");
    check_header(&answer, "Retry-After", "1");
    check_header(&answer, "X-RateLimit-Limit", "10");
    check_header(&answer, "X-RateLimit-Remaining", NULL); /* unknown */
    check_header(&answer, "X-RateLimit-Reset", NULL);
    check_header(&answer, "RateLimit", NULL);
    check_header(&answer, "RateLimit-Policy", "\"default\";q=10;w=60");
    check_header(&answer, "X-RateLimit-Degraded", NULL);
    check_body(&answer,
               "{\"detail\": \"Rate limiter storage is unavailable.\", "
               "\"type\": \"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity\", "
               "\"title\": \"Service Unavailable\", \"status\": 503, \"retry_after\": 1}\n");
}
END_TEST

START_TEST(failure_mode_open_is_marked_and_has_no_numbers)
{
    struct limiter_take take = undecided("open", VERDICT_ALLOWED);
    struct response answer = rendered(&take);

    ck_assert_uint_eq(answer.status, 200);
    check_header(&answer, "X-RateLimit-Degraded", "open");
    check_header(&answer, "X-RateLimit-Limit", "10");
    check_header(&answer, "X-RateLimit-Remaining", NULL);
    check_header(&answer, "RateLimit", NULL);
    check_header(&answer, "Retry-After", NULL);
    check_body(&answer, "{\"message\": \"This is a limited resource.\", \"rule\": \"open\"}\n");
}
END_TEST

/* The cache, too, tells what was withheld from what was not. */
START_TEST(refusal_that_is_withheld_is_a_header_with_the_numbers_as_they_are)
{
    struct limiter_take take = decided("default");
    struct response answer;

    refuse(&take, 0, 3000000);
    take.verdict = VERDICT_ALLOWED;
    take.withheld = VERDICT_REFUSED;
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 200);
    check_header(&answer, "X-RateLimit-Shadow", "refused");
    check_header(&answer, "X-RateLimit-Remaining", "0");
    check_header(&answer, "Retry-After", NULL);
    take.withheld = VERDICT_ALLOWED;
    answer = rendered(&take);
    check_header(&answer, "X-RateLimit-Shadow", NULL);
    check_header(&answer, "X-RateLimit-Remaining", "0");
}
END_TEST

START_TEST(failure_mode_local_is_marked_and_has_local_numbers)
{
    struct limiter_take take = decided("local");
    struct response answer;

    take.degraded = true;
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 200);
    check_header(&answer, "X-RateLimit-Degraded", "local");
    check_header(&answer, "X-RateLimit-Remaining", "7");
    refuse(&take, 0, 3000000);
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 429);
    check_header(&answer, "X-RateLimit-Degraded", "local");
    check_header(&answer, "Retry-After", "3");
}
END_TEST

START_TEST(several_limits_are_named_by_index)
{
    struct limiter_take take = decided("pair");
    struct response answer;

    take.tightest = 1;
    take.request.decisions[1].remaining = 3;
    take.request.decisions[1].reset_after_us = 3600000000;
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 200);
    check_header(&answer, "X-RateLimit-Limit", "100");
    check_header(&answer, "X-RateLimit-Remaining", "3");
    check_header(&answer, "RateLimit-Policy", "\"pair:0\";q=10;w=2, \"pair:1\";q=100;w=3600");
    check_header(&answer, "RateLimit", "\"pair:0\";r=7;t=1, \"pair:1\";r=3;t=3600");
}
END_TEST

/* A limit that allows may be full only long after the refusal is over: Retry-After would come before its
   `t`, which the draft advises against. */
START_TEST(refusal_shows_the_limits_that_refuse)
{
    struct limiter_take take = decided("pair");
    struct response answer;

    refuse(&take, 0, 1200000);
    take.request.decisions[1].reset_after_us = 3600000000;
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 429);
    check_header(&answer, "X-RateLimit-Limit", "10");
    check_header(&answer, "Retry-After", "2");
    check_header(&answer, "RateLimit", "\"pair:0\";r=0;t=2");
    check_body(&answer,
               "{\"detail\": \"Too many requests. Please retry later.\", "
               "\"type\": \"https://iana.org/assignments/http-problem-types#quota-exceeded\", "
               "\"title\": \"Too Many Requests\", \"status\": 429, \"violated-policies\": [\"pair:0\"], "
               "\"retry_after\": 2}\n");
}
END_TEST

START_TEST(penalty_is_shown_with_the_refusal)
{
    struct limiter_take take = decided("default");
    struct response answer;

    refuse(&take, 0, 6000000);
    take.request.penalty_us = 5000001;
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 429);
    check_header(&answer, "Retry-After", "6");
    check_body(&answer, "{\"detail\": \"Too many requests. Please retry later.\", "
                        "\"type\": \"https://iana.org/assignments/http-problem-types#quota-exceeded\", "
                        "\"title\": \"Too Many Requests\", \"status\": 429, "
                        "\"violated-policies\": [\"default\"], \"retry_after\": 6, \"penalty\": 6}\n");
}
END_TEST

START_TEST(longest_names_and_largest_numbers_fit)
{
    struct limiter_take take = decided(LONGEST_NAME);
    struct response answer;
    const char *value;
    char *text;

    for (uint32_t i = 0; i < take.limits->count; i++) {
        refuse(&take, i, NUMBER_EXACT_MAX);
        take.request.decisions[i].remaining = NUMBER_EXACT_MAX;
    }
    take.request.penalty_us = NUMBER_EXACT_MAX;
    take.trace_id = trace_id;
    answer = rendered(&take);
    text = sent(&answer);
    ck_assert_ptr_nonnull(strstr(
        text, "\"" LONGEST_NAME
              ":7\"], \"retry_after\": 9007199255, \"penalty\": 9007199255, \"trace_id\": \"" TRACE "\"}\n"));
    free(text);
    response_free(&answer);
    take.trace_id = (struct field){0};
    answer = rendered(&take);
    /* An integer of a structured field has 15 digits at most. */
    value = MHD_get_response_header(answer.response, "RateLimit-Policy");
    ck_assert_ptr_nonnull(strstr(value, "\"" LONGEST_NAME ":7\";q=999999999999999;w=31622400"));
    value = MHD_get_response_header(answer.response, "RateLimit");
    ck_assert_ptr_nonnull(strstr(value, "\"" LONGEST_NAME ":7\";r=999999999999999;t=9007199255"));
    check_header(&answer, "X-RateLimit-Remaining", "9007199254740991");
}
END_TEST

START_TEST(closing_answer_has_connection_close)
{
    struct limiter_take take = decided("default");
    struct response answer = render_take(renderer, &take, message, false, true);

    check_header(&answer, "Connection", "close");
    answer = rendered(&take);
    check_header(&answer, "Connection", NULL);
}
END_TEST

START_TEST(refusal_may_be_403)
{
    struct limiter_take take = decided("default");
    struct response answer;

    refuse(&take, 0, 1);
    answer = render_take(renderer, &take, message, true, false);
    ck_assert_uint_eq(answer.status, 403);
    check_header(&answer, "Retry-After", "1");
    answer = rendered(&take);
    ck_assert_uint_eq(answer.status, 429);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("render");
    TCase *tests = tcase_create("render");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, allowed_request_shows_what_is_left);
    tcase_add_test(tests, unlimited_request_shows_no_limit);
    tcase_add_test(tests, client_that_no_limit_decides_shows_none);
    tcase_add_test(tests, limits_of_a_client_are_shown_instead_of_the_rule_s);
    tcase_add_test(tests, decision_says_that_the_client_is_unlimited_or_blocked);
    tcase_add_loop_test(tests, refusal_has_retry_after, 0, ROWS(retries));
    tcase_add_test(tests, refusal_above_limit_has_no_retry_after);
    tcase_add_test(tests, failure_mode_closed_is_a_503);
    tcase_add_test(tests, failure_mode_open_is_marked_and_has_no_numbers);
    tcase_add_test(tests, refusal_that_is_withheld_is_a_header_with_the_numbers_as_they_are);
    tcase_add_test(tests, failure_mode_local_is_marked_and_has_local_numbers);
    tcase_add_test(tests, several_limits_are_named_by_index);
    tcase_add_test(tests, refusal_shows_the_limits_that_refuse);
    tcase_add_test(tests, penalty_is_shown_with_the_refusal);
    tcase_add_test(tests, longest_names_and_largest_numbers_fit);
    tcase_add_test(tests, closing_answer_has_connection_close);
    tcase_add_test(tests, refusal_may_be_403);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
