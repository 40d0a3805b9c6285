/*
 * file_set: which files were read, and whether they say something new.
 */
#include <string.h>

#include "file_set.h"
#include "suite.h"

START_TEST(sets_are_equal_where_the_same_files_say_the_same)
{
    static const struct {
        const char *path, *text;
        bool is_equal;
    } rows[] = {
        {"a", "one", true}, {"a", "two", false}, {"b", "one", false}, {"a", "", false}, {"a", NULL, false}};

    for (int i = 0; i < ROWS(rows); i++) {
        struct file_set one = {0}, other = {0};

        ck_assert(file_set_add(&one, "a", "one", 3));
        ck_assert(!file_set_equals(&one, &other));
        ck_assert(file_set_add(&other, rows[i].path, rows[i].text, rows[i].text ? strlen(rows[i].text) : 0));
        ck_assert_int_eq(file_set_equals(&one, &other), rows[i].is_equal);
        file_set_fini(&one);
        file_set_fini(&other);
    }
}
END_TEST

START_TEST(path_is_kept_once)
{
    struct file_set set = {0};

    ck_assert(file_set_add(&set, "a", "1", 1) && file_set_add(&set, "b", "1", 1) &&
              file_set_add(&set, "a", "2", 1));
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
