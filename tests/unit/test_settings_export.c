/* settings_export: what the manual page, the completion of shells and the documentation are made from. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "settings_table.h"
#include "suite.h"

static char *text;

static void export(void (*write)(FILE *out))
{
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    ck_assert_ptr_nonnull(out);
    write(out);
    fclose(out);
}

static void
forget(void)
{
    free(text);
    text = NULL;
}

/* The line that begins with `start` and a blank or nothing; without its newline. NULL: there is none. */
static char *
line_of(const char *start)
{
    size_t bytes = strlen(start);

    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, start, bytes) == 0 && strchr(" \n", line[bytes]))
            return strndup(line, strcspn(line, "\n"));
    return NULL;
}

START_TEST(completion_names_the_flag_its_value_and_the_words_it_takes)
{
    const struct setting *setting = &settings_table[_i];
    char expected[256];
    int used = snprintf(expected, sizeof(expected), "%s %s", setting->flag, setting->placeholder);

    for (size_t i = 0; i < setting->word_count; i++)
        used += snprintf(expected + used, sizeof(expected) - (size_t)used, " %s", setting->words[i]);
    export(settings_help_completion);
    char *line = line_of(setting->flag);
    ck_assert_msg(line, "%s: no line", setting->flag);
    ck_assert_str_eq(line, expected);
    free(line);
}
END_TEST

START_TEST(completion_names_the_switches_and_the_words)
{
    export(settings_help_completion);
    for (size_t i = 0; i < SETTINGS_SWITCH_COUNT + SETTINGS_WORD_COUNT; i++) {
        const char *word = i < SETTINGS_SWITCH_COUNT ? settings_switches[i].flag
                                                     : settings_words[i - SETTINGS_SWITCH_COUNT].flag;
        const char *value = i < SETTINGS_SWITCH_COUNT ? settings_switches[i].placeholder : NULL;
        char *line = line_of(word), expected[64];

        snprintf(expected, sizeof(expected), "%s%s%s", word, value ? " " : "", value ? value : "");
        ck_assert_msg(line && strcmp(line, expected) == 0, "%s: %s", word, line ? line : "no line");
        free(line);
    }
}
END_TEST

START_TEST(the_manual_names_flag_value_and_variable)
{
    const struct setting *setting = &settings_table[_i];
    char expected[256];

    snprintf(expected, sizeof(expected), ".It Fl %s Ar %s , Ev %s", setting->flag + 1, setting->placeholder,
             setting->name);
    export(settings_help_man);
    char *line = line_of(expected);
    ck_assert_msg(line && strcmp(line, expected) == 0, "%s: no line", expected);
    free(line);
}
END_TEST

/* A line that begins with a dot is a request: none but those that are meant. */
START_TEST(no_text_of_the_manual_is_a_roff_request)
{
    static const char *const requests[] = {".Ss ", ".Bl ", ".It Fl -", ".El\n"};
    size_t begun = 0, ended = 0;

    export(settings_help_man);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        bool meant = false;

        for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
            meant = meant || strncmp(line, requests[i], strlen(requests[i])) == 0;
        ck_assert_msg(meant || !strchr(".'", line[0]), "%.*s", (int)strcspn(line, "\n"), line);
        begun += strncmp(line, ".Bl ", 4) == 0;
        ended += strncmp(line, ".El\n", 4) == 0;
    }
    ck_assert_uint_gt(begun, 0);
    ck_assert_uint_eq(begun, ended);
}
END_TEST

START_TEST(the_manual_marks_up_what_is_literal)
{
    export(settings_help_man);
    ck_assert_ptr_nonnull(strstr(text, "\\fBclosed\\fR answers 503"));
    ck_assert_ptr_nonnull(strstr(text, "X\\-Forwarded\\-For"));
    ck_assert_ptr_null(strchr(text, '`'));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("settings_export");
    TCase *tests = tcase_create("export");

    tcase_add_checked_fixture(tests, NULL, forget);
    tcase_add_loop_test(tests, completion_names_the_flag_its_value_and_the_words_it_takes, 0, SETTING_COUNT);
    tcase_add_test(tests, completion_names_the_switches_and_the_words);
    tcase_add_loop_test(tests, the_manual_names_flag_value_and_variable, 0, SETTING_COUNT);
    tcase_add_test(tests, no_text_of_the_manual_is_a_roff_request);
    tcase_add_test(tests, the_manual_marks_up_what_is_literal);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
