/*
 * redis_adapter: a connection of hiredis on an event loop.
 *
 * While writes are deferred, what hiredis has to write waits for redis_adapter_flush: the socket nearly always has room, so
 * this saves the two system calls that watching it would take. What the socket does not take follows by itself.
 *
 * The adapter is embedded in its owner, must not move while it is attached, and stays on the thread of the event base.
 */
#ifndef REDIS_ADAPTER_H
#define REDIS_ADAPTER_H

#include <stdbool.h>

#include <hiredis/async.h>

#include "redis_guard.h"

struct event;
struct event_base;

struct redis_adapter {
    redisAsyncContext
        *context; /* NULL: not attached; hiredis has closed the connection, or nobody has opened one */
    struct redis_guard guard;
    struct event *readable, *writable;
    bool defers_writes; /* the owner's to set; false again with each attachment */
    bool wants_write;   /* hiredis has something to write */

    /* The owner's. The connection is of no use any longer: memory is short, or Redis sends too much. Runs within a call of
       this module, or of hiredis; it must not close the connection. */
    void (*on_failure)(void *arg, const char *reason);
    void *arg;
};

/* Takes the context, which has no `ev` yet. False: out of memory; the context is still its caller's. */
bool redis_adapter_attach(struct redis_adapter *adapter, redisAsyncContext *context, struct event_base *base);

/* Writes what was deferred. hiredis may close the connection, after its callbacks. */
void redis_adapter_flush(struct redis_adapter *adapter);

/* Closes the connection, if there is one; pending reply callbacks run with NULL. Not from within hiredis' callbacks. */
void redis_adapter_close(struct redis_adapter *adapter);

#endif
