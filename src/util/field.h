/*
 * field: a piece of a request, such as a header's value, which lies in someone else's memory and does not end
 * in a zero.
 */
#ifndef FIELD_H
#define FIELD_H

#include <stdbool.h>
#include <stddef.h>

struct field {
    const char *text; /* NULL: there is none */
    size_t bytes;
};

/* The text without the blanks around it, which are not part of a value (RFC 9110, section 5.5). */
struct field field_trimmed(const char *text, size_t bytes);

/* It has no control character. */
bool field_is_clean(const struct field *field);

#endif
