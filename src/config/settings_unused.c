/*
 * Settings of the store that have no effect with the store in use. Each one protects something: without a warning the
 * operator would believe that the connection is encrypted, or that a password is sent.
 */
#include <string.h>

#include "settings_steps.h"
#include "settings_values.h"

static void
warn_unused_tls(const struct settings *settings, struct report *report)
{
    if (strncmp(settings->store, "redis://", strlen("redis://")) != 0)
        return;
    for (enum setting_id id = SETTING_REDIS_TLS_CA_FILE; id <= SETTING_REDIS_TLS_KEY_FILE; id++)
        if (settings_was_given(settings, id))
            report_warn(report,
                        "%s: has no effect, and nothing is encrypted: the store is redis://; for TLS set "
                        "REDIS_URL=rediss://...",
                        settings_place(settings, id).text);
}

static void
warn_unused_user(const struct settings *settings, struct report *report)
{
    if (!settings_was_given(settings, SETTING_STORE) || strcmp(settings->store, "memory") == 0 ||
        strchr(settings->store, '@') != NULL)
        return;
    for (enum setting_id id = SETTING_REDIS_USERNAME; id <= SETTING_REDIS_PASSWORD_FILE; id++)
        if (settings_was_given(settings, id))
            report_warn(report, "%s: has no effect with %s; put the user and password into that URL",
                        settings_place(settings, id).text, settings_place(settings, SETTING_STORE).text);
}

void
settings_warn_unused(const struct settings *settings, struct report *report)
{
    warn_unused_tls(settings, report);
    warn_unused_user(settings, report);
}
