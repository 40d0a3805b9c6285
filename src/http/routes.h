/*
 * routes: the table of what is served: path and methods -> what to do.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stddef.h>

#include "access.h"
#include "policy.h"

enum endpoint {
    ENDPOINT_RESOURCE, /* limited by the rule that matches, then `message` */
    ENDPOINT_CHECK, /* what a proxy asks: limited by the rule that matches what it forwards, then `message` */
    ENDPOINT_API_CHECK, /* what an application asks, in JSON: call.h, for this and the next three */
    ENDPOINT_API_BATCH,
    ENDPOINT_API_RESET,
    ENDPOINT_ENVOY,
    ENDPOINT_HEALTH,
    ENDPOINT_READY,
    ENDPOINT_OPENAPI,
};

struct route {
    const char *path;
    unsigned methods;  /* set of enum method */
    const char *allow; /* the same, for the Allow header */
    enum endpoint endpoint;
    enum access access;  /* who may use it */
    const char *message; /* of a 200 that says no more; NULL for the others */
};

extern const struct route routes[];
extern const size_t route_count;

/* By the path alone, in one spelling (path_normalise); NULL: 404. Not ENDPOINT_CHECK. */
const struct route *route_find(const char *path, size_t bytes);

/* ENDPOINT_CHECK for its path and everything below it, else NULL; `*rest` is what follows: "", or "/" or ":"
   and more. `path` is as it came: what follows is a client's, and its ".." must not lead out of it. */
const struct route *route_find_check(const char *path, const char **rest);

#endif
