/*
 * rules_reader: the files that turn a cJSON tree into a policy, each calling the next.
 *
 *     policy_reader.c       the file: bytes, JSON, the list of rules, rules that hide others
 *     rule_reader.c         one rule: cost, candidate, on_store_failure, shadow
 *     match_reader.c        its match
 *     identifier_reader.c   its identify_by
 *     limit_reader.c        its limits, or a client's; one limit: algorithm, capacity, refill_rate, limit, window
 *     clients_reader.c      its clients that differ: which list, and what the list means under the rule
 *     list_reader.c         one list of clients, in the rule; list_file.c: in a file
 *     penalty_reader.c      its penalty: after, within, for, growth, up_to
 *     value_reader.c        numbers and durations
 *
 * A reader does not stop at an error: it reports it (diagnostic.h), leaves a safe value and goes on. Its result is
 * valid only if nothing was added to the report.
 */
#ifndef RULES_READER_H
#define RULES_READER_H

#include <stdbool.h>

#include "count_of.h"
#include "diagnostic.h"
#include "policy.h"

/* The rule for requests that no other rule matches. */
#define DEFAULT_RULE "default"

struct rules_reader {
    const char
        *file;   /* as the report names it, with the values in it; NULL: a request, which is not quoted */
    size_t line; /* with a line of a file of clients; 0: none */
    const char *rule; /* and a rule to which alone the line applies; NULL: none */
    const struct policy_defaults *defaults;
    struct report *report;
    struct file_set *files; /* what was read beside the rules file; NULL: not noted */
    struct policy *policy;  /* being filled */
};

/* `rule` is zeroed. Here and below `object` is the rule's. */
void rule_read(const struct place *object, struct rule *rule);

/* The rule's `match`, if it has one. */
void match_read(const struct place *object, struct rule *rule);

/* The rule's `identify_by`, ["ip"] where it has none. */
void identify_by_read(const struct place *object, struct rule *rule);

/* The index of a header in the policy, which it is added to. False: `name` names no header, or there are too
   many; that has been reported. */
bool header_read(const struct place *place, const char *name, uint32_t *index);

/* The limits of an object: its own one, or those of its `limits`. `base` NULL: of a rule. Else of a client that differs
   under the rule with those limits: what the client's own one leaves out is as in the rule's only one. */
void limits_read(const struct place *object, const struct limit_set *base, struct limit_set *limits);

/* The clients of the rule that differ, after the rest of it. Without `has_limits`, its limits have mistakes. */
void clients_read(const struct place *object, struct rule *rule, bool has_limits);

/* The rule's `penalty`, if it has one; after identify_by_read. */
void penalty_read(const struct place *object, struct rule *rule);

/* The value of a key of the object; where there is none, or it is not valid, `*out` stays as it is. */
void count_read(const struct place *object, const char *key, int64_t max, int64_t *out);
void duration_read(const struct place *object, const char *key, int64_t *out_us);

/* Whether the item is a whole number from 1 to `max`. */
bool is_whole_number(const cJSON *item, int64_t max, int64_t *out);

/* NULL with a line in the report, or to be freed with cJSON_Delete. */
cJSON *rules_json_parse(const struct rules_reader *reader, const char *text, size_t bytes, size_t values_max);

/* The keys of a limit, and of an object with limits. */
#define LIMIT_KEYS  "algorithm", "capacity", "refill_rate", "limit", "window"
#define LIMITS_KEYS "limits", LIMIT_KEYS

#endif
