#include "admin.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define SCHEME "Bearer"

static void
digest(unsigned char out[ADMIN_DIGEST_BYTES], const char *text, size_t bytes)
{
    int ok = EVP_Digest(text, bytes, out, NULL, EVP_sha256(), NULL);

    assert(ok == 1); /* fails only when memory is out: a wrong digest would be worse than a restart */
}

void
admin_init(struct admin *admin, const char *token)
{
    admin->is_set = token != NULL && token[0] != '\0';
    if (admin->is_set)
        digest(admin->digest, token, strlen(token));
}

enum admin_status
admin_check(const struct admin *admin, const struct field *authorization)
{
    const char *text = authorization->text;
    size_t bytes = authorization->bytes, scheme_bytes = strlen(SCHEME);
    unsigned char sent[ADMIN_DIGEST_BYTES];

    if (!admin->is_set)
        return ADMIN_OFF;
    if (text == NULL || bytes <= scheme_bytes || strncasecmp(text, SCHEME, scheme_bytes) != 0 ||
        text[scheme_bytes] != ' ')
        return ADMIN_UNKNOWN;
    for (text += scheme_bytes, bytes -= scheme_bytes; bytes > 0 && *text == ' '; text++)
        bytes--;
    digest(sent, text, bytes);
    return CRYPTO_memcmp(sent, admin->digest, sizeof(sent)) == 0 ? ADMIN_GOOD : ADMIN_UNKNOWN;
}
