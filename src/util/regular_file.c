#include "regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, or an error. */
static int
check(int descriptor)
{
    struct stat found;

    if (fstat(descriptor, &found) < 0)
        return errno;
    return S_ISREG(found.st_mode) ? 0 : S_ISDIR(found.st_mode) ? EISDIR : EINVAL;
}

int
regular_file_open(const char *path)
{
    /* Without waiting for a writer, and without making a terminal this process' own. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error;

    if (descriptor < 0)
        return -1;
    error = check(descriptor);
    if (error == 0)
        return descriptor;
    close(descriptor);
    errno = error;
    return -1;
}

const char *
regular_file_why(int error)
{
    return error == EINVAL ? "not a regular file" : strerror(error);
}
