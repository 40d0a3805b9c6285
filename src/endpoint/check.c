/*
 * check: POST /v1/check, which decides one check, and POST /v1/reset, which forgets what was counted for one
 * client.
 */
#include "api_request.h"
#include "check_parser.h"
#include "render.h"

static bool
read_check(struct api_request *api, const cJSON *object, struct check *check)
{
    check_parse(api->request->policy, object, true, check);
    api->error = check->error;
    return api->error.status == 0;
}

static struct response
answer_check(struct api_request *api)
{
    return render_check(api->request->context->renderer, &api->checks->list[0].take, api->request->closing);
}

static const struct api check_api = {.read_check = read_check, .finish = answer_check};

static bool
read_reset(struct api_request *api, const cJSON *object, struct check *check)
{
    check_parse(api->request->policy, object, false, check);
    api->error = check->error;
    if (api->error.status == 0 && check->take.rule == NULL)
        json_error(&api->error, 404, "path", "is matched by no rule, so nothing is counted for it");
    return api->error.status == 0;
}

static struct response
answer_reset(struct api_request *api)
{
    char buffer[256];
    struct text text = {.start = buffer, .room = sizeof(buffer)};

    if (api->checks->unavailable)
        return render_unavailable(&api->request->headers->trace_id, api->request->closing);
    text_put(&text, "{\"reset\": true, \"rule\": \"%s\"}\n", api->checks->list[0].take.rule->name);
    return response_new(200, &text, RESPONSE_JSON, api->request->closing);
}

static const struct api reset_api = {.is_reset = true, .read_check = read_reset, .finish = answer_reset};

const struct endpoint check_endpoint = API_ENDPOINT(.kind = &check_api);
const struct endpoint reset_endpoint = API_ENDPOINT(.kind = &reset_api);
