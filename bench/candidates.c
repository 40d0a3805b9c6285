/*
 * bench_candidates: what counting for each rule, a shadow and a candidate cost a decision.
 *
 *     build/bench/bench/bench_candidates
 *
 * A decision is limiter_take with the store in memory, for one of 100,000 clients at random, in CPU time: by a
 * rule that nobody counts for, by the same rule as the service has it, as a shadow, and with a candidate; in turns,
 * the best of the rounds: other work on the machine only adds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "candidates.h"
#include "clock.h"
#include "generation.h"
#include "memory_store.h"
#include "or_abort.h"
#include "policy.h"

#define CLIENTS 100000
#define ROUNDS  21
#define TAKES   300000 /* in a round */

enum kind { UNCOUNTED, COUNTED, SHADOW, CANDIDATE, KINDS };
static const char *const kind_names[] = {"nothing is counted", "counted", "a shadow", "a candidate"};

#define LIMIT "\"capacity\": 1000000, \"refill_rate\": \"2/1m\""
static const char rules[] = "{\"counted\": {" LIMIT "}, \"shadow\": {" LIMIT ", \"shadow\": true},"
                            " \"candidate\": {" LIMIT ", \"candidate\": {\"capacity\": 500000}}}";

static struct policy *
load(void)
{
    static const struct policy_defaults defaults = {.limit = 1, .window_us = 1};
    struct report report;
    struct policy *policy;

    report_init(&report);
    policy = policy_parse("rules", rules, strlen(rules), &defaults, &report);
    report_fini(&report);
    return or_abort(policy);
}

static struct limiter_take *
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

/* Of this thread: on a busy machine the time that passes says little. */
static int64_t
cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double
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

static int
compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

int
main(void)
{
    static double ns[KINDS][ROUNDS];
    struct generations *generations = or_abort(generations_new(load(), 1));
    struct generation_reader *reader = generations_reader(generations, 0);
    struct generation_share *share = generation_enter(reader);
    const struct policy *policy = share->generation->policy;
    struct rule uncounted = policy->rules[0];
    const struct rule *const of[KINDS] = {&uncounted, &policy->rules[0], &policy->rules[1],
                                          &policy->rules[2]};
    struct clock clock = clock_steady();
    struct limiter_counts counts = {0};
    struct limiter limiter = {.counts = &counts, .candidates = or_abort(candidates_new())};
    struct limiter_take *takes = make_takes();

    uncounted.counts = NULL;
    limiter.store =
        or_abort(memory_store_new(&(struct memory_store_options){.max_keys = 1000000, .clock = &clock}));
    for (int i = -1; i < ROUNDS; i++) /* the first makes the states */
        for (int kind = 0; kind < KINDS; kind++)
            ns[kind][i < 0 ? 0 : i] = round_ns(&limiter, takes, of[kind], share);
    printf("| %-18s | ns a decision |\n| ------------------ | ------------: |\n", "");
    for (int kind = 0; kind < KINDS; kind++) {
        qsort(ns[kind], ROUNDS, sizeof(double), compare);
        printf("| %-18s | %13.0f |\n", kind_names[kind], ns[kind][0]);
    }
    generation_leave(share);
    generation_reader_close(reader);
    generations_free(generations);
    return EXIT_SUCCESS;
}
