/*
 * small_file: reads an entire file of limited size.
 *
 * Any thread. Text of a refused file is wiped, because it may be a secret.
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

/* On SMALL_FILE_OK `*text` is the caller's to wipe and free; a zero byte follows its last byte. */
enum small_file_status small_file_read(const char *path, size_t max_bytes, char **text, size_t *bytes);

#endif
