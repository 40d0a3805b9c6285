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
#include "response.h"
#include "store.h"

struct renderer;

#define RENDER_UNAVAILABLE "Rate limiter storage is unavailable."

/* NULL when memory is out. `policy` is borrowed. */
struct renderer *renderer_new(const struct policy *policy);
void renderer_free(struct renderer *renderer);

/* 200, 429 or 503 for a take that is done: of a resource, or of a request that a proxy asks about. `message` is static.
   `deny_403`: 403 in the place of 429. */
struct response render_take(struct renderer *renderer, const struct limiter_take *take, const char *message,
                            bool deny_403, bool closing);

/* 200, 429 or 503 for an application that asks: the same headers, the decision as JSON. */
struct response render_check(struct renderer *renderer, const struct limiter_take *take, bool closing);

/* 503 where there is no one rule to tell about. */
struct response render_unavailable(bool closing);

#endif
