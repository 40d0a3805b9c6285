#include "check_parser.h"

#include <string.h>
#include <strings.h>

#include "cookie.h"
#include "headers.h"
#include "host.h"
#include "identity.h"
#include "path.h"
#include "stringify.h"
#include "target.h"

enum { RULE, CLIENT, COST, PATH, METHOD, HOST, HEADERS, IP, FIELDS };

static const struct json_body_key keys[] = {
    {"rule", RULE}, {"client", CLIENT},   {"path", PATH}, {"method", METHOD},
    {"host", HOST}, {"headers", HEADERS}, {"ip", IP},     {"cost", COST},
};

/* One object being read. */
struct check_parser {
    const struct policy *policy;
    const cJSON *values[FIELDS];
    struct check *check;
    struct json_error *error; /* the check's */

    struct policy_request asked;
    struct identity_fields fields;
    struct field host;     /* the header */
    struct target *target; /* room for it, */
    char *host_text;       /* and for the host: HOST_BYTES_MAX bytes */
};

static bool
refuse(const struct check_parser *parser, const char *field, const char *why)
{
    return json_error(parser->error, 400, field, why);
}

static bool
read_rule(struct check_parser *parser)
{
    const char *name = json_body_string(parser->values[RULE], "rule", parser->error);

    if (name == NULL)
        return false;
    if (parser->values[PATH] != NULL)
        return refuse(parser, "path", "is not allowed beside rule");
    if (parser->values[METHOD] != NULL)
        return refuse(parser, "method", "is not allowed beside rule");
    parser->check->take.rule = policy_rule(parser->policy, name);
    return parser->check->take.rule != NULL ||
           json_error(parser->error, 404, "rule", "is not the name of a rule");
}

static bool
read_header(struct check_parser *parser, const cJSON *value)
{
    const struct policy *policy = parser->policy;
    struct identity_fields *fields = &parser->fields;
    struct field field;
    bool twice;

    if (!cJSON_IsString(value))
        return refuse(parser, "headers", "must be an object of strings");
    field = field_trimmed(value->valuestring, strlen(value->valuestring));
    if (field.bytes == 0)
        return true;
    twice = strcasecmp(value->string, "Host") == 0 && parser->host.text != NULL;
    if (strcasecmp(value->string, "Host") == 0)
        parser->host = field;
    for (uint32_t i = 0; i < policy->cookie_count && strcasecmp(value->string, "Cookie") == 0; i++)
        if (fields->cookies[i].text == NULL)
            fields->cookies[i] = cookie_find(&field, policy->cookies[i]);
    for (uint32_t i = 0; i < policy->header_count; i++) {
        if (strcasecmp(policy->headers[i], value->string) != 0)
            continue;
        twice |= fields->headers[i].text != NULL;
        fields->headers[i] = field;
    }
    return !twice || refuse(parser, "headers", "contains a header twice");
}

static bool
read_headers(struct check_parser *parser)
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
        if (!read_header(parser, value))
            return false;
    }
    return true;
}

/* `host`, else the one in an absolute `path`, else the header. */
static bool
read_host(struct check_parser *parser)
{
    static const char why[] = "must be the name of a host or its address";
    const cJSON *path = parser->values[PATH];
    struct field host = {.text = NULL};

    if (parser->values[HOST] != NULL) {
        host.text = json_body_string(parser->values[HOST], "host", parser->error);
        if (host.text == NULL)
            return false;
        host.bytes = strlen(host.text);
        parser->asked.host = host_normalise(&host, parser->host_text);
        return parser->asked.host.text != NULL || refuse(parser, "host", why);
    }
    if (cJSON_IsString(path))
        host = target_host(path->valuestring, strlen(path->valuestring));
    if (host.text == NULL)
        host = parser->host;
    if (!parser->policy->reads_host || host.text == NULL)
        return true;
    parser->asked.host = host_normalise(&host, parser->host_text);
    return parser->asked.host.text != NULL ||
           refuse(parser, host.text == parser->host.text ? "headers" : "path", why);
}

static bool
match_rule(struct check_parser *parser)
{
    const cJSON *method = parser->values[METHOD];
    const char *target, *name = "GET";
    enum target_status status;

    if (parser->values[PATH] == NULL)
        return refuse(parser, "rule", "is missing, and so is path");
    if (method != NULL && (name = json_body_string(method, "method", parser->error)) == NULL)
        return false;
    target = json_body_string(parser->values[PATH], "path", parser->error);
    if (target == NULL)
        return false;
    status = target_read(parser->target, target, strlen(target));
    if (status == TARGET_TOO_LONG)
        return refuse(parser, "path", "must not have more than " STRINGIFY(TARGET_BYTES_MAX) " bytes");
    if (status == TARGET_BAD)
        return refuse(parser, "path", "must be a path that begins with /, without control bytes");
    parser->asked.path = parser->target->path;
    parser->asked.method = method_by_name(name, strlen(name));
    parser->check->take.rule = policy_match(parser->policy, &parser->asked);
    return true;
}

static bool
read_address(const struct check_parser *parser, struct address *address)
{
    const char *text = json_body_string(parser->values[IP], "ip", parser->error);

    return text != NULL && (address_parse(address, text, strlen(text)) ||
                            refuse(parser, "ip", "must be an IPv4 or an IPv6 address"));
}

/* By the headers and the address in the object, not by those of the application's own request. */
static bool
identify_client(struct check_parser *parser)
{
    static const struct networks no_proxies = {0};
    struct identity_request request = {
        .asked = &parser->asked, .fields = &parser->fields, .trusted = &no_proxies};
    struct limiter_take *take = &parser->check->take;
    struct address address;
    struct peer peer;

    if (parser->values[IP] != NULL) {
        if (!read_address(parser, &address))
            return false;
        peer_of_address(&peer, &address, false);
        request.peer = &peer;
    }
    if (take->rule == NULL)
        return true; /* not limited */
    switch (identify(take, &request)) {
    case IDENTITY_FOUND:
        return true;
    case IDENTITY_BAD:
        return refuse(parser, "headers", "must not have control bytes in the value that names the client");
    case IDENTITY_UNCLEAR:
        return refuse(
            parser, "path",
            "must not have an encoded slash (%2F) that makes it unclear which segment names the client");
    case IDENTITY_ABSENT:
        break;
    }
    return refuse(parser, "client", "is missing, and the other fields name none by the rule's identify_by");
}

static bool
read_client(struct check_parser *parser)
{
    const char *name;

    if (parser->values[CLIENT] == NULL)
        return identify_client(parser);
    if (parser->values[HEADERS] != NULL && parser->values[RULE] != NULL)
        return refuse(parser, "headers", "is not allowed beside rule and client");
    if (parser->values[HOST] != NULL && parser->values[RULE] != NULL)
        return refuse(parser, "host", "is not allowed beside rule and client");
    if (parser->values[IP] != NULL)
        return refuse(parser, "ip", "is not allowed beside client");
    name = json_body_string(parser->values[CLIENT], "client", parser->error);
    if (name != NULL)
        client_write(&parser->check->take.client, "client", name, strlen(name));
    return name != NULL;
}

static bool
read_cost(const struct check_parser *parser)
{
    struct limiter_take *take = &parser->check->take;
    const cJSON *cost = parser->values[COST];

    if (cost != NULL)
        return json_body_count(cost, "cost", &take->cost, parser->error);
    take->cost = take->rule != NULL ? take->rule->cost : 1;
    return true;
}

void
check_parse(const struct policy *policy, const cJSON *object, bool with_cost, struct check *check)
{
    struct target target;
    char host_text[HOST_BYTES_MAX];
    struct check_parser parser = {
        .policy = policy, .check = check, .error = &check->error, .target = &target, .host_text = host_text};
    size_t key_count = sizeof(keys) / sizeof(keys[0]) - !with_cost; /* it is the last key */
    const char *unknown =
        with_cost ? "has an unknown field; accepted: rule, client, cost, path, method, host, headers, ip"
                  : "has an unknown field; accepted: rule, client, path, method, host, headers, ip";

    parser.asked.headers = parser.fields.headers;
    parser.asked.cookies = parser.fields.cookies;
    if (json_body_fields(object, keys, key_count, unknown, parser.values, FIELDS, parser.error) &&
        read_headers(&parser) && read_host(&parser) &&
        (parser.values[RULE] != NULL ? read_rule(&parser) : match_rule(&parser)) && read_cost(&parser))
        read_client(&parser);
}
