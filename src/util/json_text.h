/*
 * json_text: checks that a text is strictly JSON (RFC 8259) before cJSON sees it.
 *
 * cJSON 1.7.15 accepts what it should not (bytes after the value, `01`, `1.`, raw control characters,
 * `\u0000`, which truncates a string, invalid UTF-8), and does not say where it stopped. A text that passes
 * here has none of these, and no zero byte. Pure; any thread.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_TEXT_DEPTH_MAX    16
#define JSON_TEXT_NUMBER_BYTES 63 /* what cJSON reads of a number */

/* A byte order mark in UTF-8: allowed at the beginning, 3 bytes; else 0. */
size_t json_text_mark_bytes(const char *text, size_t bytes);

/* NULL if the text is one JSON value with at most `values_max` values in it: cJSON takes about 80 bytes and
   half a microsecond for each. Else a static clause that says what is wrong, with `*at` the offset of the
   byte concerned (`bytes` at the end of the text). */
const char *json_text_check(const char *text, size_t bytes, size_t values_max, size_t *at);

/* An offset as editors count: lines and characters, both from 1. */
void json_text_position(const char *text, size_t at, size_t *line, size_t *column);

/*
 * The same check, a slice of the text at a time, for a caller that a long text must not hold up. It finds the
 * parts in which the text can then be parsed: the list, which is the first array in a root that is an object,
 * has its elements for parts, and the rest is one more. The bounds are those of a part.
 */
enum json_awaits {
    JSON_VALUE, /* the root, or what follows a colon */
    JSON_ELEMENT,
    JSON_ELEMENT_OR_END,
    JSON_KEY,
    JSON_KEY_OR_END,
    JSON_COLON,
    JSON_COMMA_OR_END,
};

struct json_scan {
    /* Set by json_scan_init; the bounds may be lowered then. */
    const char *text; /* borrowed */
    size_t bytes;
    size_t part_values_max, part_bytes_max;

    /* The answer. */
    bool ended;        /* it is JSON */
    const char *error; /* it is none: as json_text_check has it, and `at` */
    size_t at;         /* how far it is read */
    size_t root_end;   /* of a root that is an object or an array: what follows is blank */
    struct {
        size_t start, end; /* what is between its brackets; 0: there is no list */
        size_t count;
    } list;

    /* Private. */
    bool encoded; /* the encoding is checked, and `at` is that of the second reading */
    bool in_string;
    enum json_awaits awaits;
    unsigned depth;
    uint32_t objects;
    size_t string_at, comma_at;
    size_t part_at, part_values;
    size_t root_bytes, root_values; /* while the list is read */
};

void json_scan_init(struct json_scan *scan, const char *text, size_t bytes);

/* Reads on in about that many bytes. False: `error` is set. */
bool json_scan_slice(struct json_scan *scan, size_t bytes);

#endif
