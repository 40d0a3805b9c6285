#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One rule in force. The fields that each sample reads come first, in one cache line. */
struct track {
    const struct rule_counts *counts; /* of the generation that was sampled last */
    struct series *series;            /* NULL: it has done nothing */
    uint64_t last[HISTORY_COUNTS];
    uint32_t recent[HISTORY_RECENT][HISTORY_COUNTS];
    int64_t since_us; /* of the counts; changes when they begin at 0 again */
    char name[RULE_NAME_BYTES + 1];
};

/* The counters that belong to no rule. */
struct reading {
    uint64_t unmatched, decision_us[HISTOGRAM_BUCKETS], redis_us[HISTOGRAM_BUCKETS];
};

struct history {
    const struct metrics *metrics;
    int64_t sampled_us;
    struct reading last;
    unsigned slot; /* of the next sample in `recent` */
    struct history_sum recent[HISTORY_RECENT];
    struct series_clock clock;
    struct series_measures measures;
    struct series series; /* of all rules */
    struct track *tracks; /* in the order of the rules */
    uint32_t track_count;
    uint64_t generation; /* whose rules they are; 0: none yet */
};

/* Reading the counters. */

static void
read_histogram(const struct metrics *metrics, size_t offset, uint64_t buckets[HISTOGRAM_BUCKETS])
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        buckets[i] = metrics_sum(metrics, offset + offsetof(struct histogram, buckets) + i * sizeof(counter));
}

static void
read_all(const struct metrics *metrics, struct reading *reading)
{
    reading->unmatched = metrics_sum(metrics, offsetof(struct worker_counts, decisions.unmatched));
    read_histogram(metrics, offsetof(struct worker_counts, decisions.duration), reading->decision_us);
    read_histogram(metrics, offsetof(struct worker_counts, redis.command_duration), reading->redis_us);
}

#define IN(what) (1u << (what))

/* Where each count of a rule belongs; 0: nowhere. */
static const unsigned places[RULE_COUNTS_NAMED] = {
    [COUNT_ALLOWED] = IN(HISTORY_ALLOWED),
    [COUNT_REFUSED] = IN(HISTORY_REFUSED),
    [COUNT_PENALISED] = IN(HISTORY_REFUSED),
    [COUNT_BLOCKED] = IN(HISTORY_REFUSED),
    [COUNT_UNAVAILABLE] = IN(HISTORY_REFUSED),
    [COUNT_DEGRADED + FAILURE_CLOSED] = IN(HISTORY_DEGRADED),
    [COUNT_DEGRADED + FAILURE_OPEN] = IN(HISTORY_DEGRADED),
    [COUNT_DEGRADED + FAILURE_LOCAL] = IN(HISTORY_DEGRADED),
    [COUNT_SHADOW] = IN(HISTORY_ALLOWED) | IN(HISTORY_SHADOW_REFUSED),
    [COUNT_SHADOW_PENALISED] = IN(HISTORY_ALLOWED) | IN(HISTORY_SHADOW_REFUSED),
    [COUNT_SHADOW_BLOCKED] = IN(HISTORY_ALLOWED) | IN(HISTORY_SHADOW_REFUSED),
    [COUNT_SHADOW_UNAVAILABLE] = IN(HISTORY_ALLOWED) | IN(HISTORY_SHADOW_REFUSED),
    [COUNT_CANDIDATE_REFUSED] = IN(HISTORY_CANDIDATE_REFUSED),
    [COUNT_NEAR_LIMIT] = IN(HISTORY_NEAR_LIMIT),
};

static void
read_rule(const struct rule_counts *counts, uint64_t read[HISTORY_COUNTS])
{
    uint64_t sums[RULE_COUNTS];

    rule_counts_sum(counts, sums);
    memset(read, 0, HISTORY_COUNTS * sizeof(read[0]));
    for (size_t i = 0; i < RULE_COUNTS_NAMED; i++)
        for (size_t k = 0; k < HISTORY_COUNTS; k++)
            if (places[i] & IN(k))
                read[k] += sums[i];
}

/* Growth. */

/* Counters only grow. If a rule was gone for a moment, and the wall clock was set back, its counts may be
   taken for the earlier ones: then some are missed, none invented. */
static uint64_t
growth(uint64_t *last, uint64_t now)
{
    uint64_t more = now > *last ? now - *last : 0;

    *last = now;
    return more;
}

static void
sample_all(struct history *history, struct history_sum *sum)
{
    struct reading now;

    read_all(history->metrics, &now);
    sum->unmatched = growth(&history->last.unmatched, now.unmatched);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum->decision_us[i] = growth(&history->last.decision_us[i], now.decision_us[i]);
        sum->redis_us[i] = growth(&history->last.redis_us[i], now.redis_us[i]);
    }
}

/* A rule gets a series with its first count, if there is memory. */
static void
add_to_series(struct track *track, const struct series_clock *clock, const uint64_t more[HISTORY_COUNTS])
{
    bool is_something = false;

    for (size_t i = 0; i < SERIES_COUNTS; i++)
        is_something |= more[i] > 0;
    if (track->series == NULL && is_something)
        track->series = calloc(1, sizeof(*track->series));
    if (track->series != NULL)
        series_add(track->series, clock, more);
}

static void
sample_rule(const struct history *history, struct track *track, struct history_sum *sum)
{
    uint64_t now[HISTORY_COUNTS], more[HISTORY_COUNTS];

    read_rule(track->counts, now);
    for (size_t i = 0; i < HISTORY_COUNTS; i++) {
        more[i] = growth(&track->last[i], now[i]);
        track->recent[history->slot][i] = more[i] < UINT32_MAX ? (uint32_t)more[i] : UINT32_MAX;
        sum->counts[i] += more[i];
    }
    add_to_series(track, &history->clock, more);
}

/* The rules. */

static int
compare_tracks(const void *left, const void *right)
{
    return strcmp(((const struct track *)left)->name, ((const struct track *)right)->name);
}

static void
forget_all(struct history *history)
{
    for (uint32_t i = 0; i < history->track_count; i++)
        free(history->tracks[i].series);
    free(history->tracks);
}

/* Takes over what is known of the rule. The counts of a rule that was gone for a moment begin again. */
static void
begin_track(struct history *history, struct track *track, const struct rule *rule)
{
    struct track *known = NULL;

    snprintf(track->name, sizeof(track->name), "%s", rule->name);
    if (history->track_count > 0)
        known = bsearch(track, history->tracks, history->track_count, sizeof(*track), compare_tracks);
    if (known != NULL) {
        *track = *known;
        known->series = NULL;
    }
    track->counts = rule->counts;
    if (track->since_us != rule_counts_since_us(rule->counts))
        memset(track->last, 0, sizeof(track->last));
    track->since_us = rule_counts_since_us(rule->counts);
}

/* A new generation. False: out of memory, nothing has changed. */
static bool
follow(struct history *history, const struct generation *generation)
{
    const struct policy *policy = generation->policy;
    struct track *tracks = calloc(policy->rule_count + 1, sizeof(*tracks));

    if (tracks == NULL)
        return false;
    if (history->track_count > 0)
        qsort(history->tracks, history->track_count, sizeof(*tracks), compare_tracks);
    for (uint32_t i = 0; i < policy->rule_count; i++)
        begin_track(history, &tracks[i], &policy->rules[i]);
    forget_all(history);
    history->tracks = tracks;
    history->track_count = policy->rule_count;
    history->generation = generation->number;
    return true;
}

struct history *
history_new(const struct metrics *metrics, int64_t now_us, int64_t wall_us)
{
    struct history *history = calloc(1, sizeof(*history));

    if (history == NULL)
        return NULL;
    history->metrics = metrics;
    history->sampled_us = now_us;
    read_all(metrics, &history->last);
    series_clock_init(&history->clock, now_us, wall_us);
    return history;
}

void
history_free(struct history *history)
{
    if (history == NULL)
        return;
    forget_all(history);
    free(history);
}

void
history_sample(struct history *history, const struct generation *generation, int64_t now_us)
{
    struct history_sum sum = {.over_us = now_us - history->sampled_us};

    if ((history->generation != generation->number && !follow(history, generation)) || sum.over_us <= 0)
        return;
    series_advance(&history->clock, now_us);
    sample_all(history, &sum);
    for (uint32_t i = 0; i < history->track_count; i++)
        sample_rule(history, &history->tracks[i], &sum);
    series_add(&history->series, &history->clock, sum.counts);
    series_measure(&history->measures, &history->clock, sum.over_us, sum.decision_us, sum.redis_us);
    history->recent[history->slot] = sum;
    history->slot = (history->slot + 1) % HISTORY_RECENT;
    history->sampled_us = now_us;
}

int64_t
history_sampled_us(const struct history *history)
{
    return history->sampled_us;
}

static void
add(struct history_sum *to, const struct history_sum *sum)
{
    to->over_us += sum->over_us;
    to->unmatched += sum->unmatched;
    for (size_t i = 0; i < HISTORY_COUNTS; i++)
        to->counts[i] += sum->counts[i];
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        to->decision_us[i] += sum->decision_us[i];
        to->redis_us[i] += sum->redis_us[i];
    }
}

void
history_recent(const struct history *history, struct history_sum *sum)
{
    *sum = (struct history_sum){0};
    for (size_t i = 0; i < HISTORY_RECENT; i++)
        add(sum, &history->recent[i]);
}

bool
history_recent_of(const struct history *history, uint32_t index, struct history_rule *rule)
{
    const struct track *track;

    if (index >= history->track_count)
        return false;
    track = &history->tracks[index];
    *rule = (struct history_rule){.name = track->name};
    for (size_t slot = 0; slot < HISTORY_RECENT; slot++)
        for (size_t i = 0; i < HISTORY_COUNTS; i++)
            rule->counts[i] += track->recent[slot][i];
    return true;
}

bool
history_series(const struct history *history, const char *rule, struct history_series *series)
{
    *series = (struct history_series){
        .clock = &history->clock, .measures = &history->measures, .counts = &history->series};
    if (rule == NULL)
        return true;
    for (uint32_t i = 0; i < history->track_count; i++) {
        series->counts = history->tracks[i].series;
        if (strcmp(history->tracks[i].name, rule) == 0)
            return true;
    }
    return false;
}
