/*
 * Invalid arguments: each error has its own code and a text that names what was given, and no error allows a
 * request.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ratelimit.h>

#include "suite.h"

static struct ratelimit_store *store;
static struct ratelimit_error error;

static void
open_memory(void)
{
    store = ratelimit_store_open("memory", &(struct ratelimit_store_options){.max_keys = 100}, &error);
    ck_assert_msg(store != NULL, "%s", error.text);
}

static void
close_memory(void)
{
    ratelimit_store_close(store);
}

static void
check_error(enum ratelimit_status expected, const char *named, const char *row)
{
    ck_assert_msg(error.status == expected, "%s: %s, expected %s: %s", row,
                  ratelimit_status_name(error.status), ratelimit_status_name(expected), error.text);
    ck_assert_msg(strstr(error.text, named) != NULL, "%s: \"%s\" is not in: %s", row, named, error.text);
}

static const struct {
    const char *url, *named;
} urls[] = {
    {"", "\"\""},
    {"Memory", "\"Memory\""},
    {"memory:", "accepted: memory, redis://"},
    {"http://localhost", "\"http://localhost\""},
    {"redis://", "the host is missing"},
    {"redis://h:0", "redis://h:0"},
    {"redis://h:65536", "1 to 65535"},
    {"redis://h/one", "redis://h/one"},
    {"redis://u:s3cret%zz@h", "redis://u:***@h"},
    {"redis://:s3cret@h:x", "redis://:***@h:x"},
    {"redis://s3cret@h:x", "redis://***@h:x"},
    {"rediss://u:s3cret@[::1", "brackets"},
    {"unix://u:s3cret@relative", "unix://u:***@relative"},
    {"unix:///a?password=1", "db"},
};

START_TEST(a_bad_url_is_named_without_its_password)
{
    ck_assert_ptr_null(ratelimit_store_open(urls[_i].url, NULL, &error));
    check_error(RATELIMIT_BAD_URL, urls[_i].named, urls[_i].url);
    ck_assert_msg(strstr(error.text, "s3cret") == NULL, "%s", error.text);
}
END_TEST

static const struct {
    struct ratelimit_store_options options;
    const char *named;
} options[] = {
    {{.max_keys = -1}, "max_keys is -1; accepted: 1 to 1000000000"},
    {{.max_keys = 1000000001}, "max_keys is 1000000001"},
    {{.timeout_ms = INT64_MIN}, "timeout_ms is -9223372036854775808"},
    {{.timeout_ms = 60001}, "or 0 for 100"},
    {{.connect_timeout_ms = -1}, "connect_timeout_ms is -1"},
};

START_TEST(an_option_out_of_range_is_named)
{
    ck_assert_ptr_null(ratelimit_store_open("memory", &options[_i].options, &error));
    check_error(RATELIMIT_BAD_OPTION, options[_i].named, options[_i].named);
}
END_TEST

START_TEST(a_tls_file_that_is_not_there_is_named)
{
    const struct ratelimit_store_options absent = {.tls_ca_file = "/nowhere/ca.pem"};

    ck_assert_ptr_null(ratelimit_store_open("rediss://127.0.0.1:1", &absent, &error));
    ck_assert_int_eq(error.status, RATELIMIT_BAD_TLS);
}
END_TEST

START_TEST(an_unreachable_redis_is_an_error_that_says_why)
{
    const struct ratelimit_store_options brief = {.connect_timeout_ms = 50};

    ck_assert_ptr_null(ratelimit_store_open("redis://u:s3cret@127.0.0.1:1/3", &brief, &error));
    check_error(RATELIMIT_UNREACHABLE,
                "redis://127.0.0.1:1/3: no connection within 50 ms: Connection refused", "refused");
    ck_assert_ptr_null(ratelimit_store_open("unix:///nowhere/redis.sock", &brief, &error));
    check_error(RATELIMIT_UNREACHABLE, "unix:///nowhere/redis.sock?db=0", "no socket");
}
END_TEST

START_TEST(a_lazy_store_opens_without_redis_and_allows_nothing)
{
    const struct ratelimit_store_options lazy = {.lazy = true};
    struct ratelimit_decision decision;
    struct ratelimit_store *away = ratelimit_store_open("unix:///nowhere/redis.sock", &lazy, &error);
    struct ratelimit_limiter *limiter = ratelimit_fixed_window(away, "api", 100, 60000, &error);

    ck_assert_msg(limiter != NULL, "%s", error.text);
    ck_assert(!ratelimit_is_allowed(limiter, "user_123", &error));
    check_error(RATELIMIT_UNAVAILABLE, "limiter \"api\": unix:///nowhere/redis.sock?db=0", "is_allowed");
    memset(&decision, 0xff, sizeof(decision));
    ck_assert_int_eq(ratelimit_take(limiter, "user_123", 0, &decision, NULL), RATELIMIT_UNAVAILABLE);
    ck_assert(!decision.allowed && decision.limit == 0 && decision.remaining == 0);
    ck_assert_int_eq(ratelimit_reset(limiter, "user_123", &error), RATELIMIT_UNAVAILABLE);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(away);
}
END_TEST

#define LONG_NAME_65 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *name;
    struct ratelimit_limit limit;
    enum ratelimit_status status;
    const char *named;
} limits[] = {
    {"", {RATELIMIT_FIXED_WINDOW, 1, 1, 0}, RATELIMIT_BAD_NAME, "\"\""},
    {"a b", {RATELIMIT_FIXED_WINDOW, 1, 1, 0}, RATELIMIT_BAD_NAME, "\"a b\""},
    {"a:b", {RATELIMIT_FIXED_WINDOW, 1, 1, 0}, RATELIMIT_BAD_NAME, "\"a:b\""},
    {"a\033[2J", {RATELIMIT_FIXED_WINDOW, 1, 1, 0}, RATELIMIT_BAD_NAME, "\"a?[2J\""},
    {LONG_NAME_65, {RATELIMIT_FIXED_WINDOW, 1, 1, 0}, RATELIMIT_BAD_NAME, LONG_NAME_65},
    {"n", {(enum ratelimit_algorithm)4, 1, 1, 1}, RATELIMIT_BAD_ALGORITHM, "algorithm 4"},
    {"n", {(enum ratelimit_algorithm) - 1, 1, 1, 1}, RATELIMIT_BAD_ALGORITHM, "algorithm -1"},
    {"n", {RATELIMIT_FIXED_WINDOW, 0, 1, 0}, RATELIMIT_NOT_POSITIVE, "fixed_window of 0 in 1 ms"},
    {"n", {RATELIMIT_SLIDING_WINDOW, -7, 1, 0}, RATELIMIT_NOT_POSITIVE, "sliding_window of -7 in 1 ms"},
    {"n", {RATELIMIT_FIXED_WINDOW, 5, 0, 0}, RATELIMIT_NOT_POSITIVE, "5 in 0 ms"},
    {"n", {RATELIMIT_FIXED_WINDOW, 5, INT64_MIN, 0}, RATELIMIT_NOT_POSITIVE, "-9223372036854775808 ms"},
    {"n", {RATELIMIT_TOKEN_BUCKET, 0, 1, 1}, RATELIMIT_NOT_POSITIVE, "capacity 0, refill 1 in 1 ms"},
    {"n", {RATELIMIT_TOKEN_BUCKET, 1, 1, 0}, RATELIMIT_NOT_POSITIVE, "refill 0"},
    {"n", {RATELIMIT_TOKEN_BUCKET, 1, -1, 1}, RATELIMIT_NOT_POSITIVE, "-1 ms"},
    {"n", {RATELIMIT_FIXED_WINDOW, 5, INT64_MAX, 0}, RATELIMIT_PERIOD_TOO_LONG, "9223372036854775807 ms"},
    {"n", {RATELIMIT_FIXED_WINDOW, 5, RATELIMIT_PERIOD_MS_MAX + 1, 0}, RATELIMIT_PERIOD_TOO_LONG, "366 days"},
    {"n", {RATELIMIT_TOKEN_BUCKET, 400, RATELIMIT_PERIOD_MS_MAX, 1}, RATELIMIT_TOO_LARGE, "capacity 400"},
    {"n", {RATELIMIT_TOKEN_BUCKET, 2, RATELIMIT_PERIOD_MS_MAX, 1}, RATELIMIT_PERIOD_TOO_LONG, "capacity 2"},
    {"n", {RATELIMIT_TOKEN_BUCKET, INT64_MAX, 1, 1}, RATELIMIT_TOO_LARGE, "9223372036854775807"},
    {"n", {RATELIMIT_FIXED_WINDOW, INT64_MAX, 1, 0}, RATELIMIT_TOO_LARGE, "9223372036854775807"},
    {"n", {RATELIMIT_SLIDING_WINDOW_COUNTER, RATELIMIT_NUMBER_MAX, 2, 0}, RATELIMIT_TOO_LARGE, "in 2 ms"},
    {"n",
     {RATELIMIT_SLIDING_WINDOW, RATELIMIT_NUMBER_MAX + 1, 1, 0},
     RATELIMIT_TOO_LARGE,
     "9007199254740992"},
};

START_TEST(a_limit_that_cannot_be_kept_is_refused_and_named)
{
    ck_assert_ptr_null(ratelimit_limiter_new(store, limits[_i].name, &limits[_i].limit, 1, &error));
    check_error(limits[_i].status, limits[_i].named, limits[_i].named);
}
END_TEST

START_TEST(the_number_of_limits_is_from_one_to_eight)
{
    struct ratelimit_limit nine[RATELIMIT_LIMITS + 1];
    struct ratelimit_limiter *eight;

    for (int i = 0; i <= RATELIMIT_LIMITS; i++)
        nine[i] = (struct ratelimit_limit){RATELIMIT_FIXED_WINDOW, 10 + i, 1000 * (i + 1), 0};
    ck_assert_ptr_null(ratelimit_limiter_new(store, "n", nine, 0, &error));
    check_error(RATELIMIT_BAD_LIMIT_COUNT, "0 limits", "none");
    ck_assert_ptr_null(ratelimit_limiter_new(store, "n", nine, RATELIMIT_LIMITS + 1, &error));
    check_error(RATELIMIT_BAD_LIMIT_COUNT, "9 limits; accepted: 1 to 8", "nine");
    eight = ratelimit_limiter_new(store, "n", nine, RATELIMIT_LIMITS, &error);
    ck_assert_msg(eight != NULL, "%s", error.text);
    ratelimit_limiter_free(eight);
}
END_TEST

START_TEST(null_is_refused_everywhere)
{
    const struct ratelimit_limit limit = {RATELIMIT_FIXED_WINDOW, 1, 1000, 0};
    struct ratelimit_limiter *limiter = ratelimit_limiter_new(store, "n", &limit, 1, NULL);
    struct ratelimit_decision decision;

    ck_assert_ptr_null(ratelimit_store_open(NULL, NULL, &error));
    check_error(RATELIMIT_NULL, "URL", "ratelimit_store_open");
    ck_assert_ptr_null(ratelimit_limiter_new(NULL, "n", &limit, 1, &error));
    check_error(RATELIMIT_NULL, "store", "store");
    ck_assert_ptr_null(ratelimit_limiter_new(store, NULL, &limit, 1, &error));
    check_error(RATELIMIT_NULL, "name", "name");
    ck_assert_ptr_null(ratelimit_limiter_new(store, "n", NULL, 1, &error));
    check_error(RATELIMIT_NULL, "list of limits", "limits");
    ck_assert_int_eq(ratelimit_take(NULL, "k", 1, &decision, &error), RATELIMIT_NULL);
    check_error(RATELIMIT_NULL, "limiter", "limiter");
    ck_assert_int_eq(ratelimit_take(limiter, NULL, 1, &decision, &error), RATELIMIT_NULL);
    check_error(RATELIMIT_NULL, "key", "key");
    ck_assert_int_eq(ratelimit_take(limiter, "k", 1, NULL, &error), RATELIMIT_NULL);
    check_error(RATELIMIT_NULL, "decision", "decision");
    ck_assert(!ratelimit_is_allowed(limiter, NULL, NULL));
    ck_assert(!ratelimit_is_allowed(NULL, "k", NULL));
    ck_assert_int_eq(ratelimit_reset(limiter, NULL, NULL), RATELIMIT_NULL);
    ratelimit_limiter_free(limiter);
    ratelimit_limiter_free(NULL);
    ratelimit_store_close(NULL);
}
END_TEST

START_TEST(keys_have_from_1_to_4096_bytes)
{
    struct ratelimit_limiter *limiter = ratelimit_fixed_window(store, "n", 1, 60000, &error);
    char *key = malloc(10241);
    struct ratelimit_decision decision;

    memset(key, 'k', 10240);
    key[10240] = '\0';
    ck_assert_int_eq(ratelimit_take(limiter, "", 1, &decision, &error), RATELIMIT_EMPTY_KEY);
    check_error(RATELIMIT_EMPTY_KEY, "\"\"; accepted: 1 to 4096 bytes", "empty");
    ck_assert_int_eq(ratelimit_take(limiter, key, 1, &decision, &error), RATELIMIT_LONG_KEY);
    check_error(RATELIMIT_LONG_KEY, "\"kkkkkkkkkk", "10 KB");
    key[RATELIMIT_KEY_BYTES + 1] = '\0';
    ck_assert(!ratelimit_is_allowed(limiter, key, &error));
    check_error(RATELIMIT_LONG_KEY, "4096", "one too long");
    key[RATELIMIT_KEY_BYTES] = '\0';
    ck_assert(ratelimit_is_allowed(limiter, key, &error));
    ck_assert(!ratelimit_is_allowed(limiter, key, &error));
    ck_assert_int_eq(error.status, RATELIMIT_OK);
    key[RATELIMIT_KEY_BYTES - 1] = 'l'; /* only its last byte is another one */
    ck_assert(ratelimit_is_allowed(limiter, key, &error));
    free(key);
    ratelimit_limiter_free(limiter);
}
END_TEST

START_TEST(costs_are_not_negative_and_stay_exact)
{
    static const int64_t bad[] = {-1, INT64_MIN, RATELIMIT_NUMBER_MAX + 1, INT64_MAX};
    struct ratelimit_limiter *limiter = ratelimit_token_bucket(store, "n", 5, 1, 60000, &error);
    struct ratelimit_decision decision;

    for (int i = 0; i < ROWS(bad); i++) {
        char named[32];
        snprintf(named, sizeof(named), "cost is %" PRId64, bad[i]);
        decision.allowed = true;
        ratelimit_take(limiter, "k", bad[i], &decision, &error);
        check_error(RATELIMIT_BAD_COST, named, named);
        ck_assert_msg(!decision.allowed, "%s", named);
    }
    ck_assert_int_eq(ratelimit_take(limiter, "k", RATELIMIT_NUMBER_MAX, &decision, &error), RATELIMIT_OK);
    ck_assert(!decision.allowed);
    ck_assert_int_eq(decision.retry_after_ms, RATELIMIT_NEVER);
    ck_assert_int_eq(decision.remaining, 5);
    ratelimit_limiter_free(limiter);
}
END_TEST

START_TEST(every_status_has_a_name_of_its_own)
{
    for (int i = RATELIMIT_OK; i <= RATELIMIT_NO_RESOURCES; i++) {
        const char *name = ratelimit_status_name((enum ratelimit_status)i);
        ck_assert_msg(strncmp(name, "RATELIMIT_", 10) == 0, "%d: %s", i, name);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(name, ratelimit_status_name((enum ratelimit_status)j));
    }
    ck_assert_str_eq(ratelimit_status_name((enum ratelimit_status)(RATELIMIT_NO_RESOURCES + 1)), "unknown");
    ck_assert_str_eq(ratelimit_status_name((enum ratelimit_status) - 1), "unknown");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("arguments");
    TCase *stores = tcase_create("stores");
    TCase *limiters = tcase_create("limiters");

    tcase_add_loop_test(stores, a_bad_url_is_named_without_its_password, 0, ROWS(urls));
    tcase_add_loop_test(stores, an_option_out_of_range_is_named, 0, ROWS(options));
    tcase_add_test(stores, a_tls_file_that_is_not_there_is_named);
    tcase_add_test(stores, an_unreachable_redis_is_an_error_that_says_why);
    tcase_add_test(stores, a_lazy_store_opens_without_redis_and_allows_nothing);
    tcase_add_test(stores, every_status_has_a_name_of_its_own);
    suite_add_tcase(suite, stores);

    tcase_add_checked_fixture(limiters, open_memory, close_memory);
    tcase_add_loop_test(limiters, a_limit_that_cannot_be_kept_is_refused_and_named, 0, ROWS(limits));
    tcase_add_test(limiters, the_number_of_limits_is_from_one_to_eight);
    tcase_add_test(limiters, null_is_refused_everywhere);
    tcase_add_test(limiters, keys_have_from_1_to_4096_bytes);
    tcase_add_test(limiters, costs_are_not_negative_and_stay_exact);
    suite_add_tcase(suite, limiters);
    return run_suite(suite);
}
