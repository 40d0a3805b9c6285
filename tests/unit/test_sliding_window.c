#include "algorithm.h"

#include <check.h>

#include "decision_check.h"
#include "number.h"

#define START  INT64_C(1700000000000000)
#define SECOND INT64_C(1000000)

struct client_log {
    struct limit limit;
    struct window_log_pool pool;
    union algorithm_state state;
};

static void
client_log_init(struct client_log *client, int64_t requests, int64_t window_us)
{
    ck_assert_int_eq(limit_init_window(&client->limit, SLIDING_WINDOW, requests, window_us), LIMIT_OK);
    ck_assert(window_log_pool_init(&client->pool, 1000));
    algorithm_init(&client->limit, &client->state, START);
}

static void
client_log_fini(struct client_log *client)
{
    window_log_clear(&client->state.sliding_window.log, &client->pool);
    ck_assert_uint_eq(window_log_pool_room(&client->pool), 1000);
    window_log_pool_fini(&client->pool);
}

/* One request as a store makes it. */
static struct decision
take(struct client_log *client, int64_t now_us, int64_t cost)
{
    struct decision decision;
    bool allowed;

    algorithm_advance(&client->limit, &client->state, &client->pool, now_us);
    allowed = algorithm_fits(&client->limit, &client->state, now_us, cost);
    if (allowed && cost > 0)
        algorithm_spend(&client->limit, &client->state, &client->pool, now_us, cost);
    algorithm_report(&client->limit, &client->state, &client->pool, now_us, cost, allowed, &decision);
    return decision;
}

static void
check_take(const char *row, struct client_log *client, int64_t now_us, int64_t cost, bool allowed,
           int64_t remaining, int64_t retry_after_us, int64_t reset_after_us)
{
    struct decision decision = take(client, now_us, cost);

    check_decision(row, &decision, allowed, remaining, retry_after_us, reset_after_us);
    ck_assert_int_eq(decision.limit, client->limit.limit);
}

START_TEST(an_entry_counts_until_the_very_microsecond)
{
    struct client_log client;

    client_log_init(&client, 2, SECOND);
    check_take("a look", &client, START, 0, true, 2, 0, 0);
    check_take("first", &client, START, 1, true, 1, 0, SECOND);
    check_take("second", &client, START + 300000, 1, true, 0, 0, SECOND);
    check_take("full", &client, START + 300000, 1, false, 0, 700000, SECOND);
    check_take("one microsecond short", &client, START + SECOND - 1, 1, false, 0, 1, 300001);
    check_take("the first is gone", &client, START + SECOND, 1, true, 0, 0, SECOND);
    check_take("the second is not", &client, START + SECOND, 1, false, 0, 300000, SECOND);
    check_take("all are gone", &client, START + 2 * SECOND, 0, true, 2, 0, 0);
    client_log_fini(&client);
}
END_TEST

START_TEST(a_cost_waits_for_as_many_as_it_needs)
{
    struct client_log client;

    client_log_init(&client, 10, SECOND);
    for (int i = 0; i < 10; i++)
        take(&client, START + i * 1000, 1);
    for (int cost = 1; cost <= 10; cost++) {
        struct decision decision = take(&client, START + 10000, cost);
        check_decision("full", &decision, false, 0, SECOND - 10000 + (cost - 1) * 1000, SECOND - 1000);
    }
    check_take("more than the limit", &client, START + 10000, 11, false, 0, RETRY_NEVER, SECOND - 1000);
    check_take("2^53 - 1", &client, START + 10000, NUMBER_EXACT_MAX, false, 0, RETRY_NEVER, SECOND - 1000);
    check_take("a look", &client, START + 10000, 0, true, 0, 0, SECOND - 1000);
    client_log_fini(&client);
}
END_TEST

START_TEST(requests_of_one_moment_are_one_entry)
{
    struct client_log client;

    client_log_init(&client, 1000, SECOND);
    for (int i = 0; i < 1000; i++)
        ck_assert(take(&client, START, 1).allowed);
    ck_assert_int_eq(window_log_oldest(&client.state.sliding_window.log, &client.pool)->count, 1000);
    ck_assert_uint_eq(window_log_pool_room(&client.pool), 999);
    check_take("full", &client, START, 1, false, 0, SECOND, SECOND);
    client_log_fini(&client);
}
END_TEST

START_TEST(a_clock_a_little_behind_adds_to_the_newest_moment)
{
    struct client_log client;

    client_log_init(&client, 3, SECOND);
    take(&client, START, 1);
    check_take("a second back", &client, START - SECOND, 1, true, 1, 0, 2 * SECOND);
    check_take("no room for 2", &client, START - SECOND, 2, false, 1, 2 * SECOND, 2 * SECOND);
    check_take("both expire together", &client, START + SECOND - 1, 0, true, 1, 0, 1);
    check_take("at once", &client, START + SECOND, 3, true, 0, 0, SECOND);
    client_log_fini(&client);
}
END_TEST

START_TEST(a_clock_set_back_keeps_what_was_used_for_one_window)
{
    struct client_log client;

    client_log_init(&client, 3, SECOND);
    take(&client, START, 1);
    take(&client, START + 500000, 2);
    check_take("more than a window back", &client, START - 500001, 1, false, 0, SECOND, SECOND);
    check_take("still", &client, START + 499998, 1, false, 0, 1, 1);
    check_take("a window on", &client, START + 499999, 3, true, 0, 0, SECOND);
    client_log_fini(&client);
}
END_TEST

START_TEST(no_window_ever_holds_more_than_the_limit)
{
    enum { REQUESTS = 20000, LIMIT = 17 };
    static int64_t passed_at[REQUESTS];
    struct client_log client;
    unsigned random = 7;
    int64_t now_us = START;
    int passed = 0;

    client_log_init(&client, LIMIT, 5000);
    for (int i = 0; i < REQUESTS; i++) {
        random = random * 1103515245 + 12345;
        now_us += (random >> 16) % 300;
        if (!take(&client, now_us, 1).allowed)
            continue;
        passed_at[passed++] = now_us;
        if (passed > LIMIT)
            ck_assert_msg(now_us - passed_at[passed - 1 - LIMIT] >= 5000, "request %d", i);
    }
    ck_assert_int_gt(passed, REQUESTS / 4);
    ck_assert_int_lt(passed, REQUESTS);
    client_log_fini(&client);
}
END_TEST

START_TEST(a_log_never_grows_past_its_bound)
{
    struct client_log client;

    client_log_init(&client, 100000, SECOND);
    for (int i = 0; i < 30000; i++) {
        ck_assert(take(&client, START + i * INT64_C(97), 1).allowed);
        ck_assert_uint_le(client.state.sliding_window.log.entry_count, SLIDING_WINDOW_ENTRIES);
    }
    ck_assert_uint_ge(client.state.sliding_window.log.entry_count, SLIDING_WINDOW_ENTRIES - 1);
    client_log_fini(&client);
}
END_TEST

/* Under the small limit each request had an entry; under the large one there is none left. */
START_TEST(a_full_log_takes_what_follows_into_its_newest_entry)
{
    struct client_log client;

    client_log_init(&client, SLIDING_WINDOW_ENTRIES, SECOND);
    for (int i = 0; i < SLIDING_WINDOW_ENTRIES; i++)
        ck_assert(take(&client, START + i, 1).allowed);
    ck_assert_int_eq(limit_init_window(&client.limit, SLIDING_WINDOW, 2000, SECOND), LIMIT_OK);
    check_take("into the newest", &client, START + 500000, 976, true, 0, 0, SECOND);
    ck_assert_uint_eq(client.state.sliding_window.log.entry_count, SLIDING_WINDOW_ENTRIES);
    check_take("the older ones expire", &client, START + SECOND + 1022, 1, true, 1022, 0, SECOND);
    check_take("the newest does later", &client, START + SECOND + 1022, 1023, false, 1022, 498978, SECOND);
    client_log_fini(&client);
}
END_TEST

START_TEST(a_lowered_limit_lets_nothing_pass_but_looks)
{
    struct client_log client;

    client_log_init(&client, 10, SECOND);
    for (int i = 0; i < 10; i++)
        take(&client, START + i, 1);
    ck_assert_int_eq(limit_init_window(&client.limit, SLIDING_WINDOW, 4, SECOND), LIMIT_OK);
    check_take("a look", &client, START + 10, 0, true, 0, 0, SECOND - 1);
    check_take("one", &client, START + 10, 1, false, 0, SECOND - 4, SECOND - 1);
    check_take("all", &client, START + 10, 4, false, 0, SECOND - 1, SECOND - 1);
    check_take("six are gone", &client, START + SECOND + 6, 1, true, 0, 0, SECOND);
    client_log_fini(&client);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sliding_window");
    TCase *tests = tcase_create("sliding_window");

    tcase_add_test(tests, an_entry_counts_until_the_very_microsecond);
    tcase_add_test(tests, a_cost_waits_for_as_many_as_it_needs);
    tcase_add_test(tests, requests_of_one_moment_are_one_entry);
    tcase_add_test(tests, a_clock_a_little_behind_adds_to_the_newest_moment);
    tcase_add_test(tests, a_clock_set_back_keeps_what_was_used_for_one_window);
    tcase_add_test(tests, no_window_ever_holds_more_than_the_limit);
    tcase_add_test(tests, a_log_never_grows_past_its_bound);
    tcase_add_test(tests, a_full_log_takes_what_follows_into_its_newest_entry);
    tcase_add_test(tests, a_lowered_limit_lets_nothing_pass_but_looks);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
