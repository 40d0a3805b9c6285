#include "check_parser.h"

#include <string.h>
#include <strings.h>

#include "headers.h"
#include "identity.h"
#include "path.h"
#include "stringify.h"
#include "target.h"

enum { RULE, CLIENT, COST, PATH, METHOD, HEADERS, IP, FIELDS };

static const struct json_body_key keys[] = {
    {"rule", RULE},       {"client", CLIENT}, {"path", PATH}, {"method", METHOD},
    {"headers", HEADERS}, {"ip", IP},         {"cost", COST},
};

/* One object being read. */
struct check_parser {
    const struct policy *policy;
    const struct json_body_place *place;
    const cJSON *values[FIELDS];
    struct check *check;
    struct json_error *error; /* the check's */
};

static bool
refuse(const struct check_parser *parser, const char *field, const char *why)
{
    return json_error(parser->error, parser->place, 400, why, "%s", field);
}

static bool
read_rule(struct check_parser *parser)
{
    const char *name = json_body_string(parser->values[RULE], parser->place, "rule", parser->error);

    if (name == NULL)
        return false;
    if (parser->values[PATH] != NULL)
        return refuse(parser, "path", "is not allowed beside rule");
    if (parser->values[METHOD] != NULL)
        return refuse(parser, "method", "is not allowed beside rule");
    parser->check->take.rule = policy_rule(parser->policy, name);
    return parser->check->take.rule != NULL ||
           json_error(parser->error, parser->place, 404, "is not the name of a rule", "rule");
}

static bool
match_rule(struct check_parser *parser)
{
    const cJSON *method = parser->values[METHOD];
    const char *target, *path, *name = "GET";
    char normal[TARGET_BYTES_MAX];
    size_t bytes;

    if (parser->values[PATH] == NULL)
        return refuse(parser, "rule", "is missing, and so is path");
    if (method != NULL && (name = json_body_string(method, parser->place, "method", parser->error)) == NULL)
        return false;
    target = json_body_string(parser->values[PATH], parser->place, "path", parser->error);
    if (target == NULL)
        return false;
    path = target_path(target, strlen(target), &bytes);
    if (bytes > sizeof(normal))
        return refuse(parser, "path", "must not have more than " STRINGIFY(TARGET_BYTES_MAX) " bytes");
    memcpy(normal, path, bytes);
    if (!path_normalise(normal, &bytes))
        return refuse(parser, "path", "must be a path that begins with /, without control bytes");
    parser->check->take.rule = policy_match(parser->policy, method_by_name(name), normal, bytes);
    return true;
}

static bool
read_header(const struct check_parser *parser, const cJSON *value, struct identity_fields *fields)
{
    const struct policy *policy = parser->policy;
    struct field field;

    if (!cJSON_IsString(value))
        return refuse(parser, "headers", "must be an object of strings");
    field = field_trimmed(value->valuestring, strlen(value->valuestring));
    for (uint32_t i = 0; i < policy->header_count; i++) {
        if (strcasecmp(policy->headers[i], value->string) != 0)
            continue;
        if (fields->values[i].text != NULL)
            return refuse(parser, "headers", "contains a header twice");
        if (field.bytes > 0)
            fields->values[i] = field;
    }
    return true;
}

static bool
read_headers(const struct check_parser *parser, struct identity_fields *fields)
{
    const cJSON *object = parser->values[HEADERS], *value;
    size_t count = 0;

    if (object == NULL)
        return true;
    if (!cJSON_IsObject(object))
        return refuse(parser, "headers", "must be an object of strings");
    cJSON_ArrayForEach(value, object)
    {
        if (++count > HEADERS_MAX)
            return refuse(parser, "headers", "must not have more than " STRINGIFY(HEADERS_MAX) " fields");
        if (!read_header(parser, value, fields))
            return false;
    }
    return true;
}

static bool
read_address(const struct check_parser *parser, struct address *address)
{
    const char *text = json_body_string(parser->values[IP], parser->place, "ip", parser->error);

    return text != NULL && (address_parse(address, text, strlen(text)) ||
                            refuse(parser, "ip", "must be an IPv4 or an IPv6 address"));
}

/* By the headers and the address in the object, not by those of the application's own request. */
static bool
identify_client(struct check_parser *parser)
{
    static const struct networks no_proxies = {0};
    struct limiter_take *take = &parser->check->take;
    struct identity_fields fields = {0};
    struct address address;
    struct peer peer, *known = NULL;

    if (!read_headers(parser, &fields))
        return false;
    if (parser->values[IP] != NULL) {
        if (!read_address(parser, &address))
            return false;
        peer_of_address(&peer, &address, false);
        known = &peer;
    }
    if (take->rule == NULL)
        return true; /* not limited */
    switch (identify(&take->client, &take->address, take->rule, &fields, known, &no_proxies)) {
    case IDENTITY_FOUND:
        return true;
    case IDENTITY_BAD:
        return refuse(parser, "headers", "must not have control bytes in the value that names the client");
    case IDENTITY_ABSENT:
        break;
    }
    return refuse(parser, "client",
                  "is missing, and neither headers nor ip name one by the rule's identify_by");
}

static bool
read_client(struct check_parser *parser)
{
    const char *name;

    if (parser->values[CLIENT] == NULL)
        return identify_client(parser);
    if (parser->values[HEADERS] != NULL)
        return refuse(parser, "headers", "is not allowed beside client");
    if (parser->values[IP] != NULL)
        return refuse(parser, "ip", "is not allowed beside client");
    name = json_body_string(parser->values[CLIENT], parser->place, "client", parser->error);
    if (name != NULL)
        client_write(&parser->check->take.client, "client", name, strlen(name));
    return name != NULL;
}

static bool
read_cost(const struct check_parser *parser)
{
    const cJSON *cost = parser->values[COST];

    return cost == NULL ||
           json_body_count(cost, parser->place, "cost", &parser->check->take.cost, parser->error);
}

void
check_parse(const struct policy *policy, const cJSON *object, const struct json_body_place *place,
            bool with_cost, struct check *check)
{
    struct check_parser parser = {.policy = policy, .place = place, .check = check, .error = &check->error};
    size_t key_count = sizeof(keys) / sizeof(keys[0]) - !with_cost; /* it is the last key */
    const char *unknown = with_cost
                              ? "has a field that is none of rule, client, cost, path, method, headers, ip"
                              : "has a field that is none of rule, client, path, method, headers, ip";

    if (json_body_fields(object, place, keys, key_count, unknown, parser.values, FIELDS, parser.error) &&
        (parser.values[RULE] != NULL ? read_rule(&parser) : match_rule(&parser)) && read_cost(&parser))
        read_client(&parser);
}

const cJSON *
check_parse_list(const cJSON *root, struct json_error *error)
{
    static const struct json_body_key list_keys[] = {{"checks", 0}};
    const cJSON *list;
    int count;

    if (!json_body_fields(root, &json_body_root, list_keys, 1, "has a field that is not checks", &list, 1,
                          error))
        return NULL;
    count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (count >= 1 && count <= CHECKS_MAX)
        return list;
    json_error(error, &json_body_root, 400, "must be an array of 1 to " STRINGIFY(CHECKS_MAX) " objects",
               "checks");
    return NULL;
}
