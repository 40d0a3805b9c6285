/*
 * health: GET /health and GET /ready. Each worker answers for the process, and without waiting for the store.
 */
#include "clock.h"
#include "endpoint.h"
#include "metrics.h"
#include "service_state.h"

#include <inttypes.h>
#include <stdio.h>

#define BODY_BYTES 512

static uint64_t
degraded(const struct metrics *metrics, enum failure_mode mode)
{
    return metrics_sum(metrics, offsetof(struct worker_counts, decisions.degraded) + mode * sizeof(counter));
}

/* The mistakes themselves are in the log: they quote the file. */
static void
put_rules(struct text *text, const struct generations *generations)
{
    unsigned mistakes = generations_mistakes(generations);

    text_put(text, ", \"rules\": {\"status\": \"%s\"", mistakes == 0 ? "current" : "stale");
    if (mistakes > 0)
        text_put(text, ", \"detail\": \"%u mistake%s, see the log; the previous rules stay in force\"",
                 mistakes, mistakes == 1 ? "" : "s");
    text_put(text, "}");
}

/* 200 while the process serves; with 503 a restart helps. */
static enum endpoint_status
start_health(struct endpoint_request *request)
{
    const struct metrics *metrics = request->context->metrics;
    enum store_state state = limiter_store_state(&request->context->service->counts);
    unsigned stuck = metrics_stuck(metrics, clock_mono_us());
    const char *status = stuck > 0 ? "stuck" : state == STORE_READY ? "ok" : "degraded";
    char buffer[BODY_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};

    text_put(&body, "{\"status\": \"%s\", \"store\": {\"kind\": \"%s\", \"state\": \"%s\"}", status,
             store_health(request->context->limiter->store).kind, store_state_name(state));
    if (stuck > 0)
        text_put(&body, ", \"workers\": {\"stuck\": %u}", stuck);
    text_put(
        &body, ", \"degraded\": {\"closed\": %" PRIu64 ", \"open\": %" PRIu64 ", \"local\": %" PRIu64 "}",
        degraded(metrics, FAILURE_CLOSED), degraded(metrics, FAILURE_OPEN), degraded(metrics, FAILURE_LOCAL));
    put_rules(&body, request->context->generations);
    text_put(&body, "}\n");
    request->response = response_new(stuck > 0 ? 503 : 200, &body, RESPONSE_JSON, request->closing);
    return ENDPOINT_ANSWERED;
}

/* NULL: there is none. */
static const char *
reason_not_ready(const struct endpoint_context *context, const struct policy *policy)
{
    const struct service_state *service = context->service;
    uint32_t closed = policy_closed_rules(policy);

    if (atomic_load_explicit(&service->draining, memory_order_relaxed))
        return "draining";
    if (metrics_stuck(context->metrics, clock_mono_us()) > 0)
        return "a worker is stuck"; /* its share of the connections waits */
    if (limiter_store_state(&service->counts) == STORE_READY || closed == 0)
        return NULL;
    if (!atomic_load_explicit(&service->counts.reached, memory_order_relaxed))
        return "the store has not been reached yet";
    return closed == policy->rule_count && policy->fallback != NULL ? "the store is away" : NULL;
}

/* The rules that are answered 503. */
static void
put_unavailable(FILE *out, const struct service_state *service, const struct policy *policy)
{
    const char *separator = "";
    bool away = limiter_store_state(&service->counts) != STORE_READY;

    fputs(", \"unavailable\": [", out);
    for (uint32_t i = 0; away && i < policy->rule_count; i++) {
        if (!rule_needs_store(&policy->rules[i]))
            continue;
        fprintf(out, "%s\"%s\"", separator, policy->rules[i].name);
        separator = ", ";
    }
    fputs("]}\n", out);
}

/*
 * Whether to send requests here:
 *
 *      draining                                              503
 *      a worker is stuck (metrics.h)                         503
 *      the store is there, for every worker                  200
 *      it is away, and every rule fails closed               503
 *      it is away, and was not reached since the start       503 if any rule fails closed: a start with a wrong REDIS_URL
 *      it is away                                            200: the other rules are still answered
 *
 * Redis is away for all nodes at once: if all of them went out of service, requests that can be answered
 * would not be. The body names the rules that are answered 503.
 */
static enum endpoint_status
start_ready(struct endpoint_request *request)
{
    const struct service_state *service = request->context->service;
    const char *reason = reason_not_ready(request->context, request->policy);
    struct response_body body;
    FILE *out = response_body_open(&body);

    if (out != NULL) {
        fprintf(out, "{\"ready\": %s, \"reason\": \"%s\"", reason ? "false" : "true", reason ? reason : "");
        put_unavailable(out, service, request->policy);
    }
    /* The service ends for all workers at once; this one may not have begun its drain. */
    if (atomic_load_explicit(&service->draining, memory_order_relaxed))
        request->closing = true;
    request->response = response_body_close(&body, reason ? 503 : 200, RESPONSE_JSON, request->closing);
    return ENDPOINT_ANSWERED;
}

const struct endpoint health_endpoint = {.start = start_health};
const struct endpoint ready_endpoint = {.start = start_ready};
