/*
 * The log of a sliding window in Redis and in C: the same answers through every change of its rule, and
 * bounds on its length and on the work of a decision, whatever was spent and whatever is requested.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "counters.h"
#include "number.h"
#include "virtual_redis.h"

#define START_US    INT64_C(1700000000000000)
#define LIST_LENGTH (1 + SLIDING_WINDOW_ENTRIES)

/* TIME, both ends of the list and its length; two searches by halves, of eleven steps and the element that
   each finds; and a write that trims, changes the newest entry and sets the TTL. */
#define CALLS_A_DECISION (1 + 3 + 2 * (11 + 1) + 4)

static struct virtual_redis *redis;
static struct counters counters;
static struct limit limit;
static int64_t now_us;

static void
set_up(void)
{
    redis = virtual_redis_new();
    ck_assert_ptr_nonnull(redis);
    now_us = START_US;
    counters_init(&counters, &limit, 1);
}

static void
tear_down(void)
{
    counters_fini(&counters);
    virtual_redis_free(redis);
}

static void
set_rule(int64_t requests, int64_t window_us)
{
    ck_assert_int_eq(limit_init_window(&limit, SLIDING_WINDOW, requests, window_us), LIMIT_OK);
}

static void
check_bounds(void)
{
    ck_assert_int_le(virtual_redis_calls(redis), CALLS_A_DECISION);
    ck_assert_int_le(virtual_redis_list_length(redis, 0), LIST_LENGTH);
    ck_assert_uint_le(counters.states[0][0].sliding_window.log.entry_count, SLIDING_WINDOW_ENTRIES);
}

/* One request of client 0 by Lua and by C, which must agree. */
static struct decision
take(int64_t cost)
{
    const struct virtual_rule rule = {.limits = &limit, .limit_count = 1};
    const struct virtual_request request = {.cost = cost, .count = 1};
    const struct virtual_batch batch = {
        .now_us = now_us, .rules = &rule, .rule_count = 1, .requests = &request, .request_count = 1};
    struct decision by_c, by_lua;
    int64_t penalty_us;

    counters_take(&counters, 0, now_us, cost, &by_c, &penalty_us);
    ck_assert(virtual_redis_send(redis, &batch));
    ck_assert(virtual_redis_receive(redis, &batch, &by_lua, &penalty_us));
    ck_assert_msg(by_c.allowed == by_lua.allowed && by_c.remaining == by_lua.remaining &&
                      by_c.retry_after_us == by_lua.retry_after_us &&
                      by_c.reset_after_us == by_lua.reset_after_us,
                  "%" PRId64 " of %" PRId64 " in %" PRId64 " us at %" PRId64 ": C says %d, %" PRId64
                  ", %" PRId64 ", %" PRId64 "; Lua %d, %" PRId64 ", %" PRId64 ", %" PRId64,
                  cost, limit.limit, limit.window_us, now_us - START_US, by_c.allowed, by_c.remaining,
                  by_c.retry_after_us, by_c.reset_after_us, by_lua.allowed, by_lua.remaining,
                  by_lua.retry_after_us, by_lua.reset_after_us);
    check_bounds();
    return by_c;
}

/* `count` requests of cost 1, `apart_us` from one another. */
static void
fill(int64_t count, int64_t apart_us)
{
    for (int64_t i = 0; i < count; i++) {
        ck_assert(take(1).allowed);
        now_us += apart_us;
    }
}

START_TEST(an_exact_window_expires_in_order)
{
    static const int64_t later_us[] = {0, 1, 3, 4, 8, 500, 501, 1022};
    const int64_t end_us = START_US + 1000000;

    set_rule(SLIDING_WINDOW_ENTRIES, 1000000);
    fill(SLIDING_WINDOW_ENTRIES, 1);
    ck_assert_int_eq(virtual_redis_list_length(redis, 0), LIST_LENGTH);
    for (size_t i = 0; i < sizeof(later_us) / sizeof(later_us[0]); i++) {
        now_us = end_us + later_us[i];
        ck_assert_int_eq(take(0).remaining, later_us[i] + 1);
        for (int64_t cost = later_us[i] + 2; cost <= SLIDING_WINDOW_ENTRIES; cost += 1 + cost / 3) {
            struct decision decision = take(cost);
            ck_assert(!decision.allowed);
            ck_assert_int_eq(decision.retry_after_us, cost - later_us[i] - 1);
        }
    }
}
END_TEST

START_TEST(above_1024_a_request_counts_at_most_a_thousandth_longer)
{
    enum { LIMIT = 5000, WINDOW_US = 1000000, REQUESTS = 20000 };
    static int64_t spent_at_us[REQUESTS];
    int64_t spent = 0, counted_from = 0, refused = 0;
    unsigned random = 11;

    set_rule(LIMIT, WINDOW_US);
    for (int i = 0; i < REQUESTS; i++) {
        struct decision decision;
        int64_t exact;

        random = random * 1103515245 + 12345;
        now_us += (random >> 16) % 300;
        decision = take(1);
        while (counted_from < spent && spent_at_us[counted_from] + WINDOW_US <= now_us)
            counted_from++;
        exact = LIMIT - (spent - counted_from); /* what would remain in an exact window */
        ck_assert_int_le(decision.allowed ? decision.remaining + 1 : 0, exact);
        if (!decision.allowed) {
            refused++;
            ck_assert_int_le(decision.retry_after_us, spent_at_us[spent - LIMIT >= 0 ? spent - LIMIT : 0] +
                                                          WINDOW_US + limit.tick_us - now_us);
        } else {
            spent_at_us[spent++] = now_us;
        }
        ck_assert_int_le(decision.reset_after_us, WINDOW_US);
    }
    ck_assert_int_le(limit.tick_us * 1000, WINDOW_US);
    ck_assert_int_gt(refused, REQUESTS / 10);
    ck_assert_int_gt(spent, 2 * LIMIT);
}
END_TEST

START_TEST(a_lowered_limit_keeps_what_was_counted)
{
    set_rule(20000, 1000000);
    fill(20000, 40);
    set_rule(10, 1000000);
    for (int64_t cost = 0; cost <= 11; cost++)
        ck_assert(take(cost).allowed == (cost == 0));
    now_us = START_US + 1000000 + 700000;
    ck_assert(!take(1).allowed);
    now_us = START_US + 20000 * 40 + 1000000;
    ck_assert(take(10).allowed);
}
END_TEST

START_TEST(a_raised_limit_works_with_a_full_log)
{
    set_rule(SLIDING_WINDOW_ENTRIES, 1000000);
    fill(SLIDING_WINDOW_ENTRIES, 1);
    set_rule(3 * SLIDING_WINDOW_ENTRIES, 1000000);
    fill(2 * SLIDING_WINDOW_ENTRIES, 100);
    ck_assert(!take(1).allowed);
    now_us = START_US + 1000000; /* one of the fine entries has expired: there is room for another */
    ck_assert(take(1).allowed);
    now_us = START_US + 3000000;
    ck_assert_int_eq(take(0).remaining, 3 * SLIDING_WINDOW_ENTRIES);
}
END_TEST

/* Totals wrap around at 2^53, for a key that never expires. */
START_TEST(totals_may_wrap_around)
{
    int allowed = 0;

    set_rule(NUMBER_EXACT_MAX, 1000);
    for (int i = 0; i < 60; i++) {
        allowed += take(NUMBER_EXACT_MAX / 3 - i).allowed;
        now_us += i % 5 == 0 ? 11 : 250;
        take(NUMBER_EXACT_MAX / 2);
        take(NUMBER_EXACT_MAX - i);
    }
    ck_assert_int_gt(allowed, 9); /* three times 2^53, at least */
}
END_TEST

static unsigned
random_below(unsigned *state, int64_t below)
{
    *state = *state * 1103515245 + 12345;
    return (*state >> 8) % (unsigned)below;
}

/* The window stays the same: a window of another length has another key. */
START_TEST(random_streams_agree_while_the_limit_changes)
{
    static const int64_t requests[] = {1, 3, 50, 1000, 1024, 1025, 5000, 100000};
    static const int64_t windows_us[] = {1, 700, 1023, 5000, 30000, 1000000};
    const int64_t window_us = windows_us[_i];
    unsigned random = 20250923u + (unsigned)_i;

    set_rule(1000, window_us);
    for (int i = 0; i < 8000; i++) {
        int64_t step = random_below(&random, random_below(&random, 8) ? 12 : window_us / 50 + 2);
        if (random_below(&random, 600) == 0)
            set_rule(requests[random_below(&random, 8)], window_us);
        now_us += random_below(&random, 100) == 0 ? -step : step;
        take(random_below(&random, 10) ? 1 : random_below(&random, limit.limit + 2));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sliding_log");
    TCase *tests = tcase_create("sliding_log");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_exact_window_expires_in_order);
    tcase_add_test(tests, above_1024_a_request_counts_at_most_a_thousandth_longer);
    tcase_add_test(tests, a_lowered_limit_keeps_what_was_counted);
    tcase_add_test(tests, a_raised_limit_works_with_a_full_log);
    tcase_add_test(tests, totals_may_wrap_around);
    tcase_add_loop_test(tests, random_streams_agree_while_the_limit_changes, 0, 6);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
