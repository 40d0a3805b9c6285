/*
 * small_file: reads an entire file of limited size.
 *
 * Any thread. Text of a refused file is wiped, because it may be a secret.
 */
#ifndef SMALL_FILE_H
#define SMALL_FILE_H

#include <stddef.h>

/* The caller wipes and frees it; a zero byte follows its last byte. NULL with errno: EFBIG where it has more
   bytes, else why it cannot be read. */
char *small_file_read(const char *path, size_t max_bytes, size_t *bytes);

#endif
