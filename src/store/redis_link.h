/*
 * redis_link: one connection to Redis that keeps itself: it connects, enters, loads the script, and when it is lost,
 * waits a little and begins again, for as long as it lives.
 *
 *     WAITING ──► RESOLVING ──► CONNECTING ──► ENTERING ──► READY
 *        ▲  back-off  │ no address   │ refused     │ refused    │ closed, dropped
 *        └────────────┴──────────────┴─────────────┴────────────┘
 *
 * ENTERING is what redis_entry says. Nothing blocks: names are resolved on a thread of their own (redis_name). All of
 * it on the thread of its event base.
 */
#ifndef REDIS_LINK_H
#define REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "redis_entry.h"

struct event_base;
struct redisReply;
struct redis_link;

enum redis_link_state { LINK_WAITING, LINK_RESOLVING, LINK_CONNECTING, LINK_ENTERING, LINK_READY };

struct redis_link_options {
    struct event_base *base;
    struct redis_entry_options entry; /* where to, and what to say there; borrowed, for the link's life */
    const struct redis_tls *tls;      /* likewise; NULL where the URL does not ask for TLS */
    /* READY reached or lost. Before it says lost, every reply callback has run. Never from within
       redis_link_new or redis_link_send. */
    void (*on_change)(void *arg, bool ready);
    /* Once for each redis_link_send that returned true, later, with its cookie: the reply, borrowed, or NULL when the
       connection was lost before it came; the command may then have run or not. */
    void (*on_reply)(void *arg, void *cookie, const struct redisReply *reply);
    void *arg; /* given to both */
};

/* NULL when memory is out. The first attempt starts with the loop's next turn. */
struct redis_link *redis_link_new(const struct redis_link_options *options);

/* on_reply runs with NULL for what is pending; on_change does not run. NULL is allowed. */
void redis_link_free(struct redis_link *link);

enum redis_link_state redis_link_state(const struct redis_link *link);

/* Why it is not ready: "Connection refused"; "" when nothing has failed yet. For people. */
const char *redis_link_trouble(const struct redis_link *link);

/* Queues one command, already in the protocol's form (it is copied); it leaves at the next redis_link_flush. False, and
   no on_reply: not READY, or out of memory. */
bool redis_link_send(struct redis_link *link, const char *command, size_t bytes, void *cookie);

/* Writes what is queued, as far as the socket takes it; the rest follows by itself. */
void redis_link_flush(struct redis_link *link);

/* The connection has been of use: the back-off begins anew with the next loss. Until then a Redis that lets us in but
   serves nothing (a replica, say) is asked less and less often. */
void redis_link_proved(struct redis_link *link);

/* How long to stay away: as the back-off has it, or LINK_PAUSE_MS where to come back soon would change nothing. */
enum redis_link_pause { LINK_PAUSE_BACKOFF, LINK_PAUSE_LONG };

/* Gives the connection up, saying why, and begins again after the pause. Not from within on_reply or on_change;
   there, redis_link_drop_soon. */
void redis_link_drop(struct redis_link *link, const char *trouble);

/* The same at the loop's next turn. Until then the link is no longer READY. */
void redis_link_drop_soon(struct redis_link *link, const char *trouble, enum redis_link_pause pause);

#endif
