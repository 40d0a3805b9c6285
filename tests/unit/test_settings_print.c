/*
 * settings: what --help and --print-config show, and every error message (tests/data/settings/mistakes.txt).
 */
#include "settings_fixture.h"

START_TEST(print_config_names_value_and_source)
{
    argument("--port=9000");
    variable("REDIS_URL=redis://user:hunter2@host");
    dotenv_line("");
    dotenv_line("RATE_LIMIT_RULES_PATH='a b.json'");
    read_well();
    char *text = printed();
    ck_assert_ptr_nonnull(strstr(text, "REDIS_URL=redis://user:***@host                  # environment\n"));
    ck_assert_ptr_nonnull(strstr(text, "RATE_LIMIT_RULES_PATH=\"a b.json\"                 # .env:2\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nPORT=9000                                        # flag\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nWORKERS=0                                        # default\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nREDIS_PASSWORD=                                  # not set\n"));
    free(text);
}
END_TEST

/* Settings from which the printed .env must lead to the same ones. */
static const char *const round_trips[][6] = {
    {NULL},
    {"--store=memory", "--rules=a b#c'd\"e\\f$g.json", "--log-format=JSON", "--trusted-proxies=private"},
    {"--listen=[::1]:9000", "--log-level=debug", "--workers=007"},
    {"--listen=unix:/run/r.sock", "--failure-mode=open"},
    {"--redis-host=::1", "--redis-port=1", "--redis-db=3", "--redis-username=a b"},
    {"--store=redis://host/3", "--redis-host=unused", "--max-body-bytes=0"},
};

START_TEST(print_config_read_back_gives_the_same_settings)
{
    char before[SETTING_COUNT][128];
    char *text;

    for (int i = 0; i < 6 && round_trips[_i][i]; i++)
        argument(round_trips[_i][i]);
    read_well();
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        snprintf(before[id], sizeof(before[id]), "%s", field(id));
    text = printed();
    forget();

    write_file(".env", "w", text);
    read_well();
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        ck_assert_msg(strcmp(field(id), before[id]) == 0, "%s was %s and came back as %s from\n%s",
                      settings_table[id].name, before[id], field(id), text);
    free(text);
}
END_TEST

START_TEST(help_names_every_setting_within_100_columns)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    settings_help(out);
    fclose(out);
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        ck_assert_msg(strstr(text, settings_table[id].flag), "%s", settings_table[id].flag);
        ck_assert_msg(strstr(text, settings_table[id].name), "%s", settings_table[id].name);
    }
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) <= 100, "%s", line);
    free(text);
}
END_TEST

START_TEST(the_documented_table_is_that_of_the_source)
{
    static const char begin[] = "<!-- settings: made by ratelimitd --help=markdown -->\n",
                      end[] = "<!-- end of settings -->";
    FILE *file = fopen(TEST_DATA "/../../docs/configuration.md", "r");
    char *text, *table;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    ck_assert_ptr_nonnull(file);
    for (int byte; (byte = getc(file)) != EOF;)
        fputc(byte, out);
    fclose(file);
    fclose(out);
    char *from = strstr(text, begin);
    ck_assert_ptr_nonnull(from);
    from += strlen(begin);
    char *to = strstr(from, end);
    ck_assert_ptr_nonnull(to);
    *to = '\0';

    out = open_memstream(&table, &bytes);
    settings_help_markdown(out);
    fclose(out);
    ck_assert_str_eq(from, table);
    free(table);
    free(text);
}
END_TEST

#define MISTAKES TEST_DATA "/settings/mistakes.txt"

/* Opens the file at the first line of the case with this number, or at its end; returns how many there
   are. */
static int
seek_case(FILE *file, int number)
{
    char line[1024];
    long start = -1;
    int count = 0;

    while (fgets(line, sizeof(line), file)) {
        if (strchr("# \n", line[0]))
            continue;
        if (count++ == number)
            start = ftell(file) - (long)strlen(line);
    }
    if (start >= 0)
        fseek(file, start, SEEK_SET);
    return count;
}

START_TEST(errors_are_reported_word_for_word)
{
    FILE *file = fopen(MISTAKES, "r");
    char name[1024], line[1024];
    char *expected, *reported;
    size_t bytes;
    FILE *says = open_memstream(&expected, &bytes);

    ck_assert_ptr_nonnull(file);
    seek_case(file, _i);
    ck_assert_ptr_nonnull(fgets(name, sizeof(name), file));
    while (fgets(line, sizeof(line), file) && line[0] == ' ') {
        char *value = line + 12;

        ck_assert_uint_gt(strlen(line), 12);
        line[strlen(line) - 1] = '\0';
        if (strncmp(line, "    arg     ", 12) == 0)
            argument(value);
        else if (strncmp(line, "    env     ", 12) == 0)
            variable(value);
        else if (strncmp(line, "    dotenv  ", 12) == 0)
            dotenv_line(value);
        else if (strncmp(line, "    says    ", 12) == 0)
            fprintf(says, "%s\n", value);
        else
            ck_abort_msg("%s: neither arg nor env, dotenv or says: %s", MISTAKES, line);
    }
    fclose(file);
    fclose(says);
    read_settings();
    reported = report_text();
    ck_assert_msg(bytes > 0 && strcmp(reported, expected) == 0, "%sreported\n%sinstead of\n%s", name,
                  reported, expected);
    free(reported);
    free(expected);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("settings_print");
    TCase *tests = tcase_create("settings_print");
    FILE *file = fopen(MISTAKES, "r");
    int cases;

    if (file == NULL) {
        perror(MISTAKES);
        return EXIT_FAILURE;
    }
    cases = seek_case(file, -1);
    fclose(file);

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, print_config_names_value_and_source);
    tcase_add_loop_test(tests, print_config_read_back_gives_the_same_settings, 0, ROWS(round_trips));
    tcase_add_test(tests, help_names_every_setting_within_100_columns);
    tcase_add_test(tests, the_documented_table_is_that_of_the_source);
    tcase_add_loop_test(tests, errors_are_reported_word_for_word, 0, cases);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
