/*
 * small_file: a whole file at once, where more than a few kilobytes could only be a mistake.
 *
 * Any thread. What it may have read of a file that it refuses is wiped: it reads secrets.
 */
#ifndef SMALL_FILE_H
#define SMALL_FILE_H

#include <stddef.h>

enum small_file_status {
    SMALL_FILE_OK,
    SMALL_FILE_ABSENT,
    SMALL_FILE_UNREADABLE, /* errno says why */
    SMALL_FILE_TOO_LARGE,
};

/* On SMALL_FILE_OK `*text` is the caller's to wipe and free; a zero stands behind its last byte. */
enum small_file_status small_file_read(const char *path, size_t max_bytes, char **text, size_t *bytes);

#endif
