/*
 * store_changes: each change is kept once, with its reason, and the last ones are found.
 */
#include <string.h>

#include "store_changes.h"
#include "suite.h"

static struct store_changes changes;

static void
set_up(void)
{
    memset(&changes, 0, sizeof(changes));
}

static void
ck_assert_change(unsigned index, enum store_state state, const char *reason, int64_t at_us)
{
    const struct store_change *change = store_changes_at(&changes, index);

    ck_assert_ptr_nonnull(change);
    ck_assert_int_eq(change->state, state);
    ck_assert_str_eq(change->reason, reason);
    ck_assert_int_eq(change->at_us, at_us);
}

START_TEST(that_it_connects_at_the_start_is_no_change)
{
    store_changes_note(&changes, STORE_CONNECTING, "", 1);
    ck_assert_ptr_null(store_changes_at(&changes, 0));
    store_changes_note(&changes, STORE_READY, "", 2);
    ck_assert_change(0, STORE_READY, "", 2);
    ck_assert_ptr_null(store_changes_at(&changes, 1));
}
END_TEST

START_TEST(what_is_known_is_not_kept_again)
{
    for (int i = 1; i <= 100; i++)
        store_changes_note(&changes, i < 50 ? STORE_READY : STORE_LOST, "Connection refused", i);
    ck_assert_change(0, STORE_LOST, "Connection refused", 50);
    ck_assert_change(1, STORE_READY, "", 1);
    ck_assert_ptr_null(store_changes_at(&changes, 2));
}
END_TEST

START_TEST(reason_that_comes_later_is_that_of_the_change)
{
    store_changes_note(&changes, STORE_LOST, "", 1);
    store_changes_note(&changes, STORE_LOST, "no reply", 2);
    store_changes_note(&changes, STORE_LOST, "Connection refused", 3);
    ck_assert_change(0, STORE_LOST, "no reply", 1);
}
END_TEST

START_TEST(last_changes_are_kept)
{
    for (int i = 1; i <= 1001; i++)
        store_changes_note(&changes, i % 2 ? STORE_READY : STORE_LOST, "x", i);
    for (unsigned i = 0; i < STORE_CHANGES; i++)
        ck_assert_change(i, i % 2 ? STORE_LOST : STORE_READY, i % 2 ? "x" : "", 1001 - (int)i);
    ck_assert_ptr_null(store_changes_at(&changes, STORE_CHANGES));
}
END_TEST

START_TEST(long_reason_is_cut)
{
    char reason[1000];

    memset(reason, 'r', sizeof(reason) - 1);
    reason[sizeof(reason) - 1] = '\0';
    store_changes_note(&changes, STORE_LOST, reason, 1);
    ck_assert_uint_eq(strlen(store_changes_at(&changes, 0)->reason), STORE_REASON_BYTES);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("store_changes");
    TCase *noted = tcase_create("noted");

    tcase_add_checked_fixture(noted, set_up, NULL);
    tcase_add_test(noted, that_it_connects_at_the_start_is_no_change);
    tcase_add_test(noted, what_is_known_is_not_kept_again);
    tcase_add_test(noted, reason_that_comes_later_is_that_of_the_change);
    tcase_add_test(noted, last_changes_are_kept);
    tcase_add_test(noted, long_reason_is_cut);
    suite_add_tcase(suite, noted);
    return suite;
}

int
main(void)
{
    return run_suite(make_suite());
}
