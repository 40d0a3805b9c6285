/*
 * decision_json: a decision as JSON.
 *
 *     "allowed": true, "rule": "api-resource", "limit": 100, "remaining": 99, "retry_after_ms": 0,
 *     "reset_after_ms": 60000
 *
 * The numbers are those of the tightest limit; where the rule has several, `limits` has all of them in the
 * rule's order. A penalised client has `penalty_ms`, the rest of its penalty. A number is null where it is unknown (a
 * failure mode decided), retry_after_ms also where waiting will not help; rule and limit are null where no rule matches.
 * What a shadow rule withheld is in `shadow`: "refused", "blocked" or "unavailable".
 * A client that no limit decides under the rule has `"unlimited": true` or `"blocked": true` at the end, and no numbers.
 */
#ifndef DECISION_JSON_H
#define DECISION_JSON_H

#include "limiter.h"
#include "text.h"

/* The most that decision_json_put writes. */
#define DECISION_JSON_BYTES(limit_count) (512 + 192 * (size_t)(limit_count))

/* 200, 403 or 429: the status of such a decision. */
unsigned decision_json_status(const struct limiter_take *take);

/* The fields, without the braces around them. The verdict is not VERDICT_UNAVAILABLE. */
void decision_json_put(struct text *text, const struct limiter_take *take);

/* The value of the field "rule": a string, or null for NULL. */
void decision_json_put_rule(struct text *text, const struct rule *rule);

#endif
