#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "diagnostic.h"
#include "path.h"
#include "policy_words.h"
#include "rules_reader.h"
#include "token.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define HEADER_PREFIX "header:"

static const char *const rule_keys[] = {"match", "identify_by", "on_store_failure", "limits", LIMIT_KEYS};
static const char *const match_keys[] = {"path", "methods"};
static const char *const limit_keys[] = {LIMIT_KEYS};

/* Whether the value is an array of 1 to `max` elements, which `what` names in the diagnostic. */
static bool
check_list(const struct rules_reader *reader, const struct place *place, const cJSON *list, int max,
           const char *what)
{
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;

    if (count >= 1 && count <= max)
        return true;
    diagnostic_add(reader, place, list, "must be a list of 1 to %d %s", max, what);
    return count > 0;
}

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
    if (!check_list(reader, &at, list, METHOD_WORD_COUNT, "methods, such as [\"GET\", \"POST\"]"))
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
lower_case(char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

/* The header's index in the policy. One copy of "header:NAME" serves for the name, from the colon on, and for
   the text of every source that names it. */
static bool
add_header(const struct rules_reader *reader, const struct place *place, const cJSON *item, uint32_t *index)
{
    struct policy *policy = reader->policy;
    char *text = strdup(item->valuestring);

    if (text == NULL) {
        diagnostic_add(reader, place, item, "out of memory");
        return false;
    }
    lower_case(text);
    for (*index = 0; *index < policy->header_count; ++*index) {
        if (strcmp(policy->headers[*index], text + strlen(HEADER_PREFIX)) == 0) {
            free(text);
            return true;
        }
    }
    if (policy->header_count == POLICY_HEADERS_MAX) {
        diagnostic_add(reader, place, item, "the rules name more than %d headers", POLICY_HEADERS_MAX);
        free(text);
        return false;
    }
    policy->headers[policy->header_count++] = text + strlen(HEADER_PREFIX);
    return true;
}

/* False: the item is not a source, which has been reported. */
static bool
read_source(const struct rules_reader *reader, const struct place *place, const cJSON *item,
            struct source *source)
{
    const char *text = cJSON_IsString(item) ? item->valuestring : "";

    *source = (struct source){0};
    if (strcmp(text, "ip") == 0) {
        *source = (struct source){.kind = SOURCE_IP, .text = "ip"};
        return true;
    }
    if (strcmp(text, "global") == 0) {
        *source = (struct source){.kind = SOURCE_GLOBAL, .text = "global"};
        return true;
    }
    if (strncmp(text, HEADER_PREFIX, strlen(HEADER_PREFIX)) != 0) {
        diagnostic_add(reader, place, item, "must be \"header:NAME\", \"ip\" or \"global\"");
        return false;
    }
    if (!is_token(text + strlen(HEADER_PREFIX), strlen(text) - strlen(HEADER_PREFIX))) {
        diagnostic_add(reader, place, item,
                       "must name a header: letters, digits and !#$%%&'*+-.^_`|~ after \"header:\"");
        return false;
    }
    if (!add_header(reader, place, item, &source->header))
        return false;
    source->kind = SOURCE_HEADER;
    source->text = reader->policy->headers[source->header] - strlen(HEADER_PREFIX);
    return true;
}

static bool
names_header(const struct rule *rule, uint32_t header)
{
    for (uint32_t i = 0; i < rule->source_count; i++)
        if (rule->sources[i].kind == SOURCE_HEADER && rule->sources[i].header == header)
            return true;
    return false;
}

static void
read_identify_by(const struct rules_reader *reader, const struct place *place, const cJSON *object,
                 struct rule *rule)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "identify_by");
    struct place at = place_key(place, "identify_by");
    const cJSON *item;
    size_t index = 0;

    if (list == NULL) {
        rule->sources[rule->source_count++] = (struct source){.kind = SOURCE_IP, .text = "ip"};
        return;
    }
    if (!check_list(reader, &at, list, RULE_SOURCES_MAX, "sources, such as [\"header:user_id\", \"ip\"]"))
        return;
    cJSON_ArrayForEach(item, list)
    {
        struct place element = place_index(&at, index++);
        struct source source;

        if (!read_source(reader, &element, item, &source))
            continue;
        if (source.kind != SOURCE_HEADER && item->next != NULL)
            diagnostic_add(reader, &element, item,
                           "must be last: it is always present, so what follows is never tried");
        if (source.kind == SOURCE_HEADER && names_header(rule, source.header))
            diagnostic_add(reader, &element, item, "duplicate header");
        if (rule->source_count < RULE_SOURCES_MAX)
            rule->sources[rule->source_count++] = source;
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

static void
read_limits(const struct rules_reader *reader, const struct place *place, const cJSON *object,
            struct rule *rule)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "limits");
    struct place at = place_key(place, "limits");
    const cJSON *item;
    size_t index = 0;

    if (list == NULL) {
        limit_read(reader, place, object, &rule->limits.limits[rule->limits.count++]);
        return;
    }
    for (size_t i = 0; i < COUNT(limit_keys); i++) {
        struct place inline_key = place_key(place, limit_keys[i]);

        if (cJSON_GetObjectItemCaseSensitive(object, limit_keys[i]) != NULL)
            diagnostic_add(reader, &inline_key, NULL,
                           "not allowed beside \"limits\"; move it into one of them");
    }
    if (!check_list(reader, &at, list, LIMIT_SET_MAX, "limits, each an object"))
        return;
    cJSON_ArrayForEach(item, list)
    {
        struct place element = place_index(&at, index++);
        struct limit beyond; /* read for its errors only */
        bool fits = rule->limits.count < LIMIT_SET_MAX;

        if (!cJSON_IsObject(item)) {
            diagnostic_add(reader, &element, item,
                           "must be an object, such as {\"capacity\": 20, \"refill_rate\": 5}");
            continue;
        }
        diagnostic_add_keys(reader, &element, item, limit_keys, COUNT(limit_keys));
        limit_read(reader, &element, item, fits ? &rule->limits.limits[rule->limits.count++] : &beyond);
    }
}

void
rule_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
          struct rule *rule)
{
    if (!cJSON_IsObject(object)) {
        diagnostic_add(reader, place, object,
                       "must be an object, such as {\"capacity\": 20, \"refill_rate\": 5}");
        return;
    }
    diagnostic_add_keys(reader, place, object, rule_keys, COUNT(rule_keys));
    read_match(reader, place, object, rule);
    read_identify_by(reader, place, object, rule);
    read_limits(reader, place, object, rule);
    read_on_store_failure(reader, place, object, rule);
}
