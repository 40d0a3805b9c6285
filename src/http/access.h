/*
 * access: which requests may use an endpoint, by the bearer tokens that the operator has set.
 *
 *      a route needs     no token set          API_TOKEN sent            ADMIN_TOKEN sent
 *      ACCESS_ANYONE     granted               granted                   granted
 *      ACCESS_API        granted               granted                   granted
 *      ACCESS_ADMIN_READ granted               ACCESS_UNKNOWN            granted
 *      ACCESS_ADMIN      ACCESS_OFF            ACCESS_UNKNOWN            granted
 *
 * Once API_TOKEN is set, a request for ACCESS_API without it is ACCESS_UNKNOWN, and so is one for
 * ACCESS_ADMIN_READ once ADMIN_TOKEN is. A request that a browser sends for a web page of another site is
 * ACCESS_FOREIGN, whatever its token (origin.h), except for ACCESS_ANYONE.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <stdbool.h>

#include "headers.h"
#include "response.h"

#define ACCESS_DIGEST_BYTES 32

/* What a route needs. */
enum access { ACCESS_ANYONE, ACCESS_API, ACCESS_ADMIN_READ, ACCESS_ADMIN };

/* Only the digest of a token is kept. */
struct access_token {
    bool is_set;
    unsigned char digest[ACCESS_DIGEST_BYTES];
};

struct access_tokens {
    struct access_token api, admin;
};

/* NULL or "": not set. False when out of memory. */
bool access_init(struct access_tokens *tokens, const char *api_token, const char *admin_token);

enum access_status {
    ACCESS_GRANTED,
    ACCESS_FOREIGN, /* sent by a web page of another site */
    ACCESS_OFF,     /* the endpoint needs ADMIN_TOKEN, and none is set */
    ACCESS_UNKNOWN, /* no token was sent, or another one */
};

/* The time this takes reveals nothing about a token: digests are compared in full. It allocates a few hundred
   bytes for the length of the call; when out of memory, every token is unknown. */
enum access_status access_check(const struct access_tokens *tokens, enum access needed,
                                const struct headers *headers);

/* 401 or 403, for a status other than ACCESS_GRANTED. */
struct response access_denied(enum access_status status, const struct field *trace_id, bool closing);

#endif
