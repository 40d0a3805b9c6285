#include "text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void
text_put(struct text *text, const char *format, ...)
{
    va_list arguments;
    int bytes;

    va_start(arguments, format);
    bytes = vsnprintf(text->start + text->used, text->room - text->used, format, arguments);
    va_end(arguments);
    assert(bytes >= 0 && (size_t)bytes < text->room - text->used);
    text->used += (size_t)bytes;
}

void
text_put_cut(struct text *text, const char *format, ...)
{
    size_t left = text->room - text->used;
    va_list arguments;
    int bytes;

    va_start(arguments, format);
    bytes = vsnprintf(text->start + text->used, left, format, arguments);
    va_end(arguments);
    text->used = bytes >= 0 && (size_t)bytes < left ? text->used + (size_t)bytes : text->room - 1;
}
