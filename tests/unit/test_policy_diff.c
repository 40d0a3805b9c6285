/*
 * policy_diff: what a change of the rules is called, and whether it keeps its counts, which is whether the stores
 * find the state under the same name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_set.h"
#include "policy_diff.h"
#include "policy_text.h"
#include "suite.h"

static struct policy_diff diff;

static void
compare(const char *old, const char *new)
{
    struct policy *before = policy_of_text(old), *after = policy_of_text(new);

    memset(&diff, 0x5a, sizeof(diff));
    policy_compare(&diff, before, after);
    policy_free(before);
    policy_free(after);
}

#define FIXED(limit, window) \
    "\"algorithm\": \"fixed_window\", \"limit\": " #limit ", \"window\": \"" window "\""
#define BUCKET(capacity, rate) "\"capacity\": " #capacity ", \"refill_rate\": " rate

/* Of one rule, "r". */
static const struct {
    const char *before, *after, *said;
} changes[] = {
    {FIXED(100, "1m"), FIXED(200, "1m"), "limit 100 -> 200, counted on"},
    {FIXED(100, "1m"), FIXED(100, "1h"), "window 1m -> 1h, counted anew"},
    {FIXED(100, "1m"), FIXED(50, "90s"), "limit 100 -> 50 and window 1m -> 90s, counted anew"},
    {FIXED(100, "1m"), BUCKET(100, "1"), "algorithm, counted anew"},
    {BUCKET(10, "1"), BUCKET(20, "1"), "capacity 10 -> 20, counted on"},
    {BUCKET(10, "1"), BUCKET(10, "2"), "refill_rate 1/1s -> 1/500ms, counted anew"},
    {BUCKET(10, "1"), BUCKET(5, "\"3/1s\""), "capacity 10 -> 5 and refill_rate 1/1s -> 3/1s, counted anew"},
    {BUCKET(10, "1"), BUCKET(10, "1") ", \"identify_by\": [\"header:a\", \"ip\"]",
     "identify_by, counts of clients with another name restart"},
    {BUCKET(10, "1"), BUCKET(11, "1") ", \"on_store_failure\": \"open\"",
     "capacity 10 -> 11, counted on, on_store_failure"},
    {BUCKET(10, "1"), BUCKET(10, "1") ", \"match\": {\"path\": \"/a\"}", "match"},
    {BUCKET(10, "1"), BUCKET(10, "1") ", \"clients\": {\"a\": \"blocked\"}", "clients"},
    {BUCKET(10, "1"), BUCKET(20, "1") ", \"shadow\": true", "capacity 10 -> 20, counted on, shadow on"},
    {BUCKET(10, "1") ", \"shadow\": true", BUCKET(10, "1"), "shadow off"},
    {BUCKET(10, "1"), BUCKET(10, "1") ", \"candidate\": {\"capacity\": 5}", "candidate added"},
    {BUCKET(10, "1") ", \"candidate\": {\"capacity\": 5}", BUCKET(10, "1"), "candidate removed"},
    {BUCKET(10, "1") ", \"candidate\": {\"capacity\": 5}",
     BUCKET(10, "1") ", \"candidate\": {\"capacity\": 6}", "candidate capacity 5 -> 6, counted on"},
    /* What it leaves out is the rule's. */
    {BUCKET(10, "1") ", \"candidate\": {\"capacity\": 5}",
     BUCKET(10, "2") ", \"candidate\": {\"capacity\": 5}",
     "refill_rate 1/1s -> 1/500ms, counted anew, candidate refill_rate 1/1s -> 1/500ms, counted anew"},
    {BUCKET(10, "1"), "\"limits\": [{" BUCKET(10, "1") "}, {" FIXED(5, "1d") "}]", "limits[1] added"},
    {"\"limits\": [{" BUCKET(10, "1") "}, {" FIXED(5, "1d") "}]", "\"limits\": [{" FIXED(5, "1d") "}]",
     "limits[0] algorithm, counted anew, limits[1] removed"},
    {"\"limits\": [{" BUCKET(10, "1") "}, {" FIXED(5, "1d") "}]",
     "\"limits\": [{" BUCKET(10, "1") "}, {" FIXED(6, "1d") "}]", "limits[1] limit 5 -> 6, counted on"},
};

START_TEST(change_of_a_rule_is_named)
{
    char before[512], after[512], said[512];

    snprintf(before, sizeof(before), "{\"r\": {%s}}", changes[_i].before);
    snprintf(after, sizeof(after), "{\"r\": {%s}}", changes[_i].after);
    snprintf(said, sizeof(said), "1 changed (r: %s)", changes[_i].said);
    compare(before, after);
    ck_assert_str_eq(diff.text, said);
    compare(after, before);
    ck_assert_uint_eq(diff.changed, 1);
}
END_TEST

static const char *const likes[][2] = {
    {BUCKET(10, "1"), "\"refill_rate\": \"60/1m\", \"capacity\": 10"},
    {BUCKET(10, "1"), "\"limits\": [{" BUCKET(10, "1") "}]"},
    {BUCKET(10, "1"), "\"algorithm\": \"token_bucket\",\n" BUCKET(10, "1.0")},
    {FIXED(10, "1h"), FIXED(10, "60m")},
    {FIXED(10, "1h"), FIXED(10, "1h") ", \"shadow\": false"},
    {FIXED(10, "1h") ", \"candidate\": {\"limit\": 5}",
     FIXED(10, "1h") ", \"candidate\": {\"limits\": [{" FIXED(5, "60m") "}]}"},
    {BUCKET(10, "1") ", \"match\": {\"path\":\"/a\"}", "\"match\": { \"path\": \"/a\" }, " BUCKET(10, "1")},
};

START_TEST(same_in_other_words_is_as_before)
{
    char before[512], after[512];

    snprintf(before, sizeof(before), "{\"r\": {%s}}", likes[_i][0]);
    snprintf(after, sizeof(after), "{\"r\": {%s}}", likes[_i][1]);
    compare(before, after);
    ck_assert_str_eq(diff.text, "1 as before");
}
END_TEST

START_TEST(rules_are_counted)
{
    compare("{\"a\": {" FIXED(1, "1m") "}, \"b\": {" FIXED(1, "1m") "}, \"c\": {" FIXED(1, "1m") "}}",
            "{\"b\": {" FIXED(2, "1m") "}, \"c\": {" FIXED(1, "1m") "}, \"d\": {" FIXED(
                1, "1m") "}, "
                         "\"e\": {" FIXED(1, "1m") "}}");
    ck_assert_str_eq(diff.text, "1 changed (b: limit 1 -> 2, counted on), 2 added, 1 removed, 1 as before");
    ck_assert(diff.changed == 1 && diff.added == 2 && diff.removed == 1 && diff.same == 1);
    compare("{\"a\": {" FIXED(1, "1m") "}}", "{}");
    ck_assert_str_eq(diff.text, "1 removed");
    compare("{}", "{}");
    ck_assert_str_eq(diff.text, "no rules");
}
END_TEST

START_TEST(another_order_is_a_change)
{
    compare("{\"a\": {" FIXED(1, "1m") "}, \"b\": {" FIXED(1, "1m") "}}",
            "{\"b\": {" FIXED(1, "1m") "}, \"x\": {" FIXED(1, "1m") "}, \"a\": {" FIXED(1, "1m") "}}");
    ck_assert_str_eq(diff.text, "1 added, 2 as before; in another order");
}
END_TEST

START_TEST(many_changes_are_cut)
{
    static char rules[2][200000];
    char end[64];
    int told = 0;

    for (int i = 0; i < 2; i++) {
        size_t used = (size_t)sprintf(rules[i], "{");
        for (int j = 0; j < 1000; j++)
            used += (size_t)sprintf(rules[i] + used, "%s\"rule-%d\": {\"capacity\": %d, \"refill_rate\": 1}",
                                    j > 0 ? "," : "", j, i + 1);
        sprintf(rules[i] + used, "}");
    }
    compare(rules[0], rules[1]);
    ck_assert_uint_eq(diff.changed, 1000);
    for (const char *at = diff.text; (at = strstr(at, "counted on")) != NULL; at++)
        told++;
    ck_assert_int_gt(told, 5);
    snprintf(end, sizeof(end), "counted on; and %d more)", 1000 - told);
    ck_assert_str_eq(diff.text + strlen(diff.text) - strlen(end), end);
}
END_TEST

START_TEST(rules_as_before_keep_the_ids_of_their_limits)
{
    struct policy *before = policy_of_text(
        "{\"same\": {" BUCKET(1, "1") "}, \"mode\": {" BUCKET(1, "1") "}, \"gone\": {" BUCKET(1, "1") "}}");
    struct policy *after =
        policy_of_text("{\"mode\": {" BUCKET(1, "1") ", \"on_store_failure\": \"open\"}, \"new\": {" BUCKET(
            1, "1") "}, \"same\": {" BUCKET(1, "\"60/1m\"") "}}");

    policy_keep_ids(after, before);
    ck_assert_uint_eq(policy_rule(after, "same")->limits.id, policy_rule(before, "same")->limits.id);
    ck_assert_uint_ne(policy_rule(after, "mode")->limits.id, policy_rule(before, "mode")->limits.id);
    for (uint32_t i = 0; i < before->rule_count; i++)
        ck_assert_uint_ne(policy_rule(after, "new")->limits.id, before->rules[i].limits.id);
    policy_free(before);
    policy_free(after);
}
END_TEST

/* A file of clients. */

static struct policy *
policy_with_file(struct file_set *files)
{
    static const char rules[] = "{\"r\": {" BUCKET(1, "1") ", \"clients\": \"clients.txt\"}}";
    static const struct policy_defaults defaults = {.limit = 1, .window_us = 1000000};
    struct report report;
    struct policy *policy;

    report_init(&report);
    policy = policy_parse_files("rules.json", rules, strlen(rules), &defaults, files, &report);
    report_fini(&report);
    return policy;
}

static void
write_clients(const char *text)
{
    FILE *file = fopen("clients.txt", "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(file_of_clients_that_says_something_else_is_a_change)
{
    char directory[] = "/tmp/ratelimitd-policy-diff-XXXXXX";
    struct file_set files[4] = {0};
    struct policy *first, *same, *other;

    ck_assert(mkdtemp(directory) != NULL && chdir(directory) == 0);
    ck_assert_ptr_null(policy_with_file(&files[3]));
    ck_assert(file_set_has(&files[3], "clients.txt")); /* so that its appearance is noticed */
    write_clients("a blocked\n");
    first = policy_with_file(&files[0]);
    same = policy_with_file(&files[1]);
    write_clients("a blocked\nb blocked\n");
    other = policy_with_file(&files[2]);
    policy_compare(&diff, first, same);
    ck_assert_str_eq(diff.text, "1 as before");
    policy_compare(&diff, first, other);
    ck_assert_str_eq(diff.text, "1 changed (r: clients)");
    ck_assert(file_set_equals(&files[0], &files[1]));
    ck_assert(!file_set_equals(&files[0], &files[2]));
    ck_assert(!file_set_equals(&files[0], &files[3]));
    for (int i = 0; i < ROWS(files); i++)
        file_set_fini(&files[i]);
    policy_free(first);
    policy_free(same);
    policy_free(other);
    ck_assert(unlink("clients.txt") == 0 && rmdir(directory) == 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("policy_diff");
    TCase *tests = tcase_create("policy_diff");

    tcase_add_loop_test(tests, change_of_a_rule_is_named, 0, ROWS(changes));
    tcase_add_loop_test(tests, same_in_other_words_is_as_before, 0, ROWS(likes));
    tcase_add_test(tests, rules_are_counted);
    tcase_add_test(tests, another_order_is_a_change);
    tcase_add_test(tests, many_changes_are_cut);
    tcase_add_test(tests, rules_as_before_keep_the_ids_of_their_limits);
    tcase_add_test(tests, file_of_clients_that_says_something_else_is_a_change);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
