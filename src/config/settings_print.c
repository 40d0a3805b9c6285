#include <stdlib.h>
#include <string.h>

#include "dotenv.h"
#include "or_abort.h"
#include "settings_steps.h"
#include "settings_table.h"
#include "url.h"

#define HELP_COLUMNS   100
#define HELP_INDENT    31 /* column of the text, right of the flags */
#define COMMENT_COLUMN 48 /* column of the source in --print-config */

static void
write_blanks(FILE *out, size_t count)
{
    fprintf(out, "%*s", (int)count, "");
}

/* NAME=value and, in a separate column, the source of the value. */
static void
print_setting(const struct settings *settings, enum setting_id id, FILE *out)
{
    const struct setting *setting = &settings_table[id];
    const struct setting_given *given = &settings->given[id];
    bool is_secret = setting->type == VALUE_SECRET && settings_was_given(settings, id);
    bool is_composed = id == SETTING_STORE && settings->store_composed;
    char *redacted = setting->type == VALUE_STORE ? or_abort(url_redact(given->text)) : NULL;
    size_t used = strlen(setting->name) + 1;

    /* Commented out: read back, it would override the parts. */
    if (is_composed)
        used += (size_t)fprintf(out, "# ");
    fprintf(out, "%s=", setting->name);
    used += dotenv_write_value(out, is_secret ? "***" : redacted ? redacted : given->text);
    free(redacted);
    write_blanks(out, used < COMMENT_COLUMN ? COMMENT_COLUMN - used : 0);

    if (is_composed)
        fputs(" # composed from the parts\n", out);
    else if (given->text[0] == '\0' && !is_secret)
        fputs(" # not set\n", out);
    else if (given->source == FROM_DOTENV)
        fprintf(out, " # %s:%u\n", settings->dotenv, given->line);
    else
        fprintf(out, " # %s\n",
                given->source == FROM_FLAG          ? "flag"
                : given->source == FROM_ENVIRONMENT ? "environment"
                                                    : "default");
}

void
settings_print(const struct settings *settings, FILE *out)
{
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        if (setting_group(id))
            fprintf(out, "%s# %s\n", id == 0 ? "" : "\n", setting_group(id));
        print_setting(settings, id, out);
    }
}

/* Writes `text` from the column HELP_INDENT on, broken at blanks so that no line is longer than HELP_COLUMNS.
   The backticks, which are for the table of the documentation, are left out. */
static void
write_wrapped(FILE *out, const char *text)
{
    size_t column = HELP_INDENT;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        bool first = column == HELP_INDENT;

        if (!first && column + 1 + word > HELP_COLUMNS) {
            fputc('\n', out);
            write_blanks(out, HELP_INDENT);
            column = HELP_INDENT;
            first = true;
        }
        if (!first)
            fputc(' ', out);
        for (size_t i = 0; i < word; i++)
            if (text[i] != '`')
                fputc(text[i], out);
        column += word + !first;
        text += word + strspn(text + word, " ");
    }
    fputc('\n', out);
}

static void
help_row(FILE *out, const char *flag, const char *placeholder, const char *text)
{
    size_t used = (size_t)fprintf(out, "  %s%s%s", flag, placeholder[0] == '\0' ? "" : " ", placeholder);

    write_blanks(out, HELP_INDENT - used);
    write_wrapped(out, text);
}

/* What it means, and below that its name in the environment, what it accepts and its default. */
static void
help_setting(FILE *out, enum setting_id id)
{
    const struct setting *setting = &settings_table[id];
    char details[320];

    help_row(out, setting->flag, setting->placeholder, setting->help);
    snprintf(details, sizeof(details), "%s: %s%s%s", setting->name, setting_accepted(id).text,
             setting->fallback[0] == '\0' ? "" : "; default ", setting->fallback);
    write_blanks(out, HELP_INDENT);
    write_wrapped(out, details);
}

static void
help_switch(FILE *out, const struct settings_switch *switched)
{
    char flags[HELP_INDENT];

    snprintf(flags, sizeof(flags), "%s%s%s", switched->letter ? switched->letter : "",
             switched->letter ? ", " : "", switched->flag);
    help_row(out, flags, switched->placeholder ? switched->placeholder : "", switched->help);
}

void
settings_help(FILE *out)
{
    fputs(
        "ratelimitd: an HTTP rate limiting service\n"
        "\n"
        "  ratelimitd [--store URL] [--rules FILE] [--listen ADDRESS] [FLAG VALUE]...\n"
        "  ratelimitd healthcheck\n"
        "  ratelimitd top [URL]\n"
        "  ratelimitd --check | --explain \"GET /api/data from 203.0.113.9\" | --print-config [FLAG "
        "VALUE]...\n"
        "\n"
        "A setting comes from its flag, else the environment, else .env in the working directory, else its\n"
        "default. A flag's value may also follow an equals sign: --port=8000.\n",
        out);
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        if (setting_group(id))
            fprintf(out, "\n%s\n", setting_group(id));
        help_setting(out, id);
    }
    fputs("\nInstead of serving\n", out);
    for (size_t i = 0; i < SETTINGS_WORD_COUNT; i++)
        help_switch(out, &settings_words[i]);
    for (size_t i = 0; i < SETTINGS_SWITCH_COUNT; i++)
        help_switch(out, &settings_switches[i]);
}
