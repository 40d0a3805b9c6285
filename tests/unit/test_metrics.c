/*
 * metrics: counts of workers are added up; durations fall into buckets; the table keeps the rules for names.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "metrics.h"
#include "metrics_table.h"
#include "process_usage.h"
#include "suite.h"

START_TEST(duration_falls_into_the_first_bucket_that_holds_it)
{
    static const struct {
        int64_t us;
        unsigned bucket;
    } table[] = {{-5, 0},  {0, 0},   {10, 0},       {11, 1},       {25, 1},
                 {100, 3}, {101, 4}, {1000000, 14}, {1000001, 15}, {INT64_C(100000000000), 15}};

    for (int i = 0; i < ROWS(table); i++) {
        struct histogram histogram = {0};
        histogram_observe(&histogram, table[i].us);
        for (unsigned k = 0; k < HISTOGRAM_BUCKETS; k++)
            ck_assert_uint_eq(counter_value(&histogram.buckets[k]), k == table[i].bucket);
        ck_assert_uint_eq(counter_value(&histogram.sum_us), table[i].us > 0 ? (uint64_t)table[i].us : 0);
    }
}
END_TEST

START_TEST(percentile_lies_in_the_bucket_that_holds_it)
{
    static const struct {
        uint64_t buckets[HISTOGRAM_BUCKETS];
        unsigned per_mille;
        int64_t us;
    } table[] = {
        {{0}, 500, -1},
        {{[2] = 100}, 500, 38}, /* 25 to 50: the middle */
        {{[2] = 100}, 1000, 50},
        {{[2] = 100}, 1, 25},
        {{[0] = 4}, 500, 5},
        {{[0] = 50, [3] = 50}, 500, 10},
        {{[0] = 50, [3] = 50}, 750, 75},
        {{[0] = 990, [4] = 10}, 990, 10},
        {{[0] = 989, [4] = 11}, 990, 114},
        {{[15] = 1}, 500, 1000000}, /* more than a second: how much more is not known */
        {{[0] = 1, [15] = 1}, 999, 1000000},
        {{[14] = UINT64_C(1) << 60}, 500, 625000},
    };

    for (int i = 0; i < ROWS(table); i++)
        ck_assert_int_eq(histogram_percentile_us(table[i].buckets, table[i].per_mille), table[i].us);
}
END_TEST

START_TEST(worker_whose_loop_has_not_turned_for_long_is_stuck)
{
    const int64_t now_us = INT64_C(1000000000),
                  turned_us[] = {0, now_us, now_us - WORKER_STUCK_US, INT64_MAX};
    struct metrics metrics;

    ck_assert(metrics_init(&metrics, ROWS(turned_us) + 1)); /* and one that is stuck */
    for (int i = 0; i < ROWS(turned_us); i++)
        metrics.workers[i].turned_us = turned_us[i];
    ck_assert_uint_eq(metrics_stuck(&metrics, now_us), 0);
    metrics.workers[ROWS(turned_us)].turned_us = now_us - WORKER_STUCK_US - 1;
    ck_assert_uint_eq(metrics_stuck(&metrics, now_us), 1);
    metrics_fini(&metrics);
}
END_TEST

START_TEST(bounds_ascend_and_their_texts_say_what_they_are)
{
    for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        ck_assert_int_lt(histogram_bounds[i].us, histogram_bounds[i + 1].us);
        ck_assert_double_eq_tol(strtod(histogram_bounds[i].seconds, NULL),
                                (double)histogram_bounds[i].us / 1e6, 1e-12);
    }
    ck_assert_str_eq(histogram_bounds[HISTOGRAM_BUCKETS - 1].seconds, "+Inf");
}
END_TEST

START_TEST(sum_is_of_all_workers_but_that_of_the_admin_listener)
{
    struct metrics metrics = {0};
    size_t offset = offsetof(struct worker_counts, redis.commands);

    ck_assert(metrics_init(&metrics, 3));
    ck_assert_uint_eq(metrics_sum(&metrics, offset), 0);
    for (unsigned i = 0; i <= 3; i++)
        counter_add(&metrics.workers[i].redis.commands, 1u << i);
    ck_assert_uint_eq(metrics_sum(&metrics, offset), 7);
    metrics_fini(&metrics);
}
END_TEST

START_TEST(answer_is_counted_by_its_status)
{
    struct http_counts counts = {0};

    http_counts_answer(&counts, 429);
    http_counts_answer(&counts, 200);
    http_counts_answer(&counts, 429);
    http_counts_answer(&counts, 599);
    for (unsigned i = 0; i < ANSWER_STATUSES; i++) {
        const char *status = answer_statuses[i];
        unsigned expected =
            strcmp(status, "429") == 0 ? 2 : strcmp(status, "200") == 0 || strcmp(status, "other") == 0;
        ck_assert_msg(counter_value(&counts.answers[i]) == expected, "%s", status);
    }
}
END_TEST

static bool
ends_in(const char *text, const char *end)
{
    size_t bytes = strlen(text), end_bytes = strlen(end);

    return bytes >= end_bytes && strcmp(text + bytes - end_bytes, end) == 0;
}

/* Suffixes that the formats give, or keep for a type. */
START_TEST(name_of_a_metric_is_its_own_and_leaves_suffixes_to_the_formats)
{
    static const char *const reserved[] = {"_total",  "_info",    "_count",   "_sum",
                                           "_bucket", "_created", "_counter", "_gauge"};
    const struct metric *metric = &metrics_table[_i];

    ck_assert(strncmp(metric->name, "ratelimitd_", 11) == 0 || strncmp(metric->name, "process_", 8) == 0);
    ck_assert_uint_eq(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(metric->name));
    for (int i = 0; i < ROWS(reserved); i++)
        ck_assert_msg(!ends_in(metric->name, reserved[i]), "%s", metric->name);
    ck_assert(ends_in(metric->help, ".") && strpbrk(metric->help, "\\\n|") == NULL);
    for (int i = 0; i < _i; i++)
        ck_assert_str_ne(metrics_table[i].name, metric->name);
}
END_TEST

START_TEST(counters_of_a_metric_lie_in_the_counts_of_a_worker)
{
    const struct metric *metric = &metrics_table[_i];
    size_t bytes = metric->type == METRIC_HISTOGRAM ? sizeof(struct histogram)
                   : metric->values != NULL         ? metric->value_count * sizeof(counter)
                                                    : sizeof(counter);

    if (metric->offset == METRIC_ELSEWHERE)
        return;
    ck_assert_uint_le(metric->offset + bytes, sizeof(struct worker_counts));
    ck_assert_int_eq(metric->labels[0] != NULL, metric->values != NULL);
    ck_assert_ptr_null(metric->labels[1]);
}
END_TEST

START_TEST(the_kernel_tells_what_the_process_takes)
{
    struct process_usage usage = process_usage();

    ck_assert_int_gt(usage.cpu_us, 0);
    ck_assert_int_gt(usage.open_fds, 2);
    ck_assert_int_ge(usage.max_fds, usage.open_fds);
    ck_assert_int_gt(usage.resident_bytes, 100000);
    ck_assert_int_ge(usage.virtual_bytes, usage.resident_bytes);
    ck_assert_int_le(usage.start_us, clock_wall_us());
    ck_assert_int_gt(usage.start_us, clock_wall_us() - 3600 * US_PER_S);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tests = tcase_create("metrics");

    suite_add_tcase(suite, tests);
    tcase_add_test(tests, duration_falls_into_the_first_bucket_that_holds_it);
    tcase_add_test(tests, percentile_lies_in_the_bucket_that_holds_it);
    tcase_add_test(tests, worker_whose_loop_has_not_turned_for_long_is_stuck);
    tcase_add_test(tests, bounds_ascend_and_their_texts_say_what_they_are);
    tcase_add_test(tests, sum_is_of_all_workers_but_that_of_the_admin_listener);
    tcase_add_test(tests, answer_is_counted_by_its_status);
    tcase_add_loop_test(tests, name_of_a_metric_is_its_own_and_leaves_suffixes_to_the_formats, 0,
                        METRIC_COUNT);
    tcase_add_loop_test(tests, counters_of_a_metric_lie_in_the_counts_of_a_worker, 0, METRIC_COUNT);
    tcase_add_test(tests, the_kernel_tells_what_the_process_takes);
    return run_suite(suite);
}
