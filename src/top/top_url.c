#include "top_url.h"

#include <stdio.h>
#include <string.h>

#include "number.h"

#define SCHEME      "http://"
#define UNIX_SCHEME "unix:"

static bool
is_visible(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static void
copy(char *out, const char *text, size_t bytes)
{
    memcpy(out, text, bytes);
    out[bytes] = '\0';
}

/* What follows the host: nothing, or ":PORT". */
static const char *
parse_port(struct top_url *url, const char *text, size_t bytes)
{
    int64_t port;

    if (bytes == 0) {
        snprintf(url->port, sizeof(url->port), "80");
        return NULL;
    }
    if (text[0] != ':' || bytes > 6)
        return "the port is no number from 1 to 65535";
    copy(url->port, text + 1, bytes - 1);
    return number_parse(url->port, 1, 65535, &port) ? NULL : "the port is no number from 1 to 65535";
}

static const char *
parse_authority(struct top_url *url, const char *text, size_t bytes)
{
    bool in_brackets = text[0] == '[';
    const char *first = text + in_brackets;
    size_t host_bytes = strcspn(first, in_brackets ? "]/?#" : ":/?#");

    if (memchr(text, '@', bytes) != NULL)
        return "a user or password in the URL; the token comes from ADMIN_TOKEN or ADMIN_TOKEN_FILE";
    if (host_bytes == 0 || (in_brackets && first[host_bytes] != ']'))
        return "the host is missing";
    copy(url->authority, text, bytes);
    copy(url->host, first, host_bytes);
    first += host_bytes + in_brackets;
    return parse_port(url, first, bytes - (size_t)(first - text));
}

static const char *
parse_prefix(struct top_url *url, const char *text)
{
    size_t bytes = strlen(text);

    if (strpbrk(text, "?#") != NULL)
        return "a query or a fragment in the URL";
    while (bytes > 0 && text[bytes - 1] == '/')
        bytes--;
    copy(url->prefix, text, bytes);
    return NULL;
}

const char *
top_url_parse(struct top_url *url, const char *text)
{
    const char *rest = text + strlen(SCHEME), *why;
    size_t bytes;

    *url = (struct top_url){.authority = "localhost"};
    if (strlen(text) >= TOP_URL_BYTES || !is_visible(text))
        return "too long, or with a blank or a byte that is not visible ASCII";
    copy(url->text, text, strlen(text));
    if (strncmp(text, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0) {
        text += strlen(UNIX_SCHEME);
        if (text[0] != '/' || strlen(text) >= TOP_PATH_BYTES)
            return "the path of a socket begins with / and has at most 107 bytes";
        copy(url->path, text, strlen(text));
        return NULL;
    }
    if (strncmp(text, "https://", 8) == 0)
        return "the admin listener has no TLS: use a tunnel, such as ssh -L or kubectl port-forward";
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return "it begins neither with http:// nor with unix:";
    bytes = strcspn(rest, "/?#");
    why = parse_authority(url, rest, bytes);
    return why != NULL ? why : parse_prefix(url, rest + bytes);
}

bool
top_url_of_listener(char out[TOP_URL_BYTES], const char *listen, const char *host, int port)
{
    if (strncmp(listen, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0)
        return snprintf(out, TOP_URL_BYTES, "%s", listen) < TOP_URL_BYTES;
    if (host == NULL || port == 0)
        return false;
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    return snprintf(out, TOP_URL_BYTES, strchr(host, ':') ? SCHEME "[%s]:%d" : SCHEME "%s:%d", host, port) <
           TOP_URL_BYTES;
}
