/*
 * bench_candidates: what counting for each rule, a shadow and a candidate cost a decision.
 *
 *     build/bench/bench/bench_candidates
 *
 * A decision is limiter_take with the store in memory, for one of 100,000 clients at random, in CPU time: by a
 * rule that nobody counts for or takes the time of, by the same rule as the service has it, as a shadow, and with
 * a candidate; in turns, the best of the rounds: other work on the machine only adds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "candidates.h"
#include "clock.h"
#include "generation.h"
#include "memory_store.h"
#include "metrics.h"
#include "or_abort.h"
#include "policy.h"
#include "takes.h"

#define ROUNDS 21

enum kind { UNCOUNTED, COUNTED, SHADOW, CANDIDATE, KINDS };
static const char *const kind_names[] = {"nothing is counted", "counted", "a shadow", "a candidate"};

#define LIMIT "\"capacity\": 1000000, \"refill_rate\": \"2/1m\""
static const char rules[] = "{\"counted\": {" LIMIT "}, \"shadow\": {" LIMIT ", \"shadow\": true},"
                            " \"candidate\": {" LIMIT ", \"candidate\": {\"capacity\": 500000}}}";

int
main(void)
{
    double best_ns[KINDS], ns;
    struct generations *generations = or_abort(generations_new(load_rules(rules), 1));
    struct generation_reader *reader = generations_reader(generations, 0);
    struct generation_share *share = generation_enter(reader);
    const struct policy *policy = share->generation->policy;
    struct rule uncounted = policy->rules[0];
    const struct rule *const of[KINDS] = {&uncounted, &policy->rules[0], &policy->rules[1],
                                          &policy->rules[2]};
    struct clock clock = clock_steady();
    struct decision_counts decisions = {0};
    struct limiter limiter = {.candidates = or_abort(candidates_new())};
    struct limiter_take *takes = make_takes();

    uncounted.counts = NULL;
    limiter.store =
        or_abort(memory_store_new(&(struct memory_store_options){.max_keys = 1000000, .clock = &clock}));
    for (int i = -1; i < ROUNDS; i++) /* the first makes the states */
        for (int kind = 0; kind < KINDS; kind++) {
            limiter.decisions = kind == UNCOUNTED ? NULL : &decisions;
            ns = round_ns(&limiter, takes, of[kind], share);
            if (i <= 0 || ns < best_ns[kind])
                best_ns[kind] = ns;
        }
    printf("| %-18s | ns a decision |\n| ------------------ | ------------: |\n", "");
    for (int kind = 0; kind < KINDS; kind++)
        printf("| %-18s | %13.0f |\n", kind_names[kind], best_ns[kind]);
    generation_leave(share);
    generation_reader_close(reader);
    generations_free(generations);
    return EXIT_SUCCESS;
}
