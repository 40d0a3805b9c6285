/*
 * metrics: what the workers of the public listener count, for /metrics.
 *
 *      worker 0 ──► its own struct worker_counts ─┐
 *      worker 1 ──► its own struct worker_counts ─┼─ ─ a scrape adds them up, and writes them (exposition.h)
 *      ...                                        ┘
 *
 * Each struct is the worker's own, on lines of the cache of its own; modules that count borrow a part of it.
 * What the admin listener counts is no news of the service: its worker has such a struct, too, which no sum
 * includes. What is not counted here, such as the decisions of each rule, is read where it is (table.h).
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "counter.h"
#include "histogram.h"

/* Of the answers: one place for each status that the service has, and the last for any other. */
#define ANSWER_STATUSES 18
extern const char *const answer_statuses[ANSWER_STATUSES];

enum body_refusal { BODY_TOO_LONG, BODY_TOO_SLOW, BODY_NO_ROOM };
#define BODY_REFUSALS (BODY_NO_ROOM + 1)
extern const char *const body_refusals[BODY_REFUSALS];

struct http_counts {
    counter connections_accepted, connections_refused;
    counter connections_closed; /* of those accepted */
    counter answers[ANSWER_STATUSES];
    counter bodies_refused[BODY_REFUSALS];
};

#define FAILURE_MODES 3 /* policy.h */

struct decision_counts {
    counter unmatched;               /* requests that no rule limits */
    counter waited, resumed;         /* requests that had to wait for the store; those that wait no more */
    counter degraded[FAILURE_MODES]; /* decisions and peeks by failure modes, by enum failure_mode */
    struct histogram duration;
};

#define REDIS_ERRORS_MAX 24 /* kinds, as store/redis/redis_error.h numbers them */

struct redis_counts {
    counter commands, decisions, sent_bytes, received_bytes;
    counter connections, connection_losses, connection_failures;
    counter stalls, late_decisions, denial_cache_answers;
    counter errors[REDIS_ERRORS_MAX];
    struct histogram command_duration;
};

/* A loop turns several times a second: that of a worker which has not for so long will hardly do so again. */
#define WORKER_STUCK_US (5 * US_PER_S)

struct worker_counts {
    _Atomic int64_t
        turned_us; /* monotonic: when its loop turned last; 0: never yet; INT64_MAX: it has ended */
    struct http_counts http;
    struct decision_counts decisions;
    struct redis_counts redis;
} __attribute__((aligned(64)));

struct decision_stream;
struct top_clients;

struct metrics {
    /* Set once, before the workers start. */
    bool uses_redis;
    uint64_t connections_max, memory_entries_max;
    const struct decision_stream *stream;  /* has counts of its own; may be NULL */
    const struct top_clients *top_clients; /* likewise */

    unsigned worker_count; /* whose counts are added up */
    struct worker_counts *workers;
};

/* With room for `workers`, and for the admin listener's after them. False: out of memory. */
bool metrics_init(struct metrics *metrics, unsigned workers);

/* When no worker counts any more. */
void metrics_fini(struct metrics *metrics);

/* How many of them are stuck. */
unsigned metrics_stuck(const struct metrics *metrics, int64_t now_us);

/* The counter at `offset` in each struct worker_counts, added up. */
uint64_t metrics_sum(const struct metrics *metrics, size_t offset);

/* What has begun and not ended, of two such counters. */
uint64_t metrics_open(const struct metrics *metrics, size_t begun_offset, size_t ended_offset);

/* Counts an answer. */
void http_counts_answer(struct http_counts *counts, unsigned status);

#endif
