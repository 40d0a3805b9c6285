/*
 * series: what is counted lies in the point of its time, is there for the whole span, and then is gone.
 */
#include <string.h>

#include "clock.h"
#include "series.h"
#include "suite.h"

#define S     US_PER_S
#define START (77 * S) /* monotonic */

static struct series_clock series_clock;
static struct series series;
static struct series_measures measures;
static int64_t now_us;

/* At that Unix time. */
static void
begin(int64_t wall_us)
{
    memset(&series, 0, sizeof(series));
    memset(&measures, 0, sizeof(measures));
    now_us = START;
    series_clock_init(&series_clock, now_us, wall_us);
}

static void
add_after(int64_t us, uint64_t count)
{
    const uint64_t counts[SERIES_COUNTS] = {count, 1, 2, 3};
    const uint64_t fast[HISTOGRAM_BUCKETS] = {[0] = count}, none[HISTOGRAM_BUCKETS] = {0};

    now_us += us;
    series_advance(&series_clock, now_us);
    series_add(&series, &series_clock, counts);
    series_measure(&measures, &series_clock, us, fast, none);
}

/* Of the point that many before the current one. */
static uint32_t
count_of(enum series_span span, unsigned before)
{
    return series.counts[series_place(&series_clock, span, series_shapes[span].points - 1 - before)][0];
}

static struct series_measure
measure_of(enum series_span span, unsigned before)
{
    return measures.points[series_place(&series_clock, span, series_shapes[span].points - 1 - before)];
}

START_TEST(shapes_cover_their_time_and_share_the_places)
{
    ck_assert_int_eq(series_shapes[SERIES_15M].points * series_shapes[SERIES_15M].step_us, 900 * S);
    ck_assert_int_eq(series_shapes[SERIES_24H].points * series_shapes[SERIES_24H].step_us, 86400 * S);
    ck_assert_uint_eq(series_shapes[SERIES_24H].first, series_shapes[SERIES_15M].points);
    ck_assert_uint_eq(series_shapes[SERIES_24H].first + series_shapes[SERIES_24H].points, SERIES_POINTS);
}
END_TEST

START_TEST(points_begin_at_round_times)
{
    begin(3603 * S); /* 2 s before a point of 5 s is over, 297 s before one of 5 min */
    ck_assert_int_eq(series_until_us(&series_clock, SERIES_15M), START + 2 * S);
    ck_assert_int_eq(series_until_us(&series_clock, SERIES_24H), START + 297 * S);
    add_after(2 * S - 1, 10);
    ck_assert_uint_eq(count_of(SERIES_15M, 0), 10);
    add_after(1, 20);
    ck_assert_uint_eq(count_of(SERIES_15M, 0), 20);
    ck_assert_uint_eq(count_of(SERIES_15M, 1), 10);
    ck_assert_uint_eq(count_of(SERIES_24H, 0), 30);
    ck_assert_int_eq(series_until_us(&series_clock, SERIES_15M), START + 7 * S);
}
END_TEST

START_TEST(samples_of_a_point_are_added_up)
{
    begin(3600 * S);
    for (int i = 0; i < 4; i++)
        add_after(S, 100);
    ck_assert_uint_eq(count_of(SERIES_15M, 0), 400);
    ck_assert_int_eq(measure_of(SERIES_15M, 0).over_us, 4 * S);
    ck_assert_int_eq(measure_of(SERIES_15M, 0).percentiles_us[SERIES_P50], 5);
    ck_assert_int_eq(measure_of(SERIES_15M, 0).percentiles_us[SERIES_REDIS_P99], -1);
    ck_assert_int_eq(measure_of(SERIES_15M, 1).over_us, 0);
}
END_TEST

START_TEST(each_point_stays_for_the_whole_span)
{
    for (enum series_span span = 0; span < SERIES_SPANS; span++) {
        const struct series_shape *shape = &series_shapes[span];
        begin(864000 * S);
        for (unsigned i = 1; i <= 2 * shape->points; i++) {
            add_after(shape->step_us, i);
            for (unsigned before = 0; before < i && before < shape->points; before++)
                ck_assert_uint_eq(count_of(span, before), i - before);
        }
    }
}
END_TEST

/* A process that was stopped, or a reload that took long. */
START_TEST(points_in_which_no_sample_was_taken_have_none)
{
    begin(3600 * S);
    add_after(S, 5);
    add_after(20 * S, 40);
    ck_assert_uint_eq(count_of(SERIES_15M, 0), 40);
    ck_assert_int_eq(measure_of(SERIES_15M, 0).over_us, 20 * S); /* so its rate is no more than it was */
    for (unsigned before = 1; before < 4; before++)
        ck_assert_int_eq(measure_of(SERIES_15M, before).over_us, 0);
    ck_assert_int_eq(measure_of(SERIES_15M, 4).over_us, S);
    ck_assert_uint_eq(count_of(SERIES_15M, 4), 5);
}
END_TEST

START_TEST(after_a_gap_longer_than_the_span_nothing_is_left)
{
    begin(3600 * S);
    for (int i = 0; i < 1000; i++)
        add_after(S, 7);
    add_after(INT64_C(1000000) * S, 1);
    for (enum series_span span = 0; span < SERIES_SPANS; span++) {
        ck_assert_uint_eq(count_of(span, 0), 1);
        for (unsigned before = 1; before < series_shapes[span].points; before++) {
            ck_assert_uint_eq(count_of(span, before), 0);
            ck_assert_int_eq(measure_of(span, before).over_us, 0);
        }
    }
}
END_TEST

START_TEST(percentiles_are_of_the_point_alone)
{
    const uint64_t counts[SERIES_COUNTS] = {0}, none[HISTOGRAM_BUCKETS] = {0};
    const uint64_t slow[HISTOGRAM_BUCKETS] = {[10] = 1000};

    begin(3600 * S);
    add_after(4 * S, 1000000);
    series_advance(&series_clock, now_us += S);
    series_add(&series, &series_clock, counts);
    series_measure(&measures, &series_clock, S, none, slow);
    ck_assert_int_eq(measure_of(SERIES_15M, 0).percentiles_us[SERIES_P50], -1);
    ck_assert_int_eq(measure_of(SERIES_15M, 0).percentiles_us[SERIES_REDIS_P99], 24850);
    ck_assert_int_eq(measure_of(SERIES_15M, 1).percentiles_us[SERIES_P50], 5);
    ck_assert_int_eq(measure_of(SERIES_24H, 0).percentiles_us[SERIES_P50], 5);
}
END_TEST

START_TEST(count_stays_at_the_most_that_it_can_say)
{
    begin(3600 * S);
    add_after(S, UINT32_MAX - 1);
    add_after(S, 1);
    ck_assert_uint_eq(count_of(SERIES_15M, 0), UINT32_MAX);
    add_after(S, UINT64_MAX);
    ck_assert_uint_eq(count_of(SERIES_15M, 0), UINT32_MAX);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("series");
    TCase *points = tcase_create("points");

    tcase_add_test(points, shapes_cover_their_time_and_share_the_places);
    tcase_add_test(points, points_begin_at_round_times);
    tcase_add_test(points, samples_of_a_point_are_added_up);
    tcase_add_test(points, each_point_stays_for_the_whole_span);
    tcase_add_test(points, points_in_which_no_sample_was_taken_have_none);
    tcase_add_test(points, after_a_gap_longer_than_the_span_nothing_is_left);
    tcase_add_test(points, percentiles_are_of_the_point_alone);
    tcase_add_test(points, count_stays_at_the_most_that_it_can_say);
    suite_add_tcase(suite, points);
    return suite;
}

int
main(void)
{
    return run_suite(make_suite());
}
