#include "client_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_string.h"
#include "number.h"
#include "override_keeper.h"
#include "overrides.h"

#define BODY_BYTES_MAX 4000 /* so that the override, with its names, fits OVERRIDE_TEXT_BYTES */

enum { CLIENT, RULE, FOR, LIMITS, ALGORITHM, CAPACITY, REFILL_RATE, LIMIT, WINDOW, FIELDS };

static const struct json_body_key keys[] = {
    {"client", CLIENT},           {"rule", RULE},           {"for", FOR},
    {"limits", LIMITS},           {"algorithm", ALGORITHM}, {"capacity", CAPACITY},
    {"refill_rate", REFILL_RATE}, {"limit", LIMIT},         {"window", WINDOW},
};

/* How many of the keys a kind of change takes, from the first on, and what to say of others. */
static const struct {
    size_t keys;
    const char *unknown;
} accepted[] = {
    [CLIENT_BLOCK] = {3, "has an unknown field; accepted: client, rule, for"},
    [CLIENT_LIMIT] = {FIELDS,
                      "has an unknown field; accepted: client, rule, for, limits, algorithm, capacity, "
                      "refill_rate, limit, window"},
    [CLIENT_RESTORE] = {2, "has an unknown field; accepted: client, rule"},
};

static bool
fail(struct client_body *body, unsigned status, const char *field, const char *why)
{
    return json_error(&body->error, status, field, why);
}

static cJSON *
parse(struct client_body *body, const struct field *text)
{
    struct json_body json;
    size_t mark = json_text_mark_bytes(text->text, text->bytes);

    if (text->bytes > BODY_BYTES_MAX) {
        fail(body, 413, "", "must have at most 4000 bytes");
        return NULL;
    }
    json_body_init(&json, text->text, text->bytes);
    while (!json.scan.ended)
        if (!json_body_check(&json, text->bytes, &body->error))
            return NULL;
    return cJSON_ParseWithLength(text->text + mark, text->bytes - mark);
}

static bool
has_rule(const struct override_list *list, const struct policy *policy, const struct client_body *body)
{
    return policy_rule(policy, body->rule) != NULL ||
           (body->kind == CLIENT_RESTORE && override_list_find(list, body->id) < list->count);
}

/* Rules that are gone still have overrides to restore. */
static bool
read_rule(struct client_body *body, const cJSON *value)
{
    const char *rule;

    if (value == NULL)
        return body->kind != CLIENT_LIMIT || fail(body, 400, "rule", "is needed: a limit is one of a rule");
    rule = json_body_string(value, "rule", &body->error);
    if (rule == NULL)
        return false;
    if (!rule_name_is_good(rule))
        return fail(body, 404, "rule", "is not the name of a rule");
    memcpy(body->rule, rule, strlen(rule) + 1);
    return true;
}

static bool
read_client(struct client_body *body, const cJSON *value)
{
    struct client_name name;
    const char *client, *why;

    if (value == NULL)
        return fail(body, 400, "client", "is needed: an address, a network or a name");
    client = json_body_string(value, "client", &body->error);
    if (client == NULL)
        return false;
    why = client_name_parse(&name, client, strlen(client));
    if (why != NULL)
        return fail(body, 400, "client", why);
    override_write_id(body->id, body->rule, &name);
    return true;
}

static bool
read_for(struct client_body *body, const cJSON *value)
{
    if (body->kind == CLIENT_RESTORE)
        return true;
    if (value == NULL)
        return fail(body, 400, "for", "is needed: a duration from 1s to 366d, such as 10m");
    return (cJSON_IsString(value) && duration_parse(value->valuestring, &body->for_us) &&
            body->for_us >= US_PER_S) ||
           fail(body, 400, "for", "must be a duration from 1s to 366d, such as 10m");
}

/* What the limits mean under the rule of this node, for their mistakes. */
static bool
check_limits(struct client_body *body, const struct policy *policy, const cJSON *limits)
{
    struct limit_set compiled;

    if (cJSON_GetArraySize(limits) == 0)
        return fail(body, 400, "", "needs a limit: limit, capacity, refill_rate, window or limits");
    return overrides_read_limits(limits, policy, policy_rule(policy, body->rule), &compiled, &body->mistakes);
}

static bool
make_override(struct client_body *body, const struct policy *policy, const cJSON *const *values)
{
    cJSON *treatment = body->kind == CLIENT_BLOCK ? cJSON_CreateString("blocked") : cJSON_CreateObject();
    bool is_good = treatment != NULL;

    for (size_t i = LIMITS; body->kind == CLIENT_LIMIT && is_good && i < FIELDS; i++)
        if (values[i] != NULL)
            is_good = cJSON_AddItemToObject(treatment, keys[i].name, cJSON_Duplicate(values[i], true));
    if (body->kind == CLIENT_LIMIT && is_good)
        is_good = check_limits(body, policy, treatment);
    if (is_good)
        body->override = override_new(values[CLIENT]->valuestring, body->rule, treatment, 0);
    cJSON_Delete(treatment);
    return body->override != NULL;
}

static bool
read_fields(struct client_body *body, const struct endpoint_request *request, const cJSON *root)
{
    const struct override_list *list = override_keeper_list(request->context->limiter->keeper);
    const cJSON *values[FIELDS];

    if (!json_body_fields(root, keys, accepted[body->kind].keys, accepted[body->kind].unknown, values, FIELDS,
                          &body->error) ||
        !read_rule(body, values[RULE]) || !read_client(body, values[CLIENT]) || !read_for(body, values[FOR]))
        return false;
    if (body->rule[0] != '\0' && !has_rule(list, request->policy, body))
        return fail(body, 404, "rule", "is not the name of a rule");
    return body->kind == CLIENT_RESTORE || make_override(body, request->policy, values);
}

bool
client_body_read(struct client_body *body, const struct endpoint_request *request)
{
    cJSON *root;
    bool is_good;

    report_init(&body->mistakes);
    root = parse(body, &request->body);
    is_good = root != NULL && read_fields(body, request, root);
    cJSON_Delete(root);
    return is_good;
}

/* A line of the report, "$.limits[0].window: must be ...", as field and sentence. */
static void
put_mistake(FILE *out, const char *line, const struct field *trace_id)
{
    const char *place = strncmp(line, "$.", 2) == 0 ? line + 2 : "", *colon = strstr(place, ": ");
    char *field = colon != NULL ? strndup(place, (size_t)(colon - place)) : NULL;
    char *detail = NULL;

    if (asprintf(&detail, "%s %s.",
                 field != NULL ? field : "limits:", colon != NULL ? colon + 2 : line + strlen("$: ")) < 0)
        detail = NULL;
    fputs("{\"detail\": ", out);
    json_string_put(out, detail != NULL ? detail : "The limits have mistakes.");
    fputs(", \"field\": ", out);
    json_string_put(out, field != NULL ? field : "limits");
    fprintf(out, ", \"type\": \"about:blank\", \"title\": \"%s\", \"status\": 400", response_title(400));
    json_trace_id_put(out, trace_id);
    fputs("}\n", out);
    free(detail);
    free(field);
}

static struct response
mistake_problem(const char *line, const struct endpoint_request *request)
{
    struct response_body body;
    FILE *out = response_body_open(&body);

    if (out != NULL)
        put_mistake(out, line, &request->headers->trace_id);
    return response_body_close(&body, 400, RESPONSE_PROBLEM, request->closing);
}

struct response
client_body_problem(const struct client_body *body, const struct endpoint_request *request)
{
    char detail[JSON_ERROR_BYTES];

    if (body->mistakes.count > 0)
        return mistake_problem(body->mistakes.lines[0], request);
    if (body->error.status == 0) /* out of memory */
        return (struct response){0};
    json_error_text(&body->error, detail);
    return endpoint_problem_about(request, body->error.status,
                                  body->error.field[0] != '\0' ? body->error.field : NULL, detail);
}

void
client_body_fini(struct client_body *body)
{
    override_free(body->override);
    report_fini(&body->mistakes);
}
