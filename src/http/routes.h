/*
 * routes: a table of paths: the endpoint that answers each, its methods, and the access that it needs. A path
 * of its own wins over a subtree that it lies in. Each listener has one (http_options.h); a table is data,
 * next to the endpoints that it names: endpoint/public_routes.c.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "access.h"
#include "endpoint.h"
#include "policy.h"

struct route {
    const char *path;   /* in one spelling (path_normalise) */
    bool is_subtree;    /* also whatever follows the path after a "/" or ":" */
    unsigned methods;   /* set of enum method */
    const char *allow;  /* the same, for the Allow header */
    enum access access; /* what a request needs to use it */
    const struct endpoint *endpoint;
    const char *message; /* of its 200; NULL where the answer has no message */
};

/* Two fields of a route: its methods, as a set and as text. */
#define ROUTE_READ (METHOD_GET | METHOD_HEAD), "GET, HEAD"
#define ROUTE_POST METHOD_POST, "POST"
#define ROUTE_ANY  METHOD_ALL, ""

/* Ends with a name that is NULL. */
struct route_header {
    const char *name, *value;
};

struct route_table {
    const struct route *routes;
    size_t count;
    const struct route_header
        *headers; /* of every answer that has none of that name; NULL: none. Not for answers of a cache */
    const struct route_table
        *more; /* paths besides those; of it only the routes count, and no subtrees; NULL: none */
};

/* By the path in one spelling; NULL: 404. Not for routes of a subtree. */
const struct route *route_find(const struct route_table *table, const char *path, size_t bytes);

/* The route of a subtree that the path lies in, else NULL; `*rest` is what follows the route's path: "", or
   "/" or ":" and more. `path` is as it came: what follows was chosen by a client, and its ".." must not lead
   out of the subtree. */
const struct route *route_find_subtree(const struct route_table *table, const char *path, const char **rest);

#endif
