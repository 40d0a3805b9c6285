#include "origin.h"

#include <string.h>
#include <strings.h>

static bool
is_text(const struct field *field, const char *text)
{
    return field->bytes == strlen(text) && memcmp(field->text, text, field->bytes) == 0;
}

static bool
is_same(const struct field *one, const struct field *other)
{
    return one->bytes == other->bytes && strncasecmp(one->text, other->text, one->bytes) == 0;
}

/* Takes "http://" off. False: it begins with something else. */
static bool
skip_scheme(struct field *origin, const char *scheme)
{
    size_t bytes = strlen(scheme);

    if (origin->bytes < bytes || strncasecmp(origin->text, scheme, bytes) != 0)
        return false;
    origin->text += bytes;
    origin->bytes -= bytes;
    return true;
}

/* "HOST:PORT", "[IPV6]:PORT", or the same without a port, which is then that of the scheme. */
static void
split_port(struct field *host, struct field *port, const char *scheme_port)
{
    size_t at = host->bytes;

    while (at > 0 && host->text[at - 1] >= '0' && host->text[at - 1] <= '9')
        at--;
    *port = (struct field){.text = scheme_port, .bytes = strlen(scheme_port)};
    if (at == 0 || at == host->bytes || host->text[at - 1] != ':')
        return;
    *port = (struct field){.text = host->text + at, .bytes = host->bytes - at};
    host->bytes = at - 1;
}

static bool
is_of_host(struct field origin, struct field host)
{
    const char *scheme_port = "80";
    struct field origin_port, host_port;

    if (skip_scheme(&origin, "https://"))
        scheme_port = "443";
    else if (!skip_scheme(&origin, "http://"))
        return false;
    split_port(&origin, &origin_port, scheme_port);
    split_port(&host, &host_port, scheme_port);
    return origin.bytes > 0 && is_same(&origin, &host) && is_same(&origin_port, &host_port);
}

bool
origin_is_foreign(const struct field *origin, const struct field *fetch_site, const struct field *host)
{
    if (fetch_site->text != NULL && !is_text(fetch_site, "same-origin") && !is_text(fetch_site, "none"))
        return true;
    return origin->text != NULL && (host->text == NULL || !is_of_host(*origin, *host));
}
