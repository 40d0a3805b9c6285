#include "http_reply.h"

#include <string.h>
#include <strings.h>

#include "number.h"

#define SIZE_DIGITS_MAX 7 /* of a chunk: 256 MiB */

/* The value of a header field, of `bytes`; NULL: there is none. `head` is zero-terminated and begins with a line end. */
static const char *
find_field(const char *head, const char *name, size_t *bytes)
{
    size_t name_bytes = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_bytes) != 0 || line[name_bytes] != ':')
            continue;
        line += name_bytes + 1;
        line += strspn(line, " \t");
        *bytes = strcspn(line, "\r");
        return line;
    }
    return NULL;
}

/* "1a;extension\r\n" -> 26, and the byte after it; NULL: it is none. */
static const char *
parse_chunk_size(const char *text, const char *end, size_t *size)
{
    size_t digits = 0;

    *size = 0;
    for (; text + digits < end && hex_digit(text[digits]) >= 0; digits++)
        *size = *size * 16 + (size_t)hex_digit(text[digits]);
    if (digits == 0 || digits > SIZE_DIGITS_MAX)
        return NULL;
    text = memchr(text, '\n', (size_t)(end - text));
    return text != NULL ? text + 1 : NULL;
}

/* Moves the pieces of the body together. */
static bool
join_chunks(struct http_reply *reply)
{
    const char *from = reply->body, *end = reply->body + reply->bytes;
    size_t size;

    reply->bytes = 0;
    while ((from = parse_chunk_size(from, end, &size)) != NULL && size > 0) {
        if ((size_t)(end - from) < size + 2)
            return false;
        memmove(reply->body + reply->bytes, from, size);
        reply->bytes += size;
        from += size + 2;
    }
    reply->body[reply->bytes] = '\0';
    return from != NULL;
}

static bool
has_length(const struct http_reply *reply, const char *text, size_t bytes)
{
    char digits[24];
    int64_t length;

    if (bytes >= sizeof(digits))
        return false;
    memcpy(digits, text, bytes);
    digits[bytes] = '\0';
    return number_parse(digits, 0, INT64_MAX, &length) && (uint64_t)length == reply->bytes;
}

static bool
parse_status(struct http_reply *reply, const char *text)
{
    char digits[4];
    int64_t status;

    if (strncmp(text, "HTTP/1.", 7) != 0 || strnlen(text, 13) < 13 || text[8] != ' ')
        return false;
    memcpy(digits, text + 9, 3);
    digits[3] = '\0';
    if (!number_parse(digits, 100, 599, &status))
        return false;
    reply->status = (unsigned)status;
    return true;
}

bool
http_reply_parse(struct http_reply *reply, char *text, size_t bytes)
{
    char *head_end;
    const char *value;
    size_t value_bytes;

    text[bytes] = '\0';
    head_end = memmem(text, bytes, "\r\n\r\n", 4);
    if (head_end == NULL || !parse_status(reply, text))
        return false;
    head_end[2] = '\0';
    reply->body = head_end + 4;
    reply->bytes = bytes - (size_t)(reply->body - text);
    value = find_field(text, "Transfer-Encoding", &value_bytes);
    if (value != NULL)
        return value_bytes == 7 && strncasecmp(value, "chunked", 7) == 0 && join_chunks(reply);
    value = find_field(text, "Content-Length", &value_bytes);
    return value == NULL || has_length(reply, value, value_bytes);
}
