/*
 * api_request: long requests take turns: a thousand checks go to the store in their order and a few at a
 * time, and a request may end at each of its steps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_session.h"
#include "checks.h"
#include "clock.h"
#include "policy_text.h"
#include "render.h"
#include "suite.h"

extern const struct endpoint check_endpoint, check_batch_endpoint;

#define CHECKS     1000
#define BODY_BYTES 65536

static const char rules[] = "{\"two\": {\"on_store_failure\": \"open\", \"limits\": ["
                            "  {\"algorithm\": \"fixed_window\", \"limit\": 10, \"window\": \"1m\"},"
                            "  {\"algorithm\": \"fixed_window\", \"limit\": 10, \"window\": \"1h\"}]},"
                            " \"logs\": {\"limits\": ["
                            "  {\"algorithm\": \"sliding_window\", \"limit\": 10, \"window\": \"1m\"},"
                            "  {\"algorithm\": \"sliding_window\", \"limit\": 10, \"window\": \"1h\"}]}}";

#define A_TURN (TURNS_STORE_WORK / (2 * 4)) /* a limit that is no sliding window takes 4 */

/* A store that keeps its requests until the test answers them. */
struct slow_store {
    struct store store;
    enum store_status says;
    struct store_request *asked[2 * CHECKS];
    int count;    /* ever asked */
    int answered; /* of those, from the first on */
    int most;     /* that were ever pending together */
    int cancels;
};

static enum store_status
slow_take(struct store *store, struct store_request *request)
{
    struct slow_store *slow = (struct slow_store *)store;

    if (slow->says != STORE_PENDING)
        return slow->says;
    slow->asked[slow->count++] = request;
    if (slow->count - slow->answered > slow->most)
        slow->most = slow->count - slow->answered;
    return STORE_PENDING;
}

static void
slow_cancel(struct store *store, struct store_request *request)
{
    (void)request;
    ((struct slow_store *)store)->cancels++;
}

static const struct store_ops slow_class = {.take = slow_take, .cancel = slow_cancel};

static struct slow_store slow;
static struct limiter limiter;
static struct turns turns;
static struct policy *policy;
static struct endpoint_context context;
static struct api_session session;
static char body[BODY_BYTES];

static void
set_up(void)
{
    slow = (struct slow_store){.store.ops = &slow_class, .says = STORE_PENDING};
    limiter = (struct limiter){.store = &slow.store};
    policy = policy_of_text(rules);
    turns_init(&turns);
    context = (struct endpoint_context){.limiter = &limiter, .renderer = renderer_new(), .turns = &turns};
    ck_assert_ptr_nonnull(context.renderer);
}

static void
tear_down(void)
{
    renderer_free(context.renderer);
    policy_free(policy);
}

/* A batch of `count` checks whose costs are 0, 1, 2 ... */
static void
start_batch(int count)
{
    size_t used = (size_t)snprintf(body, sizeof(body), "{\"checks\": [");

    for (int i = 0; i < count; i++)
        used +=
            (size_t)snprintf(body + used, sizeof(body) - used,
                             "%s{\"rule\": \"two\", \"client\": \"c\", \"cost\": %d}", i > 0 ? "," : "", i);
    used += (size_t)snprintf(body + used, sizeof(body) - used, "]}");
    ck_assert_uint_lt(used, sizeof(body));
    api_session_start(&session, &context, policy, &check_batch_endpoint, body);
}

static void
run(void)
{
    while (turns_run(&turns))
        continue;
}

static void
answer_next(enum store_status status)
{
    struct store_request *request = slow.asked[slow.answered++];

    request->allowed = true;
    memset(request->decisions, 0, sizeof(request->decisions));
    request->callback(request, status);
}

static void
end_session(unsigned status)
{
    struct response response;

    ck_assert_int_eq(session.resumed, 1);
    response = session.endpoint->finish(&session.request);
    ck_assert_uint_eq(response.status, status);
    if (response.owned)
        response_free(&response);
    ck_assert_uint_eq(turns.asked_work, 0);
    ck_assert(!api_session_step(&context));
}

START_TEST(thousand_checks_go_to_the_store_in_order_a_few_at_a_time)
{
    start_batch(CHECKS);
    for (int i = 0; i < CHECKS; i++) {
        run();
        ck_assert_int_eq(session.resumed, 0);
        ck_assert_int_lt(slow.answered, slow.count);
        ck_assert_int_eq(slow.asked[i]->cost, i);
        answer_next(STORE_DONE);
    }
    run();
    ck_assert_int_eq(slow.most, A_TURN);
    end_session(200);
}
END_TEST

START_TEST(penalty_takes_more_of_the_store)
{
    policy->rules[0].penalty =
        (struct penalty){.after = 1, .within_us = 1, .for_us = 1, .growth = 1, .up_to_us = 1};
    start_batch(CHECKS);
    run();
    ck_assert_int_eq(slow.count, TURNS_STORE_WORK / (2 * 4 + PENALTY_WORK));
    check_batch_endpoint.free(&session.request, true);
}
END_TEST

START_TEST(batches_share_what_may_be_in_the_store)
{
    struct api_session other;

    start_batch(CHECKS);
    api_session_start(&other, &context, policy, &check_batch_endpoint, body);
    run();
    for (int i = 0; i < CHECKS; i++) {
        answer_next(STORE_DONE);
        run();
    }
    ck_assert_int_eq(slow.most, A_TURN);
    ck_assert_int_gt(slow.asked[slow.count - 1]->cost, CHECKS / 3);
    ck_assert_int_lt(slow.asked[slow.count - 1]->cost, CHECKS * 2 / 3);
    check_batch_endpoint.free(&session.request, true);
    check_batch_endpoint.free(&other.request, true);
    ck_assert_int_eq(slow.cancels, slow.count - slow.answered);
}
END_TEST

static const struct {
    const char *text;
    bool waits;
} singles[] = {
    {"{\"rule\": \"two\", \"client\": \"c\"}", false},
    {"{\"rule\": \"two\", \"client\": \"c\", \"cost\": 5}", false},
    {"{\"rule\": \"logs\", \"client\": \"c\"}", false},
    {"{\"rule\": \"logs\", \"client\": \"c\", \"cost\": 5}", true},
};

START_TEST(only_what_keeps_redis_busy_waits_for_others)
{
    turns_asked(&turns, TURNS_STORE_WORK);
    api_session_start(&session, &context, policy, &check_endpoint, singles[_i].text);
    run();
    ck_assert_int_eq(slow.count, !singles[_i].waits);
    turns_answered(&turns, TURNS_STORE_WORK);
    run();
    ck_assert_int_eq(slow.count, 1);
    answer_next(STORE_DONE);
    end_session(200);
}
END_TEST

START_TEST(large_body_is_read_on_turns)
{
    start_batch(CHECKS);
    ck_assert_int_eq(session.status, ENDPOINT_PENDING);
    ck_assert(api_session_step(&context));
    ck_assert_int_eq(slow.count, 0);
    check_batch_endpoint.free(&session.request, true);
    ck_assert(!api_session_step(&context));
}
END_TEST

START_TEST(store_that_goes_away_gets_no_more_checks)
{
    start_batch(CHECKS);
    run();
    slow.says = STORE_UNAVAILABLE;
    for (int i = 0; i < A_TURN; i++)
        answer_next(STORE_UNAVAILABLE);
    run();
    ck_assert_int_eq(slow.count, A_TURN);
    end_session(200); /* they fail open */
}
END_TEST

START_TEST(checks_that_are_decided_at_once_fill_no_store)
{
    slow.says = STORE_UNAVAILABLE;
    start_batch(CHECKS);
    run();
    end_session(200);
}
END_TEST

/* Goes `steps` steps, an answer wherever it waits. False: it has ended before. */
static bool
go(int steps)
{
    start_batch(2 * A_TURN);
    for (int i = 0; i < steps; i++)
        if (session.resumed || !api_session_step(&context)) {
            if (session.resumed)
                return false;
            answer_next(STORE_DONE);
        }
    return true;
}

START_TEST(request_may_be_freed_at_each_step)
{
    int steps = 0;

    while (go(steps)) {
        check_batch_endpoint.free(&session.request, true);
        ck_assert_int_eq(slow.cancels, slow.count - slow.answered);
        ck_assert_uint_eq(turns.asked_work, 0);
        ck_assert(!api_session_step(&context));
        slow = (struct slow_store){.store.ops = &slow_class, .says = STORE_PENDING};
        steps++;
    }
    ck_assert_int_gt(steps, 4 * A_TURN);
    end_session(200);
}
END_TEST

START_TEST(end_of_the_service_answers_at_each_step)
{
    int steps = 0;

    while (go(steps) && !session.resumed) {
        while (slow.answered < slow.count) /* as store_free does */
            answer_next(STORE_UNAVAILABLE);
        turns_end(&turns);
        end_session(503);
        turns_init(&turns);
        slow = (struct slow_store){.store.ops = &slow_class, .says = STORE_PENDING};
        steps++;
    }
    ck_assert_int_gt(steps, 4 * A_TURN);
    check_batch_endpoint.free(&session.request, false);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("api_turns");
    TCase *tests = tcase_create("api_turns");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, thousand_checks_go_to_the_store_in_order_a_few_at_a_time);
    tcase_add_test(tests, penalty_takes_more_of_the_store);
    tcase_add_test(tests, batches_share_what_may_be_in_the_store);
    tcase_add_loop_test(tests, only_what_keeps_redis_busy_waits_for_others, 0, ROWS(singles));
    tcase_add_test(tests, large_body_is_read_on_turns);
    tcase_add_test(tests, store_that_goes_away_gets_no_more_checks);
    tcase_add_test(tests, checks_that_are_decided_at_once_fill_no_store);
    tcase_add_test(tests, request_may_be_freed_at_each_step);
    tcase_add_test(tests, end_of_the_service_answers_at_each_step);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
