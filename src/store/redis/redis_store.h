/*
 * redis_store: counters in Redis, shared by every node. A handle is one worker's: one connection, its event loop.
 *
 * Requests gather during a turn of the loop and leave in one command at its end (store_flush). A lone request leaves at
 * once; with two commands under way the next waits for an answer, unless it is full: so under load batches grow
 * by themselves, and a far Redis is still kept busy. Full ones wait where 64 are under way. All leave in the order of
 * arrival.
 *
 * What was refused is refused again without asking, until the moment that the refusal named, a second at most (denials.h).
 *
 * Whatever Redis does, each request is answered before its deadline passes: with STORE_UNAVAILABLE if need be. What was
 * sent is never sent again, because it may have counted. Once a command is not answered in time, requests are
 * STORE_UNAVAILABLE at once, until Redis answers again.
 */
#ifndef REDIS_STORE_H
#define REDIS_STORE_H

#include "redis_url.h"
#include "store.h"

struct event_base;
struct redis_tls;

struct redis_store_options {
    struct event_base *base;
    const struct redis_url *url; /* borrowed for the store's life, as is the next */
    const struct redis_tls *tls; /* NULL where the URL does not ask for TLS */
    int64_t timeout_us;          /* a request's deadline, from its store_take */
    const char *program;         /* borrowed; with the next, the connection's name: "ratelimitd-0" */
    unsigned worker;
};

/* NULL when memory is out. It connects by itself, from the loop's next turn on; store_health tells how it goes. */
struct store *redis_store_new(const struct redis_store_options *options);

#endif
