#include <check.h>
#include <string.h>

#include "decision_check.h"
#include "limit.h"
#include "number.h"

#define SECOND INT64_C(1000000)
#define DAY    (INT64_C(86400) * SECOND)

START_TEST(bucket_is_reduced_by_the_common_divisor)
{
    static const struct {
        const char *row;
        int64_t capacity, refill, period_us;
        int64_t units_per_token, units_per_us, window_us;
    } rows[] = {
        {"5 a second", 20, 5, SECOND, 200000, 1, 4 * SECOND},
        {"10 a minute", 10, 10, 60 * SECOND, 6000000, 1, 60 * SECOND},
        {"3 a second does not divide", 1, 3, SECOND, 1000000, 3, 333334},
        {"a million a day", 1000000, 1000000, DAY, 86400, 1, DAY},
        {"faster than the clock", 7, 3000000, SECOND, 1, 3, 3},
        {"one a microsecond", 1, 1, 1, 1, 1, 1},
        {"one in 366 days", 1, 1, DURATION_MAX_US, DURATION_MAX_US, 1, DURATION_MAX_US},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct limit limit;
        ck_assert_int_eq(limit_init_token_bucket(&limit, rows[i].capacity, rows[i].refill, rows[i].period_us),
                         LIMIT_OK);
        ck_assert_msg(limit.limit == rows[i].capacity && limit.units_per_token == rows[i].units_per_token &&
                          limit.units_per_us == rows[i].units_per_us && limit.window_us == rows[i].window_us,
                      "%s: %" PRId64 " units a token, %" PRId64 " a microsecond, window %" PRId64,
                      rows[i].row, limit.units_per_token, limit.units_per_us, limit.window_us);
    }
}
END_TEST

START_TEST(bucket_refuses_what_it_cannot_count)
{
    static const struct {
        const char *row;
        int64_t capacity, refill, period_us;
        enum limit_error error;
    } rows[] = {
        {"no capacity", 0, 1, SECOND, LIMIT_NOT_POSITIVE},
        {"negative capacity", -1, 1, SECOND, LIMIT_NOT_POSITIVE},
        {"no refill", 1, 0, SECOND, LIMIT_NOT_POSITIVE},
        {"no period", 1, 1, 0, LIMIT_NOT_POSITIVE},
        {"a period past 366 days", 1, 1, DURATION_MAX_US + 1, LIMIT_WINDOW_TOO_LONG},
        {"two tokens fill in 732 days", 2, 1, DURATION_MAX_US, LIMIT_WINDOW_TOO_LONG},
        {"2^53 - 1 units are counted", NUMBER_EXACT_MAX, 1000, 1, LIMIT_OK},
        {"2^53 are not", NUMBER_EXACT_MAX + 1, 1000, 1, LIMIT_TOO_LARGE},
        {"the product reaches 2^53", (NUMBER_EXACT_MAX + 1) / 2, 999999, 2, LIMIT_TOO_LARGE},
        {"the product is just below it", (NUMBER_EXACT_MAX - 1) / 2, 999999, 2, LIMIT_OK},
        {"too large before, not after reduction", 1000000, 1000000, DAY, LIMIT_OK},
        {"a rate of 2^53", 1, NUMBER_EXACT_MAX + 1, 1, LIMIT_TOO_LARGE},
        {"the product overflows 64 bits", INT64_MAX, 1, DURATION_MAX_US, LIMIT_TOO_LARGE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct limit limit;
        enum limit_error error =
            limit_init_token_bucket(&limit, rows[i].capacity, rows[i].refill, rows[i].period_us);
        ck_assert_msg(error == rows[i].error, "%s: %s", rows[i].row, limit_error_text(error));
    }
}
END_TEST

START_TEST(window_takes_what_stays_exact)
{
    static const struct {
        const char *row;
        enum algorithm algorithm;
        int64_t requests, window_us;
        enum limit_error error;
        int64_t tick_us;
    } rows[] = {
        {"fixed", FIXED_WINDOW, 10, SECOND, LIMIT_OK, 1},
        {"no requests", FIXED_WINDOW, 0, SECOND, LIMIT_NOT_POSITIVE, 0},
        {"no window", SLIDING_WINDOW, 1, 0, LIMIT_NOT_POSITIVE, 0},
        {"366 days", SLIDING_WINDOW, 1, DURATION_MAX_US, LIMIT_OK, 1},
        {"one more", SLIDING_WINDOW, 1, DURATION_MAX_US + 1, LIMIT_WINDOW_TOO_LONG, 0},
        {"an entry a request", SLIDING_WINDOW, SLIDING_WINDOW_ENTRIES, SECOND, LIMIT_OK, 1},
        {"by ticks", SLIDING_WINDOW, SLIDING_WINDOW_ENTRIES + 1, SECOND, LIMIT_OK, 978},
        {"by ticks, to 2^53 - 1", SLIDING_WINDOW, NUMBER_EXACT_MAX, 1023 * SECOND, LIMIT_OK, SECOND},
        {"a window shorter than that many ticks", SLIDING_WINDOW, NUMBER_EXACT_MAX, 2, LIMIT_OK, 1},
        {"not 2^53", SLIDING_WINDOW, NUMBER_EXACT_MAX + 1, SECOND, LIMIT_TOO_LARGE, 0},
        {"fixed counts to 2^53 - 1", FIXED_WINDOW, NUMBER_EXACT_MAX, DAY, LIMIT_OK, 1},
        {"not to 2^53", FIXED_WINDOW, NUMBER_EXACT_MAX + 1, DAY, LIMIT_TOO_LARGE, 0},
        {"counter by microseconds", SLIDING_WINDOW_COUNTER, 10000, 3600 * SECOND, LIMIT_OK, 1},
        {"just below 2^53 by microseconds", SLIDING_WINDOW_COUNTER, 9007199254, SECOND, LIMIT_OK, 1},
        {"just above: by milliseconds", SLIDING_WINDOW_COUNTER, 9007199255, SECOND, LIMIT_OK, 1000},
        {"by seconds", SLIDING_WINDOW_COUNTER, 9007199254741, SECOND, LIMIT_OK, 1000000},
        {"not at all", SLIDING_WINDOW_COUNTER, NUMBER_EXACT_MAX, 2 * SECOND, LIMIT_TOO_LARGE, 0},
        {"a window of no whole milliseconds", SLIDING_WINDOW_COUNTER, NUMBER_EXACT_MAX / 2, 1001,
         LIMIT_TOO_LARGE, 0},
        {"a window of no whole seconds", SLIDING_WINDOW_COUNTER, 9007199254741, 1500000, LIMIT_TOO_LARGE, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct limit limit;
        enum limit_error error =
            limit_init_window(&limit, rows[i].algorithm, rows[i].requests, rows[i].window_us);
        ck_assert_msg(error == rows[i].error, "%s: %s", rows[i].row, limit_error_text(error));
        if (error != LIMIT_OK)
            continue;
        ck_assert_msg(limit.tick_us == rows[i].tick_us, "%s: tick of %" PRId64, rows[i].row, limit.tick_us);
        ck_assert_msg(limit.limit == rows[i].requests && limit.window_us == rows[i].window_us, "%s",
                      rows[i].row);
    }
}
END_TEST

START_TEST(every_error_says_what_is_accepted)
{
    for (int error = LIMIT_NOT_POSITIVE; error <= LIMIT_TOO_LARGE; error++) {
        for (int other = LIMIT_OK; other < error; other++)
            ck_assert_str_ne(limit_error_text((enum limit_error)error),
                             limit_error_text((enum limit_error)other));
    }
}
END_TEST

START_TEST(names_lead_there_and_back)
{
    for (int i = 0; i < ALGORITHM_COUNT; i++)
        ck_assert_int_eq(algorithm_by_name(algorithm_name((enum algorithm)i)), i);
    ck_assert_str_eq(algorithm_name(SLIDING_WINDOW_COUNTER), "sliding_window_counter");
    ck_assert_int_eq(algorithm_by_name("Token_Bucket"), -1);
    ck_assert_int_eq(algorithm_by_name("sliding_window_"), -1);
    ck_assert_int_eq(algorithm_by_name(""), -1);
}
END_TEST

START_TEST(a_state_is_named_for_what_it_is_counted_in)
{
    static const struct {
        enum algorithm algorithm;
        int64_t limit, refill, period_us;
        const char *name;
    } rows[] = {
        {TOKEN_BUCKET, 10, 10, 60 * SECOND, "b6s"},
        {TOKEN_BUCKET, 99, 10, 60 * SECOND, "b6s"}, /* a larger bucket goes on where the smaller was */
        {TOKEN_BUCKET, 10, 20, 60 * SECOND, "b3s"},
        {TOKEN_BUCKET, 10, 3, SECOND, "b1s/3"},
        {TOKEN_BUCKET, 7, 3000000, SECOND, "b1us/3"},
        {TOKEN_BUCKET, 10, 1000000, DAY, "b86400us"},
        {FIXED_WINDOW, 10, 0, 1500, "f1500us"},
        {FIXED_WINDOW, 10, 0, 90 * SECOND, "f90s"},
        {FIXED_WINDOW, 20, 0, 60 * SECOND, "f1m"},
        {SLIDING_WINDOW, 10, 0, 60 * SECOND, "w1m"},
        {SLIDING_WINDOW_COUNTER, 10, 0, DURATION_MAX_US, "c366d"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[LIMIT_STATE_NAME_BYTES + 1];
        struct limit limit;
        enum limit_error error =
            rows[i].algorithm == TOKEN_BUCKET
                ? limit_init_token_bucket(&limit, rows[i].limit, rows[i].refill, rows[i].period_us)
                : limit_init_window(&limit, rows[i].algorithm, rows[i].limit, rows[i].period_us);
        ck_assert_int_eq(error, LIMIT_OK);
        name[limit_state_name(&limit, name)] = '\0';
        ck_assert_str_eq(name, rows[i].name);
    }
}
END_TEST

START_TEST(the_longest_name_of_a_state_has_room)
{
    char name[LIMIT_STATE_NAME_BYTES];
    struct limit limit = {
        .algorithm = TOKEN_BUCKET, .units_per_token = NUMBER_EXACT_MAX, .units_per_us = NUMBER_EXACT_MAX};

    ck_assert_uint_le(limit_state_name(&limit, name), sizeof(name));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("limit");
    TCase *tests = tcase_create("limit");

    tcase_add_test(tests, bucket_is_reduced_by_the_common_divisor);
    tcase_add_test(tests, bucket_refuses_what_it_cannot_count);
    tcase_add_test(tests, window_takes_what_stays_exact);
    tcase_add_test(tests, every_error_says_what_is_accepted);
    tcase_add_test(tests, names_lead_there_and_back);
    tcase_add_test(tests, a_state_is_named_for_what_it_is_counted_in);
    tcase_add_test(tests, the_longest_name_of_a_state_has_room);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
