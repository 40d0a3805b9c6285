/*
 * mhd_session: one HTTP request through libmicrohttpd, over a pair of sockets, to a handler of the test.
 */
#ifndef MHD_SESSION_H
#define MHD_SESSION_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

/* As src/http/server.c has it. */
#if MHD_VERSION >= 0x01000000
#define MHD_SESSION_STRICTNESS MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1
#else
#define MHD_SESSION_STRICTNESS MHD_OPTION_STRICT_FOR_CLIENT, 0
#endif

struct mhd_session {
    /* The headers are there; at the second call the answer may be queued. False ends the connection. */
    bool (*handle)(void *arg, struct MHD_Connection *connection, const char *version, bool answer);
    /* As of MHD_OPTION_URI_LOG_CALLBACK, with `arg`; or NULL. */
    void *(*on_first_line)(void *arg, const char *uri, struct MHD_Connection *connection);
    void *arg;
    int calls;
    const char *method, *target; /* of the call, as libmicrohttpd has them */
};

static enum MHD_Result
mhd_session_on_access(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                      const char *version, const char *upload, size_t *upload_bytes, void **request)
{
    struct mhd_session *session = arg;

    (void)upload;
    (void)request;
    if (*upload_bytes > 0) {
        *upload_bytes = 0;
        return MHD_YES;
    }
    session->method = method;
    session->target = url;
    return session->handle(session->arg, connection, version, session->calls++ > 0) ? MHD_YES : MHD_NO;
}

/* Sends the request; returns what comes back, zero-terminated, "" where nothing does; free() it. */
static inline char *
mhd_session_run(struct mhd_session *session, const char *request, size_t bytes)
{
    enum { ANSWER_BYTES = 65536, TURNS = 50 };
    struct sockaddr address = {.sa_family = AF_UNIX};
    char *answer = calloc(1, ANSWER_BYTES);
    size_t used = 0, written = 0;
    int sockets[2];
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, mhd_session_on_access, session,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536, MHD_OPTION_URI_LOG_CALLBACK,
        session->on_first_line, session->arg, MHD_SESSION_STRICTNESS, MHD_OPTION_END);

    ck_assert(answer != NULL && daemon != NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    session->calls = 0;
    ck_assert_int_eq(MHD_add_connection(daemon, sockets[1], &address, sizeof(address)), MHD_YES);
    /* A pair of sockets has no delays: what a turn wrote is there to be read. */
    for (int turn = 0; turn < TURNS; turn++) {
        ssize_t sent = written < bytes ? write(sockets[0], request + written, bytes - written) : 0;
        ssize_t got;

        written += sent > 0 ? (size_t)sent : 0;
        MHD_run(daemon);
        got = read(sockets[0], answer + used, ANSWER_BYTES - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    close(sockets[0]);
    MHD_stop_daemon(daemon);
    return answer;
}

#endif
