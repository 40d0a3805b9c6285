/*
 * redis_connection: one connection to Redis that maintains itself: it connects, does the handshake and, when
 * it is lost, waits for the back-off and connects again, until it is freed.
 *
 *     WAITING ──► RESOLVING ──► CONNECTING ──► HANDSHAKE ──► READY
 *        ▲  back-off  │ no address   │ refused      │ refused     │ closed, dropped
 *        └────────────┴──────────────┴──────────────┴─────────────┘
 *
 * redis_handshake.h says what is sent in HANDSHAKE. Nothing blocks: names are resolved on another thread
 * (redis_resolver). All functions and callbacks run on the thread of the event base.
 */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "redis_backoff.h"
#include "redis_call.h"
#include "redis_handshake.h"

struct event_base;
struct redis_connection;
struct redis_counts;
struct redis_error;
struct redis_news;

struct redis_connection_options {
    struct event_base *base;
    struct redis_handshake_options handshake; /* its pointers are borrowed for the connection's life */
    const struct redis_tls *tls;              /* likewise; NULL unless the URL asks for TLS */
    struct redis_counts *counts;              /* borrowed: failures to connect, and errors of the handshake */
    struct redis_news *news; /* borrowed: shared by the connections to this Redis; NULL: it is the only one */
    /* READY was reached or lost. When it was lost, every call's callback has already run. Never from within
       redis_connection_new or redis_connection_send. */
    void (*on_change)(void *arg, bool ready);
    void *arg; /* given to on_change */
};

/* NULL: out of memory. The first attempt starts with the loop's next turn. */
struct redis_connection *redis_connection_new(const struct redis_connection_options *options);

/* The callbacks of pending commands run with NULL; on_change does not run. NULL is allowed. */
void redis_connection_free(struct redis_connection *connection);

bool redis_connection_is_ready(const struct redis_connection *connection);

/* Another number each time that READY is reached; 0: never yet. */
unsigned redis_connection_number(const struct redis_connection *connection);

/* Why it is not ready: "Connection refused"; "" when nothing has failed yet. For logs. */
const char *redis_connection_reason(const struct redis_connection *connection);

/* Queues a copy of one command in RESP; the next redis_connection_flush sends it. False, and no callback: not
   READY, or out of memory. */
bool redis_connection_send(struct redis_connection *connection, const char *command, size_t bytes,
                           struct redis_call *call);

/* The end of a turn of the loop: writes what is queued, as far as the socket takes it; the rest follows by
   itself. Also sets the timer that could not be set when memory was short. */
void redis_connection_flush(struct redis_connection *connection);

/* The connection has been of use: the next loss starts with the shortest back-off. Until then a Redis that
   accepts the handshake but executes nothing (a replica, say) is tried less and less often. */
void redis_connection_proved(struct redis_connection *connection);

/* Closes the connection for this reason and connects again after the back-off. Not from within a callback:
   use redis_connection_drop_soon there. */
void redis_connection_drop(struct redis_connection *connection, const char *reason);

/* The same at the loop's next turn, after the pause. The connection is no longer READY at once. */
void redis_connection_drop_soon(struct redis_connection *connection, const char *reason,
                                enum redis_pause pause);

/* The same where an error reply asks for another connection, for what it advises; of others, nothing. */
void redis_connection_reject(struct redis_connection *connection, const struct redis_error *error);

#endif
