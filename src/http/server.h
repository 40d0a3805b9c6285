/*
 * server: libmicrohttpd on a libevent loop: who is let in, and the drain. What connections may do, and for how long, is
 * in connections.h.
 *
 * libmicrohttpd keeps its sockets in an epoll of its own, which the loop watches; it is run when that is readable, when an
 * exchange was resumed (libmicrohttpd says so to nobody), and as long as it has more to do at once.
 *
 * The worker's thread only.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "limiter.h"
#include "policy.h"

struct event_base;
struct places;
struct server;

struct server_options {
    struct event_base *base;
    int socket;                  /* listening, non-blocking; the server closes it */
    const struct policy *policy; /* borrowed, as is all that is pointed to */
    const struct networks *trusted;
    struct limiter *limiter;
    const char *api_token, *admin_token; /* looked at by server_new; NULL or "": none */
    struct places *places;               /* for connections */
    int64_t max_body_bytes;
    int64_t header_timeout_us;
    int64_t idle_timeout_us;
};

/* NULL when it cannot be had; errno tells why. */
struct server *server_new(const struct server_options *options);

/* Nothing may be pending at the store any more. What is still connected is cut off. NULL is allowed. */
void server_free(struct server *server);

/* After each turn of the loop: lets libmicrohttpd work. True: it has more to do, so the loop must not sleep. */
bool server_run(struct server *server);

/* Stops accepting: who is connected gets his answers, the last one with Connection: close; who then stays idle is cut off
   after a moment. */
void server_drain(struct server *server);

/* Connections open, also those that linger (linger.h); 0 after a drain: nothing is left to do. */
unsigned server_connections(const struct server *server);

#endif
