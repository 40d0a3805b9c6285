#include "series.h"

#include <string.h>

#include "clock.h"

const struct series_shape series_shapes[SERIES_SPANS] = {
    [SERIES_15M] = {.name = "15m", .step_us = 5 * US_PER_S, .points = 180, .first = 0},
    [SERIES_24H] = {.name = "24h", .step_us = 300 * US_PER_S, .points = 288, .first = 180},
};

/* Time. */

void
series_clock_init(struct series_clock *clock, int64_t now_us, int64_t wall_us)
{
    *clock = (struct series_clock){.offset_us = wall_us - now_us};
    for (enum series_span span = 0; span < SERIES_SPANS; span++)
        clock->current[span] = wall_us / series_shapes[span].step_us;
}

void
series_advance(struct series_clock *clock, int64_t now_us)
{
    for (enum series_span span = 0; span < SERIES_SPANS; span++) {
        const struct series_shape *shape = &series_shapes[span];
        int64_t current = (now_us + clock->offset_us) / shape->step_us;
        int64_t begun = current - clock->current[span];

        clock->begun[span] = begun < shape->points ? (unsigned)begun : shape->points;
        clock->current[span] = current;
    }
}

int64_t
series_until_us(const struct series_clock *clock, enum series_span span)
{
    return (clock->current[span] + 1) * series_shapes[span].step_us - clock->offset_us;
}

unsigned
series_place(const struct series_clock *clock, enum series_span span, unsigned index)
{
    const struct series_shape *shape = &series_shapes[span];

    return shape->first + (unsigned)((clock->current[span] + 1 + index) % shape->points);
}

static unsigned
current_place(const struct series_clock *clock, enum series_span span)
{
    return series_place(clock, span, series_shapes[span].points - 1);
}

/* Calls it for each point that has begun. */
static void
begin_points(const struct series_clock *clock, enum series_span span,
             void (*begin)(void *arg, unsigned place), void *arg)
{
    for (unsigned i = 0; i < clock->begun[span]; i++)
        begin(arg, series_place(clock, span, series_shapes[span].points - 1 - i));
}

/* Counts. */

static void
begin_counts(void *arg, unsigned place)
{
    struct series *series = arg;

    memset(series->counts[place], 0, sizeof(series->counts[place]));
}

static uint32_t
add_up_to_max(uint32_t count, uint64_t more)
{
    return more < UINT32_MAX - count ? count + (uint32_t)more : UINT32_MAX;
}

void
series_add(struct series *series, const struct series_clock *clock, const uint64_t counts[SERIES_COUNTS])
{
    for (enum series_span span = 0; span < SERIES_SPANS; span++) {
        uint32_t *current = series->counts[current_place(clock, span)];

        begin_points(clock, span, begin_counts, series);
        for (size_t i = 0; i < SERIES_COUNTS; i++)
            current[i] = add_up_to_max(current[i], counts[i]);
    }
}

/* Measures. */

static void
begin_measure(void *arg, unsigned place)
{
    struct series_measures *measures = arg;

    measures->points[place] = (struct series_measure){0};
}

static void
add_buckets(uint64_t to[HISTOGRAM_BUCKETS], const uint64_t more[HISTOGRAM_BUCKETS])
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        to[i] += more[i];
}

void
series_measure(struct series_measures *measures, const struct series_clock *clock, int64_t over_us,
               const uint64_t decisions[HISTOGRAM_BUCKETS], const uint64_t redis[HISTOGRAM_BUCKETS])
{
    for (enum series_span span = 0; span < SERIES_SPANS; span++) {
        struct series_measure *point = &measures->points[current_place(clock, span)];

        begin_points(clock, span, begin_measure, measures);
        if (clock->begun[span] > 0)
            memset(&measures->current[span], 0, sizeof(measures->current[span]));
        add_buckets(measures->current[span].decisions, decisions);
        add_buckets(measures->current[span].redis, redis);
        point->over_us += over_us;
        point->percentiles_us[SERIES_P50] = histogram_percentile_us(measures->current[span].decisions, 500);
        point->percentiles_us[SERIES_P99] = histogram_percentile_us(measures->current[span].decisions, 990);
        point->percentiles_us[SERIES_REDIS_P99] = histogram_percentile_us(measures->current[span].redis, 990);
    }
}
