#include "url_redact.h"

#include <stdio.h>
#include <string.h>

char *
url_redact(const char *url)
{
    const char *at = strrchr(url, '@');
    const char *userinfo = strstr(url, "://");
    const char *colon;
    char *redacted;

    if (at == NULL)
        return strdup(url);
    userinfo = userinfo && userinfo < at ? userinfo + 3 : url;
    colon = memchr(userinfo, ':', (size_t)(at - userinfo));
    if (asprintf(&redacted, "%.*s***%s", (int)((colon ? colon + 1 : userinfo) - url), url, at) < 0)
        return NULL;
    return redacted;
}
