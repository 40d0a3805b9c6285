#include "cookie.h"

#include <string.h>

static struct field
value_of(const char *text, size_t bytes)
{
    struct field value = field_trimmed(text, bytes);

    if (value.bytes >= 2 && value.text[0] == '"' && value.text[value.bytes - 1] == '"')
        return (struct field){.text = value.text + 1, .bytes = value.bytes - 2};
    return value;
}

struct field
cookie_find(const struct field *header, const char *name)
{
    const char *at = header->text, *end = at + header->bytes;
    size_t name_bytes = strlen(name);

    while (at < end) {
        const char *semicolon = memchr(at, ';', (size_t)(end - at));
        const char *stop = semicolon != NULL ? semicolon : end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        if (equals != NULL) {
            struct field key = field_trimmed(at, (size_t)(equals - at));
            struct field value = value_of(equals + 1, (size_t)(stop - equals - 1));
            if (key.bytes == name_bytes && memcmp(key.text, name, name_bytes) == 0 && value.bytes > 0)
                return value;
        }
        at = semicolon != NULL ? semicolon + 1 : end;
    }
    return (struct field){.text = NULL};
}
