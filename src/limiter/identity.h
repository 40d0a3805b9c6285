/*
 * identity: the client of a request, by the first source of the rule's `identify_by` that the request has.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "address.h"
#include "client.h"
#include "policy.h"

/* The other end of a connection; filled when the connection is accepted. */
struct peer {
    struct address address;
    bool trusted;         /* its X-Forwarded-For is believed */
    struct client client; /* the peer itself as a client */
};
void peer_init(struct peer *peer, const struct sockaddr *sockaddr, const struct networks *trusted);

void peer_of_address(struct peer *peer, const struct address *address, bool trusted);

#define FORWARDED_LINES 8 /* only the last lines of X-Forwarded-For are kept */

/* The headers of a request that may name its client. text NULL: absent or empty. */
struct identity_fields {
    struct field values[POLICY_HEADERS_MAX]; /* by index in policy->headers; the first of several lines */
    struct field forwarded_for[FORWARDED_LINES];
    uint32_t forwarded_count;
};

/* It has no control character, so it may be used as an identity. */
bool field_is_clean(const struct field *field);

enum identity_status {
    IDENTITY_FOUND,
    IDENTITY_ABSENT, /* the request has none of the sources */
    IDENTITY_BAD,    /* the value of a source has a control character */
};

/* `peer` NULL: the address is unknown. `*address` is the whole address of a client found by its address, and of size 0 for
   every other client. */
enum identity_status identify(struct client *client, struct address *address, const struct rule *rule,
                              const struct identity_fields *fields, const struct peer *peer,
                              const struct networks *trusted);

/* "The request names no client: looked for header:user_id, header:x-api-key". The names come from the rules file and were
   checked when it was loaded. */
#define IDENTITY_SOUGHT_BYTES 1024
void identity_write_sought(char out[IDENTITY_SOUGHT_BYTES], const struct rule *rule);

#endif
