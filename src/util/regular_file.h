/*
 * regular_file: opens a file that cannot keep its reader waiting.
 *
 * A FIFO or a terminal waits for its writer; the thread that reads it may be the one that ends the
 * service. Any thread.
 */
#ifndef REGULAR_FILE_H
#define REGULAR_FILE_H

/* The descriptor, to be closed by the caller. -1 with errno: EISDIR for a folder, EINVAL for what else is no
   regular file, or why it cannot be opened. */
int regular_file_open(const char *path);

/* Why it could not be opened or read, for a message. */
const char *regular_file_why(int error);

#endif
