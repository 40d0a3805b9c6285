/*
 * nodes: what a node says is read back; what anybody else may write is not taken for it; those that are silent go.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "nodes.h"
#include "suite.h"

#define S    US_PER_S
#define GOOD "1 0.1.0 1000 2500 0 ready web-1"

static struct nodes nodes;

static void
set_up(void)
{
    memset(&nodes, 0, sizeof(nodes));
}

START_TEST(what_a_node_says_is_read_back)
{
    const struct node_state said = {.version = "1.2.3~rc1+git",
                                    .host = "web-1.example_net",
                                    .up_ms = INT64_C(86400000) * 365,
                                    .requests_milli = 123456789,
                                    .refused_milli = 1,
                                    .store = STORE_LOST};
    struct node_state heard = {0};
    char text[NODE_TEXT_BYTES + 1];

    node_write(&said, text);
    ck_assert_str_eq(text, "1 1.2.3~rc1+git 31536000000 123456789 1 lost web-1.example_net");
    ck_assert(node_read(text, &heard));
    ck_assert_str_eq(heard.version, said.version);
    ck_assert_str_eq(heard.host, said.host);
    ck_assert_int_eq(heard.up_ms, said.up_ms);
    ck_assert_int_eq(heard.requests_milli, said.requests_milli);
    ck_assert_int_eq(heard.refused_milli, said.refused_milli);
    ck_assert_int_eq(heard.store, said.store);
}
END_TEST

START_TEST(longest_text_has_room)
{
    struct node_state said = {.up_ms = 1,
                              .requests_milli = 9007199254740991,
                              .refused_milli = 9007199254740991},
                      heard;
    char text[NODE_TEXT_BYTES + 1];

    memset(said.version, 'v', NODE_VERSION_BYTES);
    memset(said.host, 'h', NODE_HOST_BYTES);
    said.store = STORE_CONNECTING;
    node_write(&said, text);
    ck_assert_uint_lt(strlen(text), NODE_TEXT_BYTES);
    ck_assert(node_read(text, &heard));
    ck_assert_uint_eq(strlen(heard.host), NODE_HOST_BYTES);
}
END_TEST

START_TEST(later_versions_may_say_more)
{
    struct node_state heard;

    ck_assert(node_read(GOOD " and more", &heard));
    ck_assert_str_eq(heard.host, "web-1");
}
END_TEST

START_TEST(what_no_node_says_is_not_read)
{
    static const char *const table[] = {
        "",
        " ",
        "1",
        "2 0.1.0 1000 2500 0 ready web-1",
        "1 0.1.0 1000 2500 0 ready",
        "1 0.1.0 1000 2500 0 ready ",
        "1  0.1.0 1000 2500 0 ready web-1",
        " 1 0.1.0 1000 2500 0 ready web-1",
        "1 0.1.0 -1 2500 0 ready web-1",
        "1 0.1.0 1000 2.5 0 ready web-1",
        "1 0.1.0 1000 9007199254740992 0 ready web-1",
        "1 0.1.0 99999999999999999999999999999 1 0 ready web-1",
        "1 0.1.0 1000 2500 0 away web-1",
        "1 0.1.0 1000 2500 0 ready <script>",
        "1 0.1.0 1000 2500 0 ready web\"1",
        "1 0.1.0 1000 2500 0 ready web\\1",
        "1 <b> 1000 2500 0 ready web-1",
        ("1 0.1.0 1000 2500 0 ready w\xc3\xa4"
         "b"),
        "1 0.1.0 1000 2500 0 ready web\x1b[2J",
        "1 123456789012345678901234567890123 1000 2500 0 ready web-1",
        "1 0.1.0 1000 2500 0 ready 12345678901234567890123456789012345678901234567890123456789012345",
        "1 0.1.0\t1000 2500 0 ready web-1",
    };
    struct node_state heard;

    for (int i = 0; i < ROWS(table); i++)
        ck_assert_msg(!node_read(table[i], &heard), "%s", table[i]);
    ck_assert(node_read(GOOD, &heard));
}
END_TEST

START_TEST(host_is_made_of_what_hosts_are_made_of)
{
    static const char *const table[][2] = {{"web-1.example.net", "web-1.example.net"},
                                           {"", "_"},
                                           {"a b\"c<d>\n", "a_b_c_d__"},
                                           {"h\xc3\xa4", "h__"},
                                           {"\x1b[2J", "__2J"}};
    char longest[300];
    struct node_state state;

    for (int i = 0; i < ROWS(table); i++) {
        node_set_host(&state, table[i][0]);
        ck_assert_str_eq(state.host, table[i][1]);
    }
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    node_set_host(&state, longest);
    ck_assert_uint_eq(strlen(state.host), NODE_HOST_BYTES);
}
END_TEST

static void
hear(unsigned number, const char *text, int64_t said_us)
{
    char id[NODE_ID_BYTES + 1];

    snprintf(id, sizeof(id), "%016x", number);
    nodes_hear(&nodes, id, text, said_us);
}

START_TEST(node_that_is_silent_is_forgotten_after_a_minute)
{
    hear(1, GOOD, 100 * S);
    hear(2, GOOD, 100 * S);
    hear(1, GOOD, 130 * S);
    ck_assert_uint_eq(nodes.count, 2);
    nodes_forget(&nodes, 160 * S - 1);
    ck_assert_uint_eq(nodes.count, 2);
    nodes_forget(&nodes, 160 * S);
    ck_assert_uint_eq(nodes.count, 1);
    ck_assert_str_eq(nodes.list[0].id, "0000000000000001");
    nodes_forget(&nodes, 190 * S);
    ck_assert_uint_eq(nodes.count, 0);
}
END_TEST

START_TEST(nodes_stay_in_their_places)
{
    for (unsigned i = 0; i < 5; i++)
        hear(i, GOOD, i == 2 ? 0 : S);
    hear(3, "1 0.1.0 2000 2500 0 lost web-3", 2 * S);
    nodes_forget(&nodes, NODES_FORGET_US);
    ck_assert_uint_eq(nodes.count, 4);
    ck_assert_str_eq(nodes.list[2].id, "0000000000000003");
    ck_assert_str_eq(nodes.list[2].state.host, "web-3");
    ck_assert_str_eq(nodes.list[3].id, "0000000000000004");
}
END_TEST

START_TEST(nodes_beyond_the_most_are_left_out)
{
    for (unsigned i = 0; i < NODES_MAX + 100; i++)
        hear(i, GOOD, S);
    ck_assert_uint_eq(nodes.count, NODES_MAX);
    hear(5, GOOD, 3 * S);
    ck_assert_int_eq(nodes.list[5].said_us, 3 * S);
}
END_TEST

START_TEST(what_cannot_be_read_changes_nothing)
{
    hear(1, GOOD, S);
    hear(1, "junk", 2 * S);
    hear(2, "junk", 2 * S);
    nodes_hear(&nodes, "an id that is too long", GOOD, S);
    ck_assert_uint_eq(nodes.count, 1);
    ck_assert_int_eq(nodes.list[0].said_us, S);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("nodes");
    TCase *text = tcase_create("text"), *list = tcase_create("list");

    tcase_add_test(text, what_a_node_says_is_read_back);
    tcase_add_test(text, longest_text_has_room);
    tcase_add_test(text, later_versions_may_say_more);
    tcase_add_test(text, what_no_node_says_is_not_read);
    tcase_add_test(text, host_is_made_of_what_hosts_are_made_of);
    suite_add_tcase(suite, text);
    tcase_add_checked_fixture(list, set_up, NULL);
    tcase_add_test(list, node_that_is_silent_is_forgotten_after_a_minute);
    tcase_add_test(list, nodes_stay_in_their_places);
    tcase_add_test(list, nodes_beyond_the_most_are_left_out);
    tcase_add_test(list, what_cannot_be_read_changes_nothing);
    suite_add_tcase(suite, list);
    return suite;
}

int
main(void)
{
    return run_suite(make_suite());
}
