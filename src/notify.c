#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

/* How long a manager may leave its queue full: so that READY=1 gets through on a busy machine, and the drain
   does not wait for a manager that hangs. */
#define PATIENCE_S 1

/* `text` is /a/path, or @name in the abstract name space, where a zero byte replaces the @. */
static bool
parse_address(struct sockaddr_un *address, socklen_t *bytes, const char *text)
{
    size_t length = strlen(text);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((text[0] != '/' && text[0] != '@') || length < 2 || length >= sizeof(address->sun_path)) {
        errno = EAFNOSUPPORT;
        return false;
    }
    memcpy(address->sun_path, text, length);
    if (text[0] == '@')
        address->sun_path[0] = '\0';
    *bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

static bool
send_to(const char *place, const char *text, size_t bytes)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_un address;
    socklen_t address_bytes;
    ssize_t sent;
    int fd;

    if (!parse_address(&address, &address_bytes, place))
        return false;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    sent = sendto(fd, text, bytes, MSG_NOSIGNAL, (const struct sockaddr *)&address, address_bytes);
    int error = errno;
    close(fd);
    errno = error;
    return sent >= 0;
}

void
notify_send(const char *format, ...)
{
    const char *place = getenv("NOTIFY_SOCKET");
    char text[1024];
    va_list arguments;
    int bytes;

    if (place == NULL || place[0] == '\0')
        return;
    va_start(arguments, format);
    bytes = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (bytes < 0)
        return;
    if (!send_to(place, text, (size_t)bytes < sizeof(text) ? (size_t)bytes : sizeof(text) - 1))
        log_warn("notify", "NOTIFY_SOCKET=%s: %s", place, strerror(errno));
}
