#include "algorithm.h"

#include <check.h>

#include "decision_check.h"
#include "number.h"

#define START  INT64_C(1700000000000000)
#define SECOND INT64_C(1000000)

/* One request as a store makes it. */
static struct decision
take(const struct limit *limit, union algorithm_state *state, int64_t now_us, int64_t cost)
{
    struct decision decision;
    bool allowed;

    algorithm_advance(limit, state, NULL, now_us);
    allowed = algorithm_fits(limit, state, now_us, cost);
    if (allowed && cost > 0)
        algorithm_spend(limit, state, NULL, now_us, cost);
    algorithm_report(limit, state, NULL, now_us, cost, allowed, &decision);
    return decision;
}

static void
check_take(const char *row, const struct limit *limit, union algorithm_state *state, int64_t now_us,
           int64_t cost, bool allowed, int64_t remaining, int64_t retry_after_us, int64_t reset_after_us)
{
    struct decision decision = take(limit, state, now_us, cost);

    check_decision(row, &decision, allowed, remaining, retry_after_us, reset_after_us);
    ck_assert_int_eq(decision.limit, limit->limit);
}

static struct limit
bucket(int64_t capacity, int64_t refill, int64_t period_us)
{
    struct limit limit;

    ck_assert_int_eq(limit_init_token_bucket(&limit, capacity, refill, period_us), LIMIT_OK);
    return limit;
}

START_TEST(bucket_starts_full_and_empties_to_the_last_token)
{
    struct limit limit = bucket(3, 1, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    check_take("a look at a full bucket", &limit, &state, START, 0, true, 3, 0, 0);
    check_take("1 of 3", &limit, &state, START, 1, true, 2, 0, SECOND);
    check_take("the rest at once", &limit, &state, START, 2, true, 0, 0, 3 * SECOND);
    check_take("one more", &limit, &state, START, 1, false, 0, SECOND, 3 * SECOND);
    check_take("a refusal spends nothing", &limit, &state, START, 1, false, 0, SECOND, 3 * SECOND);
    check_take("a look at an empty one", &limit, &state, START, 0, true, 0, 0, 3 * SECOND);
}
END_TEST

START_TEST(a_token_is_there_at_its_microsecond_and_not_before)
{
    struct limit limit = bucket(3, 1, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 3);
    check_take("one short", &limit, &state, START + SECOND - 1, 1, false, 0, 1, 2 * SECOND + 1);
    check_take("there", &limit, &state, START + SECOND, 1, true, 0, 0, 3 * SECOND);
    check_take("two need two seconds", &limit, &state, START + SECOND, 2, false, 0, 2 * SECOND, 3 * SECOND);
}
END_TEST

START_TEST(refill_stops_at_capacity)
{
    struct limit limit = bucket(3, 1, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 3);
    check_take("just before full", &limit, &state, START + 3 * SECOND - 1, 0, true, 2, 0, 1);
    check_take("full", &limit, &state, START + 3 * SECOND, 0, true, 3, 0, 0);
    check_take("a year later", &limit, &state, START + 365 * 86400 * SECOND, 3, true, 0, 0, 3 * SECOND);
}
END_TEST

START_TEST(cost_above_capacity_never_fits)
{
    struct limit limit = bucket(3, 1, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    check_take("4 of 3", &limit, &state, START, 4, false, 3, RETRY_NEVER, 0);
    check_take("2^53 - 1 of 3", &limit, &state, START, NUMBER_EXACT_MAX, false, 3, RETRY_NEVER, 0);
    check_take("3 of 3", &limit, &state, START, 3, true, 0, 0, 3 * SECOND);
}
END_TEST

START_TEST(a_refill_that_does_not_divide_never_drifts)
{
    /* 3 a second: a token takes 333333 and a third. After a thousand seconds exactly 3000 have come. */
    struct limit limit = bucket(1, 3, SECOND);
    union algorithm_state state;
    int64_t now_us = START, passed = 0;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 1);
    while (now_us < START + 1000 * SECOND) {
        struct decision decision = take(&limit, &state, now_us, 1);

        passed += decision.allowed;
        now_us += decision.allowed ? 0 : decision.retry_after_us;
    }
    /* Each wait is rounded up to the microsecond, and what a bucket of one token gains beyond it is lost. */
    ck_assert_int_eq(passed, 1000 * SECOND / 333334);

    limit = bucket(1000000, 3, SECOND);
    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 1000000);
    for (now_us = START; now_us < START + 1000 * SECOND; now_us += 7)
        algorithm_advance(&limit, &state, NULL, now_us);
    check_take("3000 after 1000 s, looked at every 7 us", &limit, &state, START + 1000 * SECOND, 3000, true,
               0, 0, limit.window_us);
    for (int64_t i = 1; i <= 3000; i++) {
        now_us = START + 1000 * SECOND + i * 333334;
        ck_assert_msg(take(&limit, &state, now_us, 1).allowed, "token %" PRId64, i);
    }
    /* 3 units a microsecond, 1000000 a token: 3000 waits of 333334 brought 3000 * 2 units more than that. */
    ck_assert_int_eq(limit.limit * limit.units_per_token - state.token_bucket.missing, 6000);
}
END_TEST

START_TEST(a_clock_a_little_behind_is_waited_for)
{
    struct limit limit = bucket(3, 1, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 2);
    check_take("half a second back", &limit, &state, START - SECOND / 2, 1, true, 0, 0,
               3 * SECOND + SECOND / 2);
    check_take("and empty", &limit, &state, START - SECOND / 2, 1, false, 0, SECOND + SECOND / 2,
               3 * SECOND + SECOND / 2);
    check_take("one window back, still waited for", &limit, &state, START - 3 * SECOND, 1, false, 0,
               4 * SECOND, 6 * SECOND);
    check_take("no time was gained", &limit, &state, START + SECOND - 1, 1, false, 0, 1, 2 * SECOND + 1);
}
END_TEST

START_TEST(a_clock_set_back_grants_nothing_and_delays_by_no_more_than_a_window)
{
    struct limit limit = bucket(3, 1, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 3);
    check_take("past the window", &limit, &state, START - 3 * SECOND - 1, 1, false, 0, SECOND, 3 * SECOND);
    check_take("a second on, a token", &limit, &state, START - 2 * SECOND - 1, 1, true, 0, 0, 3 * SECOND);
}
END_TEST

START_TEST(a_full_bucket_remembers_no_moment)
{
    struct limit limit = bucket(3, 1, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    check_take("a second back, as if new", &limit, &state, START - SECOND, 3, true, 0, 0, 3 * SECOND);
}
END_TEST

START_TEST(the_largest_buckets_stay_exact)
{
    static const struct {
        const char *row;
        int64_t capacity, refill, period_us;
    } rows[] = {
        {"2^53 - 1 tokens, one a microsecond, filled by 1000", NUMBER_EXACT_MAX, 1000, 1},
        {"the finest units", 285, 1, DURATION_MAX_US / 285},
        {"both", 94906265, 94906263, 94906264},
        {"a rate near 2^53", 1, NUMBER_EXACT_MAX, 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct limit limit = bucket(rows[i].capacity, rows[i].refill, rows[i].period_us);
        union algorithm_state state;
        struct decision decision;

        algorithm_init(&limit, &state, START);
        decision = take(&limit, &state, START, limit.limit);
        check_decision(rows[i].row, &decision, true, 0, 0, limit.window_us);
        decision = take(&limit, &state, START, limit.limit);
        check_decision(rows[i].row, &decision, false, 0, limit.window_us, limit.window_us);
        if (limit.window_us > 1) {
            decision = take(&limit, &state, START + limit.window_us - 1, limit.limit);
            ck_assert_msg(!decision.allowed && decision.retry_after_us == 1, "%s", rows[i].row);
        }
        decision = take(&limit, &state, START + limit.window_us, limit.limit);
        check_decision(rows[i].row, &decision, true, 0, 0, limit.window_us);
        decision = take(&limit, &state, NUMBER_EXACT_MAX, 0);
        check_decision(rows[i].row, &decision, true, limit.limit, 0, 0);
    }
}
END_TEST

START_TEST(what_was_spent_is_missing_whatever_the_capacity)
{
    struct limit limit = bucket(10, 1, SECOND), lowered = bucket(3, 1, SECOND),
                 raised = bucket(100, 1, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 4);
    check_take("4 of 100", &raised, &state, START, 0, true, 96, 0, 4 * SECOND);
    check_take("4 of 3", &lowered, &state, START, 0, true, 0, 0, 4 * SECOND);
    check_take("one has to flow in before one is there", &lowered, &state, START, 1, false, 0, 2 * SECOND,
               4 * SECOND);
    check_take("4 of 10", &limit, &state, START, 1, true, 5, 0, 5 * SECOND);
    check_take("3 of 3", &lowered, &state, START + 2 * SECOND, 1, false, 0, SECOND, 3 * SECOND);
    check_take("2 of 3", &lowered, &state, START + 3 * SECOND, 1, true, 0, 0, 3 * SECOND);
    check_take("full in all at the same moment", &lowered, &state, START + 6 * SECOND - 1, 0, true, 2, 0, 1);
    check_take("100 of 100", &raised, &state, START + 6 * SECOND, 0, true, 100, 0, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("token_bucket");
    TCase *tests = tcase_create("token_bucket");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, bucket_starts_full_and_empties_to_the_last_token);
    tcase_add_test(tests, a_token_is_there_at_its_microsecond_and_not_before);
    tcase_add_test(tests, refill_stops_at_capacity);
    tcase_add_test(tests, cost_above_capacity_never_fits);
    tcase_add_test(tests, a_refill_that_does_not_divide_never_drifts);
    tcase_add_test(tests, a_clock_a_little_behind_is_waited_for);
    tcase_add_test(tests, a_clock_set_back_grants_nothing_and_delays_by_no_more_than_a_window);
    tcase_add_test(tests, a_full_bucket_remembers_no_moment);
    tcase_add_test(tests, the_largest_buckets_stay_exact);
    tcase_add_test(tests, what_was_spent_is_missing_whatever_the_capacity);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
