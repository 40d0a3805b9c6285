/*
 * Decisions of the library: the same in memory and in Redis, and to the unit however many threads ask.
 */
#include <check.h>
#include <pthread.h>
#include <stdint.h>

#include "stores.h"
#include "suite.h"

/* _i: the store, then the algorithm. */
START_TEST(every_algorithm_counts_down_refuses_and_is_reset)
{
    struct ratelimit_store *store = open_store(_i % 2);
    struct ratelimit_limiter *limiter = limiter_of(store, (enum ratelimit_algorithm)(_i / 2));
    struct ratelimit_decision decision;

    ck_assert_msg(limiter != NULL, "%s", error.text);
    ck_assert_int_eq(take(limiter, "user_123", 0).remaining, 3);
    ck_assert_int_eq(take(limiter, "user_123", 1).remaining, 2);
    decision = take(limiter, "user_123", 2);
    ck_assert(decision.allowed);
    ck_assert_int_eq(decision.limit, 3);
    ck_assert_int_eq(decision.remaining, 0);
    ck_assert_int_eq(decision.retry_after_ms, 0);
    ck_assert_int_gt(decision.reset_after_ms, 0);
    decision = take(limiter, "user_123", 1);
    ck_assert(!decision.allowed);
    ck_assert_int_gt(decision.retry_after_ms, 0);
    ck_assert_int_le(decision.retry_after_ms, decision.reset_after_ms);
    ck_assert(!ratelimit_is_allowed(limiter, "user_123", &error));
    ck_assert_int_eq(error.status, RATELIMIT_OK);
    ck_assert(ratelimit_is_allowed(limiter, "user_124", &error));
    ck_assert_int_eq(take(limiter, "user_123", 4).retry_after_ms, RATELIMIT_NEVER);

    ck_assert_int_eq(ratelimit_reset(limiter, "user_123", &error), RATELIMIT_OK);
    ck_assert_int_eq(take(limiter, "user_123", 0).remaining, 3);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

START_TEST(several_limits_are_all_or_nothing_and_the_tightest_is_shown)
{
    const struct ratelimit_limit limits[] = {{RATELIMIT_FIXED_WINDOW, 10, DAY_MS, 0},
                                             {RATELIMIT_TOKEN_BUCKET, 2, HOUR_MS, 1}};
    struct ratelimit_store *store = open_store(_i);
    struct ratelimit_limiter *limiter = ratelimit_limiter_new(store, "both", limits, 2, &error);
    struct ratelimit_limiter *alone = ratelimit_fixed_window(store, "both", 10, DAY_MS, &error);
    struct ratelimit_decision decision;

    decision = take(limiter, "k", 2);
    ck_assert(decision.allowed);
    ck_assert_uint_eq(decision.limit_index, 1);
    ck_assert_int_eq(decision.limit, 2);
    decision = take(limiter, "k", 1);
    ck_assert(!decision.allowed);
    ck_assert_uint_eq(decision.limit_index, 1);
    /* The first limit alone has the same key: nothing of the refused cost was spent on it. */
    ck_assert_int_eq(take(alone, "k", 0).remaining, 8);
    ratelimit_limiter_free(alone);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

START_TEST(a_limiter_outlives_the_close_of_its_store)
{
    struct ratelimit_store *store = open_store(_i);
    struct ratelimit_limiter *limiter = limiter_of(store, RATELIMIT_FIXED_WINDOW);

    ratelimit_store_close(store);
    ck_assert_int_eq(take(limiter, "late", 1).remaining, 2);
    ratelimit_limiter_free(limiter);
}
END_TEST

/* Threads. */

#define THREADS 8
#define EACH    100

static void *
take_often(void *arg)
{
    struct ratelimit_limiter *limiter = arg;
    intptr_t allowed = 0;

    for (int i = 0; i < EACH; i++) {
        struct ratelimit_error own;
        allowed += ratelimit_is_allowed(limiter, "all", &own);
        if (own.status != RATELIMIT_OK)
            return (void *)(intptr_t)-1;
    }
    return (void *)allowed;
}

START_TEST(threads_together_are_allowed_the_limit_to_the_unit)
{
    struct ratelimit_store *store = open_store(_i);
    struct ratelimit_limiter *limiter = ratelimit_fixed_window(store, "threads", 500, DAY_MS, &error);
    pthread_t threads[THREADS];
    intptr_t together = 0;

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_often, limiter), 0);
    for (int i = 0; i < THREADS; i++) {
        void *allowed;
        pthread_join(threads[i], &allowed);
        ck_assert_int_ge((intptr_t)allowed, 0);
        together += (intptr_t)allowed;
    }
    ck_assert_int_eq(together, 500);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("decisions");
    TCase *tests = tcase_create("both stores");

    tcase_add_unchecked_fixture(tests, start_server, stop_server);
    tcase_add_loop_test(tests, every_algorithm_counts_down_refuses_and_is_reset, 0, 8);
    tcase_add_loop_test(tests, several_limits_are_all_or_nothing_and_the_tightest_is_shown, 0, 2);
    tcase_add_loop_test(tests, a_limiter_outlives_the_close_of_its_store, 0, 2);
    tcase_add_loop_test(tests, threads_together_are_allowed_the_limit_to_the_unit, 0, 2);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
