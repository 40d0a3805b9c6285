/* top_view: what the keys of `ratelimitd top` do. */
#include <check.h>
#include <string.h>

#include "suite.h"
#include "top_view.h"

static enum top_action
press(struct top_view *view, const char *keys)
{
    return top_view_take_keys(view, keys, strlen(keys));
}

START_TEST(q_quits_wherever_it_is_no_letter_of_the_filter)
{
    struct top_view view = top_view_of_start();

    ck_assert_int_eq(press(&view, "q"), TOP_QUIT);
    ck_assert_int_eq(press(&view, "hq"), TOP_QUIT);
    view = top_view_of_start();
    ck_assert_int_eq(press(&view, "/q"), TOP_ASK);
    ck_assert_str_eq(view.filter, "q");
    ck_assert_int_eq(press(&view, "\rq"), TOP_QUIT);
}
END_TEST

START_TEST(s_goes_through_all_orders_and_back)
{
    struct top_view view = top_view_of_start();

    for (int order = ORDER_REFUSED; order < ORDER_COUNT; order++) {
        ck_assert_int_eq((int)view.order, order);
        ck_assert_int_eq(press(&view, "s"), TOP_DRAW);
    }
    ck_assert_int_eq((int)view.order, ORDER_REFUSED);
    press(&view, "S");
    ck_assert_int_eq((int)view.order, ORDER_NAME);
}
END_TEST

START_TEST(b_and_w_ask_for_other_clients)
{
    struct top_view view = top_view_of_start();

    ck_assert_int_eq(press(&view, "b"), TOP_ASK);
    ck_assert_str_eq(top_measures[view.measure], "requests");
    ck_assert_int_eq(press(&view, "w"), TOP_ASK);
    ck_assert_str_eq(top_windows[view.window], "hour");
    press(&view, "bbww");
    ck_assert_str_eq(top_measures[view.measure], "refusals");
    ck_assert_str_eq(top_windows[view.window], "minute");
}
END_TEST

START_TEST(p_and_the_blank_pause_and_go_on)
{
    struct top_view view = top_view_of_start();

    ck_assert_int_eq(press(&view, "p"), TOP_DRAW);
    ck_assert(view.is_paused);
    ck_assert_int_eq(press(&view, " "), TOP_ASK);
    ck_assert(!view.is_paused);
}
END_TEST

static const struct {
    const char *keys, *filter;
    bool is_typing;
} typed[] = {
    {"/api\r", "api", false},
    {"/api\n", "api", false},
    {"/apo\177i", "api", true},
    {"/ap\b\b\b\bx", "x", true},
    {"/api\025", "", true},
    {"/api\033", "", false},
    {"/api\r\033", "", false},
    {"/a b;\tc\x80 \r", "abc", false},
    {"/a\033[Ab\033OB\033[5~c", "abc", true},
    {"/api\r/x\r", "apix", false},
};

START_TEST(a_filter_is_typed)
{
    struct top_view view = top_view_of_start();

    press(&view, typed[_i].keys);
    ck_assert_str_eq(view.filter, typed[_i].filter);
    ck_assert_int_eq(view.is_typing, typed[_i].is_typing);
}
END_TEST

START_TEST(a_filter_is_at_most_as_long_as_a_name)
{
    struct top_view view = top_view_of_start();

    press(&view, "/");
    for (int i = 0; i < 2 * RULE_NAME_BYTES; i++)
        press(&view, "a");
    ck_assert_uint_eq(strlen(view.filter), RULE_NAME_BYTES);
}
END_TEST

START_TEST(any_key_ends_the_help_and_does_nothing_else)
{
    struct top_view view = top_view_of_start();

    ck_assert_int_eq(press(&view, "?"), TOP_DRAW);
    ck_assert(view.shows_help);
    ck_assert_int_eq(press(&view, "s"), TOP_DRAW);
    ck_assert(!view.shows_help);
    ck_assert_int_eq((int)view.order, ORDER_REFUSED);
}
END_TEST

START_TEST(arrows_and_keys_without_a_meaning_are_ignored)
{
    static const char *const keys[] = {"\033[A", "\033OB", "\033[1;5C", "\033[15~", "x",
                                       "\t",     "\x01",   "\xff",      "\033[q",   ""};
    struct top_view view = top_view_of_start();

    for (int i = 0; i < ROWS(keys); i++)
        ck_assert_msg(press(&view, keys[i]) == TOP_NOTHING, "%d", i);
    ck_assert_int_eq(press(&view, "\033[As"), TOP_DRAW);
}
END_TEST

START_TEST(the_help_names_every_key)
{
    char keys[256] = "";

    for (const struct top_key *key = top_keys; key->key != NULL; key++)
        strcat(strcat(keys, key->key), ", ");
    for (int key = ' ' + 1; key <= '~'; key++) {
        struct top_view view = top_view_of_start();
        if (press(&view, (const char[]){(char)key, '\0'}) != TOP_NOTHING)
            ck_assert_msg(strchr(keys, key) != NULL, "%c", key);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("top_view");
    TCase *tests = tcase_create("top_view");

    tcase_add_test(tests, q_quits_wherever_it_is_no_letter_of_the_filter);
    tcase_add_test(tests, s_goes_through_all_orders_and_back);
    tcase_add_test(tests, b_and_w_ask_for_other_clients);
    tcase_add_test(tests, p_and_the_blank_pause_and_go_on);
    tcase_add_loop_test(tests, a_filter_is_typed, 0, ROWS(typed));
    tcase_add_test(tests, a_filter_is_at_most_as_long_as_a_name);
    tcase_add_test(tests, any_key_ends_the_help_and_does_nothing_else);
    tcase_add_test(tests, arrows_and_keys_without_a_meaning_are_ignored);
    tcase_add_test(tests, the_help_names_every_key);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
