/*
 * json_text: what is JSON and what is not, and where the error is. The messages are compared word for word by
 * test_policy_errors.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "suite.h"

#define VALUES_MAX 1000

/* Read a few bytes at a time, a text gives the same. */
static void
assert_same_in_slices(const char *text, size_t bytes, const char *expected, size_t expected_at)
{
    for (size_t slice = 1; slice < 4; slice++) {
        struct json_scan scan;

        json_scan_init(&scan, text, bytes);
        scan.part_values_max = VALUES_MAX;
        while (!scan.ended && json_scan_slice(&scan, slice))
            continue;
        ck_assert_ptr_eq(scan.error, expected);
        if (expected != NULL)
            ck_assert_uint_eq(scan.at, expected_at);
    }
}

/* json_text_check of a copy that ends where the text does, so that a read past the end is seen. */
static const char *
checked(const char *text, size_t bytes, size_t *at)
{
    char *copy = malloc(bytes + 1);
    const char *error;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, bytes);
    copy = realloc(copy, bytes > 0 ? bytes : 1);
    ck_assert_ptr_nonnull(copy);
    error = json_text_check(copy, bytes, VALUES_MAX, at);
    assert_same_in_slices(copy, bytes, error, *at);
    free(copy);
    return error;
}

static const char *const accepted[] = {
    "0",
    "-0",
    "-12.50e+3",
    "1E-7",
    " \t\r\n null \n",
    "true",
    "\"\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\x7f\"",
    "[]",
    "[1, [2], {}]",
    "{\"a\": 1, \"a\": [true, false, null]}", /* keys are compared by the reader */
    "\xef\xbb\xbf{}",
};

START_TEST(json_is_accepted)
{
    size_t at = 0;
    const char *error = checked(accepted[_i], strlen(accepted[_i]), &at);

    ck_assert_msg(error == NULL, "%s: at byte %zu: %s", accepted[_i], at, error);
}
END_TEST

static const struct {
    const char *text;
    size_t at; /* the byte that the error is about */
} refused[] = {
    {"", 0},
    {" \n", 2},
    {"\xef\xbb\xbf", 3},
    {" \xef\xbb\xbf{}", 1},
    {"nul", 0},
    {"True", 0},
    {"'a'", 0},
    {"{} x", 3},
    {"// {}", 0},
    {"[1 # one\n]", 3},
    {"01", 1},
    {"-", 1},
    {"+1", 0},
    {".5", 0},
    {"1.", 2},
    {"1.e3", 2},
    {"1e", 2},
    {"1e+", 3},
    {"0x10", 1},
    {"NaN", 0},
    {"\"a", 0},
    {"\"a\nb\"", 0},
    {"\"a\tb\"", 2},
    {"\"\\x41\"", 2},
    {"\"\\u12g4\"", 5},
    {"\"\\u0000\"", 2},
    {"\"\\ud83d\"", 2},
    {"\"\\ud83d\\u0041\"", 2},
    {"\"\\ude00\"", 2},
    {"\"\\ud83d\\ue000\"", 2},
    {"\"\x80\"", 1},
    {"\"\xc3\"", 1},
    {"\"\xc0\xaf\"", 1},
    {"\"\xed\xa0\x80\"", 1},
    {"[", 1},
    {"[1", 2},
    {"[1 2]", 3},
    {"[1,]", 2},
    {"[,1]", 1},
    {"[1}", 2},
    {"{", 1},
    {"{a: 1}", 1},
    {"{1: 1}", 1},
    {"{\"a\"}", 4},
    {"{\"a\": }", 6},
    {"{\"a\": 1,}", 7},
    {"{\"a\": 1 \"b\": 2}", 8},
};

START_TEST(anything_else_is_refused_at_its_byte)
{
    size_t at = 1000;
    const char *error = checked(refused[_i].text, strlen(refused[_i].text), &at);

    ck_assert_msg(error != NULL, "%s is accepted", refused[_i].text);
    ck_assert_msg(at == refused[_i].at, "%s: at byte %zu instead of %zu: %s", refused[_i].text, at,
                  refused[_i].at, error);
}
END_TEST

START_TEST(zero_byte_is_refused_anywhere)
{
    static const char good[] = "{\"a\": \"b\"}";

    for (size_t i = 0; i < sizeof(good); i++) {
        char text[sizeof(good)];
        size_t at = 1000;

        memcpy(text, good, i);
        text[i] = '\0';
        memcpy(text + i + 1, good + i, sizeof(good) - 1 - i);
        ck_assert_ptr_nonnull(checked(text, sizeof(text), &at));
        ck_assert_uint_eq(at, i);
    }
}
END_TEST

START_TEST(depth_is_bounded)
{
    char text[2 * (JSON_TEXT_DEPTH_MAX + 1)];

    for (size_t depth = JSON_TEXT_DEPTH_MAX; depth <= JSON_TEXT_DEPTH_MAX + 1; depth++) {
        size_t at = 0;

        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        if (depth <= JSON_TEXT_DEPTH_MAX) {
            ck_assert_ptr_null(checked(text, 2 * depth, &at));
        } else {
            ck_assert_ptr_nonnull(checked(text, 2 * depth, &at));
            ck_assert_uint_eq(at, JSON_TEXT_DEPTH_MAX);
        }
    }
}
END_TEST

START_TEST(values_are_bounded)
{
    static const char five[] = "[1, {\"a\": null}, \"b\"]"; /* the array and the object are values, too */
    size_t at = 0;

    ck_assert_ptr_null(json_text_check(five, strlen(five), 5, &at));
    ck_assert_ptr_nonnull(json_text_check(five, strlen(five), 4, &at));
    ck_assert_uint_eq(at, strlen(five) - strlen("\"b\"]"));
}
END_TEST

START_TEST(length_of_a_number_is_bounded)
{
    char text[JSON_TEXT_NUMBER_BYTES + 1];
    size_t at = 1000;

    memset(text, '1', sizeof(text));
    ck_assert_ptr_null(checked(text, JSON_TEXT_NUMBER_BYTES, &at));
    ck_assert_ptr_nonnull(checked(text, JSON_TEXT_NUMBER_BYTES + 1, &at));
    ck_assert_uint_eq(at, 0);
}
END_TEST

static const struct {
    const char *text;
    size_t at, line, column;
} positions[] = {
    {"abc", 0, 1, 1},
    {"abc", 3, 1, 4},
    {"a\nbc", 1, 1, 2},
    {"a\nbc", 2, 2, 1},
    {"a\r\n\nb", 4, 3, 1},
    {"\xc3\xa9 x", 3, 1, 3},     /* e with an accent is one character */
    {"\xef\xbb\xbf{x", 4, 1, 2}, /* a byte order mark is none */
    {"\"\xf0\x9f\x98\x80\"", 5, 1, 3},
};

START_TEST(position_counts_lines_and_characters_from_1)
{
    size_t line, column;

    json_text_position(positions[_i].text, positions[_i].at, &line, &column);
    ck_assert_uint_eq(line, positions[_i].line);
    ck_assert_uint_eq(column, positions[_i].column);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("json_text");
    TCase *tests = tcase_create("json_text");

    tcase_add_loop_test(tests, json_is_accepted, 0, ROWS(accepted));
    tcase_add_loop_test(tests, anything_else_is_refused_at_its_byte, 0, ROWS(refused));
    tcase_add_test(tests, zero_byte_is_refused_anywhere);
    tcase_add_test(tests, depth_is_bounded);
    tcase_add_test(tests, values_are_bounded);
    tcase_add_test(tests, length_of_a_number_is_bounded);
    tcase_add_loop_test(tests, position_counts_lines_and_characters_from_1, 0, ROWS(positions));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
