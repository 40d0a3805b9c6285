#include "json_token.h"

#include <string.h>

#include "number.h"

bool
json_fail_expecting(struct json_scan *scan, const char *error)
{
    if (scan->at == scan->bytes)
        return json_fail(scan, "unexpected end of the text");
    if (json_peek(scan) == '/' || json_peek(scan) == '#')
        return json_fail(scan, "JSON has no comments");
    return json_fail(scan, error);
}

static bool
skip_digits(struct json_scan *scan)
{
    size_t start = scan->at;

    while (json_peek(scan) >= '0' && json_peek(scan) <= '9')
        scan->at++;
    return scan->at > start;
}

bool
json_check_number(struct json_scan *scan)
{
    size_t start = scan->at;

    json_skip(scan, '-');
    if (json_skip(scan, '0')) {
        if (json_peek(scan) >= '0' && json_peek(scan) <= '9')
            return json_fail(scan, "leading zero in a number");
    } else if (!skip_digits(scan)) {
        return json_fail(scan, "expected a digit after \"-\"");
    }
    if (json_skip(scan, '.') && !skip_digits(scan))
        return json_fail(scan, "expected a digit after the decimal point");
    if (json_skip(scan, 'e') || json_skip(scan, 'E')) {
        if (!json_skip(scan, '+'))
            json_skip(scan, '-');
        if (!skip_digits(scan))
            return json_fail(scan, "expected a digit in the exponent");
    }
    if (scan->at - start > JSON_TEXT_NUMBER_BYTES) {
        scan->at = start;
        return json_fail(scan, "number longer than 63 characters");
    }
    return true;
}

/* The four digits of a \u escape, or -1. */
static int
read_hex4(struct json_scan *scan)
{
    int value = 0;

    for (int i = 0; i < 4; i++, scan->at++) {
        int digit = hex_digit(json_peek(scan));

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

    if (!json_skip(scan, 'u')) {
        if (json_peek(scan) == '\0' || strchr("\"\\/bfnrt", json_peek(scan)) == NULL)
            return json_fail(scan, "expected one of \" \\ / b f n r t u after a backslash");
        scan->at++;
        return true;
    }
    unit = read_hex4(scan);
    if (unit < 0)
        return json_fail(scan, "expected four hexadecimal digits after \\u");
    if (unit >= 0xd800 && unit < 0xdc00 && json_skip(scan, '\\') && json_skip(scan, 'u')) {
        unit = read_hex4(scan);
        if (unit >= 0xdc00 && unit < 0xe000)
            return true;
        unit = 0xd800;
    }
    if (unit == 0 || (unit >= 0xd800 && unit < 0xe000)) {
        scan->at = start;
        return json_fail(scan, unit == 0 ? "\\u0000 is not accepted" : "unpaired surrogate");
    }
    return true;
}

bool
json_check_string(struct json_scan *scan, size_t end)
{
    while (scan->at < end && scan->in_string) {
        unsigned char byte = (unsigned char)json_peek(scan);

        if (byte == '\n')
            break;
        if (byte < ' ')
            return json_fail(scan, "control character in a string; write it as an escape, such as \\t");
        scan->at++;
        scan->in_string = byte != '"';
        if (byte == '\\' && !check_escape(scan))
            return false;
    }
    if (!scan->in_string || (scan->at < scan->bytes && json_peek(scan) != '\n'))
        return true;
    scan->at = scan->string_at;
    return json_fail(scan, "unterminated string; it must end on the line where it begins");
}

bool
json_check_literal(struct json_scan *scan)
{
    static const char *const literals[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        size_t length = strlen(literals[i]);

        if (scan->bytes - scan->at >= length && memcmp(scan->text + scan->at, literals[i], length) == 0) {
            scan->at += length;
            return true;
        }
    }
    return json_fail_expecting(
        scan, "expected a value: an object, an array, a string in double quotes, or a number");
}
