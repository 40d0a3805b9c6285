#include "log_output.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
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
static atomic_bool is_torn; /* what was written last is the begin of a line */

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

static ssize_t
write_once(const char *bytes, size_t count)
{
    if (manner == SEND_AT_ONCE)
        return send(output, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (manner == WRITE_IF_ROOM && !has_room())
        return -1;
    return write(output, bytes, count);
}

bool
log_output_write(const char *line, size_t bytes)
{
    ssize_t written;

    if (atomic_load_explicit(&is_torn, memory_order_relaxed)) {
        if (write_once("\n", 1) != 1)
            return false;
        atomic_store(&is_torn, false);
    }
    written = write_once(line, bytes);
    if (written > 0 && (size_t)written < bytes)
        atomic_store(&is_torn, true);
    return written == (ssize_t)bytes;
}
