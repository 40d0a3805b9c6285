/*
 * text: a body or a header in the making, in room that its maker has measured.
 *
 * The rooms are those of the longest texts, so running out of one is a bug: an assertion.
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
