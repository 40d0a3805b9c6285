/*
 * response: an answer that is ready to be queued, and the answers to errors (application/problem+json, RFC
 * 9457).
 *
 * A response never holds anything that a client sent but the trace-id of a valid traceparent: its texts are this
 * program's and the operator's rule names.
 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "field.h"
#include "text.h"
#include "traceparent.h"

struct MHD_Response;

#define RESPONSE_JSON    "application/json"
#define RESPONSE_PROBLEM "application/problem+json"

/* `response` NULL: out of memory. */
struct response {
    unsigned status;
    struct MHD_Response *response;
    /* Destroyed by the caller after it is queued; otherwise it belongs to a cache, and is valid until the
       next render. */
    bool owned;
};

/* The text is copied. `closing`: the answer has Connection: close. */
struct response response_new(unsigned status, const struct text *body, const char *type, bool closing);

/* `body` outlives every answer: it is not copied. */
struct response response_static(unsigned status, const char *body, size_t bytes, const char *type,
                                bool closing);

/* Takes over `body`: it is free()d with the answer, or at once when out of memory. */
struct response response_owning(unsigned status, const struct text *body, const char *type, bool closing);

/* A body whose length is not known before it is written:

        FILE *out = response_body_open(&body);
        if (out != NULL)
            fprintf(out, ...);
        response = response_body_close(&body, 200, RESPONSE_JSON, closing);

   `out` NULL: out of memory. */
struct response_body {
    FILE *out;
    struct text text;
};
FILE *response_body_open(struct response_body *body);
struct response response_body_close(struct response_body *body, unsigned status, const char *type,
                                    bool closing);

/* Destroys it; answers that are being sent keep what they need. */
void response_free(struct response *response);

/* Adds a header; if that fails, the answer has no response any more. */
void response_header(struct response *response, const char *name, const char *value);

/* The same, unless it has a header of that name. */
void response_default_header(struct response *response, const char *name, const char *value);

/* An error. Nothing in it is escaped. */
struct problem {
    unsigned status;
    const char *field;     /* of a JSON body, that it is about; NULL: none */
    const char *detail;    /* a sentence */
    struct field trace_id; /* of the request (struct headers); of 0 bytes: none */
};
struct response response_problem(const struct problem *problem, bool closing);

/* Its body alone. */
void response_put_problem(struct text *body, const struct problem *problem);

/* The member `trace_id` of a problem, after another; of 0 bytes: nothing. */
#define RESPONSE_TRACE_ID_BYTES (sizeof(", \"trace_id\": \"\"") + TRACE_ID_BYTES)
void response_put_trace_id(struct text *body, const struct field *trace_id);

/* "Bad Request" for 400. */
const char *response_title(unsigned status);

#endif
