/*
 * histogram: how often a duration was how long: a counter for each of a fixed set of buckets, and the sum.
 * As counter.h: one thread observes, any thread reads.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#include "counter.h"

/* The last one has no upper bound. */
#define HISTOGRAM_BUCKETS 16

struct histogram_bound {
    int64_t us; /* inclusive */
    const char *seconds;
};
extern const struct histogram_bound histogram_bounds[HISTOGRAM_BUCKETS];

struct histogram {
    counter buckets[HISTOGRAM_BUCKETS];
    counter sum_us;
};

/* A negative duration counts as 0. */
void histogram_observe(struct histogram *histogram, int64_t us);

/* The duration that `per_mille` of a thousand of those in `buckets` did not exceed: estimated, as if the durations of
   each bucket lay evenly between its bounds; so it is in the right bucket, and no nearer. Of the last bucket only the
   lower bound is known, which is what is returned. -1: all are empty. */
int64_t histogram_percentile_us(const uint64_t buckets[HISTOGRAM_BUCKETS], unsigned per_mille);

#endif
