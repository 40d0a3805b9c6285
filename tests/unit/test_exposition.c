/*
 * exposition: the two formats, to the byte; labels with any bytes; which format Accept asks for.
 */
#include <stdlib.h>
#include <string.h>

#include "exposition.h"
#include "suite.h"

static const struct metric counted = {"x_asked", METRIC_COUNTER, {"rule", "result"}, "Asked.", 0, NULL, 0};
static const struct metric plain = {"x_size", METRIC_GAUGE, {NULL}, "Size.", 0, NULL, 0};
static const struct metric build = {"x_build", METRIC_INFO, {"version"}, "The program.", 0, NULL, 0};
static const struct metric took = {"x_took_seconds", METRIC_HISTOGRAM, {NULL}, "Took.", 0, NULL, 0};

static struct exposition to;
static char *text;
static size_t bytes;

static void
begin(enum exposition_format format)
{
    to = (struct exposition){.out = open_memstream(&text, &bytes), .format = format};
    ck_assert_ptr_nonnull(to.out);
}

static void
assert_written(const char *expected)
{
    exposition_end(&to);
    ck_assert_int_eq(fclose(to.out), 0);
    ck_assert_str_eq(text, expected);
    free(text);
}

static void
write_all(void)
{
    exposition_family(&to, &counted);
    exposition_count(&to, &counted, (const char *[]){"default", "allowed"}, 7);
    exposition_family(&to, &plain);
    exposition_count(&to, &plain, NULL, 0);
    exposition_time(&to, &plain, 1500000);
    exposition_family(&to, &build);
    exposition_count(&to, &build, (const char *[]){"1.2"}, 1);
}

START_TEST(prometheus_names_a_family_as_its_samples_and_has_no_info)
{
    begin(EXPOSITION_PROMETHEUS);
    write_all();
    assert_written("# HELP x_asked_total Asked.\n"
                   "# TYPE x_asked_total counter\n"
                   "x_asked_total{rule=\"default\",result=\"allowed\"} 7\n"
                   "# HELP x_size Size.\n"
                   "# TYPE x_size gauge\n"
                   "x_size 0\n"
                   "x_size 1.500000\n"
                   "# HELP x_build_info The program.\n"
                   "# TYPE x_build_info gauge\n"
                   "x_build_info{version=\"1.2\"} 1\n");
}
END_TEST

START_TEST(openmetrics_names_a_family_without_the_suffix_and_has_an_end)
{
    begin(EXPOSITION_OPENMETRICS);
    write_all();
    assert_written("# HELP x_asked Asked.\n"
                   "# TYPE x_asked counter\n"
                   "x_asked_total{rule=\"default\",result=\"allowed\"} 7\n"
                   "# HELP x_size Size.\n"
                   "# TYPE x_size gauge\n"
                   "x_size 0\n"
                   "x_size 1.500000\n"
                   "# HELP x_build The program.\n"
                   "# TYPE x_build info\n"
                   "x_build_info{version=\"1.2\"} 1\n"
                   "# EOF\n");
}
END_TEST

START_TEST(label_value_is_escaped)
{
    static const struct {
        const char *value, *written;
    } table[] = {
        {"", ""},
        {"a\"b", "a\\\"b"},
        {"\"", "\\\""},
        {"\\", "\\\\"},
        {"\\\"\n", "\\\\\\\"\\n"},
        {"} 1\nx_asked_total{rule=\"", "} 1\\nx_asked_total{rule=\\\""},
        {"caf\xc3\xa9 \t{,}", "caf\xc3\xa9 \t{,}"},
    };
    char expected[256];

    for (int i = 0; i < ROWS(table); i++) {
        begin(EXPOSITION_PROMETHEUS);
        exposition_count(&to, &counted, (const char *[]){table[i].value, "r"}, 1);
        snprintf(expected, sizeof(expected), "x_asked_total{rule=\"%s\",result=\"r\"} 1\n", table[i].written);
        assert_written(expected);
    }
}
END_TEST

START_TEST(buckets_are_cumulative_and_the_last_is_the_count)
{
    uint64_t buckets[HISTOGRAM_BUCKETS] = {[0] = 3, [3] = 2, [HISTOGRAM_BUCKETS - 1] = 1};

    begin(EXPOSITION_PROMETHEUS);
    exposition_histogram(&to, &took, buckets, 2000250);
    exposition_end(&to);
    ck_assert_int_eq(fclose(to.out), 0);
    ck_assert_ptr_nonnull(strstr(text, "x_took_seconds_bucket{le=\"1e-05\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_took_seconds_bucket{le=\"5e-05\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_took_seconds_bucket{le=\"0.0001\"} 5\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_took_seconds_bucket{le=\"1.0\"} 5\n"));
    ck_assert_ptr_nonnull(strstr(text, "x_took_seconds_bucket{le=\"+Inf\"} 6\nx_took_seconds_sum 2.000250\n"
                                       "x_took_seconds_count 6\n"));
    free(text);
}
END_TEST

#define OPEN "application/openmetrics-text"

START_TEST(format_is_what_accept_prefers)
{
    static const struct {
        const char *accept;
        bool is_open;
    } table[] = {
        {NULL, false},
        {"", false},
        {"*/*", false},
        {"text/html,*/*;q=0.8", false},
        {"text/plain", false},
        {OPEN, true},
        {"Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8", true},
        {OPEN ";version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true},
        {OPEN ";version=1.0.0," OPEN ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true},
        {OPEN ";version=1.0.0;q=0.5,text/plain;q=0.5", true},
        {OPEN ";q=0.4,text/plain;q=0.5", false},
        {"text/plain;q=0.5 , " OPEN " ; q=0.4", false},
        {OPEN ";q=0", false},
        {OPEN ";q=0.000", false},
        {OPEN ";version=0.0.1", false},
        {OPEN ";version=2.0.0,text/plain;q=0.1", false},
        {OPEN ";q=x", false},
        {OPEN ";q=1.0001", false},
        {OPEN ";q=9", false},
        {OPEN "x", false},
        {",,;;,=", false},
        {";q=1;" OPEN, false},
        {OPEN ";=;;q", false},
    };

    for (int i = 0; i < ROWS(table); i++) {
        const char *accept = table[i].accept;
        struct field field = {.text = accept, .bytes = accept != NULL ? strlen(accept) : 0};
        ck_assert_msg((exposition_accepted(&field) == EXPOSITION_OPENMETRICS) == table[i].is_open, "%s",
                      accept);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("exposition");
    TCase *tests = tcase_create("exposition");

    suite_add_tcase(suite, tests);
    tcase_add_test(tests, prometheus_names_a_family_as_its_samples_and_has_no_info);
    tcase_add_test(tests, openmetrics_names_a_family_without_the_suffix_and_has_an_end);
    tcase_add_test(tests, label_value_is_escaped);
    tcase_add_test(tests, buckets_are_cumulative_and_the_last_is_the_count);
    tcase_add_test(tests, format_is_what_accept_prefers);
    return run_suite(suite);
}
