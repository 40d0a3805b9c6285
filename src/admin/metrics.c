/*
 * metrics: GET /metrics, for Prometheus: what the workers of the public listener have counted, added up, and
 * what the rest of the service counts by itself.
 */
#include <stdio.h>

#include "clock.h"
#include "endpoint.h"
#include "exposition.h"
#include "memory_store.h"
#include "metrics.h"
#include "process_usage.h"
#include "redis_error.h"
#include "reload.h"
#include "render.h"
#include "rule_counts.h"
#include "service_state.h"

/* One scrape: what was read once for several metrics. */
struct scrape {
    struct exposition to;
    const struct metrics *metrics;
    const struct policy *policy;
    const struct endpoint_context *context;
    struct memory_store_counts memory;
    struct reload_counts reloads;
    struct process_usage process;
};

/* Of the rules. */

/* Each result that a rule can have is shown from the start, so that its first occurrence is an increase, too.
   What it had before a reload that changed whether it is a shadow is shown as well. */
static bool
is_result_of(const struct rule *rule, enum rule_count count)
{
    return count == COUNT_ALLOWED || rule->shadow == (count >= COUNT_SHADOW);
}

/* Rather than how it came about. */
static bool
is_result(enum rule_count count)
{
    return count < COUNT_DEGRADED || (count >= COUNT_SHADOW && count < COUNT_CANDIDATE_ALLOWED);
}

static void
put_decisions(struct scrape *scrape, const struct metric *metric)
{
    uint64_t sums[RULE_COUNTS];

    for (uint32_t i = 0; i < scrape->policy->rule_count; i++) {
        const struct rule *rule = &scrape->policy->rules[i];

        rule_counts_sum(rule->counts, sums);
        for (enum rule_count count = 0; count < RULE_COUNTS; count++) {
            if (is_result(count) && (is_result_of(rule, count) || sums[count] > 0))
                exposition_count(&scrape->to, metric, (const char *[]){rule->name, rule_count_name(count)},
                                 sums[count]);
        }
    }
}

/* A limit's index is what it is named by in RateLimit-Policy, too. Those of clients that differ are `own`: there
   may be many. */
static void
put_limit_refusals(struct scrape *scrape, const struct metric *metric)
{
    static const char *const limits[LIMIT_SET_MAX + 1] = {"0", "1", "2", "3", "4", "5", "6", "7", "own"};
    uint64_t sums[RULE_COUNTS];

    for (uint32_t i = 0; i < scrape->policy->rule_count; i++) {
        const struct rule *rule = &scrape->policy->rules[i];

        rule_counts_sum(rule->counts, sums);
        for (uint32_t limit = 0; limit <= LIMIT_SET_MAX; limit++)
            if (limit < rule->limits.count || sums[COUNT_BY_LIMIT + limit] > 0)
                exposition_count(&scrape->to, metric, (const char *[]){rule->name, limits[limit]},
                                 sums[COUNT_BY_LIMIT + limit]);
    }
}

static void
put_near_limit(struct scrape *scrape, const struct metric *metric)
{
    uint64_t sums[RULE_COUNTS];

    for (uint32_t i = 0; i < scrape->policy->rule_count; i++) {
        const char *name = scrape->policy->rules[i].name;

        rule_counts_sum(scrape->policy->rules[i].counts, sums);
        exposition_count(&scrape->to, metric, &name, sums[COUNT_NEAR_LIMIT]);
    }
}

static void
put_degraded(struct scrape *scrape, const struct metric *metric)
{
    uint64_t sums[RULE_COUNTS];

    for (uint32_t i = 0; i < scrape->policy->rule_count; i++) {
        const struct rule *rule = &scrape->policy->rules[i];

        rule_counts_sum(rule->counts, sums);
        for (enum failure_mode mode = 0; mode <= FAILURE_LOCAL; mode++)
            exposition_count(&scrape->to, metric, (const char *[]){rule->name, failure_mode_name(mode)},
                             sums[COUNT_DEGRADED + mode]);
    }
}

static void
put_candidates(struct scrape *scrape, const struct metric *metric)
{
    static const char *const results[] = {"allowed", "refused", "missed"};
    uint64_t sums[RULE_COUNTS];

    for (uint32_t i = 0; i < scrape->policy->rule_count; i++) {
        const struct rule *rule = &scrape->policy->rules[i];

        if (!rule_has_candidate(rule))
            continue;
        rule_counts_sum(rule->counts, sums);
        for (unsigned k = 0; k < sizeof(results) / sizeof(results[0]); k++)
            exposition_count(&scrape->to, metric, (const char *[]){rule->name, results[k]},
                             sums[COUNT_CANDIDATE_ALLOWED + k]);
    }
}

static void
put_rules(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, NULL, scrape->policy->rule_count);
}

static void
put_rules_loaded(struct scrape *scrape, const struct metric *metric)
{
    exposition_time(&scrape->to, metric, scrape->reloads.loaded_us);
}

static void
put_reloads(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, (const char *[]){"done"}, scrape->reloads.done);
    exposition_count(&scrape->to, metric, (const char *[]){"refused"}, scrape->reloads.refused);
}

static void
put_reload_successful(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, NULL, generations_mistakes(scrape->context->generations) == 0);
}

/* Of the store. */

static void
put_store(struct scrape *scrape, const struct metric *metric)
{
    const char *kind = store_health(scrape->context->limiter->store).kind;

    exposition_count(&scrape->to, metric, &kind, 1);
}

static void
put_store_workers(struct scrape *scrape, const struct metric *metric)
{
    const struct limiter_counts *counts = &scrape->context->service->counts;

    for (enum store_state state = 0; state <= STORE_LOST; state++)
        exposition_count(&scrape->to, metric, (const char *[]){store_state_name(state)},
                         atomic_load_explicit(&counts->stores[state], memory_order_relaxed));
}

static void
put_open(struct scrape *scrape, const struct metric *metric, size_t begun_offset, size_t ended_offset)
{
    exposition_count(&scrape->to, metric, NULL, metrics_open(scrape->metrics, begun_offset, ended_offset));
}

static void
put_store_inflight(struct scrape *scrape, const struct metric *metric)
{
    put_open(scrape, metric, offsetof(struct worker_counts, decisions.waited),
             offsetof(struct worker_counts, decisions.resumed));
}

/* Errors that share a word are one. */
static void
put_redis_errors(struct scrape *scrape, const struct metric *metric)
{
    for (size_t i = 0; i < REDIS_ERROR_COUNT; i++) {
        const char *word = redis_error_word(i);
        uint64_t sum = 0;

        if (redis_error_first(word) != i)
            continue;
        for (size_t k = i; k < REDIS_ERROR_COUNT; k++)
            if (redis_error_first(redis_error_word(k)) == i)
                sum += metrics_sum(scrape->metrics,
                                   offsetof(struct worker_counts, redis.errors) + k * sizeof(counter));
        exposition_count(&scrape->to, metric, &word, sum);
    }
}

static void
put_memory_entries(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, NULL, scrape->memory.entries);
}

static void
put_memory_entries_max(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, NULL, scrape->metrics->memory_entries_max);
}

static void
put_memory_bytes(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, NULL, scrape->memory.bytes);
}

static void
put_memory_evictions(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, NULL, scrape->memory.evicted);
}

/* Of the process. */

static void
put_connections(struct scrape *scrape, const struct metric *metric)
{
    put_open(scrape, metric, offsetof(struct worker_counts, http.connections_accepted),
             offsetof(struct worker_counts, http.connections_closed));
}

static void
put_connections_max(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, NULL, scrape->metrics->connections_max);
}

static void
put_build(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, (const char *[]){RATELIMITD_VERSION}, 1);
}

/* What the kernel does not tell is left out. */
static void
put_process(struct scrape *scrape, const struct metric *metric)
{
    const struct process_usage *process = &scrape->process;
    const int64_t values[] = {[METRIC_PROCESS_OPEN_FDS - METRIC_PROCESS_CPU] = process->open_fds,
                              [METRIC_PROCESS_MAX_FDS - METRIC_PROCESS_CPU] = process->max_fds,
                              [METRIC_PROCESS_RESIDENT - METRIC_PROCESS_CPU] = process->resident_bytes,
                              [METRIC_PROCESS_VIRTUAL - METRIC_PROCESS_CPU] = process->virtual_bytes};
    int64_t value = values[metric - &metrics_table[METRIC_PROCESS_CPU]];

    if (value >= 0)
        exposition_count(&scrape->to, metric, NULL, (uint64_t)value);
}

static void
put_process_time(struct scrape *scrape, const struct metric *metric)
{
    bool is_cpu = metric == &metrics_table[METRIC_PROCESS_CPU];
    int64_t us = is_cpu ? scrape->process.cpu_us : scrape->process.start_us;

    if (us >= 0)
        exposition_time(&scrape->to, metric, us);
}

/* Of all. */

static void (*const elsewhere[METRIC_COUNT])(struct scrape *scrape, const struct metric *metric) = {
    [METRIC_DECISIONS] = put_decisions,
    [METRIC_LIMIT_REFUSALS] = put_limit_refusals,
    [METRIC_NEAR_LIMIT] = put_near_limit,
    [METRIC_DEGRADED] = put_degraded,
    [METRIC_CANDIDATES] = put_candidates,
    [METRIC_STORE] = put_store,
    [METRIC_STORE_WORKERS] = put_store_workers,
    [METRIC_STORE_INFLIGHT] = put_store_inflight,
    [METRIC_REDIS_ERRORS] = put_redis_errors,
    [METRIC_MEMORY_ENTRIES] = put_memory_entries,
    [METRIC_MEMORY_ENTRIES_MAX] = put_memory_entries_max,
    [METRIC_MEMORY_BYTES] = put_memory_bytes,
    [METRIC_MEMORY_EVICTIONS] = put_memory_evictions,
    [METRIC_RULES] = put_rules,
    [METRIC_RULES_LOADED] = put_rules_loaded,
    [METRIC_RELOADS] = put_reloads,
    [METRIC_RELOAD_SUCCESSFUL] = put_reload_successful,
    [METRIC_CONNECTIONS] = put_connections,
    [METRIC_CONNECTIONS_MAX] = put_connections_max,
    [METRIC_BUILD] = put_build,
    [METRIC_PROCESS_CPU] = put_process_time,
    [METRIC_PROCESS_START] = put_process_time,
    [METRIC_PROCESS_OPEN_FDS] = put_process,
    [METRIC_PROCESS_MAX_FDS] = put_process,
    [METRIC_PROCESS_RESIDENT] = put_process,
    [METRIC_PROCESS_VIRTUAL] = put_process,
};

static void
put_histogram(struct scrape *scrape, const struct metric *metric)
{
    uint64_t buckets[HISTOGRAM_BUCKETS];

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        buckets[i] = metrics_sum(scrape->metrics,
                                 metric->offset + offsetof(struct histogram, buckets) + i * sizeof(counter));
    exposition_histogram(&scrape->to, metric, buckets,
                         metrics_sum(scrape->metrics, metric->offset + offsetof(struct histogram, sum_us)));
}

static void
put_counters(struct scrape *scrape, const struct metric *metric)
{
    if (metric->values == NULL)
        exposition_count(&scrape->to, metric, NULL, metrics_sum(scrape->metrics, metric->offset));
    for (unsigned i = 0; i < metric->value_count; i++)
        exposition_count(&scrape->to, metric, &metric->values[i],
                         metrics_sum(scrape->metrics, metric->offset + i * sizeof(counter)));
}

static void
put_metric(struct scrape *scrape, enum metric_id id)
{
    const struct metric *metric = &metrics_table[id];
    bool is_of_redis = id >= METRIC_REDIS_COMMANDS && id <= METRIC_DENIAL_CACHE;

    if (is_of_redis && !scrape->metrics->uses_redis)
        return;
    exposition_family(&scrape->to, metric);
    if (elsewhere[id] != NULL)
        elsewhere[id](scrape, metric);
    else if (metric->type == METRIC_HISTOGRAM)
        put_histogram(scrape, metric);
    else
        put_counters(scrape, metric);
}

static void
put_metrics(FILE *out, const struct endpoint_request *request, enum exposition_format format)
{
    const struct endpoint_context *context = request->context;
    struct scrape scrape = {.to = {.out = out, .format = format},
                            .metrics = context->metrics,
                            .policy = request->policy,
                            .context = context,
                            .memory = memory_store_counts(context->limiter->local),
                            .reloads = reload_counts(context->reload),
                            .process = process_usage()};

    for (enum metric_id id = 0; id < METRIC_COUNT; id++)
        put_metric(&scrape, id);
    exposition_end(&scrape.to);
}

static struct response
answer(const struct endpoint_request *request, enum exposition_format format)
{
    struct response_body body;
    FILE *out = response_body_open(&body);
    struct response response;

    if (out != NULL)
        put_metrics(out, request, format);
    response = response_body_close(&body, 200, exposition_type(format), request->closing);
    response_header(&response, "Vary", "Accept");
    return response;
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    request->response = answer(request, exposition_accepted(&request->headers->accept));
    return ENDPOINT_ANSWERED;
}

/* Everyone may ask, and an answer about a thousand rules is long: so it is made once in a second, and those who
   read slowly hold one copy. */
static enum endpoint_status
start_public(struct endpoint_request *request)
{
    enum exposition_format format = exposition_accepted(&request->headers->accept);
    struct render_kept *kept = render_kept(request->context->renderer, 2 * format + request->closing);
    int64_t now_us = clock_mono_us();

    if (kept->response.response == NULL || now_us - kept->made_us >= US_PER_S) {
        response_free(&kept->response);
        kept->response = answer(request, format);
        kept->response.owned = false;
        kept->made_us = now_us;
    }
    request->response = kept->response;
    return ENDPOINT_ANSWERED;
}

const struct endpoint metrics_endpoint = {.start = start};
const struct endpoint metrics_public_endpoint = {.start = start_public};
