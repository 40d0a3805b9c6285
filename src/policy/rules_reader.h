/*
 * rules_reader: the files that turn a cJSON tree into a policy, each calling the next.
 *
 *     policy_reader.c       the file: bytes, JSON, the list of rules, rules that hide others
 *     rule_reader.c         one rule: match, on_store_failure, its limits
 *     identifier_reader.c   its identify_by
 *     limit_reader.c        one limit: algorithm, capacity, refill_rate, limit, window
 *
 * A reader does not stop at an error: it reports it (diagnostic.h), leaves a safe value and goes on. Its result is
 * valid only if nothing was added to the report.
 */
#ifndef RULES_READER_H
#define RULES_READER_H

#include <cjson/cJSON.h>

#include "policy.h"

struct place;

/* The rule for requests that no other rule matches. */
#define DEFAULT_RULE "default"

struct rules_reader {
    const char *file; /* as the report names it */
    const struct policy_defaults *defaults;
    struct report *report;
    struct policy *policy; /* being filled */
};

/* `rule` is zeroed. */
void rule_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
               struct rule *rule);

/* The rule's `identify_by`, ["ip"] where it has none. */
void identify_by_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
                      struct rule *rule);

/* The index of a header in the policy, which it is added to. False: `name` names no header, or there are too many; that
   has been reported, with `shown` as the value. */
bool header_read(const struct rules_reader *reader, const struct place *place, const cJSON *shown,
                 const char *name, uint32_t *index);

/* `object` is the rule itself if its limit is inline: only the keys of a limit are read. */
void limit_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
                struct limit *limit);

/* The keys of a limit, in a rule or in an object of its `limits`. */
#define LIMIT_KEYS "algorithm", "capacity", "refill_rate", "limit", "window"

#endif
