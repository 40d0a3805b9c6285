#include "store_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "or_abort.h"
#include "url.h"

#define HOST_BYTES 253 /* RFC 1035: the longest name */

bool
store_url_is_known(const char *url)
{
    static const char *const schemes[] = {"redis://", "rediss://", "unix://"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return strcmp(url, "memory") == 0;
}

char *
store_url_compose(const struct store_url_parts *parts)
{
    /* An encoded byte takes three; brackets, punctuation, port and database take less than 64. */
    size_t room = 3 * (strlen(parts->username) + strlen(parts->password)) + strlen(parts->host) + 64;
    bool is_ipv6 = strchr(parts->host, ':') != NULL;
    char *url = or_abort(malloc(room));
    char *out = stpcpy(url, "redis://");

    if (parts->username[0] != '\0' || parts->password[0] != '\0') {
        out = url_encode(out, parts->username);
        *out++ = ':';
        out = url_encode(out, parts->password);
        *out++ = '@';
    }
    snprintf(out, room - (size_t)(out - url), "%s%s%s:%" PRId64 "/%" PRId64, is_ipv6 ? "[" : "", parts->host,
             is_ipv6 ? "]" : "", parts->port, parts->db);
    return url;
}

bool
store_url_is_host(const char *text)
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
