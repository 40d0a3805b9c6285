/* or_abort: for memory that is asked for before the service serves; without it there is nothing to go on with. */
#ifndef OR_ABORT_H
#define OR_ABORT_H

#include <stdio.h>
#include <stdlib.h>

static inline void *
or_abort(void *memory)
{
    if (memory == NULL) {
        fputs("settings: memory is out\n", stderr);
        abort();
    }
    return memory;
}

#endif
