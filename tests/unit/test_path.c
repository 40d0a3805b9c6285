/* path: one path, one spelling; and which patterns match it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "path.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes that have no name in a table: "/a\0b" is 4 bytes long. */
#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *path;
    size_t bytes;
    const char *normal; /* NULL: refused */
} spellings[] = {
    {TEXT("/"), "/"},
    {TEXT("/api/data"), "/api/data"},
    {TEXT("/api/data/"), "/api/data/"}, /* a trailing slash stays */

    {TEXT("//"), "/"},
    {TEXT("//api///data"), "/api/data"},
    {TEXT("/api//"), "/api/"},

    {TEXT("/."), "/"},
    {TEXT("/.."), "/"},
    {TEXT("/../.."), "/"},
    {TEXT("/./a"), "/a"},
    {TEXT("/a/."), "/a/"},
    {TEXT("/a/./"), "/a/"},
    {TEXT("/a/./b/.."), "/a/"},
    {TEXT("/a/b/../c"), "/a/c"},
    {TEXT("/a/../../b"), "/b"},
    {TEXT("/a//../b"), "/b"}, /* slashes are merged first, as nginx does */
    {TEXT("/a/.../b"), "/a/.../b"},
    {TEXT("/a/..b/.c"), "/a/..b/.c"},

    {TEXT("/api/%72esource"), "/api/resource"},
    {TEXT("/%61%70%69"), "/api"},
    {TEXT("/%7Ename"), "/~name"},
    {TEXT("/a%20b"), "/a b"},
    {TEXT("/caf%C3%A9"), "/caf\xc3\xa9"},
    {TEXT("/a%3fb"), "/a?b"}, /* not a query: that was cut off before */
    {TEXT("/%2e%2e/a"), "/a"},
    {TEXT("/a/%2E%2e/b"), "/b"},
    {TEXT("/a/.%2e/b"), "/b"},
    {TEXT("/a/%2e/b"), "/a/b"},

    {TEXT("/a%2Fb"), "/a%2Fb"},
    {TEXT("/a%2fb"), "/a%2Fb"},
    {TEXT("/a/..%2fb"), "/a/..%2Fb"}, /* an encoded slash is no border */
    {TEXT("/a%25b"), "/a%25b"},
    {TEXT("/a%2572b"), "/a%2572b"}, /* decoded once, not twice */
    {TEXT("/%252e%252e/a"), "/%252e%252e/a"},

    {TEXT(""), NULL},
    {TEXT("api"), NULL},
    {TEXT("*"), NULL},
    {TEXT("http://host/"), NULL},
    {TEXT("/%"), NULL},
    {TEXT("/%2"), NULL},
    {TEXT("/%zz"), NULL},
    {TEXT("/%2g"), NULL},
    {TEXT("/%g2"), NULL},
    {TEXT("/%-1"), NULL},
    {TEXT("/a%00b"), NULL},
    {TEXT("/a%0a"), NULL},
    {TEXT("/a%1F"), NULL},
    {TEXT("/a%7f"), NULL},
    {TEXT("/a\0b"), NULL},
    {TEXT("/a\nb"), NULL},
    {TEXT("/a\x7f"), NULL},
};

START_TEST(every_path_has_one_spelling)
{
    for (size_t i = 0; i < COUNT(spellings); i++) {
        size_t bytes = spellings[i].bytes;
        char *path = malloc(bytes + 1); /* of its own, so that a sanitizer sees a byte too far */
        bool normal;

        ck_assert_ptr_nonnull(path);
        memcpy(path, spellings[i].path, bytes);
        normal = path_normalise(path, &bytes);
        if (spellings[i].normal == NULL)
            ck_assert_msg(!normal, "\"%s\" is taken", spellings[i].path);
        else
            ck_assert_msg(normal && bytes == strlen(spellings[i].normal) &&
                              memcmp(path, spellings[i].normal, bytes) == 0,
                          "\"%s\" becomes \"%.*s\" instead of \"%s\"", spellings[i].path,
                          normal ? (int)bytes : 0, path, spellings[i].normal);
        free(path);
    }
}
END_TEST

static const struct {
    const char *pattern;
    const char *path;
    bool matches;
} matches[] = {
    {"/", "/", true},
    {"/", "/a", false},
    {"/api", "/api", true},
    {"/api", "/api/", false},
    {"/api", "/ap", false},
    {"/api", "/apix", false},
    {"/api", "/API", false},
    {"/api/", "/api/", true},
    {"/api/", "/api", false},

    {"/search/**", "/search", true},
    {"/search/**", "/search/", true},
    {"/search/**", "/search/a", true},
    {"/search/**", "/search/a/b/", true},
    {"/search/**", "/searching", false},
    {"/search/**", "/searc", false},
    {"/search/**", "/", false},
    {"/**", "/", true},
    {"/**", "/a", true},
    {"/**", "/a/b/", true},

    {"/*", "/a", true},
    {"/*", "/", false},
    {"/*", "/a/", false},
    {"/*", "/a/b", false},
    {"/*/", "/a/", true},
    {"/*/", "/a", false},
    {"/users/*", "/users/5", true},
    {"/users/*", "/users/%2F", true},
    {"/users/*", "/users/", false},
    {"/users/*", "/users", false},
    {"/users/*", "/users/5/", false},
    {"/users/*", "/users/5/posts", false},
    {"/users/*", "/user/5", false},
    {"/users/*/posts", "/users/5/posts", true},
    {"/users/*/posts", "/users/55/posts", true},
    {"/users/*/posts", "/users//posts", false},
    {"/users/*/posts", "/users/5/post", false},
    {"/users/*/posts", "/users/5/postss", false},
    {"/users/*/posts", "/users/5", false},
    {"/users/*/posts", "/users/5/posts/1", false},
    {"/*/*", "/a/b", true},
    {"/*/*", "/a", false},
    {"/users/*/**", "/users/5", true},
    {"/users/*/**", "/users/5/", true},
    {"/users/*/**", "/users/5/posts/1", true},
    {"/users/*/**", "/users", false},
    {"/users/*/**", "/users/", false},
    {"/a%2Fb", "/a%2Fb", true},
    {"/a%2Fb", "/a/b", false},
};

static struct path_pattern *
pattern_of(const char *text)
{
    const char *why = NULL;
    struct path_pattern *pattern = path_pattern_new(text, &why);

    ck_assert_msg(pattern != NULL, "%s: %s", text, why ? why : "memory is out");
    return pattern;
}

START_TEST(a_pattern_matches_segment_by_segment)
{
    for (size_t i = 0; i < COUNT(matches); i++) {
        struct path_pattern *pattern = pattern_of(matches[i].pattern);
        size_t bytes = strlen(matches[i].path);
        char *path = malloc(bytes); /* without a zero: the length alone ends it */

        ck_assert_ptr_nonnull(path);
        memcpy(path, matches[i].path, bytes);
        ck_assert_msg(path_pattern_matches(pattern, path, bytes) == matches[i].matches, "\"%s\" %s \"%s\"",
                      matches[i].pattern, matches[i].matches ? "does not match" : "matches", matches[i].path);
        free(path);
        path_pattern_free(pattern);
    }
}
END_TEST

/* The messages are compared in test_policy.c, as an operator sees them. */
static const char *const no_patterns[] = {
    "",      "api",     "*",     "**",     "/api*",   "/*api", "/a*b",       "/***",   "/**/",
    "/**/a", "/a/**/b", "/a//b", "/a/./b", "/a/../b", "/a?b",  "/a#b",       "/%61",   "/a%2fb",
    "/100%", "/%zz",    "/a\nb", "/a%00b", "//",      "/.",    "/api/data?", "/***/a",
};

START_TEST(a_pattern_that_could_match_nothing_is_refused)
{
    for (size_t i = 0; i < COUNT(no_patterns); i++) {
        const char *why = NULL;
        struct path_pattern *pattern = path_pattern_new(no_patterns[i], &why);

        ck_assert_msg(pattern == NULL, "\"%s\" is taken", no_patterns[i]);
        ck_assert_msg(why != NULL, "\"%s\" is refused without a reason", no_patterns[i]);
    }
}
END_TEST

static const struct {
    const char *wide;
    const char *narrow;
    bool covers;
} coverings[] = {
    {"/a", "/a", true},         {"/a", "/b", false},         {"/a", "/a/", false},
    {"/**", "/", true},         {"/**", "/**", true},        {"/**", "/*", true},
    {"/**", "/a/b", true},      {"/**", "/a/*/**", true},    {"/a/**", "/a", true},
    {"/a/**", "/a/b", true},    {"/a/**", "/a/**", true},    {"/a/**", "/a/b/**", true},
    {"/a/**", "/**", false},    {"/a/**", "/*", false},      {"/a/**", "/ab", false},
    {"/a/*", "/a/b", true},     {"/a/*", "/a/*", true},      {"/a/*", "/a", false},
    {"/a/*", "/a/**", false},   {"/a/*", "/a/b/c", false},   {"/a", "/a/**", false},
    {"/a/*", "/a/b/**", false}, {"/a/b", "/a/*", false},     {"/*/b", "/a/b", true},
    {"/*/b", "/a/*", false},    {"/*/b", "/*/b", true},      {"/*/**", "/a/**", true},
    {"/*/**", "/**", false},    {"/a/*/**", "/a/**", false},
};

START_TEST(a_wider_pattern_covers_a_narrower_one)
{
    for (size_t i = 0; i < COUNT(coverings); i++) {
        struct path_pattern *wide = pattern_of(coverings[i].wide);
        struct path_pattern *narrow = pattern_of(coverings[i].narrow);

        ck_assert_msg(path_pattern_covers(wide, narrow) == coverings[i].covers, "\"%s\" %s \"%s\"",
                      coverings[i].wide, coverings[i].covers ? "does not cover" : "covers",
                      coverings[i].narrow);
        path_pattern_free(wide);
        path_pattern_free(narrow);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("path");
    TCase *paths = tcase_create("paths"), *patterns = tcase_create("patterns");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(paths, every_path_has_one_spelling);
    suite_add_tcase(suite, paths);
    tcase_add_test(patterns, a_pattern_matches_segment_by_segment);
    tcase_add_test(patterns, a_pattern_that_could_match_nothing_is_refused);
    tcase_add_test(patterns, a_wider_pattern_covers_a_narrower_one);
    suite_add_tcase(suite, patterns);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
