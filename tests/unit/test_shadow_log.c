/* shadow_log: who has something to say has a line, with what came since the last one. */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "policy_text.h"
#include "rule_counts.h"
#include "shadow_log.h"
#include "suite.h"

#define LINES_MAX (SHADOW_LOG_RULES + 4)

static struct generations *generations;
static struct shadow_log shadow_log;
static char lines[LINES_MAX][256];
static int line_count;

static void
note_line(void *arg, enum log_level level, const char *module, const char *message)
{
    (void)arg;
    ck_assert_int_eq(level, LOG_INFO);
    ck_assert_str_eq(module, "shadow_log");
    ck_assert_int_lt(line_count, LINES_MAX);
    snprintf(lines[line_count++], sizeof(lines[0]), "%s", message);
}

static void
begin(const char *rules)
{
    generations = generations_new(policy_of_text(rules), 2);
    ck_assert_ptr_nonnull(generations);
    shadow_log = (struct shadow_log){.generations = generations};
}

static void
set_up(void)
{
    log_init_sink(LOG_DEBUG, note_line, NULL);
    line_count = 0;
}

static void
tear_down(void)
{
    generations_free(generations);
}

/* Half by each worker. */
static void
add(const char *rule, enum rule_count what, int count)
{
    for (int i = 0; i < count; i++)
        rule_counts_add(policy_rule(generations_policy(generations), rule)->counts, (unsigned)i % 2, what);
}

#define LIMIT  "\"capacity\": 1, \"refill_rate\": 1"
#define RULES  "{\"a\": {" LIMIT ", \"shadow\": true}, \"b\": {" LIMIT ", \"candidate\": {\"capacity\": 2}}}"
#define MINUTE SHADOW_LOG_US

START_TEST(nothing_is_said_where_nothing_would_have_been_refused)
{
    begin(RULES);
    add("a", COUNT_ALLOWED, 5);
    add("a", COUNT_REFUSED, 5); /* it was no shadow then */
    add("b", COUNT_CANDIDATE_ALLOWED, 5);
    ck_assert_int_eq(shadow_log_due_us(&shadow_log), MINUTE);
    shadow_log_tell(&shadow_log, MINUTE);
    ck_assert_int_eq(line_count, 0);
    ck_assert_int_eq(shadow_log_due_us(&shadow_log), 2 * MINUTE);
}
END_TEST

START_TEST(a_line_has_what_came_since_the_last_one)
{
    begin(RULES);
    add("a", COUNT_ALLOWED, 7);
    add("a", COUNT_SHADOW, 3);
    add("a", COUNT_SHADOW_PENALISED, 2);
    add("a", COUNT_SHADOW_BLOCKED, 1);
    add("a", COUNT_SHADOW_UNAVAILABLE, 4);
    add("b", COUNT_CANDIDATE_ALLOWED, 9);
    add("b", COUNT_CANDIDATE_REFUSED, 1);
    shadow_log_tell(&shadow_log, MINUTE);
    ck_assert_int_eq(line_count, 2);
    ck_assert_str_eq(lines[0], "rule a: shadow would have refused 6 of 17 requests in the last 60 s");
    ck_assert_str_eq(lines[1], "rule b: candidate would have refused 1 of 10 requests in the last 60 s");
    shadow_log_tell(&shadow_log, 2 * MINUTE);
    ck_assert_int_eq(line_count, 2);
    add("b", COUNT_CANDIDATE_MISSED, 8);
    shadow_log_tell(&shadow_log, 2 * MINUTE + 1);
    ck_assert_str_eq(lines[2], "rule b: candidate would have refused 0 of 0 requests in the last 1 s; "
                               "8 were not tried");
}
END_TEST

START_TEST(a_reload_changes_nothing_about_it)
{
    begin(RULES);
    add("b", COUNT_CANDIDATE_REFUSED, 1);
    shadow_log_tell(&shadow_log, MINUTE);
    add("b", COUNT_CANDIDATE_REFUSED, 2);
    ck_assert(generations_publish(generations, policy_of_text(RULES)));
    shadow_log_tell(&shadow_log, 2 * MINUTE);
    ck_assert_int_eq(line_count, 2);
    ck_assert_str_eq(lines[1], "rule b: candidate would have refused 2 of 2 requests in the last 60 s");
    ck_assert_uint_eq(generations_alive(generations), 1); /* nothing is held any more */
}
END_TEST

START_TEST(a_crowd_of_rules_has_few_lines)
{
    char text[4096] = "{", name[16];
    const int crowd = SHADOW_LOG_RULES + 5;

    for (int i = 0; i < crowd; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\"r%d\": {" LIMIT "}", i > 0 ? "," : "",
                 i);
    strcat(text, "}");
    begin(text);
    for (int i = 0; i < crowd; i++) {
        snprintf(name, sizeof(name), "r%d", i);
        add(name, COUNT_SHADOW, 1);
    }
    shadow_log_tell(&shadow_log, MINUTE);
    ck_assert_int_eq(line_count, SHADOW_LOG_RULES + 1);
    ck_assert_str_eq(lines[SHADOW_LOG_RULES],
                     "5 more rules would have refused requests; GET /v1/rules shows them");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("shadow_log");
    TCase *tests = tcase_create("shadow_log");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nothing_is_said_where_nothing_would_have_been_refused);
    tcase_add_test(tests, a_line_has_what_came_since_the_last_one);
    tcase_add_test(tests, a_reload_changes_nothing_about_it);
    tcase_add_test(tests, a_crowd_of_rules_has_few_lines);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
