/*
 * routes: the table of what is served: which endpoint answers a path, for which methods, and who may ask.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "access.h"
#include "endpoint.h"
#include "policy.h"

struct route {
    const char *path;
    bool is_subtree;    /* also whatever follows the path after a "/" or ":" */
    unsigned methods;   /* set of enum method */
    const char *allow;  /* the same, for the Allow header */
    enum access access; /* who may use it */
    const struct endpoint *endpoint;
    const char *message; /* of a 200 that says no more; NULL for the others */
};

/* By the path in one spelling (path_normalise); NULL: 404. Not for routes of a subtree. */
const struct route *route_find(const char *path, size_t bytes);

/* The route of a subtree that the path lies in, else NULL; `*rest` is what follows the route's path: "", or "/" or ":" and
   more. `path` is as it came: what follows was chosen by a client, and its ".." must not lead out of the subtree. */
const struct route *route_find_subtree(const char *path, const char **rest);

#endif
