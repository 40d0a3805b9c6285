/*
 * hosts: by which names a listener may be asked.
 */
#include <string.h>

#include "hosts.h"
#include "suite.h"

static const struct hosts hosts = {.own = "limits.example",
                                   .listed = "admin.internal, SECOND.internal,third"};

static const struct {
    const char *host; /* NULL: absent */
    bool accepted;
} cases[] = {
    {NULL, true},
    {"localhost", true},
    {"LOCALHOST:8001", true},
    {"localhost.", true},
    {"localhost.:8001", true},
    {"127.0.0.1", true},
    {"203.0.113.7:80", true},
    {"[::1]", true},
    {"[2001:db8::1]:8001", true},
    {"limits.example", true},
    {"Limits.Example:8001", true},
    {"admin.internal", true},
    {"second.internal:8001", true},
    {"third", true},
    {"", false},
    {":8001", false},
    {".", false},
    {"localhost..", false},
    {"localhos", false},
    {"localhost1", false},
    {"evil.localhost", false},
    {"localhost.evil.example", false},
    {"127.0.0.1.evil.example", false},
    {"127.1", false},
    {"2130706433", false},
    {"[::1].evil.example", false},
    {"[limits.example]", false},
    {"limits.example.evil", false},
    {"internal", false},
    {"admin.internal,", false},
    {"admin.internal, SECOND.internal", false},
    {"thir", false},
    {"third,", false},
    {",", false},
    {"hird", false},
};

START_TEST(listener_answers_to_its_names_and_to_addresses)
{
    const char *text = cases[_i].host;
    struct field host = {.text = text, .bytes = text ? strlen(text) : 0};

    ck_assert_msg(hosts_accept(&hosts, &host) == cases[_i].accepted, "%s", text ? text : "(none)");
    ck_assert(hosts_accept(NULL, &host));
}
END_TEST

START_TEST(names_that_are_not_set_match_nothing)
{
    static const struct hosts none = {.own = NULL, .listed = ""};
    struct field named = {.text = "limits.example", .bytes = 14}, empty = {.text = "", .bytes = 0};

    ck_assert(!hosts_accept(&none, &named));
    ck_assert(!hosts_accept(&none, &empty));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("hosts");
    TCase *names = tcase_create("names");

    tcase_add_loop_test(names, listener_answers_to_its_names_and_to_addresses, 0, ROWS(cases));
    tcase_add_test(names, names_that_are_not_set_match_nothing);
    suite_add_tcase(suite, names);
    return run_suite(suite);
}
