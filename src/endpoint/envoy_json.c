/*
 * envoy_json: POST /json, as in envoyproxy/ratelimit: the JSON of Envoy's RateLimitRequest and RateLimitResponse.
 *
 *      {"domain": "shop",
 *       "descriptors": [{"entries": [{"key": "path", "value": "/cart"}, {"key": "user", "value": "u1"}]}]}
 *
 * The rule of a descriptor is named after the domain and the first keys; the longest name that exists counts:
 * shop.path.user, else shop.path, else shop. Its client is the entries that the name covers: path=/cart,user=u1 for the
 * first of these, path=/cart for the second, and one client for all for the last. Without such a rule it is not limited.
 *
 * The JSON is that of Protocol Buffers: names in camelCase or as in the .proto file, 64-bit numbers as
 * strings or as numbers, fields that are zero left out of what is written.
 */

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api_request.h"
#include "number.h"
#include "render.h"
#include "stringify.h"

#define ENTRIES_MAX 16

#define STATUS_BYTES 256 /* the most that one status takes */

/* Reading. */

struct envoy_entry {
    const char *key, *value;
};

struct envoy_parser {
    const struct policy *policy;
    const char *domain;
    struct json_body_place place; /* of the descriptor being read */
    struct json_error *error;
    /* For a client's name. It is made of the body's strings: at most two bytes for each byte, and one more for each
       string, whose quotes the body has as well. Twice the body is enough. */
    char *scratch;
};

/* hitsAddend: a number, or one in a string. */
static bool
read_hits(const cJSON *value, const struct json_body_place *place, int64_t *hits, struct json_error *error)
{
    if (cJSON_IsString(value) && number_parse(value->valuestring, 0, NUMBER_EXACT_MAX, hits))
        return true;
    return json_body_count(value, place, "hitsAddend", hits, error);
}

static bool
read_entry(struct envoy_parser *parser, const cJSON *object, size_t index, struct envoy_entry *entry)
{
    static const struct json_body_key keys[] = {{"key", 0}, {"value", 1}};
    const cJSON *values[2] = {NULL, NULL}, *value;

    if (!cJSON_IsObject(object))
        return json_error(parser->error, &parser->place, 400, "must be an object", "entries[%zu]", index);
    cJSON_ArrayForEach(value, object)
    {
        size_t i = strcmp(value->string, keys[0].name) == 0 ? 0 : 1;
        if (strcmp(value->string, keys[i].name) != 0 || values[i] != NULL)
            return json_error(parser->error, &parser->place, 400,
                              "must have the fields key and value, once each, and no others", "entries[%zu]",
                              index);
        values[i] = value;
    }
    for (size_t i = 0; i < 2; i++)
        if (values[i] != NULL && !cJSON_IsString(values[i]))
            return json_error(parser->error, &parser->place, 400, "must be a string", "entries[%zu].%s",
                              index, keys[i].name);
    *entry = (struct envoy_entry){.key = values[0] ? values[0]->valuestring : "",
                                  .value = values[1] ? values[1]->valuestring : ""};
    if (entry->key[0] == '\0')
        return json_error(parser->error, &parser->place, 400, "must be a string that is not empty",
                          "entries[%zu].key", index);
    return true;
}

static bool
read_entries(struct envoy_parser *parser, const cJSON *list, struct envoy_entry *entries, size_t *count)
{
    const cJSON *object;

    *count = 0;
    if (!cJSON_IsArray(list) || list->child == NULL)
        return json_error(parser->error, &parser->place, 400, "must be an array that is not empty",
                          "entries");
    cJSON_ArrayForEach(object, list)
    {
        if (*count == ENTRIES_MAX)
            return json_error(parser->error, &parser->place, 400,
                              "must not have more than " STRINGIFY(ENTRIES_MAX) " elements", "entries");
        if (!read_entry(parser, object, *count, &entries[*count]))
            return false;
        ++*count;
    }
    return true;
}

static size_t
key_bytes(const struct envoy_entry *entry)
{
    assert(entry->key != NULL); /* read_entries has filled it */
    return strlen(entry->key);
}

/* The rule of the longest name; `*covered` is how many entries that name covers. NULL: none. */
static const struct rule *
find_rule(const struct envoy_parser *parser, const struct envoy_entry *entries, size_t count, size_t *covered)
{
    char name[RULE_NAME_BYTES + 1];
    size_t ends[ENTRIES_MAX + 1], used = strlen(parser->domain), fitting = 0;

    if (used > RULE_NAME_BYTES)
        return NULL;
    memcpy(name, parser->domain, used);
    for (ends[0] = used; fitting < count; ends[++fitting] = used) {
        size_t bytes = key_bytes(&entries[fitting]);
        if (used + 1 + bytes > RULE_NAME_BYTES)
            break;
        name[used++] = '.';
        memcpy(name + used, entries[fitting].key, bytes);
        used += bytes;
    }
    for (size_t i = fitting + 1; i-- > 0;) {
        const struct rule *rule;
        name[ends[i]] = '\0';
        rule = policy_rule(parser->policy, name);
        *covered = i;
        if (rule != NULL)
            return rule;
    }
    return NULL;
}

/* Values with `,` and `\` escaped, so that no two lists of entries are one client. */
static char *
put_value(char *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == ',' || *value == '\\')
            *out++ = '\\';
        *out++ = *value;
    }
    return out;
}

/* "path=/cart,user=u1"; where no entry is covered, all are one. */
static void
name_client(struct envoy_parser *parser, const struct envoy_entry *entries, size_t count,
            struct client *client)
{
    char *end = parser->scratch;

    for (size_t i = 0; i < count; i++) {
        size_t bytes = key_bytes(&entries[i]);
        if (i > 0)
            *end++ = ',';
        memcpy(end, entries[i].key, bytes);
        end += bytes;
        *end++ = '=';
        end = put_value(end, entries[i].value);
    }
    if (count == 0)
        client_write(client, "global", NULL, 0);
    else
        client_write(client, "client", parser->scratch, (size_t)(end - parser->scratch));
}

static bool
read_descriptor(struct envoy_parser *parser, const cJSON *object, int64_t hits, struct limiter_take *take)
{
    enum { ENTRIES, HITS, LIMIT, FIELDS };
    static const struct json_body_key keys[] = {
        {"entries", ENTRIES}, {"hitsAddend", HITS}, {"hits_addend", HITS}, {"limit", LIMIT}};
    const cJSON *values[FIELDS];
    struct envoy_entry entries[ENTRIES_MAX] = {{0}};
    size_t count, covered;

    take->cost = hits;
    if (!json_body_fields(object, &parser->place, keys, sizeof(keys) / sizeof(keys[0]),
                          "has a field that is none of entries, hitsAddend", values, FIELDS, parser->error) ||
        !read_entries(parser, values[ENTRIES], entries, &count) ||
        (values[HITS] != NULL && !read_hits(values[HITS], &parser->place, &take->cost, parser->error)))
        return false;
    if (values[LIMIT] != NULL)
        return json_error(parser->error, &parser->place, 400,
                          "is not supported: limits are set in the rules of this service", "limit");
    take->rule = find_rule(parser, entries, count, &covered);
    if (take->rule != NULL)
        name_client(parser, entries, covered, &take->client);
    return true;
}

static bool
read_descriptors(struct envoy_parser *parser, const cJSON *list, int64_t hits, struct checks *checks)
{
    const cJSON *object;

    cJSON_ArrayForEach(object, list)
    {
        struct limiter_take *take = &checks->list[parser->place.index].take;
        if (!read_descriptor(parser, object, hits, take))
            return false;
        parser->place.index++;
    }
    return true;
}

static const cJSON *
read_root(const cJSON *root, const char **domain, int64_t *hits, struct json_error *error)
{
    enum { DOMAIN, DESCRIPTORS, HITS, FIELDS };
    static const struct json_body_key keys[] = {
        {"domain", DOMAIN}, {"descriptors", DESCRIPTORS}, {"hitsAddend", HITS}, {"hits_addend", HITS}};
    const cJSON *values[FIELDS];
    int count;

    if (!json_body_fields(root, &json_body_root, keys, sizeof(keys) / sizeof(keys[0]),
                          "has a field that is none of domain, descriptors, hitsAddend", values, FIELDS,
                          error))
        return NULL;
    *domain = json_body_string(values[DOMAIN], &json_body_root, "domain", error);
    if (*domain == NULL || (values[HITS] != NULL && !read_hits(values[HITS], &json_body_root, hits, error)))
        return NULL;
    if (*hits == 0)
        *hits = 1;
    count = cJSON_IsArray(values[DESCRIPTORS]) ? cJSON_GetArraySize(values[DESCRIPTORS]) : 0;
    if (count >= 1 && count <= CHECKS_MAX)
        return values[DESCRIPTORS];
    json_error(error, &json_body_root, 400, "must be an array of 1 to " STRINGIFY(CHECKS_MAX) " objects",
               "descriptors");
    return NULL;
}

static struct checks *
parse(const struct endpoint_request *request, const struct checks_caller *caller, const cJSON *root,
      struct json_error *error)
{
    struct envoy_parser parser = {.policy = request->policy, .place.list = "descriptors", .error = error};
    struct checks *checks;
    int64_t hits = 1;
    const cJSON *list = read_root(root, &parser.domain, &hits, error);

    if (list == NULL)
        return NULL;
    checks = checks_new(caller, (uint32_t)cJSON_GetArraySize(list));
    parser.scratch = malloc(2 * request->body.bytes);
    if (checks == NULL || parser.scratch == NULL || !read_descriptors(&parser, list, hits, checks)) {
        checks_free(checks);
        checks = NULL;
    }
    free(parser.scratch);
    return checks;
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    return api_request_start(request, parse);
}

/* Writing. */

#define DAY_US (INT64_C(24) * 3600 * 1000000)

/* Envoy's name for the window; NULL: it has none. */
static const char *
unit_name(int64_t window_us)
{
    static const struct {
        int64_t window_us;
        const char *name;
    } units[] = {
        {1000000, "SECOND"},  {60000000, "MINUTE"},   {3600000000, "HOUR"},   {DAY_US, "DAY"},
        {7 * DAY_US, "WEEK"}, {30 * DAY_US, "MONTH"}, {365 * DAY_US, "YEAR"},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (units[i].window_us == window_us)
            return units[i].name;
    return NULL;
}

/* Counts are 32 bits wide there. */
static int64_t
clamped(int64_t value)
{
    return value < UINT32_MAX ? value : UINT32_MAX;
}

/* Envoy has no word for a client that is blocked. */
static bool
is_over(const struct limiter_take *take)
{
    return take->verdict == VERDICT_REFUSED || take->verdict == VERDICT_BLOCKED;
}

static void
put_status(struct text *text, const struct limiter_take *take)
{
    const struct limit *limit;
    const struct decision *decision;
    const char *unit;

    text_put(text, "{\"code\":\"%s\"", is_over(take) ? "OVER_LIMIT" : "OK");
    if (take->limits != NULL) {
        limit = &take->limits->limits[take->tightest];
        decision = &take->request.decisions[take->tightest];
        unit = unit_name(limit->window_us);
        text_put(text, ",\"currentLimit\":{\"name\":\"%s\",\"requestsPerUnit\":%" PRId64, take->rule->name,
                 clamped(limit->limit));
        if (unit != NULL)
            text_put(text, ",\"unit\":\"%s\"", unit);
        text_put(text, "}");
        if (take->decided && decision->remaining > 0)
            text_put(text, ",\"limitRemaining\":%" PRId64, clamped(decision->remaining));
        if (take->decided)
            text_put(text, ",\"durationUntilReset\":\"%" PRId64 "s\"", us_to_s_up(decision->reset_after_us));
    }
    text_put(text, "}");
}

/* 200; 429 where a descriptor is over its limit; 503 where one could not be decided. */
static struct response
finish(struct endpoint_request *request)
{
    const struct checks *checks = api_request_checks(request);
    struct text text = {.room = (checks->count + 1) * STATUS_BYTES};
    bool over = false;

    if (api_request_is_any_unavailable(request))
        return render_unavailable(request->closing);
    text.start = malloc(text.room);
    if (text.start == NULL)
        return (struct response){0};
    for (uint32_t i = 0; i < checks->count; i++) {
        const struct limiter_take *take = &checks->list[i].take;
        over |= is_over(take);
    }
    text_put(&text, "{\"overallCode\":\"%s\",\"statuses\":[", over ? "OVER_LIMIT" : "OK");
    for (uint32_t i = 0; i < checks->count; i++) {
        text_put(&text, "%s", i > 0 ? "," : "");
        put_status(&text, &checks->list[i].take);
    }
    text_put(&text, "]}\n");
    return response_owning(over ? 429 : 200, &text, RESPONSE_JSON, request->closing);
}

const struct endpoint envoy_json_endpoint = {
    .reads_body = true, .start = start, .finish = finish, .free = api_request_free};
