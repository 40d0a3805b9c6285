/*
 * endpoint: the interface of everything that answers a request. An endpoint is one file here and one row of
 * public_routes.c.
 *
 *      start ─┬─► ENDPOINT_ANSWERED   `request->response` is the answer, NULL before: out of memory. finish is not
 *             │                       called
 *             ├─► ENDPOINT_DONE       finish makes the answer
 *             └─► ENDPOINT_PENDING    `request->resume` is called once, later, never before start returns;
 *                                     then finish makes the answer
 *      free                           after the answer, or instead of it when the connection is lost
 *
 * Connections, framing and suspending are not an endpoint's concern: http/exchange handles them for all. The worker's
 * thread only.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "generation.h"
#include "headers.h"
#include "identity.h"
#include "limiter.h"
#include "policy.h"
#include "response.h"

struct metrics;
struct observed;
struct reload;
struct renderer;
struct service_state;
struct turns;

/* What the endpoints of a worker share. */
struct endpoint_context {
    const struct generations *generations;
    const struct networks *trusted; /* proxies */
    const struct service_state *service;
    const struct metrics *metrics;
    struct reload *reload;           /* reload.h; for the admin listener */
    const struct observed *observed; /* observed.h; likewise */
    struct limiter *limiter;
    struct renderer *renderer;
    struct turns *turns;
};

struct endpoint_request {
    /* The request. Set before start; valid until free. */
    const struct endpoint_context *context;
    struct generation_share *share; /* the generation that decides it; NULL in free */
    const struct policy *policy;    /* its rules; likewise */
    const struct endpoint *endpoint;
    const char *message; /* the route's; NULL: it has none */
    enum method method;
    const char *path; /* normalised (path_normalise); "" on a route for a subtree */
    size_t path_bytes;
    struct field host; /* that of an absolute target, else Host; as it came */
    const char *query; /* without its question mark, as it came; "": none */
    const char *rest;  /* on a route for a subtree: what follows the route's path, as it came */
    struct headers *headers;
    const struct peer *peer;
    struct field body; /* for an endpoint that reads it, else empty */
    bool closing;      /* the answer ends the connection, and must say so */
    void (*resume)(struct endpoint_request *request);

    /* The endpoint's own, until free. `take` is embedded so that a plain request allocates nothing. */
    struct response response;
    struct limiter_take take;
    bool deny_403; /* a refusal is answered 403 instead of 429 */
    void *state;   /* NULL before start */
};

enum endpoint_status { ENDPOINT_ANSWERED, ENDPOINT_DONE, ENDPOINT_PENDING };

struct endpoint {
    bool reads_body;       /* it is collected and handed over; otherwise it is read and dropped */
    size_t body_bytes_max; /* at least this is accepted, even where MAX_BODY_BYTES is less */
    enum endpoint_status (*start)(struct endpoint_request *request);
    struct response (*finish)(struct endpoint_request *request); /* NULL: start always answers */
    void (*free)(struct endpoint_request *request,
                 bool pending); /* cancels what is pending; NULL: nothing to free */
    const void *kind;           /* tells apart endpoints that share these functions; theirs */
};

/* The answer to a request that is wrong (response_problem). For start. */
enum endpoint_status endpoint_problem(struct endpoint_request *request, unsigned status, const char *detail);

/* The same for finish; `field` names the field of the body that it is about, or is NULL. */
struct response endpoint_problem_about(const struct endpoint_request *request, unsigned status,
                                       const char *field, const char *detail);

#endif
