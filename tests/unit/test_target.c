/*
 * target: which part of a request target is its path.
 */
#include <string.h>

#include "suite.h"
#include "target.h"

static const struct {
    const char *text, *path;
} targets[] = {
    {"/", "/"},
    {"/a/b", "/a/b"},
    {"/a?b", "/a"},
    {"/a?b/c?d#e", "/a"},
    {"/a#b?c", "/a"},
    {"/?/b", "/"},
    {"http://host/a", "/a"},
    {"HTTPS://host:8443/a/b?c=/d", "/a/b"},
    {"http://host", "/"},
    {"http://host?a=/b", "/"},
    {"https://host#/b", "/"},
    {"http://", "/"},
    {"http:///a", "/a"},
    {"/http://host/a", "/http://host/a"},
    {"", ""},
    {"?a", ""},
    {"*", "*"},
    {"a/b", "a/b"},
    {"ftp://host/a", "ftp://host/a"}, /* no path: it does not begin with a slash, and is refused as one */
    {"http:/a", "http:/a"},
};

START_TEST(path_excludes_authority_and_query)
{
    const char *text = targets[_i].text, *path;
    size_t bytes;

    path = target_path(text, strlen(text), &bytes);
    ck_assert_msg(bytes == strlen(targets[_i].path) && memcmp(path, targets[_i].path, bytes) == 0,
                  "\"%s\": \"%.*s\"", text, (int)bytes, path);
}
END_TEST

START_TEST(no_byte_after_the_end_is_read)
{
    size_t bytes;

    ck_assert_mem_eq(target_path("/abcdef", 3, &bytes), "/ab", 3);
    ck_assert_uint_eq(bytes, 3);
    ck_assert_mem_eq(target_path("http://host/a", 9, &bytes), "/", 1);
    ck_assert_uint_eq(bytes, 1);
    ck_assert_mem_eq(target_path("http://host/a", 6, &bytes), "http:/", 6);
    ck_assert_uint_eq(bytes, 6);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("target");
    TCase *paths = tcase_create("paths");

    tcase_add_loop_test(paths, path_excludes_authority_and_query, 0, ROWS(targets));
    tcase_add_test(paths, no_byte_after_the_end_is_read);
    suite_add_tcase(suite, paths);
    return run_suite(suite);
}
