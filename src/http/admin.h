/*
 * admin: who may change what is counted: the one who has the operator's token.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include <stdbool.h>

#include "address.h"

#define ADMIN_DIGEST_BYTES 32

/* Only the token's digest is kept. */
struct admin {
    bool is_set;
    unsigned char digest[ADMIN_DIGEST_BYTES];
};

/* `token` NULL or "": none is set, and nobody may. */
void admin_init(struct admin *admin, const char *token);

enum admin_status {
    ADMIN_GOOD,
    ADMIN_OFF,     /* no token is set */
    ADMIN_UNKNOWN, /* no token was sent, or another one */
};

/* `authorization` is the header's value, its text NULL where it was not sent: "Bearer TOKEN". The time that
   it takes tells nothing about the token: digests are compared, and all of them. */
enum admin_status admin_check(const struct admin *admin, const struct field *authorization);

#endif
