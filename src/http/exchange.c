#include "exchange.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "path.h"

#define URL_BYTES_MAX 8192

/* How much of a body beyond the cap is still drained to answer it with 413; after that the connection just ends. */
#define BODY_EXCESS_MAX (1024 * 1024)

enum next { NEXT_STEP, WAIT, FINISHED, FAILED };

static void on_taken(struct limiter_take *take);

void
exchange_init(struct exchange *exchange, struct exchange_context *context, const struct peer *peer)
{
    *exchange = (struct exchange){.context = context, .peer = peer, .step = STEP_IDLE};
    exchange->take.cost = 1;
    exchange->take.callback = on_taken;
}

/* Answers. */

static enum next
queue(struct exchange *exchange, struct answer answer)
{
    enum MHD_Result queued;

    if (answer.response == NULL)
        return FAILED;
    queued = MHD_queue_response(exchange->connection, answer.status, answer.response);
    if (answer.owned)
        MHD_destroy_response(answer.response);
    exchange->step = STEP_DONE;
    return queued == MHD_YES ? FINISHED : FAILED;
}

static enum next
queue_problem(struct exchange *exchange, unsigned status, const char *detail, const char *allow, bool closing)
{
    return queue(exchange, render_problem(status, detail, allow, closing || exchange->context->draining));
}

/* The first call: the headers. */

/* Absolute-form (RFC 9112, section 3.2.2): what a client sends that takes this for a proxy. */
static const char *
skip_authority(const char *url)
{
    const char *authority, *path;

    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return url;
    authority = strchr(url, ':') + 3;
    path = strchr(authority, '/');
    return path ? path : "/";
}

static void
find_route(struct exchange *exchange, const char *url)
{
    const char *path = skip_authority(url);
    size_t bytes = strlen(path);

    exchange->route = NULL;
    exchange->path_bytes = 0;
    if (bytes >= sizeof(exchange->path))
        return;
    memcpy(exchange->path, path, bytes + 1);
    if (!path_normalise(exchange->path, &bytes))
        return;
    exchange->path_bytes = bytes;
    exchange->route = route_find(exchange->path, bytes);
}

/* What is answered here ends the connection, which is what a message that cannot be trusted to end where it seems to
   should do. */
static enum next
begin(struct exchange *exchange, const char *url, const char *method, const char *version)
{
    const char *why;

    if (strlen(url) > URL_BYTES_MAX)
        return queue_problem(exchange, 414, "The request target has more than 8192 bytes.", NULL, true);
    switch (
        headers_read(&exchange->headers, &exchange->context->index, exchange->connection, version, &why)) {
    case HEADERS_BAD:
        return queue_problem(exchange, 400, why, NULL, true);
    case HEADERS_TOO_LARGE:
        return queue_problem(exchange, 431, "The headers have more than 100 lines or 16384 bytes.", NULL,
                             true);
    case HEADERS_GOOD:
        break;
    }
    if (exchange->headers.content_length > exchange->context->max_body_bytes)
        return queue_problem(exchange, 413, "The body is longer than this service accepts.", NULL, true);
    exchange->method = method_by_name(method);
    exchange->body_bytes = 0;
    find_route(exchange, url);
    exchange->step = STEP_BODY;
    return WAIT;
}

/* The last call: one step after the other. */

static enum next
step_route(struct exchange *exchange)
{
    struct exchange_context *context = exchange->context;
    const struct route *route = exchange->route;

    if (exchange->body_bytes > context->max_body_bytes)
        return queue_problem(exchange, 413, "The body is longer than this service accepts.", NULL, true);
    if (route == NULL)
        return queue_problem(exchange, 404, "There is no such resource.", NULL, false);
    if ((route->methods & exchange->method) == 0)
        return queue_problem(exchange, 405, "This resource does not take that method; see Allow.",
                             route->allow, false);
    switch (route->endpoint) {
    case ENDPOINT_HEALTH:
        return queue(exchange, render_health(context->limiter, context->draining));
    case ENDPOINT_READY:
        return queue(exchange, render_ready(context->limiter, context->failure_mode, context->draining));
    case ENDPOINT_RESOURCE:
        break;
    }
    exchange->step = STEP_MATCH;
    return NEXT_STEP;
}

static enum next
step_match(struct exchange *exchange)
{
    exchange->take.rule =
        policy_match(exchange->context->policy, exchange->method, exchange->path, exchange->path_bytes);
    exchange->step = STEP_IDENTIFY;
    return NEXT_STEP;
}

/* "None of header:user_id, header:x-api-key is in the request." The names are the operator's, checked at load. */
static enum next
queue_absent(struct exchange *exchange)
{
    const struct rule *rule = exchange->take.rule;
    char detail[1024];
    size_t used = 0;

    used += (size_t)snprintf(detail, sizeof(detail), "The request names no client: looked for ");
    for (uint32_t i = 0; i < rule->source_count && used < sizeof(detail); i++)
        used += (size_t)snprintf(detail + used, sizeof(detail) - used, "%s%s", i ? ", " : "",
                                 rule->sources[i].text);
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
step_decide(struct exchange *exchange)
{
    exchange->step = STEP_RESPOND;
    if (limiter_take(exchange->context->limiter, &exchange->take) == LIMITER_DONE)
        return NEXT_STEP;
    MHD_suspend_connection(exchange->connection);
    exchange->suspended = true;
    return WAIT;
}

static enum next
step_respond(struct exchange *exchange)
{
    struct exchange_context *context = exchange->context;

    return queue(exchange,
                 render_take(context->renderer, &exchange->take, exchange->route, context->draining));
}

static enum next
run(struct exchange *exchange)
{
    static enum next (*const steps[])(struct exchange *) = {
        [STEP_ROUTE] = step_route,   [STEP_MATCH] = step_match,     [STEP_IDENTIFY] = step_identify,
        [STEP_DECIDE] = step_decide, [STEP_RESPOND] = step_respond,
    };
    enum next next;

    do
        next = steps[exchange->step](exchange);
    while (next == NEXT_STEP);
    return next;
}

/* The decision of a suspended request has come. */
static void
on_taken(struct limiter_take *take)
{
    struct exchange *exchange = (struct exchange *)((char *)take - offsetof(struct exchange, take));

    assert(exchange->suspended && exchange->step == STEP_RESPOND);
    run(exchange); /* where it fails, libmicrohttpd asks again after the resume, and is told to end the connection */
    exchange->suspended = false;
    exchange->context->resumed = true;
    MHD_resume_connection(exchange->connection);
}

bool
exchange_handle(struct exchange *exchange, struct MHD_Connection *connection, const char *url,
                const char *method, const char *version, size_t *upload_bytes)
{
    exchange->connection = connection;
    if (exchange->step == STEP_IDLE)
        return begin(exchange, url, method, version) != FAILED;
    if (*upload_bytes > 0) {
        exchange->body_bytes += (int64_t)*upload_bytes;
        *upload_bytes = 0;
        return exchange->body_bytes <= exchange->context->max_body_bytes + BODY_EXCESS_MAX;
    }
    if (exchange->step != STEP_BODY)
        return false; /* it was resumed without an answer: there was no memory for one */
    exchange->step = STEP_ROUTE;
    return run(exchange) != FAILED;
}

void
exchange_complete(struct exchange *exchange)
{
    if (exchange->suspended)
        limiter_cancel(exchange->context->limiter, &exchange->take);
    exchange->suspended = false;
    exchange->step = STEP_IDLE;
}
