/*
 * check_batch: POST /v1/check/batch, up to a thousand checks in one request.
 */
#include "api_request.h"
#include "check_parser.h"
#include "decision_json.h"
#include "render.h"
#include "stringify.h"

#define BATCH_BODY_BYTES (1024 * 1024) /* a thousand checks fit */

static bool
read_root(struct api_request *api, const cJSON *root)
{
    static const struct json_body_key keys[] = {{"checks", 0}};
    size_t count = api->body.scan.list.count;
    const cJSON *list;

    if (!json_body_fields(root, keys, 1, "has a field that is not checks", &list, 1, &api->error))
        return false;
    return (cJSON_IsArray(list) && count >= 1 && count <= CHECKS_MAX) ||
           json_error(&api->error, 400, "checks",
                      "must be an array of 1 to " STRINGIFY(CHECKS_MAX) " objects");
}

/* An error is the check's alone. */
static bool
read_check(struct api_request *api, const cJSON *object, struct check *check)
{
    check->error.list = "checks";
    check->error.index = api->parsed - 1;
    check_parse(api->request->policy, object, true, check);
    return true;
}

/* What /v1/check would have answered, and with which status. */
static void
put_result(struct text *text, const struct check *check)
{
    const struct limiter_take *take = &check->take;
    char error[JSON_ERROR_BYTES];

    if (check->error.status != 0) {
        json_error_text(&check->error, error);
        text_put(text, "{\"status\": %u, \"detail\": \"%s\", \"field\": \"%s\"}", check->error.status, error,
                 check->error.field);
    } else if (take->verdict == VERDICT_UNAVAILABLE) {
        text_put(text, "{\"status\": 503, \"detail\": \"" RENDER_UNAVAILABLE "\"}");
    } else {
        text_put(text, "{\"status\": %u, ", decision_json_status(take));
        decision_json_put(text, take);
        text_put(text, "}");
    }
}

static size_t
answer_bytes(const struct api_request *api)
{
    size_t bytes = 64;

    for (uint32_t i = 0; i < api->checks->count; i++) {
        const struct check *check = &api->checks->list[i];
        uint32_t limits = check->take.limits != NULL ? check->take.limits->count : 0;
        bytes += check->error.status != 0 ? 256 + JSON_ERROR_BYTES : 64 + DECISION_JSON_BYTES(limits);
    }
    return bytes;
}

static void
write_check(struct api_request *api, uint32_t index)
{
    text_put(&api->text, index == 0 ? "{\"results\": [\n" : ",\n");
    put_result(&api->text, &api->checks->list[index]);
}

static struct response
answer(struct api_request *api)
{
    text_put(&api->text, "\n]}\n");
    return response_owning(200, &api->text, RESPONSE_JSON, api->request->closing);
}

static const struct api batch_api = {.is_list = true,
                                     .read_root = read_root,
                                     .read_check = read_check,
                                     .answer_bytes = answer_bytes,
                                     .write_check = write_check,
                                     .finish = answer};

const struct endpoint check_batch_endpoint =
    API_ENDPOINT(.kind = &batch_api, .body_bytes_max = BATCH_BODY_BYTES);
