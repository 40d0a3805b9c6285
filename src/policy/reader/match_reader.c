/*
 * `match`: which requests a rule is for. A key that is missing asks for nothing, but one is needed.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conditions.h"
#include "diagnostic.h"
#include "host.h"
#include "path.h"
#include "policy_words.h"
#include "rules_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ANY_PATH "/**"

static const char *const match_keys[] = {"path", "methods", "host", "headers"};
static const char *const header_keys[] = {"present", "prefix"};

static void
read_path(const struct rules_reader *reader, const struct place *place, const cJSON *match, struct rule *rule)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(match, "path");
    struct place at = place_key(place, "path");
    const char *why = NULL;

    if (item != NULL && !cJSON_IsString(item)) {
        diagnostic_add(reader, &at, item, "must be a path, such as \"/search/**\"");
        return;
    }
    rule->path = path_pattern_new(item != NULL ? item->valuestring : ANY_PATH, &why);
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

/* The pattern in its normal form, to be freed; NULL: it is none, which has been reported. */
static char *
read_host_pattern(const struct rules_reader *reader, const struct place *place, const cJSON *item)
{
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    size_t wild = strncmp(text, "*.", 2) == 0 ? 2 : 0;
    struct field host = {.text = text + wild, .bytes = strlen(text + wild)};
    char normal[HOST_BYTES_MAX], *pattern = NULL;
    struct field found = host_normalise(&host, normal);
    bool is_address = host.text[0] == '[';

    /* Without a port, and no address below which there could be names. */
    if (found.text != NULL &&
        (is_address ? wild == 0 && text[host.bytes - 1] == ']' : found.bytes == host.bytes)) {
        if (asprintf(&pattern, "%s%.*s", wild > 0 ? "*." : "", (int)found.bytes, normal) >= 0)
            return pattern;
        diagnostic_add(reader, place, item, "out of memory");
        return NULL;
    }
    diagnostic_add(
        reader, place, item,
        "must be a host, such as \"api.example.com\", \"*.example.com\" or \"[2001:db8::1]\", without "
        "scheme and port");
    return NULL;
}

static void
add_host(const struct rules_reader *reader, const struct place *place, const cJSON *item,
         struct conditions *conditions)
{
    char *pattern = read_host_pattern(reader, place, item);

    for (uint32_t i = 0; pattern != NULL && i < conditions->host_count; i++) {
        if (strcmp(conditions->hosts[i], pattern) != 0)
            continue;
        diagnostic_add(reader, place, item, "duplicate host");
        break;
    }
    if (pattern != NULL && conditions->host_count < MATCH_HOSTS_MAX)
        conditions->hosts[conditions->host_count++] = pattern;
    else
        free(pattern);
}

static void
read_hosts(const struct rules_reader *reader, const struct place *place, const cJSON *match,
           struct conditions *conditions)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(match, "host"), *item;
    struct place at = place_key(place, "host");
    size_t index = 0;

    if (list == NULL)
        return;
    reader->policy->reads_host = true;
    if (cJSON_IsString(list)) {
        add_host(reader, &at, list, conditions);
        return;
    }
    if (!diagnostic_check_list(reader, &at, list, MATCH_HOSTS_MAX,
                               "hosts, such as [\"example.com\", \"*.example.com\"], or one host"))
        return;
    cJSON_ArrayForEach(item, list)
    {
        struct place element = place_index(&at, index++);

        add_host(reader, &element, item, conditions);
    }
}

/* False: it is no value that a header can have, which has been reported. */
static bool
read_text(const struct rules_reader *reader, const struct place *place, const cJSON *item,
          enum header_test test, struct header_condition *condition)
{
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    struct field value = {.text = text, .bytes = strlen(text)};
    struct field trimmed = field_trimmed(text, value.bytes);
    bool may_end_in_blank = test == HEADER_BEGINS; /* "Bearer " */

    condition->test = test;
    if (trimmed.bytes == 0 || trimmed.text != text || !field_is_clean(&value) ||
        (trimmed.bytes != value.bytes && !may_end_in_blank)) {
        diagnostic_add(reader, place, item,
                       "must be a text that is not empty, without control characters and without blanks %s",
                       may_end_in_blank ? "before it" : "around it");
        return false;
    }
    condition->text = strdup(text);
    if (condition->text == NULL)
        diagnostic_add(reader, place, item, "out of memory");
    return condition->text != NULL;
}

/* {"present": true}, {"prefix": "curl/"} */
static bool
read_test(const struct rules_reader *reader, const struct place *place, const cJSON *object,
          struct header_condition *condition)
{
    const cJSON *present = cJSON_GetObjectItemCaseSensitive(object, "present");
    const cJSON *prefix = cJSON_GetObjectItemCaseSensitive(object, "prefix");
    struct place at = place_key(place, present != NULL ? "present" : "prefix");

    diagnostic_add_keys(reader, place, object, header_keys, COUNT(header_keys));
    if ((present == NULL) == (prefix == NULL)) {
        diagnostic_add(reader, place, object, "needs one of \"present\" and \"prefix\"");
        return false;
    }
    if (prefix != NULL)
        return read_text(reader, &at, prefix, HEADER_BEGINS, condition);
    if (!cJSON_IsBool(present)) {
        diagnostic_add(reader, &at, present, "must be true or false");
        return false;
    }
    condition->test = cJSON_IsTrue(present) ? HEADER_PRESENT : HEADER_ABSENT;
    return true;
}

static void
add_header(const struct rules_reader *reader, const struct place *place, const cJSON *item,
           struct conditions *conditions)
{
    struct header_condition condition = {.text = NULL};
    bool is_good;

    if (strcasecmp(item->string, "Host") == 0) {
        diagnostic_add(
            reader, place, NULL,
            "must be \"host\" beside \"headers\": a client may spell it with other letters, a port or a dot");
        return;
    }
    if (!header_read(reader, place, NULL, item->string, &condition.header))
        return;
    for (uint32_t i = 0; i < conditions->header_count; i++)
        if (conditions->headers[i].header == condition.header)
            diagnostic_add(reader, place, NULL, "duplicate header");
    if (cJSON_IsObject(item)) {
        is_good = read_test(reader, place, item, &condition);
    } else if (cJSON_IsString(item)) {
        is_good = read_text(reader, place, item, HEADER_IS, &condition);
    } else {
        diagnostic_add(reader, place, item,
                       "must be the header's value, or {\"present\": true}, {\"present\": false} or "
                       "{\"prefix\": \"...\"}");
        is_good = false;
    }
    if (is_good && conditions->header_count < MATCH_HEADERS_MAX)
        conditions->headers[conditions->header_count++] = condition;
    else
        free(condition.text);
}

static void
read_headers(const struct rules_reader *reader, const struct place *place, const cJSON *match,
             struct conditions *conditions)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(match, "headers"), *item;
    struct place at = place_key(place, "headers");
    int count = cJSON_IsObject(object) ? cJSON_GetArraySize(object) : 0;

    if (object == NULL)
        return;
    if (count < 1 || count > MATCH_HEADERS_MAX) {
        diagnostic_add(reader, &at, object,
                       "must be an object of 1 to %d headers, such as {\"X-Plan\": \"gold\"}",
                       MATCH_HEADERS_MAX);
        return;
    }
    cJSON_ArrayForEach(item, object)
    {
        struct place header = place_key(&at, item->string);

        add_header(reader, &header, item, conditions);
    }
}

static void
read_conditions(const struct rules_reader *reader, const struct place *place, const cJSON *match,
                struct rule *rule)
{
    if (cJSON_GetObjectItemCaseSensitive(match, "host") == NULL &&
        cJSON_GetObjectItemCaseSensitive(match, "headers") == NULL)
        return;
    rule->conditions = calloc(1, sizeof(*rule->conditions));
    if (rule->conditions == NULL) {
        diagnostic_add(reader, place, NULL, "out of memory");
        return;
    }
    read_hosts(reader, place, match, rule->conditions);
    read_headers(reader, place, match, rule->conditions);
}

void
match_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
           struct rule *rule)
{
    const cJSON *match = cJSON_GetObjectItemCaseSensitive(object, "match");
    struct place at = place_key(place, "match");
    size_t errors = reader->report->count;

    rule->methods = METHOD_ALL;
    if (match == NULL)
        return;
    if (strcmp(place->key, DEFAULT_RULE) == 0) {
        diagnostic_add(reader, &at, NULL,
                       "\"default\" takes no match: it applies when no other rule matches");
    } else if (!cJSON_IsObject(match)) {
        diagnostic_add(reader, &at, match,
                       "must be an object, such as {\"path\": \"/search/**\", \"methods\": [\"GET\"]}");
    } else if (match->child == NULL) {
        diagnostic_add(reader, &at, match, "needs \"path\", \"methods\", \"host\" or \"headers\"");
    } else {
        diagnostic_add_keys(reader, &at, match, match_keys, COUNT(match_keys));
        read_path(reader, &at, match, rule);
        read_methods(reader, &at, match, rule);
        read_conditions(reader, &at, match, rule);
    }
    if (reader->report->count > errors)
        rule->methods = 0; /* it is not known what it is for, nor which rules it hides */
}
