#include "scrape.h"

#include "count_of.h"
#include "decision_stream.h"
#include "memory_store.h"
#include "metrics.h"
#include "process_usage.h"
#include "redis_error.h"
#include "rule_counts.h"
#include "service_state.h"
#include "top_clients.h"

/* Rules whose counts one step writes, in some 50 us. */
#define RULES_A_STEP 16

/* Metrics of each rule. */

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
put_decisions(struct scrape *scrape, const struct metric *metric, const struct rule *rule,
              const uint64_t sums[RULE_COUNTS])
{
    for (enum rule_count count = 0; count < RULE_COUNTS; count++)
        if (is_result(count) && (is_result_of(rule, count) || sums[count] > 0))
            exposition_count(&scrape->to, metric, (const char *[]){rule->name, rule_count_name(count)},
                             sums[count]);
}

/* A limit's index is what it is named by in RateLimit-Policy, too. Those of clients that differ are `own`: there
   may be many. */
static void
put_limit_refusals(struct scrape *scrape, const struct metric *metric, const struct rule *rule,
                   const uint64_t sums[RULE_COUNTS])
{
    static const char *const limits[LIMIT_SET_MAX + 1] = {"0", "1", "2", "3", "4", "5", "6", "7", "own"};

    for (uint32_t limit = 0; limit <= LIMIT_SET_MAX; limit++)
        if (limit < rule->limits.count || sums[COUNT_BY_LIMIT + limit] > 0)
            exposition_count(&scrape->to, metric, (const char *[]){rule->name, limits[limit]},
                             sums[COUNT_BY_LIMIT + limit]);
}

static void
put_near_limit(struct scrape *scrape, const struct metric *metric, const struct rule *rule,
               const uint64_t sums[RULE_COUNTS])
{
    exposition_count(&scrape->to, metric, (const char *[]){rule->name}, sums[COUNT_NEAR_LIMIT]);
}

static void
put_degraded(struct scrape *scrape, const struct metric *metric, const struct rule *rule,
             const uint64_t sums[RULE_COUNTS])
{
    for (enum failure_mode mode = 0; mode <= FAILURE_LOCAL; mode++)
        exposition_count(&scrape->to, metric, (const char *[]){rule->name, failure_mode_name(mode)},
                         sums[COUNT_DEGRADED + mode]);
}

static void
put_candidates(struct scrape *scrape, const struct metric *metric, const struct rule *rule,
               const uint64_t sums[RULE_COUNTS])
{
    static const char *const results[] = {"allowed", "refused", "missed"};

    for (unsigned i = 0; i < COUNT_OF(results) && rule_has_candidate(rule); i++)
        exposition_count(&scrape->to, metric, (const char *[]){rule->name, results[i]},
                         sums[COUNT_CANDIDATE_ALLOWED + i]);
}

static void (*const of_rules[METRIC_COUNT])(struct scrape *scrape, const struct metric *metric,
                                            const struct rule *rule, const uint64_t sums[RULE_COUNTS]) = {
    [METRIC_DECISIONS] = put_decisions,   [METRIC_LIMIT_REFUSALS] = put_limit_refusals,
    [METRIC_NEAR_LIMIT] = put_near_limit, [METRIC_DEGRADED] = put_degraded,
    [METRIC_CANDIDATES] = put_candidates,
};

/* True: of the last rule, too. */
static bool
put_of_rules(struct scrape *scrape, enum metric_id id)
{
    uint64_t sums[RULE_COUNTS];

    for (unsigned i = 0; i < RULES_A_STEP && scrape->next_rule < scrape->policy->rule_count; i++) {
        const struct rule *rule = &scrape->policy->rules[scrape->next_rule++];

        rule_counts_sum(rule->counts, sums);
        of_rules[id](scrape, &metrics_table[id], rule, sums);
    }
    return scrape->next_rule == scrape->policy->rule_count;
}

/* Metrics with labels of their own. */

static void
put_reloads(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, (const char *[]){"done"}, scrape->reloads.done);
    exposition_count(&scrape->to, metric, (const char *[]){"refused"}, scrape->reloads.refused);
}

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
put_build(struct scrape *scrape, const struct metric *metric)
{
    exposition_count(&scrape->to, metric, (const char *[]){RATELIMITD_VERSION}, 1);
}

static void (*const elsewhere[METRIC_COUNT])(struct scrape *scrape, const struct metric *metric) = {
    [METRIC_STORE] = put_store,
    [METRIC_STORE_WORKERS] = put_store_workers,
    [METRIC_REDIS_ERRORS] = put_redis_errors,
    [METRIC_RELOADS] = put_reloads,
    [METRIC_BUILD] = put_build,
};

/* Metrics that are one number. */

/* Below 0: not known, as the kernel does not tell. */
static void
read_numbers(struct scrape *scrape)
{
    const struct endpoint_context *context = scrape->context;
    const struct memory_store_counts memory = memory_store_counts(context->limiter->local);
    const struct process_usage process = process_usage();
    const struct decision_stream_counts observed = decision_stream_counts(scrape->metrics->stream);
    const struct {
        enum metric_id id;
        int64_t value;
    } numbers[] = {
        {METRIC_STORE_INFLIGHT,
         (int64_t)metrics_open(scrape->metrics, offsetof(struct worker_counts, decisions.waited),
                               offsetof(struct worker_counts, decisions.resumed))},
        {METRIC_MEMORY_ENTRIES, (int64_t)memory.entries},
        {METRIC_MEMORY_ENTRIES_MAX, (int64_t)scrape->metrics->memory_entries_max},
        {METRIC_MEMORY_BYTES, (int64_t)memory.bytes},
        {METRIC_MEMORY_EVICTIONS, (int64_t)memory.evicted},
        {METRIC_OBSERVED, (int64_t)observed.seen},
        {METRIC_OBSERVED_DROPPED, (int64_t)observed.dropped},
        {METRIC_ANALYTICS_BYTES, (int64_t)top_clients_bytes(scrape->metrics->top_clients)},
        {METRIC_RULES, scrape->policy->rule_count},
        {METRIC_RULES_LOADED, scrape->reloads.loaded_us},
        {METRIC_RELOAD_SUCCESSFUL, generations_mistakes(context->generations) == 0},
        {METRIC_CONNECTIONS,
         (int64_t)metrics_open(scrape->metrics, offsetof(struct worker_counts, http.connections_accepted),
                               offsetof(struct worker_counts, http.connections_closed))},
        {METRIC_CONNECTIONS_MAX, (int64_t)scrape->metrics->connections_max},
        {METRIC_PROCESS_CPU, process.cpu_us},
        {METRIC_PROCESS_START, process.start_us},
        {METRIC_PROCESS_OPEN_FDS, process.open_fds},
        {METRIC_PROCESS_MAX_FDS, process.max_fds},
        {METRIC_PROCESS_RESIDENT, process.resident_bytes},
        {METRIC_PROCESS_VIRTUAL, process.virtual_bytes},
    };

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        scrape->numbers[numbers[i].id] = numbers[i].value;
}

static void
put_number(struct scrape *scrape, enum metric_id id)
{
    int64_t number = scrape->numbers[id];
    bool is_time = id == METRIC_RULES_LOADED || id == METRIC_PROCESS_CPU || id == METRIC_PROCESS_START;

    if (number >= 0 && is_time)
        exposition_time(&scrape->to, &metrics_table[id], number);
    else if (number >= 0)
        exposition_count(&scrape->to, &metrics_table[id], NULL, (uint64_t)number);
}

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

/* Not of what the settings have switched off. */
static bool
is_shown(const struct metrics *metrics, enum metric_id id)
{
    if (id >= METRIC_REDIS_COMMANDS && id <= METRIC_DENIAL_CACHE)
        return metrics->uses_redis;
    if (id == METRIC_OBSERVED || id == METRIC_OBSERVED_DROPPED)
        return metrics->stream != NULL;
    return id != METRIC_ANALYTICS_BYTES || metrics->top_clients != NULL;
}

/* One that is not of rules. */
static void
put_metric(struct scrape *scrape, enum metric_id id)
{
    const struct metric *metric = &metrics_table[id];

    if (elsewhere[id] != NULL)
        elsewhere[id](scrape, metric);
    else if (metric->offset == METRIC_ELSEWHERE)
        put_number(scrape, id);
    else if (metric->type == METRIC_HISTOGRAM)
        put_histogram(scrape, metric);
    else
        put_counters(scrape, metric);
}

struct scrape
scrape_of(const struct endpoint_request *request, enum exposition_format format, FILE *out)
{
    struct scrape scrape = {.to = {.out = out, .format = format},
                            .metrics = request->context->metrics,
                            .policy = request->policy,
                            .context = request->context,
                            .reloads = reload_counts(request->context->reload)};

    read_numbers(&scrape);
    return scrape;
}

bool
scrape_step(struct scrape *scrape)
{
    enum metric_id id = scrape->next;

    if (id == METRIC_COUNT) {
        exposition_end(&scrape->to);
        return false;
    }
    if (is_shown(scrape->metrics, id)) {
        if (scrape->next_rule == 0)
            exposition_family(&scrape->to, &metrics_table[id]);
        if (of_rules[id] == NULL)
            put_metric(scrape, id);
        else if (!put_of_rules(scrape, id))
            return true;
    }
    scrape->next++;
    scrape->next_rule = 0;
    return true;
}
