/*
 * checks: many checks of one request go to the store by turns, in their order; each is answered, and the
 * callback comes once.
 */
#include <check.h>
#include <string.h>

#include "checks.h"
#include "clock.h"
#include "suite.h"

#define CHECKS      1000
#define TURN_WORK   256 /* microseconds of Redis' time, as docs/json-api.md says */
#define LIMIT_COUNT 2
#define A_TURN      (TURN_WORK / (4 * LIMIT_COUNT)) /* a limit that is no sliding window takes 4 */

/* A store that keeps its requests until the test answers them. */
struct slow_store {
    struct store store;
    enum store_status says;
    struct store_request *asked[CHECKS];
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
static struct limiter_counts counts;
static struct limiter limiter;
static struct rule rule;
static struct checks *checks;
static int calls;

static void
on_all_answered(struct checks *all)
{
    ck_assert_ptr_eq(all, checks);
    calls++;
}

static void
set_up(void)
{
    slow = (struct slow_store){.store.ops = &slow_class, .says = STORE_PENDING};
    limiter = (struct limiter){.store = &slow.store, .counts = &counts};
    rule = (struct rule){.name = "r", .limits.count = LIMIT_COUNT, .on_store_failure = FAILURE_OPEN};
    for (int i = 0; i < LIMIT_COUNT; i++)
        ck_assert_int_eq(limit_init_window(&rule.limits.limits[i], FIXED_WINDOW, 10, US_PER_S), LIMIT_OK);
    calls = 0;
    checks = checks_new(&(struct checks_caller){.limiter = &limiter, .callback = on_all_answered}, CHECKS);
    ck_assert_ptr_nonnull(checks);
    for (int i = 0; i < CHECKS; i++) {
        checks->list[i].take.rule = &rule;
        checks->list[i].take.cost = i;
    }
}

static void
tear_down(void)
{
    checks_free(checks);
}

static void
answer_next(enum store_status status)
{
    struct store_request *request = slow.asked[slow.answered++];

    request->allowed = true;
    memset(request->decisions, 0, sizeof(request->decisions));
    request->callback(request, status);
}

START_TEST(thousand_checks_go_to_the_store_in_order_a_turn_at_a_time)
{
    ck_assert_int_eq(checks_start(checks), LIMITER_PENDING);
    for (int i = 0; i < CHECKS; i++) {
        ck_assert_int_eq(calls, 0);
        ck_assert_int_lt(slow.answered, slow.count);
        ck_assert_int_eq(slow.asked[i]->cost, i);
        answer_next(STORE_DONE);
    }
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(slow.most, A_TURN);
}
END_TEST

START_TEST(sliding_window_takes_more_of_a_turn)
{
    uint32_t work = 0;
    int count = 0;

    ck_assert_int_eq(limit_init_window(&rule.limits.limits[0], SLIDING_WINDOW, 10, US_PER_S), LIMIT_OK);
    checks_start(checks);
    for (int64_t cost = 0; work < TURN_WORK; cost++, count++)
        work += limit_work(&rule.limits.limits[0], cost) + limit_work(&rule.limits.limits[1], cost);
    ck_assert_int_lt(count, A_TURN / 4);
    ck_assert_int_eq(slow.count, count);
}
END_TEST

START_TEST(penalty_takes_more_of_a_turn)
{
    rule.penalty = (struct penalty){.after = 1, .within_us = 1, .for_us = 1, .growth = 1, .up_to_us = 1};
    ck_assert_int_eq(checks_start(checks), LIMITER_PENDING);
    ck_assert_int_eq(slow.count,
                     (TURN_WORK + 4 * LIMIT_COUNT + PENALTY_WORK - 1) / (4 * LIMIT_COUNT + PENALTY_WORK));
}
END_TEST

START_TEST(check_decided_at_once_does_not_count_towards_the_turn)
{
    slow.says = STORE_DONE;
    ck_assert_int_eq(checks_start(checks), LIMITER_DONE);
    ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(errors_and_unlimited_checks_do_not_reach_the_store)
{
    for (int i = 0; i < CHECKS; i++) {
        checks->list[i].take.rule = NULL;
        if (i % 2)
            checks->list[i].error.status = 400;
    }
    checks->list[7] = (struct check){.take = checks->list[7].take, .all = checks};
    checks->list[7].take.rule = &rule;
    ck_assert_int_eq(checks_start(checks), LIMITER_PENDING);
    ck_assert_int_eq(slow.count, 1);
    answer_next(STORE_DONE);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(store_that_goes_away_gets_no_more_checks)
{
    int first_turn;

    checks_start(checks);
    first_turn = slow.count;
    slow.says = STORE_UNAVAILABLE;
    while (slow.answered < first_turn)
        answer_next(STORE_UNAVAILABLE);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(slow.count, first_turn);
    for (int i = 0; i < CHECKS; i++)
        ck_assert(checks->list[i].take.degraded && checks->list[i].take.verdict == VERDICT_ALLOWED);
}
END_TEST

static const int answers_before[] = {0, 1, A_TURN - 1, A_TURN, A_TURN + 1, CHECKS - 1};

START_TEST(only_pending_checks_are_cancelled)
{
    checks_start(checks);
    for (int i = 0; i < answers_before[_i]; i++)
        answer_next(STORE_DONE);
    checks_free(checks);
    checks = NULL;
    ck_assert_int_eq(slow.cancels, slow.count - slow.answered);
    ck_assert_int_eq(calls, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("checks");
    TCase *tests = tcase_create("checks");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, thousand_checks_go_to_the_store_in_order_a_turn_at_a_time);
    tcase_add_test(tests, sliding_window_takes_more_of_a_turn);
    tcase_add_test(tests, penalty_takes_more_of_a_turn);
    tcase_add_test(tests, check_decided_at_once_does_not_count_towards_the_turn);
    tcase_add_test(tests, errors_and_unlimited_checks_do_not_reach_the_store);
    tcase_add_test(tests, store_that_goes_away_gets_no_more_checks);
    tcase_add_loop_test(tests, only_pending_checks_are_cancelled, 0, ROWS(answers_before));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
