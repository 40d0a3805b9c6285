#include "metrics.h"

#include <stdlib.h>
#include <string.h>

static const unsigned statuses[ANSWER_STATUSES - 1] = {200, 400, 401, 403, 404, 405, 408, 413, 414,
                                                       415, 421, 422, 429, 431, 500, 501, 503};
const char *const answer_statuses[ANSWER_STATUSES] = {"200", "400", "401", "403", "404", "405",
                                                      "408", "413", "414", "415", "421", "422",
                                                      "429", "431", "500", "501", "503", "other"};
const char *const body_refusals[BODY_REFUSALS] = {
    [BODY_TOO_LONG] = "too_long", [BODY_TOO_SLOW] = "too_slow", [BODY_NO_ROOM] = "no_room"};

bool
metrics_init(struct metrics *metrics, unsigned workers)
{
    size_t bytes = (workers + 1) * sizeof(struct worker_counts);

    metrics->worker_count = workers;
    metrics->workers = aligned_alloc(64, bytes);
    if (metrics->workers != NULL)
        memset(metrics->workers, 0, bytes);
    return metrics->workers != NULL;
}

void
metrics_fini(struct metrics *metrics)
{
    free(metrics->workers);
    metrics->workers = NULL;
}

unsigned
metrics_stuck(const struct metrics *metrics, int64_t now_us)
{
    unsigned stuck = 0;

    for (unsigned i = 0; i < metrics->worker_count; i++) {
        int64_t turned_us = atomic_load_explicit(&metrics->workers[i].turned_us, memory_order_relaxed);
        stuck += turned_us != 0 && turned_us < now_us - WORKER_STUCK_US;
    }
    return stuck;
}

uint64_t
metrics_sum(const struct metrics *metrics, size_t offset)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < metrics->worker_count; i++)
        sum += counter_value((const counter *)((const char *)&metrics->workers[i] + offset));
    return sum;
}

/* What has ended is read first: so it is never more. */
uint64_t
metrics_open(const struct metrics *metrics, size_t begun_offset, size_t ended_offset)
{
    uint64_t ended = metrics_sum(metrics, ended_offset);
    uint64_t begun = metrics_sum(metrics, begun_offset);

    return begun > ended ? begun - ended : 0;
}

void
http_counts_answer(struct http_counts *counts, unsigned status)
{
    unsigned i = 0;

    while (i < ANSWER_STATUSES - 1 && statuses[i] != status)
        i++;
    counter_add(&counts->answers[i], 1);
}
