#include "server.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <microhttpd.h>

#include "acceptor.h"
#include "arrivals.h"
#include "clock.h"
#include "connections.h"
#include "exchange.h"
#include "head.h"
#include "linger.h"
#include "metrics.h"
#include "page_guard.h"
#include "render.h"
#include "turns.h"

#define SWEEP_US (US_PER_S / 4)

struct server {
    struct event_base *base;
    const struct http_options *options;
    struct MHD_Daemon *daemon;
    struct acceptor *acceptor; /* NULL: no longer */
    struct event *ready;       /* libmicrohttpd's epoll is readable */
    struct event *sweep;
    bool must_run;
    bool draining;
    int64_t now_us; /* monotonic, of this run */
    struct connections connections;
    struct connection *arriving; /* while it is handed to libmicrohttpd */
    struct arrivals arrivals;
    struct linger_list *linger;
    struct page_guards guards; /* of the requests that have not reached on_access */
    struct turns turns;        /* the endpoints' */
    struct exchange_context context;
};

static struct connection *
connection_of(struct MHD_Connection *handle)
{
    return MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* libmicrohttpd's callbacks. */

/* Whether the connection ends in the middle of a request, or by an answer of ours that its client did not expect to be
   the last. */
static bool
may_still_send(const struct connection *connection)
{
    return connection->phase != PHASE_IDLE || connection->exchange.ends ||
           connection->exchange.context->draining;
}

static void
end(struct server *server, struct connection *connection)
{
    counter_add(&server->context.counts->connections_closed, 1);
    connection_close(connection);
}

/* At the end of a connection its socket is still open; libmicrohttpd closes it after this call. */
static void
on_connection(void *arg, struct MHD_Connection *handle, void **socket_context,
              enum MHD_ConnectionNotificationCode code)
{
    struct server *server = arg;
    struct connection *connection = *socket_context;

    (void)handle;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = server->arriving;
        server->arriving = NULL;
        return;
    }
    if (connection->requested) /* libmicrohttpd 0.9.75 gives some up without completing them */
        exchange_send_refusal(&connection->exchange, connection->fd);
    if (may_still_send(connection))
        linger_add(server->linger, connection->fd);
    end(server, connection);
}

/* The first line of a request is read. */
static void *
on_first_line(void *arg, const char *uri, struct MHD_Connection *handle)
{
    struct server *server = arg;
    struct connection *connection = connection_of(handle);

    exchange_begin(&connection->exchange, handle, uri);
    page_guard_begin(&server->guards, &connection->guard, handle);
    connection->requested = true;
    if (connection->phase == PHASE_IDLE)
        connection_enter(connection, PHASE_HEADERS, server->now_us);
    return NULL;
}

static enum MHD_Result
on_access(void *arg, struct MHD_Connection *handle, const char *url, const char *method, const char *version,
          const char *upload, size_t *upload_bytes, void **request)
{
    struct server *server = arg;
    struct connection *connection = connection_of(handle);

    (void)request;
    page_guard_end(&connection->guard);
    if (*upload_bytes > 0)
        connection_received(connection, *upload_bytes, server->now_us);
    else
        connection_enter(connection, connection->phase == PHASE_BODY ? PHASE_ANSWERING : PHASE_BODY,
                         server->now_us);
    return exchange_handle(&connection->exchange, handle, url, method, version, upload, upload_bytes)
               ? MHD_YES
               : MHD_NO;
}

/* Whether libmicrohttpd abandons a request without an answer. If an answer of ours is queued, its header does not fit or
   the client is gone; if a status is set without one, libmicrohttpd has sent a page itself. */
static bool
is_unanswered(const struct connection *connection, struct MHD_Connection *handle,
              enum MHD_RequestTerminationCode code)
{
    return code == MHD_REQUEST_TERMINATED_WITH_ERROR &&
           (exchange_is_answered(&connection->exchange) ||
            MHD_get_connection_info(handle, MHD_CONNECTION_INFO_HTTP_STATUS) == NULL);
}

static void
on_completed(void *arg, struct MHD_Connection *handle, void **request, enum MHD_RequestTerminationCode code)
{
    struct server *server = arg;
    struct connection *connection = connection_of(handle);

    (void)request;
    if (is_unanswered(connection, handle, code))
        exchange_send_refusal(&connection->exchange, connection->fd);
    if (code == MHD_REQUEST_TERMINATED_WITH_ERROR)
        connection->exchange.ends = true;
    connection->requested = false;
    page_guard_end(&connection->guard);
    exchange_complete(&connection->exchange);
    connection_enter(connection, PHASE_IDLE, server->now_us);
}

/* Paths are decoded by path_normalise, which knows what to refuse; libmicrohttpd's own would cut at %00. */
static size_t
keep_escapes(void *arg, struct MHD_Connection *handle, char *text)
{
    (void)arg;
    (void)handle;
    return strlen(text);
}

/* Clients' errors are not logged, and errors that matter here have a return value. */
static void __attribute__((format(printf, 2, 0))) on_log(void *arg, const char *format, va_list arguments)
{
    struct server *server = arg;

    unsigned status = page_guard_log(&server->guards, format, arguments);

    if (status != 0)
        http_counts_answer(server->context.counts, status);
}

/* Arrivals. */

static void
admit(struct server *server, int fd, const struct sockaddr *address, socklen_t bytes)
{
    server->arriving = connection_open(&server->connections, &server->context, fd, address, server->now_us);
    if (server->arriving == NULL) {
        places_give(server->options->places);
        arrivals_refuse(&server->arrivals, fd);
        return;
    }
    counter_add(&server->context.counts->connections_accepted, 1);
    /* Out of memory, it closes the socket, perhaps without a call of on_connection. */
    MHD_add_connection(server->daemon, fd, address, bytes);
    if (server->arriving)
        end(server, server->arriving);
    server->arriving = NULL;
    server->must_run = true;
}

static bool
on_arrival(void *arg, int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct server *server = arg;
    enum arrival arrival;

    server->now_us = clock_mono_us();
    arrival = arrivals_judge(&server->arrivals, fd, address, server->now_us, server->draining);
    if (arrival == ARRIVAL_ADMITTED)
        admit(server, fd, address, bytes);
    return arrival != ARRIVAL_WAITING;
}

/* The loop. */

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;

    (void)fd;
    (void)what;
    server->now_us = clock_mono_us();
    connections_sweep(&server->connections, server->now_us);
    if (server->acceptor)
        acceptor_resume(server->acceptor);
    server->must_run = true;
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;

    (void)fd;
    (void)what;
    server->must_run = true;
}

static void
run_daemon(struct server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    server->must_run = server->context.resumed = false;
    server->now_us = clock_mono_us();
    MHD_run(server->daemon);
    if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES && timeout_ms == 0)
        server->must_run = true;
}

bool
server_run(struct server *server)
{
    bool more;

    if (server->must_run || server->context.resumed)
        run_daemon(server);
    more = turns_run(&server->turns);
    return more || server->must_run || server->context.resumed;
}

/* How strict libmicrohttpd is by itself; from 1.0 on it can be. What it lets through, http/headers looks at. */
#if MHD_VERSION >= 0x01000000
#define STRICTNESS MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1
#else
#define STRICTNESS MHD_OPTION_STRICT_FOR_CLIENT, 0
#endif

/* Without it libmicrohttpd 1.0 treats an added connection as another thread's, and notifies of its start after
   MHD_add_connection has returned. Earlier versions ignore the flag; a program built with one may run with 1.0. */
#if MHD_VERSION >= 0x01000000
#define ONE_THREAD MHD_USE_NO_THREAD_SAFETY
#else
#define ONE_THREAD (1U << 19)
#endif

static struct MHD_Daemon *
start_daemon(struct server *server)
{
    const unsigned flags = ONE_THREAD | MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME |
                           MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET;

    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, server,                             /**/
                            MHD_OPTION_EXTERNAL_LOGGER, on_log, server,                          /**/
                            MHD_OPTION_CONNECTION_LIMIT, UINT_MAX, /* places bound them */       /**/
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, /**/
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,                 /**/
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,                   /**/
                            MHD_OPTION_URI_LOG_CALLBACK, on_first_line, server,                  /**/
                            MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,                    /**/
                            STRICTNESS, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,                    /**/
                            MHD_OPTION_END);
}

static bool
start_events(struct server *server)
{
    int epoll = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    struct timeval interval = {.tv_sec = 0, .tv_usec = SWEEP_US};

    server->ready = event_new(server->base, epoll, EV_READ | EV_PERSIST, on_ready, server);
    server->sweep = event_new(server->base, -1, EV_PERSIST, on_sweep, server);
    return server->ready && server->sweep && event_add(server->ready, NULL) == 0 &&
           event_add(server->sweep, &interval) == 0;
}

static bool
open_daemon(struct server *server)
{
    server->linger = linger_new(server->base);
    server->arrivals = (struct arrivals){.connections = &server->connections,
                                         .places = server->options->places,
                                         .linger = server->linger,
                                         .counts = server->context.counts};
    if (server->linger && server->context.endpoint.renderer &&
        access_init(&server->context.tokens, server->options->api_token, server->options->admin_token))
        server->daemon = start_daemon(server);
    return server->daemon && start_events(server);
}

struct server *
server_new(struct event_base *base, int socket, struct limiter *limiter,
           struct generation_reader *generations, const struct http_options *options,
           struct http_counts *counts)
{
    struct server *server = calloc(1, sizeof(*server));

    if (server == NULL) {
        close(socket);
        return NULL;
    }
    server->base = base;
    server->options = options;
    server->now_us = clock_mono_us();
    server->context = (struct exchange_context){
        .options = options,
        .endpoint = {.generations = options->generations,
                     .trusted = options->trusted,
                     .service = options->service,
                     .metrics = options->metrics,
                     .reload = options->reload,
                     .observed = options->observed,
                     .limiter = limiter,
                     .renderer = renderer_new(),
                     .turns = &server->turns},
        .generations = generations,
        .counts = counts,
    };
    turns_init(&server->turns);
    uploads_init(&server->context.uploads, siphash_random_key());
    connections_init(&server->connections, options);
    if (open_daemon(server))
        server->acceptor = acceptor_new(base, socket, on_arrival, server);
    else
        close(socket);
    if (server->acceptor)
        return server;
    server_free(server);
    return NULL;
}

static void
stop_accepting(struct server *server)
{
    acceptor_free(server->acceptor);
    server->acceptor = NULL;
}

void
server_drain(struct server *server)
{
    if (server->draining)
        return;
    server->draining = true;
    server->context.draining = true;
    server->now_us = clock_mono_us();
    stop_accepting(server);
    connections_drain(&server->connections, server->now_us);
    server->must_run = true;
}

unsigned
server_connections(const struct server *server)
{
    return server->connections.count + linger_count(server->linger);
}

void
server_free(struct server *server)
{
    if (server == NULL)
        return;
    if (server->ready)
        event_free(server->ready);
    if (server->sweep)
        event_free(server->sweep);
    if (server->daemon) {
        stop_accepting(server); /* where it was not drained */
        turns_end(&server->turns);
        while (server->context.resumed)
            server_run(server); /* with a suspended connection MHD_stop_daemon would abort */
        MHD_stop_daemon(server->daemon);
    }
    linger_free(server->linger);
    renderer_free(server->context.endpoint.renderer);
    free(server);
}
