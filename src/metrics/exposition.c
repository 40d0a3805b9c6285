#include "exposition.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "clock.h"
#include "number.h"

const char *
exposition_type(enum exposition_format format)
{
    return format == EXPOSITION_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                            : "text/plain; version=0.0.4; charset=utf-8";
}

/* What the name of a sample has after that of its family. */
static const char *
suffix_of(const struct metric *metric)
{
    static const char *const suffixes[] = {
        [METRIC_COUNTER] = "_total", [METRIC_GAUGE] = "", [METRIC_HISTOGRAM] = "", [METRIC_INFO] = "_info"};

    return suffixes[metric->type];
}

/* Prometheus' own format has no type `info`, and names a family as its samples. */
void
exposition_family(struct exposition *to, const struct metric *metric)
{
    static const char *const types[] = {[METRIC_COUNTER] = "counter",
                                        [METRIC_GAUGE] = "gauge",
                                        [METRIC_HISTOGRAM] = "histogram",
                                        [METRIC_INFO] = "info"};
    bool is_open = to->format == EXPOSITION_OPENMETRICS;
    const char *suffix = is_open ? "" : suffix_of(metric);
    const char *type = types[!is_open && metric->type == METRIC_INFO ? METRIC_GAUGE : metric->type];

    fprintf(to->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", metric->name, suffix, metric->help, metric->name,
            suffix, type);
}

static void
put_escaped(FILE *out, const char *text)
{
    for (size_t plain; *text != '\0'; text++) {
        plain = strcspn(text, "\\\"\n");
        fwrite(text, 1, plain, out);
        text += plain;
        if (*text == '\0')
            break;
        fputs(*text == '\n' ? "\\n" : *text == '"' ? "\\\"" : "\\\\", out);
    }
}

static void
put_name(struct exposition *to, const struct metric *metric, const char *const *labels)
{
    fputs(metric->name, to->out);
    fputs(suffix_of(metric), to->out);
    for (size_t i = 0; labels != NULL && i < METRIC_LABELS_MAX && metric->labels[i] != NULL; i++) {
        fputs(i == 0 ? "{" : ",", to->out);
        fputs(metric->labels[i], to->out);
        fputs("=\"", to->out);
        put_escaped(to->out, labels[i]);
        fputc('"', to->out);
    }
    fputs(labels != NULL ? "} " : " ", to->out);
}

static void
put_integer(FILE *out, uint64_t value)
{
    char digits[24];
    size_t bytes = number_write(digits, (int64_t)value);

    digits[bytes] = '\n';
    fwrite(digits, 1, bytes + 1, out);
}

static void
put_seconds(FILE *out, uint64_t us)
{
    fprintf(out, "%" PRIu64 ".%06" PRIu64 "\n", us / US_PER_S, us % US_PER_S);
}

void
exposition_count(struct exposition *to, const struct metric *metric, const char *const *labels,
                 uint64_t value)
{
    put_name(to, metric, labels);
    put_integer(to->out, value);
}

void
exposition_time(struct exposition *to, const struct metric *metric, int64_t us)
{
    put_name(to, metric, NULL);
    put_seconds(to->out, (uint64_t)us);
}

void
exposition_histogram(struct exposition *to, const struct metric *metric,
                     const uint64_t buckets[HISTOGRAM_BUCKETS], uint64_t sum_us)
{
    uint64_t count = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += buckets[i];
        fprintf(to->out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", metric->name, histogram_bounds[i].seconds,
                count);
    }
    fprintf(to->out, "%s_sum ", metric->name);
    put_seconds(to->out, sum_us);
    fprintf(to->out, "%s_count %" PRIu64 "\n", metric->name, count);
}

void
exposition_end(struct exposition *to)
{
    if (to->format == EXPOSITION_OPENMETRICS)
        fputs("# EOF\n", to->out);
}
