#include "field.h"

static bool
is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

struct field
field_trimmed(const char *text, size_t bytes)
{
    while (bytes > 0 && is_blank(text[0]))
        text++, bytes--;
    while (bytes > 0 && is_blank(text[bytes - 1]))
        bytes--;
    return (struct field){.text = text, .bytes = bytes};
}

bool
field_is_clean(const struct field *field)
{
    for (size_t i = 0; i < field->bytes; i++)
        if ((unsigned char)field->text[i] < ' ' || field->text[i] == 0x7f)
            return false;
    return true;
}
