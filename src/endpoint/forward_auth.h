/*
 * forward: what a proxy asks about, at /check (forward auth): the request that it has before it.
 *
 *      method   X-Forwarded-Method, else X-Original-Method, else the method of this request
 *      path     X-Forwarded-Uri, else X-Original-URI, else X-Original-URL, else what follows /check in this
 *               one's path
 *      host     X-Forwarded-Host, where a rule identifies by header:host
 *
 * Headers are believed of a trusted peer only. The query is nobody's business: proxies leave their client's
 * in it.
 *
 *      /check/api/data                  refused requests are answered 429
 *      /check:deny=403/api/data         403: for nginx, which makes 500 of every other
 *
 * The status stands before the slash that any client's path begins with: a proxy that puts /check before that
 * path (Envoy) cannot be made to ask for another.
 */
#ifndef FORWARD_AUTH_H
#define FORWARD_AUTH_H

#include "headers.h"
#include "policy.h"

enum forward_auth_status {
    FORWARD_AUTH_GOOD,    /* `*rule` is what matches, NULL where nothing does */
    FORWARD_AUTH_UNKNOWN, /* what follows /check is no path and no status to deny by */
    FORWARD_AUTH_BAD,     /* the path has no spelling that a rule could be held against, or is said twice */
};

/* `rest` is what follows /check in the request's path, as it came; `headers` gets the forwarded host. `*why`
   is a sentence where it is FORWARD_AUTH_BAD. */
enum forward_auth_status forward_auth_match(const struct policy *policy, const char *rest,
                                            enum method own_method, struct headers *headers, bool trusted,
                                            const struct rule **rule, bool *deny_403, const char **why);

#endif
