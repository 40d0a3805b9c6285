/* The penalty of a rule: {"after": 20, "within": "1m", "for": "10m", "growth": 2, "up_to": "1d"}. */
#include "rules_reader.h"

static const char *const penalty_keys[] = {"after", "within", "for", "growth", "up_to"};
#define REQUIRED_KEYS 3 /* the first of them */

static void
read_values(const struct place *object, struct penalty *penalty)
{
    for (size_t i = 0; i < REQUIRED_KEYS; i++)
        if (!place_has(object, penalty_keys[i]))
            diagnostic_add(object, "needs \"%s\"", penalty_keys[i]);
    count_read(object, "after", PENALTY_AFTER_MAX, &penalty->after);
    duration_read(object, "within", &penalty->within_us);
    duration_read(object, "for", &penalty->for_us);
    count_read(object, "growth", PENALTY_GROWTH_MAX, &penalty->growth);
    duration_read(object, "up_to", &penalty->up_to_us);
}

/* What growth does not reach, or reaches without end. */
static void
check_growth(const struct place *object, struct penalty *penalty)
{
    const struct place up_to = place_key(object, "up_to");

    if (up_to.value == NULL) {
        if (penalty->growth > 1)
            diagnostic_add(object, "\"growth\" needs \"up_to\", the longest penalty");
        penalty->up_to_us = penalty->for_us;
    } else if (penalty->up_to_us < penalty->for_us) {
        diagnostic_add_value(&up_to, "must be at least \"for\", the first penalty");
    } else if (penalty->growth == 1 && penalty->up_to_us > penalty->for_us) {
        diagnostic_warn(object, "\"up_to\" has no effect without \"growth\", as every penalty is \"for\"");
    } else if (penalty->growth > 1 && penalty->up_to_us == penalty->for_us) {
        diagnostic_warn(object, "\"growth\" has no effect, as \"up_to\" is not longer than \"for\"");
    }
}

/* Valid, but one client's refusals then penalise all clients. */
static void
warn_of_global(const struct place *object, const struct rule *rule)
{
    const struct identifier *last;

    if (rule->identifier_count == 0)
        return;
    last = &rule->identifiers[rule->identifier_count - 1];
    if (last->count > 0 && last->sources[last->count - 1].kind == SOURCE_GLOBAL)
        diagnostic_warn(object, "penalises all clients that are identified by \"global\" together");
}

void
penalty_read(const struct place *object, struct rule *rule)
{
    const struct place at = place_key(object, "penalty");
    struct penalty penalty = {.growth = 1};
    size_t before = object->reader->report->count;

    if (at.value == NULL)
        return;
    if (!cJSON_IsObject(at.value)) {
        diagnostic_add_value(
            &at, "must be an object, such as {\"after\": 20, \"within\": \"1m\", \"for\": \"10m\"}");
        return;
    }
    diagnostic_check_keys(&at, penalty_keys, COUNT_OF(penalty_keys));
    read_values(&at, &penalty);
    if (object->reader->report->count > before)
        return;
    check_growth(&at, &penalty);
    warn_of_global(&at, rule);
    rule->penalty = penalty;
}
