#include "redis_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "log.h"
#include "redis_error.h"
#include "redis_guard.h"
#include "redis_resolver.h"
#include "redis_tls.h"

/* A Redis that comes back is to be found within a second, also where packets vanish without a word: one attempt and the
   longest back-off take less. */
#define CONNECT_MS 500
#define ENTER_MS   600 /* TLS and the entry; who is frozen here answers as soon as he thaws */

/* Back-off: doubled from the first to the last, and of that a random half to whole, so that the workers of many nodes
   do not come back in step. */
#define BACKOFF_FIRST_MS 25
#define BACKOFF_LAST_MS  300

#define PAUSE_MS 3000 /* CONNECTION_PAUSE_LONG: a wrong password, say */

#define TROUBLE_BYTES 200

struct redis_connection {
    struct redis_connection_options options;
    enum redis_connection_state state;
    char reason[TROUBLE_BYTES];
    bool dropping; /* READY no more: the timer will drop the connection */
    enum redis_connection_pause pause;
    bool said_lost, said_connected; /* in the log: each once, until the connection has proved itself again */
    unsigned said_reasons;          /* and likewise why it is not let in, a bit a reason: see say_reason */
    unsigned failures;              /* in a row */

    struct event *timer;                  /* the back-off, or the limit of the step under way */
    struct redis_resolver_lookup *lookup; /* while RESOLVING */
    struct redis_handshake entry;         /* while ENTERING */

    redisAsyncContext *context; /* NULL: no connection */
    const char *mistrust;       /* why the server's certificate is not taken; NULL: it is, or there is none */
    struct redis_guard guard;
    struct event *readable, *writable;
    bool wants_write; /* hiredis has something to write; redis_connection_flush does */
};

/* States. */

static void
arm_timer(struct redis_connection *connection, unsigned ms)
{
    struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    evtimer_add(connection->timer, &delay);
}

static unsigned
pause_ms(unsigned failures, enum redis_connection_pause pause)
{
    unsigned ms = BACKOFF_FIRST_MS, random = 0;

    while (failures-- > 1 && ms < BACKOFF_LAST_MS)
        ms *= 2;
    if (ms > BACKOFF_LAST_MS)
        ms = BACKOFF_LAST_MS;
    if (pause == CONNECTION_PAUSE_LONG)
        ms = PAUSE_MS;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = 0;
    return ms / 2 + random % (ms / 2 + 1);
}

/* A connection that is merely lost hides behind one line, in the log for as long as it lasts. What the operator has to act
   upon gets one of its own, also when it turns out later: a password that was rotated, say, after a restart. */
static void
say_reason(struct redis_connection *connection, unsigned reason)
{
    if ((connection->said_reasons & 1u << reason) == 0)
        connection->said_lost = false;
    connection->said_reasons |= 1u << reason;
}

#define REASON_MISTRUST REDIS_ERROR_COUNT /* behind those of the errors */

/* The only way out of every other state: nothing of the connection is left, and the next attempt is timed. */
static void
wait_to_begin(struct redis_connection *connection, const char *reason)
{
    bool was_ready = connection->state == CONNECTION_READY;

    connection->state = CONNECTION_WAITING;
    connection->dropping = false;
    connection->failures++;
    if (reason != connection->reason)
        snprintf(connection->reason, sizeof(connection->reason), "%s", reason);
    arm_timer(connection, pause_ms(connection->failures, connection->pause));
    connection->pause = CONNECTION_PAUSE_BACKOFF;
    if (!connection->said_lost) {
        connection->said_lost = true;
        connection->said_connected = false;
        log_warn(
            "redis",
            "no connection to %s: %s; trying again until it is back, and until then the failure mode decides",
            connection->options.entry.url->display, connection->reason);
    }
    if (was_ready)
        connection->options.on_change(connection->options.arg, false);
}

static void
become_ready(struct redis_connection *connection)
{
    connection->state = CONNECTION_READY;
    connection->reason[0] = '\0';
    evtimer_del(connection->timer);
    if (!connection->said_connected) {
        connection->said_connected = true;
        log_info("redis", "connected to %s", connection->options.entry.url->display);
    }
    connection->options.on_change(connection->options.arg, true);
}

/* hiredis' hooks: libevent events, except that a write of a READY connection waits for redis_connection_flush, which saves the two system calls
   of watching the socket for the room that it nearly always has. */

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct redis_connection *connection = arg;

    (void)fd;
    (void)what;
    redisAsyncHandleRead(connection->context); /* may end the connection: the callbacks have then run */
    if (connection->context && redis_guard_is_flooded(&connection->guard))
        redis_connection_drop(connection, connection->guard.reason);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct redis_connection *connection = arg;

    (void)fd;
    (void)what;
    redisAsyncHandleWrite(connection->context);
}

static void
hook_add_read(void *arg)
{
    struct redis_connection *connection = arg;

    event_add(connection->readable, NULL);
}

static void
hook_del_read(void *arg)
{
    struct redis_connection *connection = arg;

    event_del(connection->readable);
}

static void
hook_add_write(void *arg)
{
    struct redis_connection *connection = arg;

    connection->wants_write = true;
    if (connection->state != CONNECTION_READY)
        event_add(connection->writable, NULL);
}

static void
hook_del_write(void *arg)
{
    struct redis_connection *connection = arg;

    connection->wants_write = false;
    event_del(connection->writable);
}

static void
hook_cleanup(void *arg)
{
    struct redis_connection *connection = arg;

    event_free(connection->readable);
    event_free(connection->writable);
    connection->readable = connection->writable = NULL;
    connection->wants_write = false;
    connection->context = NULL;
}

static bool
attach(struct redis_connection *connection, redisAsyncContext *context)
{
    connection->readable =
        event_new(connection->options.base, context->c.fd, EV_READ | EV_PERSIST, on_readable, connection);
    connection->writable =
        event_new(connection->options.base, context->c.fd, EV_WRITE | EV_PERSIST, on_writable, connection);
    if (connection->readable == NULL || connection->writable == NULL) {
        if (connection->readable)
            event_free(connection->readable);
        if (connection->writable)
            event_free(connection->writable);
        return false;
    }
    connection->context = context;
    context->data = connection;
    context->ev.data = connection;
    context->ev.addRead = hook_add_read;
    context->ev.delRead = hook_del_read;
    context->ev.addWrite = hook_add_write;
    context->ev.delWrite = hook_del_write;
    context->ev.cleanup = hook_cleanup;
    redis_guard_attach(&connection->guard, context);
    return true;
}

void
redis_connection_flush(struct redis_connection *connection)
{
    if (!connection->wants_write || connection->state != CONNECTION_READY)
        return;
    connection->wants_write = false;
    redisAsyncHandleWrite(connection->context); /* may end the connection: the callbacks have then run */
    if (connection->wants_write)
        event_add(connection->writable, NULL); /* the socket is full: the rest goes when it has room */
}

/* Frees the connection, if there is one; the pending reply callbacks run with NULL. Not from hiredis' callbacks. */
static void
free_connection(struct redis_connection *connection)
{
    if (connection->lookup)
        redis_resolver_cancel(connection->lookup);
    connection->lookup = NULL;
    if (connection->context)
        redisAsyncFree(connection->context); /* hook_cleanup forgets it */
}

void
redis_connection_drop(struct redis_connection *connection, const char *reason)
{
    char copy[TROUBLE_BYTES]; /* `reason` may be the connection's own */

    snprintf(copy, sizeof(copy), "%s", reason);
    connection->dropping = true; /* what runs for the pending replies must not send on it */
    free_connection(connection);
    if (connection->state != CONNECTION_WAITING)
        wait_to_begin(connection, copy);
}

void
redis_connection_proved(struct redis_connection *connection)
{
    connection->failures = 0;
    connection->said_lost = false;
    connection->said_reasons = 0;
}

void
redis_connection_drop_soon(struct redis_connection *connection, const char *reason,
                           enum redis_connection_pause pause)
{
    if (connection->dropping)
        return;
    connection->dropping = true;
    connection->pause = pause;
    snprintf(connection->reason, sizeof(connection->reason), "%s", reason);
    arm_timer(connection, 0);
}

/* Entering. */

/* By the error that Redis gave. */
static void
write_refusal(char reason[TROUBLE_BYTES], const char *text, size_t bytes)
{
    char shown[REDIS_ERROR_SHOWN_BYTES];

    snprintf(reason, TROUBLE_BYTES, "%s (%s)", redis_error_shown(shown, text, bytes),
             redis_error_of(text, bytes)->advice);
}

static void
on_entry_over(void *arg, const redisReply *refusal)
{
    struct redis_connection *connection = arg;
    const struct redis_error *error;
    char reason[TROUBLE_BYTES];

    if (refusal == NULL) {
        become_ready(connection);
        return;
    }
    error = redis_error_of(refusal->str, refusal->len);
    write_refusal(reason, refusal->str, refusal->len);
    say_reason(connection, (unsigned)redis_error_index(error));
    redis_connection_drop_soon(connection, reason,
                               error->reaction == REACT_REENTER ? CONNECTION_PAUSE_LONG
                                                                : CONNECTION_PAUSE_BACKOFF);
}

static void
enter(struct redis_connection *connection)
{
    connection->state = CONNECTION_HANDSHAKE;
    arm_timer(connection, ENTER_MS);
    connection->entry.on_over = on_entry_over;
    connection->entry.arg = connection;
    if (!redis_handshake_begin(&connection->entry, connection->context, &connection->options.entry))
        redis_connection_drop_soon(connection, "out of memory", CONNECTION_PAUSE_BACKOFF);
}

/* Connecting. */

/* The same as wait_to_begin, where a handshake may have failed, of which hiredis knows little. */
static void
wait_to_begin_after(struct redis_connection *connection, const char *error)
{
    char reason[TROUBLE_BYTES];

    if (connection->mistrust) {
        snprintf(reason, sizeof(reason), "its certificate is not taken: %s", connection->mistrust);
        say_reason(connection, REASON_MISTRUST);
    } else {
        snprintf(reason, sizeof(reason), "%s", error);
    }
    connection->mistrust = NULL;
    wait_to_begin(connection, reason);
}

static void
on_connect(const redisAsyncContext *context, int status)
{
    struct redis_connection *connection = context->data;
    int on = 1;

    if (status != REDIS_OK) {
        /* hiredis frees the context when this returns, and says no more. */
        wait_to_begin_after(connection, context->c.errstr);
        return;
    }
    if (connection->options.entry.url->host)
        setsockopt(context->c.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    enter(connection);
}

static void
on_disconnect(const redisAsyncContext *context, int status)
{
    struct redis_connection *connection = context->data;
    const char *reason = connection->guard.reason ? connection->guard.reason : context->errstr;
    char refusal[TROUBLE_BYTES];

    if (connection->guard.has_unasked_error) { /* errstr is its text */
        write_refusal(refusal, context->errstr, strlen(context->errstr));
        reason = refusal;
    }
    /* After redisAsyncFree of ours the status is OK, and the one who called it says why. */
    if (status != REDIS_OK && connection->state != CONNECTION_WAITING)
        wait_to_begin_after(connection, connection->dropping ? connection->reason : reason);
}

static void
connect_to(struct redis_connection *connection, const char *address)
{
    const struct redis_url *url = connection->options.entry.url;
    redisAsyncContext *context;

    connection->state = CONNECTION_CONNECTING;
    arm_timer(connection, CONNECT_MS);
    context = url->path ? redisAsyncConnectUnix(url->path) : redisAsyncConnect(address, url->port);
    if (context == NULL || context->err ||
        (url->tls && !redis_tls_start(connection->options.tls, context, url->host, &connection->mistrust)) ||
        !attach(connection, context)) {
        char reason[TROUBLE_BYTES];
        snprintf(reason, sizeof(reason), "%s",
                 context && context->c.err ? context->c.errstr : "out of memory");
        if (context)
            redisAsyncFree(context);
        wait_to_begin_after(connection, reason);
        return;
    }
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    redisAsyncSetConnectCallback(context, on_connect); /* last: it starts to watch the socket */
}

static void
on_name(void *arg, const char *address, const char *reason)
{
    struct redis_connection *connection = arg;

    connection->lookup = NULL;
    if (address)
        connect_to(connection, address);
    else
        wait_to_begin(connection, reason);
}

static bool
is_numeric(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static void
begin(struct redis_connection *connection)
{
    const struct redis_url *url = connection->options.entry.url;

    if (url->path || is_numeric(url->host)) {
        connect_to(connection, url->host);
        return;
    }
    connection->state =
        CONNECTION_RESOLVING; /* for as long as the resolver takes: a second thread would not be quicker */
    connection->lookup =
        redis_resolver_start(connection->options.base, url->host, connection->failures, on_name, connection);
    if (connection->lookup == NULL)
        wait_to_begin(connection, "out of memory or threads");
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct redis_connection *connection = arg;

    (void)fd;
    (void)what;
    if (connection->dropping)
        redis_connection_drop(connection, connection->reason);
    else if (connection->state == CONNECTION_WAITING)
        begin(connection);
    else
        redis_connection_drop(connection, connection->state == CONNECTION_CONNECTING
                                              ? "no connection within 500 ms"
                                              : "no answer within 600 ms");
}

/* The life of a connection. */

struct redis_connection *
redis_connection_new(const struct redis_connection_options *options)
{
    struct redis_connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return NULL;
    connection->options = *options;
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
    connection->state = CONNECTION_WAITING; /* nothing is reported any more */
    free_connection(connection);
    event_free(connection->timer);
    free(connection);
}

enum redis_connection_state
redis_connection_state(const struct redis_connection *connection)
{
    return connection->dropping ? CONNECTION_WAITING : connection->state;
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
    struct redis_connection *connection = context->data;

    connection->options.on_reply(connection->options.arg, cookie, reply);
}

bool
redis_connection_send(struct redis_connection *connection, const char *command, size_t bytes, void *cookie)
{
    return redis_connection_state(connection) == CONNECTION_READY &&
           redisAsyncFormattedCommand(connection->context, on_reply, cookie, command, bytes) == REDIS_OK;
}
