/*
 * headers: the fields of a request's header block that this service needs, read in one pass, and whether
 * every party would read the block in the same way.
 *
 * libmicrohttpd 0.9.75 accepts messages that a proxy in front may frame differently (request smuggling: RFC
 * 9112, section 11.2), and shows some that were not sent as it shows them (head.h). Those are refused here,
 * before anything of the request is believed, and the connection ends.
 */
#ifndef HEADERS_H
#define HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "identity.h"
#include "policy.h"

struct MHD_Connection;

#define HEADERS_MAX 100

/* Which names are wanted: compiled once from the policy, then immutable. */
struct header_index {
    uint64_t lengths; /* bit n: some wanted name has n bytes, n < 64 */
    const struct policy *policy;
};
void header_index_init(struct header_index *index, const struct policy *policy);

/* How a proxy describes the request that it asks about (endpoint/forward_auth.c). text NULL: absent or
   empty. */
struct forwarded {
    struct field method, original_method;
    struct field uri, original_uri, original_url;
    struct field host;
    bool repeated; /* one of them appears twice: it is unknown which one the proxy wrote */
};

struct headers {
    struct identity_fields identity;
    struct forwarded forwarded;
    struct field authorization;
    struct field accept;
    struct field host;
    struct field origin, fetch_site; /* Origin and Sec-Fetch-Site; of two lines neither counts: "" */
    struct field trace_id;           /* of the traceparent; of 0 bytes without a valid one */
    int64_t content_length;          /* -1: none given */
    bool chunked;
};

enum headers_status { HEADERS_GOOD, HEADERS_BAD, HEADERS_TOO_MANY };

/* The fields point into the connection's memory, valid until the request is complete. With HEADERS_BAD `*why`
   is a static sentence for the client. `version` as libmicrohttpd gives it; the headers lie between it and
   `end`, which is after the empty line. */
enum headers_status headers_read(struct headers *headers, const struct header_index *index,
                                 struct MHD_Connection *connection, const char *version, const char *end,
                                 const char **why);

#endif
