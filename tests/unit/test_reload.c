/*
 * reload: all of the rules or none; what the file said at the last attempt is no news; counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "policy_text.h"
#include "reload.h"
#include "suite.h"

static char directory[64];
static char path[] = "rules.json";
static struct settings settings;
static struct generations *generations;
static struct reload *reload;

static void
write_rules(const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void
set_up(void)
{
    struct file_set files = {0};
    struct file_version version;

    log_init_sink(LOG_DEBUG, NULL, NULL);
    snprintf(directory, sizeof(directory), "/tmp/ratelimitd-reload-XXXXXX");
    ck_assert(mkdtemp(directory) != NULL && chdir(directory) == 0);
    settings = (struct settings){.rules = path, .default_limit = 1, .default_window_ms = 1000};
    generations = generations_new(policy_of_text("{}"), 1);
    ck_assert_ptr_nonnull(generations);
    write_rules("{}");
    version = file_version_at(path);
    ck_assert(file_set_add(&files, path, &version, "{}", 2));
    reload = reload_new(&settings, generations, &files);
    ck_assert_ptr_nonnull(reload);
    ck_assert_uint_eq(files.count, 0);
}

static void
tear_down(void)
{
    reload_free(reload);
    generations_free(generations);
    ck_assert(unlink(path) == 0 && rmdir(directory) == 0);
}

static enum reload_status
run(enum reload_cause cause)
{
    const struct field no_trace = {0};
    struct reload_result result;
    enum reload_status status;

    reload_run(reload, cause, &no_trace, &result);
    status = result.status;
    if (status != RELOAD_UNCHANGED)
        ck_assert_int_eq(status == RELOAD_REFUSED, result.report.count > 0);
    reload_result_fini(&result);
    return status;
}

static uint32_t
rules_in_force(void)
{
    return generations_policy(generations)->rule_count;
}

START_TEST(file_is_put_in_force_or_nothing_changes)
{
    write_rules("{\"a\": {\"capacity\": 1, \"refill_rate\": 1}}");
    ck_assert_int_eq(run(RELOAD_SIGNAL), RELOAD_DONE);
    ck_assert_uint_eq(rules_in_force(), 1);
    write_rules(
        "{\"a\": {\"capacity\": 0, \"refill_rate\": 0}, \"b\": {\"capacity\": 1, \"refill_rate\": 1}}");
    ck_assert_int_eq(run(RELOAD_CALL), RELOAD_REFUSED);
    ck_assert_uint_eq(rules_in_force(), 1);
    ck_assert_uint_eq(generations_mistakes(generations), 2);
    write_rules("{}");
    ck_assert_int_eq(run(RELOAD_FILE), RELOAD_DONE);
    ck_assert_uint_eq(rules_in_force(), 0);
    ck_assert_uint_eq(generations_mistakes(generations), 0);
    ck_assert(reload_counts(reload).done == 2 && reload_counts(reload).refused == 1);
}
END_TEST

START_TEST(file_that_says_the_same_is_no_news_unless_it_is_asked_for)
{
    write_rules("{}");
    ck_assert_int_eq(run(RELOAD_FILE), RELOAD_UNCHANGED); /* as it was when it was first read */
    ck_assert_int_eq(run(RELOAD_SIGNAL), RELOAD_DONE);
    write_rules("{");
    ck_assert_int_eq(run(RELOAD_FILE), RELOAD_REFUSED);
    ck_assert_int_eq(run(RELOAD_FILE), RELOAD_UNCHANGED); /* the mistake has been reported */
    ck_assert_uint_eq(generations_mistakes(generations), 1);
    ck_assert_int_eq(run(RELOAD_CALL), RELOAD_REFUSED);
}
END_TEST

START_TEST(change_is_seen_once_it_has_happened_since_the_last_reload)
{
    write_rules("{}");
    ck_assert(reload_look(reload));
    ck_assert(!reload_look(reload));
    write_rules("{\"a\": {\"capacity\": 1, \"refill_rate\": 1}}");
    ck_assert_int_eq(run(RELOAD_SIGNAL), RELOAD_DONE);
    ck_assert(!reload_look(reload));
}
END_TEST

START_TEST(file_of_clients_is_watched_even_if_it_has_a_mistake)
{
    write_rules("{\"a\": {\"capacity\": 1, \"refill_rate\": 1, \"clients\": \"clients.txt\"}}");
    ck_assert_int_eq(run(RELOAD_SIGNAL), RELOAD_REFUSED);
    ck_assert(!reload_look(reload));
    ck_assert_int_eq(rename(path, "clients.txt"), 0); /* JSON, but of rules */
    ck_assert(reload_look(reload));
    ck_assert_int_eq(rename("clients.txt", path), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("reload");
    TCase *tests = tcase_create("reload");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, file_is_put_in_force_or_nothing_changes);
    tcase_add_test(tests, file_that_says_the_same_is_no_news_unless_it_is_asked_for);
    tcase_add_test(tests, change_is_seen_once_it_has_happened_since_the_last_reload);
    tcase_add_test(tests, file_of_clients_is_watched_even_if_it_has_a_mistake);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
