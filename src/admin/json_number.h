/*
 * json_number: times, durations and rates as numbers of JSON. Any thread.
 */
#ifndef JSON_NUMBER_H
#define JSON_NUMBER_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* A moment or a duration, in seconds to the millisecond. */
static inline void
json_seconds_put(FILE *out, int64_t us)
{
    fprintf(out, "%.3f", (double)us / 1e6);
}

/* A count over a time, as a rate a second; 0 where the time is 0. */
static inline void
json_rate_put(FILE *out, uint64_t count, int64_t over_us)
{
    fprintf(out, "%.3f", over_us > 0 ? (double)count * 1e6 / (double)over_us : 0.0);
}

/* -1: null. */
static inline void
json_us_put(FILE *out, int64_t us)
{
    if (us < 0)
        fputs("null", out);
    else
        fprintf(out, "%" PRId64, us);
}

#endif
