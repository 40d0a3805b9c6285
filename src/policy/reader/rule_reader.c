#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "rules_reader.h"
#include "siphash.h"
#include "unique.h"

#define HEADER_PREFIX "header:"
#define WRITTEN_KEYS  "match", "identify_by", "cost", "on_store_failure", "clients", "penalty"

const char *const rule_written_keys[RULE_WRITTEN_KEYS] = {WRITTEN_KEYS};
static const char *const rule_keys[] = {WRITTEN_KEYS, "shadow", "candidate", LIMITS_KEYS};
static const char *const candidate_keys[] = {LIMITS_KEYS};

static void
read_on_store_failure(const struct place *object, struct rule *rule)
{
    const struct place at = place_key(object, "on_store_failure");
    int mode = cJSON_IsString(at.value) ? failure_mode_by_name(at.value->valuestring) : -1;

    rule->on_store_failure = mode < 0 ? object->reader->defaults->failure_mode : (enum failure_mode)mode;
    if (at.value != NULL && mode < 0)
        diagnostic_add_word(&at, failure_mode_words, FAILURE_MODE_COUNT);
}

static void
read_shadow(const struct place *object, struct rule *rule)
{
    const struct place at = place_key(object, "shadow");

    if (at.value != NULL && !cJSON_IsBool(at.value))
        diagnostic_add_value(&at, "must be true or false");
    rule->shadow = cJSON_IsTrue(at.value);
}

static void
read_candidate(const struct place *object, struct rule *rule, bool has_limits)
{
    const struct place at = place_key(object, "candidate");

    if (at.value == NULL)
        return;
    if (!cJSON_IsObject(at.value) || at.value->child == NULL) {
        diagnostic_add_value(&at, "must be an object with limits, such as {\"limit\": 50}");
        return;
    }
    diagnostic_check_keys(&at, candidate_keys, COUNT_OF(candidate_keys));
    if (!has_limits)
        return;
    limits_read(&at, &rule->limits, &rule->candidate);
    rule->candidate.id = unique_id();
    snprintf(rule->candidate_name, sizeof(rule->candidate_name), "%s" CANDIDATE_SUFFIX, rule->name);
}

/* Not against forgery: the author of the rules may change them anyway. Without memory for it, no two are alike. */
static uint64_t
digest_of(const cJSON *item)
{
    char *text = item != NULL ? cJSON_PrintUnformatted(item) : NULL;
    uint64_t digest = item == NULL ? 0 : unique_id();

    if (text != NULL)
        digest = siphash128((struct siphash_key){0}, text, strlen(text)).low | 1;
    cJSON_free(text);
    return digest;
}

static void
note_written(const struct place *object, struct rule *rule)
{
    for (size_t i = 0; i < RULE_WRITTEN_KEYS; i++) {
        rule->written[i] = digest_of(place_key(object, rule_written_keys[i]).value);
        if (strcmp(rule_written_keys[i], "clients") == 0)
            rule->written[i] ^= rule->clients_version;
    }
}

/* After the limits. */
static void
warn_costly(const struct place *cost, const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->limits.count; i++) {
        if (rule->limits.limits[i].limit >= rule->cost)
            continue;
        diagnostic_warn(
            cost, "more than the limit of %" PRId64 ": requests that do not say another cost are refused",
            rule->limits.limits[i].limit);
        return;
    }
}

static void
read_cost(const struct place *object, struct rule *rule)
{
    const struct place at = place_key(object, "cost");
    const char *text = cJSON_IsString(at.value) ? at.value->valuestring : "";

    rule->cost = 1;
    rule->cost_header = NO_HEADER;
    if (at.value == NULL)
        return;
    if (strncmp(text, HEADER_PREFIX, strlen(HEADER_PREFIX)) == 0)
        header_read(&at, text + strlen(HEADER_PREFIX), &rule->cost_header);
    else if (!is_whole_number(at.value, NUMBER_EXACT_MAX, &rule->cost))
        diagnostic_add_value(&at, "must be a whole number from 1 to %lld, or \"header:NAME\"",
                             (long long)NUMBER_EXACT_MAX);
    else
        warn_costly(&at, rule);
}

void
rule_read(const struct place *object, struct rule *rule)
{
    size_t before;
    bool has_limits;

    if (!cJSON_IsObject(object->value)) {
        diagnostic_add_value(object, "must be an object, such as {\"capacity\": 20, \"refill_rate\": 5}");
        return;
    }
    diagnostic_check_keys(object, rule_keys, COUNT_OF(rule_keys));
    match_read(object, rule);
    identify_by_read(object, rule);
    before = object->reader->report->count;
    limits_read(object, NULL, &rule->limits);
    has_limits = object->reader->report->count == before;
    clients_read(object, rule, has_limits);
    read_candidate(object, rule, has_limits);
    penalty_read(object, rule);
    read_cost(object, rule);
    read_on_store_failure(object, rule);
    read_shadow(object, rule);
    note_written(object, rule);
}
