#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "number.h"
#include "stringify.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

#define UNIX_PREFIX         "unix:"
#define UNIX_PATH_BYTES_MAX 107
_Static_assert(UNIX_PATH_BYTES_MAX == sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
               "its room, less the zero byte");

#define SYSTEMD_FIRST 3 /* sd_listen_fds(3): the first descriptor that is handed over */

static bool
prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) >= 0;
}

/* Every worker gets its own descriptor for the one socket. */
static bool
share(struct listener *listener, int fd, unsigned workers)
{
    listener->sockets[0] = fd;
    listener->count = 1;
    while (listener->count < workers) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (copy < 0)
            return false;
        listener->sockets[listener->count++] = copy;
    }
    return true;
}

/* sd_listen_fds(3), without the library: LISTEN_PID is ours, LISTEN_FDS counts from 3. */
static int
systemd_sockets(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    int64_t number;

    if (!pid || !count || !number_parse(pid, 1, INT32_MAX, &number) || number != getpid())
        return 0;
    return number_parse(count, 1, 256, &number) ? (int)number : 0;
}

static bool
open_systemd(struct listener *listener, int handed, unsigned workers, struct report *report)
{
    int accepting = 0;
    socklen_t size = sizeof(accepting);

    snprintf(listener->display, sizeof(listener->display), "the socket of systemd");
    if (getsockopt(SYSTEMD_FIRST, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &size) < 0 || !accepting ||
        !prepare(SYSTEMD_FIRST)) {
        report_add(report, "LISTEN_FDS: descriptor 3 is not a listening socket");
        return false;
    }
    for (int fd = SYSTEMD_FIRST + 1; fd < SYSTEMD_FIRST + handed; fd++)
        close(fd);
    if (share(listener, SYSTEMD_FIRST, workers))
        return true;
    report_add(report, "LISTEN_FDS: %s", strerror(errno));
    return false;
}

/* Replaces the socket file of a killed process; not one that a process still listens on. */
static bool
remove_stale(const struct sockaddr_un *address)
{
    struct stat file;
    int fd, status;

    if (lstat(address->sun_path, &file) < 0)
        return true;
    if (!S_ISSOCK(file.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    status = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    close(fd);
    return status < 0 && errno == ECONNREFUSED && unlink(address->sun_path) == 0;
}

static bool
open_unix(struct listener *listener, const struct listener_options *options, struct report *report)
{
    const char *path = options->listen + strlen(UNIX_PREFIX), *place = options->listen_place;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (path[0] != '/' || strlen(path) > UNIX_PATH_BYTES_MAX) {
        report_add(
            report,
            "%s: \"unix:%s\": accepted: an absolute path of at most " STRINGIFY(UNIX_PATH_BYTES_MAX) " bytes",
            place, path);
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    snprintf(listener->display, sizeof(listener->display), "unix:%.80s", path);
    if (!remove_stale(&address)) {
        report_add(report, "%s: %s exists, and is in use or not a socket; choose another path, or remove it",
                   place, listener->display);
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0) {
        report_add(report, "%s: cannot listen on %s: %s", place, listener->display, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    listener->unix_path = strdup(path);
    listener->is_local = true;
    if (share(listener, fd, options->workers))
        return true;
    report_add(report, "%s: cannot listen on %s: %s", place, listener->display, strerror(errno));
    return false;
}

/* `shared`: several sockets may have the port. -1 with errno. */
static int
bind_tcp(const struct sockaddr *address, socklen_t bytes, bool shared)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
        (address->sa_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0) ||
        bind(fd, address, bytes) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* With SO_REUSEPORT, a second service of the same user would silently share the port: a socket without it
   detects that the port is taken. */
static bool
is_taken(const struct sockaddr *address, socklen_t bytes)
{
    int fd = bind_tcp(address, bytes, false);

    if (fd < 0)
        return errno == EADDRINUSE;
    close(fd);
    return false;
}

/* An address of either family; the port has the same offset in both. */
union socket_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};
_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
               "the same offset");

/* `*port` 0: the one that the first socket gets is all workers'. */
static bool
open_tcp_sockets(struct listener *listener, union socket_address *address, socklen_t bytes, int *port,
                 unsigned workers)
{
    if (*port != 0 && is_taken(&address->any, bytes)) {
        errno = EADDRINUSE;
        return false;
    }
    while (listener->count < workers) {
        int fd = bind_tcp(&address->any, bytes, true);
        if (fd < 0)
            return false;
        listener->sockets[listener->count++] = fd;
        if (listen(fd, BACKLOG) < 0)
            return false;
        if (*port == 0) {
            socklen_t size = sizeof(*address);
            if (getsockname(fd, &address->any, &size) < 0)
                return false;
            *port = ntohs(address->in.sin_port);
        }
    }
    return true;
}

/* Which of the two settings is refused, and what helps. */
static void
report_refused(const struct listener_options *options, struct report *report)
{
    if (errno == EADDRINUSE)
        report_add(report, "%s: port %d of %s is in use; %s", options->port_place, options->port,
                   options->host, options->other_port);
    else if (errno == EACCES)
        report_add(report,
                   "%s: port %d needs a privilege; choose a port from 1024 up, or grant CAP_NET_BIND_SERVICE",
                   options->port_place, options->port);
    else
        report_add(report, "%s: cannot listen on %s port %d: %s", options->host_place, options->host,
                   options->port, strerror(errno));
}

static bool
open_tcp(struct listener *listener, const struct listener_options *options, struct report *report)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *list = NULL;
    union socket_address address = {0};
    socklen_t bytes;
    char service[8];
    bool bracket = strchr(options->host, ':') != NULL;
    int status, port = options->port;
    struct address bound;

    snprintf(service, sizeof(service), "%d", port);
    status = getaddrinfo(options->host, service, &hints, &list);
    if (status != 0) {
        report_add(report, "%s: \"%s\": %s; accepted: an address of this machine, or a name of one",
                   options->host_place, options->host, gai_strerror(status));
        return false;
    }
    memcpy(&address, list->ai_addr, list->ai_addrlen);
    bytes = list->ai_addrlen;
    freeaddrinfo(list);
    bound = address_of_peer(&address.any);
    listener->is_local = address_is_loopback(&bound);
    if (!open_tcp_sockets(listener, &address, bytes, &port, options->workers)) {
        report_refused(options, report);
        return false;
    }
    snprintf(listener->display, sizeof(listener->display), "http://%s%s%s:%d", bracket ? "[" : "",
             options->host, bracket ? "]" : "", port);
    return true;
}

bool
listener_open(struct listener *listener, const struct listener_options *options, struct report *report)
{
    int handed = options->by_systemd ? systemd_sockets() : 0;

    *listener = (struct listener){.sockets = calloc(options->workers, sizeof(int))};
    if (listener->sockets == NULL) {
        report_add(report, "out of memory");
        return false;
    }
    if (handed > 0)
        return open_systemd(listener, handed, options->workers, report);
    if (strncmp(options->listen, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return open_unix(listener, options, report);
    return open_tcp(listener, options, report);
}

void
listener_close(struct listener *listener)
{
    for (unsigned i = 0; i < listener->count; i++)
        if (listener->sockets[i] >= 0)
            close(listener->sockets[i]);
    if (listener->unix_path)
        unlink(listener->unix_path);
    free(listener->unix_path);
    free(listener->sockets);
    *listener = (struct listener){0};
}
