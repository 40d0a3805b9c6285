#include "response.h"

#include <stdlib.h>

#include <microhttpd.h>

#define PROBLEM_BYTES 2048 /* the longest: a request that none of a rule's sources names */

static struct response
finish(struct response response, const char *type, bool closing)
{
    response_header(&response, "Content-Type", type);
    if (closing)
        response_header(&response, "Connection", "close");
    return response;
}

struct response
response_new(unsigned status, const struct text *body, const char *type, bool closing)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->used, body->start, MHD_RESPMEM_MUST_COPY);

    return finish((struct response){.status = status, .response = response, .owned = true}, type, closing);
}

struct response
response_static(unsigned status, const char *body, size_t bytes, const char *type, bool closing)
{
    /* libmicrohttpd only reads it, although its parameter is not const. */
    union {
        const char *is;
        void *as;
    } buffer = {.is = body};
    struct MHD_Response *response = MHD_create_response_from_buffer(bytes, buffer.as, MHD_RESPMEM_PERSISTENT);

    return finish((struct response){.status = status, .response = response, .owned = true}, type, closing);
}

struct response
response_owning(unsigned status, struct text *body, const char *type, bool closing)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->used, body->start, MHD_RESPMEM_MUST_FREE);

    if (response == NULL)
        free(body->start);
    body->start = NULL;
    return finish((struct response){.status = status, .response = response, .owned = true}, type, closing);
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
    if (response->response != NULL && MHD_add_response_header(response->response, name, value) != MHD_YES) {
        response_free(response);
    }
}

const char *
response_title(unsigned status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

void
response_put_problem(struct text *body, unsigned status, const char *field, const char *detail)
{
    text_put(body, "{\"detail\": \"%s\", \"type\": \"about:blank\", \"title\": \"%s\", \"status\": %u",
             detail, response_title(status), status);
    if (field != NULL)
        text_put(body, ", \"field\": \"%s\"", field);
    text_put(body, "}\n");
}

struct response
response_problem(unsigned status, const char *field, const char *detail, bool closing)
{
    char buffer[PROBLEM_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};

    response_put_problem(&body, status, field, detail);
    return response_new(status, &body, RESPONSE_PROBLEM, closing);
}
