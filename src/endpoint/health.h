/*
 * health: what GET /health and GET /ready tell of the whole process, whichever worker is asked, without waiting for the
 * store.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdbool.h>

#include "limiter.h"
#include "response.h"

/* 200 while the process serves. */
struct response health_response(const struct limiter *limiter, bool closing);

/*
 * Whether to send requests here:
 *
 *      draining                                              503
 *      the store is there, for every worker                  200
 *      it is away, and every rule fails closed               503
 *      it is away, and was not reached since the start       503 if any rule fails closed: a start with a wrong REDIS_URL
 *      it is away                                            200: what does not fail closed is answered
 *
 * Redis is away for all nodes at once: if all of them went out of service, nobody would answer what could be. The body names
 * the rules that are answered 503.
 */
struct response ready_response(const struct limiter *limiter, const struct policy *policy, bool draining,
                               bool closing);

#endif
