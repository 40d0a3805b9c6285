#include "healthcheck.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define TIMEOUT_S 2

static int
connect_within(int64_t limit_us, int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct timeval limit = {.tv_sec = limit_us / US_PER_S, .tv_usec = limit_us % US_PER_S};

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        connect(fd, address, bytes) < 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        errno = error == EINPROGRESS ? ETIMEDOUT : error;
        return -1;
    }
    return fd;
}

static int
connect_unix(int64_t limit_us, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return connect_within(limit_us, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          (struct sockaddr *)&address, sizeof(address));
}

/* A service that listens on all addresses is asked on the loopback, any other on its address. */
static int
connect_tcp(int64_t limit_us, const char *host, int64_t port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list;
    char service[8];
    int fd;

    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    snprintf(service, sizeof(service), "%d", (int)port);
    if (getaddrinfo(host, service, &hints, &list) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    fd = connect_within(limit_us, socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), list->ai_addr,
                        list->ai_addrlen);
    freeaddrinfo(list);
    return fd;
}

struct listener_place {
    const char *path; /* of a Unix socket; NULL: host and port */
    const char *host;
    int64_t port;
};

static struct listener_place
place_of(const char *listen, const char *host, int64_t port)
{
    if (strncmp(listen, "unix:", 5) == 0)
        return (struct listener_place){.path = listen + 5};
    return (struct listener_place){.host = host, .port = port};
}

/* The admin listener, which answers however many clients the other has; on any free port, nobody here knows
   which. */
static struct listener_place
service_place(const struct settings *settings)
{
    struct listener_place admin =
        place_of(settings->admin_listen, settings->admin_host, settings->admin_port);

    if (admin.path != NULL || (admin.host != NULL && admin.port != 0))
        return admin;
    return place_of(settings->listen, settings->host, settings->port);
}

static int
connect_service(int64_t limit_us, const struct listener_place *place)
{
    return place->path != NULL ? connect_unix(limit_us, place->path)
                               : connect_tcp(limit_us, place->host, place->port);
}

static void
tell_unreached(const struct listener_place *place)
{
    const char *why = strerror(errno);

    if (place->path != NULL)
        fprintf(stderr, "ratelimitd: healthcheck: cannot connect to unix:%s: %s\n", place->path, why);
    else
        fprintf(stderr, "ratelimitd: healthcheck: cannot connect to %s, port %d: %s\n", place->host,
                (int)place->port, why);
}

/* True: 200 from /health. Closes `fd`. */
static bool
ask(int fd)
{
    static const char request[] = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static const char healthy[] = "HTTP/1.1 200 ";
    char reply[sizeof(healthy)] = "";
    size_t used = 0;
    ssize_t bytes = 0;

    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(request) - 1)
        while (used < sizeof(reply) - 1 && (bytes = recv(fd, reply + used, sizeof(reply) - 1 - used, 0)) > 0)
            used += (size_t)bytes;
    close(fd);
    return strcmp(reply, healthy) == 0;
}

/* A full service makes room for this machine (http/places.h), but perhaps not at once: a refusal is tried
   again. */
int
healthcheck(const struct settings *settings)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    const struct listener_place place = service_place(settings);
    int64_t until_us = clock_mono_us() + TIMEOUT_S * US_PER_S, now_us;

    while ((now_us = clock_mono_us()) < until_us) {
        int fd = connect_service(until_us - now_us, &place);
        if (fd < 0) {
            tell_unreached(&place);
            return EXIT_FAILURE;
        }
        if (ask(fd))
            return EXIT_SUCCESS;
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "ratelimitd: healthcheck: no 200 from /health within %d s\n", TIMEOUT_S);
    return EXIT_FAILURE;
}
