/*
 * json_body: the first error of a body, the field that it names, and the values that are accepted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_body.h"
#include "number.h"
#include "suite.h"

static cJSON *
parse_bytes(const char *text, size_t bytes, struct json_error *error)
{
    struct json_body body;

    *error = (struct json_error){0};
    json_body_init(&body, text, bytes);
    while (!body.scan.ended)
        if (!json_body_check(&body, 3, error))
            return NULL;
    return json_body_root(&body);
}

static cJSON *
parse(const char *text, struct json_error *error)
{
    return parse_bytes(text, strlen(text), error);
}

static cJSON *
parse_value(const char *text)
{
    struct json_error error;
    cJSON *root = parse(text, &error);

    ck_assert_msg(root != NULL, "%s: %s", text, error.status != 0 ? error.why : "out of memory");
    return root;
}

static const char *
text_of(const struct json_error *error)
{
    static char text[JSON_ERROR_BYTES];

    json_error_text(error, text);
    return text;
}

/* Parsing. */

START_TEST(text_need_not_end_in_a_zero_byte)
{
    static const char text[] = {'{', '}', 'x'};
    struct json_error error;
    cJSON *root = parse_bytes(text, 2, &error);

    ck_assert_ptr_nonnull(root);
    ck_assert(cJSON_IsObject(root));
    ck_assert_uint_eq(error.status, 0);
    cJSON_Delete(root);
}
END_TEST

START_TEST(byte_order_mark_is_skipped)
{
    struct json_error error;
    cJSON *root = parse("\xef\xbb\xbf{}", &error);

    ck_assert_ptr_nonnull(root);
    cJSON_Delete(root);
}
END_TEST

START_TEST(text_that_is_not_json_is_placed_by_line_and_column)
{
    struct json_error error;

    ck_assert_ptr_null(parse("{\n \"a\": }", &error));
    ck_assert_uint_eq(error.status, 400);
    ck_assert_str_eq(error.field, "");
    ck_assert_uint_eq(error.line, 2);
    ck_assert_uint_eq(error.column, 7);
    ck_assert_ptr_eq(strstr(text_of(&error), "The body is not JSON: line 2, column 7: "), text_of(&error));
}
END_TEST

START_TEST(text_of_an_error_fits_into_a_json_string)
{
    static const char *const texts[] = {
        "", "{", "{\"a\" 1}", "[1,]", "\"\\u0000\"", "'a'", "{\"a\":1,\"a\":2", "nul"};
    struct json_error error;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_msg(parse(texts[i], &error) == NULL, "%s", texts[i]);
        ck_assert_msg(strpbrk(text_of(&error), "\"\\\n\t") == NULL, "%s: %s", texts[i], text_of(&error));
    }
}
END_TEST

/* Parts. */

START_TEST(elements_of_the_list_are_parsed_one_by_one)
{
    static const char text[] =
        "\xef\xbb\xbf { \"a\": {\"b\": [8]}, \"list\" : [ 1,\"],\" , [2,{}] ,{\"c\":[3]}\n], \"d\": [9] } ";
    static const char *const elements[] = {"1", "\"],\"", "[2,{}]", "{\"c\":[3]}"};
    struct json_error error;
    struct json_body body;
    cJSON *root, *parsed;
    char *printed;

    json_body_init(&body, text, sizeof(text) - 1);
    while (!body.scan.ended)
        ck_assert(json_body_check(&body, 1, &error));
    root = json_body_root(&body);
    ck_assert_ptr_nonnull(root);
    printed = cJSON_PrintUnformatted(root);
    ck_assert_str_eq(printed, "{\"a\":{\"b\":[8]},\"list\":[],\"d\":[9]}");
    free(printed);
    cJSON_Delete(root);
    ck_assert_uint_eq(body.scan.list.count, ROWS(elements));
    for (size_t i = 0; i < ROWS(elements); i++) {
        parsed = json_body_element(&body);
        ck_assert_ptr_nonnull(parsed);
        printed = cJSON_PrintUnformatted(parsed);
        ck_assert_str_eq(printed, elements[i]);
        free(printed);
        cJSON_Delete(parsed);
    }
}
END_TEST

/* A text with `values` values in its list's first element, and as many in the rest. */
static char *
text_of_values(size_t values)
{
    char *text = malloc(64 + 4 * values), *end = text;

    ck_assert_ptr_nonnull(text);
    end += sprintf(end, "{\"list\": [[0");
    for (size_t i = 2; i < values; i++)
        end += sprintf(end, ",0");
    end += sprintf(end, "], 1], \"b\": [0"); /* beside the root, the list and b */
    for (size_t i = 4; i < values; i++)
        end += sprintf(end, ",0");
    strcpy(end, "]}");
    return text;
}

START_TEST(values_of_each_part_are_bounded)
{
    for (size_t more = 0; more < 2; more++) {
        char *text = text_of_values(JSON_PART_VALUES_MAX + more);
        struct json_error error;
        cJSON *root = parse(text, &error);

        ck_assert_int_eq(root != NULL, more == 0);
        ck_assert_uint_eq(error.status, more == 0 ? 0 : 400);
        cJSON_Delete(root);
        free(text);
    }
}
END_TEST

static const struct {
    const char *before, *after;
} byte_places[] = {
    {"{\"a\": [\"", "\"]}"}, {"{\"a\": \"", "\"}"}, {"{\"a\": [1], \"b\": \"", "\"}"}, {"{", "}"}};

START_TEST(bytes_of_each_part_are_bounded)
{
    const char *before = byte_places[_i].before, *after = byte_places[_i].after;
    char filling = strchr(before, 'a') ? 'x' : ' ';
    char *text = malloc(2 * JSON_PART_BYTES_MAX);
    struct json_error error;
    cJSON *root;

    ck_assert_ptr_nonnull(text);
    for (int more = -1; more <= 1; more++) {
        size_t bytes = (size_t)(JSON_PART_BYTES_MAX + 100 * more), used = strlen(before);
        memcpy(text, before, used);
        memset(text + used, filling, bytes - used);
        strcpy(text + bytes, after);
        root = parse(text, &error);
        if (more != 0)
            ck_assert_int_eq(root != NULL, more < 0);
        cJSON_Delete(root);
    }
    free(text);
}
END_TEST

START_TEST(blanks_around_a_body_are_not_bounded)
{
    char *text = malloc(3 * JSON_PART_BYTES_MAX);
    struct json_error error;
    cJSON *root;

    ck_assert_ptr_nonnull(text);
    memset(text, ' ', 3 * JSON_PART_BYTES_MAX - 1);
    memcpy(text + JSON_PART_BYTES_MAX + 10, "{}", 2);
    text[3 * JSON_PART_BYTES_MAX - 1] = '\0';
    root = parse(text, &error);
    ck_assert_ptr_nonnull(root);
    cJSON_Delete(root);
    free(text);
}
END_TEST

/* Errors. */

START_TEST(first_error_is_kept)
{
    struct json_error error = {0};

    ck_assert(!json_error(&error, 400, "one", "is the first"));
    ck_assert(!json_error(&error, 404, "two", "is the second"));
    ck_assert_uint_eq(error.status, 400);
    ck_assert_str_eq(text_of(&error), "one is the first.");
}
END_TEST

static const struct {
    const char *list, *name, *field;
} names[] = {
    {NULL, "cost", "cost"},
    {NULL, "", ""},
    {"checks", "cost", "checks[3].cost"},
    {"checks", "", "checks[3]"},
    {NULL, "0123456789012345678901234567890123456789and-more", "0123456789012345678901234567890123456789"},
};

START_TEST(error_names_the_field_by_its_place)
{
    struct json_error error = {.list = names[_i].list, .index = 3};

    json_error(&error, 400, names[_i].name, "is wrong");
    ck_assert_str_eq(error.field, names[_i].field);
}
END_TEST

START_TEST(error_about_the_body_says_so)
{
    struct json_error error = {0};

    json_error(&error, 400, "", "must be an object");
    ck_assert_str_eq(text_of(&error), "The body must be an object.");
}
END_TEST

/* Fields. */

enum { A, B, FIELDS };
static const struct json_body_key keys[] = {{"a", A}, {"bOne", B}, {"b_one", B}};

static bool
read_fields(const char *text, const cJSON **values, struct json_error *error, cJSON **root)
{
    *root = parse_value(text);
    *error = (struct json_error){0};
    return json_body_fields(*root, keys, sizeof(keys) / sizeof(keys[0]), "has an unknown field", values,
                            FIELDS, error);
}

START_TEST(fields_are_sorted_by_their_numbers)
{
    const cJSON *values[FIELDS];
    struct json_error error;
    cJSON *root;

    ck_assert(read_fields("{\"b_one\": 2, \"a\": 1}", values, &error, &root));
    ck_assert_int_eq(values[A]->valueint, 1);
    ck_assert_int_eq(values[B]->valueint, 2);
    cJSON_Delete(root);
    ck_assert(read_fields("{\"bOne\": null}", values, &error, &root));
    ck_assert_ptr_null(values[A]); /* absent */
    ck_assert(cJSON_IsNull(values[B]));
    cJSON_Delete(root);
}
END_TEST

static const struct {
    const char *text, *field, *why;
} wrong_fields[] = {
    {"7", "", "must be an object"},
    {"[]", "", "must be an object"},
    {"{\"c\": 1}", "", "has an unknown field"},
    {"{\"A\": 1}", "", "has an unknown field"},
    {"{\"a\": 1, \"a\": 1}", "a", NULL},
    {"{\"bOne\": 1, \"b_one\": 1}", "b_one", NULL}, /* two names of one field */
};

START_TEST(unknown_and_repeated_fields_are_errors)
{
    const cJSON *values[FIELDS];
    struct json_error error;
    cJSON *root;

    ck_assert(!read_fields(wrong_fields[_i].text, values, &error, &root));
    ck_assert_uint_eq(error.status, 400);
    ck_assert_str_eq(error.field, wrong_fields[_i].field);
    if (wrong_fields[_i].why != NULL)
        ck_assert_str_eq(error.why, wrong_fields[_i].why);
    cJSON_Delete(root);
}
END_TEST

/* Values. */

static const struct {
    const char *text, *value; /* value NULL: refused */
} strings[] = {{"\"a\"", "a"}, {"\"\"", NULL}, {"7", NULL}, {"null", NULL}, {"[]", NULL}, {"true", NULL}};

START_TEST(string_has_at_least_one_byte)
{
    struct json_error error = {.list = "checks", .index = 3};
    cJSON *root = parse_value(strings[_i].text);
    const char *value = json_body_string(root, "client", &error);

    if (strings[_i].value != NULL) {
        ck_assert_str_eq(value, strings[_i].value);
    } else {
        ck_assert_ptr_null(value);
        ck_assert_str_eq(error.field, "checks[3].client");
    }
    cJSON_Delete(root);
}
END_TEST

static const struct {
    const char *text;
    int64_t value; /* -1: refused */
} counts[] = {
    {"0", 0},      {"-0", 0},    {"1", 1},
    {"1e3", 1000}, {"2.0", 2},   {"9007199254740991", NUMBER_EXACT_MAX},
    {"-1", -1},    {"0.5", -1},  {"1e999", -1},
    {"\"1\"", -1}, {"null", -1}, {"9007199254740992", -1},
    {"true", -1},  {"{}", -1},   {"-1e-9", -1},
};

START_TEST(count_is_a_whole_number_that_doubles_hold_exactly)
{
    struct json_error error = {0};
    int64_t value = -1;
    cJSON *root = parse_value(counts[_i].text);
    bool accepted = json_body_count(root, "cost", &value, &error);

    ck_assert_msg(accepted == (counts[_i].value >= 0), "%s", counts[_i].text);
    ck_assert_int_eq(value, counts[_i].value);
    if (!accepted)
        ck_assert_str_eq(text_of(&error), "cost must be a whole number from 0 to 9007199254740991.");
    cJSON_Delete(root);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("json_body");
    TCase *tests = tcase_create("json_body");

    tcase_add_test(tests, text_need_not_end_in_a_zero_byte);
    tcase_add_test(tests, byte_order_mark_is_skipped);
    tcase_add_test(tests, text_that_is_not_json_is_placed_by_line_and_column);
    tcase_add_test(tests, text_of_an_error_fits_into_a_json_string);
    tcase_add_test(tests, elements_of_the_list_are_parsed_one_by_one);
    tcase_add_test(tests, values_of_each_part_are_bounded);
    tcase_add_loop_test(tests, bytes_of_each_part_are_bounded, 0, ROWS(byte_places));
    tcase_add_test(tests, blanks_around_a_body_are_not_bounded);
    tcase_add_test(tests, first_error_is_kept);
    tcase_add_loop_test(tests, error_names_the_field_by_its_place, 0, ROWS(names));
    tcase_add_test(tests, error_about_the_body_says_so);
    tcase_add_test(tests, fields_are_sorted_by_their_numbers);
    tcase_add_loop_test(tests, unknown_and_repeated_fields_are_errors, 0, ROWS(wrong_fields));
    tcase_add_loop_test(tests, string_has_at_least_one_byte, 0, ROWS(strings));
    tcase_add_loop_test(tests, count_is_a_whole_number_that_doubles_hold_exactly, 0, ROWS(counts));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
