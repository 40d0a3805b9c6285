/*
 * redis_adapter: a connection of hiredis on an event loop, over TLS where the URL says so, with a
 * redis_guard.
 *
 * While writes are deferred, what hiredis has to write waits for redis_adapter_flush: the socket nearly
 * always has room, so this saves the two system calls that watching it would take. What the socket does not
 * take follows by itself.
 *
 * The adapter is embedded in its owner, must not move while it is open, and stays on the thread of the event
 * base.
 */
#ifndef REDIS_ADAPTER_H
#define REDIS_ADAPTER_H

#include <stdbool.h>

#include <hiredis/async.h>

#include "redis_guard.h"
#include "redis_tls.h"

struct event;
struct event_base;

struct redis_adapter {
    redisAsyncContext *context;    /* NULL: closed, by redis_adapter_close or by hiredis */
    const char *certificate_error; /* why the server's certificate was rejected; NULL: it was not */
    struct redis_guard guard;
    struct event *readable, *writable;
    bool defers_writes; /* the owner's to set; false again with each opening */
    bool wants_write;   /* hiredis has something to write */

    /* The owner's. The connection is of no use any longer: memory is short, or Redis sends too much. Runs
       within a call of this module, or of hiredis; it must not close the connection. */
    void (*on_failure)(void *arg, const char *reason);
    void *arg;
};

/* Begins to connect to the URL's socket, or to this numeric address of its host. The caller then sets the
   callbacks of `context`; that of the connect last, as it begins to watch the socket. False, with the reason:
   nothing is open. */
bool redis_adapter_open(struct redis_adapter *adapter, struct event_base *base, const struct redis_url *url,
                        const struct redis_tls *tls, const char *address, char *reason, size_t bytes);

/* Writes what was deferred. hiredis may close the connection, after its callbacks. */
void redis_adapter_flush(struct redis_adapter *adapter);

/* Closes the connection, if there is one; pending reply callbacks run with NULL. Not from within hiredis'
   callbacks. */
void redis_adapter_close(struct redis_adapter *adapter);

#endif
