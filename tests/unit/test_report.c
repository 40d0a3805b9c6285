/* report: lines that a terminal can be shown, and guesses at what was meant. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static struct report report;

static void
set_up(void)
{
    report_init(&report);
}

static void
tear_down(void)
{
    report_fini(&report);
}

/* What report_print writes. */
static char *
printed(const char *prefix)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    ck_assert_ptr_nonnull(out);
    report_print(&report, out, prefix);
    fclose(out);
    return text;
}

START_TEST(a_report_is_empty_until_a_line_is_added)
{
    ck_assert(report_is_empty(&report));
    report_add(&report, "PORT: %d", 0);
    ck_assert(!report_is_empty(&report));
}
END_TEST

START_TEST(lines_are_printed_in_order_after_the_prefix)
{
    char *text;

    report_add(&report, "first");
    report_add(&report, "second: %s", "more");
    text = printed("ratelimitd: ");
    ck_assert_str_eq(text, "ratelimitd: first\nratelimitd: second: more\n");
    free(text);
}
END_TEST

START_TEST(warnings_come_first_and_leave_the_report_empty)
{
    char *text;

    for (int i = 0; i < 20; i++)
        report_warn(&report, "odd %d", i);
    ck_assert(report_is_empty(&report));
    report_drop_warnings(&report);
    report_warn(&report, "odd \x1b");
    report_add(&report, "wrong");
    text = printed("ratelimitd: ");
    ck_assert_str_eq(text, "ratelimitd: warning: odd \\x1b\nratelimitd: wrong\n");
    free(text);
}
END_TEST

START_TEST(a_report_holds_any_number_of_lines)
{
    for (int i = 0; i < 1000; i++)
        report_add(&report, "line %d", i);
    ck_assert_uint_eq(report.count, 1000);
    ck_assert_str_eq(report.lines[0], "line 0");
    ck_assert_str_eq(report.lines[999], "line 999");
}
END_TEST

START_TEST(a_line_is_not_cut)
{
    char value[10001];

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    report_add(&report, "%s", value);
    ck_assert_str_eq(report.lines[0], value);
}
END_TEST

static const struct {
    const char *added;
    const char *line;
} escapes[] = {
    {"plain text", "plain text"},
    {"a\nb\tc", "a\\x0ab\\x09c"},
    {"\x1b[2J", "\\x1b[2J"},
    {"\x7f", "\\x7f"},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
     "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"}, /* UTF-8 stays */
    {"\xc2\x9b"
     "31m",
     "\\xc2\\x9b31m"},                           /* a control sequence in one character */
    {"\xff\xc3", "\\xff\\xc3"},                  /* no UTF-8 begins so; a sequence cut short */
    {"\xc0\xaf", "\\xc0\\xaf"},                  /* overlong */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},         /* a surrogate */
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"} /* beyond U+10FFFF */
};

START_TEST(bytes_that_could_drive_a_terminal_are_escaped)
{
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        report_add(&report, "%s", escapes[i].added);
        ck_assert_msg(strcmp(report.lines[i], escapes[i].line) == 0, "row %zu: \"%s\" instead of \"%s\"", i,
                      report.lines[i], escapes[i].line);
    }
}
END_TEST

static const char *const words[] = {"capacity", "refill_rate", "limit", "limits",
                                    "window",   "GET",         "PUT",   "ip"};

static const struct {
    const char *word;
    const char *meant; /* NULL: nothing is near */
} guesses[] = {
    {"capcity", "capacity"},           /* a letter left out */
    {"capacityy", "capacity"},         /* a letter too many */
    {"capazity", "capacity"},          /* a letter replaced */
    {"cpaacity", "capacity"},          /* two letters swapped: one mistake, not two */
    {"cpaactiy", "capacity"},          /* two swaps */
    {"refil-rate", "refill_rate"},     /* one left out, one replaced */
    {"refillRate", "refill_rate"},     /* the case of a letter costs nothing */
    {"Capacity", "capacity"},          /* nothing but case */
    {"get", "GET"},                    /* case, in a short word */
    {"limts", "limits"},               /* the nearest of two */
    {"limt", "limit"},                 /* the nearest of two */
    {"IP", "ip"},                      /* case, in the shortest word */
    {"capa", NULL},                    /* four letters away */
    {"refill", "refill_rate"},         /* the only one that goes on so */
    {"REFILL", "refill_rate"},         /* in any case */
    {"refi", NULL},                    /* too short to tell */
    {"xy", NULL},                      /* two mistakes in two letters are no likeness */
    {"pot", "PUT"},                    /* one in three is */
    {"pig", NULL},                     /* two in three are not */
    {"burst", NULL},                   /* */
    {"", NULL},                        /* */
    {"refill_refill_rate_rate", NULL}, /* */
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
};

START_TEST(the_nearest_word_is_suggested_for_a_misspelt_one)
{
    for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
        const char *meant = report_did_you_mean(guesses[i].word, words, sizeof(words) / sizeof(words[0]));
        const char *wanted = guesses[i].meant;

        ck_assert_msg(meant == wanted || (meant != NULL && wanted != NULL && strcmp(meant, wanted) == 0),
                      "\"%s\" brings \"%s\" instead of \"%s\"", guesses[i].word, meant ? meant : "nothing",
                      wanted ? wanted : "nothing");
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("report");
    TCase *lines = tcase_create("lines"), *meant = tcase_create("did you mean");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(lines, set_up, tear_down);
    tcase_add_test(lines, a_report_is_empty_until_a_line_is_added);
    tcase_add_test(lines, lines_are_printed_in_order_after_the_prefix);
    tcase_add_test(lines, warnings_come_first_and_leave_the_report_empty);
    tcase_add_test(lines, a_report_holds_any_number_of_lines);
    tcase_add_test(lines, a_line_is_not_cut);
    tcase_add_test(lines, bytes_that_could_drive_a_terminal_are_escaped);
    suite_add_tcase(suite, lines);
    tcase_add_test(meant, the_nearest_word_is_suggested_for_a_misspelt_one);
    suite_add_tcase(suite, meant);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
