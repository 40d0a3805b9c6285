#include "exchange.h"

#include <assert.h>
#include <string.h>

#include <microhttpd.h>

#include "first_line.h"
#include "forward_auth.h"
#include "head.h"
#include "health.h"
#include "openapi.h"
#include "path.h"
#include "target.h"

/* How much of a body beyond the cap is still drained before it is answered with 413; beyond that the answer comes at
   once. */
#define BODY_EXCESS_MAX (1024 * 1024)

static const char body_too_long[] = "The body is longer than this service accepts.";

enum next { NEXT_STEP, WAIT, FINISHED, FAILED };

static void on_taken(struct limiter_take *take);
static void on_called(void *arg);

void
exchange_init(struct exchange *exchange, struct exchange_context *context, const struct peer *peer)
{
    *exchange = (struct exchange){.context = context, .peer = peer, .step = STEP_IDLE};
    exchange->take.cost = 1;
    exchange->take.callback = on_taken;
}

/* libmicrohttpd before 1.0 reads chunks and trailers leniently: a trailer that begins with a NUL ends the message for it
   alone. What follows is not believed to be a request. */
#define ENDS_AFTER_CHUNKS (MHD_VERSION < 0x01000000)

/* Whether the answer ends the connection, whatever it says. */
static bool
closes(const struct exchange *exchange)
{
    return exchange->context->draining || (ENDS_AFTER_CHUNKS && exchange->headers.chunked);
}

/* Answers. */

/* The answer ends the connection, and does without libmicrohttpd's memory: the request may have filled it. */
static enum next
refuse(struct exchange *exchange, unsigned status, const char *detail)
{
    exchange->refusal.status = status;
    exchange->refusal.detail = detail;
    exchange->ends = true;
    return FAILED;
}

static enum next
queue(struct exchange *exchange, struct response answer)
{
    enum MHD_Result queued;

    if (answer.response == NULL)
        return refuse(exchange, 503, "Out of memory.");
    exchange->ends |= closes(exchange);
    queued = MHD_queue_response(exchange->connection, answer.status, answer.response);
    if (answer.owned)
        MHD_destroy_response(answer.response);
    exchange->step = STEP_DONE;
    return queued == MHD_YES ? FINISHED : FAILED;
}

static enum next
queue_problem(struct exchange *exchange, unsigned status, const char *detail, const char *allow, bool closing)
{
    struct response answer = response_problem(status, NULL, detail, closing || closes(exchange));

    if (allow != NULL)
        response_header(&answer, "Allow", allow);
    exchange->ends = closing;
    return queue(exchange, answer);
}

/* The first call: the headers. */

static void
find_route(struct exchange *exchange, const char *url)
{
    size_t bytes;
    const char *path = target_path(url, strlen(url), &bytes);

    exchange->path_bytes = 0;
    exchange->deny_403 = false;
    exchange->route = route_find_check(path, &exchange->forwarded);
    if (exchange->route != NULL || bytes >= sizeof(exchange->path))
        return;
    memcpy(exchange->path, path, bytes);
    exchange->path[bytes] = '\0';
    if (!path_normalise(exchange->path, &bytes))
        return;
    exchange->path_bytes = bytes;
    exchange->route = route_find(exchange->path, bytes);
}

/* The endpoints of the JSON API need the body, of those who may use them. False: memory is out. */
static bool
begin_body(struct exchange *exchange)
{
    struct exchange_context *context = exchange->context;
    const struct route *route = exchange->route;

    exchange->access = ACCESS_GRANTED;
    exchange->body_bytes = 0;
    exchange->body_max = context->max_body_bytes;
    if (route == NULL || (route->methods & exchange->method) == 0 || !api_request_is_for(route->endpoint))
        return true;
    if (route->endpoint == ENDPOINT_API_BATCH && exchange->body_max < API_REQUEST_BATCH_BYTES)
        exchange->body_max = API_REQUEST_BATCH_BYTES;
    exchange->access = access_check(&context->tokens, route->access, &exchange->headers);
    if (exchange->access != ACCESS_GRANTED)
        return true;
    exchange->call = api_request_new(context, &exchange->peer->address, route->endpoint, closes(exchange),
                                     on_called, exchange);
    return exchange->call != NULL;
}

void
exchange_begin(struct exchange *exchange, struct MHD_Connection *connection, const char *target)
{
    exchange->target_is_clean = first_line_read(connection, target, &exchange->target_bytes);
    exchange->refusal = (struct raw_answer){.status = 431}; /* libmicrohttpd runs out of memory on it */
}

/* What is refused here ends the connection, which is what a message that cannot be trusted to end where it seems to
   should do. */
static enum next
begin(struct exchange *exchange, const char *url, const char *method, const char *version)
{
    const struct request_line line = {method, url, version, exchange->target_bytes,
                                      exchange->target_is_clean};

    exchange->refusal = (struct raw_answer){.status = 431,
                                            .detail = "The request takes more memory than a connection has.",
                                            .head = strcmp(method, "HEAD") == 0};
    if (!head_read(&exchange->headers, &exchange->context->index, exchange->connection, &line,
                   &exchange->refusal))
        return refuse(exchange, exchange->refusal.status, exchange->refusal.detail);
    exchange->method = method_by_name(method);
    find_route(exchange, url);
    if (!begin_body(exchange))
        return refuse(exchange, 503, "Out of memory.");
    if (exchange->headers.content_length > exchange->body_max)
        return refuse(exchange, 413, body_too_long);
    exchange->step = STEP_BODY;
    return WAIT;
}

/* The last call: one step after the other. */

static enum next
route_endpoint(struct exchange *exchange)
{
    struct exchange_context *context = exchange->context;

    switch (exchange->route->endpoint) {
    case ENDPOINT_HEALTH:
        return queue(exchange, health_response(context->limiter, closes(exchange)));
    case ENDPOINT_READY:
        return queue(exchange,
                     ready_response(context->limiter, context->policy, context->draining, closes(exchange)));
    case ENDPOINT_OPENAPI:
        return queue(exchange,
                     response_static(200, openapi_text, openapi_bytes, "application/yaml", closes(exchange)));
    case ENDPOINT_API_CHECK:
    case ENDPOINT_API_BATCH:
    case ENDPOINT_API_RESET:
    case ENDPOINT_ENVOY:
        exchange->step = STEP_ASK;
        return NEXT_STEP;
    case ENDPOINT_RESOURCE:
    case ENDPOINT_CHECK:
        break;
    }
    exchange->step = STEP_MATCH;
    return NEXT_STEP;
}

static enum next
step_route(struct exchange *exchange)
{
    const struct route *route = exchange->route;

    if (exchange->body_bytes > exchange->body_max)
        return queue_problem(exchange, 413, body_too_long, NULL, true);
    if (route == NULL)
        return queue_problem(exchange, 404, "There is no such resource.", NULL, false);
    if ((route->methods & exchange->method) == 0)
        return queue_problem(exchange, 405, "This resource does not take that method; see Allow.",
                             route->allow, false);
    if (exchange->access != ACCESS_GRANTED)
        return queue(exchange, access_denied(exchange->access, closes(exchange)));
    return route_endpoint(exchange);
}

/* Who is not limited need not say who he is. */
static enum next
matched(struct exchange *exchange)
{
    exchange->step = exchange->take.rule != NULL ? STEP_IDENTIFY : STEP_DECIDE;
    return NEXT_STEP;
}

/* What a proxy asks about is closed where it is unclear: a proxy takes every other status than 200 for a no.
   */
static enum next
match_forwarded(struct exchange *exchange)
{
    const char *why;

    switch (forward_auth_match(exchange->context->policy, exchange->forwarded, exchange->method,
                               &exchange->headers, exchange->peer->trusted, &exchange->take.rule,
                               &exchange->deny_403, &why)) {
    case FORWARD_AUTH_UNKNOWN:
        return queue_problem(exchange, 404, "There is no such resource.", NULL, false);
    case FORWARD_AUTH_BAD:
        return queue_problem(exchange, 400, why, NULL, false);
    case FORWARD_AUTH_GOOD:
        break;
    }
    return matched(exchange);
}

static enum next
step_match(struct exchange *exchange)
{
    if (exchange->route->endpoint == ENDPOINT_CHECK)
        return match_forwarded(exchange);
    exchange->take.rule =
        policy_match(exchange->context->policy, exchange->method, exchange->path, exchange->path_bytes);
    return matched(exchange);
}

static enum next
queue_absent(struct exchange *exchange)
{
    char detail[IDENTITY_SOUGHT_BYTES];

    identity_write_sought(detail, exchange->take.rule);
    return queue_problem(exchange, 400, detail, NULL, false);
}

static enum next
step_identify(struct exchange *exchange)
{
    switch (identify(&exchange->take.client, exchange->take.rule, &exchange->headers, exchange->peer,
                     exchange->context->trusted)) {
    case IDENTITY_ABSENT:
        return queue_absent(exchange);
    case IDENTITY_BAD:
        return queue_problem(exchange, 400, "The header that names the client has a control byte in it.",
                             NULL, true);
    case IDENTITY_FOUND:
        break;
    }
    exchange->step = STEP_DECIDE;
    return NEXT_STEP;
}

static enum next
suspend(struct exchange *exchange)
{
    MHD_suspend_connection(exchange->connection);
    exchange->suspended = true;
    return WAIT;
}

static enum next
step_decide(struct exchange *exchange)
{
    exchange->step = STEP_RESPOND;
    if (limiter_take(exchange->context->limiter, &exchange->take) == LIMITER_DONE)
        return NEXT_STEP;
    return suspend(exchange);
}

static enum next
step_respond(struct exchange *exchange)
{
    struct exchange_context *context = exchange->context;

    return queue(exchange, render_take(context->renderer, &exchange->take, exchange->route,
                                       exchange->deny_403, closes(exchange)));
}

static enum next
step_ask(struct exchange *exchange)
{
    struct response answer;

    exchange->step = STEP_TELL;
    switch (api_request_ask(exchange->call, &answer)) {
    case API_REQUEST_MISTAKE:
        return queue(exchange, answer);
    case API_REQUEST_PENDING:
        return suspend(exchange);
    case API_REQUEST_DONE:
        break;
    }
    return NEXT_STEP;
}

static enum next
step_tell(struct exchange *exchange)
{
    return queue(exchange, api_request_answer(exchange->call));
}

static enum next
run(struct exchange *exchange)
{
    static enum next (*const steps[])(struct exchange *) = {
        [STEP_ROUTE] = step_route,   [STEP_MATCH] = step_match,     [STEP_IDENTIFY] = step_identify,
        [STEP_DECIDE] = step_decide, [STEP_RESPOND] = step_respond, [STEP_ASK] = step_ask,
        [STEP_TELL] = step_tell,
    };
    enum next next;

    do
        next = steps[exchange->step](exchange);
    while (next == NEXT_STEP);
    return next;
}

/* What a suspended request waited for has come. */
static void
resume(struct exchange *exchange)
{
    assert(exchange->suspended);
    /* Where it fails, libmicrohttpd asks again after the resume, and is told to end the connection. */
    run(exchange);
    exchange->suspended = false;
    exchange->context->resumed = true;
    MHD_resume_connection(exchange->connection);
}

static void
on_taken(struct limiter_take *take)
{
    struct exchange *exchange = (struct exchange *)((char *)take - offsetof(struct exchange, take));

    assert(exchange->step == STEP_RESPOND);
    resume(exchange);
}

static void
on_called(void *arg)
{
    struct exchange *exchange = arg;

    assert(exchange->step == STEP_TELL);
    resume(exchange);
}

bool
exchange_handle(struct exchange *exchange, struct MHD_Connection *connection, const char *url,
                const char *method, const char *version, const char *upload, size_t *upload_bytes)
{
    exchange->connection = connection;
    if (exchange->step == STEP_IDLE) {
        exchange->ends = false;
        return begin(exchange, url, method, version) != FAILED;
    }
    if (exchange->step == STEP_DONE)
        return false; /* it was timed out */
    if (*upload_bytes > 0) {
        exchange->body_bytes += (int64_t)*upload_bytes;
        if (exchange->call != NULL && exchange->body_bytes <= exchange->body_max)
            api_request_keep(exchange->call, upload, *upload_bytes);
        *upload_bytes = 0;
        return exchange->body_bytes <= exchange->body_max + BODY_EXCESS_MAX ||
               refuse(exchange, 413, body_too_long) != FAILED;
    }
    if (exchange->step != STEP_BODY)
        return false; /* it was resumed without an answer: there was no memory for one */
    exchange->step = STEP_ROUTE;
    return run(exchange) != FAILED;
}

void
exchange_time_out(struct exchange *exchange, int fd)
{
    exchange->refusal.status = 408;
    exchange->refusal.detail = "The body was sent too slowly.";
    raw_answer_send(&exchange->refusal, fd);
    exchange->refusal.status = 0;
    exchange->step = STEP_DONE;
    exchange->ends = true;
    MHD_set_connection_option(exchange->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
}

bool
exchange_is_answered(const struct exchange *exchange)
{
    return exchange->step == STEP_DONE;
}

void
exchange_complete(struct exchange *exchange)
{
    if (exchange->suspended && exchange->call == NULL)
        limiter_cancel(exchange->context->limiter, &exchange->take);
    api_request_free(exchange->call); /* and cancels what it waits for */
    exchange->call = NULL;
    exchange->suspended = false;
    exchange->step = STEP_IDLE;
}
