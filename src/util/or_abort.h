/*
 * or_abort: memory for what is read before the service starts. The process ends where there is none: a report
 * that lost a line must not look empty.
 */
#ifndef OR_ABORT_H
#define OR_ABORT_H

#include <stdio.h>
#include <stdlib.h>

static inline void *
or_abort(void *memory)
{
    if (memory == NULL) {
        fputs("ratelimitd: out of memory\n", stderr);
        abort();
    }
    return memory;
}

#endif
