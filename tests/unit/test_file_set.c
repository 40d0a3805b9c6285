/*
 * file_set: which files were read, and whether they say something new.
 */
#include <string.h>

#include "file_set.h"
#include "suite.h"

static const struct file_version first = {.inode = 1}, second = {.inode = 2};

START_TEST(sets_are_equal_where_the_same_files_say_the_same)
{
    static const struct {
        const char *path;
        const struct file_version *version;
        const char *text;
        bool equals_text, equals_version; /* a set of "a" with the text "one", and of "a" without one */
    } rows[] = {
        {"a", &first, "one", true, false},  {"a", &second, "one", true, false},
        {"a", &first, "two", false, false}, {"b", &first, "one", false, false},
        {"a", &first, "", false, false},    {"a", &first, NULL, false, true},
        {"a", &second, NULL, false, false}, {"b", &first, NULL, false, false},
    };

    for (int i = 0; i < ROWS(rows); i++) {
        struct file_set text = {0}, version = {0}, other = {0};

        ck_assert(file_set_add(&text, "a", &first, "one", 3) && file_set_add(&version, "a", &first, NULL, 0));
        ck_assert(!file_set_equals(&text, &other));
        ck_assert(file_set_add(&other, rows[i].path, rows[i].version, rows[i].text,
                               rows[i].text ? strlen(rows[i].text) : 0));
        ck_assert_int_eq(file_set_equals(&text, &other), rows[i].equals_text);
        ck_assert_int_eq(file_set_equals(&version, &other), rows[i].equals_version);
        file_set_fini(&text);
        file_set_fini(&version);
        file_set_fini(&other);
    }
}
END_TEST

START_TEST(path_is_kept_once)
{
    struct file_set set = {0};

    ck_assert(file_set_add(&set, "a", &first, "1", 1) && file_set_add(&set, "b", &first, "1", 1) &&
              file_set_add(&set, "a", &second, "2", 1));
    ck_assert_uint_eq(set.count, 2);
    ck_assert(file_set_has(&set, "b") && !file_set_has(&set, "c"));
    file_set_fini(&set);
    ck_assert_uint_eq(set.count, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("file_set");
    TCase *tests = tcase_create("file_set");

    tcase_add_test(tests, sets_are_equal_where_the_same_files_say_the_same);
    tcase_add_test(tests, path_is_kept_once);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
