/*
 * small_file: reads an entire file of limited size.
 *
 * Any thread. Text of a refused file is wiped, because it may be a secret.
 */
#ifndef SMALL_FILE_H
#define SMALL_FILE_H

#include <stddef.h>

/* The text, which the caller wipes and frees; a zero byte follows its last byte. NULL with errno: EFBIG where it has more
   bytes, else why it cannot be read. */
char *small_file_read(const char *path, size_t max_bytes, size_t *bytes);

/* The same of an open file, which it closes. -1: NULL, and errno stays as it is. */
char *small_file_read_open(int descriptor, size_t max_bytes, size_t *bytes);

#endif
