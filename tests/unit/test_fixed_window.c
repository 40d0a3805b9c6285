#include "algorithm.h"

#include <check.h>

#include "decision_check.h"
#include "number.h"

#define START  INT64_C(1700000000000000) /* a whole second */
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
window(int64_t requests, int64_t window_us)
{
    struct limit limit;

    ck_assert_int_eq(limit_init_window(&limit, FIXED_WINDOW, requests, window_us), LIMIT_OK);
    return limit;
}

START_TEST(a_window_ends_at_the_very_microsecond)
{
    struct limit limit = window(2, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START + 400000);
    check_take("a look", &limit, &state, START + 400000, 0, true, 2, 0, 0);
    check_take("first", &limit, &state, START + 400000, 1, true, 1, 0, 600000);
    check_take("no room for 2", &limit, &state, START + 400000, 2, false, 1, 600000, 600000);
    check_take("last", &limit, &state, START + SECOND - 1, 1, true, 0, 0, 1);
    check_take("full", &limit, &state, START + SECOND - 1, 1, false, 0, 1, 1);
    check_take("the next window", &limit, &state, START + SECOND, 2, true, 0, 0, SECOND);
    check_take("full again", &limit, &state, START + SECOND, 1, false, 0, SECOND, SECOND);
    check_take("a long time after", &limit, &state, START + 100 * SECOND, 0, true, 2, 0, 0);
}
END_TEST

START_TEST(windows_are_aligned_to_the_epoch)
{
    struct limit limit = window(1, 7 * SECOND);
    union algorithm_state state;
    int64_t begins_us = START - START % (7 * SECOND);

    algorithm_init(&limit, &state, begins_us + 7 * SECOND - 1);
    check_take("the last microsecond", &limit, &state, begins_us + 7 * SECOND - 1, 1, true, 0, 0, 1);
    check_take("the first", &limit, &state, begins_us + 7 * SECOND, 1, true, 0, 0, 7 * SECOND);
}
END_TEST

START_TEST(cost_above_the_limit_never_fits)
{
    struct limit limit = window(NUMBER_EXACT_MAX - 1, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    check_take("2^53 - 1 of one less", &limit, &state, START, NUMBER_EXACT_MAX, false, NUMBER_EXACT_MAX - 1,
               RETRY_NEVER, 0);
    check_take("all", &limit, &state, START, NUMBER_EXACT_MAX - 1, true, 0, 0, SECOND);
    check_take("all again", &limit, &state, START, NUMBER_EXACT_MAX - 1, false, 0, SECOND, SECOND);
}
END_TEST

START_TEST(a_clock_one_window_behind_is_waited_for)
{
    struct limit limit = window(2, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 1);
    check_take("the window before", &limit, &state, START - 1, 1, true, 0, 0, SECOND + 1);
    check_take("its start", &limit, &state, START - SECOND, 1, false, 0, 2 * SECOND, 2 * SECOND);
    check_take("no second quota", &limit, &state, START + SECOND - 1, 1, false, 0, 1, 1);
}
END_TEST

START_TEST(a_clock_set_back_keeps_the_count_for_its_window)
{
    struct limit limit = window(2, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 2);
    check_take("two windows back", &limit, &state, START - SECOND - 1, 1, false, 0, 1, 1);
    check_take("the next one", &limit, &state, START - SECOND, 1, true, 1, 0, SECOND);
}
END_TEST

START_TEST(an_unused_window_remembers_no_moment)
{
    struct limit limit = window(2, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    check_take("back, as if new", &limit, &state, START - 1, 1, true, 1, 0, 1);
}
END_TEST

START_TEST(a_lowered_limit_bounds_what_the_larger_one_counted)
{
    struct limit larger = window(100, SECOND), limit = window(10, SECOND);
    union algorithm_state state;

    algorithm_init(&larger, &state, START);
    check_take("under the larger", &larger, &state, START, 50, true, 50, 0, SECOND);
    check_take("a look", &limit, &state, START, 0, true, 0, 0, SECOND);
    check_take("one", &limit, &state, START, 1, false, 0, SECOND, SECOND);
    check_take("under the larger again", &larger, &state, START, 0, true, 50, 0, SECOND);
}
END_TEST

START_TEST(a_count_above_a_lowered_limit_refuses_and_is_not_forgotten)
{
    struct limit limit = window(10, SECOND), lowered = window(4, SECOND), raised = window(12, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 10);
    check_take("a look", &lowered, &state, START, 0, true, 0, 0, SECOND);
    check_take("nothing is left", &lowered, &state, START, 1, false, 0, SECOND, SECOND);
    check_take("10 of 12 are spent", &raised, &state, START, 1, true, 1, 0, SECOND);
    check_take("the next window", &lowered, &state, START + SECOND, 1, true, 3, 0, SECOND);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("fixed_window");
    TCase *tests = tcase_create("fixed_window");

    tcase_add_test(tests, a_window_ends_at_the_very_microsecond);
    tcase_add_test(tests, windows_are_aligned_to_the_epoch);
    tcase_add_test(tests, cost_above_the_limit_never_fits);
    tcase_add_test(tests, a_clock_one_window_behind_is_waited_for);
    tcase_add_test(tests, a_clock_set_back_keeps_the_count_for_its_window);
    tcase_add_test(tests, an_unused_window_remembers_no_moment);
    tcase_add_test(tests, a_lowered_limit_bounds_what_the_larger_one_counted);
    tcase_add_test(tests, a_count_above_a_lowered_limit_refuses_and_is_not_forgotten);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
