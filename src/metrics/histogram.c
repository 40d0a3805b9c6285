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
