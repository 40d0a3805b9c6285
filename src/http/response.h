/*
 * answer: what is ready to be queued, and the answers that tell of a mistake (application/problem+json, RFC
 * 9457).
 *
 * Nothing that a client sent is ever put into one: texts are this program's own and the operator's rule
 * names.
 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct MHD_Response;

#define RESPONSE_JSON    "application/json"
#define RESPONSE_PROBLEM "application/problem+json"

/* `response` NULL: memory is out. */
struct response {
    unsigned status;
    struct MHD_Response *response;
    /* The one who queues it destroys it after; else it is a cache's, valid until the next render. */
    bool owned;
};

/* A body of its own: the text is copied. `closing`: the answer says Connection: close. */
struct response response_new(unsigned status, const struct text *body, const char *type, bool closing);

/* A body that outlives every answer, without a copy. */
struct response response_static(unsigned status, const char *body, size_t bytes, const char *type,
                                bool closing);

/* A body that the answer takes over: free()d with it, or at once where memory is out. */
struct response response_owning(unsigned status, struct text *body, const char *type, bool closing);

/* Drops it; those that are being sent keep what they need. */
void response_free(struct response *response);

/* Adds a header; where that fails the answer has no response any more. */
void response_header(struct response *answer, const char *name, const char *value);

/* A mistake. `detail` is a sentence, `field` what in a JSON body it is about, or NULL; both go out as they
   are. */
struct response response_problem(unsigned status, const char *field, const char *detail, bool closing);

/* The body of that alone. */
void answer_put_problem(struct text *body, unsigned status, const char *field, const char *detail);

/* "Bad Request" for 400. */
const char *answer_title(unsigned status);

#endif
