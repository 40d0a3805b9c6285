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

#include "http_options.h"
#include "limiter.h"
#include <stdbool.h>

struct event_base;
struct server;

/* `socket` listens and does not block; the server owns it, and closes it even when it returns NULL. The rest is borrowed.
   NULL with errno when the server cannot be made. */
struct server *server_new(struct event_base *base, int socket, struct limiter *limiter,
                          const struct http_options *options);

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
