/*
 * checks: the checks of one request, one or a thousand, decided together.
 *
 * They go to the store in the order of the list and in turns: when all checks of a turn are answered, the next turn begins.
 * So a thousand checks do not delay the single check of another request. Each has its own deadline, from the moment it is
 * sent; once the store is away, the rest are answered by their failure mode at once. The callback comes once, when the
 * last check is answered. One allocation for all; one thread.
 */
#ifndef CHECKS_H
#define CHECKS_H

#include <stdbool.h>
#include <stdint.h>

#include "json_body.h"
#include "limiter.h"

#define CHECKS_MAX 1000 /* in one request */

struct checks;

struct check {
    struct limiter_take take;
    struct json_error error; /* with a status: it is not decided */
    struct checks *all;
    bool pending;
};

struct checks_caller {
    struct limiter *limiter;
    void (*callback)(struct checks *checks);
    void *arg; /* the callback's */
};

struct checks {
    struct checks_caller caller;
    bool is_reset;    /* forget the clients instead of deciding */
    uint32_t asked;   /* sent to the store: the first of the list */
    uint32_t pending; /* of those, not answered yet */
    uint32_t count;
    struct check list[];
};

/* NULL when out of memory. Every check is empty: no rule, no error, cost 1. */
struct checks *checks_new(const struct checks_caller *caller, uint32_t count);

/* To be called once. LIMITER_DONE: all are answered, and the callback does not come; otherwise it comes later, never
   before this returns. */
enum limiter_status checks_start(struct checks *checks);

/* Cancels what is pending. NULL is allowed. */
void checks_free(struct checks *checks);

#endif
