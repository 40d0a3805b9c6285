#include "api_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "check_parser.h"
#include "checks.h"
#include "decision_json.h"
#include "envoy_json.h"
#include "exchange.h"
#include "json_body.h"
#include "upload.h"

struct api_request {
    struct exchange_context *context;
    enum endpoint endpoint;
    void (*callback)(void *arg);
    void *arg;
    bool closing;
    struct checks *checks; /* NULL: the body is not read yet */
    struct upload body;
};

static const struct json_body_place root_place = {0};

bool
api_request_is_for(enum endpoint endpoint)
{
    return endpoint == ENDPOINT_API_CHECK || endpoint == ENDPOINT_API_BATCH ||
           endpoint == ENDPOINT_API_RESET || endpoint == ENDPOINT_ENVOY;
}

struct api_request *
api_request_new(struct exchange_context *context, const struct address *peer, enum endpoint endpoint,
                bool closing, void (*callback)(void *arg), void *arg)
{
    struct api_request *call = malloc(sizeof(*call));

    if (call == NULL)
        return NULL;
    call->context = context;
    call->endpoint = endpoint;
    call->callback = callback;
    call->arg = arg;
    call->closing = closing;
    call->checks = NULL;
    upload_init(&call->body, &context->uploads, peer);
    return call;
}

static bool
closes(const struct api_request *call)
{
    return call->closing || call->context->draining;
}

void
api_request_keep(struct api_request *call, const char *bytes, size_t count)
{
    upload_put(&call->body, bytes, count);
}

/* Reading: the tree to checks. NULL with a mistake (status 0: memory is out). */

static struct checks *
read_one(const struct api_request *call, const struct checks_caller *caller, const cJSON *root,
         struct json_error *mistake)
{
    bool is_reset = call->endpoint == ENDPOINT_API_RESET;
    struct checks *checks = checks_new(caller, 1);

    if (checks == NULL)
        return NULL;
    checks->is_reset = is_reset;
    check_parse(call->context->policy, root, &root_place, !is_reset, &checks->list[0]);
    if (is_reset && checks->list[0].take.rule == NULL && checks->list[0].mistake.status == 0)
        json_error(&checks->list[0].mistake, &root_place, 404,
                   "is matched by no rule, so nothing is counted for it", "path");
    if (checks->list[0].mistake.status == 0)
        return checks;
    *mistake = checks->list[0].mistake;
    checks_free(checks);
    return NULL;
}

static struct checks *
read_batch(const struct api_request *call, const struct checks_caller *caller, const cJSON *root,
           struct json_error *mistake)
{
    const cJSON *list = check_parse_list(root, mistake), *object;
    struct json_body_place place = {.list = "checks"};
    struct checks *checks;

    if (list == NULL)
        return NULL;
    checks = checks_new(caller, (uint32_t)cJSON_GetArraySize(list));
    if (checks == NULL)
        return NULL;
    cJSON_ArrayForEach(object, list)
    {
        check_parse(call->context->policy, object, &place, true, &checks->list[place.index]);
        place.index++;
    }
    return checks;
}

static void
on_answered(struct checks *checks)
{
    struct api_request *call = checks->caller.arg;

    call->callback(call->arg);
}

static struct checks *
read_body(struct api_request *call, const cJSON *root, struct json_error *mistake)
{
    struct checks_caller caller = {.limiter = call->context->limiter, .callback = on_answered, .arg = call};
    struct checks *checks;

    if (call->endpoint == ENDPOINT_ENVOY)
        checks = envoy_json_parse(call->context->policy, &caller, root, call->body.bytes, mistake);
    else if (call->endpoint == ENDPOINT_API_BATCH)
        checks = read_batch(call, &caller, root, mistake);
    else
        checks = read_one(call, &caller, root, mistake);
    return checks;
}

/* Asking. */

static struct response
answer_mistake(const struct api_request *call, const struct json_error *mistake)
{
    char sentence[JSON_ERROR_BYTES];

    if (mistake->status == 0)
        return (struct response){0};
    json_error_text(mistake, sentence);
    return response_problem(mistake->status, mistake->field[0] != '\0' ? mistake->field : NULL, sentence,
                            closes(call));
}

enum api_request_status
api_request_ask(struct api_request *call, struct response *answer)
{
    struct json_error mistake = {0};
    cJSON *root;

    if (call->body.refused) {
        *answer = response_problem(503, NULL, "Too many requests with bodies are under way.", closes(call));
        response_header(answer, "Retry-After", "1");
        return API_REQUEST_MISTAKE;
    }
    root = json_body_parse(upload_text(&call->body), call->body.bytes, &mistake);
    if (root != NULL)
        call->checks = read_body(call, root, &mistake);
    cJSON_Delete(root);
    upload_clear(&call->body);
    if (call->checks == NULL) {
        *answer = answer_mistake(call, &mistake);
        return API_REQUEST_MISTAKE;
    }
    return checks_start(call->checks) == LIMITER_DONE ? API_REQUEST_DONE : API_REQUEST_PENDING;
}

/* Telling. */

static bool
is_any_unavailable(const struct checks *checks)
{
    for (uint32_t i = 0; i < checks->count; i++)
        if (checks->list[i].take.verdict == VERDICT_UNAVAILABLE)
            return true;
    return false;
}

static struct response
answer_reset(const struct api_request *call)
{
    char buffer[256];
    struct text text = {.start = buffer, .room = sizeof(buffer)};

    text_put(&text, "{\"reset\": true, \"rule\": \"%s\"}\n", call->checks->list[0].take.rule->name);
    return response_new(200, &text, RESPONSE_JSON, closes(call));
}

/* One element of a batch's results: what /v1/check would have answered, and with which status. */
static void
put_result(struct text *text, const struct check *check)
{
    const struct limiter_take *take = &check->take;
    char sentence[JSON_ERROR_BYTES];

    if (check->mistake.status != 0) {
        json_error_text(&check->mistake, sentence);
        text_put(text, "{\"status\": %u, \"detail\": \"%s\", \"field\": \"%s\"}", check->mistake.status,
                 sentence, check->mistake.field);
    } else if (take->verdict == VERDICT_UNAVAILABLE) {
        text_put(text, "{\"status\": 503, \"detail\": \"" RENDER_UNAVAILABLE "\"}");
    } else {
        text_put(text, "{\"status\": %u, ", take->verdict == VERDICT_ALLOWED ? 200 : 429);
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
        uint32_t limits = check->take.rule != NULL ? check->take.rule->limit_count : 0;
        bytes += check->mistake.status != 0 ? 256 + JSON_ERROR_BYTES : 64 + DECISION_JSON_BYTES(limits);
    }
    return bytes;
}

static struct response
answer_batch(const struct api_request *call)
{
    const struct checks *checks = call->checks;
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
    return response_owning(200, &text, RESPONSE_JSON, closes(call));
}

struct response
api_request_answer(const struct api_request *call)
{
    bool closing = closes(call);

    if (call->endpoint == ENDPOINT_API_BATCH)
        return answer_batch(call);
    if (call->endpoint == ENDPOINT_API_CHECK)
        return render_check(call->context->renderer, &call->checks->list[0].take, closing);
    if (is_any_unavailable(call->checks))
        return render_unavailable(closing);
    if (call->endpoint == ENDPOINT_API_RESET)
        return answer_reset(call);
    assert(call->endpoint == ENDPOINT_ENVOY);
    return envoy_json_response(call->checks, closing);
}

void
api_request_free(struct api_request *call)
{
    if (call == NULL)
        return;
    upload_clear(&call->body);
    checks_free(call->checks);
    free(call);
}
