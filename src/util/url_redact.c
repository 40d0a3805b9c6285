#include "url_redact.h"

#include <stdio.h>
#include <string.h>

static const char *
host_of(const char *url)
{
    const char *scheme = strstr(url, "://");

    return scheme ? scheme + 3 : url;
}

/* The password, or the user that may be one, before the last `@`. */
static const char *
find_password(const char *url, const char *at)
{
    const char *userinfo = host_of(url), *colon;

    if (userinfo >= at)
        userinfo = url;
    colon = memchr(userinfo, ':', (size_t)(at - userinfo));
    return colon ? colon + 1 : userinfo;
}

/* "redis://USER:PASSWORD", its "@HOST" forgotten: what stands in the place of a port, and is none. NULL: nothing does. */
static const char *
find_stray_password(const char *url)
{
    const char *host = host_of(url);
    const char *name = host[0] == '[' ? host + strcspn(host, "]") : host;
    const char *colon = memchr(name, ':', strcspn(name, "/"));
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

    if (colon == NULL || colon[1 + digits] == '\0' || (digits > 0 && colon[1 + digits] == '/'))
        return NULL;
    return colon + 1;
}

char *
url_redact(const char *url)
{
    const char *at = strrchr(url, '@');
    const char *secret = at ? find_password(url, at) : find_stray_password(url);
    char *redacted;

    if (secret == NULL)
        return strdup(url);
    if (asprintf(&redacted, "%.*s***%s", (int)(secret - url), url, at ? at : "") < 0)
        return NULL;
    return redacted;
}
