/*
 * render: from a decision to status, headers and body.
 *
 * Within one second many clients get the same answer: same rule, same remaining, same reset. So answers are kept, made
 * once and queued many times, in a small cache that forgets by being overwritten. One renderer a worker; its thread.
 */
#ifndef RENDER_H
#define RENDER_H

#include <stdbool.h>

#include "limiter.h"
#include "policy.h"
#include "routes.h"
#include "store.h"

struct MHD_Response;
struct renderer;

/* What is ready to be queued. `response` NULL: memory is out. */
struct answer {
    unsigned status;
    struct MHD_Response *response;
    bool
        owned; /* the one who queues it destroys it after; else it is the cache's, valid until the next render */
};

/* NULL when memory is out. `policy` is borrowed. */
struct renderer *renderer_new(const struct policy *policy);
void renderer_free(struct renderer *renderer);

/* 200, 429 or 503 for a take that is done. `closing`: the answer says Connection: close. */
struct answer render_take(struct renderer *renderer, const struct limiter_take *take,
                          const struct route *route, bool closing);

/* Any other error, as application/problem+json. `detail` is a sentence; it is trusted, and goes out as it is. `allow` is
   the Allow header of a 405, else NULL. */
struct answer render_problem(unsigned status, const char *detail, const char *allow, bool closing);

/* GET /health and GET /ready. */
struct answer render_health(const struct limiter *limiter, bool closing);
struct answer render_ready(const struct limiter *limiter, enum failure_mode mode, bool draining);

#endif
