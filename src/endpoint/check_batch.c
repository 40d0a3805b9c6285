/*
 * check_batch: POST /v1/check/batch, up to a thousand checks in one request.
 */
#include <stdlib.h>

#include "api_request.h"
#include "check_parser.h"
#include "decision_json.h"
#include "render.h"

#define BATCH_BODY_BYTES (1024 * 1024) /* a thousand checks fit */

static struct checks *
parse(const struct endpoint_request *request, const struct checks_caller *caller, const cJSON *root,
      struct json_error *error)
{
    const cJSON *list = check_parse_list(root, error), *object;
    struct json_body_place place = {.list = "checks"};
    struct checks *checks;

    if (list == NULL)
        return NULL;
    checks = checks_new(caller, (uint32_t)cJSON_GetArraySize(list));
    if (checks == NULL)
        return NULL;
    cJSON_ArrayForEach(object, list)
    {
        check_parse(request->policy, object, &place, true, &checks->list[place.index]);
        place.index++;
    }
    return checks;
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    return api_request_start(request, parse);
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
results_bytes(const struct checks *checks)
{
    size_t bytes = 64;

    for (uint32_t i = 0; i < checks->count; i++) {
        const struct check *check = &checks->list[i];
        uint32_t limits = check->take.limits != NULL ? check->take.limits->count : 0;
        bytes += check->error.status != 0 ? 256 + JSON_ERROR_BYTES : 64 + DECISION_JSON_BYTES(limits);
    }
    return bytes;
}

static struct response
finish(struct endpoint_request *request)
{
    const struct checks *checks = api_request_checks(request);
    struct text text = {.room = results_bytes(checks)};

    text.start = malloc(text.room);
    if (text.start == NULL)
        return (struct response){0};
    text_put(&text, "{\"results\": [");
    for (uint32_t i = 0; i < checks->count; i++) {
        text_put(&text, i > 0 ? ",\n" : "\n");
        put_result(&text, &checks->list[i]);
    }
    text_put(&text, "\n]}\n");
    return response_owning(200, &text, RESPONSE_JSON, request->closing);
}

const struct endpoint check_batch_endpoint = {.reads_body = true,
                                              .body_bytes_max = BATCH_BODY_BYTES,
                                              .start = start,
                                              .finish = finish,
                                              .free = api_request_free};
