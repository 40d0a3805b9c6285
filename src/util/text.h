/*
 * text: builds a body or a header in a buffer of a size computed by the caller.
 *
 * The buffer fits the longest text, so an overflow is a bug: an assertion fails.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

struct text {
    char *start;
    size_t used, room;
};

void text_put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
