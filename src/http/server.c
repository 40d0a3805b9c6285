#include "server.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <microhttpd.h>

#include "clock.h"
#include "exchange.h"
#include "linger.h"
#include "page_guard.h"
#include "render.h"

#define BODY_TIMEOUT_US (30 * US_PER_S)
#define SEND_TIMEOUT_US (30 * US_PER_S)
#define DRAIN_IDLE_US   (1 * US_PER_S) /* an idle connection's client may just be sending */
#define SWEEP_US        (US_PER_S / 4)

/* The memory of libmicrohttpd for one request and its answer's header. It is wiped for each request, which costs more
   than all that this service does for one (1 us at 25 KiB), and every connection holds it: so it has room for the largest
   request that is taken, and for little more. */
#define CONNECTION_MEMORY_BYTES (25 * 1024)
#define HEADER_NODE_BYTES       64 /* libmicrohttpd's own of each header; of 0.9.75 48, of 1.0 56 in steps of 16 */
#define ANSWER_HEADER_BYTES     2304 /* the longest: eight limits of a rule with the longest name */
_Static_assert(CONNECTION_MEMORY_BYTES >=
                   REQUEST_BYTES_MAX + (HEADERS_MAX + 3) * HEADER_NODE_BYTES + ANSWER_HEADER_BYTES,
               "every request that is taken leaves room for its answer's header");
_Static_assert(CONNECTION_MEMORY_BYTES <= 32 * 1024, "above, libmicrohttpd maps it instead of allocating it");

enum phase { PHASE_OPENED, PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_ANSWERING };

struct connection {
    struct connection *next, **link; /* the server's list */
    struct server *server;
    int fd;
    enum phase phase;
    int64_t deadline_us; /* monotonic */
    bool requested;      /* a request's first line is read, and it has not been completed */
    struct peer peer;
    struct page_guard guard;
    struct exchange exchange;
};

struct server {
    struct server_options options;
    struct MHD_Daemon *daemon;
    struct event *ready; /* libmicrohttpd's epoll is readable */
    struct event *sweep;
    bool must_run;
    bool draining;
    bool socket_closed;
    int64_t now_us; /* monotonic, of this run */
    struct connection *connections;
    unsigned connection_count;
    struct linger_list *linger;
    struct page_guard *guards; /* of the requests that have not reached on_access */
    struct exchange_context context;
};

/* Connections. */

static void
enter_phase(struct connection *connection, enum phase phase)
{
    const struct server *server = connection->server;
    const struct server_options *options = &server->options;
    int64_t limit_us[] = {
        [PHASE_OPENED] = options->header_timeout_us,
        [PHASE_IDLE] = server->draining ? DRAIN_IDLE_US : options->idle_timeout_us,
        [PHASE_HEADERS] = options->header_timeout_us,
        [PHASE_BODY] = BODY_TIMEOUT_US,
        [PHASE_ANSWERING] = SEND_TIMEOUT_US,
    };

    connection->phase = phase;
    connection->deadline_us = server->now_us + limit_us[phase];
}

static struct connection *
connection_of(struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void
connection_open(struct server *server, struct MHD_Connection *handle, void **socket_context)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    *socket_context = connection;
    if (connection == NULL)
        return; /* its first request is told so by an end of the connection */
    connection->server = server;
    connection->fd = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    peer_init(&connection->peer,
              MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
              server->options.trusted);
    exchange_init(&connection->exchange, &server->context, &connection->peer);
    enter_phase(connection, PHASE_OPENED);

    connection->next = server->connections;
    connection->link = &server->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    server->connections = connection;
    server->connection_count++;
}

static void
connection_close(struct connection *connection)
{
    struct server *server = connection->server;

    page_guard_end(&connection->guard);
    exchange_complete(&connection->exchange);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    server->connection_count--;
    free(connection);
}

/* Cuts off who is past his deadline: libmicrohttpd reads the end of the stream and closes. A suspended connection is in the
   store's hands, which has a deadline of its own. */
static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;
    int64_t now_us = clock_mono_us();

    (void)fd;
    (void)what;
    for (struct connection *connection = server->connections; connection; connection = connection->next)
        if (connection->deadline_us <= now_us && !connection->exchange.suspended)
            shutdown(connection->fd, SHUT_RDWR);
    server->must_run = true;
}

/* libmicrohttpd's callbacks. */

/* Whether the connection ends in the middle of a request, or by an answer of ours that its client did not expect to be
   the last. */
static bool
may_still_send(const struct connection *connection)
{
    return connection->phase != PHASE_IDLE || connection->exchange.ends || connection->server->draining;
}

/* When libmicrohttpd tells of the end, the socket is still open; it closes it then. */
static void
on_connection(void *arg, struct MHD_Connection *handle, void **socket_context,
              enum MHD_ConnectionNotificationCode code)
{
    struct server *server = arg;
    struct connection *connection = *socket_context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_open(server, handle, socket_context);
    } else if (connection != NULL) {
        if (connection->requested) /* libmicrohttpd 0.9.75 gives some up without completing them */
            raw_answer_send(&connection->exchange.refusal, connection->fd);
        if (may_still_send(connection))
            linger_add(server->linger, connection->fd);
        connection_close(connection);
    }
}

/* The first line of a request is read. */
static void *
on_first_line(void *arg, const char *uri, struct MHD_Connection *handle)
{
    struct connection *connection = connection_of(handle);

    (void)arg;
    if (connection == NULL)
        return NULL;
    exchange_begin(&connection->exchange, handle, uri);
    page_guard_begin(&connection->server->guards, &connection->guard, handle);
    connection->requested = true;
    if (connection->phase == PHASE_IDLE)
        enter_phase(connection, PHASE_HEADERS);
    return NULL;
}

static enum MHD_Result
on_access(void *arg, struct MHD_Connection *handle, const char *url, const char *method, const char *version,
          const char *upload, size_t *upload_bytes, void **request)
{
    struct connection *connection = connection_of(handle);

    (void)arg;
    (void)request;
    if (connection == NULL)
        return MHD_NO;
    page_guard_end(&connection->guard);
    if (connection->phase != PHASE_BODY)
        enter_phase(connection, PHASE_BODY);
    else if (*upload_bytes == 0)
        enter_phase(connection, PHASE_ANSWERING);
    return exchange_handle(&connection->exchange, handle, url, method, version, upload, upload_bytes)
               ? MHD_YES
               : MHD_NO;
}

/* Whether libmicrohttpd gives up a request that it has sent nothing to. With an answer of ours queued that is because
   the answer's header does not fit, or the client is gone; with one that is not ours it has sent a page of its own. */
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
    struct connection *connection = connection_of(handle);

    (void)arg;
    (void)request;
    if (connection == NULL)
        return;
    if (is_unanswered(connection, handle, code))
        raw_answer_send(&connection->exchange.refusal, connection->fd);
    if (code == MHD_REQUEST_TERMINATED_WITH_ERROR)
        connection->exchange.ends = true;
    connection->requested = false;
    page_guard_end(&connection->guard);
    exchange_complete(&connection->exchange);
    enter_phase(connection, PHASE_IDLE);
}

/* Paths are decoded by path_normalise, which knows what to refuse; libmicrohttpd's own would cut at %00. */
static size_t
keep_escapes(void *arg, struct MHD_Connection *handle, char *text)
{
    (void)arg;
    (void)handle;
    return strlen(text);
}

/* What clients do wrong is theirs to know, and what matters here has a return value: nothing of it is logged. */
static void __attribute__((format(printf, 2, 0))) on_log(void *arg, const char *format, va_list arguments)
{
    struct server *server = arg;

    page_guard_log(&server->guards, format, arguments);
}

/* The loop. */

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;

    (void)fd;
    (void)what;
    server->must_run = true;
}

bool
server_run(struct server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    if (!server->must_run && !server->context.resumed)
        return false;
    server->must_run = server->context.resumed = false;
    server->now_us = clock_mono_us();
    MHD_run(server->daemon);
    if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES && timeout_ms == 0)
        server->must_run = true;
    return server->must_run || server->context.resumed;
}

/* How strict libmicrohttpd is by itself; from 1.0 on it can be. What it lets through, http/headers looks at. */
#if MHD_VERSION >= 0x01000000
#define STRICTNESS MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1
#else
#define STRICTNESS MHD_OPTION_STRICT_FOR_CLIENT, 0
#endif

static struct MHD_Daemon *
start_daemon(struct server *server)
{
    const struct server_options *options = &server->options;

    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
                            NULL, NULL, on_access, server,                                       /**/
                            MHD_OPTION_EXTERNAL_LOGGER, on_log, server,                          /**/
                            MHD_OPTION_LISTEN_SOCKET, options->socket,                           /**/
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->max_connections,     /**/
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

    server->ready = event_new(server->options.base, epoll, EV_READ | EV_PERSIST, on_ready, server);
    server->sweep = event_new(server->options.base, -1, EV_PERSIST, on_sweep, server);
    return server->ready && server->sweep && event_add(server->ready, NULL) == 0 &&
           event_add(server->sweep, &interval) == 0;
}

struct server *
server_new(const struct server_options *options)
{
    struct server *server = calloc(1, sizeof(*server));
    bool has_tokens;

    if (server == NULL)
        return NULL;
    server->options = *options;
    server->now_us = clock_mono_us();
    server->context = (struct exchange_context){
        .policy = options->policy,
        .trusted = options->trusted,
        .limiter = options->limiter,
        .max_body_bytes = options->max_body_bytes,
        .failure_mode = options->failure_mode,
        .renderer = renderer_new(options->policy),
    };
    uploads_init(&server->context.uploads, siphash_random_key());
    has_tokens = access_init(&server->context.tokens, options->api_token, options->admin_token);
    header_index_init(&server->context.index, options->policy);
    server->linger = linger_new(options->base);
    if (server->context.renderer && server->linger && has_tokens)
        server->daemon = start_daemon(server);
    if (server->daemon == NULL || !start_events(server)) {
        server_free(server);
        return NULL;
    }
    return server;
}

/* Takes in who already waits at the socket, then closes it: between the last accept and the close a client has a
   microsecond to be cut off in. */
static void
close_socket(struct server *server)
{
    struct sockaddr_storage address;
    socklen_t bytes = sizeof(address);
    int fd, accepted;

    if (server->socket_closed)
        return;
    server->socket_closed = true;
    fd = MHD_quiesce_daemon(server->daemon);
    assert(fd == server->options.socket);
    while ((accepted = accept4(fd, (struct sockaddr *)&address, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        MHD_add_connection(server->daemon, accepted, (struct sockaddr *)&address, bytes);
        bytes = sizeof(address);
    }
    close(fd);
}

void
server_drain(struct server *server)
{
    if (server->draining)
        return;
    server->draining = true;
    server->context.draining = true;
    server->now_us = clock_mono_us();
    close_socket(server);
    for (struct connection *connection = server->connections; connection; connection = connection->next)
        if (connection->phase == PHASE_IDLE || connection->phase == PHASE_OPENED)
            connection->deadline_us = server->now_us + DRAIN_IDLE_US;
    server->must_run = true;
}

unsigned
server_connections(const struct server *server)
{
    return server->connection_count + linger_count(server->linger);
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
        close_socket(server); /* where it was not drained: the socket is ours */
        while (server->context.resumed)
            server_run(server); /* with a suspended connection MHD_stop_daemon would abort */
        MHD_stop_daemon(server->daemon);
    } else {
        close(server->options.socket);
    }
    linger_free(server->linger);
    renderer_free(server->context.renderer);
    free(server);
}
