#include "json_text.h"

#include <stdbool.h>
#include <string.h>

#include "json_token.h"
#include "utf8.h"

static void
skip_blanks(struct json_scan *scan, size_t end)
{
    while (scan->at < end && strchr(" \t\r\n", scan->text[scan->at]) != NULL)
        scan->at++;
}

size_t
json_text_mark_bytes(const char *text, size_t bytes)
{
    static const char mark[] = "\xef\xbb\xbf";

    return bytes >= sizeof(mark) - 1 && memcmp(text, mark, sizeof(mark) - 1) == 0 ? sizeof(mark) - 1 : 0;
}

static bool
check_encoding(struct json_scan *scan, size_t end)
{
    for (size_t length; scan->at < end; scan->at += length) {
        length = utf8_sequence(scan->text + scan->at, scan->bytes - scan->at);
        if (length == 0)
            return json_fail(scan, "invalid UTF-8");
        if (scan->text[scan->at] == '\0')
            return json_fail(scan, "unexpected zero byte");
    }
    return true;
}

/* Containers. A bit of `objects` for each that is open: whether it is an object. */

static bool
is_in_object(const struct json_scan *scan)
{
    return (scan->objects & 1) != 0;
}

static bool
is_in_list(const struct json_scan *scan)
{
    return scan->list.start != 0 && scan->list.end == 0;
}

/* The first array of a root that is an object: each element is a part of its own. */
static void
begin_list(struct json_scan *scan)
{
    scan->list.start = scan->at;
    scan->root_values = scan->part_values;
    scan->root_bytes = scan->at - scan->part_at;
    scan->part_at = scan->at;
}

static void
end_list(struct json_scan *scan)
{
    scan->list.end = scan->at;
    scan->part_values = scan->root_values;
    scan->part_at = scan->at - scan->root_bytes;
}

static bool
open_container(struct json_scan *scan, bool is_object)
{
    if (scan->depth == JSON_TEXT_DEPTH_MAX)
        return json_fail(scan, "nested more than 16 levels deep");
    scan->at++;
    if (scan->depth == 1 && is_in_object(scan) && !is_object && scan->list.start == 0)
        begin_list(scan);
    scan->depth++;
    scan->objects = scan->objects << 1 | is_object;
    scan->awaits = is_object ? JSON_KEY_OR_END : JSON_ELEMENT_OR_END;
    return true;
}

static bool
close_container(struct json_scan *scan)
{
    if (scan->awaits == JSON_KEY || scan->awaits == JSON_ELEMENT) {
        scan->at = scan->comma_at;
        return json_fail(scan,
                         is_in_object(scan) ? "trailing comma before \"}\"" : "trailing comma before \"]\"");
    }
    scan->depth--;
    scan->objects >>= 1;
    if (scan->depth == 1 && is_in_list(scan))
        end_list(scan);
    scan->at++;
    scan->awaits = JSON_COMMA_OR_END;
    if (scan->depth == 0)
        scan->root_end = scan->at;
    return true;
}

/* What is awaited at the cursor, which is not at a blank. */

static bool
begin_string(struct json_scan *scan)
{
    scan->string_at = scan->at++;
    scan->in_string = true;
    return true;
}

static bool
check_value(struct json_scan *scan)
{
    char byte = json_peek(scan);

    if (scan->depth == 2 && is_in_list(scan)) {
        scan->part_values = 0;
        scan->list.count++;
    }
    if (scan->part_values++ == scan->part_values_max)
        return json_fail(scan, "too many values");
    if (byte == '{' || byte == '[')
        return open_container(scan, byte == '{');
    scan->awaits = JSON_COMMA_OR_END;
    if (byte == '"')
        return begin_string(scan);
    if (byte == '-' || (byte >= '0' && byte <= '9'))
        return json_check_number(scan);
    return json_check_literal(scan);
}

static bool
check_key(struct json_scan *scan)
{
    if (json_peek(scan) != '"')
        return json_fail_expecting(scan, "expected a key in double quotes");
    scan->awaits = JSON_COLON;
    return begin_string(scan);
}

static bool
check_colon(struct json_scan *scan)
{
    if (!json_skip(scan, ':'))
        return json_fail_expecting(scan, "expected \":\" after the key");
    scan->awaits = JSON_VALUE;
    return true;
}

static bool
check_comma(struct json_scan *scan)
{
    bool is_object = is_in_object(scan);

    if (scan->depth == 0)
        return json_fail_expecting(scan, "unexpected text after the JSON value");
    scan->comma_at = scan->at;
    if (!json_skip(scan, ','))
        return json_fail_expecting(scan, is_object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
    scan->awaits = is_object ? JSON_KEY : JSON_ELEMENT;
    if (scan->depth == 2 && is_in_list(scan))
        scan->part_at = scan->at;
    return true;
}

static bool
check_next(struct json_scan *scan)
{
    char close = is_in_object(scan) ? '}' : ']';

    if (scan->depth > 0 && json_peek(scan) == close && scan->awaits != JSON_VALUE &&
        scan->awaits != JSON_COLON)
        return close_container(scan);
    switch (scan->awaits) {
    case JSON_VALUE:
    case JSON_ELEMENT:
    case JSON_ELEMENT_OR_END:
        return check_value(scan);
    case JSON_KEY:
    case JSON_KEY_OR_END:
        return check_key(scan);
    case JSON_COLON:
        return check_colon(scan);
    case JSON_COMMA_OR_END:
        break;
    }
    return check_comma(scan);
}

/* The whole text is read twice: its encoding first, which the rest relies on. */
static bool
check_slice(struct json_scan *scan, size_t end)
{
    if (!scan->encoded) {
        if (!check_encoding(scan, end))
            return false;
        scan->encoded = scan->at == scan->bytes;
        if (scan->encoded)
            scan->at = scan->part_at = json_text_mark_bytes(scan->text, scan->bytes);
        return true;
    }
    while (scan->at < end) {
        if (!scan->in_string)
            skip_blanks(scan, end);
        if (scan->depth == 0 && !scan->in_string)
            scan->part_at = scan->at; /* blanks around the root are not part of it */
        if (scan->at < end && !(scan->in_string ? json_check_string(scan, end) : check_next(scan)))
            return false;
        if (scan->at - scan->part_at > scan->part_bytes_max)
            return json_fail(scan, "too many bytes");
    }
    return true;
}

static bool
check_end(struct json_scan *scan)
{
    if (scan->in_string)
        return json_check_string(scan, scan->bytes);
    if (scan->depth == 0 && scan->awaits == JSON_VALUE)
        return json_fail(scan, "empty text");
    scan->ended = scan->depth == 0;
    return scan->ended || json_fail(scan, "unexpected end of the text");
}

void
json_scan_init(struct json_scan *scan, const char *text, size_t bytes)
{
    *scan = (struct json_scan){.text = text,
                               .bytes = bytes,
                               .part_values_max = SIZE_MAX,
                               .part_bytes_max = SIZE_MAX,
                               .awaits = JSON_VALUE};
}

bool
json_scan_slice(struct json_scan *scan, size_t bytes)
{
    size_t end = scan->bytes - scan->at > bytes ? scan->at + bytes : scan->bytes;

    return check_slice(scan, end) && (scan->at < scan->bytes || !scan->encoded || check_end(scan));
}

const char *
json_text_check(const char *text, size_t bytes, size_t values_max, size_t *at)
{
    struct json_scan scan;

    json_scan_init(&scan, text, bytes);
    scan.part_values_max = values_max;
    while (!scan.ended && json_scan_slice(&scan, bytes))
        continue;
    *at = scan.at;
    return scan.error;
}

void
json_text_position(const char *text, size_t at, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (size_t i = json_text_mark_bytes(text, at); i < at; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) { /* not a continuation byte */
            ++*column;
        }
    }
}
