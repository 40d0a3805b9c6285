/*
 * check: POST /v1/check, which decides one check, and POST /v1/reset, which forgets what was counted for one client.
 */
#include "api_request.h"
#include "check_parser.h"
#include "render.h"

static struct checks *
parse_one(const struct endpoint_request *request, const struct checks_caller *caller, const cJSON *root,
          bool with_cost, struct json_error *error)
{
    struct checks *checks = checks_new(caller, 1);

    if (checks == NULL)
        return NULL;
    check_parse(request->policy, root, &json_body_root, with_cost, &checks->list[0]);
    *error = checks->list[0].error;
    return checks;
}

/* The checks, unless there is an error. */
static struct checks *
unless_error(struct checks *checks, const struct json_error *error)
{
    if (error->status == 0)
        return checks;
    checks_free(checks);
    return NULL;
}

static struct checks *
parse_check(const struct endpoint_request *request, const struct checks_caller *caller, const cJSON *root,
            struct json_error *error)
{
    return unless_error(parse_one(request, caller, root, true, error), error);
}

static enum endpoint_status
start_check(struct endpoint_request *request)
{
    return api_request_start(request, parse_check);
}

static struct response
finish_check(struct endpoint_request *request)
{
    return render_check(request->context->renderer, &api_request_checks(request)->list[0].take,
                        request->closing);
}

static struct checks *
parse_reset(const struct endpoint_request *request, const struct checks_caller *caller, const cJSON *root,
            struct json_error *error)
{
    struct checks *checks = parse_one(request, caller, root, false, error);

    if (checks == NULL)
        return NULL;
    checks->is_reset = true;
    if (error->status == 0 && checks->list[0].take.rule == NULL)
        json_error(error, &json_body_root, 404, "is matched by no rule, so nothing is counted for it",
                   "path");
    return unless_error(checks, error);
}

static enum endpoint_status
start_reset(struct endpoint_request *request)
{
    return api_request_start(request, parse_reset);
}

static struct response
finish_reset(struct endpoint_request *request)
{
    char buffer[256];
    struct text text = {.start = buffer, .room = sizeof(buffer)};

    if (api_request_is_any_unavailable(request))
        return render_unavailable(request->closing);
    text_put(&text, "{\"reset\": true, \"rule\": \"%s\"}\n",
             api_request_checks(request)->list[0].take.rule->name);
    return response_new(200, &text, RESPONSE_JSON, request->closing);
}

const struct endpoint check_endpoint = {
    .reads_body = true, .start = start_check, .finish = finish_check, .free = api_request_free};
const struct endpoint reset_endpoint = {
    .reads_body = true, .start = start_reset, .finish = finish_reset, .free = api_request_free};
