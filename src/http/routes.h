/*
 * routes: the table of what is served: path and methods -> what to do.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stddef.h>

#include "policy.h"

enum endpoint {
    ENDPOINT_RESOURCE, /* limited by the rule that matches, then `message` */
    ENDPOINT_HEALTH,
    ENDPOINT_READY,
};

struct route {
    const char *path;
    unsigned methods;  /* set of enum method */
    const char *allow; /* the same, for the Allow header */
    enum endpoint endpoint;
    const char *message; /* of a resource's 200; NULL for the others */
};

extern const struct route routes[];
extern const size_t route_count;

/* By the path alone, in one spelling (path_normalise); NULL: 404. */
const struct route *route_find(const char *path, size_t bytes);

#endif
