/*
 * render: from a decision to status, headers and body.
 *
 * Within a second many clients get the same answer: same rule, same remaining, same reset. So answers are
 * made once and queued many times, from a small cache whose slots are overwritten. One renderer per worker;
 * its thread only.
 */
#ifndef RENDER_H
#define RENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "limiter.h"
#include "policy.h"
#include "response.h"
#include "store.h"

struct renderer;

#define RENDER_UNAVAILABLE "Rate limiter storage is unavailable."

/* NULL when out of memory. */
struct renderer *renderer_new(void);
void renderer_free(struct renderer *renderer);

/* 200, 403 (a blocked client), 429 or 503 for a take that is done: of a resource, or of forward auth.
   `message` is static. `deny_403`: 403 instead of 429. What a shadow rule withheld is in a header. */
struct response render_take(struct renderer *renderer, const struct limiter_take *take, const char *message,
                            bool deny_403, bool closing);

/* The same for /v1/check: the same headers, and the decision as JSON. */
struct response render_check(struct renderer *renderer, const struct limiter_take *take, bool closing);

/* An answer that is made at most once in a while, for all that ask for it: kept here by the endpoint that makes it,
   `owned` false. `index` below RENDER_KEPT. */
#define RENDER_KEPT 4
struct render_kept {
    struct response response; /* `response` NULL: none yet */
    int64_t made_us;          /* monotonic */
    unsigned makers;          /* requests that write a newer one, at this moment */
};
struct render_kept *render_kept(struct renderer *renderer, unsigned index);

/* 503 that names no rule. */
struct response render_unavailable(const struct field *trace_id, bool closing);

#endif
