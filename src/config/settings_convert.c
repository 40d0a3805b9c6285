#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "number.h"
#include "or_abort.h"
#include "settings_steps.h"
#include "settings_table.h"

#define UNIX_PATH_BYTES 107 /* sun_path without its zero */
#define HOST_BYTES      253 /* RFC 1035: the longest name */

static bool
has_control_byte(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

/* A host name, an IPv4 or an IPv6 address, without brackets. */
static bool
is_host(const char *text)
{
    size_t bytes = strlen(text);
    unsigned char address[sizeof(struct in6_addr)];

    if (bytes == 0 || bytes > HOST_BYTES)
        return false;
    if (strchr(text, ':'))
        return inet_pton(AF_INET6, text, address) == 1;
    if (strspn(text, "0123456789.") == bytes)
        return inet_pton(AF_INET, text, address) == 1;
    for (const char *at = text; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-._", *at))
            return false;
    return true;
}

/* The store reads the rest of its URL (redis_url.h). */
static bool
is_store(const char *text)
{
    static const char *const schemes[] = {"redis://", "rediss://", "unix://"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return strcmp(text, "memory") == 0;
}

/* A LISTEN that is not a socket's path: "HOST:PORT", "[IPV6]:PORT", "PORT". Writes over the text. */
static bool
split_address(char *text, const char **host, const char **port)
{
    char *colon = strrchr(text, ':');
    size_t bytes = colon ? (size_t)(colon - text) : 0;
    int64_t ignored;

    *host = NULL;
    *port = colon ? colon + 1 : text;
    if (**port == '\0' || !number_parse(*port, 0, 65535, &ignored))
        return false;
    if (!colon)
        return true;
    *colon = '\0';
    *host = text;
    if (text[0] == '[' && bytes > 2 && text[bytes - 1] == ']') {
        text[bytes - 1] = '\0';
        *host = text + 1;
        return strchr(*host, ':') && is_host(*host);
    }
    return !strchr(text, ':') && is_host(text);
}

/* Whether LISTEN or ADMIN_LISTEN is the path of a socket; says what is wrong with it. */
static bool
is_socket_path(const struct settings *settings, enum setting_id id, struct report *report)
{
    const char *text = settings->given[id].text;

    if (strncmp(text, "unix:/", 6) != 0)
        return false;
    if (strlen(text + 5) > UNIX_PATH_BYTES)
        settings_diagnostic(settings, id, report, "a socket's path has at most 107 bytes");
    if (has_control_byte(text))
        settings_diagnostic(settings, id, report, "holds a control byte");
    return true;
}

/*
 * LISTEN=HOST:PORT is HOST and PORT given at the same place: each of the two may still be given by a stronger
 * source. A socket's path stays in LISTEN, unless a stronger source gives host or port.
 */
void
settings_split_listen(struct settings *settings, struct report *report)
{
    struct setting_given *listen = &settings->given[SETTING_LISTEN];
    const struct setting_given *host = &settings->given[SETTING_HOST];
    const struct setting_given *port = &settings->given[SETTING_PORT];
    const char *host_text, *port_text;
    char *address;

    if (!settings_was_given(settings, SETTING_LISTEN))
        return;
    if (listen->source == FROM_FLAG && (host->source == FROM_FLAG || port->source == FROM_FLAG))
        report_add(report, "--listen: given together with %s; accepted: one of the two",
                   host->source == FROM_FLAG ? "--host" : "--port");
    if (is_socket_path(settings, SETTING_LISTEN, report)) {
        if (host->source > listen->source || port->source > listen->source)
            settings_replace(settings, SETTING_LISTEN, or_abort(strdup("")));
        return;
    }
    address = or_abort(strdup(listen->text));
    if (split_address(address, &host_text, &port_text)) {
        if (host_text)
            settings_give_half(settings, SETTING_HOST, host_text);
        settings_give_half(settings, SETTING_PORT, port_text);
        settings_replace(settings, SETTING_LISTEN, or_abort(strdup("")));
    } else {
        settings_diagnostic(settings, SETTING_LISTEN, report, "not an address to listen on");
    }
    free(address);
}

/* A port alone is one of this machine's own address, not of all as LISTEN has it. */
void
settings_split_admin_listen(struct settings *settings, struct report *report)
{
    const char *text = settings->given[SETTING_ADMIN_LISTEN].text, *port;

    if (strcmp(text, "off") == 0 || is_socket_path(settings, SETTING_ADMIN_LISTEN, report))
        return;
    settings->admin_address = or_abort(strdup(text));
    if (!split_address(settings->admin_address, &settings->admin_host, &port) ||
        !number_parse(port, 0, 65535, &settings->admin_port))
        settings_diagnostic(settings, SETTING_ADMIN_LISTEN, report, "not an address to listen on");
    if (settings->admin_host == NULL)
        settings->admin_host = "127.0.0.1";
}

/* An empty text is an empty list. */
static bool
are_hosts(const char *text)
{
    char *copy = or_abort(strdup(text)), *rest = text[0] != '\0' ? copy : NULL;
    bool good = true;

    while (good && rest != NULL) {
        char *name = strsep(&rest, ",");
        name += strspn(name, " ");
        name[strcspn(name, " ")] = '\0';
        good = is_host(name);
    }
    free(copy);
    return good;
}

static void
convert_number(const struct settings *settings, enum setting_id id, int64_t *out, struct report *report)
{
    const struct setting *setting = &settings_table[id];
    const char *text = settings->given[id].text;
    const char *digits = text + (text[0] == '-');
    bool is_whole = digits[0] != '\0' && digits[strspn(digits, "0123456789")] == '\0';

    if (!number_parse(text, setting->min, setting->max, out))
        settings_diagnostic(settings, id, report,
                            is_whole                          ? "out of range"
                            : setting->type == VALUE_DURATION ? "not a duration"
                                                              : "not a whole number");
}

static void
convert_duration(const struct settings *settings, enum setting_id id, int64_t *out_ms, struct report *report)
{
    int64_t us;

    if (duration_parse(settings->given[id].text, &us))
        *out_ms = us / US_PER_MS; /* exact: no unit is smaller */
    else
        convert_number(settings, id, out_ms, report);
}

/* Any case: LOG_LEVEL=INFO is what many write. */
static void
convert_word(const struct settings *settings, enum setting_id id, int64_t *out, struct report *report)
{
    const struct setting *setting = &settings_table[id];
    const char *text = settings->given[id].text;
    const char *meant;
    char why[64];

    for (size_t i = 0; i < setting->word_count; i++) {
        if (strcasecmp(setting->words[i], text) == 0) {
            *out = (int64_t)i;
            return;
        }
    }
    meant = report_did_you_mean(text, setting->words, setting->word_count);
    if (meant)
        snprintf(why, sizeof(why), "unknown (did you mean %s?)", meant);
    settings_diagnostic(settings, id, report, meant ? why : "unknown");
}

static void
convert_text(const struct settings *settings, enum setting_id id, char **out, struct report *report)
{
    char *text = settings->given[id].text;

    *out = text;
    switch (settings_table[id].type) {
    case VALUE_TEXT:
        if (has_control_byte(text))
            settings_diagnostic(settings, id, report, "holds a control byte");
        break;
    case VALUE_HOST:
        if (!is_host(text))
            settings_diagnostic(settings, id, report, "not a host");
        break;
    case VALUE_HOSTS:
        if (!are_hosts(text))
            settings_diagnostic(settings, id, report, "not a list of hosts");
        break;
    case VALUE_STORE:
        if (!is_store(text))
            settings_diagnostic(settings, id, report, "not a store");
        break;
    default: /* a secret may be anything, and addresses were looked at when they were split */
        break;
    }
}

void
settings_convert(struct settings *settings, struct report *report)
{
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        void *field = (char *)settings + settings_table[id].offset;

        if (settings_table[id].type == VALUE_NUMBER)
            convert_number(settings, id, field, report);
        else if (settings_table[id].type == VALUE_DURATION)
            convert_duration(settings, id, field, report);
        else if (settings_table[id].type == VALUE_WORD)
            convert_word(settings, id, field, report);
        else
            convert_text(settings, id, field, report);
    }
}
