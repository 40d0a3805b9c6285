/*
 * first_line: keeps libmicrohttpd from parsing what this service never reads.
 *
 * Before the first call of the access handler libmicrohttpd parses query arguments and cookies into the
 * connection's memory, some 50 bytes for each: a kilobyte of either can take all the room that the answer's
 * header needs. No setting prevents that. But its URI log callback comes after the first line is read and
 * before it is parsed, and two things that the callback may do keep both parsers from finding anything:
 *
 *      the query        is cut off after its question mark; an empty query has no arguments
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

/* From within MHD_OPTION_URI_LOG_CALLBACK. `*bytes` are those of the target, its query included. False where
   it has a blank or a control byte in it. */
bool first_line_read(struct MHD_Connection *connection, const char *target, size_t *bytes);

/* Whether `name`, from MHD_get_connection_values, is that of the empty Cookie header, which the client did
   not send. */
bool first_line_is_shield(const char *name);

#endif
