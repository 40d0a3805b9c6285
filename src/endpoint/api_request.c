#include "api_request.h"

static void
on_checked(struct checks *checks)
{
    struct endpoint_request *request = checks->caller.arg;

    request->resume(request);
}

/* An error without a status means out of memory; there is no response then. */
static enum endpoint_status
refuse(struct endpoint_request *request, const struct json_error *error)
{
    char text[JSON_ERROR_BYTES];

    request->response = (struct response){0};
    if (error->status != 0) {
        json_error_text(error, text);
        request->response = response_problem(error->status, error->field[0] != '\0' ? error->field : NULL,
                                             text, request->closing);
    }
    return ENDPOINT_ANSWERED;
}

enum endpoint_status
api_request_start(struct endpoint_request *request, api_request_parse *parse)
{
    struct checks_caller caller = {
        .limiter = request->context->limiter, .callback = on_checked, .arg = request};
    struct json_error error = {0};
    cJSON *root = json_body_parse(request->body.text, request->body.bytes, &error);

    if (root != NULL)
        request->state = parse(request, &caller, root, &error);
    cJSON_Delete(root);
    if (request->state == NULL)
        return refuse(request, &error);
    return checks_start(request->state) == LIMITER_DONE ? ENDPOINT_DONE : ENDPOINT_PENDING;
}

const struct checks *
api_request_checks(const struct endpoint_request *request)
{
    return request->state;
}

bool
api_request_is_any_unavailable(const struct endpoint_request *request)
{
    const struct checks *checks = request->state;

    for (uint32_t i = 0; i < checks->count; i++)
        if (checks->list[i].take.verdict == VERDICT_UNAVAILABLE)
            return true;
    return false;
}

void
api_request_free(struct endpoint_request *request, bool pending)
{
    (void)pending; /* the list knows */
    checks_free(request->state);
    request->state = NULL;
}
