/*
 * json_text: checks that a text is strictly JSON (RFC 8259) before cJSON sees it.
 *
 * cJSON 1.7.15 accepts what it should not (bytes after the value, `01`, `1.`, raw control characters, `\u0000`, which
 * truncates a string, invalid UTF-8), and does not say where it stopped. A text that passes here has none of these,
 * and no zero byte. Pure; any thread.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stddef.h>

#define JSON_TEXT_DEPTH_MAX    16
#define JSON_TEXT_NUMBER_BYTES 63 /* what cJSON reads of a number */

/* A byte order mark in UTF-8: allowed at the beginning, 3 bytes; else 0. */
size_t json_text_mark_bytes(const char *text, size_t bytes);

/* NULL if the text is one JSON value with at most `values_max` values in it: cJSON takes about 80 bytes and half a
   microsecond for each. Else a static clause that says what is wrong, with `*at` the offset of the byte concerned
   (`bytes` at the end of the text). */
const char *json_text_check(const char *text, size_t bytes, size_t values_max, size_t *at);

/* An offset as editors count: lines and characters, both from 1. */
void json_text_position(const char *text, size_t at, size_t *line, size_t *column);

#endif
