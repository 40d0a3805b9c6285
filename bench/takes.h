/*
 * takes: what the benchmarks of a decision share: rules, many clients, and the CPU time of limiter_take for one
 * of them at random.
 */
#ifndef TAKES_H
#define TAKES_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "limiter.h"
#include "or_abort.h"

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

/* The policy of a text of rules. The process ends, and says why, where the rules are wrong. */
static inline struct policy *
load_rules(const char *text)
{
    static const struct policy_defaults defaults = {
        .limit = 1, .window_us = 1, .failure_mode = FAILURE_CLOSED};
    struct report report;
    struct policy *policy;

    report_init(&report);
    policy = policy_parse("rules", text, strlen(text), &defaults, &report);
    report_print(&report, stderr, "bench: ");
    report_fini(&report);
    return or_abort(policy);
}

/* A take of cost 1 for each of CLIENTS clients, without a rule. free() them. */
static inline struct limiter_take *
make_takes(void)
{
    struct limiter_take *takes = or_abort(calloc(CLIENTS, sizeof(*takes)));
    char text[32];

    for (uint32_t i = 0; i < CLIENTS; i++) {
        client_write(&takes[i].client, "header:x-api-key", text,
                     (size_t)snprintf(text, sizeof(text), "client-%07" PRIu32, i));
        takes[i].cost = 1;
    }
    return takes;
}

/* `count` takes for the first of the clients, at random, by the rules that their takes have. */
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
