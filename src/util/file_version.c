#include "file_version.h"

#include <string.h>
#include <sys/stat.h>

struct file_version
file_version_at(const char *path)
{
    struct stat found;

    if (stat(path, &found) < 0)
        return (struct file_version){0};
    return (struct file_version){.device = (int64_t)found.st_dev,
                                 .inode = (int64_t)found.st_ino,
                                 .bytes = found.st_size,
                                 .written_s = found.st_mtim.tv_sec,
                                 .written_ns = found.st_mtim.tv_nsec,
                                 .changed_s = found.st_ctim.tv_sec,
                                 .changed_ns = found.st_ctim.tv_nsec};
}

bool
file_version_equals(const struct file_version *a, const struct file_version *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}
