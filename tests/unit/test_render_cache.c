/*
 * render: an answer from the cache is the one that would have been made.
 */
#include <inttypes.h>
#include <stdio.h>

#include "number.h"
#include "random_numbers.h"
#include "render_fixture.h"

START_TEST(equal_answers_are_made_once)
{
    struct limiter_take take = undecided("open", VERDICT_ALLOWED); /* no clock in it */
    struct response first = rendered(&take);

    check_header(&first, "X-RateLimit-Limit", "10");
    for (int i = 0; i < 3; i++) {
        struct response again = rendered(&take);
        ck_assert_ptr_eq(again.response, first.response);
        ck_assert(!again.owned); /* it belongs to the cache, which destroys it */
        ck_assert_uint_eq(again.status, 200);
        check_body(&again, "{\"message\": \"This is a limited resource.\", \"rule\": \"open\"}\n");
    }
    take.degraded = false;
    ck_assert_ptr_ne(rendered(&take).response, first.response);
}
END_TEST

/* Verdicts, and whether their answer is a problem, which says the trace-id. */
static const struct {
    enum verdict verdict;
    bool says;
} traced[] = {
    {VERDICT_ALLOWED, false}, {VERDICT_REFUSED, true}, {VERDICT_BLOCKED, true}, {VERDICT_UNAVAILABLE, true}};

START_TEST(problem_with_a_trace_id_is_not_kept)
{
    struct limiter_take take = undecided("open", traced[_i].verdict);
    struct response plain = rendered(&take), answer;
    char *text;

    take.trace_id = trace_id;
    answer = rendered(&take);
    text = sent(&answer);
    ck_assert_uint_eq(answer.status, plain.status);
    ck_assert_int_eq(answer.owned, traced[_i].says);
    ck_assert_int_eq(strstr(text, ", \"trace_id\": \"" TRACE "\"}\n") != NULL, traced[_i].says);
    free(text);
    if (answer.owned)
        response_free(&answer);
    take.trace_id = (struct field){0};
    ck_assert_ptr_eq(rendered(&take).response, plain.response);
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

    for (uint32_t i = 0; i < take.limits->count; i++) {
        take.request.decisions[i].remaining = (int64_t)random_below(random, 2);
        take.request.decisions[i].reset_after_us = moments_us[1 + random_below(random, 5)];
        if (random_below(random, 2) == 0)
            refuse(&take, i, moments_us[random_below(random, 6)]);
    }
    take.degraded = random_below(random, 2) == 0;
    if (random_below(random, 4) == 0) {
        take.verdict = VERDICT_REFUSED;
        take.request.penalty_us = moments_us[1 + random_below(random, 5)];
        penalty_apply(take.request.decisions, take.limits->count, take.request.penalty_us);
    }
    for (uint32_t i = 1; i < take.limits->count; i++) { /* any of those that the verdict could be shown by */
        const struct decision *decision = &take.request.decisions[i], *tightest = &take.request.decisions[0];
        if (decision->allowed == tightest->allowed ? random_below(random, 2) : !decision->allowed)
            take.tightest = i;
    }
    return take;
}

START_TEST(cached_answer_equals_a_new_one)
{
    uint64_t random = (uint64_t)_i + 1;

    for (int i = 0; i < 400; i++) {
        struct limiter_take take = random_take(&random);
        bool closing = random_below(&random, 4) == 0, deny_403 = random_below(&random, 2) == 0;
        struct renderer *fresh = renderer_new();
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

START_TEST(more_answers_than_the_cache_holds_are_all_correct)
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
    Suite *suite = suite_create("render_cache");
    TCase *tests = tcase_create("render_cache");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, equal_answers_are_made_once);
    tcase_add_loop_test(tests, problem_with_a_trace_id_is_not_kept, 0, ROWS(traced));
    tcase_add_loop_test(tests, cached_answer_equals_a_new_one, 0, 3);
    tcase_add_test(tests, more_answers_than_the_cache_holds_are_all_correct);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
