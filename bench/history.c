/*
 * bench_history: how long the admin listener's worker takes for a sample of what every rule counts.
 *
 *     build/bench/bench/bench_history
 *
 * Rules with names as long as may be, all of which have counted since the last sample. Before each sample a block of
 * memory larger than the caches is read, as if other work had used them for a second. CPU time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "history.h"
#include "or_abort.h"
#include "policy.h"
#include "takes.h"

#define SAMPLES     101
#define CACHE_BYTES (64 * 1024 * 1024)

static struct policy *
make_policy(unsigned rules, unsigned workers)
{
    size_t bytes = 0, room = rules * 128 + 8;
    char *text = or_abort(malloc(room));
    struct policy *policy;

    for (unsigned i = 0; i < rules; i++)
        bytes +=
            (size_t)snprintf(text + bytes, room - bytes, "%s\"%0*u\": {\"capacity\": 1, \"refill_rate\": 1}",
                             i > 0 ? ", " : "{", RULE_NAME_BYTES, i);
    snprintf(text + bytes, room - bytes, "}");
    policy = load_rules(text);
    free(text);
    if (!rule_counts_attach(policy, NULL, workers))
        abort();
    return policy;
}

static void
count(struct policy *policy, unsigned workers)
{
    for (uint32_t i = 0; i < policy->rule_count; i++)
        for (unsigned worker = 0; worker < workers; worker++)
            rule_counts_add(policy->rules[i].counts, worker, i % 2 ? COUNT_ALLOWED : COUNT_REFUSED);
}

static int
compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static uint64_t
use_caches(const unsigned char *block)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < CACHE_BYTES; i += 64)
        sum += block[i];
    return sum;
}

static void
measure(unsigned rules, unsigned workers, const unsigned char *block)
{
    struct policy *policy = make_policy(rules, workers);
    struct metrics metrics = {0};
    struct history *history;
    int64_t took_ns[SAMPLES], first_ns = 0;
    volatile uint64_t used = 0;

    if (!metrics_init(&metrics, workers))
        abort();
    history = or_abort(history_new(&metrics, 0, 0));
    for (int i = -1; i < SAMPLES; i++) { /* the first one makes the series */
        int64_t began_ns;
        count(policy, workers);
        used += use_caches(block);
        began_ns = cpu_ns();
        history_sample(history, &(struct generation){.number = 1, .policy = policy}, (i + 2) * US_PER_S);
        *(i < 0 ? &first_ns : &took_ns[i]) = cpu_ns() - began_ns;
    }
    (void)used;
    qsort(took_ns, SAMPLES, sizeof(took_ns[0]), compare);
    printf("%5u rules, %2u workers: %6.0f us a sample, %6.0f at most; the first one %6.0f\n", rules, workers,
           (double)took_ns[SAMPLES / 2] / 1e3, (double)took_ns[SAMPLES - 1] / 1e3, (double)first_ns / 1e3);
    history_free(history);
    metrics_fini(&metrics);
    rule_counts_detach(policy);
    policy_free(policy);
}

int
main(void)
{
    unsigned char *block = or_abort(malloc(CACHE_BYTES));

    memset(block, 1, CACHE_BYTES);
    for (unsigned workers = 1; workers <= 32; workers = workers < 2 ? 2 : workers * 4)
        for (unsigned rules = 10; rules <= 1000; rules *= 10)
            measure(rules, workers, block);
    free(block);
    return 0;
}
