/*
 * peek: what Redis says of one client at this moment, by a check of cost 0, which counts nothing. For a program
 * that has no event loop: it waits, PEEK_CONNECT_US for a connection and the store's deadline for the answer.
 */
#ifndef PEEK_H
#define PEEK_H

#include <stdbool.h>

#include "clock.h"
#include "redis_store.h"

#define PEEK_CONNECT_US (2 * US_PER_S)
#define PEEK_WHY_BYTES  256

struct peek {
    struct store_request request; /* its subject is set by the caller; the answer */
    enum store_status status;     /* private */
};

/* False: `why` says in a clause why there is no answer. */
bool peek_ask(struct peek *peek, const struct redis_url *url, const struct redis_tls *tls, int64_t timeout_us,
              char why[PEEK_WHY_BYTES]);

#endif
