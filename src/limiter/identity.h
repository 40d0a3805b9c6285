/*
 * identity: who is asking: the first source of the rule's `identify_by` that the request has.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "address.h"
#include "client.h"
#include "policy.h"

/* Who sent the request, as far as the connection knows; filled when it is accepted. */
struct peer {
    struct address address;
    bool trusted;         /* its X-Forwarded-For is believed */
    struct client client; /* the client that it is itself */
};
void peer_init(struct peer *peer, const struct sockaddr *sockaddr, const struct networks *trusted);

void peer_of_address(struct peer *peer, const struct address *address, bool trusted);

#define FORWARDED_LINES 8 /* the last lines of X-Forwarded-For, which are the ones that are kept */

/* What of a request's headers may name its client. text NULL: absent or empty. */
struct identity_fields {
    struct field values[POLICY_HEADERS_MAX]; /* by index in policy->headers; of several lines the first */
    struct field forwarded_for[FORWARDED_LINES];
    uint32_t forwarded_count;
};

/* No byte of it is a control character: it may be used as an identity. */
bool field_is_clean(const struct field *field);

enum identity_status {
    IDENTITY_FOUND,
    IDENTITY_ABSENT, /* none of the sources is there */
    IDENTITY_BAD,    /* a source has a control byte in its value */
};

/* `peer` NULL: no address is known. */
enum identity_status identify(struct client *client, const struct rule *rule,
                              const struct identity_fields *fields, const struct peer *peer,
                              const struct networks *trusted);

/* "The request names no client: looked for header:user_id, header:x-api-key". The names are the operator's, checked at
   load. */
#define IDENTITY_SOUGHT_BYTES 1024
void identity_write_sought(char out[IDENTITY_SOUGHT_BYTES], const struct rule *rule);

#endif
