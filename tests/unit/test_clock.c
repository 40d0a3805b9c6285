/* clock: three readings that are not to be mixed up. */
#include <check.h>
#include <time.h>

#include "clock.h"
#include "suite.h"

START_TEST(the_monotonic_clock_never_goes_back)
{
    int64_t last_us = clock_mono_us();

    for (int i = 0; i < 100000; i++) {
        int64_t now_us = clock_mono_us();
        ck_assert_int_ge(now_us, last_us);
        last_us = now_us;
    }
}
END_TEST

START_TEST(the_wall_clock_counts_from_the_epoch)
{
    int64_t before_us = (int64_t)time(NULL) * US_PER_S;
    int64_t now_us = clock_wall_us();

    /* time() may be a tick of the kernel's behind. */
    ck_assert_int_ge(now_us, before_us);
    ck_assert_int_lt(now_us, ((int64_t)time(NULL) + 2) * US_PER_S);
}
END_TEST

START_TEST(the_steady_clock_starts_at_unix_time_and_advances_with_the_monotonic_clock)
{
    int64_t wall_us = clock_wall_us();
    struct clock clock = clock_steady();
    int64_t mono_us = clock_mono_us();
    int64_t now_us = clock_now_us(&clock);
    int64_t mono_after_us = clock_mono_us();

    /* Whatever the wall clock does from here on: the difference to the monotonic one is fixed. */
    ck_assert_int_ge(now_us - clock.offset_us, mono_us);
    ck_assert_int_le(now_us - clock.offset_us, mono_after_us);
    ck_assert_int_ge(now_us, wall_us);
    ck_assert_int_lt(now_us - wall_us, 60 * US_PER_S);
}
END_TEST

START_TEST(a_copy_of_the_steady_clock_says_the_same)
{
    struct clock first = clock_steady(), second = first;
    int64_t before_us = clock_now_us(&first);
    int64_t between_us = clock_now_us(&second);
    int64_t after_us = clock_now_us(&first);

    ck_assert_int_le(before_us, between_us);
    ck_assert_int_le(between_us, after_us);
}
END_TEST

START_TEST(a_fixed_clock_stays_until_it_is_moved)
{
    struct clock clock = clock_fixed(INT64_C(1700000000000000));

    ck_assert_int_eq(clock_now_us(&clock), INT64_C(1700000000000000));
    ck_assert_int_eq(clock_now_us(&clock), INT64_C(1700000000000000));
    clock.offset_us -= 1;
    ck_assert_int_eq(clock_now_us(&clock), INT64_C(1699999999999999));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("clock");
    TCase *tests = tcase_create("clock");

    tcase_add_test(tests, the_monotonic_clock_never_goes_back);
    tcase_add_test(tests, the_wall_clock_counts_from_the_epoch);
    tcase_add_test(tests, the_steady_clock_starts_at_unix_time_and_advances_with_the_monotonic_clock);
    tcase_add_test(tests, a_copy_of_the_steady_clock_says_the_same);
    tcase_add_test(tests, a_fixed_clock_stays_until_it_is_moved);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
