#include "histogram.h"

/* From a decision in memory to the longest deadline that makes sense; dense around 100 us, where one by a
   Redis nearby lies. */
const struct histogram_bound histogram_bounds[HISTOGRAM_BUCKETS] = {
    {10, "1e-05"},    {25, "2.5e-05"},  {50, "5e-05"},    {100, "0.0001"},
    {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"},
    {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},
    {100000, "0.1"},  {250000, "0.25"}, {1000000, "1.0"}, {INT64_MAX, "+Inf"},
};

void
histogram_observe(struct histogram *histogram, int64_t us)
{
    unsigned bucket = 0;

    if (us < 0)
        us = 0;
    while (us > histogram_bounds[bucket].us)
        bucket++;
    counter_add(&histogram->buckets[bucket], 1);
    counter_add(&histogram->sum_us, (uint64_t)us);
}

/* The durations below bucket `i` are `below`, and `rank` is in it. */
static int64_t
interpolate_us(unsigned i, double rank, double below, double in_bucket)
{
    int64_t from_us = i > 0 ? histogram_bounds[i - 1].us : 0;

    if (i == HISTOGRAM_BUCKETS - 1)
        return from_us;
    return from_us + (int64_t)((double)(histogram_bounds[i].us - from_us) * (rank - below) / in_bucket + 0.5);
}

int64_t
histogram_percentile_us(const uint64_t buckets[HISTOGRAM_BUCKETS], unsigned per_mille)
{
    uint64_t total = 0, below = 0;
    double rank;
    unsigned i = 0;

    for (unsigned k = 0; k < HISTOGRAM_BUCKETS; k++)
        total += buckets[k];
    if (total == 0)
        return -1;
    rank = (double)total * per_mille / 1000;
    while (i < HISTOGRAM_BUCKETS - 1 && (buckets[i] == 0 || (double)(below + buckets[i]) < rank))
        below += buckets[i++];
    return interpolate_us(i, rank, (double)below, (double)buckets[i]);
}
