/*
 * query: the arguments of a request's query, "window=hour&rule=api", read strictly: each has a value, none comes
 * twice, and none is unknown.
 *
 *      struct query_argument arguments[] = {{.name = "window"}, {.name = "rule"}};
 *      struct query query;
 *
 *      if (!query_read(&query, request->query, arguments, 2))
 *          return endpoint_problem(request, 400, query.why);
 *
 * Names and values are percent-decoded; a `+` is a plus. Pure; any thread.
 */
#ifndef QUERY_H
#define QUERY_H

#include <stdbool.h>
#include <stddef.h>

#define QUERY_BYTES_MAX 1024

struct query_argument {
    const char *name;
    const char *value; /* set by query_read; NULL: it was not sent. Any bytes but zero */
};

struct query {
    char why[256];                  /* what is wrong, in a sentence, without a byte of what was sent */
    char text[QUERY_BYTES_MAX + 1]; /* the values are in it */
};

/* `text` is as endpoint_request.query has it. False: query->why is set. */
bool query_read(struct query *query, const char *text, struct query_argument *arguments, size_t count);

#endif
