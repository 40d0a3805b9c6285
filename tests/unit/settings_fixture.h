/*
 * settings_fixture: flags, variables and a `.env` for settings_read, and what it makes of them. Each test
 * runs in a directory of its own, so that `.env` is `.env` in messages too.
 */
#ifndef SETTINGS_FIXTURE_H
#define SETTINGS_FIXTURE_H

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings.h"
#include "settings_table.h"
#include "suite.h"

#define GIVEN_MAX 32

/* What is given to settings_read, and what comes of it. */
struct run {
    char *arguments[GIVEN_MAX];
    int argument_count; /* with the program's name */
    char *environment[GIVEN_MAX];
    int variable_count;

    struct settings settings;
    enum settings_command command;
    struct report report;
};

static struct run run;
static char directory[] = "/tmp/test_settings.XXXXXX";

static inline char *
copy_of(const char *text)
{
    char *copy = strdup(text);

    ck_assert_ptr_nonnull(copy);
    return copy;
}

static inline void
write_file(const char *path, const char *mode, const char *text)
{
    FILE *file = fopen(path, mode);

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static inline void
argument(const char *text)
{
    ck_assert_int_lt(run.argument_count, GIVEN_MAX - 1);
    run.arguments[run.argument_count++] = copy_of(text);
}

static inline void
variable(const char *text)
{
    ck_assert_int_lt(run.variable_count, GIVEN_MAX - 1);
    run.environment[run.variable_count++] = copy_of(text);
}

static inline void
dotenv_line(const char *text)
{
    write_file(".env", "a", text);
    write_file(".env", "a", "\n");
}

static inline void
forget(void)
{
    settings_fini(&run.settings);
    report_fini(&run.report);
    for (int i = 0; i < GIVEN_MAX; i++) {
        free(run.arguments[i]);
        free(run.environment[i]);
    }
    unlink(".env");
    run = (struct run){0};
    argument("ratelimitd");
}

static inline void
set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    argument("ratelimitd");
}

static inline void
tear_down(void)
{
    static const char *const files[] = {"one", "two", "three", "secret", ".env"};

    forget();
    free(run.arguments[0]);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(files[i]);
    rmdir(".env");
    rmdir(directory);
}

/* The report as one text; the caller frees it. */
static inline char *
report_text(void)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    report_print(&run.report, out, "");
    fclose(out);
    return text;
}

static inline void
read_settings(void)
{
    report_init(&run.report);
    settings_read(&run.settings, &run.command, run.argument_count, run.arguments, run.environment, ".env",
                  &run.report);
}

static inline void
read_well(void)
{
    read_settings();
    char *text = report_text();
    ck_assert_msg(report_is_empty(&run.report), "unexpected: %s", text);
    free(text);
}

static inline void
ck_assert_report(const char *expected)
{
    char *text = report_text();

    ck_assert_str_eq(text, expected);
    free(text);
}

static inline char *
printed(void)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    settings_print(&run.settings, out);
    fclose(out);
    return text;
}

/* The field's value as text. */
static inline const char *
field(enum setting_id id)
{
    static char text[32];
    const char *at = (const char *)&run.settings + settings_table[id].offset;
    int64_t number;
    const char *value;

    if (settings_table[id].type <= VALUE_WORD) {
        memcpy(&number, at, sizeof(number));
        snprintf(text, sizeof(text), "%" PRId64, number);
        return settings_table[id].type == VALUE_WORD ? settings_table[id].words[number] : text;
    }
    memcpy(&value, at, sizeof(value));
    return value;
}

#endif
