/*
 * connections: the connections of one worker: the phase of each, its deadline, and which one is closed when
 * there are too many.
 *
 * libmicrohttpd only has a deadline of inactivity, which a client that sends a byte a second never reaches.
 * So each connection has a deadline here, by its phase:
 *
 *      OPENED     first request's headers complete     header_timeout from its accept
 *      IDLE       next request's first line complete   idle_timeout from the end of the last
 *      HEADERS    headers complete                     header_timeout from the first line
 *      BODY       body complete                        30 s from the headers, and see below
 *      ANSWERING  answer sent                          30 s from the last call
 *      LEAVING    closed by libmicrohttpd              3 s from the 408 or 413
 *
 * A body must come at a rate of 1 KiB/s. The client starts with 5 s of patience; a second that passes takes
 * one, a KiB that comes gives one back, up to 5. So a client cannot hold a connection with a byte now and
 * then, or with half a body.
 *
 * A late body is answered 408. A body that libmicrohttpd cannot read on is answered 413: a line of the
 * chunked encoding has filled its memory; version 0.9.75 does not report that, and waits for room for ever.
 * Any other is cut off: its socket is shut down, and libmicrohttpd reads the end of the stream and closes.
 *
 * The worker's thread only.
 */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "exchange.h"
#include "http_options.h"
#include "page_guard.h"

enum phase { PHASE_OPENED, PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_ANSWERING, PHASE_LEAVING, PHASES };

struct connections;

struct connection {
    TAILQ_ENTRY(connection) links;
    struct connections *of;
    int fd;
    enum phase phase;
    int64_t since_us, deadline_us; /* of the phase; monotonic */
    bool has_place;                /* in `places`; not when it was cut off */
    bool unread;    /* in PHASE_BODY: so it was at the last sweep, and nothing was read since */
    bool requested; /* a request's first line is read, and it has not been completed */
    struct peer peer;
    struct page_guard guard;
    struct exchange exchange;
};

struct connections {
    TAILQ_HEAD(connection_list, connection)
    list; /* first: the one that has not completed a request for longest */
    unsigned count;
    struct places *places; /* borrowed; each connection has one */
    int64_t limits_us[PHASES];
};

void connections_init(struct connections *connections, const struct http_options *options);

/* A place for one that has come. Where none is free, of the connections that wait for their client the one is
   cut off that has not completed a request for longest; one within a request has a second before that can
   happen to it. False: none can be. */
bool connections_find_place(struct connections *connections, int fd, const struct sockaddr *address,
                            int64_t now_us);

/* Takes over a place. NULL when out of memory: the caller keeps the place. */
struct connection *connection_open(struct connections *connections, struct exchange_context *context, int fd,
                                   const struct sockaddr *address, int64_t now_us);

/* The end of its request, its place and its memory; not of its socket. */
void connection_close(struct connection *connection);

void connection_enter(struct connection *connection, enum phase phase, int64_t now_us);

/* `bytes` more of the body, in PHASE_BODY. */
void connection_received(struct connection *connection, size_t bytes, int64_t now_us);

/* Cuts off connections past their deadline, and idle ones while places are scarce. A connection that waits
   for the store is left alone: the store has its own deadline. */
void connections_sweep(struct connections *connections, int64_t now_us);

/* From now on idle connections have a second only. */
void connections_drain(struct connections *connections, int64_t now_us);

#endif
