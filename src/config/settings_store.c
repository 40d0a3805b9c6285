/*
 * The store's URL, composed from the parts, and warnings about settings that have no effect with the store in
 * use. Without a warning the operator would believe that the connection is encrypted, or that a password is
 * sent.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "or_abort.h"
#include "settings_steps.h"
#include "url.h"

static bool
has_parts(const struct settings *settings)
{
    for (enum setting_id id = SETTING_REDIS_HOST; id <= SETTING_REDIS_PASSWORD_FILE; id++)
        if (settings_was_given(settings, id))
            return true;
    return false;
}

/* redis://[[username]:[password]@]host:port/db, percent-encoded. */
static char *
compose(const struct settings *settings, const char *password)
{
    const char *host = settings->redis_host, *username = settings->redis_username;
    /* An encoded byte takes three; brackets, punctuation, port and database take less than 64. */
    size_t room = 3 * (strlen(username) + strlen(password)) + strlen(host) + 64;
    bool is_ipv6 = strchr(host, ':') != NULL;
    char *url = or_abort(malloc(room));
    char *out = stpcpy(url, "redis://");

    if (username[0] != '\0' || password[0] != '\0') {
        out = url_encode(out, username);
        *out++ = ':';
        out = url_encode(out, password);
        *out++ = '@';
    }
    snprintf(out, room - (size_t)(out - url), "%s%s%s:%" PRId64 "/%" PRId64, is_ipv6 ? "[" : "", host,
             is_ipv6 ? "]" : "", settings->redis_port, settings->redis_db);
    return url;
}

void
settings_compose_store(struct settings *settings, struct report *report)
{
    char *file_password = NULL;

    if (!settings_are_both_given(settings, SETTING_REDIS_PASSWORD, SETTING_REDIS_PASSWORD_FILE, report) &&
        has_parts(settings) && !settings_was_given(settings, SETTING_STORE)) {
        if (settings_was_given(settings, SETTING_REDIS_PASSWORD_FILE))
            file_password = settings_read_secret(settings, SETTING_REDIS_PASSWORD_FILE, report);
        settings->store = compose(settings, file_password ? file_password : settings->redis_password);
        settings_replace(settings, SETTING_STORE, settings->store);
        settings->store_composed = true;
    }
    settings_wipe(file_password);
    free(file_password);
    settings_wipe(settings->redis_password);
}

static void
warn_service_link(const struct settings *settings, struct report *report)
{
    const char *link = settings->redis_port_link;

    if (link == NULL || settings_was_given(settings, SETTING_STORE) || settings->store_composed)
        return;
    report_warn(
        report,
        "REDIS_PORT: \"%s\" is what Kubernetes sets for a service named redis, and is ignored; to use "
        "that Redis set REDIS_URL=redis://%s",
        link, strchr(link, '/') + strlen("//"));
}

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
    warn_service_link(settings, report);
    warn_unused_tls(settings, report);
    warn_unused_user(settings, report);
}
