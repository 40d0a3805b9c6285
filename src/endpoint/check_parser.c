#include "check_parser.h"

#include <string.h>
#include <strings.h>

#include "headers.h"
#include "identity.h"
#include "path.h"
#include "target.h"

enum { RULE, CLIENT, COST, PATH, METHOD, HEADERS, IP, FIELDS };

static const struct json_body_key keys[] = {
    {"rule", RULE},       {"client", CLIENT}, {"path", PATH}, {"method", METHOD},
    {"headers", HEADERS}, {"ip", IP},         {"cost", COST},
};

/* One object being read. */
struct reading {
    const struct policy *policy;
    const struct json_body_place *place;
    const cJSON *values[FIELDS];
    struct check *check;
    struct json_error *mistake; /* the check's */
};

static bool
refuse(const struct reading *reading, const char *field, const char *why)
{
    return json_error(reading->mistake, reading->place, 400, why, "%s", field);
}

static bool
read_rule(struct reading *reading)
{
    const char *name = json_body_string(reading->values[RULE], reading->place, "rule", reading->mistake);

    if (name == NULL)
        return false;
    if (reading->values[PATH] != NULL)
        return refuse(reading, "path", "is not allowed beside rule");
    if (reading->values[METHOD] != NULL)
        return refuse(reading, "method", "is not allowed beside rule");
    reading->check->take.rule = policy_rule(reading->policy, name);
    return reading->check->take.rule != NULL ||
           json_error(reading->mistake, reading->place, 404, "is not the name of a rule", "rule");
}

static bool
match_rule(struct reading *reading)
{
    const cJSON *method = reading->values[METHOD];
    const char *target, *path, *name = "GET";
    char normal[TARGET_BYTES_MAX];
    size_t bytes;

    if (reading->values[PATH] == NULL)
        return refuse(reading, "rule", "is missing, and so is path");
    if (method != NULL &&
        (name = json_body_string(method, reading->place, "method", reading->mistake)) == NULL)
        return false;
    target = json_body_string(reading->values[PATH], reading->place, "path", reading->mistake);
    if (target == NULL)
        return false;
    path = target_path(target, strlen(target), &bytes);
    if (bytes > sizeof(normal))
        return refuse(reading, "path", "must not have more than 8192 bytes");
    memcpy(normal, path, bytes);
    if (!path_normalise(normal, &bytes))
        return refuse(reading, "path", "must be a path that begins with /, without control bytes");
    reading->check->take.rule = policy_match(reading->policy, method_by_name(name), normal, bytes);
    return true;
}

/* As HTTP has it: blanks around a value are not of it. */
static struct field
trimmed(const char *text)
{
    struct field field = {.text = text, .bytes = strlen(text)};

    while (field.bytes > 0 && strchr(" \t", field.text[0]) != NULL) {
        field.text++;
        field.bytes--;
    }
    while (field.bytes > 0 && strchr(" \t", field.text[field.bytes - 1]) != NULL)
        field.bytes--;
    return field;
}

static bool
read_header(const struct reading *reading, const cJSON *value, struct identity_fields *fields)
{
    const struct policy *policy = reading->policy;
    struct field field;

    if (!cJSON_IsString(value))
        return refuse(reading, "headers", "must be an object of strings");
    field = trimmed(value->valuestring);
    for (uint32_t i = 0; i < policy->header_count; i++) {
        if (strcasecmp(policy->headers[i], value->string) != 0)
            continue;
        if (fields->values[i].text != NULL)
            return refuse(reading, "headers", "must not name a header twice");
        if (field.bytes > 0)
            fields->values[i] = field;
    }
    return true;
}

static bool
read_headers(const struct reading *reading, struct identity_fields *fields)
{
    const cJSON *object = reading->values[HEADERS], *value;
    size_t count = 0;

    if (object == NULL)
        return true;
    if (!cJSON_IsObject(object))
        return refuse(reading, "headers", "must be an object of strings");
    cJSON_ArrayForEach(value, object)
    {
        if (++count > HEADERS_MAX)
            return refuse(reading, "headers", "must not have more than 100 fields");
        if (!read_header(reading, value, fields))
            return false;
    }
    return true;
}

static bool
read_address(const struct reading *reading, struct address *address)
{
    const char *text = json_body_string(reading->values[IP], reading->place, "ip", reading->mistake);

    return text != NULL && (address_parse(address, text, strlen(text)) ||
                            refuse(reading, "ip", "must be an IPv4 or an IPv6 address"));
}

/* By what the application says of its request. Its own address and headers say nothing of that one. */
static bool
identify_asker(struct reading *reading)
{
    static const struct networks nobody = {0};
    struct identity_fields fields = {0};
    struct address address;
    struct peer peer, *known = NULL;

    if (!read_headers(reading, &fields))
        return false;
    if (reading->values[IP] != NULL) {
        if (!read_address(reading, &address))
            return false;
        peer_of_address(&peer, &address, false);
        known = &peer;
    }
    if (reading->check->take.rule == NULL)
        return true; /* not limited: nobody's quota */
    switch (identify(&reading->check->take.client, reading->check->take.rule, &fields, known, &nobody)) {
    case IDENTITY_FOUND:
        return true;
    case IDENTITY_BAD:
        return refuse(reading, "headers", "must not have control bytes in the value that names the client");
    case IDENTITY_ABSENT:
        break;
    }
    return refuse(reading, "client",
                  "is missing, and neither headers nor ip name one by the rule's identify_by");
}

static bool
read_client(struct reading *reading)
{
    const char *name;

    if (reading->values[CLIENT] == NULL)
        return identify_asker(reading);
    if (reading->values[HEADERS] != NULL)
        return refuse(reading, "headers", "is not allowed beside client");
    if (reading->values[IP] != NULL)
        return refuse(reading, "ip", "is not allowed beside client");
    name = json_body_string(reading->values[CLIENT], reading->place, "client", reading->mistake);
    if (name != NULL)
        client_write(&reading->check->take.client, "client", name, strlen(name));
    return name != NULL;
}

static bool
read_cost(const struct reading *reading)
{
    const cJSON *cost = reading->values[COST];

    return cost == NULL ||
           json_body_count(cost, reading->place, "cost", &reading->check->take.cost, reading->mistake);
}

void
check_parse(const struct policy *policy, const cJSON *object, const struct json_body_place *place,
            bool with_cost, struct check *check)
{
    struct reading reading = {.policy = policy, .place = place, .check = check, .mistake = &check->mistake};
    size_t key_count = sizeof(keys) / sizeof(keys[0]) - !with_cost; /* it stands last */
    const char *unknown = with_cost
                              ? "has a field that is none of rule, client, cost, path, method, headers, ip"
                              : "has a field that is none of rule, client, path, method, headers, ip";

    if (json_body_fields(object, place, keys, key_count, unknown, reading.values, FIELDS, reading.mistake) &&
        (reading.values[RULE] != NULL ? read_rule(&reading) : match_rule(&reading)) && read_cost(&reading))
        read_client(&reading);
}

const cJSON *
check_parse_list(const cJSON *root, struct json_error *mistake)
{
    static const struct json_body_key list_keys[] = {{"checks", 0}};
    static const struct json_body_place place = {0};
    const cJSON *list;
    int count;

    if (!json_body_fields(root, &place, list_keys, 1, "has a field that is not checks", &list, 1, mistake))
        return NULL;
    count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (count >= 1 && count <= CHECK_BATCH_MAX)
        return list;
    json_error(mistake, &place, 400, "must be an array of 1 to 1000 objects", "checks");
    return NULL;
}
