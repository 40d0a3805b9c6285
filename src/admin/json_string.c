#include "json_string.h"

#include <string.h>

#include "utf8.h"

void
json_string_put(FILE *out, const char *text)
{
    size_t length;

    fputc('"', out);
    for (const char *end = text + strlen(text); text<end; text += length> 0 ? length : 1) {
        length = utf8_sequence(text, (size_t)(end - text));
        if (length == 0)
            fputs("\\ufffd", out);
        else if ((unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            fprintf(out, *text == '"' || *text == '\\' ? "\\%.*s" : "%.*s", (int)length, text);
    }
    fputc('"', out);
}

void
json_trace_id_put(FILE *out, const struct field *trace_id)
{
    if (trace_id->bytes > 0)
        fprintf(out, ", \"trace_id\": \"%.*s\"", (int)trace_id->bytes, trace_id->text);
}
