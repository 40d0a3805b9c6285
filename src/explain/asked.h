/*
 * asked: a request that an operator describes in one line:
 *
 *     GET /api/data X-API-Key=k cookie:sid=1 host=api.example.com from 203.0.113.9
 *
 *     METHOD               in capitals; GET where there is none
 *     PATH                 also as a URL, which names the host too; the query is ignored
 *     NAME=VALUE           a header; header:NAME=VALUE is the same
 *     cookie:NAME=VALUE    a cookie
 *     host=HOST            the host that the client asks for
 *     from ADDRESS         the other end of the connection, `unix` for that of a Unix socket; without it the
 *                          address is unknown
 *
 * A value with blanks is in double quotes: User-Agent="curl/8 x". The parts after the path are in any order.
 * Of several values of one name the first that is not empty counts, as in a request.
 */
#ifndef ASKED_H
#define ASKED_H

#include <stdbool.h>

#include "host.h"
#include "identity.h"
#include "policy.h"
#include "report.h"
#include "target.h"

struct asked {
    struct policy_request request;
    struct identity_fields fields;
    bool has_peer; /* an address is given */
    struct peer peer;
    struct target target; /* what the request points to, */
    char host[HOST_BYTES_MAX];
};

/* Borrows `text`, and must not be moved. False: mistakes are in the report, each with what is accepted. What
   no rule looks at is a warning there. */
bool asked_read(struct asked *asked, const char *text, const struct policy *policy,
                const struct networks *trusted, struct report *report);

#endif
