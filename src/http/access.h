/*
 * access: who may use an endpoint: the bearer tokens that the operator has set.
 *
 *      a route needs     no token set          API_TOKEN sent            ADMIN_TOKEN sent
 *      ACCESS_ANYONE     granted               granted                   granted
 *      ACCESS_API        granted               granted                   granted
 *      ACCESS_ADMIN      ACCESS_OFF            ACCESS_UNKNOWN            granted
 *
 * ACCESS_API without a token, or with another one, is ACCESS_UNKNOWN as soon as API_TOKEN is set. What a web page of another
 * site makes a browser send is ACCESS_FOREIGN, whatever the token (origin.h), except for ACCESS_ANYONE.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <stdbool.h>

#include "headers.h"
#include "response.h"

#define ACCESS_DIGEST_BYTES 32

/* What a route needs. */
enum access { ACCESS_ANYONE, ACCESS_API, ACCESS_ADMIN };

/* Only the digest of a token is kept. */
struct access_token {
    bool is_set;
    unsigned char digest[ACCESS_DIGEST_BYTES];
};

struct access_tokens {
    struct access_token api, admin;
};

/* NULL or "": not set. False when there is no memory to make a digest. */
bool access_init(struct access_tokens *tokens, const char *api_token, const char *admin_token);

enum access_status {
    ACCESS_GRANTED,
    ACCESS_FOREIGN, /* sent by a web page of another site */
    ACCESS_OFF,     /* the endpoint needs ADMIN_TOKEN, and none is set */
    ACCESS_UNKNOWN, /* no token was sent, or another one */
};

/* The time this takes tells nothing about a token: whole digests are compared. It allocates a few hundred bytes for the
   length of the call; where there is no memory, no token is the right one. */
enum access_status access_check(const struct access_tokens *tokens, enum access needed,
                                const struct headers *headers);

/* 401 or 403 for what was not granted. */
struct response access_denied(enum access_status status, bool closing);

#endif
