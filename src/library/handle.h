/*
 * handle: an opened store, with a count of its users.
 */
#ifndef HANDLE_H
#define HANDLE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "clock.h"
#include "ratelimit.h"
#include "redis_url.h"
#include "store.h"

struct redis_tls;

struct ratelimit_store {
    _Atomic uint32_t references; /* the program's, and one for each limiter */
    struct store *store;
    int64_t timeout_ms;    /* Redis: how long a call waits */
    pid_t process;         /* Redis: the one its thread is in; 0: memory, which has none */
    struct redis_url url;  /* Redis */
    struct redis_tls *tls; /* likewise; NULL: plain */
    struct clock clock;    /* of the store in memory */
};

void handle_acquire(struct ratelimit_store *store);
void handle_release(struct ratelimit_store *store);

#endif
