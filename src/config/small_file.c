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

char *
small_file_read(const char *path, size_t max_bytes, size_t *bytes)
{
    return small_file_read_open(open(path, O_RDONLY | O_CLOEXEC), max_bytes, bytes);
}

char *
small_file_read_open(int descriptor, size_t max_bytes, size_t *bytes)
{
    char *text;
    ssize_t count;
    int error;

    if (descriptor < 0)
        return NULL;
    text = malloc(max_bytes + 1);
    /* One byte more than is accepted tells a file that is too large from one that just fits. */
    count = text ? read_fully(descriptor, text, max_bytes + 1) : -1;
    error = count < 0 ? errno : (size_t)count > max_bytes ? EFBIG : 0;
    close(descriptor);
    if (text != NULL && error == 0) {
        text[count] = '\0';
        *bytes = (size_t)count;
        return text;
    }
    if (text != NULL)
        explicit_bzero(text, max_bytes + 1);
    free(text);
    errno = error;
    return NULL;
}
