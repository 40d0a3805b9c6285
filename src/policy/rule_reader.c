#include <stdint.h>
#include <string.h>

#include "diagnostic.h"
#include "path.h"
#include "policy_words.h"
#include "rules_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const rule_keys[] = {"match", "identify_by", "on_store_failure", "clients", LIMITS_KEYS};
static const char *const match_keys[] = {"path", "methods"};

static void
read_path(const struct rules_reader *reader, const struct place *place, const cJSON *match, struct rule *rule)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(match, "path");
    struct place at = place_key(place, "path");
    const char *why = NULL;

    if (item == NULL) {
        diagnostic_add(reader, place, NULL, "needs a \"path\", such as \"/search/**\"");
        return;
    }
    if (!cJSON_IsString(item)) {
        diagnostic_add(reader, &at, item, "must be a path, such as \"/search/**\"");
        return;
    }
    rule->path = path_pattern_new(item->valuestring, &why);
    if (rule->path == NULL)
        diagnostic_add(reader, &at, item, "%s", why != NULL ? why : "out of memory");
}

static void
read_methods(const struct rules_reader *reader, const struct place *place, const cJSON *match,
             struct rule *rule)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(match, "methods");
    struct place at = place_key(place, "methods");
    const cJSON *item;
    size_t index = 0;

    if (list == NULL)
        return;
    rule->methods = 0;
    if (!diagnostic_check_list(reader, &at, list, METHOD_WORD_COUNT, "methods, such as [\"GET\", \"POST\"]"))
        return;
    cJSON_ArrayForEach(item, list)
    {
        struct place element = place_index(&at, index++);
        enum method method = cJSON_IsString(item) ? method_by_name(item->valuestring) : METHOD_OTHER;

        if (method == METHOD_OTHER)
            diagnostic_add_word(reader, &element, item, method_words, METHOD_WORD_COUNT);
        else if (rule->methods & method)
            diagnostic_add(reader, &element, item, "duplicate method");
        else
            rule->methods |= method;
    }
    /* HEAD is GET without the body, so a limit on GET covers HEAD. After the loop, so that a list may name
       both. */
    if (rule->methods & METHOD_GET)
        rule->methods |= METHOD_HEAD;
}

static void
read_match(const struct rules_reader *reader, const struct place *place, const cJSON *object,
           struct rule *rule)
{
    const cJSON *match = cJSON_GetObjectItemCaseSensitive(object, "match");
    struct place at = place_key(place, "match");

    rule->methods = METHOD_ALL;
    if (match == NULL)
        return;
    if (strcmp(place->key, DEFAULT_RULE) == 0) {
        diagnostic_add(reader, &at, NULL,
                       "\"default\" takes no match: it applies when no other rule matches");
    } else if (!cJSON_IsObject(match)) {
        diagnostic_add(reader, &at, match,
                       "must be an object, such as {\"path\": \"/search/**\", \"methods\": [\"GET\"]}");
    } else {
        diagnostic_add_keys(reader, &at, match, match_keys, COUNT(match_keys));
        read_path(reader, &at, match, rule);
        read_methods(reader, &at, match, rule);
    }
}

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
    read_match(reader, place, object, rule);
    identify_by_read(reader, place, object, rule);
    before = reader->report->count;
    limits_read(reader, place, object, NULL, &rule->limits);
    clients_read(reader, place, object, rule, reader->report->count == before);
    read_on_store_failure(reader, place, object, rule);
}
