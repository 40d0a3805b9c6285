#include <inttypes.h>
#include <string.h>

#include "diagnostic.h"
#include "number.h"
#include "policy_words.h"
#include "rules_reader.h"
#include "siphash.h"
#include "unique.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define HEADER_PREFIX "header:"

static const char *const rule_keys[] = {"match",   "identify_by", "cost",      "on_store_failure", "clients",
                                        "penalty", "shadow",      "candidate", LIMITS_KEYS};
static const char *const compiled_keys[] = {"shadow", "candidate", LIMITS_KEYS};
_Static_assert(COUNT(rule_keys) <= RULE_KEYS_MAX, "a rule has a digest of each key");

static void
read_on_store_failure(const struct rules_reader *reader, const struct place *place, const cJSON *object,
                      struct rule *rule)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "on_store_failure");
    struct place at = place_key(place, "on_store_failure");
    int mode;

    rule->on_store_failure = reader->defaults->failure_mode;
    if (item == NULL)
        return;
    mode = cJSON_IsString(item) ? failure_mode_by_name(item->valuestring) : -1;
    if (mode < 0)
        diagnostic_add_word(reader, &at, item, failure_mode_words, FAILURE_MODE_COUNT);
    else
        rule->on_store_failure = (enum failure_mode)mode;
}

static void
read_shadow(const struct rules_reader *reader, const struct place *place, const cJSON *object,
            struct rule *rule)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "shadow");
    struct place at = place_key(place, "shadow");

    if (item != NULL && !cJSON_IsBool(item))
        diagnostic_add(reader, &at, item, "must be true or false");
    rule->shadow = cJSON_IsTrue(item);
}

const char *
rule_key_name(size_t number)
{
    return number < COUNT(rule_keys) ? rule_keys[number] : NULL;
}

bool
rule_key_is_compiled(size_t number)
{
    const char *name = rule_key_name(number);

    for (size_t i = 0; i < COUNT(compiled_keys) && name != NULL; i++)
        if (strcmp(name, compiled_keys[i]) == 0)
            return true;
    return false;
}

/* Not against forgery: whoever writes the rules may change them anyway. Where there is no memory for it, no two are alike. */
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
note_written(const cJSON *object, struct rule *rule)
{
    for (size_t i = 0; i < COUNT(rule_keys); i++) {
        rule->written[i] = digest_of(cJSON_GetObjectItemCaseSensitive(object, rule_keys[i]));
        if (strcmp(rule_keys[i], "clients") == 0)
            rule->written[i] ^= rule->clients_version;
    }
}

/* After the limits. */
static void
warn_costly(const struct rules_reader *reader, const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->limits.count; i++) {
        if (rule->limits.limits[i].limit >= rule->cost)
            continue;
        report_warn(reader->report,
                    "%s: $.%s.cost: more than the limit of %" PRId64
                    ": requests that do not say another cost are refused",
                    reader->file, rule->name, rule->limits.limits[i].limit);
        return;
    }
}

static void
read_cost(const struct rules_reader *reader, const struct place *place, const cJSON *object,
          struct rule *rule)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "cost");
    struct place at = place_key(place, "cost");

    rule->cost = 1;
    rule->cost_header = NO_HEADER;
    if (item == NULL)
        return;
    if (cJSON_IsString(item) && strncmp(item->valuestring, HEADER_PREFIX, strlen(HEADER_PREFIX)) == 0)
        header_read(reader, &at, item, item->valuestring + strlen(HEADER_PREFIX), &rule->cost_header);
    else if (!is_whole_number(item, NUMBER_EXACT_MAX, &rule->cost))
        diagnostic_add(reader, &at, item, "must be a whole number from 1 to %lld, or \"header:NAME\"",
                       (long long)NUMBER_EXACT_MAX);
    else
        warn_costly(reader, rule);
}

void
rule_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
          struct rule *rule)
{
    size_t before;
    bool has_limits;

    if (!cJSON_IsObject(object)) {
        diagnostic_add(reader, place, object,
                       "must be an object, such as {\"capacity\": 20, \"refill_rate\": 5}");
        return;
    }
    diagnostic_add_keys(reader, place, object, rule_keys, COUNT(rule_keys));
    match_read(reader, place, object, rule);
    identify_by_read(reader, place, object, rule);
    before = reader->report->count;
    limits_read(reader, place, object, NULL, &rule->limits);
    has_limits = reader->report->count == before;
    clients_read(reader, place, object, rule, has_limits);
    candidate_read(reader, place, object, rule, has_limits);
    penalty_read(reader, place, object, rule);
    read_cost(reader, place, object, rule);
    read_on_store_failure(reader, place, object, rule);
    read_shadow(reader, place, object, rule);
    note_written(object, rule);
}
