/*
 * file_version: by what a file is told from another one at its path, and from itself before it was written.
 *
 * The kernel's clock, which files are stamped by, ticks every few milliseconds: a file that is written twice
 * within a tick, with as many bytes, may have the same version. Any thread.
 */
#ifndef FILE_VERSION_H
#define FILE_VERSION_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: there is no file. Without padding, so it may be hashed. */
struct file_version {
    int64_t device, inode, bytes;
    int64_t written_s, written_ns; /* st_mtim: the writer may set it, as cp -p does */
    int64_t changed_s, changed_ns; /* st_ctim: set by the kernel alone; also for its owner and permissions */
};

/* Of the file that the path leads to. */
struct file_version file_version_at(const char *path);

bool file_version_equals(const struct file_version *a, const struct file_version *b);

#endif
