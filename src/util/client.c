#include "client.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* The SHA-256 interface of libcrypto that allocates nothing and so cannot fail; OpenSSL 3 deprecates it. */
#define OPENSSL_API_COMPAT 10101
#include <openssl/sha.h>

#include "number.h"

static const char hex[] = "0123456789abcdef";

/* Printable ASCII but space, `%`, `&` and braces: the bytes that are not escaped in a key. A bit set, because
   every byte of every key is tested. */
#define BIT(byte) (UINT64_C(1) << (byte) % 64)
static const uint64_t plain[4] = {
    ~(BIT(' ' + 1) - 1) & ~BIT('%') & ~BIT('&'), /* from after the space to 63 */
    ~BIT('{') & ~BIT('}') & ~BIT(0x7f),
};

static bool
is_plain(unsigned char byte)
{
    return plain[byte / 64] & BIT(byte);
}

/* The escaped text as it is written: kept while it fits, digested once it does not. */
struct escaper {
    struct client *client;
    bool digests;
    SHA256_CTX digest; /* of the text so far, once it did not fit */
};

static void
escaper_put(struct escaper *escaper, const char *bytes, size_t count)
{
    struct client *client = escaper->client;

    if (!escaper->digests && client->bytes + count <= CLIENT_BYTES) {
        memcpy(client->text + client->bytes, bytes, count);
        client->bytes += count;
        return;
    }
    if (!escaper->digests) {
        escaper->digests = true;
        SHA256_Init(&escaper->digest);
        SHA256_Update(&escaper->digest, client->text, client->bytes);
    }
    SHA256_Update(&escaper->digest, bytes, count);
}

static void
escaper_finish(struct escaper *escaper)
{
    static const char prefix[] = "sha256=";
    struct client *client = escaper->client;
    unsigned char digest[SHA256_DIGEST_LENGTH];

    if (escaper->digests) {
        SHA256_Final(digest, &escaper->digest);
        client->bytes = sizeof(prefix) - 1;
        memcpy(client->text, prefix, client->bytes);
        for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
            client->text[client->bytes++] = hex[digest[i] >> 4];
            client->text[client->bytes++] = hex[digest[i] & 15];
        }
    }
    client->text[client->bytes] = '\0';
}

static void
put_byte(struct escaper *escaper, unsigned char byte)
{
    char escape[3] = {'%', hex[byte >> 4], hex[byte & 15]};

    if (is_plain(byte))
        escaper_put(escaper, (const char *)&byte, 1);
    else
        escaper_put(escaper, escape, sizeof(escape));
}

/* The byte at `*at`, or the one that an escape there stands for. */
static unsigned char
next_byte(const struct client_part *part, size_t *at)
{
    const char *text = part->value + *at;
    bool may_escape = part->percent_encoded && text[0] == '%' && part->value_bytes - *at > 2;
    int escaped = may_escape ? hex_byte(text + 1) : -1;

    *at += escaped >= 0 ? 3 : 1;
    return (unsigned char)(escaped >= 0 ? escaped : text[0]);
}

static void
put_part(struct escaper *escaper, const struct client_part *part)
{
    assert(part->value != NULL || part->value_bytes == 0);
    escaper_put(escaper, part->source, strlen(part->source));
    if (part->value != NULL)
        escaper_put(escaper, "=", 1);
    for (size_t at = 0; at < part->value_bytes;) {
        size_t run = at;
        while (run < part->value_bytes && is_plain((unsigned char)part->value[run]))
            run++;
        if (run > at)
            escaper_put(escaper, part->value + at, run - at);
        at = run;
        if (at < part->value_bytes)
            put_byte(escaper, next_byte(part, &at));
    }
}

void
client_write_parts(struct client *client, const struct client_part *parts, size_t count)
{
    struct escaper escaper = {.client = client};

    client->bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            escaper_put(&escaper, "&", 1);
        put_part(&escaper, &parts[i]);
    }
    escaper_finish(&escaper);
}

void
client_write(struct client *client, const char *source, const char *value, size_t value_bytes)
{
    const struct client_part part = {.source = source, .value = value, .value_bytes = value_bytes};

    client_write_parts(client, &part, 1);
}

/* Of an escape, which is of a byte that is not plain, and in lower case: one client has one text. */
static bool
is_escape(const char *text, size_t bytes)
{
    int byte = bytes > 2 ? hex_byte(text + 1) : -1;

    return byte >= 0 && text[1] == hex[byte >> 4] && text[2] == hex[byte & 15] &&
           !is_plain((unsigned char)byte);
}

/* After a source and its "=": to the "&" or the end. False: no value is written like this. */
static bool
skip_value(const char *text, size_t bytes, size_t *at)
{
    for (; *at < bytes && text[*at] != '&'; ++*at)
        if (text[*at] == '%' && is_escape(text + *at, bytes - *at))
            *at += 2;
        else if (!is_plain((unsigned char)text[*at]))
            return false;
    return true;
}

/* A source is a word of the rules file: in it "%" and "&" are plain. */
static bool
skip_source(const char *text, size_t bytes, size_t *at)
{
    size_t start = *at;

    while (*at < bytes && (is_plain((unsigned char)text[*at]) || strchr("%&", text[*at])) && text[*at] != '=')
        ++*at;
    return *at > start && *at < bytes && text[(*at)++] == '=';
}

static bool
is_client(const char *text, size_t bytes)
{
    size_t at = 0;

    if (bytes == strlen("global") && memcmp(text, "global", bytes) == 0)
        return true;
    do
        if (!skip_source(text, bytes, &at) || !skip_value(text, bytes, &at))
            return false;
    while (at++ < bytes);
    return true;
}

bool
client_parse(struct client *client, const char *text, size_t bytes)
{
    if (bytes > CLIENT_BYTES || !is_client(text, bytes))
        return false;
    memcpy(client->text, text, bytes);
    client->text[bytes] = '\0';
    client->bytes = bytes;
    return true;
}
