#include "exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "container_of.h"
#include "head.h"
#include "hosts.h"
#include "metrics.h"
#include "path.h"
#include "target.h"

/* A body is read this far beyond its bound before it is answered 413; after that the answer comes at once. */
#define BODY_EXCESS_BYTES (1024 * 1024)

static const char body_too_long[] = "The body is longer than this service accepts.";

static void on_resume(struct endpoint_request *request);

void
exchange_init(struct exchange *exchange, struct exchange_context *context, const struct peer *peer)
{
    *exchange = (struct exchange){.context = context, .step = EXCHANGE_IDLE};
    exchange->request = (struct endpoint_request){
        .context = &context->endpoint, .headers = &exchange->headers, .peer = peer, .resume = on_resume};
}

/* libmicrohttpd before 1.0 reads chunks and trailers leniently: a trailer that begins with a NUL ends the
   message for it alone. What follows is not believed to be a request. */
#define ENDS_AFTER_CHUNKS (MHD_VERSION < 0x01000000)

/* Whether the answer ends the connection in any case. */
static bool
closes(const struct exchange *exchange)
{
    return exchange->context->draining || (ENDS_AFTER_CHUNKS && exchange->headers.chunked);
}

/* Answers. False: nothing was queued, and the caller sends exchange->refusal. */

static void
count_body(struct exchange *exchange, enum body_refusal why)
{
    counter_add(&exchange->context->counts->bodies_refused[why], 1);
}

/* The answer ends the connection. It needs no memory of libmicrohttpd, which the request may have filled. */
static bool
refuse(struct exchange *exchange, unsigned status, const char *detail)
{
    exchange->refusal.status = status;
    exchange->refusal.detail = detail;
    exchange->ends = true;
    if (status == 413)
        count_body(exchange, BODY_TOO_LONG);
    return false;
}

static void
add_headers(const struct exchange *exchange, struct response *response)
{
    const struct route_header *header = exchange->context->options->routes->headers;

    assert(header == NULL || response->owned);
    for (; header != NULL && header->name != NULL; header++)
        response_default_header(response, header->name, header->value);
}

static void
free_body(struct exchange *exchange)
{
    if (exchange->upload != NULL)
        upload_clear(exchange->upload);
    free(exchange->upload);
    exchange->upload = NULL;
    exchange->request.body = (struct field){0};
}

/* Nothing of the body is needed any more. */
static bool
queue(struct exchange *exchange, struct response response)
{
    enum MHD_Result queued;

    add_headers(exchange, &response);
    free_body(exchange);
    if (response.response == NULL)
        return refuse(exchange, 503, "Out of memory.");
    exchange->ends |= closes(exchange);
    queued = MHD_queue_response(exchange->connection, response.status, response.response);
    if (response.owned)
        response_free(&response);
    exchange->step = EXCHANGE_DONE;
    if (queued == MHD_YES)
        http_counts_answer(exchange->context->counts, response.status);
    return queued == MHD_YES;
}

static struct response
problem(const struct exchange *exchange, unsigned status, const char *detail)
{
    return response_problem(
        &(struct problem){.status = status, .detail = detail, .trace_id = exchange->headers.trace_id},
        closes(exchange));
}

static bool
queue_with(struct exchange *exchange, unsigned status, const char *detail, const char *name,
           const char *value)
{
    struct response response = problem(exchange, status, detail);

    response_header(&response, name, value);
    return queue(exchange, response);
}

/* The first call: the headers. */

static void
find_route(struct exchange *exchange, const char *url)
{
    struct endpoint_request *request = &exchange->request;
    const struct route_table *table = exchange->context->options->routes;
    size_t bytes;
    const char *path = target_path(url, strlen(url), &bytes);

    request->host = target_host(url, strlen(url));
    if (request->host.text == NULL)
        request->host = exchange->headers.host;
    exchange->route = route_find(table, path, bytes); /* most are in the table's own spelling */
    if (exchange->route != NULL) {
        request->path = exchange->route->path;
        request->path_bytes = bytes;
        return;
    }
    request->path = "";
    request->path_bytes = 0;
    exchange->route = route_find_subtree(table, path, &request->rest);
    if (exchange->route != NULL || bytes >= sizeof(exchange->path))
        return;
    memcpy(exchange->path, path, bytes);
    exchange->path[bytes] = '\0';
    if (!path_normalise(exchange->path, &bytes))
        return;
    request->path = exchange->path;
    request->path_bytes = bytes;
    exchange->route = route_find(table, exchange->path, bytes);
}

static const struct header_index *
index_for(struct exchange_context *context, const struct generation *generation)
{
    if (context->index_of != generation->number)
        header_index_init(&context->index, generation->policy);
    context->index_of = generation->number;
    return &context->index;
}

static bool
read_head(struct exchange *exchange, const struct generation *generation, const char *url, const char *method,
          const char *version)
{
    const struct request_line line = {method, url, version, exchange->line.target_bytes,
                                      exchange->line.is_clean};

    exchange->headers_of = generation->number;
    return head_read(&exchange->headers, index_for(exchange->context, generation), exchange->connection,
                     &line, &exchange->refusal) ||
           refuse(exchange, exchange->refusal.status, exchange->refusal.detail);
}

static bool
is_method_allowed(const struct exchange *exchange)
{
    return exchange->route != NULL && (exchange->route->methods & exchange->request.method) != 0;
}

/* Collects the body for an endpoint that reads it, unless the request may not use the endpoint. False: out of
   memory. */
static bool
begin_body(struct exchange *exchange)
{
    struct exchange_context *context = exchange->context;
    const struct endpoint *endpoint;

    exchange->access = ACCESS_GRANTED;
    exchange->body_bytes = 0;
    exchange->body_bytes_max = context->options->max_body_bytes;
    if (!is_method_allowed(exchange))
        return true;
    endpoint = exchange->route->endpoint;
    if (exchange->body_bytes_max < (int64_t)endpoint->body_bytes_max)
        exchange->body_bytes_max = (int64_t)endpoint->body_bytes_max;
    exchange->access = access_check(&context->tokens, exchange->route->access, &exchange->headers);
    if (!endpoint->reads_body || exchange->access != ACCESS_GRANTED)
        return true;
    exchange->upload = malloc(sizeof(*exchange->upload));
    if (exchange->upload != NULL)
        upload_init(exchange->upload, &context->uploads, &exchange->request.peer->address);
    return exchange->upload != NULL;
}

void
exchange_begin(struct exchange *exchange, struct MHD_Connection *connection, const char *target)
{
    first_line_read(&exchange->line, connection, target);
    exchange->refusal = (struct raw_answer){.status = 431}; /* libmicrohttpd runs out of memory on it */
}

/* A refusal here ends the connection, which is what a message that cannot be trusted to end where it seems to
   should do. */
static bool
begin(struct exchange *exchange, const char *url, const char *method, const char *version)
{
    exchange->ends = false;
    exchange->refusal = (struct raw_answer){.status = 431,
                                            .detail = "The request takes more memory than a connection has.",
                                            .head = strcmp(method, "HEAD") == 0};
    if (!read_head(exchange, generation_current(exchange->context->generations), url, method, version))
        return false;
    exchange->refusal.trace_id = trace_id_text(&exchange->headers.trace_id);
    if (!hosts_accept(exchange->context->options->hosts, &exchange->headers.host))
        return refuse(exchange, 421, hosts_refusal);
    exchange->request.method = method_by_name(method, strlen(method));
    exchange->request.query = first_line_query(&exchange->line);
    find_route(exchange, url);
    if (!begin_body(exchange))
        return refuse(exchange, 503, "Out of memory.");
    if (exchange->headers.content_length > exchange->body_bytes_max)
        return refuse(exchange, 413, body_too_long);
    exchange->step = EXCHANGE_BODY;
    return true;
}

/* The body. */

static bool
take_body(struct exchange *exchange, const char *bytes, size_t count)
{
    exchange->body_bytes += (int64_t)count;
    if (exchange->upload != NULL && exchange->body_bytes <= exchange->body_bytes_max)
        upload_put(exchange->upload, bytes, count);
    return exchange->body_bytes <= exchange->body_bytes_max + BODY_EXCESS_BYTES ||
           refuse(exchange, 413, body_too_long);
}

/* The last call: the endpoint. */

/* The rules that are in force now. They may ask for other headers than those that were in force at the first
   call. */
static bool
enter_generation(struct exchange *exchange, const char *url, const char *method, const char *version)
{
    const struct generation *generation;

    exchange->request.share = generation_enter(exchange->context->generations);
    generation = exchange->request.share->generation;
    exchange->request.policy = generation->policy;
    return generation->number == exchange->headers_of ||
           read_head(exchange, generation, url, method, version);
}

static void
leave_generation(struct exchange *exchange)
{
    if (exchange->request.share != NULL)
        generation_leave(exchange->request.share);
    exchange->request.share = NULL;
    exchange->request.policy = NULL;
}

static bool
finish(struct exchange *exchange)
{
    exchange->request.closing = closes(exchange);
    return queue(exchange, exchange->route->endpoint->finish(&exchange->request));
}

static bool
start(struct exchange *exchange)
{
    struct endpoint_request *request = &exchange->request;
    enum endpoint_status status;

    request->endpoint = exchange->route->endpoint;
    request->message = exchange->route->message;
    request->response = (struct response){0};
    if (exchange->upload != NULL)
        request->body =
            (struct field){.text = upload_text(exchange->upload), .bytes = exchange->upload->bytes};
    exchange->request.closing = closes(exchange);
    exchange->started = true;
    status = request->endpoint->start(request);
    if (status == ENDPOINT_DONE)
        return finish(exchange);
    if (status == ENDPOINT_ANSWERED) {
        exchange->ends = request->closing;
        return queue(exchange, request->response);
    }
    MHD_suspend_connection(exchange->connection);
    exchange->step = EXCHANGE_SUSPENDED;
    return true;
}

static bool
respond(struct exchange *exchange)
{
    if (exchange->body_bytes > exchange->body_bytes_max)
        return refuse(exchange, 413, body_too_long);
    if (exchange->route == NULL)
        return queue(exchange, problem(exchange, 404, "There is no such resource."));
    if (!is_method_allowed(exchange))
        return queue_with(exchange, 405, "This resource does not accept that method; see Allow.", "Allow",
                          exchange->route->allow);
    if (exchange->access != ACCESS_GRANTED)
        return queue(exchange,
                     access_denied(exchange->access, &exchange->headers.trace_id, closes(exchange)));
    if (exchange->upload != NULL && exchange->upload->refused) {
        count_body(exchange, BODY_NO_ROOM);
        return queue_with(exchange, 503, "Too many requests with bodies are in progress.", "Retry-After",
                          "1");
    }
    return start(exchange);
}

/* The way back: what a suspended request waited for has come. */
static void
on_resume(struct endpoint_request *request)
{
    struct exchange *exchange = container_of(request, struct exchange, request);

    assert(exchange->step == EXCHANGE_SUSPENDED);
    /* If this fails, libmicrohttpd calls again after the resume, and exchange_handle ends the connection. */
    finish(exchange);
    leave_generation(exchange);
    MHD_resume_connection(exchange->connection);
    exchange->context->resumed = true;
}

static bool
handle_last(struct exchange *exchange, const char *url, const char *method, const char *version)
{
    bool queued = enter_generation(exchange, url, method, version) && respond(exchange);

    if (exchange->step != EXCHANGE_SUSPENDED)
        leave_generation(exchange);
    return queued;
}

bool
exchange_handle(struct exchange *exchange, struct MHD_Connection *connection, const char *url,
                const char *method, const char *version, const char *upload, size_t *upload_bytes)
{
    exchange->connection = connection;
    if (exchange->step == EXCHANGE_IDLE)
        return begin(exchange, url, method, version);
    if (exchange->step == EXCHANGE_DONE)
        return false; /* timed out, or resumed without an answer */
    if (*upload_bytes > 0) {
        size_t count = *upload_bytes;
        *upload_bytes = 0;
        return take_body(exchange, upload, count);
    }
    return exchange->step == EXCHANGE_BODY && handle_last(exchange, url, method, version);
}

void
exchange_send_refusal(const struct exchange *exchange, int fd)
{
    if (raw_answer_send(&exchange->refusal, fd))
        http_counts_answer(exchange->context->counts, exchange->refusal.status);
}

void
exchange_end_body(struct exchange *exchange, int fd, unsigned status, const char *why)
{
    refuse(exchange, status, why);
    if (status != 413)
        count_body(exchange, BODY_TOO_SLOW);
    exchange_send_refusal(exchange, fd);
    exchange->refusal.status = 0;
    exchange->step = EXCHANGE_DONE;
    MHD_set_connection_option(exchange->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
}

void
exchange_complete(struct exchange *exchange)
{
    if (exchange->started && exchange->route->endpoint->free != NULL)
        exchange->route->endpoint->free(&exchange->request, exchange->step == EXCHANGE_SUSPENDED);
    leave_generation(exchange);
    free_body(exchange);
    exchange->started = false;
    exchange->step = EXCHANGE_IDLE;
}
