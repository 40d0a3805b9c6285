/*
 * floor: the fastest server that libmicrohttpd allows: what every request costs before anything is decided.
 *
 *      bench_floor PORT BODY [NAME VALUE]...
 *
 * Every request is answered 200 with this body and these headers, from one response that was made before the
 * first request came. The glue is that of src/http/server.c: libmicrohttpd's epoll in a libevent loop, one
 * run after each turn, and another at once where it has more to do. Its settings are the library's defaults;
 * there are no deadlines, no checks and no connections of ours. What ratelimitd takes beyond this is its own.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <microhttpd.h>

static void
die(const char *what)
{
    fprintf(stderr, "bench_floor: %s\n", what);
    exit(EXIT_FAILURE);
}

/* An answer on the first call, which comes with the headers, would end the connection. */
static enum MHD_Result
on_access(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
          const char *version, const char *upload, size_t *upload_bytes, void **request)
{
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    if (*request == NULL) {
        *request = arg;
        return MHD_YES;
    }
    if (*upload_bytes > 0) {
        *upload_bytes = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, arg);
}

static struct MHD_Response *
make_response(char *body, char **headers)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_PERSISTENT);

    if (response == NULL)
        die("no memory for the response");
    for (; headers[0] && headers[1]; headers += 2)
        if (MHD_add_response_header(response, headers[0], headers[1]) != MHD_YES)
            die("a header is none");
    return response;
}

static struct MHD_Daemon *
start_daemon(const char *port, struct MHD_Response *response)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TURBO, 0, NULL, NULL, on_access,
                                                 response, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);

    if (daemon == NULL)
        die("cannot listen on that port");
    return daemon;
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
    bool *must_run = arg;

    (void)fd;
    (void)what;
    *must_run = true;
}

static void
serve(struct event_base *base, struct MHD_Daemon *daemon, bool *must_run)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    for (;;) {
        event_base_loop(base, EVLOOP_ONCE | (*must_run ? EVLOOP_NONBLOCK : 0));
        if (!*must_run)
            continue;
        MHD_run(daemon);
        *must_run = MHD_get_timeout(daemon, &timeout_ms) == MHD_YES && timeout_ms == 0;
    }
}

int
main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct MHD_Daemon *daemon;
    struct event *ready;
    bool must_run = true;

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("libmicrohttpd %s, libevent %s\n", MHD_get_version(), event_get_version());
        return EXIT_SUCCESS;
    }
    if (argc < 3)
        die("usage: bench_floor PORT BODY [NAME VALUE]...");
    signal(SIGPIPE, SIG_IGN);
    daemon = start_daemon(argv[1], make_response(argv[2], argv + 3));
    ready = event_new(base, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                      EV_READ | EV_PERSIST, on_ready, &must_run);
    if (ready == NULL || event_add(ready, NULL) < 0)
        die("no memory for the event");
    serve(base, daemon, &must_run);
}
