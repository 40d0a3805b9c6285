/*
 * metrics_table: every metric of /metrics: its name, type, labels and what it means. docs/metrics.md has the
 * same table.
 */
#ifndef METRICS_TABLE_H
#define METRICS_TABLE_H

#include <stddef.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

/* In the order in which they are shown. */
enum metric_id {
    METRIC_DECISIONS,
    METRIC_LIMIT_REFUSALS,
    METRIC_NEAR_LIMIT,
    METRIC_DEGRADED,
    METRIC_CANDIDATES,
    METRIC_UNMATCHED,
    METRIC_DECISION_DURATION,
    METRIC_STORE,
    METRIC_STORE_WORKERS,
    METRIC_STORE_INFLIGHT,
    METRIC_REDIS_COMMANDS,
    METRIC_REDIS_DECISIONS,
    METRIC_REDIS_COMMAND_DURATION,
    METRIC_REDIS_SENT,
    METRIC_REDIS_RECEIVED,
    METRIC_REDIS_ERRORS,
    METRIC_REDIS_CONNECTIONS,
    METRIC_REDIS_CONNECTION_LOSSES,
    METRIC_REDIS_CONNECTION_FAILURES,
    METRIC_REDIS_STALLS,
    METRIC_REDIS_LATE,
    METRIC_DENIAL_CACHE,
    METRIC_MEMORY_ENTRIES,
    METRIC_MEMORY_ENTRIES_MAX,
    METRIC_MEMORY_BYTES,
    METRIC_MEMORY_EVICTIONS,
    METRIC_OBSERVED,
    METRIC_OBSERVED_DROPPED,
    METRIC_ANALYTICS_BYTES,
    METRIC_RULES,
    METRIC_RULES_LOADED,
    METRIC_RELOADS,
    METRIC_RELOAD_SUCCESSFUL,
    METRIC_CONNECTIONS,
    METRIC_CONNECTIONS_MAX,
    METRIC_CONNECTIONS_ACCEPTED,
    METRIC_CONNECTIONS_REFUSED,
    METRIC_ANSWERS,
    METRIC_BODIES_REFUSED,
    METRIC_BUILD,
    METRIC_PROCESS_CPU,
    METRIC_PROCESS_START,
    METRIC_PROCESS_OPEN_FDS,
    METRIC_PROCESS_MAX_FDS,
    METRIC_PROCESS_RESIDENT,
    METRIC_PROCESS_VIRTUAL,
    METRIC_COUNT
};

#define METRIC_LABELS_MAX 2

struct metric {
    const char *name; /* of the family: a counter's without _total, an info's without _info */
    enum metric_type type;
    const char *labels[METRIC_LABELS_MAX]; /* NULL: no more */
    const char *help;
    size_t
        offset; /* in struct worker_counts, of its first counter or its histogram; METRIC_ELSEWHERE: not there */
    const char *const *values; /* of its only label, for one counter each; NULL: it has no label */
    unsigned value_count;
};

#define METRIC_ELSEWHERE ((size_t)-1) /* admin/scrape.c knows it */

extern const struct metric metrics_table[METRIC_COUNT];

#endif
