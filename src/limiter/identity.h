/*
 * identity: the client of a request, by the first element of the rule's `identify_by` that the request has.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "address.h"
#include "client.h"
#include "limiter.h"
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

/* The fields of a request that rules look at. text NULL: absent or empty. */
struct identity_fields {
    struct field headers[POLICY_HEADERS_MAX]; /* by index in policy->headers; the first of several lines */
    struct field cookies[POLICY_COOKIES_MAX]; /* by index in policy->cookies; the first of that name */
    struct field forwarded_for[FORWARDED_LINES];
    uint32_t forwarded_count;
};

/* What a client is identified by. */
struct identity_request {
    const struct policy_request *asked;
    const struct identity_fields *fields;
    const struct peer *peer; /* NULL: the address is unknown */
    const struct networks *trusted;
};

enum identity_status {
    IDENTITY_FOUND,
    IDENTITY_ABSENT,  /* the request has no element of `identify_by` */
    IDENTITY_BAD,     /* the value of a source has a control character */
    IDENTITY_UNCLEAR, /* an encoded slash makes it unclear which segment of the path is meant */
};

/* Sets the client of `take`, whose rule is set, and its address: the whole one of a client that `ip` alone
   names, with any prefix, and one of size 0 for every other client. */
enum identity_status identify(struct limiter_take *take, const struct identity_request *request);

/* "The request names no client: looked for header:x-tenant + ip/24, cookie:sid". The names come from the
   rules file and were checked when it was loaded. */
#define IDENTITY_SOUGHT_BYTES 1024
void identity_write_sought(char out[IDENTITY_SOUGHT_BYTES], const struct rule *rule);

#endif
