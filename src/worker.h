/*
 * worker: a thread with an event loop, an HTTP server and a handle of the store. A request never crosses
 * threads.
 *
 *      wait for events ─► HTTP takes requests in ─► the store's batch leaves ─┐
 *             ▲                                                               │
 *             └── answered requests are resumed, and HTTP sends ◄───────────┘
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "http_options.h"
#include "linger.h"
#include "redis_url.h"
#include "store.h"

struct decision_stream;
struct worker;
struct limiter_counts;
struct observed;
struct redis_news;
struct redis_tls;

/* What one worker opens beside its connections: epolls, events and sockets (16), connections that linger, and
   those that are closed to make room for others, until libmicrohttpd has done so. */
#define WORKER_DESCRIPTORS (16 + LINGER_MAX + 32)

/* What all workers of a listener share; borrowed. */
struct worker_options {
    struct http_options http;
    const struct redis_url *redis; /* NULL: the store is `memory` */
    const struct redis_tls *tls;   /* NULL: plain */
    struct redis_news *redis_news; /* shared with all other workers */
    int64_t redis_timeout_us;
    struct store *memory; /* the store, or what FAILURE_LOCAL asks; NULL: neither */
    struct limiter_counts *counts;
    int64_t drain_us;               /* a longer drain is cut short */
    const char *name;               /* of their threads, at most 15 bytes; NULL: the process' own */
    struct decision_stream *stream; /* to which it writes; NULL: to none */
    bool is_admin;                  /* it decides no request: it keeps the overrides (override_keeper.h) */
    struct observed *observed;      /* it samples (sampler.h) and observes (observer.h); NULL: it does not */
};

/* Allocates all that a worker needs and starts its thread, which then never ends for lack of memory. The
   worker owns `socket`, also on failure: NULL with errno. -1: it serves nobody. */
struct worker *worker_start(const struct worker_options *options, unsigned number, int socket);

/* Makes the worker drain and end. From any thread; repeated calls have no effect. */
void worker_stop(struct worker *worker);

/* Waits for its end and frees it. */
void worker_join(struct worker *worker);

#endif
