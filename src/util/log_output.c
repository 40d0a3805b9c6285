#include "log_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum manner {
    WRITE_AND_WAIT,
    WRITE_AT_ONCE, /* it does not block */
    SEND_AT_ONCE,  /* it is a socket */
    WRITE_IF_ROOM, /* it blocks */
};

static enum manner manner = WRITE_AND_WAIT;
static int output = STDERR_FILENO;

void
log_output_init(void)
{
    struct stat about;
    int own;

    if (fstat(STDERR_FILENO, &about) < 0)
        return;
    manner = S_ISSOCK(about.st_mode) ? SEND_AT_ONCE : WRITE_IF_ROOM;
    if (!S_ISFIFO(about.st_mode) && !isatty(STDERR_FILENO))
        return;
    /* Opened again, a file would have another offset. A pipe that may not be opened again is used like a
       file. */
    own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own < 0)
        return;
    output = own;
    manner = WRITE_AT_ONCE;
}

/* A pipe that is ready has room for PIPE_BUF bytes, which is more than a line. */
static bool
has_room(void)
{
    struct pollfd ready = {.fd = output, .events = POLLOUT};

    return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

bool
log_output_write(const char *line, size_t bytes)
{
    if (manner == SEND_AT_ONCE)
        return send(output, line, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)bytes;
    if (manner == WRITE_IF_ROOM && !has_room())
        return false;
    return write(output, line, bytes) == (ssize_t)bytes;
}
