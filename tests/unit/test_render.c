/*
 * render: the status, headers and body of every decision, and that an answer out of the cache is the one that
 * would have been made.
 */
#include <check.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mhd_session.h"
#include "number.h"
#include "random_numbers.h"
#include "render.h"
#include "suite.h"

#define LONGEST_NAME "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define HOURLY       "{ \"algorithm\": \"fixed_window\", \"limit\": 9007199254740991, \"window\": \"366d\" }"

static const char rules[] =
    "{ \"default\": { \"capacity\": 10, \"refill_rate\": \"10/1m\" },"
    "  \"open\": { \"capacity\": 10, \"refill_rate\": 1, \"on_store_failure\": \"open\" },"
    "  \"local\": { \"capacity\": 10, \"refill_rate\": 1, \"on_store_failure\": \"local\" },"
    "  \"pair\": { \"limits\": [ { \"algorithm\": \"fixed_window\", \"limit\": 10, \"window\": \"1500ms\" },"
    "                          { \"algorithm\": \"sliding_window\", \"limit\": 100, \"window\": \"1h\" } ] },"
    "  \"" LONGEST_NAME "\": { \"limits\": [ " HOURLY ", " HOURLY ", " HOURLY ", " HOURLY ", " HOURLY
    ", " HOURLY ", " HOURLY ", " HOURLY " ] } }";

static struct policy *policy;
static struct renderer *renderer;
static const char message[] = "This is a limited resource.";

static void
set_up(void)
{
    struct policy_defaults defaults = {.limit = 1, .window_us = 1000000, .failure_mode = FAILURE_CLOSED};
    struct report report;

    report_init(&report);
    policy = policy_parse("rules", rules, strlen(rules), &defaults, &report);
    ck_assert_msg(policy != NULL, "%s", report.count ? report.lines[0] : "");
    report_fini(&report);
    renderer = renderer_new(policy);
    ck_assert_ptr_nonnull(renderer);
}

static void
tear_down(void)
{
    renderer_free(renderer);
    policy_free(policy);
}

/* A take as the limiter leaves it: decided, and allowed until a refusal is added. */
static struct limiter_take
decided(const char *rule)
{
    struct limiter_take take = {
        .rule = policy_rule(policy, rule), .verdict = VERDICT_ALLOWED, .decided = true};

    ck_assert_ptr_nonnull(take.rule);
    for (uint32_t i = 0; i < take.rule->limit_count; i++)
        take.request.decisions[i] = (struct decision){
            .allowed = true, .limit = take.rule->limits[i].limit, .remaining = 7, .reset_after_us = 1};
    return take;
}

static void
refuse(struct limiter_take *take, uint32_t limit, int64_t retry_after_us)
{
    struct decision *decision = &take->request.decisions[limit];

    take->verdict = VERDICT_REFUSED;
    decision->allowed = false;
    decision->remaining = 0;
    decision->retry_after_us = retry_after_us;
    decision->reset_after_us = retry_after_us > 0 ? retry_after_us : 60000000;
}

/* A take that a failure mode without a table decided. */
static struct limiter_take
undecided(const char *rule, enum verdict verdict)
{
    struct limiter_take take = {.rule = policy_rule(policy, rule), .verdict = verdict, .degraded = true};

    ck_assert_ptr_nonnull(take.rule);
    return take;
}

static bool
queue(void *arg, struct MHD_Connection *connection, const char *version, bool answer)
{
    const struct response *queued = arg;

    (void)version;
    return !answer || MHD_queue_response(connection, queued->status, queued->response) == MHD_YES;
}

/* The answer as it is sent. It stays whose it is. free() it. */
static char *
sent(const struct response *answer)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct response copy = *answer;
    struct mhd_session session = {.handle = queue, .arg = &copy};

    ck_assert_ptr_nonnull(answer->response);
    return mhd_session_run(&session, request, strlen(request));
}

static void
check_body(const struct response *answer, const char *expected)
{
    char *text = sent(answer), *body = strstr(text, "\r\n\r\n");

    ck_assert_ptr_nonnull(body);
    ck_assert_str_eq(body + 4, expected);
    free(text);
}

static void
check_header(const struct response *answer, const char *name, const char *expected)
{
    const char *value = MHD_get_response_header(answer->response, name);

    if (expected == NULL)
        ck_assert_msg(value == NULL, "%s: %s", name, value);
    else
        ck_assert_msg(value != NULL && strcmp(value, expected) == 0, "%s: %s, expected %s", name, value,
                      expected);
}

static struct response
rendered(const struct limiter_take *take)
{
    return render_take(renderer, take, message, false, false);
}

START_TEST(an_allowed_request_is_told_what_is_left)
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

START_TEST(what_is_not_limited_shows_no_limit)
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

START_TEST(a_refused_request_is_told_when_to_come_again)
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

START_TEST(who_will_never_pass_is_not_told_to_come_again)
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

START_TEST(where_the_store_is_away_and_the_rule_fails_closed_it_is_503)
{
    struct limiter_take take = undecided("default", VERDICT_UNAVAILABLE);
    struct response answer = rendered(&take);

    ck_assert_uint_eq(answer.status, 503);
    check_header(&answer, "Content-Type", "application/problem+json");
    check_header(&answer, "Retry-After", "1");
    check_header(&answer, "X-RateLimit-Limit", "10");
    check_header(&answer, "X-RateLimit-Remaining", NULL); /* nobody knows */
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

START_TEST(an_answer_of_the_open_mode_says_so_and_has_no_numbers)
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

START_TEST(an_answer_of_the_local_mode_says_so_and_has_this_process_s_numbers)
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

START_TEST(several_limits_are_named_by_their_index)
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

/* A limit that allows may be whole only long after the refusal is over: Retry-After would stand before its
   `t`, which the draft advises against. */
START_TEST(a_refusal_tells_of_the_limits_that_refuse)
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

START_TEST(the_longest_names_and_largest_numbers_fit)
{
    struct limiter_take take = decided(LONGEST_NAME);
    struct response answer;
    const char *value;
    char *text;

    for (uint32_t i = 0; i < take.rule->limit_count; i++) {
        refuse(&take, i, NUMBER_EXACT_MAX);
        take.request.decisions[i].remaining = NUMBER_EXACT_MAX;
    }
    answer = rendered(&take);
    text = sent(&answer);
    ck_assert_ptr_nonnull(strstr(text, "\"" LONGEST_NAME ":7\"], \"retry_after\": 9007199255}\n"));
    free(text);
    /* An integer of a structured field has 15 digits at most. */
    value = MHD_get_response_header(answer.response, "RateLimit-Policy");
    ck_assert_ptr_nonnull(strstr(value, "\"" LONGEST_NAME ":7\";q=999999999999999;w=31622400"));
    value = MHD_get_response_header(answer.response, "RateLimit");
    ck_assert_ptr_nonnull(strstr(value, "\"" LONGEST_NAME ":7\";r=999999999999999;t=9007199255"));
    check_header(&answer, "X-RateLimit-Remaining", "9007199254740991");
}
END_TEST

START_TEST(a_closing_answer_says_so)
{
    struct limiter_take take = decided("default");
    struct response answer = render_take(renderer, &take, message, false, true);

    check_header(&answer, "Connection", "close");
    answer = rendered(&take);
    check_header(&answer, "Connection", NULL);
}
END_TEST

START_TEST(a_refusal_may_be_403)
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

/* The cache. */

START_TEST(equal_answers_are_made_once)
{
    struct limiter_take take = undecided("open", VERDICT_ALLOWED); /* no clock in it */
    struct response first = rendered(&take);

    check_header(&first, "X-RateLimit-Limit", "10");
    for (int i = 0; i < 3; i++) {
        struct response again = rendered(&take);
        ck_assert_ptr_eq(again.response, first.response);
        ck_assert(!again.owned); /* it is the cache's: nobody else may destroy it */
        ck_assert_uint_eq(again.status, 200);
        check_body(&again, "{\"message\": \"This is a limited resource.\", \"rule\": \"open\"}\n");
    }
    take.degraded = false;
    ck_assert_ptr_ne(rendered(&take).response, first.response);
}
END_TEST

struct header_list {
    char text[4096];
    size_t bytes;
};

static enum MHD_Result
collect_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct header_list *list = arg;

    (void)kind;
    if (strcmp(name, "X-RateLimit-Reset") != 0) /* which a second that passes may change */
        list->bytes += (size_t)snprintf(list->text + list->bytes, sizeof(list->text) - list->bytes,
                                        "%s: %s\n", name, value);
    return MHD_YES;
}

/* Everything in an answer but the reset: its headers, a blank line, and the body. free() it. */
static char *
content(const struct response *answer)
{
    struct header_list list = {.bytes = 0};
    char *text = sent(answer), *whole;

    MHD_get_response_headers(answer->response, collect_header, &list);
    ck_assert_int_gt(asprintf(&whole, "%u\n%s\n%s", answer->status, list.text, strstr(text, "\r\n\r\n") + 4),
                     0);
    free(text);
    return whole;
}

/* A take from few values, so that many are nearly equal: what differs by parts of a second, or in one limit
   only. */
static struct limiter_take
random_take(uint64_t *random)
{
    static const char *const names[] = {"default", "pair"};
    static const int64_t moments_us[] = {RETRY_NEVER, 1, 1200000, 1500000, 1900000, 2000000};
    struct limiter_take take = decided(names[random_below(random, 2)]);

    for (uint32_t i = 0; i < take.rule->limit_count; i++) {
        take.request.decisions[i].remaining = (int64_t)random_below(random, 2);
        take.request.decisions[i].reset_after_us = moments_us[1 + random_below(random, 5)];
        if (random_below(random, 2) == 0)
            refuse(&take, i, moments_us[random_below(random, 6)]);
    }
    take.degraded = random_below(random, 2) == 0;
    for (uint32_t i = 1; i < take.rule->limit_count;
         i++) { /* any of those that the verdict could be shown by */
        const struct decision *decision = &take.request.decisions[i], *tightest = &take.request.decisions[0];
        if (decision->allowed == tightest->allowed ? random_below(random, 2) : !decision->allowed)
            take.tightest = i;
    }
    return take;
}

START_TEST(an_answer_out_of_the_cache_is_the_one_that_would_have_been_made)
{
    uint64_t random = (uint64_t)_i + 1;

    for (int i = 0; i < 400; i++) {
        struct limiter_take take = random_take(&random);
        bool closing = random_below(&random, 4) == 0, deny_403 = random_below(&random, 2) == 0;
        struct renderer *fresh = renderer_new(policy);
        struct response cached = render_take(renderer, &take, message, deny_403, closing);
        struct response made = render_take(fresh, &take, message, deny_403, closing);
        char *cached_text = content(&cached), *made_text = content(&made);

        if (strcmp(cached_text, made_text) != 0)
            ck_abort_msg("%d: from the cache:\n%s\nmade:\n%s", i, cached_text, made_text);
        free(cached_text);
        free(made_text);
        renderer_free(fresh);
    }
}
END_TEST

START_TEST(more_answers_than_the_cache_holds_are_all_right)
{
    for (int64_t remaining = 0; remaining < 20000; remaining++) {
        struct limiter_take take = decided("default");
        struct response answer;
        int64_t shown;

        take.request.decisions[0].remaining = remaining;
        answer = rendered(&take);
        if (!number_parse(MHD_get_response_header(answer.response, "X-RateLimit-Remaining"), 0, INT64_MAX,
                          &shown) ||
            shown != remaining)
            ck_abort_msg("%" PRId64, remaining);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("render");
    TCase *tests = tcase_create("render");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_allowed_request_is_told_what_is_left);
    tcase_add_test(tests, what_is_not_limited_shows_no_limit);
    tcase_add_loop_test(tests, a_refused_request_is_told_when_to_come_again, 0, ROWS(retries));
    tcase_add_test(tests, who_will_never_pass_is_not_told_to_come_again);
    tcase_add_test(tests, where_the_store_is_away_and_the_rule_fails_closed_it_is_503);
    tcase_add_test(tests, an_answer_of_the_open_mode_says_so_and_has_no_numbers);
    tcase_add_test(tests, an_answer_of_the_local_mode_says_so_and_has_this_process_s_numbers);
    tcase_add_test(tests, several_limits_are_named_by_their_index);
    tcase_add_test(tests, a_refusal_tells_of_the_limits_that_refuse);
    tcase_add_test(tests, the_longest_names_and_largest_numbers_fit);
    tcase_add_test(tests, a_closing_answer_says_so);
    tcase_add_test(tests, a_refusal_may_be_403);
    tcase_add_test(tests, equal_answers_are_made_once);
    tcase_add_loop_test(tests, an_answer_out_of_the_cache_is_the_one_that_would_have_been_made, 0, 3);
    tcase_add_test(tests, more_answers_than_the_cache_holds_are_all_right);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
