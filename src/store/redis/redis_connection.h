/*
 * redis_connection: one connection to Redis that keeps itself: it connects, enters, loads the script, and when it is lost,
 * waits a little and begins again, for as long as it lives.
 *
 *     WAITING ──► RESOLVING ──► CONNECTING ──► ENTERING ──► READY
 *        ▲  back-off  │ no address   │ refused     │ refused    │ closed, dropped
 *        └────────────┴──────────────┴─────────────┴────────────┘
 *
 * ENTERING is what redis_handshake says. Nothing blocks: names are resolved on a thread of their own (redis_resolver). All of
 * it on the thread of its event base.
 */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "redis_handshake.h"

struct event_base;
struct redisReply;
struct redis_connection;

enum redis_connection_state {
    CONNECTION_WAITING,
    CONNECTION_RESOLVING,
    CONNECTION_CONNECTING,
    CONNECTION_HANDSHAKE,
    CONNECTION_READY
};

struct redis_connection_options {
    struct event_base *base;
    struct redis_handshake_options
        entry;                   /* where to, and what to say there; borrowed, for the connection's life */
    const struct redis_tls *tls; /* likewise; NULL where the URL does not ask for TLS */
    /* READY reached or lost. Before it says lost, every reply callback has run. Never from within
       redis_connection_new or redis_connection_send. */
    void (*on_change)(void *arg, bool ready);
    /* Once for each redis_connection_send that returned true, later, with its cookie: the reply, borrowed, or NULL when the
       connection was lost before it came; the command may then have run or not. */
    void (*on_reply)(void *arg, void *cookie, const struct redisReply *reply);
    void *arg; /* given to both */
};

/* NULL when memory is out. The first attempt starts with the loop's next turn. */
struct redis_connection *redis_connection_new(const struct redis_connection_options *options);

/* on_reply runs with NULL for what is pending; on_change does not run. NULL is allowed. */
void redis_connection_free(struct redis_connection *connection);

enum redis_connection_state redis_connection_state(const struct redis_connection *connection);

/* Why it is not ready: "Connection refused"; "" when nothing has failed yet. For people. */
const char *redis_connection_reason(const struct redis_connection *connection);

/* Queues one command, already in the protocol's form (it is copied); it leaves at the next redis_connection_flush. False, and
   no on_reply: not READY, or out of memory. */
bool redis_connection_send(struct redis_connection *connection, const char *command, size_t bytes,
                           void *cookie);

/* Writes what is queued, as far as the socket takes it; the rest follows by itself. */
void redis_connection_flush(struct redis_connection *connection);

/* The connection has been of use: the back-off begins anew with the next loss. Until then a Redis that lets us in but
   serves nothing (a replica, say) is asked less and less often. */
void redis_connection_proved(struct redis_connection *connection);

/* How long to stay away: as the back-off has it, or CONNECTION_PAUSE_MS where to come back soon would change nothing. */
enum redis_connection_pause { CONNECTION_PAUSE_BACKOFF, CONNECTION_PAUSE_LONG };

/* Gives the connection up, saying why, and begins again after the pause. Not from within on_reply or on_change;
   there, redis_connection_drop_soon. */
void redis_connection_drop(struct redis_connection *connection, const char *reason);

/* The same at the loop's next turn. Until then the connection is no longer READY. */
void redis_connection_drop_soon(struct redis_connection *connection, const char *reason,
                                enum redis_connection_pause pause);

#endif
