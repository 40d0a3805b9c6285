#include "decision_json.h"

#include <inttypes.h>

#include "number.h"

static void
put_retry_after(struct text *text, const struct decision *decision)
{
    if (decision->retry_after_us == RETRY_NEVER)
        text_put(text, "\"retry_after_ms\": null, ");
    else
        text_put(text, "\"retry_after_ms\": %" PRId64 ", ", us_to_ms_up(decision->retry_after_us));
}

static void
put_numbers(struct text *text, const struct decision *decision)
{
    text_put(text, "\"limit\": %" PRId64 ", \"remaining\": %" PRId64 ", ", decision->limit,
             decision->remaining);
    put_retry_after(text, decision);
    text_put(text, "\"reset_after_ms\": %" PRId64, us_to_ms_up(decision->reset_after_us));
}

static void
put_limits(struct text *text, const struct limiter_take *take)
{
    text_put(text, ", \"limits\": [");
    for (uint32_t i = 0; i < take->limits->count; i++) {
        const struct decision *decision = &take->request.decisions[i];
        text_put(text, "%s{\"allowed\": %s, ", i > 0 ? ", " : "", decision->allowed ? "true" : "false");
        put_numbers(text, decision);
        text_put(text, "}");
    }
    text_put(text, "]");
}

/* Only the limit itself, if there is one: the store was away, or was not asked. */
static void
put_no_numbers(struct text *text, const struct limiter_take *take)
{
    if (take->limits != NULL)
        text_put(text, "\"limit\": %" PRId64, take->limits->limits[take->tightest].limit);
    else
        text_put(text, "\"limit\": null");
    text_put(text, ", \"remaining\": null, \"retry_after_ms\": %s, \"reset_after_ms\": null",
             take->verdict == VERDICT_BLOCKED ? "null" : "0");
    if (take->verdict == VERDICT_BLOCKED)
        text_put(text, ", \"blocked\": true");
    else if (take->rule != NULL && take->limits == NULL && take->withheld == VERDICT_ALLOWED)
        text_put(text, ", \"unlimited\": true");
}

unsigned
decision_json_status(const struct limiter_take *take)
{
    static const unsigned statuses[] = {[VERDICT_ALLOWED] = 200,
                                        [VERDICT_REFUSED] = 429,
                                        [VERDICT_BLOCKED] = 403,
                                        [VERDICT_UNAVAILABLE] = 503};

    return statuses[take->verdict];
}

void
decision_json_put_rule(struct text *text, const struct rule *rule)
{
    if (rule != NULL)
        text_put(text, "\"%s\"", rule->name);
    else
        text_put(text, "null");
}

void
decision_json_put(struct text *text, const struct limiter_take *take)
{
    text_put(text, "\"allowed\": %s, \"rule\": ", take->verdict == VERDICT_ALLOWED ? "true" : "false");
    decision_json_put_rule(text, take->rule);
    text_put(text, ", ");
    if (take->decided)
        put_numbers(text, &take->request.decisions[take->tightest]);
    else
        put_no_numbers(text, take);
    if (take->decided && take->request.penalty_us > 0)
        text_put(text, ", \"penalty_ms\": %" PRId64, us_to_ms_up(take->request.penalty_us));
    if (take->degraded)
        text_put(text, ", \"degraded\": \"%s\"", failure_mode_name(take->rule->on_store_failure));
    if (take->withheld != VERDICT_ALLOWED)
        text_put(text, ", \"shadow\": \"%s\"", verdict_name(take->withheld));
    if (take->decided && take->limits->count > 1)
        put_limits(text, take);
}
