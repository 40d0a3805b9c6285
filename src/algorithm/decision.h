/*
 * decision: what one limit says to one request, and which of several to show. Durations, never moments, so
 * two machines need not agree on the time.
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
    int64_t reset_after_us; /* until the quota is full again; 0 when it is */
};

/* The index of the decision to show: of those that refuse, the one that does so longest, else the one with
   the least remaining; of equal ones the first. Pure. */
uint32_t decision_tightest(const struct decision *decisions, uint32_t count);

/* Less than a fifth of the limit remains. Pure. */
static inline bool
decision_is_near(const struct decision *decision)
{
    return decision->remaining < decision->limit / 5 + (decision->limit % 5 != 0);
}

#endif
