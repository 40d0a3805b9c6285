/*
 * The command line:  [healthcheck | top [URL]] [--flag value | --flag=value | --switch | -letter | --explain request]...
 *
 * A value in an argument of its own never begins with "--": `--port --check` is a missing port, and "--help"
 * is always a request for help. Of what is not understood, only the flag's name is repeated: the rest may be
 * a misplaced password.
 */
#include <stdlib.h>
#include <string.h>

#include "settings_steps.h"
#include "settings_table.h"

struct command_line {
    int argc;
    char **argv;
    int at; /* index of the next argument */
    struct settings *settings;
    enum settings_command *command;
    struct report *report;
};

static bool
is_flag(const char *argument)
{
    return strncmp(argument, "--", 2) == 0;
}

/* Also `--explain=REQUEST`: a value that a switch takes is no part of its name. */
static bool
is_switch(const struct settings_switch *switched, const char *argument)
{
    size_t bytes = strlen(switched->flag);

    return strcmp(switched->flag, argument) == 0 ||
           (switched->placeholder != NULL && strncmp(switched->flag, argument, bytes) == 0 &&
            argument[bytes] == '=') ||
           (switched->letter != NULL && strcmp(switched->letter, argument) == 0);
}

static size_t
find_switch(const char *argument)
{
    size_t i = 0;

    while (i < SETTINGS_SWITCH_COUNT && !is_switch(&settings_switches[i], argument))
        i++;
    return i;
}

/* The flag that `name` was probably meant to be, or NULL. */
static const char *
find_meant(const char *name)
{
    const char *words[SETTING_COUNT + SETTINGS_SWITCH_COUNT];
    size_t count = 0;

    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        words[count++] = settings_table[id].flag;
    for (size_t i = 0; i < SETTINGS_SWITCH_COUNT; i++)
        words[count++] = settings_switches[i].flag;
    return report_did_you_mean(name, words, count);
}

/* --help and --version work whatever else is wrong with the command line. */
static bool
asks_for_text(const struct command_line *line)
{
    for (int i = 1; i < line->argc; i++) {
        size_t found = find_switch(line->argv[i]);
        if (!is_flag(line->argv[i]) &&
            setting_by_flag(line->argv[i - 1], strlen(line->argv[i - 1])) != SETTING_COUNT)
            continue; /* the value of a flag: a password may be -h */
        if (found < SETTINGS_SWITCH_COUNT && settings_switches[found].command >= SETTINGS_VERSION) {
            *line->command = settings_switches[found].command;
            return true;
        }
    }
    return false;
}

static void
take_command(struct command_line *line, const char *flag, enum settings_command command)
{
    if (*line->command == command)
        report_add(line->report, "%s: given twice", flag);
    else if (*line->command != SETTINGS_SERVE)
        report_add(line->report,
                   "%s: a command was already given; accepted: one of healthcheck, top, --check, "
                   "--explain, --print-config",
                   flag);
    else
        *line->command = command;
}

/* `flag` is `bytes` long; its value follows an "=" or is the next argument. NULL: it is missing. */
static const char *
value_of(struct command_line *line, const char *flag, size_t bytes)
{
    if (flag[bytes] == '=')
        return flag + bytes + 1;
    return line->at < line->argc && !is_flag(line->argv[line->at]) ? line->argv[line->at++] : NULL;
}

static void
take_switch(struct command_line *line, const struct settings_switch *switched, const char *argument)
{
    take_command(line, switched->flag, switched->command);
    if (switched->placeholder == NULL)
        return;
    line->settings->explain = value_of(line, argument, strlen(switched->flag));
    if (line->settings->explain == NULL)
        report_add(line->report, "%s: its value is missing; accepted: " SETTINGS_EXPLAIN_ACCEPTED,
                   switched->flag);
}

/* Its value may be a secret, so it is skipped and not shown. */
static void
refuse_flag(struct command_line *line, const char *flag, size_t bytes)
{
    char name[64];
    const char *meant;

    snprintf(name, sizeof(name), "%.*s", (int)bytes, flag);
    if (flag[bytes] == '\0' && line->at < line->argc && !is_flag(line->argv[line->at]))
        line->at++;

    meant = find_meant(name);
    if (strcmp(name, "--help") == 0)
        report_add(line->report, "--help: unknown format; accepted: --help, --help=markdown, --help=man, "
                                 "--help=completion");
    else if (find_switch(name) < SETTINGS_SWITCH_COUNT)
        report_add(line->report, "%s: takes no value", name);
    else if (meant)
        report_add(line->report, "%s: unknown flag (did you mean %s?)", name, meant);
    else
        report_add(line->report, "%s: unknown flag; --help shows all", name);
}

static void
take_value(struct command_line *line, enum setting_id id, const char *flag, size_t bytes)
{
    const char *value = value_of(line, flag, bytes);

    if (settings_was_given(line->settings, id))
        report_add(line->report, "%s: given twice", settings_table[id].flag);
    else if (value == NULL || value[0] == '\0')
        report_add(line->report, "%s: %s; accepted: %s", settings_table[id].flag,
                   value ? "empty" : "its value is missing", setting_accepted(id).text);
    else
        settings_give(line->settings, id, FROM_FLAG, 0, value);
}

/* A word, or a flag with one dash: `ratelimitd check`, `ratelimitd -port=80`. It is not repeated. */
static void
refuse_argument(struct command_line *line, int position, const char *argument)
{
    const char *commands[SETTINGS_WORD_COUNT];
    const char *word = argument + strspn(argument, "-"), *meant;
    char name[64];

    snprintf(name, sizeof(name), "--%.*s", (int)strcspn(word, "="), word);
    for (size_t i = 0; i < SETTINGS_WORD_COUNT; i++)
        commands[i] = settings_words[i].flag;
    meant = position == 1 ? report_did_you_mean(argument, commands, SETTINGS_WORD_COUNT) : NULL;
    if (meant == NULL)
        meant = find_meant(name);
    report_add(line->report, "argument %d: not a flag%s%s%s; accepted: flags, which begin with --%s",
               position, meant ? " (did you mean " : "", meant ? meant : "", meant ? "?)" : "",
               line->settings->explain != NULL ? "; quote the request of --explain, as it is one argument"
                                               : "");
}

/* False: it is no word for a command. */
static bool
take_word(struct command_line *line, const char *argument)
{
    for (size_t i = 0; i < SETTINGS_WORD_COUNT; i++) {
        if (strcmp(argument, settings_words[i].flag) != 0)
            continue;
        take_command(line, argument, settings_words[i].command);
        if (settings_words[i].placeholder != NULL && line->at < line->argc && line->argv[line->at][0] != '-')
            line->settings->top_url = line->argv[line->at++];
        return true;
    }
    return false;
}

static void
take_argument(struct command_line *line)
{
    int position = line->at;
    const char *argument = line->argv[line->at++];
    size_t bytes = strcspn(argument, "=");
    size_t found = find_switch(argument);
    enum setting_id id = setting_by_flag(argument, bytes);

    if (position == 1 && take_word(line, argument))
        return;
    if (found < SETTINGS_SWITCH_COUNT)
        take_switch(line, &settings_switches[found], argument);
    else if (id != SETTING_COUNT)
        take_value(line, id, argument, bytes);
    else if (is_flag(argument))
        refuse_flag(line, argument, bytes);
    else
        refuse_argument(line, position, argument);
}

void
settings_read_flags(struct settings *settings, enum settings_command *command, int argc, char **argv,
                    struct report *report)
{
    struct command_line line = {
        .argc = argc, .argv = argv, .at = 1, .settings = settings, .command = command, .report = report};

    if (asks_for_text(&line))
        return;
    while (line.at < argc)
        take_argument(&line);
}
