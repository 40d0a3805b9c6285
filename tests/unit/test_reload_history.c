/*
 * reload_history: the last reloads, the last one first, with a bounded number of mistakes of bounded length.
 */
#include <stdio.h>
#include <string.h>

#include "reload_history.h"
#include "suite.h"

static struct reload_history *history;
static struct report report;
static struct reload_record records[RELOADS_KEPT + 1];
static unsigned record_count;

static void
set_up(void)
{
    history = reload_history_new();
    ck_assert_ptr_nonnull(history);
    report_init(&report);
}

static void
tear_down(void)
{
    report_fini(&report);
    reload_history_free(history);
}

static void
keep(void *arg, const struct reload_record *record)
{
    ck_assert_ptr_eq(arg, history);
    ck_assert_uint_lt(record_count, RELOADS_KEPT + 1);
    records[record_count++] = *record;
}

static void
read_all(void)
{
    record_count = 0;
    reload_history_each(history, keep, history);
}

START_TEST(there_are_none_at_first)
{
    read_all();
    ck_assert_uint_eq(record_count, 0);
}
END_TEST

START_TEST(last_ones_are_kept_and_the_last_one_is_first)
{
    char text[16];

    for (int i = 1; i <= 1000; i++) {
        snprintf(text, sizeof(text), "reload %d", i);
        reload_history_add(history, i % 2 == 0, text, &report);
    }
    read_all();
    ck_assert_uint_eq(record_count, RELOADS_KEPT);
    for (int i = 0; i < RELOADS_KEPT; i++) {
        snprintf(text, sizeof(text), "reload %d", 1000 - i);
        ck_assert_str_eq(records[i].text, text);
        ck_assert(records[i].is_done == (i % 2 == 0));
    }
}
END_TEST

START_TEST(mistakes_are_those_of_one_that_was_refused)
{
    report_add(&report, "one");
    report_add(&report, "two");
    reload_history_add(history, false, "refused", &report);
    reload_history_add(history, true, "done", &report);
    read_all();
    ck_assert_uint_eq(records[0].mistake_count, 0);
    ck_assert_uint_eq(records[1].mistake_count, 2);
    ck_assert_str_eq(records[1].mistakes[0], "one");
    ck_assert_str_eq(records[1].mistakes[1], "two");
}
END_TEST

START_TEST(long_and_many_mistakes_are_cut)
{
    char line[2000];

    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    for (int i = 0; i < 1000; i++)
        report_add(&report, "%s", line);
    reload_history_add(history, false, line, &report);
    read_all();
    ck_assert_uint_eq(strlen(records[0].text), RELOAD_TEXT_BYTES);
    ck_assert_uint_eq(records[0].mistake_count, RELOAD_MISTAKES_KEPT);
    ck_assert_uint_eq(strlen(records[0].mistakes[RELOAD_MISTAKES_KEPT - 1]), RELOAD_MISTAKE_BYTES);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("reload_history");
    TCase *kept = tcase_create("kept");

    tcase_add_checked_fixture(kept, set_up, tear_down);
    tcase_add_test(kept, there_are_none_at_first);
    tcase_add_test(kept, last_ones_are_kept_and_the_last_one_is_first);
    tcase_add_test(kept, mistakes_are_those_of_one_that_was_refused);
    tcase_add_test(kept, long_and_many_mistakes_are_cut);
    suite_add_tcase(suite, kept);
    return suite;
}

int
main(void)
{
    return run_suite(make_suite());
}
