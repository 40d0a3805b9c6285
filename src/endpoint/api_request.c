#include "api_request.h"

#include <stdlib.h>

#include "container_of.h"
#include "render.h"

#define SCAN_BYTES 4096 /* in a step */

static bool
is_small(const struct api_request *api)
{
    return api->request->body.bytes <= API_SMALL_BYTES;
}

/* The stages: each function does a step. */

static void
end(struct api_request *api)
{
    api->stage = API_ENDED;
}

static void
end_without_memory(struct api_request *api)
{
    api->out_of_memory = true;
    end(api);
}

static void
scan(struct api_request *api)
{
    if (!json_body_check(&api->body, SCAN_BYTES, &api->error))
        end(api);
    else if (api->body.scan.ended)
        api->stage = API_ROOT;
}

static void on_checked(struct checks *checks);

static bool
open_checks(struct api_request *api, size_t count)
{
    struct checks_caller caller = {.limiter = api->request->context->limiter,
                                   .share = api->request->share,
                                   .trace_id = api->request->headers->trace_id,
                                   .callback = on_checked,
                                   .arg = api};

    api->checks = checks_new(&caller, (uint32_t)count);
    if (api->checks == NULL)
        end_without_memory(api);
    else
        api->checks->is_reset = api->api->is_reset;
    return api->checks != NULL;
}

/* A check that alone is asked, and of no more than a plain request spends, goes where that does. */
static void
parse_check(struct api_request *api, const cJSON *object)
{
    struct check *check = checks_begin(api->checks, api->parsed++);
    bool is_plain;

    if (!api->api->read_check(api, object, check)) {
        api->out_of_memory = api->error.status == 0;
        end(api);
        return;
    }
    api->work += check_work(check);
    if (api->parsed < api->checks->count)
        return;
    is_plain = api->checks->count == 1 && check->take.cost <= 1;
    if (!is_plain && api->work > API_SMALL_WORK)
        api->checks->caller.turns = api->request->context->turns;
    api->stage = API_ASK;
}

static void
read_root(struct api_request *api)
{
    api->root = json_body_root(&api->body);
    api->stage = API_PARSE;
    if (api->root == NULL)
        end_without_memory(api);
    else if (!api->api->is_list && open_checks(api, 1))
        parse_check(api, api->root);
    else if (api->api->is_list && !api->api->read_root(api, api->root))
        end(api);
    else if (api->api->is_list)
        open_checks(api, api->body.scan.list.count);
}

static void
parse(struct api_request *api)
{
    cJSON *element = json_body_element(&api->body);

    if (element == NULL)
        end_without_memory(api);
    else
        parse_check(api, element);
    cJSON_Delete(element);
}

static void
begin_answer(struct api_request *api)
{
    size_t room = api->api->is_list ? api->api->answer_bytes(api) : 0;

    api->stage = room > 0 ? API_WRITE : API_ENDED;
    if (room == 0)
        return;
    api->text = (struct text){.start = malloc(room), .room = room};
    if (api->text.start == NULL)
        end_without_memory(api);
}

static void
ask(struct api_request *api)
{
    api->stage = API_WAIT;
    if (checks_start(api->checks) == LIMITER_DONE)
        begin_answer(api);
}

static void
write_check(struct api_request *api)
{
    api->api->write_check(api, api->written++);
    if (api->written == api->checks->count)
        end(api);
}

static void (*const stages[])(struct api_request *api) = {[API_SCAN] = scan,
                                                          [API_ROOT] = read_root,
                                                          [API_PARSE] = parse,
                                                          [API_ASK] = ask,
                                                          [API_WRITE] = write_check};

/* From stage to stage. */

static bool
goes_on_at_once(const struct api_request *api)
{
    if (api->stage == API_ENDED || api->stage == API_WAIT)
        return false;
    return api->stage == API_ASK || is_small(api);
}

/* False: the rest follows on a turn, or when the last check is answered. */
static bool
is_ended(struct api_request *api)
{
    while (goes_on_at_once(api))
        stages[api->stage](api);
    if (api->stage == API_ENDED || api->stage == API_WAIT)
        turns_leave(&api->turn);
    else
        turns_work(api->request->context->turns, &api->turn);
    return api->stage == API_ENDED;
}

static void
on_turn(struct turn *turn)
{
    struct api_request *api = container_of(turn, struct api_request, turn);

    api->abandoned = api->request->context->turns->ended;
    if (api->abandoned)
        end(api);
    else
        stages[api->stage](api);
    if (is_ended(api))
        api->request->resume(api->request);
}

static void
on_checked(struct checks *checks)
{
    struct api_request *api = checks->caller.arg;

    begin_answer(api);
    if (is_ended(api))
        api->request->resume(api->request);
}

enum endpoint_status
api_request_start(struct endpoint_request *request)
{
    struct api_request *state = malloc(sizeof(*state));

    if (state == NULL)
        return ENDPOINT_ANSWERED;
    *state = (struct api_request){.api = request->endpoint->kind, .request = request, .turn.step = on_turn};
    json_body_init(&state->body, request->body.text, request->body.bytes);
    request->state = state;
    return is_ended(state) ? ENDPOINT_DONE : ENDPOINT_PENDING;
}

static struct response
refusal(const struct endpoint_request *request, const struct json_error *error)
{
    char text[JSON_ERROR_BYTES];

    json_error_text(error, text);
    return endpoint_problem_about(request, error->status, error->field[0] != '\0' ? error->field : NULL,
                                  text);
}

static struct response
answer(struct api_request *api)
{
    struct response response;

    if (api->out_of_memory)
        return (struct response){0};
    if (api->abandoned)
        return render_unavailable(&api->request->headers->trace_id, api->request->closing);
    if (api->error.status != 0)
        return refusal(api->request, &api->error);
    response = api->api->finish(api);
    api->text.start = NULL; /* the response has it */
    return response;
}

/* Its client may take long to read the answer; that needs nothing of the request any more. */
struct response
api_request_finish(struct endpoint_request *request)
{
    struct response response = answer(request->state);

    api_request_free(request, false);
    return response;
}

void
api_request_free(struct endpoint_request *request, bool pending)
{
    struct api_request *api = request->state;

    (void)pending; /* the list knows */
    request->state = NULL;
    if (api == NULL)
        return;
    turns_leave(&api->turn);
    checks_free(api->checks);
    cJSON_Delete(api->root);
    free(api->text.start);
    free(api);
}
