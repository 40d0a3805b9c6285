/*
 * history: what the service did lately, from a sample of its counters each second.
 *
 *      counters of each worker ─ ─ history_sample ─┬─► the last ten samples: rates, percentiles
 *      (rule_counts.h, metrics.h)                  └─► 15 minutes and 24 hours, in points (series.h)
 *
 * Workers count as ever and do not know of it. The history of a rule is kept by name from one generation to
 * the next, and is forgotten when no rule in force has that name. So the rules in force, POLICY_RULES_MAX at
 * most, bound its memory: 0.4 KB each, and 7.5 KB more for a rule that has done something.
 *
 * Written and read by one thread, the worker of the admin listener. All times are monotonic.
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
#define HISTORY_RECENT    10               /* samples, for the rates */

/* The first SERIES_COUNTS have a history. */
enum history_count {
    HISTORY_ALLOWED, /* passed, even if a shadow rule would refuse */
    HISTORY_REFUSED, /* by a limit, a penalty, a block, or with the store away */
    HISTORY_NEAR_LIMIT,
    HISTORY_DEGRADED, /* of those allowed and refused: decided by a failure mode */
    HISTORY_SHADOW_REFUSED,
    HISTORY_CANDIDATE_REFUSED,
};
#define HISTORY_COUNTS (HISTORY_CANDIDATE_REFUSED + 1)

/* What was counted in a time. */
struct history_sum {
    int64_t over_us; /* 0: nothing was sampled */
    uint64_t counts[HISTORY_COUNTS];
    uint64_t unmatched;
    uint64_t decision_us[HISTOGRAM_BUCKETS], redis_us[HISTOGRAM_BUCKETS]; /* by duration */
};

/* Those allowed, refused, and limited by no rule. */
static inline uint64_t
history_requests(const struct history_sum *sum)
{
    return sum->counts[HISTORY_ALLOWED] + sum->counts[HISTORY_REFUSED] + sum->unmatched;
}

struct history;

/* Begins now, at `wall_us` of Unix time; earlier counts are left out. `metrics` is borrowed. NULL: out of
   memory. */
struct history *history_new(const struct metrics *metrics, int64_t now_us, int64_t wall_us);
void history_free(struct history *history); /* NULL is allowed */

/* Reads the counters. A late sample covers more time. Without memory for new rules, the sample is left out,
   and the next one covers its time. The generation must be the newest, and live until the next sample. */
void history_sample(struct history *history, const struct generation *generation, int64_t now_us);

/* When the last sample was taken; before the first, the start. */
int64_t history_sampled_us(const struct history *history);

/* In the last HISTORY_RECENT samples, over all rules. */
void history_recent(const struct history *history, struct history_sum *sum);

/* The same for one rule, in the order of the last sample. False: there are no more. */
struct history_rule {
    const char *name; /* until the next sample */
    uint64_t counts[HISTORY_COUNTS];
};
bool history_recent_of(const struct history *history, uint32_t index, struct history_rule *rule);

/* For all rules, or for one. */
struct history_series {
    const struct series_clock *clock;
    const struct series_measures *measures; /* of all rules in either case */
    const struct series *counts;            /* NULL: the rule has done nothing */
};

/* `rule` NULL: all. False: no rule has that name. Valid until the next sample. */
bool history_series(const struct history *history, const char *rule, struct history_series *series);

#endif
