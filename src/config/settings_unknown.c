/*
 * Variables that look like a setting but are not: REDIS_URI=... would be ignored silently, and the service
 * would count in the default store.
 *
 * Most of an environment belongs to other programs. So it warns only of names that resemble a setting of two
 * words or more (too many names resemble HOST and PORT), or that begin with REDIS_ and are not known to be
 * another program's.
 */
#include <ctype.h>
#include <string.h>

#include "settings_steps.h"
#include "settings_table.h"

#define NAME_BYTES   64 /* longer names resemble no setting */
#define REDIS_PREFIX "REDIS_"

static bool
begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool
is_link_value(const char *value)
{
    return begins_with(value, "tcp://") || begins_with(value, "udp://") || begins_with(value, "sctp://");
}

bool
settings_is_service_link(const char *name, const char *value)
{
    const char *port = strstr(name, "_PORT_");

    return is_link_value(value) || strstr(name, "_SERVICE_HOST") != NULL ||
           strstr(name, "_SERVICE_PORT") != NULL || strstr(name, "_ENV_") != NULL ||
           (port != NULL && isdigit((unsigned char)port[strlen("_PORT_")])) ||
           (value[0] == '/' && strstr(name, "_NAME") != NULL);
}

/* What the image of Redis and docker-compose.yml set. */
static bool
is_of_others(const char *name)
{
    static const char *const names[] = {"REDIS_VERSION", "REDIS_DOWNLOAD_URL", "REDIS_DOWNLOAD_SHA",
                                        "REDIS_MAXMEMORY", "RATE_LIMIT_RULES"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Names that other programs have for the same thing, too far from ours to be found by their letters. */
static const char *
find_usual(const char *name)
{
    static const char *const usual[][2] = {
        {"REDIS_PASS", "REDIS_PASSWORD"},         {"REDIS_AUTH", "REDIS_PASSWORD"},
        {"REDIS_TLS", "REDIS_URL=rediss://HOST"}, {"REDIS_SSL", "REDIS_URL=rediss://HOST"},
        {"TRUSTED_PROXY", "TRUSTED_PROXIES"},
    };

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (strcmp(name, usual[i][0]) == 0)
            return usual[i][1];
    return NULL;
}

/* NULL: none. In .env, which is written for this service, settings of one word count too. */
static const char *
find_meant(const char *name, bool is_dotenv)
{
    const char *words[SETTING_COUNT], *meant = find_usual(name);
    size_t count = 0;

    if (meant != NULL)
        return meant;
    if (!is_dotenv && strchr(name, '_') == NULL)
        return NULL;
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        if (is_dotenv || strchr(settings_table[id].name, '_') != NULL)
            words[count++] = settings_table[id].name;
    meant = report_did_you_mean(name, words, count);
    /* CI_TOKEN is as near to API_TOKEN as a slip is: few slips are in the first letter. */
    return meant != NULL && toupper((unsigned char)name[0]) == meant[0] ? meant : NULL;
}

void
settings_warn_unknown(const char *place, const char *name, size_t name_bytes, const char *value,
                      struct report *report)
{
    char copy[NAME_BYTES + 1];
    const char *meant;

    if (name_bytes > NAME_BYTES)
        return;
    memcpy(copy, name, name_bytes);
    copy[name_bytes] = '\0';
    if (settings_is_service_link(copy, value) || is_of_others(copy))
        return;
    meant = find_meant(copy, place[0] != '\0');
    if (meant != NULL)
        report_warn(report, "%s%s: no setting has this name, so it is ignored; did you mean %s?", place, copy,
                    meant);
    else if (begins_with(copy, REDIS_PREFIX))
        report_warn(report, "%s%s: no setting has this name, so it is ignored; --help shows all settings",
                    place, copy);
}
