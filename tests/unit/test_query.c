/* query: each argument has a value, none comes twice, and none is unknown. */
#include "query.h"

#include <string.h>

#include "suite.h"

static struct query query;
static struct query_argument arguments[] = {{.name = "window"}, {.name = "rule"}};

static bool
read_text(const char *text)
{
    return query_read(&query, text, arguments, ROWS(arguments));
}

static const struct {
    const char *text, *window, *rule; /* NULL: not sent */
} good[] = {
    {"", NULL, NULL},
    {"window=hour", "hour", NULL},
    {"rule=a&window=hour", "hour", "a"},
    {"window=", "", NULL},
    {"window=a=b", "a=b", NULL},
    {"window=a+b", "a+b", NULL},
    {"window=%68our&rul%65=%26%3D%25", "hour", "&=%"},
    {"rule=%ff\xff", NULL, "\xff\xff"},
    {"window=hour&", "hour", NULL},
};

START_TEST(arguments_have_their_values)
{
    ck_assert_msg(read_text(good[_i].text), "%s: %s", good[_i].text, query.why);
    ck_assert_pstr_eq(arguments[0].value, good[_i].window);
    ck_assert_pstr_eq(arguments[1].value, good[_i].rule);
}
END_TEST

static const struct {
    const char *text, *why; /* part of it */
} bad[] = {
    {"window", "has no value"},
    {"&window=a", "has no value"},
    {"window=a&&rule=b", "has no value"},
    {"Window=a", "unknown argument; known: window, rule."},
    {"=a", "unknown argument"},
    {"window=a&window=a", "argument window twice"},
    {"window=a&%77indow=a", "argument window twice"},
    {"window=%", "percent-encoded"},
    {"window=%4", "percent-encoded"},
    {"window=%zz", "percent-encoded"},
    {"window=%00", "percent-encoded"},
    {"%00=a", "percent-encoded"},
};

START_TEST(mistake_is_said_without_what_was_sent)
{
    ck_assert(!read_text(bad[_i].text));
    ck_assert_msg(strstr(query.why, bad[_i].why) != NULL, "%s: %s", bad[_i].text, query.why);
}
END_TEST

START_TEST(query_may_be_as_long_as_the_bound)
{
    char text[QUERY_BYTES_MAX + 2] = "rule=";

    memset(text + strlen(text), 'a', QUERY_BYTES_MAX - strlen(text));
    ck_assert(read_text(text));
    ck_assert_uint_eq(strlen(arguments[1].value), QUERY_BYTES_MAX - strlen("rule="));
    strcat(text, "a");
    ck_assert(!read_text(text));
    ck_assert_ptr_nonnull(strstr(query.why, "longer than 1024 bytes"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("query");
    TCase *tests = tcase_create("query");

    tcase_add_loop_test(tests, arguments_have_their_values, 0, ROWS(good));
    tcase_add_loop_test(tests, mistake_is_said_without_what_was_sent, 0, ROWS(bad));
    tcase_add_test(tests, query_may_be_as_long_as_the_bound);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
