#include <stdint.h>
#include <string.h>

#include "diagnostic.h"
#include "policy_words.h"
#include "rules_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const rule_keys[] = {"match", "identify_by", "on_store_failure", "clients", LIMITS_KEYS};

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

void
rule_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
          struct rule *rule)
{
    size_t before;

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
    clients_read(reader, place, object, rule, reader->report->count == before);
    read_on_store_failure(reader, place, object, rule);
}
