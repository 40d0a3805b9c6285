/*
 * text: builds a body or a header in a buffer of a size computed by the caller.
 *
 * The buffer fits the longest text, so an overflow is a bug: an assertion fails. Where a text may be longer, it is cut.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

struct text {
    char *start;
    size_t used, room;
};

void text_put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the buffer has no room for is left out; it ends in a zero. */
void text_put_cut(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
