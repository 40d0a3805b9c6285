/*
 * server: libmicrohttpd on a libevent loop: which connections are let in, and the drain. What they may do,
 * and for how long, is in connections.h.
 *
 * libmicrohttpd keeps its sockets in its own epoll, which the loop watches. It is run when that is readable,
 * after an exchange was resumed (which its epoll does not show), and as long as it has more to do at once.
 *
 * The worker's thread only.
 */
#ifndef SERVER_H
#define SERVER_H

#include "http_options.h"
#include "limiter.h"
#include <stdbool.h>

struct event_base;
struct generation_reader;
struct http_counts;
struct server;

/* `socket` listens and does not block; the server owns it, and closes it even when it returns NULL. The rest
   is borrowed. NULL with errno when the server cannot be made. */
struct server *server_new(struct event_base *base, int socket, struct limiter *limiter,
                          struct generation_reader *generations, const struct http_options *options,
                          struct http_counts *counts);

/* No request may be pending at the store. Open connections are cut off. NULL is allowed. */
void server_free(struct server *server);

/* To be called after each turn of the loop. True: there is more to do, so the loop must not sleep. */
bool server_run(struct server *server);

/* Stops accepting. Open connections still get their answers, each with Connection: close; those that stay
   idle are cut off after a second. */
void server_drain(struct server *server);

/* Open connections, including those that linger (linger.h). 0 after a drain: nothing is left to do. */
unsigned server_connections(const struct server *server);

#endif
