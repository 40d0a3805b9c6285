#include "redis_connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "log.h"
#include "metrics.h"
#include "redis_adapter.h"
#include "redis_error.h"
#include "redis_news.h"
#include "redis_resolver.h"

/* A Redis that comes back must be found within a second, even where packets are dropped silently: one attempt
   and the longest back-off take less. */
#define CONNECT_MS   500
#define HANDSHAKE_MS 600 /* with that of TLS */

#define REASON_BYTES 200

struct redis_connection {
    struct redis_connection_options options;
    char name[48]; /* in debug lines, as in Redis' CLIENT LIST */
    enum { WAITING, RESOLVING, CONNECTING, HANDSHAKE, READY } state;
    unsigned kind; /* of the reason: enum redis_news_kind */
    char reason[REASON_BYTES];
    bool dropping; /* no longer READY: the timer will drop the connection */
    enum redis_pause pause;
    unsigned failures; /* since it was last of use */
    unsigned number;   /* of times that READY was reached */
    struct redis_news own_news;

    struct event *timer;                  /* the back-off, or the time limit of the current state */
    unsigned timer_ms;                    /* what it was last set to */
    bool timer_failed;                    /* it could not be set: redis_connection_flush tries again */
    struct redis_resolver_lookup *lookup; /* while RESOLVING */
    struct redis_handshake handshake;     /* while HANDSHAKE */

    struct redis_adapter adapter;
};

/* States. */

static void
arm_timer(struct redis_connection *connection, unsigned ms)
{
    struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    connection->timer_ms = ms;
    connection->timer_failed = evtimer_add(connection->timer, &delay) < 0;
}

/* A rejected certificate is the reason for what follows; hiredis does not know of it. */
static void
set_reason(struct redis_connection *connection, unsigned kind, const char *reason)
{
    connection->kind = kind;
    if (connection->adapter.certificate_error != NULL) {
        connection->kind = REDIS_NEWS_CERTIFICATE;
        snprintf(connection->reason, sizeof(connection->reason), "TLS certificate rejected: %s",
                 connection->adapter.certificate_error);
        connection->adapter.certificate_error = NULL;
    } else if (reason != connection->reason) {
        snprintf(connection->reason, sizeof(connection->reason), "%s", reason);
    }
}

/* The only way to leave the other states: nothing is left of the connection, and the next attempt is
   timed. */
static void
wait_to_begin(struct redis_connection *connection, unsigned kind, const char *reason)
{
    bool was_ready = connection->state == READY, was_of_use = connection->failures == 0;
    unsigned delay_ms = redis_backoff_ms(++connection->failures, connection->pause);

    if (!was_ready)
        counter_add(&connection->options.counts->connection_failures, 1);
    connection->state = WAITING;
    connection->dropping = false;
    connection->pause = REDIS_PAUSE_SHORT;
    set_reason(connection, kind, reason);
    arm_timer(connection, delay_ms);
    if (redis_news_lost(connection->options.news, connection->kind, was_of_use))
        log_warn("redis", "no connection to %s: %s; retrying; until it is back, on_store_failure decides",
                 connection->options.handshake.url->display, connection->reason);
    log_debug("redis", "%s: attempt %u failed: %s; the next one in %u ms", connection->name,
              connection->failures, connection->reason, delay_ms);
    if (was_ready)
        connection->options.on_change(connection->options.arg, false);
}

static void
become_ready(struct redis_connection *connection)
{
    connection->state = READY;
    connection->number++;
    connection->adapter.defers_writes = true;
    connection->reason[0] = '\0';
    connection->timer_failed = false;
    evtimer_del(connection->timer);
    if (redis_news_connected(connection->options.news))
        log_info("redis", "connected to %s", connection->options.handshake.url->display);
    log_debug("redis", "%s: Redis accepted the handshake", connection->name);
    connection->options.on_change(connection->options.arg, true);
}

void
redis_connection_flush(struct redis_connection *connection)
{
    if (connection->timer_failed)
        arm_timer(connection, connection->timer_ms);
    redis_adapter_flush(&connection->adapter);
}

/* Frees the connection, if there is one; pending reply callbacks run with NULL. Not from within hiredis'
   callbacks. */
static void
free_connection(struct redis_connection *connection)
{
    if (connection->lookup)
        redis_resolver_cancel(connection->lookup);
    connection->lookup = NULL;
    redis_adapter_close(&connection->adapter);
}

static void
drop(struct redis_connection *connection, unsigned kind, const char *reason)
{
    connection->dropping = true; /* the callbacks of pending replies must not send on it */
    free_connection(connection);
    if (connection->state != WAITING)
        wait_to_begin(connection, kind, reason);
}

void
redis_connection_drop(struct redis_connection *connection, const char *reason)
{
    drop(connection, REDIS_NEWS_AWAY, reason);
}

void
redis_connection_proved(struct redis_connection *connection)
{
    connection->failures = 0;
}

static void
drop_soon(struct redis_connection *connection, unsigned kind, const char *reason, enum redis_pause pause)
{
    if (connection->dropping)
        return;
    connection->dropping = true;
    connection->pause = pause;
    set_reason(connection, kind, reason);
    arm_timer(connection, 0);
}

void
redis_connection_drop_soon(struct redis_connection *connection, const char *reason, enum redis_pause pause)
{
    drop_soon(connection, REDIS_NEWS_AWAY, reason, pause);
}

static void
reject(struct redis_connection *connection, const struct redis_error *error, const char *reason)
{
    drop_soon(connection, redis_news_kind(error), reason,
              error->reaction == REACT_REENTER ? REDIS_PAUSE_LONG : REDIS_PAUSE_SHORT);
}

void
redis_connection_reject(struct redis_connection *connection, const struct redis_error *error)
{
    if (error->reaction == REACT_RECONNECT || error->reaction == REACT_REENTER)
        reject(connection, error, error->advice);
}

static void
on_failure(void *arg, const char *reason)
{
    redis_connection_drop_soon(arg, reason, REDIS_PAUSE_SHORT);
}

/* The handshake. */

static void
on_handshake_over(void *arg, const redisReply *refusal)
{
    struct redis_connection *connection = arg;
    const struct redis_error *error;
    char reason[REASON_BYTES];

    if (connection->dropping)
        return;
    if (refusal == NULL) {
        become_ready(connection);
        return;
    }
    error = redis_error_of(refusal->str, refusal->len);
    counter_add(&connection->options.counts->errors[redis_error_index(error)], 1);
    redis_error_refusal(reason, sizeof(reason), refusal->str, refusal->len);
    reject(connection, error, reason);
}

static void
begin_handshake(struct redis_connection *connection)
{
    connection->state = HANDSHAKE;
    arm_timer(connection, HANDSHAKE_MS);
    connection->handshake.on_over = on_handshake_over;
    connection->handshake.arg = connection;
    if (!redis_handshake_begin(&connection->handshake, connection->adapter.context,
                               &connection->options.handshake))
        redis_connection_drop_soon(connection, "out of memory", REDIS_PAUSE_SHORT);
}

/* Connecting. */

static void
on_connect(const redisAsyncContext *context, int status)
{
    struct redis_connection *connection = context->data;
    int on = 1;

    if (status != REDIS_OK) {
        wait_to_begin(connection, REDIS_NEWS_AWAY,
                      context->c.errstr); /* hiredis frees the context, with no further callback */
    } else if (!connection->dropping) {
        setsockopt(context->c.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)); /* no effect on a Unix socket */
        begin_handshake(connection);
    }
}

static void
on_disconnect(const redisAsyncContext *context, int status)
{
    struct redis_connection *connection = context->data;
    const struct redis_guard *guard = &connection->adapter.guard;
    const char *reason = guard->reason ? guard->reason : context->errstr;
    unsigned kind = REDIS_NEWS_AWAY;
    char refusal[REASON_BYTES];

    if (status == REDIS_OK || connection->state == WAITING)
        return;                     /* our own redisAsyncFree, whose caller gives the reason */
    if (guard->has_unasked_error) { /* errstr is its text */
        redis_error_refusal(refusal, sizeof(refusal), context->errstr, strlen(context->errstr));
        reason = refusal;
        kind = redis_news_kind(redis_error_of(context->errstr, strlen(context->errstr)));
    }
    if (connection->dropping)
        wait_to_begin(connection, connection->kind, connection->reason);
    else
        wait_to_begin(connection, kind, reason);
}

static void
connect_to(struct redis_connection *connection, const char *address)
{
    const struct redis_url *url = connection->options.handshake.url;
    char reason[REASON_BYTES];

    log_debug("redis", "%s: connecting to %s", connection->name, url->path ? url->path : address);
    connection->state = CONNECTING;
    arm_timer(connection, CONNECT_MS);
    if (!redis_adapter_open(&connection->adapter, connection->options.base, url, connection->options.tls,
                            address, reason, sizeof(reason))) {
        wait_to_begin(connection, REDIS_NEWS_AWAY, reason);
        return;
    }
    connection->adapter.context->data = connection;
    redisAsyncSetDisconnectCallback(connection->adapter.context, on_disconnect);
    redisAsyncSetConnectCallback(connection->adapter.context, on_connect);
}

static void
on_name(void *arg, const char *address, const char *reason)
{
    struct redis_connection *connection = arg;

    connection->lookup = NULL;
    if (address)
        connect_to(connection, address);
    else
        wait_to_begin(connection, REDIS_NEWS_AWAY, reason);
}

static void
begin(struct redis_connection *connection)
{
    const struct redis_url *url = connection->options.handshake.url;

    if (url->path || url->host_is_address) {
        connect_to(connection, url->host);
        return;
    }
    connection->state = RESOLVING; /* without a limit: another lookup would not be quicker */
    connection->lookup =
        redis_resolver_start(connection->options.base, url->host, connection->failures, on_name, connection);
    if (connection->lookup == NULL)
        wait_to_begin(connection, REDIS_NEWS_AWAY, "out of memory or threads");
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct redis_connection *connection = arg;

    (void)fd;
    (void)what;
    if (connection->dropping)
        drop(connection, connection->kind, connection->reason);
    else if (connection->state == WAITING)
        begin(connection);
    else
        redis_connection_drop(connection, connection->state == CONNECTING
                                              ? "no connection within 500 ms"
                                              : "no reply to the handshake within 600 ms");
}

/* The life of a connection. */

struct redis_connection *
redis_connection_new(const struct redis_connection_options *options)
{
    struct redis_connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return NULL;
    connection->options = *options;
    if (connection->options.news == NULL)
        connection->options.news = &connection->own_news;
    snprintf(connection->name, sizeof(connection->name), "%s-%u", options->handshake.program,
             options->handshake.worker);
    connection->adapter.on_failure = on_failure;
    connection->adapter.arg = connection;
    connection->timer = evtimer_new(options->base, on_timer, connection);
    if (connection->timer == NULL) {
        free(connection);
        return NULL;
    }
    arm_timer(connection, 0);
    return connection;
}

void
redis_connection_free(struct redis_connection *connection)
{
    if (connection == NULL)
        return;
    connection->state = WAITING; /* reports nothing from here on */
    free_connection(connection);
    event_free(connection->timer);
    free(connection);
}

bool
redis_connection_is_ready(const struct redis_connection *connection)
{
    return connection->state == READY && !connection->dropping;
}

unsigned
redis_connection_number(const struct redis_connection *connection)
{
    return connection->number;
}

const char *
redis_connection_reason(const struct redis_connection *connection)
{
    return connection->reason;
}

/* Commands. */

static void
on_reply(redisAsyncContext *context, void *reply, void *cookie)
{
    struct redis_call *call = cookie;

    (void)context;
    call->callback(call, reply);
}

bool
redis_connection_send(struct redis_connection *connection, const char *command, size_t bytes,
                      struct redis_call *call)
{
    return redis_connection_is_ready(connection) &&
           redisAsyncFormattedCommand(connection->adapter.context, on_reply, call, command, bytes) ==
               REDIS_OK;
}
