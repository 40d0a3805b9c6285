#include "response.h"

#include <stdlib.h>

#include <microhttpd.h>

/* The longest: a request that none of a rule's sources names. */
#define PROBLEM_BYTES (2048 + RESPONSE_TRACE_ID_BYTES)

/* `body` is not const to libmicrohttpd, which only reads it. */
static struct response
make(unsigned status, void *body, size_t bytes, enum MHD_ResponseMemoryMode mode, const char *type,
     bool closing)
{
    struct response response = {
        .status = status, .response = MHD_create_response_from_buffer(bytes, body, mode), .owned = true};

    if (response.response == NULL && mode == MHD_RESPMEM_MUST_FREE)
        free(body);
    response_header(&response, "Content-Type", type);
    if (closing)
        response_header(&response, "Connection", "close");
    return response;
}

struct response
response_new(unsigned status, const struct text *body, const char *type, bool closing)
{
    return make(status, body->start, body->used, MHD_RESPMEM_MUST_COPY, type, closing);
}

struct response
response_static(unsigned status, const char *body, size_t bytes, const char *type, bool closing)
{
    union {
        const char *is;
        void *as;
    } buffer = {.is = body};

    return make(status, buffer.as, bytes, MHD_RESPMEM_PERSISTENT, type, closing);
}

struct response
response_owning(unsigned status, const struct text *body, const char *type, bool closing)
{
    return make(status, body->start, body->used, MHD_RESPMEM_MUST_FREE, type, closing);
}

FILE *
response_body_open(struct response_body *body)
{
    body->text = (struct text){0};
    body->out = open_memstream(&body->text.start, &body->text.used);
    return body->out;
}

struct response
response_body_close(struct response_body *body, unsigned status, const char *type, bool closing)
{
    bool is_written = body->out != NULL && !ferror(body->out);

    if (body->out != NULL && fclose(body->out) == 0 && is_written)
        return response_owning(status, &body->text, type, closing);
    free(body->text.start);
    return (struct response){0};
}

void
response_free(struct response *response)
{
    if (response->response != NULL)
        MHD_destroy_response(response->response);
    response->response = NULL;
}

void
response_header(struct response *response, const char *name, const char *value)
{
    if (response->response != NULL && MHD_add_response_header(response->response, name, value) != MHD_YES)
        response_free(response);
}

void
response_default_header(struct response *response, const char *name, const char *value)
{
    if (response->response != NULL && MHD_get_response_header(response->response, name) == NULL)
        response_header(response, name, value);
}

const char *
response_title(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } titles[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Internal Server Error";
}

void
response_put_trace_id(struct text *body, const struct field *trace_id)
{
    if (trace_id->bytes > 0)
        text_put(body, ", \"trace_id\": \"%.*s\"", (int)trace_id->bytes, trace_id->text);
}

void
response_put_problem(struct text *body, const struct problem *problem)
{
    text_put(body, "{\"detail\": \"%s\", \"type\": \"about:blank\", \"title\": \"%s\", \"status\": %u",
             problem->detail, response_title(problem->status), problem->status);
    if (problem->field != NULL)
        text_put(body, ", \"field\": \"%s\"", problem->field);
    response_put_trace_id(body, &problem->trace_id);
    text_put(body, "}\n");
}

struct response
response_problem(const struct problem *problem, bool closing)
{
    char buffer[PROBLEM_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};

    response_put_problem(&body, problem);
    return response_new(problem->status, &body, RESPONSE_PROBLEM, closing);
}
