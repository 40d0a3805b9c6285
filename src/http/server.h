/*
 * server: libmicrohttpd on a libevent loop: connections, their deadlines, and the drain.
 *
 * libmicrohttpd keeps its sockets in an epoll of its own, which the loop watches; it is run when that is readable, when an
 * exchange was resumed (libmicrohttpd says so to nobody), and as long as it has more to do at once.
 *
 * Deadlines are ours, because those of libmicrohttpd are of inactivity only, which a client that sends a byte a
 * second never reaches. Each connection has one, by what it is doing:
 *
 *      OPENED     first request's headers complete     header_timeout from its accept
 *      IDLE       next request's first line complete   idle_timeout from the end of the last
 *      HEADERS    headers complete                     header_timeout from the first line
 *      BODY       body complete                        BODY_TIMEOUT from the headers
 *      ANSWERING  answer sent                          SEND_TIMEOUT from the last call
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
struct server;

struct server_options {
    struct event_base *base;
    int socket;                  /* listening, non-blocking; the server closes it */
    const struct policy *policy; /* borrowed, as are the next two */
    const struct networks *trusted;
    struct limiter *limiter;
    enum failure_mode failure_mode;
    const char *api_token, *admin_token; /* looked at by server_new; NULL or "": none */
    int64_t max_connections;
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
