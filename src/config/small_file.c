#include "small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads up to `room` bytes, or to the end; -1 with errno where that fails. */
static ssize_t
read_fully(int descriptor, char *out, size_t room)
{
    size_t used = 0;

    while (used < room) {
        ssize_t count = read(descriptor, out + used, room - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        used += (size_t)count;
    }
    return (ssize_t)used;
}

enum small_file_status
small_file_read(const char *path, size_t max_bytes, char **text, size_t *bytes)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    char *buffer;
    ssize_t count;
    int error;

    if (descriptor < 0)
        return errno == ENOENT ? SMALL_FILE_ABSENT : SMALL_FILE_UNREADABLE;
    buffer = malloc(max_bytes + 1);
    /* One byte more than is accepted tells a file that is too large from one that just fits. */
    count = buffer ? read_fully(descriptor, buffer, max_bytes + 1) : -1;
    error = buffer ? errno : ENOMEM;
    close(descriptor);
    if (count >= 0 && (size_t)count <= max_bytes) {
        buffer[count] = '\0';
        *text = buffer;
        *bytes = (size_t)count;
        return SMALL_FILE_OK;
    }
    if (buffer)
        explicit_bzero(buffer, max_bytes + 1);
    free(buffer);
    errno = error;
    return count < 0 ? SMALL_FILE_UNREADABLE : SMALL_FILE_TOO_LARGE;
}
