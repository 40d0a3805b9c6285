/* number: what is a number and what only looks like one, up to the edges of int64_t. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "number.h"
#include "random_numbers.h"
#include "suite.h"

static const struct {
    const char *text;
    int64_t min, max;
    int64_t value;
} numbers[] = {
    {"0", 0, 10, 0},
    {"10", 0, 10, 10},
    {"007", 0, 10, 7},
    {"-5", -10, 10, -5},
    {"-0", -10, 10, 0},
    {"9223372036854775807", 0, INT64_MAX, INT64_MAX},
    {"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN},
    {"9007199254740991", 0, NUMBER_EXACT_MAX, NUMBER_EXACT_MAX},
    {"00000000000000000000000000001", 0, 10, 1},
};

START_TEST(reads_whole_numbers)
{
    int64_t value = -77;
    bool good = number_parse(numbers[_i].text, numbers[_i].min, numbers[_i].max, &value);

    ck_assert_msg(good && value == numbers[_i].value, "\"%s\": %d, %" PRId64, numbers[_i].text, good, value);
}
END_TEST

static const struct {
    const char *text;
    int64_t min, max;
} refused_numbers[] = {
    {"", 0, 10},
    {"-", -10, 10},
    {"+1", 0, 10},
    {" 1", 0, 10},
    {"1 ", 0, 10},
    {"1\n", 0, 10},
    {"1.0", 0, 10},
    {"1e1", 0, 10},
    {"0x1", 0, 10},
    {"--1", -10, 10},
    {"1-", -10, 10},
    {"11", 0, 10},
    {"-1", 0, 10},
    /* Where no number below 0 is accepted, no sign is. */
    {"-0", 0, 10},
    {"-00", 0, 0},
    {"9223372036854775808", 0, INT64_MAX},
    {"-9223372036854775809", INT64_MIN, INT64_MAX},
    {"18446744073709551616", 0, INT64_MAX},
    {"99999999999999999999999999999999", 0, INT64_MAX},
    {"9007199254740992", 0, NUMBER_EXACT_MAX},
    {"\xd9\xa3", 0, 10}, /* a digit three, but an Arabic one */
};

START_TEST(refuses_invalid_numbers_and_leaves_the_result_unchanged)
{
    int64_t value = -77;

    ck_assert_msg(
        !number_parse(refused_numbers[_i].text, refused_numbers[_i].min, refused_numbers[_i].max, &value),
        "\"%s\" was taken for %" PRId64, refused_numbers[_i].text, value);
    ck_assert_int_eq(value, -77);
}
END_TEST

static const struct {
    const char *text;
    int64_t us;
} durations[] = {
    {"1ms", 1000},
    {"500ms", 500000},
    {"10s", 10000000},
    {"1m", 60000000},
    {"1h", INT64_C(3600000000)},
    {"7d", INT64_C(604800000000)},
    {"366d", DURATION_MAX_US},
    {"31622400s", DURATION_MAX_US},
    {"31622400000ms", DURATION_MAX_US},
};

START_TEST(reads_durations)
{
    int64_t us = -77;
    bool good = duration_parse(durations[_i].text, &us);

    ck_assert_msg(good && us == durations[_i].us, "\"%s\": %d, %" PRId64, durations[_i].text, good, us);
}
END_TEST

static const struct {
    int64_t us;
    const char *text;
} written_durations[] = {
    {1, "1us"},
    {1500, "1500us"},
    {2000, "2ms"},
    {60 * US_PER_S, "1m"},
    {90 * US_PER_S, "90s"},
    {36 * 3600 * US_PER_S, "36h"},
    {7 * 24 * 3600 * US_PER_S, "7d"},
    {INT64_MAX, "9223372036854775807us"},
};

START_TEST(writes_durations_in_their_largest_unit)
{
    char text[23] = "";
    size_t bytes = duration_write(text, written_durations[_i].us);

    ck_assert_str_eq(text, written_durations[_i].text);
    ck_assert_uint_eq(bytes, strlen(text));
    ck_assert_str_eq(duration_text(written_durations[_i].us).text, written_durations[_i].text);
}
END_TEST

static const char *const refused_durations[] = {
    "",
    "0s",
    "0ms",
    "10",
    "s",
    "1 s",
    "-1s",
    "+1s",
    "1.5s",
    "1S",
    "1min",
    "1us",
    "1ss",
    " 1s",
    "1s ",
    "1m30s",
    "367d",
    "8785h",
    "31622400001ms",
    "1e3s",
    "1s\n",
    "0x1s",
    "1mss",
    "1\xc2\xb5s",
    /* Past what a machine word holds, by digits and by their product with the unit. */
    "99999999999999999999s",
    "9223372036854775807d",
    "106751992d",
};

START_TEST(refuses_invalid_durations_and_leaves_the_result_unchanged)
{
    int64_t us = -77;

    ck_assert_msg(!duration_parse(refused_durations[_i], &us), "\"%s\" was taken for %" PRId64,
                  refused_durations[_i], us);
    ck_assert_int_eq(us, -77);
}
END_TEST

static const struct {
    int64_t us, ms, s;
} roundings[] = {
    {0, 0, 0},          {1, 1, 1},          {999, 1, 1},
    {1000, 1, 1},       {1001, 2, 1},       {999999, 1000, 1},
    {1000000, 1000, 1}, {1000001, 1001, 2}, {INT64_MAX, INT64_C(9223372036854776), INT64_C(9223372036855)},
};

START_TEST(coarser_units_are_rounded_up)
{
    ck_assert_int_eq(us_to_ms_up(roundings[_i].us), roundings[_i].ms);
    ck_assert_int_eq(us_to_s_up(roundings[_i].us), roundings[_i].s);
}
END_TEST

static const struct {
    int64_t a, b, product; /* -1: it is refused */
} products[] = {
    {0, INT64_MAX, 0},
    {1, NUMBER_EXACT_MAX, NUMBER_EXACT_MAX},
    {94906265, 94906265, INT64_C(9007199136250225)},
    {94906266, 94906266, -1}, /* 2^53 has the root 94906265.6 */
    {INT64_C(1) << 53, 1, -1},
    {INT64_C(1) << 32, INT64_C(1) << 32, -1}, /* modulo 2^64 it would be 0 */
    {INT64_MAX, INT64_MAX, -1},               /* ... and here 1 */
    {INT64_MAX, 0, 0},
};

START_TEST(products_are_exact_or_refused)
{
    int64_t product = -77;
    bool good = number_product(products[_i].a, products[_i].b, &product);

    ck_assert_msg(good == (products[_i].product >= 0), "%" PRId64 " * %" PRId64, products[_i].a,
                  products[_i].b);
    ck_assert_int_eq(product, good ? products[_i].product : -77);
}
END_TEST

START_TEST(the_common_divisor_is_the_greatest)
{
    uint64_t random = 1;

    ck_assert_int_eq(number_gcd(0, 7), 7);
    ck_assert_int_eq(number_gcd(7, 0), 7);
    ck_assert_int_eq(number_gcd(10, 60000000), 10);
    ck_assert_int_eq(number_gcd(INT64_MAX, INT64_MAX - 1), 1);
    for (int i = 0; i < 1000; i++) {
        int64_t a = 1 + (int64_t)random_below(&random, 300), b = 1 + (int64_t)random_below(&random, 300);
        int64_t greatest = 1;
        for (int64_t divisor = 1; divisor <= a && divisor <= b; divisor++)
            if (a % divisor == 0 && b % divisor == 0)
                greatest = divisor;
        ck_assert_int_eq(number_gcd(a, b), greatest);
    }
}
END_TEST

static const int64_t written[] = {
    0, 1, -1, 9, 10, -10, 99, 100, 1234567890, NUMBER_EXACT_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1,
};

START_TEST(writes_what_printf_writes_and_no_byte_more)
{
    char expected[24], got[24];
    size_t bytes;

    memset(got, '#', sizeof(got));
    snprintf(expected, sizeof(expected), "%" PRId64, written[_i]);
    bytes = number_write(got, written[_i]);
    ck_assert_uint_eq(bytes, strlen(expected));
    ck_assert_mem_eq(got, expected, bytes);
    ck_assert_int_eq(got[bytes], '#');
}
END_TEST

START_TEST(reads_back_what_it_wrote)
{
    uint64_t random = 2;
    char text[21];
    int64_t back;

    for (int i = 0; i < 10000; i++) {
        int64_t value = (int64_t)random_next(&random) >> random_below(&random, 64);
        text[number_write(text, value)] = '\0';
        ck_assert_msg(number_parse(text, INT64_MIN, INT64_MAX, &back) && back == value, "%s", text);
    }
}
END_TEST

START_TEST(reads_a_byte_of_two_hexadecimal_digits)
{
    char lower[3], upper[3];

    for (unsigned byte = 0; byte < 256; byte++) {
        snprintf(lower, sizeof(lower), "%02x", byte);
        snprintf(upper, sizeof(upper), "%02X", byte);
        ck_assert_int_eq(hex_byte(lower), byte);
        ck_assert_int_eq(hex_byte(upper), byte);
    }
    ck_assert_int_eq(hex_byte("0g"), -1);
    ck_assert_int_eq(hex_byte("g0"), -1);
    ck_assert_int_eq(hex_byte("0"), -1);
    ck_assert_int_eq(hex_byte(""), -1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("number");
    TCase *tests = tcase_create("number");

    tcase_add_loop_test(tests, reads_whole_numbers, 0, ROWS(numbers));
    tcase_add_loop_test(tests, refuses_invalid_numbers_and_leaves_the_result_unchanged, 0,
                        ROWS(refused_numbers));
    tcase_add_loop_test(tests, reads_durations, 0, ROWS(durations));
    tcase_add_loop_test(tests, refuses_invalid_durations_and_leaves_the_result_unchanged, 0,
                        ROWS(refused_durations));
    tcase_add_loop_test(tests, writes_durations_in_their_largest_unit, 0, ROWS(written_durations));
    tcase_add_loop_test(tests, coarser_units_are_rounded_up, 0, ROWS(roundings));
    tcase_add_loop_test(tests, products_are_exact_or_refused, 0, ROWS(products));
    tcase_add_test(tests, the_common_divisor_is_the_greatest);
    tcase_add_loop_test(tests, writes_what_printf_writes_and_no_byte_more, 0, ROWS(written));
    tcase_add_test(tests, reads_back_what_it_wrote);
    tcase_add_test(tests, reads_a_byte_of_two_hexadecimal_digits);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
