/*
 * http_options: what a listener is, and what the operator decides about HTTP. Filled once, at start; then
 * shared by all workers of the listener and never written.
 */
#ifndef HTTP_OPTIONS_H
#define HTTP_OPTIONS_H

#include <stdint.h>

#include "address.h"
#include "places.h"

struct generations;
struct hosts;
struct metrics;
struct observed;
struct reload;
struct route_table;
struct service_state;

/* Everything pointed to is borrowed, and must outlive the servers. */
struct http_options {
    const struct route_table *routes;
    struct generations *generations; /* with a reader for each worker's number */
    const struct hosts *hosts;       /* NULL: any Host is accepted */
    const struct service_state *service;
    struct metrics *metrics; /* with counts for each worker's number */
    struct reload *reload;
    const struct observed *observed;     /* for the admin listener; else NULL */
    const struct networks *trusted;      /* proxies */
    struct places *places;               /* for connections */
    const char *api_token, *admin_token; /* NULL or "": not set */
    int64_t max_body_bytes;
    int64_t header_timeout_us;
    int64_t idle_timeout_us;
};

#endif
