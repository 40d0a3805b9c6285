/*
 * handle: what a program holds of the library: an opened store, counted by those who need it.
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
    _Atomic uint32_t references; /* the opener's, and one a limiter */
    struct store *store;
    int64_t timeout_ms;    /* Redis: how long a call waits */
    pid_t process;         /* Redis: where its thread is; 0: memory, and it has none */
    struct redis_url url;  /* Redis */
    struct redis_tls *tls; /* likewise; NULL: plain */
    struct clock clock;    /* what the store in memory counts by */
};

void handle_acquire(struct ratelimit_store *store);
void handle_release(struct ratelimit_store *store);

#endif
