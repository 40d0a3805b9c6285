/*
 * history: what the service has done lately: a sample of its counters a second, and what came between two samples.
 *
 *      counters of each worker ─ ─ history_sample ─┬─► the last ten samples: rates, percentiles
 *      (rule_counts.h, metrics.h)                  └─► 15 minutes and 24 hours, in points (series.h)
 *
 * Workers count as ever and know nothing of it. What is kept of a rule goes on by its name, from one generation to the
 * next, and is forgotten when no rule in force has that name. So memory is bounded by the rules in force, of which there
 * are POLICY_RULES_MAX at most: 0.4 KB each, and 7.5 KB once it has done something.
 *
 * One thread, that of the worker of the admin listener, which also reads. All times are monotonic.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "generation.h"
#include "metrics.h"
#include "rule_counts.h"
#include "series.h"

#define HISTORY_SAMPLE_US INT64_C(1000000) /* how often to sample */
#define HISTORY_RECENT    10               /* samples, of the rates */

/* The first SERIES_COUNTS of them have a history. */
enum history_count {
    HISTORY_ALLOWED, /* passed: those that only a shadow rule refused, too */
    HISTORY_REFUSED, /* by a limit, a penalty, a block, or for want of the store */
    HISTORY_NEAR_LIMIT,
    HISTORY_DEGRADED, /* of those allowed and refused: decided by a failure mode */
    HISTORY_SHADOW_REFUSED,
    HISTORY_CANDIDATE_REFUSED,
};
#define HISTORY_COUNTS (HISTORY_CANDIDATE_REFUSED + 1)

/* What came in a time. */
struct history_sum {
    int64_t over_us; /* 0: nothing was sampled */
    uint64_t counts[HISTORY_COUNTS];
    uint64_t unmatched;
    uint64_t decision_us[HISTOGRAM_BUCKETS], redis_us[HISTOGRAM_BUCKETS]; /* how many took how long */
};

/* Those allowed, refused, and limited by no rule. */
static inline uint64_t
history_requests(const struct history_sum *sum)
{
    return sum->counts[HISTORY_ALLOWED] + sum->counts[HISTORY_REFUSED] + sum->unmatched;
}

struct history;

/* Begins now, at `wall_us` of Unix time; what was counted before is no news. `metrics` is borrowed. NULL: out of
   memory. */
struct history *history_new(const struct metrics *metrics, int64_t now_us, int64_t wall_us);
void history_free(struct history *history); /* NULL is allowed */

/* What the counters say now. A late sample only covers more time. Without memory for new rules, the sample is left
   out, and the next one covers its time. The generation must be the newest one, and live until then. */
void history_sample(struct history *history, const struct generation *generation, int64_t now_us);

/* When the last sample was taken; at first, when it began. */
int64_t history_sampled_us(const struct history *history);

/* In the last HISTORY_RECENT samples, over all rules. */
void history_recent(const struct history *history, struct history_sum *sum);

/* The same of one rule, in the order of the rules that were sampled last. False: there are no more. */
struct history_rule {
    const char *name; /* until the next sample */
    uint64_t counts[HISTORY_COUNTS];
};
bool history_recent_of(const struct history *history, uint32_t index, struct history_rule *rule);

/* Of all rules, or of one. */
struct history_series {
    const struct series_clock *clock;
    const struct series_measures *measures; /* of all rules in either case */
    const struct series *counts;            /* NULL: the rule has done nothing */
};

/* `rule` NULL: all. False: no rule has that name. Until the next sample. */
bool history_series(const struct history *history, const char *rule, struct history_series *series);

#endif
