/*
 * first_line: keeps libmicrohttpd from parsing what this service never reads.
 *
 * Before the first call of the access handler libmicrohttpd parses query arguments and cookies into the
 * connection's memory, some 50 bytes for each: a kilobyte of either can take all the room that the answer's
 * header needs. No setting prevents that. But its URI log callback comes after the first line is read and
 * before it is parsed, and two things that the callback may do keep both parsers from finding anything:
 *
 *      the query        is cut off after its question mark; an empty query has no arguments. Its first byte is put
 *                       back when they are parsed
 *      the cookies      are read from the first header of that name, so an empty one is put before all others
 *
 * tests/unit/test_first_line.c holds libmicrohttpd 0.9.75 and 1.0 to this. Where a later version behaves
 * differently the test fails; the service then answers such requests with 431 (raw_answer.h).
 */
#ifndef FIRST_LINE_H
#define FIRST_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

struct first_line {
    size_t target_bytes; /* its query included */
    bool is_clean;       /* no blank and no control byte is in the target */

    char *query; /* private; NULL: the target has none */
    char first;  /* private: its first byte */
};

/* From within MHD_OPTION_URI_LOG_CALLBACK. */
void first_line_read(struct first_line *line, struct MHD_Connection *connection, const char *target);

/* The query, without its question mark, as it came; "": none. From the first call of the access handler until the
   request is over. */
const char *first_line_query(struct first_line *line);

/* Whether `name`, from MHD_get_connection_values, is that of the empty Cookie header, which the client did
   not send. */
bool first_line_is_shield(const char *name);

#endif
