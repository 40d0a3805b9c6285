/*
 * decision: what one limit says to one request. Durations, never moments: two machines need not agree on the
 * time.
 */
#ifndef DECISION_H
#define DECISION_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_NEVER INT64_C(-1)

struct decision {
    bool allowed;           /* this limit lets the cost pass */
    int64_t limit;          /* requests */
    int64_t remaining;      /* requests that would still pass now */
    int64_t retry_after_us; /* until this cost would pass; 0 when allowed; RETRY_NEVER: above the limit */
    int64_t reset_after_us; /* until the quota is whole again; 0 when it is */
};

#endif
