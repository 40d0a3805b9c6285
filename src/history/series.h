/*
 * series: what was counted over 15 minutes and over 24 hours, in points of 5 s and of 5 min.
 *
 *      15m   |.|.|.|.|.|.|.|.|    180 points, each of 5 s       both of fixed size: the oldest point
 *      24h   |....|....|....|     288 points, each of 5 min     makes room for the next one
 *                          └ the current point, which is not over yet
 *
 * A point begins at a multiple of its length. All series advance together, by one clock. A sample is added to
 * the point in which it is taken, with the time that it covers: so a late sample does not distort the rate.
 *
 * One thread. All times are monotonic.
 */
#ifndef SERIES_H
#define SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"

enum series_span { SERIES_15M, SERIES_24H };
#define SERIES_SPANS 2

struct series_shape {
    const char *name; /* "15m" */
    int64_t step_us;
    unsigned points;
    unsigned first; /* of its points, among the SERIES_POINTS of both */
};
extern const struct series_shape series_shapes[SERIES_SPANS];
#define SERIES_POINTS (180 + 288)

/* Which point is the current one. */
struct series_clock {
    int64_t offset_us; /* added to a time, so that points begin at round times */
    int64_t current[SERIES_SPANS];
    unsigned begun[SERIES_SPANS]; /* points that the last advance began */
};

/* `wall_us`: the Unix time now. */
void series_clock_init(struct series_clock *clock, int64_t now_us, int64_t wall_us);

/* Time never goes back. */
void series_advance(struct series_clock *clock, int64_t now_us);

/* The end of the current point. */
int64_t series_until_us(const struct series_clock *clock, enum series_span span);

/* The place of a point: 0 is the oldest, shape.points - 1 the current one. */
unsigned series_place(const struct series_clock *clock, enum series_span span, unsigned index);

/* Allowed, refused, near_limit, degraded, as in enum history_count. */
#define SERIES_COUNTS 4

/* 7.5 KB. Zeroed at first. */
struct series {
    uint32_t counts[SERIES_POINTS][SERIES_COUNTS];
};

/* Call it once after each advance: it clears the new points. */
void series_add(struct series *series, const struct series_clock *clock,
                const uint64_t counts[SERIES_COUNTS]);

/* What is known of each point besides counts. Zeroed at first. */
enum series_percentile { SERIES_P50, SERIES_P99, SERIES_REDIS_P99 };
#define SERIES_PERCENTILES (SERIES_REDIS_P99 + 1)
struct series_measure {
    int64_t over_us;                            /* of its samples; 0: none */
    int64_t percentiles_us[SERIES_PERCENTILES]; /* histogram.h; -1: nothing was measured */
};
struct series_measures {
    struct series_measure points[SERIES_POINTS];
    struct {
        uint64_t decisions[HISTOGRAM_BUCKETS], redis[HISTOGRAM_BUCKETS];
    } current[SERIES_SPANS];
};

/* Likewise, once after each advance. */
void series_measure(struct series_measures *measures, const struct series_clock *clock, int64_t over_us,
                    const uint64_t decisions[HISTOGRAM_BUCKETS], const uint64_t redis[HISTOGRAM_BUCKETS]);

#endif
