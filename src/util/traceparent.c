#include "traceparent.h"

#include <string.h>

#define TRACE_ID_AT       3
#define PARENT_ID_AT      (TRACE_ID_AT + TRACE_ID_BYTES + 1)
#define PARENT_ID_BYTES   16
#define FLAGS_AT          (PARENT_ID_AT + PARENT_ID_BYTES + 1)
#define TRACEPARENT_BYTES (FLAGS_AT + 2)

static bool
is_hex(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return true;
}

static bool
is_id(const char *text, size_t bytes)
{
    size_t zeros = 0;

    while (zeros < bytes && text[zeros] == '0')
        zeros++;
    return zeros < bytes && is_hex(text, bytes);
}

/* Whether the value ends where its version says. */
static bool
has_known_end(const struct field *value)
{
    if (memcmp(value->text, "00", 2) == 0)
        return value->bytes == TRACEPARENT_BYTES;
    return value->bytes == TRACEPARENT_BYTES || value->text[TRACEPARENT_BYTES] == '-';
}

static bool
is_traceparent(const struct field *value)
{
    const char *text = value->text;

    return value->bytes >= TRACEPARENT_BYTES && is_hex(text, 2) && memcmp(text, "ff", 2) != 0 &&
           text[TRACE_ID_AT - 1] == '-' && is_id(text + TRACE_ID_AT, TRACE_ID_BYTES) &&
           text[PARENT_ID_AT - 1] == '-' && is_id(text + PARENT_ID_AT, PARENT_ID_BYTES) &&
           text[FLAGS_AT - 1] == '-' && is_hex(text + FLAGS_AT, 2) && has_known_end(value);
}

struct field
traceparent_trace_id(const struct field *value)
{
    if (!is_traceparent(value))
        return (struct field){0};
    return (struct field){.text = value->text + TRACE_ID_AT, .bytes = TRACE_ID_BYTES};
}

struct trace_id_text
trace_id_text(const struct field *trace_id)
{
    struct trace_id_text out = {""};

    if (trace_id->bytes > 0)
        memcpy(out.text, trace_id->text, TRACE_ID_BYTES);
    return out;
}
