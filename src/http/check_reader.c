#include "check_reader.h"

#include <string.h>
#include <strings.h>

#include "headers.h"
#include "identity.h"
#include "path.h"
#include "target.h"

enum { RULE, CLIENT, COST, PATH, METHOD, HEADERS, IP, FIELDS };

static const struct body_key keys[] = {
    {"rule", RULE},       {"client", CLIENT}, {"path", PATH}, {"method", METHOD},
    {"headers", HEADERS}, {"ip", IP},         {"cost", COST},
};

/* One object being read. */
struct reading {
    const struct policy *policy;
    const struct body_place *place;
    const cJSON *values[FIELDS];
    struct question *question;
    struct body_mistake *mistake; /* the question's */
};

static bool
refuse(const struct reading *reading, const char *field, const char *why)
{
    return body_mistake(reading->mistake, reading->place, 400, why, "%s", field);
}

static bool
read_rule(struct reading *reading)
{
    const char *name = body_string(reading->values[RULE], reading->place, "rule", reading->mistake);

    if (name == NULL)
        return false;
    if (reading->values[PATH] != NULL)
        return refuse(reading, "path", "must not stand beside rule");
    if (reading->values[METHOD] != NULL)
        return refuse(reading, "method", "must not stand beside rule");
    reading->question->take.rule = policy_rule(reading->policy, name);
    return reading->question->take.rule != NULL ||
           body_mistake(reading->mistake, reading->place, 404, "is not the name of a rule", "rule");
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
    if (method != NULL && (name = body_string(method, reading->place, "method", reading->mistake)) == NULL)
        return false;
    target = body_string(reading->values[PATH], reading->place, "path", reading->mistake);
    if (target == NULL)
        return false;
    path = target_path(target, strlen(target), &bytes);
    if (bytes > sizeof(normal))
        return refuse(reading, "path", "must not have more than 8192 bytes");
    memcpy(normal, path, bytes);
    if (!path_normalise(normal, &bytes))
        return refuse(reading, "path", "must be a path that begins with /, without control bytes");
    reading->question->take.rule = policy_match(reading->policy, method_by_name(name), normal, bytes);
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
read_header(const struct reading *reading, const cJSON *value, struct headers *headers)
{
    const struct policy *policy = reading->policy;
    struct field field;

    if (!cJSON_IsString(value))
        return refuse(reading, "headers", "must be an object of strings");
    field = trimmed(value->valuestring);
    for (uint32_t i = 0; i < policy->header_count; i++) {
        if (strcasecmp(policy->headers[i], value->string) != 0)
            continue;
        if (headers->values[i].text != NULL)
            return refuse(reading, "headers", "must not name a header twice");
        if (field.bytes > 0)
            headers->values[i] = field;
    }
    return true;
}

static bool
read_headers(const struct reading *reading, struct headers *headers)
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
        if (!read_header(reading, value, headers))
            return false;
    }
    return true;
}

static bool
read_address(const struct reading *reading, struct address *address)
{
    const char *text = body_string(reading->values[IP], reading->place, "ip", reading->mistake);

    return text != NULL && (address_parse(address, text, strlen(text)) ||
                            refuse(reading, "ip", "must be an IPv4 or an IPv6 address"));
}

/* By what the application says of its request. Its own address and headers say nothing of that one. */
static bool
identify_asker(struct reading *reading)
{
    static const struct networks nobody = {0};
    struct headers headers = {0};
    struct address address;
    struct peer peer, *known = NULL;

    if (!read_headers(reading, &headers))
        return false;
    if (reading->values[IP] != NULL) {
        if (!read_address(reading, &address))
            return false;
        peer_of_address(&peer, &address, false);
        known = &peer;
    }
    if (reading->question->take.rule == NULL)
        return true; /* not limited: nobody's quota */
    switch (
        identify(&reading->question->take.client, reading->question->take.rule, &headers, known, &nobody)) {
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
        return refuse(reading, "headers", "must not stand beside client");
    if (reading->values[IP] != NULL)
        return refuse(reading, "ip", "must not stand beside client");
    name = body_string(reading->values[CLIENT], reading->place, "client", reading->mistake);
    if (name != NULL)
        client_write(&reading->question->take.client, "client", name, strlen(name));
    return name != NULL;
}

static bool
read_cost(const struct reading *reading)
{
    const cJSON *cost = reading->values[COST];

    return cost == NULL ||
           body_count(cost, reading->place, "cost", &reading->question->take.cost, reading->mistake);
}

void
check_read(const struct policy *policy, const cJSON *object, const struct body_place *place, bool with_cost,
           struct question *question)
{
    struct reading reading = {
        .policy = policy, .place = place, .question = question, .mistake = &question->mistake};
    size_t key_count = sizeof(keys) / sizeof(keys[0]) - !with_cost; /* it stands last */
    const char *unknown = with_cost
                              ? "has a field that is none of rule, client, cost, path, method, headers, ip"
                              : "has a field that is none of rule, client, path, method, headers, ip";

    if (body_fields(object, place, keys, key_count, unknown, reading.values, FIELDS, reading.mistake) &&
        (reading.values[RULE] != NULL ? read_rule(&reading) : match_rule(&reading)) && read_cost(&reading))
        read_client(&reading);
}

const cJSON *
check_read_list(const cJSON *root, struct body_mistake *mistake)
{
    static const struct body_key list_keys[] = {{"checks", 0}};
    static const struct body_place place = {0};
    const cJSON *list;
    int count;

    if (!body_fields(root, &place, list_keys, 1, "has a field that is not checks", &list, 1, mistake))
        return NULL;
    count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (count >= 1 && count <= CHECK_BATCH_MAX)
        return list;
    body_mistake(mistake, &place, 400, "must be an array of 1 to 1000 objects", "checks");
    return NULL;
}
