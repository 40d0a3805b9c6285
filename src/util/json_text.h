/*
 * json_text: whether a text is JSON to the letter (RFC 8259), found out before cJSON sees it.
 *
 * cJSON 1.7.15 takes what it should not (bytes behind the value, `01`, `1.`, raw control characters, `\u0000`
 * that cuts a string short, invalid UTF-8), recurses as deep as it is told to, and does not say where it
 * stopped. A text that passes here has none of that, and holds no zero byte. Pure; any thread.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stddef.h>

#define JSON_TEXT_DEPTH_MAX    16
#define JSON_TEXT_NUMBER_BYTES 63 /* what cJSON reads of a number */

/* A byte order mark in UTF-8: allowed at the beginning, 3 bytes; else 0. */
size_t json_text_mark_bytes(const char *text, size_t bytes);

/* NULL where the text is one JSON value, with at most `values_max` values in it: cJSON takes some 80 bytes and half a
   microsecond for each, however short its text. Else a static clause that says what is wrong, with `*at` the offset of
   the byte that it is about (`bytes` at the end of the text). */
const char *json_text_check(const char *text, size_t bytes, size_t values_max, size_t *at);

/* An offset as editors count: lines and characters, both from 1. */
void json_text_position(const char *text, size_t at, size_t *line, size_t *column);

#endif
