/*
 * history: GET /v1/history?span=15m|24h&rule=NAME: what the service, or one rule, did a second, over the last 15
 * minutes or 24 hours.
 */
#include "history.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "endpoint.h"
#include "json_number.h"
#include "observed.h"
#include "query.h"

/* What is answered. */
struct wanted {
    enum series_span span;
    bool is_of_rule;
    struct history_series series;
};

static const struct series_measure *
measure_at(const struct wanted *wanted, unsigned index)
{
    return &wanted->series.measures->points[series_place(wanted->series.clock, wanted->span, index)];
}

static uint32_t
count_at(const struct wanted *wanted, unsigned index, enum history_count count)
{
    unsigned place = series_place(wanted->series.clock, wanted->span, index);

    return wanted->series.counts != NULL ? wanted->series.counts->counts[place][count] : 0;
}

static void
put_rates(FILE *out, const struct wanted *wanted, enum history_count count)
{
    for (unsigned i = 0; i < series_shapes[wanted->span].points; i++) {
        int64_t over_us = measure_at(wanted, i)->over_us;

        fputs(i > 0 ? "," : "", out);
        if (over_us > 0)
            json_rate_put(out, count_at(wanted, i, count), over_us);
        else
            fputs("null", out);
    }
}

static void
put_percentiles(FILE *out, const struct wanted *wanted, enum series_percentile which)
{
    for (unsigned i = 0; i < series_shapes[wanted->span].points; i++) {
        const struct series_measure *measure = measure_at(wanted, i);

        fputs(i > 0 ? "," : "", out);
        json_us_put(out, measure->over_us > 0 ? measure->percentiles_us[which] : -1);
    }
}

static void
put_times(FILE *out, const struct wanted *wanted)
{
    for (unsigned i = 0; i < series_shapes[wanted->span].points; i++) {
        fputs(i > 0 ? "," : "", out);
        json_seconds_put(out, measure_at(wanted, i)->over_us);
    }
}

static void
put_series(FILE *out, const struct wanted *wanted)
{
    static const char *const rates[SERIES_COUNTS] = {[HISTORY_ALLOWED] = "allowed",
                                                     [HISTORY_REFUSED] = "refused",
                                                     [HISTORY_NEAR_LIMIT] = "near_limit",
                                                     [HISTORY_DEGRADED] = "degraded"};
    static const char *const percentiles[SERIES_PERCENTILES] = {
        [SERIES_P50] = "p50_us", [SERIES_P99] = "p99_us", [SERIES_REDIS_P99] = "redis_p99_us"};

    for (enum history_count i = 0; i < SERIES_COUNTS; i++) {
        fprintf(out, "%s\n\"%s\": [", i > 0 ? "]," : "", rates[i]);
        put_rates(out, wanted, i);
    }
    for (enum series_percentile i = 0; i < SERIES_PERCENTILES && !wanted->is_of_rule; i++) {
        fprintf(out, "],\n\"%s\": [", percentiles[i]);
        put_percentiles(out, wanted, i);
    }
    fputc(']', out);
}

static void
put_history(FILE *out, const struct wanted *wanted)
{
    const struct series_shape *shape = &series_shapes[wanted->span];
    int64_t ahead_us = series_until_us(wanted->series.clock, wanted->span) - clock_mono_us();

    fprintf(out,
            "{\"span\": \"%s\", \"step_s\": %" PRId64 ", \"until\": %" PRId64
            ", \"points\": %u, \"over_s\": [",
            shape->name, shape->step_us / US_PER_S, (clock_wall_us() + ahead_us + US_PER_S / 2) / US_PER_S,
            shape->points);
    put_times(out, wanted);
    fputs("],\n\"series\": {", out);
    put_series(out, wanted);
    fputs("\n}}\n", out);
}

/* NULL: the first one. */
static bool
find_span(const char *name, enum series_span *span)
{
    for (*span = 0; *span < SERIES_SPANS; (*span)++)
        if (name == NULL || strcmp(series_shapes[*span].name, name) == 0)
            return true;
    return false;
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct query_argument arguments[] = {{.name = "span"}, {.name = "rule"}};
    struct wanted wanted;
    struct query query;
    struct response_body body;
    FILE *out;

    if (!query_read(&query, request->query, arguments, 2))
        return endpoint_problem(request, 400, query.why);
    if (!find_span(arguments[0].value, &wanted.span))
        return endpoint_problem(request, 400, "The argument span is 15m or 24h.");
    wanted.is_of_rule = arguments[1].value != NULL;
    if (!history_series(request->context->observed->history, arguments[1].value, &wanted.series))
        return endpoint_problem(request, 404, "No rule has that name.");
    out = response_body_open(&body);
    if (out != NULL)
        put_history(out, &wanted);
    request->response = response_body_close(&body, 200, RESPONSE_JSON, request->closing);
    return ENDPOINT_ANSWERED;
}

const struct endpoint history_endpoint = {.start = start};
