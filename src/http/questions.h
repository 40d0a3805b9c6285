/*
 * questions: what an application asks in one request, one or a thousand, decided together.
 *
 * They go to the store in the order of the list and by turns: some first, and when all of those have their answers, the next.
 * So a thousand checks do not stand before everybody else's one. Each has its own deadline, from its own asking; once the
 * store is away, the rest are answered by their failure mode at once. The callback comes once, when the last one has its
 * answer. One allocation for all; one thread.
 */
#ifndef QUESTIONS_H
#define QUESTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "body.h"
#include "limiter.h"

struct questions;

struct question {
    struct limiter_take take;
    struct body_mistake mistake; /* with a status: there is nothing to decide */
    struct questions *all;
    bool pending;
};

struct questions_asker {
    struct limiter *limiter;
    void (*callback)(struct questions *questions);
    void *arg; /* the callback's */
};

struct questions {
    struct questions_asker asker;
    bool is_reset;    /* not to be decided: to be forgotten */
    uint32_t asked;   /* of the list, from its start */
    uint32_t pending; /* of those, without an answer yet */
    uint32_t count;
    struct question list[];
};

/* NULL when memory is out. Every question is empty: no rule, no mistake, cost 1. */
struct questions *questions_new(const struct questions_asker *asker, uint32_t count);

/* LIMITER_DONE: all have their answers, and the callback does not come; else it comes later, never before the
   return. Once only. */
enum limiter_status questions_ask(struct questions *questions);

/* Cancels what is pending. NULL is allowed. */
void questions_free(struct questions *questions);

#endif
