/*
 * exchange_session: a connection whose requests go through libmicrohttpd to an exchange, with endpoints of
 * the test.
 */
#ifndef EXCHANGE_SESSION_H
#define EXCHANGE_SESSION_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "exchange.h"
#include "hosts.h"
#include "metrics.h"
#include "policy_text.h"
#include "suite.h"

#define BODY_BYTES_MAX  4096 /* MAX_BODY_BYTES */
#define LARGE_BODY_MAX  8192 /* what one endpoint accepts beyond that */
#define ANSWER_BYTES    16384
#define TURNS           50 /* of libmicrohttpd: more than any exchange here needs */
#define LONGEST_REQUEST 16384

/* The endpoints. */

static struct {
    enum endpoint_status status; /* what start returns */
    bool out_of_memory;          /* finish makes no response */
    int starts, finishes, frees;
    bool freed_pending;
    struct endpoint_request *request; /* of the last start */
    char body[LARGE_BODY_MAX];
    size_t body_bytes;
    char rest[64];
    char rule[128];  /* the first one of the request's policy */
    char value[128]; /* of the first header that the policy wants */
    bool closing;    /* as finish saw it */
} endpoint;

static struct response
text_response(const char *text, bool closing)
{
    return response_static(200, text, strlen(text), "text/plain", closing);
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    endpoint.starts++;
    endpoint.request = request;
    endpoint.body_bytes = request->body.bytes;
    if (request->body.bytes > 0)
        memcpy(endpoint.body, request->body.text, request->body.bytes);
    if (request->rest != NULL)
        snprintf(endpoint.rest, sizeof(endpoint.rest), "%s", request->rest);
    if (request->policy->rule_count > 0)
        snprintf(endpoint.rule, sizeof(endpoint.rule), "%s", request->policy->rules[0].name);
    if (request->policy->header_count > 0)
        snprintf(endpoint.value, sizeof(endpoint.value), "%.*s",
                 (int)request->headers->identity.headers[0].bytes,
                 request->headers->identity.headers[0].text);
    if (endpoint.status == ENDPOINT_ANSWERED)
        request->response = text_response("answered by start", request->closing);
    return endpoint.status;
}

static struct response
finish(struct endpoint_request *request)
{
    endpoint.finishes++;
    endpoint.closing = request->closing;
    return endpoint.out_of_memory ? (struct response){0}
                                  : text_response("answered by finish", request->closing);
}

static void
free_request(struct endpoint_request *request, bool pending)
{
    ck_assert_ptr_eq(request, endpoint.request);
    endpoint.frees++;
    endpoint.freed_pending = pending;
}

static const struct endpoint plain = {.start = start, .finish = finish, .free = free_request};
static const struct endpoint reader = {
    .reads_body = true, .start = start, .finish = finish, .free = free_request};
static const struct endpoint large = {.reads_body = true,
                                      .body_bytes_max = LARGE_BODY_MAX,
                                      .start = start,
                                      .finish = finish,
                                      .free = free_request};

static const struct route routes[] = {
    {"/plain", false, METHOD_GET | METHOD_HEAD, "GET, HEAD", ACCESS_ANYONE, &plain, "message"},
    {"/drop", false, METHOD_POST, "POST", ACCESS_ANYONE, &plain, NULL},
    {"/read", false, METHOD_POST, "POST", ACCESS_ANYONE, &reader, NULL},
    {"/large", false, METHOD_POST, "POST", ACCESS_ANYONE, &large, NULL},
    {"/admin", false, METHOD_POST, "POST", ACCESS_ADMIN, &reader, NULL},
    {"/tree/own", false, METHOD_GET, "GET", ACCESS_ANYONE, &plain, NULL},
    {"/tree", true, METHOD_ALL, "", ACCESS_ANYONE, &plain, NULL},
};
static const struct route_table table = {.routes = routes, .count = sizeof(routes) / sizeof(routes[0])};

/* One connection, driven as server.c drives it. */

static struct {
    struct generations *generations;
    struct exchange_context context;
    struct http_counts counts;
    struct exchange exchange;
    struct peer peer;
    struct MHD_Daemon *daemon;
    int client, server; /* the sockets of the connection */
    bool lost;          /* the exchange was completed by the test */
    int completions;
    unsigned refused; /* the status of the refusal that the last completion left, 0: none */
    char answer[ANSWER_BYTES];
    size_t answer_bytes;
} session;

static const struct networks nobody;
static const struct http_options options = {
    .routes = &table, .trusted = &nobody, .max_body_bytes = BODY_BYTES_MAX};

/* The same, of a listener that knows its names and adds headers. */
static const struct route_header private_headers[] = {{"X-One", "1"}, {"X-Two", "2"}, {NULL, NULL}};
static const struct route_table private_table = {
    .routes = routes, .count = sizeof(routes) / sizeof(routes[0]), .headers = private_headers};
static const struct hosts private_hosts = {.own = "own.example", .listed = ""};
static const struct http_options private_options = {
    .routes = &private_table, .hosts = &private_hosts, .trusted = &nobody, .max_body_bytes = BODY_BYTES_MAX};

static void *
on_first_line(void *arg, const char *uri, struct MHD_Connection *connection)
{
    (void)arg;
    exchange_begin(&session.exchange, connection, uri);
    return NULL;
}

static enum MHD_Result
on_access(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
          const char *version, const char *upload, size_t *upload_bytes, void **request)
{
    (void)arg;
    (void)request;
    return !session.lost &&
                   exchange_handle(&session.exchange, connection, url, method, version, upload, upload_bytes)
               ? MHD_YES
               : MHD_NO;
}

static size_t
keep_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **request,
             enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)connection;
    (void)request;
    session.completions++;
    session.refused = code == MHD_REQUEST_TERMINATED_WITH_ERROR ? session.exchange.refusal.status : 0;
    exchange_complete(&session.exchange);
}

static void
set_up(void)
{
    struct sockaddr address = {.sa_family = AF_UNIX};
    int sockets[2];

    memset(&endpoint, 0, sizeof(endpoint));
    memset(&session, 0, sizeof(session));
    endpoint.status = ENDPOINT_DONE;
    session.context.options = &options;
    session.context.counts = &session.counts;
    uploads_init(&session.context.uploads, siphash_random_key());
    session.generations = generations_new(policy_of_text("{}"), 1);
    session.context.generations = generations_reader(session.generations, 0);
    ck_assert(access_init(&session.context.tokens, NULL, NULL));
    peer_init(&session.peer, &address, &nobody);
    exchange_init(&session.exchange, &session.context, &session.peer);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    session.client = sockets[0];
    session.server = sockets[1];
    session.daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
                                      NULL, NULL, on_access, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                      (size_t)65536, MHD_OPTION_URI_LOG_CALLBACK, on_first_line, NULL,
                                      MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                                      MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    ck_assert_ptr_nonnull(session.daemon);
    ck_assert_int_eq(MHD_add_connection(session.daemon, session.server, &address, sizeof(address)), MHD_YES);
}

static void
hang_up(void)
{
    if (session.client >= 0)
        close(session.client);
    session.client = -1;
    for (int turn = 0; turn < TURNS; turn++)
        MHD_run(session.daemon);
}

static void
tear_down(void)
{
    hang_up();
    MHD_stop_daemon(session.daemon);
    ck_assert_ptr_null(session.exchange.upload);
    generation_reader_close(session.context.generations);
    generations_free(session.generations);
    ck_assert_uint_eq(session.context.uploads.bytes, 0);
}

/* Sends, lets libmicrohttpd work, and returns what came back since the last call. */
static const char *
run(const char *bytes, size_t count)
{
    size_t written = 0;

    session.answer_bytes = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        ssize_t sent = written < count ? write(session.client, bytes + written, count - written) : 0;
        ssize_t got;

        written += sent > 0 ? (size_t)sent : 0;
        MHD_run(session.daemon);
        got = read(session.client, session.answer + session.answer_bytes,
                   ANSWER_BYTES - 1 - session.answer_bytes);
        session.answer_bytes += got > 0 ? (size_t)got : 0;
    }
    session.answer[session.answer_bytes] = '\0';
    return session.answer;
}

static const char *
run_text(const char *text)
{
    return run(text, strlen(text));
}

static const char *
get(const char *target)
{
    char request[512];

    return run(request,
               (size_t)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target));
}

/* POST with `bytes` bytes of body. */
static const char *
post(const char *target, size_t bytes)
{
    static char request[LONGEST_REQUEST];
    size_t used =
        (size_t)snprintf(request, sizeof(request),
                         "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", target, bytes);

    ck_assert_uint_lt(used + bytes, sizeof(request));
    memset(request + used, 'x', bytes);
    return run(request, used + bytes);
}

/* 0: there was no answer. */
static int
status_of(const char *answer)
{
    int status = 0;

    return sscanf(answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

#endif
