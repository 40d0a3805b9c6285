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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_request.h"
#include "count_of.h"
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
    struct json_error *error;
};

/* hitsAddend: a number, or one in a string; NULL: it is absent. */
static bool
read_hits(const cJSON *value, int64_t *hits, struct json_error *error)
{
    if (value == NULL ||
        (cJSON_IsString(value) && number_parse(value->valuestring, 0, NUMBER_EXACT_MAX, hits)))
        return true;
    return json_body_count(value, "hitsAddend", hits, error);
}

/* An error of an entry, or of one of its fields: ".key". */
static bool
entry_error(const struct envoy_parser *parser, size_t index, const char *field, const char *why)
{
    char name[32];

    snprintf(name, sizeof(name), "entries[%zu]%s", index, field);
    return json_error(parser->error, 400, name, why);
}

static bool
read_entry(struct envoy_parser *parser, const cJSON *object, size_t index, struct envoy_entry *entry)
{
    static const char *const names[] = {".key", ".value"};
    const cJSON *values[2] = {NULL, NULL}, *value;

    if (!cJSON_IsObject(object))
        return entry_error(parser, index, "", "must be an object");
    cJSON_ArrayForEach(value, object)
    {
        size_t i = strcmp(value->string, "key") == 0 ? 0 : 1;
        if (strcmp(value->string, names[i] + 1) != 0 || values[i] != NULL)
            return entry_error(parser, index, "",
                               "must have the fields key and value, once each, and no others");
        values[i] = value;
    }
    for (size_t i = 0; i < 2; i++)
        if (values[i] != NULL && !cJSON_IsString(values[i]))
            return entry_error(parser, index, names[i], "must be a string");
    *entry = (struct envoy_entry){.key = values[0] ? values[0]->valuestring : "",
                                  .value = values[1] ? values[1]->valuestring : ""};
    return entry->key[0] != '\0' || entry_error(parser, index, ".key", "must be a string that is not empty");
}

static bool
read_entries(struct envoy_parser *parser, const cJSON *list, struct envoy_entry *entries, size_t *count)
{
    const cJSON *object;

    *count = 0;
    if (!cJSON_IsArray(list) || list->child == NULL)
        return json_error(parser->error, 400, "entries", "must be an array that is not empty");
    cJSON_ArrayForEach(object, list)
    {
        if (*count == ENTRIES_MAX)
            return json_error(parser->error, 400, "entries",
                              "must not have more than " STRINGIFY(ENTRIES_MAX) " elements");
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

/* "path=/cart,user=u1"; where no entry is covered, all are one. False: out of memory. */
static bool
name_client(const struct envoy_entry *entries, size_t count, struct client *client)
{
    size_t room = 1;
    char *name, *end;

    for (size_t i = 0; i < count; i++)
        room += key_bytes(&entries[i]) + 2 * strlen(entries[i].value) + sizeof(",=");
    name = end = malloc(room);
    if (name == NULL)
        return false;
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
        client_write(client, "client", name, (size_t)(end - name));
    free(name);
    return true;
}

static bool
read_check(struct api_request *api, const cJSON *object, struct check *check)
{
    enum { ENTRIES, HITS, LIMIT, FIELDS };
    static const struct json_body_key keys[] = {
        {"entries", ENTRIES}, {"hitsAddend", HITS}, {"hits_addend", HITS}, {"limit", LIMIT}};
    struct envoy_parser parser = {
        .policy = api->request->policy, .domain = api->domain, .error = &api->error};
    struct limiter_take *take = &check->take;
    const cJSON *values[FIELDS];
    struct envoy_entry entries[ENTRIES_MAX] = {{0}};
    size_t count, covered;

    api->error.list = "descriptors";
    api->error.index = api->parsed - 1;
    take->cost = api->hits;
    if (!json_body_fields(object, keys, COUNT_OF(keys), "has an unknown field; accepted: entries, hitsAddend",
                          values, FIELDS, parser.error) ||
        !read_entries(&parser, values[ENTRIES], entries, &count) ||
        !read_hits(values[HITS], &take->cost, parser.error))
        return false;
    if (values[LIMIT] != NULL)
        return json_error(parser.error, 400, "limit",
                          "is not supported: limits are set in the rules of this service");
    take->rule = find_rule(&parser, entries, count, &covered);
    if (values[HITS] == NULL && api->hits == 0)
        take->cost = take->rule != NULL ? take->rule->cost : 1;
    return take->rule == NULL || name_client(entries, covered, &take->client);
}

static bool
read_root(struct api_request *api, const cJSON *root)
{
    enum { DOMAIN, DESCRIPTORS, HITS, FIELDS };
    static const struct json_body_key keys[] = {
        {"domain", DOMAIN}, {"descriptors", DESCRIPTORS}, {"hitsAddend", HITS}, {"hits_addend", HITS}};
    const cJSON *values[FIELDS];
    size_t count = api->body.scan.list.count;

    api->hits = 0;
    if (!json_body_fields(root, keys, COUNT_OF(keys),
                          "has an unknown field; accepted: domain, descriptors, hitsAddend", values, FIELDS,
                          &api->error))
        return false;
    api->domain = json_body_string(values[DOMAIN], "domain", &api->error);
    if (api->domain == NULL || !read_hits(values[HITS], &api->hits, &api->error))
        return false;
    return (cJSON_IsArray(values[DESCRIPTORS]) && count >= 1 && count <= CHECKS_MAX) ||
           json_error(&api->error, 400, "descriptors",
                      "must be an array of 1 to " STRINGIFY(CHECKS_MAX) " objects");
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

    for (size_t i = 0; i < COUNT_OF(units); i++)
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

/* None where a descriptor could not be decided. */
static size_t
answer_bytes(const struct api_request *api)
{
    return api->checks->unavailable ? 0 : (api->checks->count + 1) * STATUS_BYTES;
}

static void
write_check(struct api_request *api, uint32_t index)
{
    if (index == 0)
        text_put(&api->text, "{\"overallCode\":\"%s\",\"statuses\":[",
                 api->checks->refused ? "OVER_LIMIT" : "OK");
    text_put(&api->text, "%s", index > 0 ? "," : "");
    put_status(&api->text, &api->checks->list[index].take);
}

/* 200; 429 where a descriptor is over its limit; 503 where one could not be decided. */
static struct response
answer(struct api_request *api)
{
    if (api->checks->unavailable)
        return render_unavailable(&api->request->headers->trace_id, api->request->closing);
    text_put(&api->text, "]}\n");
    return response_owning(api->checks->refused ? 429 : 200, &api->text, RESPONSE_JSON,
                           api->request->closing);
}

static const struct api envoy_api = {.is_list = true,
                                     .read_root = read_root,
                                     .read_check = read_check,
                                     .answer_bytes = answer_bytes,
                                     .write_check = write_check,
                                     .finish = answer};

const struct endpoint envoy_json_endpoint = API_ENDPOINT(.kind = &envoy_api);
