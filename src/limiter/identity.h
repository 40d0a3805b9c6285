/*
 * identity: who is asking: the first source of the rule's `identify_by` that the request has.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "client.h"
#include "headers.h"
#include "policy.h"

/* Who sent the request, as far as the connection knows; filled when it is accepted. */
struct peer {
    struct address address;
    bool trusted;         /* its X-Forwarded-For is believed */
    struct client client; /* the client that it is itself */
};
void peer_init(struct peer *peer, const struct sockaddr *sockaddr, const struct networks *trusted);

void peer_of_address(struct peer *peer, const struct address *address, bool trusted);

enum identity_status {
    IDENTITY_FOUND,
    IDENTITY_ABSENT, /* none of the sources is there */
    IDENTITY_BAD,    /* a source has a control byte in its value */
};

/* `peer` NULL: no address is known. */
enum identity_status identify(struct client *client, const struct rule *rule, const struct headers *headers,
                              const struct peer *peer, const struct networks *trusted);

/* "The request names no client: looked for header:user_id, header:x-api-key". The names are the operator's, checked at
   load. */
#define IDENTITY_SOUGHT_BYTES 1024
void identity_write_sought(char out[IDENTITY_SOUGHT_BYTES], const struct rule *rule);

#endif
