#include "client_name.h"

#include <string.h>

#include "token.h"

#define SOURCE_BYTES_MAX 256 /* before the `=`; longer than any header's name that is in use */

/* Sources that list entries may name, and what follows each before the `=`. */
enum detail { NO_DETAIL, TOKEN, DIGITS };
static const struct {
    const char *text;
    enum detail detail;
} sources[] = {
    {"header:", TOKEN}, {"cookie:", TOKEN}, {"path:", DIGITS}, {"host", NO_DETAIL}, {"client", NO_DETAIL}};

static bool
begins_with(const char *text, size_t bytes, const char *beginning)
{
    return bytes >= strlen(beginning) && strncmp(text, beginning, strlen(beginning)) == 0;
}

static bool
consists_of(const char *text, size_t bytes, const char *accepted)
{
    for (size_t i = 0; i < bytes; i++)
        if (strchr(accepted, text[i]) == NULL || text[i] == '\0')
            return false;
    return true;
}

/* "10.0.0.*", "10.0.0.1-10.0.0.9" */
static bool
resembles_range(const char *text, size_t bytes)
{
    size_t dots = 0;

    for (size_t i = 0; i < bytes; i++)
        dots += text[i] == '.';
    return consists_of(text, bytes, "0123456789.*-/") &&
           (dots >= 3 || (dots > 0 && memchr(text, '*', bytes) != NULL));
}

/* What an address with a mistake in it looks like. As a name it would never be met. */
static bool
resembles_address(const char *text, size_t bytes)
{
    const char *colon = memchr(text, ':', bytes);

    if ((text[0] == '[' && colon != NULL) || resembles_range(text, bytes))
        return true;
    if (consists_of(text, bytes, "0123456789./:"))
        return memchr(text, '.', bytes) != NULL || memchr(text, '/', bytes) != NULL || colon != NULL;
    return colon != NULL && memrchr(text, ':', bytes) != colon &&
           consists_of(text, bytes, "0123456789abcdefABCDEF:./");
}

static const char *
parse_network(struct client_name *name, const char *text, size_t bytes)
{
    if (!network_parse(&name->network, text, bytes))
        return "is not an address; accepted: 203.0.113.7, 10.0.0.0/8, 2001:db8::1 or 2001:db8::/32; a name "
               "that looks like one needs its source, such as header:NAME=";
    if (!network_is_first(&name->network))
        return "has bits set after its prefix; write the first address of the network, such as 10.0.0.0/8";
    name->is_network = true;
    return NULL;
}

static bool
detail_is_good(enum detail detail, const char *text, size_t bytes)
{
    switch (detail) {
    case NO_DETAIL:
        break;
    case TOKEN:
        return is_token(text, bytes);
    case DIGITS:
        return bytes > 0 && bytes <= 3 && consists_of(text, bytes, "0123456789");
    }
    return bytes == 0;
}

/* Names of headers are in lower case, as in the rules. */
static void
write_of_source(struct client_name *name, const char *text, size_t source_bytes, size_t bytes)
{
    bool is_header = begins_with(text, source_bytes, "header:");
    char source[SOURCE_BYTES_MAX + 1];

    for (size_t i = 0; i < source_bytes; i++)
        source[i] = (char)(is_header && text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    source[source_bytes] = '\0';
    client_write(&name->client, source, text + source_bytes + 1, bytes - source_bytes - 1);
}

/* Whether the text begins with a source; then `*why` is NULL or says what is wrong. */
static bool
parse_of_source(struct client_name *name, const char *text, size_t bytes, const char **why)
{
    const char *equals = memchr(text, '=', bytes);
    size_t before = equals != NULL ? (size_t)(equals - text) : bytes;

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        size_t own = strlen(sources[i].text);
        if (!begins_with(text, before, sources[i].text) || (sources[i].detail == NO_DETAIL && before > own))
            continue;
        if (sources[i].detail == NO_DETAIL && equals == NULL)
            continue;
        if (equals == NULL || before > SOURCE_BYTES_MAX || before + 1 == bytes ||
            !detail_is_good(sources[i].detail, text + own, before - own))
            *why = "must name a source and a value, such as header:X-API-Key=gold";
        else
            write_of_source(name, text, before, bytes);
        return true;
    }
    return false;
}

/* As logs and keys show a client that is too long for them. */
static bool
is_digest(const char *text, size_t bytes)
{
    size_t before = strlen("sha256=");

    return bytes == before + 64 && begins_with(text, bytes, "sha256=") &&
           consists_of(text + before, 64, "0123456789abcdef");
}

static const char *
parse_plain(struct client_name *name, const char *text, size_t bytes)
{
    client_write(&name->client, "", text, bytes);
    return name->client.text[0] == '='
               ? NULL
               : "is too long without its source; write header:NAME= before it, as in identify_by";
}

static bool
is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

const char *
client_name_parse(struct client_name *name, const char *text, size_t bytes)
{
    const char *why = NULL;

    name->is_network = false;
    if (bytes == 0)
        return "must name a client";
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return "must have no control characters; no client's name has any";
    if (is_blank(text[0]) || is_blank(text[bytes - 1]))
        return "must not begin or end with a blank; no client's name does";
    if (begins_with(text, bytes, "ip="))
        return parse_network(name, text + strlen("ip="), bytes - strlen("ip="));
    if (is_digest(text, bytes))
        return "is the digest of a long client; write its source and value, such as header:NAME=VALUE";
    if (resembles_address(text, bytes))
        return parse_network(name, text, bytes);
    if (parse_of_source(name, text, bytes, &why))
        return why;
    return parse_plain(name, text, bytes);
}
