/*
 * utf8: which bytes are well-formed UTF-8 (Unicode 15, table 3-7). Pure; any thread.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the well-formed sequence that `text` begins with, 1 to 4; 0: it begins with none. `bytes`,
   what may be read, is at least 1. Overlong forms, surrogates and what is beyond U+10FFFF are not
   well-formed. */
static inline size_t
utf8_sequence(const char *text, size_t bytes)
{
    const unsigned char *byte = (const unsigned char *)text;
    size_t length = byte[0] < 0x80   ? 1
                    : byte[0] < 0xc2 ? 0
                    : byte[0] < 0xe0 ? 2
                    : byte[0] < 0xf0 ? 3
                    : byte[0] < 0xf5 ? 4
                                     : 0;
    /* Only the second byte's range depends on the first. */
    unsigned char low = byte[0] == 0xe0 ? 0xa0 : byte[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = byte[0] == 0xed ? 0x9f : byte[0] == 0xf4 ? 0x8f : 0xbf;

    if (length > bytes)
        return 0;
    for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf)
        if (byte[i] < low || byte[i] > high)
            return 0;
    return length;
}

/* Whether a well-formed sequence is a control character. U+0080 to U+009F are control characters too, and
   terminals obey them. */
static inline bool
utf8_is_control(const char *sequence)
{
    const unsigned char *byte = (const unsigned char *)sequence;

    return byte[0] < ' ' || byte[0] == 0x7f || (byte[0] == 0xc2 && byte[1] < 0xa0);
}

#endif
