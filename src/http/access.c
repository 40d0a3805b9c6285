#include "access.h"

#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "origin.h"

#define SCHEME    "Bearer"
#define CHALLENGE SCHEME " realm=\"ratelimitd\""

static bool
digest(unsigned char out[ACCESS_DIGEST_BYTES], const char *text, size_t bytes)
{
    return EVP_Digest(text, bytes, out, NULL, EVP_sha256(), NULL) == 1;
}

static bool
token_init(struct access_token *token, const char *text)
{
    *token = (struct access_token){.is_set = text != NULL && text[0] != '\0'};
    return !token->is_set || digest(token->digest, text, strlen(text));
}

bool
access_init(struct access_tokens *tokens, const char *api_token, const char *admin_token)
{
    return token_init(&tokens->api, api_token) && token_init(&tokens->admin, admin_token);
}

/* "Bearer TOKEN" to TOKEN. False: it is something else. */
static bool
read_bearer(struct field *token, const struct field *authorization)
{
    const char *text = authorization->text;
    size_t bytes = authorization->bytes, scheme_bytes = strlen(SCHEME);

    if (text == NULL || bytes <= scheme_bytes || strncasecmp(text, SCHEME, scheme_bytes) != 0 ||
        text[scheme_bytes] != ' ')
        return false;
    for (text += scheme_bytes, bytes -= scheme_bytes; bytes > 0 && *text == ' '; text++)
        bytes--;
    *token = (struct field){.text = text, .bytes = bytes};
    return true;
}

static bool
is_equal(const struct access_token *token, const unsigned char sent[ACCESS_DIGEST_BYTES])
{
    return token->is_set && CRYPTO_memcmp(sent, token->digest, ACCESS_DIGEST_BYTES) == 0;
}

static enum access_status
check_token(const struct access_tokens *tokens, enum access needed, const struct field *authorization)
{
    unsigned char sent[ACCESS_DIGEST_BYTES];
    struct field token;

    if (!read_bearer(&token, authorization) || !digest(sent, token.text, token.bytes))
        return ACCESS_UNKNOWN;
    if (is_equal(&tokens->admin, sent))
        return ACCESS_GRANTED;
    return needed == ACCESS_API && is_equal(&tokens->api, sent) ? ACCESS_GRANTED : ACCESS_UNKNOWN;
}

enum access_status
access_check(const struct access_tokens *tokens, enum access needed, const struct headers *headers)
{
    if (needed == ACCESS_ANYONE)
        return ACCESS_GRANTED;
    if (origin_is_foreign(&headers->origin, &headers->fetch_site, &headers->host))
        return ACCESS_FOREIGN;
    if (needed == ACCESS_API && !tokens->api.is_set)
        return ACCESS_GRANTED;
    if (needed != ACCESS_API && !tokens->admin.is_set)
        return needed == ACCESS_ADMIN_READ ? ACCESS_GRANTED : ACCESS_OFF;
    return check_token(tokens, needed, &headers->authorization);
}

static const struct problem denials[] = {
    [ACCESS_FOREIGN] = {.status = 403, .detail = "Requests from web pages of other sites are refused here."},
    [ACCESS_OFF] = {.status = 403,
                    .detail = "This needs a token, and the service has none: set ADMIN_TOKEN."},
    [ACCESS_UNKNOWN] = {.status = 401,
                        .detail = "This needs the service's token: Authorization: Bearer TOKEN."},
};

struct response
access_denied(enum access_status status, const struct field *trace_id, bool closing)
{
    struct problem problem = denials[status];
    struct response response;

    problem.trace_id = *trace_id;
    response = response_problem(&problem, closing);
    if (status == ACCESS_UNKNOWN)
        response_header(&response, "WWW-Authenticate", CHALLENGE);
    return response;
}
