#include "client.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The SHA-256 interface of libcrypto that allocates nothing and so cannot fail; OpenSSL 3 deprecates it. */
#define OPENSSL_API_COMPAT 10101
#include <openssl/sha.h>

static const char hex[] = "0123456789abcdef";

/* Printable ASCII but space, `%` and braces: the bytes that are not escaped in a key. A bit set, because every byte
   of every key is tested. */
#define BIT(byte) (UINT64_C(1) << (byte) % 64)
static const uint64_t plain[4] = {
    ~(BIT(' ' + 1) - 1) & ~BIT('%'), /* from after the space to 63 */
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

void
client_write(struct client *client, const char *source, const char *value, size_t value_bytes)
{
    struct escaper escaper = {.client = client};

    assert(value != NULL || value_bytes == 0);
    client->bytes = 0;
    escaper_put(&escaper, source, strlen(source));
    if (value != NULL)
        escaper_put(&escaper, "=", 1);
    for (size_t i = 0; i < value_bytes;) {
        size_t run = i;
        while (run < value_bytes && is_plain((unsigned char)value[run]))
            run++;
        if (run > i) {
            escaper_put(&escaper, value + i, run - i);
        } else {
            unsigned char byte = (unsigned char)value[run++];
            char escape[3] = {'%', hex[byte >> 4], hex[byte & 15]};
            escaper_put(&escaper, escape, sizeof(escape));
        }
        i = run;
    }
    escaper_finish(&escaper);
}
