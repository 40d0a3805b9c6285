/*
 * checks: what an application asks in one request, one or a thousand, decided together.
 *
 * They go to the store in the order of the list and by turns: some first, and when all of those have their answers, the next.
 * So a thousand checks do not stand before everybody else's one. Each has its own deadline, from its own asking; once the
 * store is away, the rest are answered by their failure mode at once. The callback comes once, when the last one has its
 * answer. One allocation for all; one thread.
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
    struct json_error error; /* with a status: there is nothing to decide */
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
    bool is_reset;    /* not to be decided: to be forgotten */
    uint32_t asked;   /* of the list, from its start */
    uint32_t pending; /* of those, without an answer yet */
    uint32_t count;
    struct check list[];
};

/* NULL when memory is out. Every check is empty: no rule, no error, cost 1. */
struct checks *checks_new(const struct checks_caller *caller, uint32_t count);

/* LIMITER_DONE: all have their answers, and the callback does not come; else it comes later, never before the
   return. Once only. */
enum limiter_status checks_start(struct checks *checks);

/* Cancels what is pending. NULL is allowed. */
void checks_free(struct checks *checks);

#endif
