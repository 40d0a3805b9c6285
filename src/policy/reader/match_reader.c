/*
 * `match`: which requests a rule is for. A key that is missing asks for nothing, but one is needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conditions.h"
#include "host.h"
#include "path.h"
#include "rules_reader.h"

#define ANY_PATH "/**"

static const char *const match_keys[] = {"path", "methods", "host", "headers"};
static const char *const header_keys[] = {"present", "prefix"};

static void
read_path(const struct place *match, struct rule *rule)
{
    const struct place at = place_key(match, "path");
    const char *why = "out of memory";

    if (at.value != NULL && !cJSON_IsString(at.value)) {
        diagnostic_add_value(&at, "must be a path, such as \"/search/**\"");
        return;
    }
    rule->path = path_pattern_new(at.value != NULL ? at.value->valuestring : ANY_PATH, &why);
    if (rule->path == NULL)
        diagnostic_add_value(&at, "%s", why);
}

static void
read_methods(const struct place *match, struct rule *rule)
{
    const struct place at = place_key(match, "methods");
    const cJSON *item;

    if (at.value == NULL)
        return;
    rule->methods = 0;
    if (!diagnostic_check_list(&at, METHOD_WORD_COUNT, "methods, such as [\"GET\", \"POST\"]"))
        return;
    cJSON_ArrayForEach(item, at.value)
    {
        const struct place element = place_item(&at, item);
        const char *word = cJSON_IsString(item) ? item->valuestring : "";
        enum method method = method_by_name(word, strlen(word));

        if (method == METHOD_OTHER)
            diagnostic_add_word(&element, method_words, METHOD_WORD_COUNT);
        else if (rule->methods & method)
            diagnostic_add_value(&element, "duplicate method");
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
read_host_pattern(const struct place *at)
{
    const char *text = cJSON_IsString(at->value) ? at->value->valuestring : "";
    size_t wild = strncmp(text, "*.", 2) == 0 ? 2 : 0;
    struct field host = {.text = text + wild, .bytes = strlen(text + wild)};
    char normal[HOST_BYTES_MAX], *pattern = NULL;
    struct field found = host_normalise(&host, normal);
    bool is_address = host.text[0] == '[';

    /* Without a port, and no address below which there could be names. */
    if (found.text == NULL ||
        (is_address ? wild > 0 || text[host.bytes - 1] != ']' : found.bytes != host.bytes)) {
        diagnostic_add_value(at, "must be a host, such as \"api.example.com\", \"*.example.com\" or "
                                 "\"[2001:db8::1]\", without scheme and port");
        return NULL;
    }
    if (asprintf(&pattern, "%s%.*s", wild > 0 ? "*." : "", (int)found.bytes, normal) < 0)
        pattern = NULL;
    return diagnostic_check_memory(at, pattern);
}

static void
add_host(const struct place *at, struct conditions *conditions)
{
    char *pattern = read_host_pattern(at);

    for (uint32_t i = 0; pattern != NULL && i < conditions->host_count; i++) {
        if (strcmp(conditions->hosts[i], pattern) != 0)
            continue;
        diagnostic_add_value(at, "duplicate host");
        break;
    }
    if (pattern != NULL && conditions->host_count < MATCH_HOSTS_MAX)
        conditions->hosts[conditions->host_count++] = pattern;
    else
        free(pattern);
}

static void
read_hosts(const struct place *match, struct conditions *conditions)
{
    const struct place at = place_key(match, "host");
    const cJSON *item;

    if (at.value == NULL)
        return;
    at.reader->policy->reads_host = true;
    if (cJSON_IsString(at.value)) {
        add_host(&at, conditions);
        return;
    }
    if (!diagnostic_check_list(&at, MATCH_HOSTS_MAX,
                               "hosts, such as [\"example.com\", \"*.example.com\"], or one host"))
        return;
    cJSON_ArrayForEach(item, at.value)
    {
        const struct place element = place_item(&at, item);

        add_host(&element, conditions);
    }
}

/* False: it is no value that a header can have, which has been reported. */
static bool
read_text(const struct place *at, enum header_test test, struct header_condition *condition)
{
    const char *text = cJSON_IsString(at->value) ? at->value->valuestring : "";
    struct field value = {.text = text, .bytes = strlen(text)};
    struct field trimmed = field_trimmed(text, value.bytes);
    bool may_end_in_blank = test == HEADER_BEGINS; /* "Bearer " */

    condition->test = test;
    if (trimmed.bytes == 0 || trimmed.text != text || !field_is_clean(&value) ||
        (trimmed.bytes != value.bytes && !may_end_in_blank))
        return diagnostic_add_value(
            at,
            "must be a text that is not empty, without control characters and without "
            "blanks %s",
            may_end_in_blank ? "before it" : "around it");
    condition->text = diagnostic_check_memory(at, strdup(text));
    return condition->text != NULL;
}

/* {"present": true}, {"prefix": "curl/"} */
static bool
read_test(const struct place *object, struct header_condition *condition)
{
    const struct place present = place_key(object, "present"), prefix = place_key(object, "prefix");

    diagnostic_check_keys(object, header_keys, COUNT_OF(header_keys));
    if ((present.value == NULL) == (prefix.value == NULL))
        return diagnostic_add_value(object, "needs one of \"present\" and \"prefix\"");
    if (prefix.value != NULL)
        return read_text(&prefix, HEADER_BEGINS, condition);
    condition->test = cJSON_IsTrue(present.value) ? HEADER_PRESENT : HEADER_ABSENT;
    return cJSON_IsBool(present.value) || diagnostic_add_value(&present, "must be true or false");
}

static bool
read_condition(const struct place *at, struct header_condition *condition)
{
    if (cJSON_IsObject(at->value))
        return read_test(at, condition);
    if (cJSON_IsString(at->value))
        return read_text(at, HEADER_IS, condition);
    return diagnostic_add_value(at,
                                "must be the header's value, or {\"present\": true}, {\"present\": false} or "
                                "{\"prefix\": \"...\"}");
}

static void
add_header(const struct place *at, struct conditions *conditions)
{
    struct header_condition condition = {.text = NULL};
    struct place name = *at;

    name.value = NULL;
    if (strcasecmp(at->key, "Host") == 0) {
        diagnostic_add(at, "must be \"host\" beside \"headers\": a client may spell it with other letters, a "
                           "port or a dot");
        return;
    }
    if (!header_read(&name, at->key, &condition.header))
        return;
    for (uint32_t i = 0; i < conditions->header_count; i++)
        if (conditions->headers[i].header == condition.header)
            diagnostic_add(at, "duplicate header");
    if (read_condition(at, &condition) && conditions->header_count < MATCH_HEADERS_MAX)
        conditions->headers[conditions->header_count++] = condition;
    else
        free(condition.text);
}

static void
read_headers(const struct place *match, struct conditions *conditions)
{
    const struct place at = place_key(match, "headers");
    int count = cJSON_IsObject(at.value) ? cJSON_GetArraySize(at.value) : 0;
    const cJSON *item;

    if (at.value == NULL)
        return;
    if (count < 1 || count > MATCH_HEADERS_MAX) {
        diagnostic_add_value(&at, "must be an object of 1 to %d headers, such as {\"X-Plan\": \"gold\"}",
                             MATCH_HEADERS_MAX);
        return;
    }
    cJSON_ArrayForEach(item, at.value)
    {
        const struct place header = place_item(&at, item);

        add_header(&header, conditions);
    }
}

static void
read_conditions(const struct place *match, struct rule *rule)
{
    if (!place_has(match, "host") && !place_has(match, "headers"))
        return;
    rule->conditions = diagnostic_check_memory(match, calloc(1, sizeof(*rule->conditions)));
    if (rule->conditions == NULL)
        return;
    read_hosts(match, rule->conditions);
    read_headers(match, rule->conditions);
}

void
match_read(const struct place *object, struct rule *rule)
{
    const struct place match = place_key(object, "match");
    size_t errors = object->reader->report->count;

    rule->methods = METHOD_ALL;
    if (match.value == NULL)
        return;
    if (strcmp(object->key, DEFAULT_RULE) == 0) {
        diagnostic_add(&match, "\"default\" takes no match: it applies when no other rule matches");
    } else if (!cJSON_IsObject(match.value)) {
        diagnostic_add_value(&match,
                             "must be an object, such as {\"path\": \"/search/**\", \"methods\": [\"GET\"]}");
    } else if (match.value->child == NULL) {
        diagnostic_add_value(&match, "needs \"path\", \"methods\", \"host\" or \"headers\"");
    } else {
        diagnostic_check_keys(&match, match_keys, COUNT_OF(match_keys));
        read_path(&match, rule);
        read_methods(&match, rule);
        read_conditions(&match, rule);
    }
    if (object->reader->report->count > errors)
        rule->methods = 0; /* it is not known what it is for, nor which rules it hides */
}
