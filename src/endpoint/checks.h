/*
 * checks: the checks of one request, one or a thousand.
 *
 * They are asked in the order of the list, at once or on turns (turns.h). Each has its own deadline, from the
 * moment it is asked. The callback comes once, when the last is answered. One thread.
 */
#ifndef CHECKS_H
#define CHECKS_H

#include <stdbool.h>
#include <stdint.h>

#include "json_body.h"
#include "limiter.h"
#include "turns.h"

#define CHECKS_MAX 1000 /* in one request */

struct checks;

struct check {
    struct limiter_take take;
    struct json_error error; /* with a status: it is not decided */
    struct checks *all;
    bool pending;
    uint32_t work; /* that the turns know of, while it is pending */
};

struct checks_caller {
    struct limiter *limiter;
    struct generation_share *share; /* of the rules that are asked */
    struct field trace_id;          /* of the request */
    struct turns *turns;            /* NULL: all are asked at once */
    void (*callback)(struct checks *checks);
    void *arg; /* the callback's */
};

struct checks {
    struct checks_caller caller;
    struct turn turn;
    bool is_reset;    /* forget the clients instead of deciding */
    uint32_t asked;   /* the first of the list */
    uint32_t pending; /* of those, not answered yet */
    uint32_t count;
    bool refused;     /* a check is, or its client is blocked */
    bool unavailable; /* a check is */
    struct check list[];
};

/* NULL when out of memory. The list is uninitialised, since it is long. */
struct checks *checks_new(const struct checks_caller *caller, uint32_t count);

/* Makes a check empty: no rule, no error, cost 1. Each is to be made so, before anything is asked. */
struct check *checks_begin(struct checks *checks, uint32_t index);

/* What the check keeps Redis busy for, in limit_work; before it is asked, by its rule's limits. */
uint32_t check_work(const struct check *check);

/* To be called once. LIMITER_DONE: all are answered, and the callback does not come; otherwise it comes
   later, never before this returns. What the service ends before is unavailable. */
enum limiter_status checks_start(struct checks *checks);

/* Cancels what is pending. NULL is allowed. */
void checks_free(struct checks *checks);

#endif
