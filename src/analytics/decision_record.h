/*
 * decision_record: what a rule decided about one request, for what observes them: the sketch of top clients
 * and the log of refusals.
 */
#ifndef DECISION_RECORD_H
#define DECISION_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "field.h"
#include "limit.h"
#include "rule_name.h"
#include "traceparent.h"

enum decision_result {
    RESULT_ALLOWED,
    RESULT_REFUSED, /* by a limit */
    RESULT_PENALISED,
    RESULT_BLOCKED,
    RESULT_UNAVAILABLE, /* the store is away, and the rule fails closed */
};

struct decision_record {
    enum decision_result result; /* of a shadow rule: what the rule would decide */
    bool shadow;                 /* the rule is one: the request passed */
    bool degraded;               /* a failure mode decided */
    int64_t cost;                /* at least 1 */
    int64_t at_us;               /* Unix time at which the record was read; set by the reader */

    /* Of the limit in the headers. All 0 where no limit decided; the last two 0 also where a failure mode
       did. */
    enum algorithm algorithm;
    int64_t limit, window_us;
    int64_t remaining, retry_after_us;

    /* Zero-terminated. */
    struct field rule;     /* at most RULE_NAME_BYTES */
    struct field client;   /* as keys have it (client.h): printable, at most CLIENT_BYTES */
    struct field trace_id; /* of the request's traceparent; "": none */
};

#endif
