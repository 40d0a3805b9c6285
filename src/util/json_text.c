#include "json_text.h"

#include <stdbool.h>
#include <string.h>

#include "number.h"
#include "utf8.h"

/* Each check_ function reads from `at` what it is named after, and stops at the first error. */
struct cursor {
    const char *text;
    size_t bytes;
    size_t at;
    size_t values_left;
    const char *error; /* NULL: none so far */
};

static bool
fail(struct cursor *cursor, const char *error)
{
    cursor->error = error;
    return false;
}

/* The byte at the cursor, 0 at the end: the text holds no zero byte (check_encoding). */
static char
peek(const struct cursor *cursor)
{
    return cursor->at < cursor->bytes ? cursor->text[cursor->at] : '\0';
}

static bool
skip(struct cursor *cursor, char wanted)
{
    if (peek(cursor) != wanted)
        return false;
    cursor->at++;
    return true;
}

/* Between two tokens: the likely cause says more than what was expected. */
static bool
fail_expecting(struct cursor *cursor, const char *error)
{
    if (cursor->at == cursor->bytes)
        return fail(cursor, "unexpected end of the text");
    if (peek(cursor) == '/' || peek(cursor) == '#')
        return fail(cursor, "JSON has no comments");
    return fail(cursor, error);
}

static void
skip_blanks(struct cursor *cursor)
{
    for (char byte = peek(cursor); byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
         byte = peek(cursor))
        cursor->at++;
}

static bool
skip_digits(struct cursor *cursor)
{
    size_t start = cursor->at;

    while (peek(cursor) >= '0' && peek(cursor) <= '9')
        cursor->at++;
    return cursor->at > start;
}

static bool
check_encoding(struct cursor *cursor)
{
    for (size_t length; cursor->at < cursor->bytes; cursor->at += length) {
        length = utf8_sequence(cursor->text + cursor->at, cursor->bytes - cursor->at);
        if (length == 0)
            return fail(cursor, "invalid UTF-8");
        if (cursor->text[cursor->at] == '\0')
            return fail(cursor, "unexpected zero byte");
    }
    return true;
}

static bool
check_number(struct cursor *cursor)
{
    size_t start = cursor->at;

    skip(cursor, '-');
    if (skip(cursor, '0')) {
        if (peek(cursor) >= '0' && peek(cursor) <= '9')
            return fail(cursor, "leading zero in a number");
    } else if (!skip_digits(cursor)) {
        return fail(cursor, "expected a digit after \"-\"");
    }
    if (skip(cursor, '.') && !skip_digits(cursor))
        return fail(cursor, "expected a digit after the decimal point");
    if (skip(cursor, 'e') || skip(cursor, 'E')) {
        if (!skip(cursor, '+'))
            skip(cursor, '-');
        if (!skip_digits(cursor))
            return fail(cursor, "expected a digit in the exponent");
    }
    if (cursor->at - start > JSON_TEXT_NUMBER_BYTES) {
        cursor->at = start;
        return fail(cursor, "number longer than 63 characters");
    }
    return true;
}

/* The four digits of a \u escape, or -1. */
static int
read_hex4(struct cursor *cursor)
{
    int value = 0;

    for (int i = 0; i < 4; i++, cursor->at++) {
        int digit = hex_digit(peek(cursor));

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* After a backslash. Beyond U+FFFF a character is written as two escapes, a high surrogate and a low one. */
static bool
check_escape(struct cursor *cursor)
{
    size_t start = cursor->at;
    int unit;

    if (!skip(cursor, 'u')) {
        if (peek(cursor) == '\0' || strchr("\"\\/bfnrt", peek(cursor)) == NULL)
            return fail(cursor, "expected one of \" \\ / b f n r t u after a backslash");
        cursor->at++;
        return true;
    }
    unit = read_hex4(cursor);
    if (unit < 0)
        return fail(cursor, "expected four hexadecimal digits after \\u");
    if (unit >= 0xd800 && unit < 0xdc00 && skip(cursor, '\\') && skip(cursor, 'u')) {
        unit = read_hex4(cursor);
        if (unit >= 0xdc00 && unit < 0xe000)
            return true;
        unit = 0xd800;
    }
    if (unit == 0 || (unit >= 0xd800 && unit < 0xe000)) {
        cursor->at = start;
        return fail(cursor, unit == 0 ? "\\u0000 is not accepted" : "unpaired surrogate");
    }
    return true;
}

static bool
check_string(struct cursor *cursor)
{
    size_t start = cursor->at++;

    while (!skip(cursor, '"')) {
        unsigned char byte = (unsigned char)peek(cursor);

        if (byte == '\0' || byte == '\n') {
            cursor->at = start;
            return fail(cursor, "unterminated string; it must end on the line where it begins");
        }
        if (byte < ' ')
            return fail(cursor, "control character in a string; write it as an escape, such as \\t");
        cursor->at++;
        if (byte == '\\' && !check_escape(cursor))
            return false;
    }
    return true;
}

static bool
check_literal(struct cursor *cursor)
{
    static const char *const literals[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        size_t length = strlen(literals[i]);

        if (cursor->bytes - cursor->at >= length &&
            memcmp(cursor->text + cursor->at, literals[i], length) == 0) {
            cursor->at += length;
            return true;
        }
    }
    return fail_expecting(cursor,
                          "expected a value: an object, an array, a string in double quotes, or a number");
}

static bool check_value(struct cursor *cursor, int depth);

static bool
check_key(struct cursor *cursor)
{
    if (peek(cursor) != '"')
        return fail_expecting(cursor, "expected a key in double quotes");
    if (!check_string(cursor))
        return false;
    skip_blanks(cursor);
    if (!skip(cursor, ':'))
        return fail_expecting(cursor, "expected \":\" after the key");
    return true;
}

/* An object or an array, by its closing bracket. */
static bool
check_container(struct cursor *cursor, int depth, char close)
{
    bool is_object = close == '}';
    size_t comma;

    if (depth > JSON_TEXT_DEPTH_MAX)
        return fail(cursor, "nested more than 16 levels deep");
    cursor->at++;
    skip_blanks(cursor);
    if (skip(cursor, close))
        return true;
    for (;;) {
        if (is_object && !check_key(cursor))
            return false;
        if (!check_value(cursor, depth))
            return false;
        skip_blanks(cursor);
        comma = cursor->at;
        if (skip(cursor, close))
            return true;
        if (!skip(cursor, ','))
            return fail_expecting(cursor, is_object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
        skip_blanks(cursor);
        if (peek(cursor) == close) {
            cursor->at = comma;
            return fail(cursor, is_object ? "trailing comma before \"}\"" : "trailing comma before \"]\"");
        }
    }
}

/* Recursion ends at JSON_TEXT_DEPTH_MAX. */
static bool
check_value(struct cursor *cursor, int depth)
{
    char byte;

    skip_blanks(cursor);
    if (cursor->values_left-- == 0)
        return fail(cursor, "too many values");
    byte = peek(cursor);
    if (byte == '{')
        return check_container(cursor, depth + 1, '}');
    if (byte == '[')
        return check_container(cursor, depth + 1, ']');
    if (byte == '"')
        return check_string(cursor);
    if (byte == '-' || (byte >= '0' && byte <= '9'))
        return check_number(cursor);
    return check_literal(cursor);
}

static bool
check_document(struct cursor *cursor)
{
    size_t start = json_text_mark_bytes(cursor->text, cursor->bytes);

    if (!check_encoding(cursor))
        return false;
    cursor->at = start;
    skip_blanks(cursor);
    if (cursor->at == cursor->bytes)
        return fail(cursor, "empty text");
    if (!check_value(cursor, 0))
        return false;
    skip_blanks(cursor);
    if (cursor->at < cursor->bytes)
        return fail_expecting(cursor, "unexpected text after the JSON value");
    return true;
}

size_t
json_text_mark_bytes(const char *text, size_t bytes)
{
    static const char mark[] = "\xef\xbb\xbf";

    return bytes >= sizeof(mark) - 1 && memcmp(text, mark, sizeof(mark) - 1) == 0 ? sizeof(mark) - 1 : 0;
}

const char *
json_text_check(const char *text, size_t bytes, size_t values_max, size_t *at)
{
    struct cursor cursor = {.text = text, .bytes = bytes, .values_left = values_max};

    if (check_document(&cursor))
        return NULL;
    *at = cursor.at;
    return cursor.error;
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
