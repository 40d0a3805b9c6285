/*
 * sentence: what is wrong, for the caller: the status and one line of text in his struct ratelimit_error.
 */
#ifndef ERROR_H
#define ERROR_H

#include "ratelimit.h"

/* Fills `*error`, where there is one, and returns the status. Control bytes of what the caller passed come out as "?";
   what is too long is cut. */
enum ratelimit_status error_set(struct ratelimit_error *error, enum ratelimit_status status,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));

enum ratelimit_status error_clear(struct ratelimit_error *error);

#endif
