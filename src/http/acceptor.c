#include "acceptor.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "log.h"

#define ACCEPTS_MAX    32 /* in one turn of the loop, so that open connections get theirs */
#define FAILURE_LOG_US (10 * US_PER_S)

union peer_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

/* A connection that was accepted and has not been handed on. */
struct arrival {
    int fd; /* -1: none */
    union peer_address address;
    socklen_t bytes;
};

struct acceptor {
    int socket;
    struct event *readable;
    acceptor_callback *callback;
    void *arg;
    struct arrival arrival; /* set only while it rests for lack of a place */
    bool rests;
};

/* False with errno: no connection waits (EAGAIN), or accept fails. */
static bool
accept_one(struct acceptor *acceptor)
{
    struct arrival *arrival = &acceptor->arrival;

    arrival->bytes = sizeof(arrival->address);
    do
        arrival->fd =
            accept4(acceptor->socket, &arrival->address.any, &arrival->bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (arrival->fd < 0 && (errno == ECONNABORTED || errno == EINTR));
    return arrival->fd >= 0;
}

/* False: not now. */
static bool
hand_on(struct acceptor *acceptor)
{
    struct arrival *arrival = &acceptor->arrival;

    if (!acceptor->callback(acceptor->arg, arrival->fd, &arrival->address.any, arrival->bytes))
        return false;
    arrival->fd = -1;
    return true;
}

static void
rest(struct acceptor *acceptor)
{
    event_del(acceptor->readable);
    acceptor->rests = true;
}

/* It is the process, or the machine, that has run out of something: one line for all workers. */
static void
log_failure(int error)
{
    static struct log_limiter limiter;
    uint64_t suppressed;

    if (log_limiter_allows(&limiter, FAILURE_LOG_US, &suppressed))
        log_error("http", "cannot accept connections: %s (%" PRIu64 " more failures since the last message)",
                  strerror(error), suppressed);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct acceptor *acceptor = arg;

    (void)fd;
    (void)what;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        if (!accept_one(acceptor)) {
            if (errno == EAGAIN)
                return;
            log_failure(errno);
            rest(acceptor);
            return;
        }
        if (!hand_on(acceptor)) {
            rest(acceptor);
            return;
        }
    }
}

struct acceptor *
acceptor_new(struct event_base *base, int socket, acceptor_callback *callback, void *arg)
{
    struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

    if (acceptor == NULL) {
        close(socket);
        return NULL;
    }
    *acceptor = (struct acceptor){.socket = socket, .callback = callback, .arg = arg, .arrival.fd = -1};
    acceptor->readable = event_new(base, socket, EV_READ | EV_PERSIST, on_readable, acceptor);
    if (acceptor->readable && event_add(acceptor->readable, NULL) == 0)
        return acceptor;
    if (acceptor->readable)
        event_free(acceptor->readable);
    close(socket);
    free(acceptor);
    return NULL;
}

void
acceptor_resume(struct acceptor *acceptor)
{
    if (!acceptor->rests || (acceptor->arrival.fd >= 0 && !hand_on(acceptor)))
        return;
    acceptor->rests = event_add(acceptor->readable, NULL) < 0;
}

void
acceptor_free(struct acceptor *acceptor)
{
    if (acceptor == NULL)
        return;
    while (acceptor->arrival.fd >= 0 || accept_one(acceptor))
        if (!hand_on(acceptor)) {
            close(acceptor->arrival.fd);
            acceptor->arrival.fd = -1;
        }
    event_free(acceptor->readable);
    close(acceptor->socket);
    free(acceptor);
}
