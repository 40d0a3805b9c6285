/*
 * json_string: a text as a string of JSON. Any thread.
 */
#ifndef JSON_STRING_H
#define JSON_STRING_H

#include <stdio.h>

#include "field.h"

/* With its quotes. A byte that is not well-formed UTF-8 becomes U+FFFD. */
void json_string_put(FILE *out, const char *text);

/* The member `trace_id` of a problem, after another; of 0 bytes: nothing. */
void json_trace_id_put(FILE *out, const struct field *trace_id);

#endif
