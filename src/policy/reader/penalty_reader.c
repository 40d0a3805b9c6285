/* The penalty of a rule: {"after": 20, "within": "1m", "for": "10m", "growth": 2, "up_to": "1d"}. */
#include "diagnostic.h"
#include "rules_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const penalty_keys[] = {"after", "within", "for", "growth", "up_to"};
#define REQUIRED_KEYS 3 /* the first of them */

static bool
has(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
}

static void
read_values(const struct rules_reader *reader, const struct place *place, const cJSON *object,
            struct penalty *penalty)
{
    for (size_t i = 0; i < REQUIRED_KEYS; i++)
        if (!has(object, penalty_keys[i]))
            diagnostic_add(reader, place, NULL, "needs \"%s\"", penalty_keys[i]);
    count_read(reader, place, object, "after", PENALTY_AFTER_MAX, &penalty->after);
    duration_read(reader, place, object, "within", &penalty->within_us);
    duration_read(reader, place, object, "for", &penalty->for_us);
    count_read(reader, place, object, "growth", PENALTY_GROWTH_MAX, &penalty->growth);
    duration_read(reader, place, object, "up_to", &penalty->up_to_us);
}

/* What growth does not reach, or reaches without end. */
static void
check_growth(const struct rules_reader *reader, const struct place *place, const cJSON *object,
             struct penalty *penalty)
{
    struct place at = place_key(place, "up_to");

    if (!has(object, "up_to")) {
        if (penalty->growth > 1)
            diagnostic_add(reader, place, NULL, "\"growth\" needs \"up_to\", the longest penalty");
        penalty->up_to_us = penalty->for_us;
    } else if (penalty->up_to_us < penalty->for_us) {
        diagnostic_add(reader, &at, cJSON_GetObjectItemCaseSensitive(object, "up_to"),
                       "must be at least \"for\", the first penalty");
    } else if (penalty->growth == 1 && penalty->up_to_us > penalty->for_us) {
        diagnostic_warn(reader, place,
                        "\"up_to\" has no effect without \"growth\", as every penalty is \"for\"");
    } else if (penalty->growth > 1 && penalty->up_to_us == penalty->for_us) {
        diagnostic_warn(reader, place, "\"growth\" has no effect, as \"up_to\" is not longer than \"for\"");
    }
}

/* Valid, but one client's refusals are then everybody's penalty. */
static void
warn_of_global(const struct rules_reader *reader, const struct place *place, const struct rule *rule)
{
    const struct identifier *last;

    if (rule->identifier_count == 0)
        return;
    last = &rule->identifiers[rule->identifier_count - 1];
    if (last->count > 0 && last->sources[last->count - 1].kind == SOURCE_GLOBAL)
        diagnostic_warn(reader, place, "penalises all clients that are identified by \"global\" together");
}

void
penalty_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
             struct rule *rule)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "penalty");
    struct place at = place_key(place, "penalty");
    struct penalty penalty = {.growth = 1};
    size_t before = reader->report->count;

    if (item == NULL)
        return;
    if (!cJSON_IsObject(item)) {
        diagnostic_add(reader, &at, item,
                       "must be an object, such as {\"after\": 20, \"within\": \"1m\", \"for\": \"10m\"}");
        return;
    }
    diagnostic_add_keys(reader, &at, item, penalty_keys, COUNT(penalty_keys));
    read_values(reader, &at, item, &penalty);
    if (reader->report->count > before)
        return;
    check_growth(reader, &at, item, &penalty);
    warn_of_global(reader, &at, rule);
    rule->penalty = penalty;
}
