/*
 * status: GET /v1/status: how the service is: this node, its store, what it does a second, what it holds, and what
 * happened to its rules and its store lately.
 */
#include <inttypes.h>

#include "clock.h"
#include "endpoint.h"
#include "json_number.h"
#include "json_string.h"
#include "memory_store.h"
#include "metrics.h"
#include "observed.h"
#include "reload.h"
#include "service_state.h"

static void
put_node(FILE *out, const struct observed *observed)
{
    fprintf(out, "{\"id\": \"%s\", \"host\": \"%s\", \"since\": ", observed->node_id, observed->node.host);
    json_seconds_put(out, observed->since_us);
    fputc('}', out);
}

static void
put_changes(FILE *out, const struct store_changes *changes)
{
    const struct store_change *change;

    for (unsigned i = 0; (change = store_changes_at(changes, i)) != NULL; i++) {
        fputs(i > 0 ? ",\n{\"at\": " : "{\"at\": ", out);
        json_seconds_put(out, change->at_us);
        fprintf(out, ", \"state\": \"%s\", \"reason\": ", store_state_name(change->state));
        json_string_put(out, change->reason);
        fputc('}', out);
    }
}

static void
put_store(FILE *out, const struct endpoint_context *context)
{
    const struct limiter_counts *counts = &context->service->counts;
    const char *separator = "";

    fprintf(out, "{\"kind\": \"%s\", \"state\": \"%s\", \"workers\": {",
            store_health(context->limiter->store).kind, store_state_name(limiter_store_state(counts)));
    for (enum store_state state = 0; state <= STORE_LOST; state++) {
        fprintf(out, "%s\"%s\": %" PRIu32, separator, store_state_name(state),
                atomic_load_explicit(&counts->stores[state], memory_order_relaxed));
        separator = ", ";
    }
    fputs("}, \"changes\": [", out);
    put_changes(out, &context->observed->store_changes);
    fputs("]}", out);
}

static void
put_rates(FILE *out, const struct history_sum *sum)
{
    const struct {
        const char *name;
        uint64_t count;
    } shown[] = {
        {"requests", history_requests(sum)},
        {"allowed", sum->counts[HISTORY_ALLOWED]},
        {"refused", sum->counts[HISTORY_REFUSED]},
        {"degraded", sum->counts[HISTORY_DEGRADED]},
        {"near_limit", sum->counts[HISTORY_NEAR_LIMIT]},
        {"unmatched", sum->unmatched},
    };

    fputs("{\"over_s\": ", out);
    json_seconds_put(out, sum->over_us);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        fprintf(out, ", \"%s\": ", shown[i].name);
        json_rate_put(out, shown[i].count, sum->over_us);
    }
    fputc('}', out);
}

/* null: nothing took any time. */
static void
put_percentiles(FILE *out, const uint64_t buckets[HISTOGRAM_BUCKETS])
{
    static const struct {
        const char *name;
        unsigned per_mille;
    } shown[] = {{"p50_us", 500}, {"p90_us", 900}, {"p99_us", 990}, {"p999_us", 999}};

    if (histogram_percentile_us(buckets, 500) < 0) {
        fputs("null", out);
        return;
    }
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        fprintf(out, "%s\"%s\": %" PRId64, i > 0 ? ", " : "{", shown[i].name,
                histogram_percentile_us(buckets, shown[i].per_mille));
    fputc('}', out);
}

static void
put_connections(FILE *out, const struct metrics *metrics)
{
    fprintf(out, "{\"open\": %" PRIu64 ", \"max\": %" PRIu64 "}",
            metrics_open(metrics, offsetof(struct worker_counts, http.connections_accepted),
                         offsetof(struct worker_counts, http.connections_closed)),
            metrics->connections_max);
}

static void
put_memory(FILE *out, const struct endpoint_context *context)
{
    struct memory_store_counts counts = memory_store_counts(context->limiter->local);

    fprintf(out, "{\"entries\": %" PRIu64 ", \"entries_max\": %" PRIu64 ", \"evictions\": %" PRIu64 "}",
            counts.entries, context->metrics->memory_entries_max, counts.evicted);
}

static void
put_rules(FILE *out, const struct endpoint_request *request)
{
    fprintf(out, "{\"count\": %" PRIu32 ", \"loaded\": ", request->policy->rule_count);
    json_seconds_put(out, reload_counts(request->context->reload).loaded_us);
    fputc('}', out);
}

struct reloads_written {
    FILE *out;
    const char *separator;
};

static void
put_reload(void *arg, const struct reload_record *record)
{
    struct reloads_written *written = arg;
    FILE *out = written->out;

    fprintf(out, "%s{\"at\": ", written->separator);
    json_seconds_put(out, record->at_us);
    fprintf(out, ", \"ok\": %s, \"text\": ", record->is_done ? "true" : "false");
    json_string_put(out, record->text);
    fputs(", \"mistakes\": [", out);
    for (unsigned i = 0; i < record->mistake_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        json_string_put(out, record->mistakes[i]);
    }
    fputs("]}", out);
    written->separator = ",\n";
}

static void
put_reloads(FILE *out, struct reload *reload)
{
    struct reloads_written written = {.out = out, .separator = ""};

    fputc('[', out);
    reload_history_each(reload_history(reload), put_reload, &written);
    fputc(']', out);
}

/* What a node says of itself holds nothing that JSON would escape (nodes.h). */
static void
put_one_of_nodes(FILE *out, const char *id, const struct node_state *state, int64_t since_us,
                 int64_t seen_us_ago)
{
    fprintf(out, "{\"id\": \"%s\", \"host\": \"%s\", \"version\": \"%s\", \"since\": ", id, state->host,
            state->version);
    json_seconds_put(out, since_us);
    fputs(", \"seen_s_ago\": ", out);
    json_seconds_put(out, seen_us_ago);
    fprintf(out, ", \"requests\": %.3f, \"refused\": %.3f, \"store\": \"%s\"}",
            (double)state->requests_milli / 1e3, (double)state->refused_milli / 1e3,
            store_state_name(state->store));
}

/* Its start is told to the second: by its own count, so that its clock does not matter. */
static void
put_other(FILE *out, const struct node *node)
{
    int64_t seen_us_ago = clock_mono_us() - node->said_us;
    int64_t began_us = clock_wall_us() - seen_us_ago - node->state.up_ms * US_PER_MS;

    fputs(",\n", out);
    put_one_of_nodes(out, node->id, &node->state, (began_us + US_PER_S / 2) / US_PER_S * US_PER_S,
                     seen_us_ago);
}

static void
put_nodes(FILE *out, const struct endpoint_context *context)
{
    const struct observed *observed = context->observed;
    struct node_state own = observed->node;

    own.store = limiter_store_state(&context->service->counts);
    fputc('[', out);
    put_one_of_nodes(out, observed->node_id, &own, observed->since_us, 0);
    for (unsigned i = 0; i < observed->nodes.count; i++)
        put_other(out, &observed->nodes.list[i]);
    fputc(']', out);
}

static void
put_status(FILE *out, const struct endpoint_request *request)
{
    const struct endpoint_context *context = request->context;
    struct history_sum sum;

    history_recent(context->observed->history, &sum);
    fputs("{\"version\": \"" RATELIMITD_VERSION "\",\n\"node\": ", out);
    put_node(out, context->observed);
    fputs(",\n\"now\": ", out);
    json_seconds_put(out, clock_wall_us());
    fputs(",\n\"store\": ", out);
    put_store(out, context);
    fputs(",\n\"rates\": ", out);
    put_rates(out, &sum);
    fputs(",\n\"latency\": ", out);
    put_percentiles(out, sum.decision_us);
    fputs(",\n\"redis_latency\": ", out);
    put_percentiles(out, sum.redis_us);
    fputs(",\n\"connections\": ", out);
    put_connections(out, context->metrics);
    fputs(",\n\"memory\": ", out);
    put_memory(out, context);
    fputs(",\n\"rules\": ", out);
    put_rules(out, request);
    fputs(",\n\"reloads\": ", out);
    put_reloads(out, context->reload);
    fputs(",\n\"nodes\": ", out);
    put_nodes(out, context);
    fputs("}\n", out);
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct response_body body;
    FILE *out = response_body_open(&body);

    if (out != NULL)
        put_status(out, request);
    request->response = response_body_close(&body, 200, RESPONSE_JSON, request->closing);
    return ENDPOINT_ANSWERED;
}

const struct endpoint status_endpoint = {.start = start};
