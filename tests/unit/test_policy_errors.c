/*
 * policy: what a rules file is refused for, and every message.
 *
 * tests/data/rules holds one file for each error: NAME.json and NAME.expected, the whole report. Run with
 * UPDATE_EXPECTED=1 to write the expected reports again, then read the difference.
 */
#include <dirent.h>

#include "policy_fixture.h"
#include "suite.h"

static char *
report_text(void)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    ck_assert_ptr_nonnull(out);
    report_print(&report, out, "");
    fclose(out);
    return text;
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void
check_diagnostics(const char *json)
{
    char path[300];
    char *got, *expected;

    compile_file(json);
    ck_assert_msg(policy == NULL, "%s is taken", json);
    got = report_text();
    snprintf(path, sizeof(path), "%.*s.expected", (int)(strlen(json) - strlen(".json")), json);
    if (getenv("UPDATE_EXPECTED") != NULL)
        write_file(path, got);
    expected = read_file(path);
    ck_assert_msg(strcmp(got, expected) == 0, "%s\n  reports  %s\n  expected %s", json, got, expected);
    free(got);
    free(expected);
    report_fini(&report);
}

START_TEST(every_error_has_its_message)
{
    struct dirent *entry;
    DIR *directory;
    int files = 0;

    ck_assert_int_eq(chdir("rules"), 0);
    directory = opendir(".");
    ck_assert_ptr_nonnull(directory);
    while ((entry = readdir(directory)) != NULL) {
        const char *extension = strrchr(entry->d_name, '.');

        if (extension == NULL || strcmp(extension, ".json") != 0)
            continue;
        check_diagnostics(entry->d_name);
        files++;
    }
    closedir(directory);
    ck_assert_int_ge(files, 100);
}
END_TEST

static void
assert_one_line(const char *line)
{
    ck_assert_ptr_null(policy);
    ck_assert_uint_eq(report.count, 1);
    ck_assert_str_eq(report.lines[0], line);
}

START_TEST(zero_bytes_are_refused_at_any_position)
{
    static const char good[] = "{\"default\": {\"capacity\": 20, \"refill_rate\": 5}}";

    policy = policy_parse("test", good, sizeof(good) - 1, &defaults, &report);
    ck_assert_ptr_nonnull(policy);
    for (size_t i = 0; i <= sizeof(good) - 1; i++) {
        char text[sizeof(good)];

        memcpy(text, good, i);
        text[i] = '\0';
        memcpy(text + i + 1, good + i, sizeof(good) - 1 - i);
        ck_assert_ptr_null(policy_parse("test", text, sizeof(text), &defaults, &report));
        ck_assert_uint_eq(report.count, i + 1);
        ck_assert_ptr_nonnull(strstr(report.lines[i], "unexpected zero byte"));
    }
}
END_TEST

START_TEST(a_text_cut_short_anywhere_is_refused)
{
    static const char good[] = "{\"default\": {\"limits\": [{\"capacity\": 20, \"refill_rate\": \"5/1s\"}]}}";

    for (size_t bytes = 0; bytes < sizeof(good) - 1; bytes++) {
        char *text = malloc(bytes + 1);

        ck_assert_ptr_nonnull(text);
        memcpy(text, good, bytes);
        ck_assert_msg(policy_parse("test", text, bytes, &defaults, &report) == NULL, "%.*s", (int)bytes,
                      good);
        ck_assert_uint_eq(report.count, bytes + 1);
        free(text);
    }
}
END_TEST

START_TEST(a_file_up_to_the_cap_is_read_and_no_larger_one)
{
    static const char good[] = "{\"default\": {\"capacity\": 20, \"refill_rate\": 5}}";
    char *text = malloc(POLICY_FILE_BYTES + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, ' ', POLICY_FILE_BYTES + 1);
    memcpy(text, good, sizeof(good) - 1);
    policy = policy_parse("test", text, POLICY_FILE_BYTES, &defaults, &report);
    ck_assert_ptr_nonnull(policy);
    policy_free(policy);
    policy = policy_parse("test", text, POLICY_FILE_BYTES + 1, &defaults, &report);
    assert_one_line("test: too large: at most 1048576 bytes are accepted");
    free(text);
}
END_TEST

/* `count` rules, the default among them. */
static char *
many_rules(int count)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    ck_assert_ptr_nonnull(out);
    for (int i = 1; i < count; i++)
        fprintf(out, "%s\"r%d\": {\"match\": {\"path\": \"/r/%d\"}, \"capacity\": 1, \"refill_rate\": 1}",
                i == 1 ? "{" : ", ", i, i);
    fputs(", \"default\": {\"capacity\": 1, \"refill_rate\": 1}}", out);
    fclose(out);
    return text;
}

START_TEST(up_to_1024_rules_are_accepted)
{
    char *text = many_rules(POLICY_RULES_MAX);

    policy = policy_parse("test", text, strlen(text), &defaults, &report);
    ck_assert_msg(policy != NULL, "%s", report.lines[0]);
    ck_assert_uint_eq(policy->rule_count, POLICY_RULES_MAX);
    ck_assert_str_eq(match(METHOD_GET, "/r/1023")->name, "r1023");
    free(text);
    policy_free(policy);

    text = many_rules(POLICY_RULES_MAX + 1);
    policy = policy_parse("test", text, strlen(text), &defaults, &report);
    assert_one_line("test: $: 1025 rules; at most 1024 are accepted");
    free(text);
}
END_TEST

START_TEST(an_object_with_too_many_keys_is_one_error)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    ck_assert_ptr_nonnull(out);
    fputs("{\"default\": {\"capacity\": 1, \"refill_rate\": 1", out);
    for (int i = 0; i < 2000; i++)
        fprintf(out, ", \"key%d\": 1", i);
    fputs("}}", out);
    fclose(out);
    policy = policy_parse("test", text, bytes, &defaults, &report);
    assert_one_line("test: $.default: has more than 1024 keys");
    free(text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("policy_errors");
    TCase *tests = tcase_create("errors");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_error_has_its_message);
    tcase_add_test(tests, zero_bytes_are_refused_at_any_position);
    tcase_add_test(tests, a_text_cut_short_anywhere_is_refused);
    tcase_add_test(tests, a_file_up_to_the_cap_is_read_and_no_larger_one);
    tcase_add_test(tests, up_to_1024_rules_are_accepted);
    tcase_add_test(tests, an_object_with_too_many_keys_is_one_error);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
