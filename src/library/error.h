/*
 * error: what is wrong, for the caller: a status and one line of text in a struct ratelimit_error.
 */
#ifndef ERROR_H
#define ERROR_H

#include "ratelimit.h"

/* Fills `*error`, unless it is NULL, and returns the status. Control bytes in what the caller passed become
   "?"; a text that is too long is cut. */
enum ratelimit_status error_set(struct ratelimit_error *error, enum ratelimit_status status,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));

enum ratelimit_status error_clear(struct ratelimit_error *error);

#endif
