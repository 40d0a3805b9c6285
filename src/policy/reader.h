/*
 * reader: the three files that turn a cJSON tree into a policy, each with what it calls below it.
 *
 *     policy_reader.c   the file: bytes, JSON, the list of rules, rules that hide others
 *     rule_reader.c     one rule: match, identify_by, on_store_failure, its limits
 *     limit_reader.c    one limit: algorithm, capacity, refill_rate, limit, window
 *
 * A reader never stops at a mistake: it reports it (mistake.h), leaves a value that is safe to go on with,
 * and goes on. What it made counts only if the report is as long at the end as it was at the beginning.
 */
#ifndef READER_H
#define READER_H

#include <cjson/cJSON.h>

#include "policy.h"

struct place;

/* The rule for what no other rule matches. */
#define DEFAULT_RULE "default"

struct reader {
    const char *file; /* as the report names it */
    const struct policy_defaults *defaults;
    struct report *report;
    struct policy *policy; /* being filled */
};

/* `rule` is zeroed. */
void rule_read(const struct reader *reader, const struct place *place, const cJSON *object,
               struct rule *rule);

/* `object` is the rule itself where its limit stands inline: only the keys of a limit are looked at. */
void limit_read(const struct reader *reader, const struct place *place, const cJSON *object,
                struct limit *limit);

/* The keys of a limit, as they may stand in a rule or in an object of its `limits`. */
#define READER_LIMIT_KEYS "algorithm", "capacity", "refill_rate", "limit", "window"

#endif
