#include "redis_adapter.h"

#include <stdio.h>

#include <event2/event.h>

/* Without its event the connection would wait for ever. */
static void
watch(struct redis_adapter *adapter, struct event *event)
{
    if (event_add(event, NULL) < 0)
        adapter->on_failure(adapter->arg, "out of memory");
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct redis_adapter *adapter = arg;

    (void)fd;
    (void)what;
    redisAsyncHandleRead(adapter->context); /* may close the connection, after its callbacks */
    if (adapter->context != NULL && redis_guard_is_flooded(&adapter->guard))
        adapter->on_failure(adapter->arg, adapter->guard.reason);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct redis_adapter *adapter = arg;

    (void)fd;
    (void)what;
    redisAsyncHandleWrite(adapter->context);
}

static void
add_read(void *arg)
{
    struct redis_adapter *adapter = arg;

    watch(adapter, adapter->readable);
}

static void
del_read(void *arg)
{
    struct redis_adapter *adapter = arg;

    event_del(adapter->readable);
}

static void
add_write(void *arg)
{
    struct redis_adapter *adapter = arg;

    adapter->wants_write = true;
    if (!adapter->defers_writes)
        watch(adapter, adapter->writable);
}

static void
del_write(void *arg)
{
    struct redis_adapter *adapter = arg;

    adapter->wants_write = false;
    event_del(adapter->writable);
}

static void
free_events(struct redis_adapter *adapter)
{
    if (adapter->readable)
        event_free(adapter->readable);
    if (adapter->writable)
        event_free(adapter->writable);
    adapter->readable = adapter->writable = NULL;
}

static void
cleanup(void *arg)
{
    struct redis_adapter *adapter = arg;

    free_events(adapter);
    adapter->wants_write = false;
    adapter->context = NULL;
}

/* False: out of memory; the context is still its caller's. */
static bool
attach(struct redis_adapter *adapter, redisAsyncContext *context, struct event_base *base)
{
    adapter->readable = event_new(base, context->c.fd, EV_READ | EV_PERSIST, on_readable, adapter);
    adapter->writable = event_new(base, context->c.fd, EV_WRITE | EV_PERSIST, on_writable, adapter);
    if (adapter->readable == NULL || adapter->writable == NULL) {
        free_events(adapter);
        return false;
    }
    adapter->context = context;
    adapter->defers_writes = false;
    context->ev.data = adapter;
    context->ev.addRead = add_read;
    context->ev.delRead = del_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = del_write;
    context->ev.cleanup = cleanup;
    redis_guard_attach(&adapter->guard, context);
    return true;
}

bool
redis_adapter_open(struct redis_adapter *adapter, struct event_base *base, const struct redis_url *url,
                   const struct redis_tls *tls, const char *address, char *reason, size_t bytes)
{
    redisAsyncContext *context =
        url->path ? redisAsyncConnectUnix(url->path) : redisAsyncConnect(address, url->port);

    if (context != NULL && context->err == 0 &&
        (!url->tls || redis_tls_start(tls, context, url, &adapter->certificate_error)) &&
        attach(adapter, context, base))
        return true;
    snprintf(reason, bytes, "%s", context && context->c.err ? context->c.errstr : "out of memory");
    if (context)
        redisAsyncFree(context);
    return false;
}

void
redis_adapter_flush(struct redis_adapter *adapter)
{
    if (!adapter->wants_write || !adapter->defers_writes)
        return;
    adapter->wants_write = false;
    redisAsyncHandleWrite(adapter->context);
    if (adapter->wants_write)
        watch(adapter, adapter->writable); /* the socket is full */
}

void
redis_adapter_close(struct redis_adapter *adapter)
{
    if (adapter->context)
        redisAsyncFree(adapter->context); /* cleanup() forgets it */
}
