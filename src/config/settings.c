#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "or_abort.h"
#include "settings_steps.h"
#include "settings_table.h"
#include "url.h"

void
settings_read(struct settings *settings, enum settings_command *command, int argc, char **argv,
              char **environment, const char *dotenv, struct report *report)
{
    *settings = (struct settings){.dotenv = or_abort(strdup(dotenv))};
    *command = SETTINGS_SERVE;
    settings_read_flags(settings, command, argc, argv, report);
    if (*command >= SETTINGS_VERSION)
        return;
    settings_read_environment(settings, environment, report);
    settings_read_dotenv(settings, report);
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        settings_give(settings, id, FROM_DEFAULT, 0, settings_table[id].fallback);

    settings_split_listen(settings, report);
    settings_split_admin_listen(settings, report);
    settings_convert(settings, report);
    settings_compose_store(settings, report);
    settings_warn_unused(settings, report);
    settings_read_tokens(settings, report);
    if (settings->log_format == LOG_FORMAT_AUTO)
        settings->log_format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_JSON;
}

void
settings_wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
}

void
settings_fini(struct settings *settings)
{
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        settings_replace(settings, id, NULL);
    for (size_t i = 0; i < sizeof(settings->file_tokens) / sizeof(settings->file_tokens[0]); i++) {
        settings_wipe(settings->file_tokens[i]);
        free(settings->file_tokens[i]);
    }
    free(settings->admin_address);
    free(settings->dotenv);
    *settings = (struct settings){0};
}

/* The text of each setting, and where it was given. */

void
settings_replace(struct settings *settings, enum setting_id id, char *owned_text)
{
    settings_wipe(settings->given[id].text);
    free(settings->given[id].text);
    settings->given[id].text = owned_text;
}

void
settings_give(struct settings *settings, enum setting_id id, enum setting_source source, unsigned line,
              const char *text)
{
    struct setting_given *given = &settings->given[id];

    if (given->text && given->source > source)
        return;
    settings_replace(settings, id, or_abort(strdup(text)));
    given->source = source;
    given->name = id;
    given->line = line;
}

void
settings_give_half(struct settings *settings, enum setting_id id, const char *text)
{
    const struct setting_given *listen = &settings->given[SETTING_LISTEN];
    struct setting_given *given = &settings->given[id];

    if (given->text && given->source > listen->source)
        return;
    settings_give(settings, id, listen->source, listen->line, text);
    given->name = SETTING_LISTEN;
}

bool
settings_was_given(const struct settings *settings, enum setting_id id)
{
    return settings->given[id].source != FROM_DEFAULT;
}

bool
settings_is_flag(const struct settings *settings, enum setting_id id)
{
    return settings->given[id].source == FROM_FLAG;
}

bool
settings_are_both_given(const struct settings *settings, enum setting_id id, enum setting_id other,
                        struct report *report)
{
    if (!settings_was_given(settings, id) || !settings_was_given(settings, other))
        return false;
    report_add(report, "%s: given together with %s; accepted: one of the two",
               settings_place(settings, id).text, settings_place(settings, other).text);
    return true;
}

struct setting_place
settings_place(const struct settings *settings, enum setting_id id)
{
    const struct setting_given *given = &settings->given[id];
    const struct setting *setting = &settings_table[given->name];
    struct setting_place place;

    if (given->source == FROM_FLAG)
        snprintf(place.text, sizeof(place.text), "%s", setting->flag);
    else if (given->source == FROM_DOTENV)
        snprintf(place.text, sizeof(place.text), "%s:%u: %s", settings->dotenv, given->line, setting->name);
    else if (given->source == FROM_DEFAULT)
        snprintf(place.text, sizeof(place.text), "%s or %s", setting->flag, setting->name);
    else
        snprintf(place.text, sizeof(place.text), "%s", setting->name);
    return place;
}

void
settings_diagnostic(const struct settings *settings, enum setting_id id, struct report *report,
                    const char *why)
{
    struct setting_place place = settings_place(settings, id);
    struct setting_accepted accepted = setting_accepted(id);
    const char *text = settings->given[id].text;
    char *redacted;

    if (settings_table[id].type == VALUE_SECRET) {
        report_add(report, "%s: %s; accepted: %s", place.text, why, accepted.text);
        return;
    }
    redacted = settings_table[id].type == VALUE_STORE ? or_abort(url_redact(text)) : NULL;
    report_add(report, "%s: \"%s\": %s; accepted: %s", place.text, redacted ? redacted : text, why,
               accepted.text);
    free(redacted);
}
