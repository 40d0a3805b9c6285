#include "json_text.h"

#include <stdbool.h>
#include <string.h>

#include "number.h"
#include "utf8.h"

static bool
fail(struct json_scan *scan, const char *error)
{
    scan->error = error;
    return false;
}

/* The byte at the cursor, 0 at the end: the text holds no zero byte (check_encoding). */
static char
peek(const struct json_scan *scan)
{
    return scan->at < scan->bytes ? scan->text[scan->at] : '\0';
}

static bool
skip(struct json_scan *scan, char wanted)
{
    if (peek(scan) != wanted)
        return false;
    scan->at++;
    return true;
}

/* Between two tokens: the likely cause says more than what was expected. */
static bool
fail_expecting(struct json_scan *scan, const char *error)
{
    if (scan->at == scan->bytes)
        return fail(scan, "unexpected end of the text");
    if (peek(scan) == '/' || peek(scan) == '#')
        return fail(scan, "JSON has no comments");
    return fail(scan, error);
}

static void
skip_blanks(struct json_scan *scan, size_t end)
{
    while (scan->at < end && strchr(" \t\r\n", scan->text[scan->at]) != NULL)
        scan->at++;
}

static bool
skip_digits(struct json_scan *scan)
{
    size_t start = scan->at;

    while (peek(scan) >= '0' && peek(scan) <= '9')
        scan->at++;
    return scan->at > start;
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
            return fail(scan, "invalid UTF-8");
        if (scan->text[scan->at] == '\0')
            return fail(scan, "unexpected zero byte");
    }
    return true;
}

/* Each check_ function reads from the cursor what it is named after, and stops at the first error. */

static bool
check_number(struct json_scan *scan)
{
    size_t start = scan->at;

    skip(scan, '-');
    if (skip(scan, '0')) {
        if (peek(scan) >= '0' && peek(scan) <= '9')
            return fail(scan, "leading zero in a number");
    } else if (!skip_digits(scan)) {
        return fail(scan, "expected a digit after \"-\"");
    }
    if (skip(scan, '.') && !skip_digits(scan))
        return fail(scan, "expected a digit after the decimal point");
    if (skip(scan, 'e') || skip(scan, 'E')) {
        if (!skip(scan, '+'))
            skip(scan, '-');
        if (!skip_digits(scan))
            return fail(scan, "expected a digit in the exponent");
    }
    if (scan->at - start > JSON_TEXT_NUMBER_BYTES) {
        scan->at = start;
        return fail(scan, "number longer than 63 characters");
    }
    return true;
}

/* The four digits of a \u escape, or -1. */
static int
read_hex4(struct json_scan *scan)
{
    int value = 0;

    for (int i = 0; i < 4; i++, scan->at++) {
        int digit = hex_digit(peek(scan));

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* After a backslash. Beyond U+FFFF a character is written as two escapes, a high surrogate and a low one. */
static bool
check_escape(struct json_scan *scan)
{
    size_t start = scan->at;
    int unit;

    if (!skip(scan, 'u')) {
        if (peek(scan) == '\0' || strchr("\"\\/bfnrt", peek(scan)) == NULL)
            return fail(scan, "expected one of \" \\ / b f n r t u after a backslash");
        scan->at++;
        return true;
    }
    unit = read_hex4(scan);
    if (unit < 0)
        return fail(scan, "expected four hexadecimal digits after \\u");
    if (unit >= 0xd800 && unit < 0xdc00 && skip(scan, '\\') && skip(scan, 'u')) {
        unit = read_hex4(scan);
        if (unit >= 0xdc00 && unit < 0xe000)
            return true;
        unit = 0xd800;
    }
    if (unit == 0 || (unit >= 0xd800 && unit < 0xe000)) {
        scan->at = start;
        return fail(scan, unit == 0 ? "\\u0000 is not accepted" : "unpaired surrogate");
    }
    return true;
}

/* What is left of a string, up to `end`. */
static bool
check_string(struct json_scan *scan, size_t end)
{
    while (scan->at < end && scan->in_string) {
        unsigned char byte = (unsigned char)peek(scan);

        if (byte == '\n')
            break;
        if (byte < ' ')
            return fail(scan, "control character in a string; write it as an escape, such as \\t");
        scan->at++;
        scan->in_string = byte != '"';
        if (byte == '\\' && !check_escape(scan))
            return false;
    }
    if (!scan->in_string || (scan->at < scan->bytes && peek(scan) != '\n'))
        return true;
    scan->at = scan->string_at;
    return fail(scan, "unterminated string; it must end on the line where it begins");
}

static bool
check_literal(struct json_scan *scan)
{
    static const char *const literals[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        size_t length = strlen(literals[i]);

        if (scan->bytes - scan->at >= length && memcmp(scan->text + scan->at, literals[i], length) == 0) {
            scan->at += length;
            return true;
        }
    }
    return fail_expecting(scan,
                          "expected a value: an object, an array, a string in double quotes, or a number");
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
        return fail(scan, "nested more than 16 levels deep");
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
        return fail(scan, is_in_object(scan) ? "trailing comma before \"}\"" : "trailing comma before \"]\"");
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
    char byte = peek(scan);

    if (scan->depth == 2 && is_in_list(scan)) {
        scan->part_values = 0;
        scan->list.count++;
    }
    if (scan->part_values++ == scan->part_values_max)
        return fail(scan, "too many values");
    if (byte == '{' || byte == '[')
        return open_container(scan, byte == '{');
    scan->awaits = JSON_COMMA_OR_END;
    if (byte == '"')
        return begin_string(scan);
    if (byte == '-' || (byte >= '0' && byte <= '9'))
        return check_number(scan);
    return check_literal(scan);
}

static bool
check_key(struct json_scan *scan)
{
    if (peek(scan) != '"')
        return fail_expecting(scan, "expected a key in double quotes");
    scan->awaits = JSON_COLON;
    return begin_string(scan);
}

static bool
check_colon(struct json_scan *scan)
{
    if (!skip(scan, ':'))
        return fail_expecting(scan, "expected \":\" after the key");
    scan->awaits = JSON_VALUE;
    return true;
}

static bool
check_comma(struct json_scan *scan)
{
    bool is_object = is_in_object(scan);

    if (scan->depth == 0)
        return fail_expecting(scan, "unexpected text after the JSON value");
    scan->comma_at = scan->at;
    if (!skip(scan, ','))
        return fail_expecting(scan, is_object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
    scan->awaits = is_object ? JSON_KEY : JSON_ELEMENT;
    if (scan->depth == 2 && is_in_list(scan))
        scan->part_at = scan->at;
    return true;
}

static bool
check_next(struct json_scan *scan)
{
    char close = is_in_object(scan) ? '}' : ']';

    if (scan->depth > 0 && peek(scan) == close && scan->awaits != JSON_VALUE && scan->awaits != JSON_COLON)
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
        if (scan->at < end && !(scan->in_string ? check_string(scan, end) : check_next(scan)))
            return false;
        if (scan->at - scan->part_at > scan->part_bytes_max)
            return fail(scan, "too many bytes");
    }
    return true;
}

static bool
check_end(struct json_scan *scan)
{
    if (scan->in_string)
        return check_string(scan, scan->bytes);
    if (scan->depth == 0 && scan->awaits == JSON_VALUE)
        return fail(scan, "empty text");
    scan->ended = scan->depth == 0;
    return scan->ended || fail(scan, "unexpected end of the text");
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
