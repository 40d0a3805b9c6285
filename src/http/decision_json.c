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
    for (uint32_t i = 0; i < take->rule->limit_count; i++) {
        const struct decision *decision = &take->request.decisions[i];
        text_put(text, "%s{\"allowed\": %s, ", i > 0 ? ", " : "", decision->allowed ? "true" : "false");
        put_numbers(text, decision);
        text_put(text, "}");
    }
    text_put(text, "]");
}

void
decision_json_put(struct text *text, const struct limiter_take *take)
{
    text_put(text, "\"allowed\": %s, \"rule\": \"%s\", ", take->verdict == VERDICT_ALLOWED ? "true" : "false",
             take->rule->name);
    if (take->decided)
        put_numbers(text, &take->request.decisions[take->tightest]);
    else
        text_put(text,
                 "\"limit\": %" PRId64
                 ", \"remaining\": null, \"retry_after_ms\": 0, \"reset_after_ms\": null",
                 take->rule->limits[take->tightest].limit);
    if (take->degraded)
        text_put(text, ", \"degraded\": \"%s\"", failure_mode_name(take->rule->on_store_failure));
    if (take->decided && take->rule->limit_count > 1)
        put_limits(text, take);
}
