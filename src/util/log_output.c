#include "log_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum manner {
    WRITE_AND_WAIT,
    WRITE_AT_ONCE, /* the descriptor does not wait */
    SEND_AT_ONCE,  /* it is a socket */
    WRITE_IF_ROOM, /* it would wait */
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
    /* Of a file this would be another place in it; where a pipe may not be opened again, it goes on as for a file. */
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
