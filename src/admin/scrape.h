/*
 * scrape: writes all that /metrics shows, a step at a time: what the workers of the public listener have counted,
 * added up, and what the rest of the service counts by itself.
 *
 *      struct scrape scrape = scrape_of(request, format, out);
 *      while (scrape_step(&scrape))
 *          ... others may have a turn
 *
 * On the thread of the request, whose rules it goes through. Errors of `out` are its caller's to look at.
 */
#ifndef SCRAPE_H
#define SCRAPE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "endpoint.h"
#include "exposition.h"
#include "metrics_table.h"
#include "reload.h"

/* Private: how far it is, and what was read once for several metrics. */
struct scrape {
    struct exposition to;
    enum metric_id next;
    uint32_t next_rule;
    const struct metrics *metrics;
    const struct policy *policy;
    const struct endpoint_context *context;
    struct reload_counts reloads;
    int64_t numbers[METRIC_COUNT]; /* of metrics that are one number */
};

/* The request outlives it. */
struct scrape scrape_of(const struct endpoint_request *request, enum exposition_format format, FILE *out);

/* Writes the next metric, or a part of it. False: that was the end. */
bool scrape_step(struct scrape *scrape);

#endif
