/*
 * exposition: writes metrics as text, in the format that the scraper asks for: Prometheus 0.0.4, or
 * OpenMetrics 1.0.
 *
 *      exposition_family      once for each metric, before its samples
 *      exposition_count ...   its samples
 *      exposition_end         once, at the end
 *
 * Errors of the stream are its caller's to look at.
 */
#ifndef EXPOSITION_H
#define EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

#include "field.h"
#include "histogram.h"
#include "metrics_table.h"

enum exposition_format { EXPOSITION_PROMETHEUS, EXPOSITION_OPENMETRICS };

struct exposition {
    FILE *out;
    enum exposition_format format;
};

/* OpenMetrics where the value of Accept names it, and no less wanted than plain text. text NULL: there is no
   Accept. */
enum exposition_format exposition_accepted(const struct field *accept);

/* For Content-Type. */
const char *exposition_type(enum exposition_format format);

/* `labels` below: the values of the metric's labels, in their order; NULL where it has none. Any UTF-8. */
void exposition_family(struct exposition *to, const struct metric *metric);
void exposition_count(struct exposition *to, const struct metric *metric, const char *const *labels,
                      uint64_t value);
void exposition_time(struct exposition *to, const struct metric *metric, int64_t us);

/* The histogram's `buckets` and sum, of all workers. */
void exposition_histogram(struct exposition *to, const struct metric *metric,
                          const uint64_t buckets[HISTOGRAM_BUCKETS], uint64_t sum_us);

void exposition_end(struct exposition *to);

#endif
