#include "url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

char *
url_encode(char *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x80 && (isalnum(byte) || strchr("-._~", byte)))
            *out++ = *text;
        else
            out += sprintf(out, "%%%02X", byte);
    }
    return out;
}

bool
url_decode(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int byte = hex_byte(from + 1);
        if (byte <= 0)
            return false;
        *to++ = (char)byte;
        from += 2;
    }
    *to = '\0';
    return true;
}

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

/* "redis://USER:PASSWORD" without its "@HOST": what is in the place of the port and is not a port, or
   NULL. */
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
