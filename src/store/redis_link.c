#include "redis_link.h"

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
#include "redis_name.h"
#include "redis_tls.h"

/* A Redis that comes back is to be found within a second, also where packets vanish without a word: one attempt and the
   longest back-off take less. */
#define CONNECT_MS 500
#define ENTER_MS   600 /* TLS and the entry; who is frozen here answers as soon as he thaws */

/* Back-off: doubled from the first to the last, and of that a random half to whole, so that the workers of many nodes
   do not come back in step. */
#define BACKOFF_FIRST_MS 25
#define BACKOFF_LAST_MS  300

#define PAUSE_MS 3000 /* LINK_PAUSE_LONG: a wrong password, say */

#define TROUBLE_BYTES 200

struct redis_link {
    struct redis_link_options options;
    enum redis_link_state state;
    char trouble[TROUBLE_BYTES];
    bool dropping; /* READY no more: the timer will drop the connection */
    enum redis_link_pause pause;
    bool said_lost, said_connected; /* in the log: each once, until the link has proved itself again */
    unsigned said_reasons;          /* and likewise why it is not let in, a bit a reason: see say_reason */
    unsigned failures;              /* in a row */

    struct event *timer;              /* the back-off, or the limit of the step under way */
    struct redis_name_lookup *lookup; /* while RESOLVING */
    struct redis_entry entry;         /* while ENTERING */

    redisAsyncContext *context; /* NULL: no connection */
    const char *mistrust;       /* why the server's certificate is not taken; NULL: it is, or there is none */
    struct redis_guard guard;
    struct event *readable, *writable;
    bool wants_write; /* hiredis has something to write; redis_link_flush does */
};

/* States. */

static void
arm_timer(struct redis_link *link, unsigned ms)
{
    struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    evtimer_add(link->timer, &delay);
}

static unsigned
pause_ms(unsigned failures, enum redis_link_pause pause)
{
    unsigned ms = BACKOFF_FIRST_MS, random = 0;

    while (failures-- > 1 && ms < BACKOFF_LAST_MS)
        ms *= 2;
    if (ms > BACKOFF_LAST_MS)
        ms = BACKOFF_LAST_MS;
    if (pause == LINK_PAUSE_LONG)
        ms = PAUSE_MS;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = 0;
    return ms / 2 + random % (ms / 2 + 1);
}

/* A connection that is merely lost hides behind one line, in the log for as long as it lasts. What the operator has to act
   upon gets one of its own, also when it turns out later: a password that was rotated, say, after a restart. */
static void
say_reason(struct redis_link *link, unsigned reason)
{
    if ((link->said_reasons & 1u << reason) == 0)
        link->said_lost = false;
    link->said_reasons |= 1u << reason;
}

#define REASON_MISTRUST REDIS_ERROR_COUNT /* behind those of the errors */

/* The only way out of every other state: nothing of the connection is left, and the next attempt is timed. */
static void
wait_to_begin(struct redis_link *link, const char *trouble)
{
    bool was_ready = link->state == LINK_READY;

    link->state = LINK_WAITING;
    link->dropping = false;
    link->failures++;
    if (trouble != link->trouble)
        snprintf(link->trouble, sizeof(link->trouble), "%s", trouble);
    arm_timer(link, pause_ms(link->failures, link->pause));
    link->pause = LINK_PAUSE_BACKOFF;
    if (!link->said_lost) {
        link->said_lost = true;
        link->said_connected = false;
        log_warn(
            "redis",
            "no connection to %s: %s; trying again until it is back, and until then the failure mode decides",
            link->options.entry.url->display, link->trouble);
    }
    if (was_ready)
        link->options.on_change(link->options.arg, false);
}

static void
become_ready(struct redis_link *link)
{
    link->state = LINK_READY;
    link->trouble[0] = '\0';
    evtimer_del(link->timer);
    if (!link->said_connected) {
        link->said_connected = true;
        log_info("redis", "connected to %s", link->options.entry.url->display);
    }
    link->options.on_change(link->options.arg, true);
}

/* hiredis' hooks: libevent events, except that a write of a READY link waits for redis_link_flush, which saves the two system calls
   of watching the socket for the room that it nearly always has. */

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct redis_link *link = arg;

    (void)fd;
    (void)what;
    redisAsyncHandleRead(link->context); /* may end the connection: the callbacks have then run */
    if (link->context && redis_guard_is_flooded(&link->guard))
        redis_link_drop(link, link->guard.trouble);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct redis_link *link = arg;

    (void)fd;
    (void)what;
    redisAsyncHandleWrite(link->context);
}

static void
hook_add_read(void *arg)
{
    struct redis_link *link = arg;

    event_add(link->readable, NULL);
}

static void
hook_del_read(void *arg)
{
    struct redis_link *link = arg;

    event_del(link->readable);
}

static void
hook_add_write(void *arg)
{
    struct redis_link *link = arg;

    link->wants_write = true;
    if (link->state != LINK_READY)
        event_add(link->writable, NULL);
}

static void
hook_del_write(void *arg)
{
    struct redis_link *link = arg;

    link->wants_write = false;
    event_del(link->writable);
}

static void
hook_cleanup(void *arg)
{
    struct redis_link *link = arg;

    event_free(link->readable);
    event_free(link->writable);
    link->readable = link->writable = NULL;
    link->wants_write = false;
    link->context = NULL;
}

static bool
attach(struct redis_link *link, redisAsyncContext *context)
{
    link->readable = event_new(link->options.base, context->c.fd, EV_READ | EV_PERSIST, on_readable, link);
    link->writable = event_new(link->options.base, context->c.fd, EV_WRITE | EV_PERSIST, on_writable, link);
    if (link->readable == NULL || link->writable == NULL) {
        if (link->readable)
            event_free(link->readable);
        if (link->writable)
            event_free(link->writable);
        return false;
    }
    link->context = context;
    context->data = link;
    context->ev.data = link;
    context->ev.addRead = hook_add_read;
    context->ev.delRead = hook_del_read;
    context->ev.addWrite = hook_add_write;
    context->ev.delWrite = hook_del_write;
    context->ev.cleanup = hook_cleanup;
    redis_guard_attach(&link->guard, context);
    return true;
}

void
redis_link_flush(struct redis_link *link)
{
    if (!link->wants_write || link->state != LINK_READY)
        return;
    link->wants_write = false;
    redisAsyncHandleWrite(link->context); /* may end the connection: the callbacks have then run */
    if (link->wants_write)
        event_add(link->writable, NULL); /* the socket is full: the rest goes when it has room */
}

/* Frees the connection, if there is one; the pending reply callbacks run with NULL. Not from hiredis' callbacks. */
static void
free_connection(struct redis_link *link)
{
    if (link->lookup)
        redis_name_cancel(link->lookup);
    link->lookup = NULL;
    if (link->context)
        redisAsyncFree(link->context); /* hook_cleanup forgets it */
}

void
redis_link_drop(struct redis_link *link, const char *trouble)
{
    char copy[TROUBLE_BYTES]; /* `trouble` may be the link's own */

    snprintf(copy, sizeof(copy), "%s", trouble);
    link->dropping = true; /* what runs for the pending replies must not send on it */
    free_connection(link);
    if (link->state != LINK_WAITING)
        wait_to_begin(link, copy);
}

void
redis_link_proved(struct redis_link *link)
{
    link->failures = 0;
    link->said_lost = false;
    link->said_reasons = 0;
}

void
redis_link_drop_soon(struct redis_link *link, const char *trouble, enum redis_link_pause pause)
{
    if (link->dropping)
        return;
    link->dropping = true;
    link->pause = pause;
    snprintf(link->trouble, sizeof(link->trouble), "%s", trouble);
    arm_timer(link, 0);
}

/* Entering. */

/* By the error that Redis gave. */
static void
write_refusal(char trouble[TROUBLE_BYTES], const char *text, size_t bytes)
{
    char shown[REDIS_ERROR_SHOWN_BYTES];

    snprintf(trouble, TROUBLE_BYTES, "%s (%s)", redis_error_shown(shown, text, bytes),
             redis_error_of(text, bytes)->advice);
}

static void
on_entry_over(void *arg, const redisReply *refusal)
{
    struct redis_link *link = arg;
    const struct redis_error *error;
    char trouble[TROUBLE_BYTES];

    if (refusal == NULL) {
        become_ready(link);
        return;
    }
    error = redis_error_of(refusal->str, refusal->len);
    write_refusal(trouble, refusal->str, refusal->len);
    say_reason(link, (unsigned)redis_error_index(error));
    redis_link_drop_soon(link, trouble,
                         error->reaction == REACT_REENTER ? LINK_PAUSE_LONG : LINK_PAUSE_BACKOFF);
}

static void
enter(struct redis_link *link)
{
    link->state = LINK_ENTERING;
    arm_timer(link, ENTER_MS);
    link->entry.on_over = on_entry_over;
    link->entry.arg = link;
    if (!redis_entry_begin(&link->entry, link->context, &link->options.entry))
        redis_link_drop_soon(link, "out of memory", LINK_PAUSE_BACKOFF);
}

/* Connecting. */

/* The same as wait_to_begin, where a handshake may have failed, of which hiredis knows little. */
static void
wait_to_begin_after(struct redis_link *link, const char *error)
{
    char trouble[TROUBLE_BYTES];

    if (link->mistrust) {
        snprintf(trouble, sizeof(trouble), "its certificate is not taken: %s", link->mistrust);
        say_reason(link, REASON_MISTRUST);
    } else {
        snprintf(trouble, sizeof(trouble), "%s", error);
    }
    link->mistrust = NULL;
    wait_to_begin(link, trouble);
}

static void
on_connect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;
    int on = 1;

    if (status != REDIS_OK) {
        /* hiredis frees the context when this returns, and says no more. */
        wait_to_begin_after(link, context->c.errstr);
        return;
    }
    if (link->options.entry.url->host)
        setsockopt(context->c.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    enter(link);
}

static void
on_disconnect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;
    const char *trouble = link->guard.trouble ? link->guard.trouble : context->errstr;
    char refusal[TROUBLE_BYTES];

    if (link->guard.has_unasked_error) { /* errstr is its text */
        write_refusal(refusal, context->errstr, strlen(context->errstr));
        trouble = refusal;
    }
    /* After redisAsyncFree of ours the status is OK, and the one who called it says why. */
    if (status != REDIS_OK && link->state != LINK_WAITING)
        wait_to_begin_after(link, link->dropping ? link->trouble : trouble);
}

static void
connect_to(struct redis_link *link, const char *address)
{
    const struct redis_url *url = link->options.entry.url;
    redisAsyncContext *context;

    link->state = LINK_CONNECTING;
    arm_timer(link, CONNECT_MS);
    context = url->path ? redisAsyncConnectUnix(url->path) : redisAsyncConnect(address, url->port);
    if (context == NULL || context->err ||
        (url->tls && !redis_tls_start(link->options.tls, context, url->host, &link->mistrust)) ||
        !attach(link, context)) {
        char trouble[TROUBLE_BYTES];
        snprintf(trouble, sizeof(trouble), "%s",
                 context && context->c.err ? context->c.errstr : "out of memory");
        if (context)
            redisAsyncFree(context);
        wait_to_begin_after(link, trouble);
        return;
    }
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    redisAsyncSetConnectCallback(context, on_connect); /* last: it starts to watch the socket */
}

static void
on_name(void *arg, const char *address, const char *trouble)
{
    struct redis_link *link = arg;

    link->lookup = NULL;
    if (address)
        connect_to(link, address);
    else
        wait_to_begin(link, trouble);
}

static bool
is_numeric(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static void
begin(struct redis_link *link)
{
    const struct redis_url *url = link->options.entry.url;

    if (url->path || is_numeric(url->host)) {
        connect_to(link, url->host);
        return;
    }
    link->state =
        LINK_RESOLVING; /* for as long as the resolver takes: a second thread would not be quicker */
    link->lookup = redis_name_resolve(link->options.base, url->host, link->failures, on_name, link);
    if (link->lookup == NULL)
        wait_to_begin(link, "out of memory or threads");
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct redis_link *link = arg;

    (void)fd;
    (void)what;
    if (link->dropping)
        redis_link_drop(link, link->trouble);
    else if (link->state == LINK_WAITING)
        begin(link);
    else
        redis_link_drop(link, link->state == LINK_CONNECTING ? "no connection within 500 ms"
                                                             : "no answer within 600 ms");
}

/* The life of a link. */

struct redis_link *
redis_link_new(const struct redis_link_options *options)
{
    struct redis_link *link = calloc(1, sizeof(*link));

    if (link == NULL)
        return NULL;
    link->options = *options;
    link->timer = evtimer_new(options->base, on_timer, link);
    if (link->timer == NULL) {
        free(link);
        return NULL;
    }
    arm_timer(link, 0);
    return link;
}

void
redis_link_free(struct redis_link *link)
{
    if (link == NULL)
        return;
    link->state = LINK_WAITING; /* nothing is reported any more */
    free_connection(link);
    event_free(link->timer);
    free(link);
}

enum redis_link_state
redis_link_state(const struct redis_link *link)
{
    return link->dropping ? LINK_WAITING : link->state;
}

const char *
redis_link_trouble(const struct redis_link *link)
{
    return link->trouble;
}

/* Commands. */

static void
on_reply(redisAsyncContext *context, void *reply, void *cookie)
{
    struct redis_link *link = context->data;

    link->options.on_reply(link->options.arg, cookie, reply);
}

bool
redis_link_send(struct redis_link *link, const char *command, size_t bytes, void *cookie)
{
    return redis_link_state(link) == LINK_READY &&
           redisAsyncFormattedCommand(link->context, on_reply, cookie, command, bytes) == REDIS_OK;
}
