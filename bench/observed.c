/*
 * bench_observed: what it costs to observe a decision, for top clients and the log of refusals.
 *
 *     build/bench/bench/bench_observed
 *
 * A decision is limiter_take with the store in memory, for one of 100,000 clients at random, each as often as any other:
 * that is the worst for a tally, which cuts as often as it can. In CPU time: of the worker, without a stream and with one;
 * and of the admin listener's worker, which reads the records, and counts them. In turns, the best of the rounds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "decision_stream.h"
#include "memory_store.h"
#include "or_abort.h"
#include "policy.h"
#include "takes.h"
#include "top_clients.h"

#define ROUNDS 21
#define FEW    1000 /* clients, that a tally keeps without a cut */
#define BATCH  1000 /* decisions between two reads: they fit into the ring */

enum cost { UNOBSERVED, RECORDED, READ, COUNTED, COUNTED_FEW, COSTS };
static const char *const cost_names[] = {"a decision that nobody observes", "the same, recorded",
                                         "reading its record", "reading and counting it",
                                         "the same, of 1000 clients"};

static const char rules[] = "{\"api\": {\"capacity\": 1000000, \"refill_rate\": \"2/1m\"}}";

static void
drop(void *arg, const struct decision_record *record)
{
    (void)arg;
    (void)record;
}

static void
count(void *arg, const struct decision_record *record)
{
    top_clients_add(arg, record);
}

/* One round: what a decision cost, and what its record. */
static void
run(struct limiter *limiter, struct limiter_take *takes, uint32_t clients, struct decision_stream *stream,
    struct top_clients *top, double ns[2])
{
    int64_t start_ns, decided_ns;

    ns[0] = ns[1] = 0;
    for (int done = 0; done < TAKES; done += BATCH) {
        start_ns = cpu_ns();
        take_some(limiter, takes, clients, BATCH);
        decided_ns = cpu_ns();
        decision_stream_drain(stream, BATCH, top != NULL ? count : drop, top);
        ns[0] += (double)(decided_ns - start_ns) / TAKES;
        ns[1] += (double)(cpu_ns() - decided_ns) / TAKES;
    }
}

static void
keep_least(double *least, double ns, int round)
{
    if (round <= 0 || ns < *least)
        *least = ns;
}

int
main(void)
{
    double least_ns[COSTS], ns[2];
    struct policy *policy = load_rules(rules);
    struct clock clock = clock_steady();
    struct limiter limiter = {0};
    struct decision_stream *stream = or_abort(decision_stream_new(1));
    struct top_clients *top = or_abort(top_clients_new(&clock)), *few = or_abort(top_clients_new(&clock));
    struct limiter_take *takes = make_takes();

    for (uint32_t i = 0; i < CLIENTS; i++)
        takes[i].rule = &policy->rules[0];
    limiter.store =
        or_abort(memory_store_new(&(struct memory_store_options){.max_keys = 1000000, .clock = &clock}));
    for (int round = -1; round < ROUNDS; round++) { /* the first makes the states */
        limiter.records = NULL;
        run(&limiter, takes, CLIENTS, stream, NULL, ns);
        keep_least(&least_ns[UNOBSERVED], ns[0], round);
        limiter.records = decision_stream_ring(stream, 0);
        run(&limiter, takes, CLIENTS, stream, NULL, ns);
        keep_least(&least_ns[RECORDED], ns[0], round);
        keep_least(&least_ns[READ], ns[1], round);
        run(&limiter, takes, CLIENTS, stream, top, ns);
        keep_least(&least_ns[COUNTED], ns[1], round);
        run(&limiter, takes, FEW, stream, few, ns);
        keep_least(&least_ns[COUNTED_FEW], ns[1], round);
    }
    printf("| %-31s |  ns |\n| %.31s | --: |\n", "", "-------------------------------");
    for (int cost = 0; cost < COSTS; cost++)
        printf("| %-31s | %3.0f |\n", cost_names[cost], least_ns[cost]);
    return EXIT_SUCCESS;
}
