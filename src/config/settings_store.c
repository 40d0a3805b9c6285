#include <stdlib.h>
#include <string.h>

#include "settings_secret.h"
#include "settings_steps.h"
#include "settings_values.h"
#include "store_url.h"

static void
wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
}

static bool
has_parts(const struct settings *settings)
{
    for (enum setting_id id = SETTING_REDIS_HOST; id <= SETTING_REDIS_PASSWORD_FILE; id++)
        if (settings_was_given(settings, id))
            return true;
    return false;
}

void
settings_compose_store(struct settings *settings, struct report *report)
{
    bool from_file = settings_was_given(settings, SETTING_REDIS_PASSWORD_FILE);
    char *file_password = NULL;
    struct store_url_parts parts = {
        .host = settings->redis_host,
        .port = settings->redis_port,
        .db = settings->redis_db,
        .username = settings->redis_username,
        .password = settings->redis_password,
    };

    if (from_file && settings_was_given(settings, SETTING_REDIS_PASSWORD)) {
        report_add(report, "%s: given together with %s; accepted: one of the two",
                   settings_place(settings, SETTING_REDIS_PASSWORD).text,
                   settings_place(settings, SETTING_REDIS_PASSWORD_FILE).text);
    } else if (has_parts(settings) && !settings_was_given(settings, SETTING_STORE)) {
        if (from_file)
            file_password = settings_read_secret(settings, SETTING_REDIS_PASSWORD_FILE, report);
        if (file_password)
            parts.password = file_password;
        settings_replace(settings, SETTING_STORE, store_url_compose(&parts));
        settings->store = settings->given[SETTING_STORE].text;
        settings->store_composed = true;
    }
    wipe(file_password);
    free(file_password);
    wipe(settings->redis_password);
}
