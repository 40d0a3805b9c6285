/* The candidate of a rule: a limit, or `limits`, that are tried beside the live ones. */
#include <stdio.h>

#include "diagnostic.h"
#include "rules_reader.h"
#include "unique.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const candidate_keys[] = {LIMITS_KEYS};

void
candidate_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
               struct rule *rule, bool has_limits)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "candidate");
    struct place at = place_key(place, "candidate");

    if (item == NULL)
        return;
    if (!cJSON_IsObject(item) || item->child == NULL) {
        diagnostic_add(reader, &at, item, "must be an object with limits, such as {\"limit\": 50}");
        return;
    }
    diagnostic_add_keys(reader, &at, item, candidate_keys, COUNT(candidate_keys));
    if (!has_limits)
        return;
    limits_read(reader, &at, item, &rule->limits, &rule->candidate);
    rule->candidate.id = unique_id();
    snprintf(rule->candidate_name, sizeof(rule->candidate_name), "%s" CANDIDATE_SUFFIX, rule->name);
}
