/*
 * service_state: what /health and /ready tell of the entire service, whichever listener is asked. Any thread.
 */
#ifndef SERVICE_STATE_H
#define SERVICE_STATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "limiter.h"

struct service_state {
    struct limiter_counts counts; /* of the workers of the public listener */
    _Atomic bool draining;        /* the service is about to end */
};

#endif
