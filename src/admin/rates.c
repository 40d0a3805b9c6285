/*
 * rates: GET /v1/rates: what each rule does a second, over the last ten seconds.
 */
#include "clock.h"
#include "endpoint.h"
#include "history.h"
#include "json_number.h"
#include "observed.h"

static void
put_rule(FILE *out, const struct history_rule *rule, int64_t over_us)
{
    static const struct {
        const char *name;
        enum history_count count;
    } shown[] = {
        {"allowed", HISTORY_ALLOWED},
        {"refused", HISTORY_REFUSED},
        {"near_limit", HISTORY_NEAR_LIMIT},
        {"shadow_refused", HISTORY_SHADOW_REFUSED},
        {"candidate_refused", HISTORY_CANDIDATE_REFUSED},
        {"degraded", HISTORY_DEGRADED},
    };

    fprintf(out, "{\"rule\": \"%s\"", rule->name);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        fprintf(out, ", \"%s\": ", shown[i].name);
        json_rate_put(out, rule->counts[shown[i].count], over_us);
    }
    fputc('}', out);
}

static void
put_rates(FILE *out, const struct endpoint_request *request)
{
    const struct history *history = request->context->observed->history;
    struct history_sum sum;
    struct history_rule rule;

    history_recent(history, &sum);
    fputs("{\"at\": ", out);
    json_seconds_put(out, clock_wall_us() - (clock_mono_us() - history_sampled_us(history)));
    fputs(", \"over_s\": ", out);
    json_seconds_put(out, sum.over_us);
    fputs(", \"rules\": [", out);
    for (uint32_t i = 0; history_recent_of(history, i, &rule); i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        put_rule(out, &rule, sum.over_us);
    }
    fputs("\n]}\n", out);
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct response_body body;
    FILE *out = response_body_open(&body);

    if (out != NULL)
        put_rates(out, request);
    request->response = response_body_close(&body, 200, RESPONSE_JSON, request->closing);
    return ENDPOINT_ANSWERED;
}

const struct endpoint rates_endpoint = {.start = start};
