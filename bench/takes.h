/*
 * takes: what a decision costs, for bench_clients and bench_candidates: limiter_take for one of many clients
 * at random, in CPU time.
 */
#ifndef TAKES_H
#define TAKES_H

#include <stdint.h>
#include <time.h>

#include "limiter.h"

#define CLIENTS 100000 /* that ask */
#define TAKES   300000 /* in a round */

/* Of this thread: on a busy machine the time that passes says little. */
static inline int64_t
cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* So many takes for the first of the clients, at random, by the rules that their takes have. */
static inline void
take_some(struct limiter *limiter, struct limiter_take *takes, uint32_t clients, int count)
{
    static uint32_t random = 1;

    for (int i = 0; i < count; i++)
        limiter_take(limiter, &takes[(random = random * 1664525u + 1013904223u) % clients]);
}

/* One round; the nanoseconds that each decision took, by this rule. `takes` are CLIENTS; `share` may be NULL. */
static inline double
round_ns(struct limiter *limiter, struct limiter_take *takes, const struct rule *rule,
         struct generation_share *share)
{
    int64_t start_ns = cpu_ns();
    uint32_t random = 1;

    for (int i = 0; i < TAKES; i++) {
        struct limiter_take *take = &takes[(random = random * 1664525u + 1013904223u) % CLIENTS];
        take->rule = rule;
        take->share = share;
        limiter_take(limiter, take);
    }
    return (double)(cpu_ns() - start_ns) / TAKES;
}

#endif
