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
counter(int64_t requests, int64_t window_us)
{
    struct limit limit;

    ck_assert_int_eq(limit_init_window(&limit, SLIDING_WINDOW_COUNTER, requests, window_us), LIMIT_OK);
    return limit;
}

START_TEST(the_previous_window_weighs_less_with_every_microsecond)
{
    struct limit limit = counter(10, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    check_take("a look", &limit, &state, START, 0, true, 10, 0, 0);
    check_take("all", &limit, &state, START, 10, true, 0, 0, 2 * SECOND);
    /* One more needs the whole of this window, and then a tenth of the next. */
    check_take("full", &limit, &state, START, 1, false, 0, SECOND + 100000, 2 * SECOND);
    check_take("all of it still weighs", &limit, &state, START + SECOND, 1, false, 0, 100000, SECOND);
    check_take("one microsecond short", &limit, &state, START + SECOND + 99999, 1, false, 0, 1, 900001);
    check_take("nine tenths", &limit, &state, START + SECOND + 100000, 1, true, 0, 0, SECOND + 900000);
    check_take("half, and one", &limit, &state, START + SECOND + 500000, 0, true, 4, 0, SECOND + 500000);
    check_take("the first is out of sight", &limit, &state, START + 2 * SECOND, 0, true, 9, 0, SECOND);
    check_take("all are", &limit, &state, START + 3 * SECOND, 0, true, 10, 0, 0);
}
END_TEST

START_TEST(a_refusal_says_in_which_window_the_cost_passes)
{
    static const struct {
        const char *row;
        int64_t previous, current, elapsed_us, cost, retry_after_us;
    } rows[] = {
        {"in this one, when the previous weighs 3 of 10", 10, 2, 0, 5, 700000},
        {"the same, waiting from later on", 10, 2, 699999, 5, 1},
        {"a third that does not divide", 9, 0, 0, 7, 666667},
        {"at the next one's start, where the previous is gone", 10, 5, 0, 5, SECOND},
        {"inside the next one", 10, 6, 0, 5, SECOND + 166667},
        {"at the next one's end, where this one is gone", 0, 1, 0, 10, 2 * SECOND},
        {"never", 0, 0, 0, 11, RETRY_NEVER},
    };
    struct limit limit = counter(10, SECOND);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        union algorithm_state state = {.sliding_window_counter = {.window = START / SECOND,
                                                                  .current = rows[i].current,
                                                                  .previous = rows[i].previous}};
        int64_t now_us = START + rows[i].elapsed_us;
        struct decision decision = take(&limit, &state, now_us, rows[i].cost);

        ck_assert_msg(!decision.allowed && decision.retry_after_us == rows[i].retry_after_us,
                      "%s: allowed %d, retry_after %" PRId64, rows[i].row, decision.allowed,
                      decision.retry_after_us);
        if (decision.retry_after_us == RETRY_NEVER)
            continue;
        now_us += decision.retry_after_us;
        ck_assert_msg(!take(&limit, &state, now_us - 1, rows[i].cost).allowed, "%s: sooner", rows[i].row);
        ck_assert_msg(take(&limit, &state, now_us, rows[i].cost).allowed, "%s: not then", rows[i].row);
    }
}
END_TEST

START_TEST(a_coarse_tick_counts_whole_ticks_only)
{
    struct limit limit = counter(9007199255, SECOND); /* by milliseconds */
    union algorithm_state state;

    ck_assert_int_eq(limit.tick_us, 1000);
    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, limit.limit);
    /* One in 9 thousand million frees itself in the first millisecond of the next window, and is seen at its
       end. */
    check_take("full", &limit, &state, START, 1, false, 0, SECOND + 1000, 2 * SECOND);
    check_take("the tick is not over", &limit, &state, START + SECOND + 999, 1, false, 0, 1, SECOND - 999);
    check_take("it is", &limit, &state, START + SECOND + 1000, 1, true, 9007198, 0, 2 * SECOND - 1000);
}
END_TEST

START_TEST(the_largest_counters_stay_exact)
{
    struct limit limit = counter(NUMBER_EXACT_MAX, SECOND); /* by seconds */
    union algorithm_state state;

    ck_assert_int_eq(limit.tick_us, SECOND);
    algorithm_init(&limit, &state, START);
    check_take("more than there is", &limit, &state, START, INT64_C(1) << 53, false, NUMBER_EXACT_MAX,
               RETRY_NEVER, 0);
    check_take("all but one", &limit, &state, START, NUMBER_EXACT_MAX - 1, true, 1, 0, 2 * SECOND);
    check_take("two more", &limit, &state, START, 2, false, 1, 2 * SECOND, 2 * SECOND);
    check_take("one more", &limit, &state, START, 1, true, 0, 0, 2 * SECOND);
    check_take("full", &limit, &state, START + SECOND, 1, false, 0, SECOND, SECOND);
    check_take("free", &limit, &state, START + 2 * SECOND, NUMBER_EXACT_MAX, true, 0, 0, 2 * SECOND);
}
END_TEST

START_TEST(a_clock_one_window_behind_stands_at_the_window_s_start)
{
    struct limit limit = counter(10, SECOND);
    union algorithm_state state = {
        .sliding_window_counter = {.window = START / SECOND, .current = 2, .previous = 4}};

    check_take("half a second before", &limit, &state, START - 500000, 4, true, 0, 0, 2 * SECOND + 500000);
    check_take("full", &limit, &state, START - 500000, 1, false, 0, 750000, 2 * SECOND + 500000);
}
END_TEST

START_TEST(a_clock_set_back_brings_the_counts_along)
{
    struct limit limit = counter(10, SECOND);
    union algorithm_state state = {
        .sliding_window_counter = {.window = START / SECOND, .current = 8, .previous = 4}};

    /* Back to the very start of a window where the previous weighs all of its 4: 12 of 10 are used. */
    check_take("more than used up", &limit, &state, START - 2 * SECOND, 1, false, 0, 750000, 2 * SECOND);
    check_take("a look passes all the same", &limit, &state, START - 2 * SECOND, 0, true, 0, 0, 2 * SECOND);
    check_take("then", &limit, &state, START - SECOND - 250000, 1, true, 0, 0, SECOND + 250000);
}
END_TEST

START_TEST(an_unused_counter_remembers_no_moment)
{
    struct limit limit = counter(10, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    check_take("back, as if new", &limit, &state, START - 1, 1, true, 9, 0, SECOND + 1);
}
END_TEST

START_TEST(a_lowered_limit_bounds_what_the_larger_one_counted)
{
    struct limit larger = counter(100, SECOND), limit = counter(10, SECOND);
    union algorithm_state state;

    algorithm_init(&larger, &state, START);
    check_take("under the larger", &larger, &state, START, 50, true, 50, 0, 2 * SECOND);
    check_take("a look", &limit, &state, START, 0, true, 0, 0, 2 * SECOND);
    check_take("one waits as if ten had passed", &limit, &state, START, 1, false, 0, SECOND + 100000,
               2 * SECOND);
    check_take("and does pass then", &limit, &state, START + SECOND + 100000, 1, true, 0, 0, SECOND + 900000);
}
END_TEST

START_TEST(counts_above_a_lowered_limit_count_as_the_limit)
{
    struct limit limit = counter(10, SECOND), lowered = counter(4, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 10);
    check_take("a look", &lowered, &state, START, 0, true, 0, 0, 2 * SECOND);
    check_take("nothing is left", &lowered, &state, START, 1, false, 0, SECOND + 250000, 2 * SECOND);
    check_take("nothing is forgotten", &limit, &state, START, 1, false, 0, SECOND + 100000, 2 * SECOND);
    check_take("half of 4", &lowered, &state, START + SECOND + 500000, 0, true, 2, 0, 500000);
}
END_TEST

START_TEST(a_lowered_limit_cuts_nothing_from_what_a_larger_one_counts)
{
    struct limit limit = counter(10, SECOND), lowered = counter(4, SECOND);
    union algorithm_state state;

    algorithm_init(&limit, &state, START);
    take(&limit, &state, START, 10);
    check_take("half of 4, and one", &lowered, &state, START + SECOND + 500000, 1, true, 1, 0, 1500000);
    check_take("half of 10, and one", &limit, &state, START + SECOND + 500000, 0, true, 4, 0, 1500000);
}
END_TEST

START_TEST(the_largest_counts_stay_exact_under_a_lowered_limit)
{
    struct limit limit = counter(NUMBER_EXACT_MAX / 1000000, SECOND),
                 lowered = counter(1, 365 * 86400 * SECOND);
    union algorithm_state state;

    algorithm_init(&lowered, &state, START);
    state.sliding_window_counter.current = state.sliding_window_counter.previous = limit.limit;
    ck_assert(!take(&lowered, &state, START, 1).allowed);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sliding_window_counter");
    TCase *tests = tcase_create("sliding_window_counter");

    tcase_add_test(tests, the_previous_window_weighs_less_with_every_microsecond);
    tcase_add_test(tests, a_refusal_says_in_which_window_the_cost_passes);
    tcase_add_test(tests, a_coarse_tick_counts_whole_ticks_only);
    tcase_add_test(tests, the_largest_counters_stay_exact);
    tcase_add_test(tests, a_clock_one_window_behind_stands_at_the_window_s_start);
    tcase_add_test(tests, a_clock_set_back_brings_the_counts_along);
    tcase_add_test(tests, an_unused_counter_remembers_no_moment);
    tcase_add_test(tests, a_lowered_limit_bounds_what_the_larger_one_counted);
    tcase_add_test(tests, counts_above_a_lowered_limit_count_as_the_limit);
    tcase_add_test(tests, a_lowered_limit_cuts_nothing_from_what_a_larger_one_counts);
    tcase_add_test(tests, the_largest_counts_stay_exact_under_a_lowered_limit);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
