/*
 * json_token: the numbers, strings and literals of a text that json_text checks. Private to json_text.c.
 *
 * Each json_check_ function reads what it is named after from the cursor of the scan, `at`. It stops at the
 * first error and returns false; the scan then has the error.
 */
#ifndef JSON_TOKEN_H
#define JSON_TOKEN_H

#include "json_text.h"

static inline bool
json_fail(struct json_scan *scan, const char *error)
{
    scan->error = error;
    return false;
}

/* The byte at the cursor, 0 at the end: the text holds no zero byte (json_text.c, check_encoding). */
static inline char
json_peek(const struct json_scan *scan)
{
    return scan->at < scan->bytes ? scan->text[scan->at] : '\0';
}

static inline bool
json_skip(struct json_scan *scan, char wanted)
{
    if (json_peek(scan) != wanted)
        return false;
    scan->at++;
    return true;
}

/* Between two tokens: the likely cause says more than what was expected. */
bool json_fail_expecting(struct json_scan *scan, const char *error);

bool json_check_number(struct json_scan *scan);

/* What is left of a string, up to `end`. */
bool json_check_string(struct json_scan *scan, size_t end);

bool json_check_literal(struct json_scan *scan);

#endif
