#include "settings_values.h"

#include <stdlib.h>
#include <string.h>

#include "or_abort.h"
#include "settings_table.h"
#include "url.h"

void
settings_replace(struct settings *settings, enum setting_id id, char *owned_text)
{
    char *old = settings->given[id].text;

    if (old)
        explicit_bzero(old, strlen(old));
    free(old);
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
