/*
 * token: the characters of a header's name (RFC 9110, section 5.6.2). Pure; any thread.
 */
#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
is_token(const char *text, size_t bytes)
{
    static const uint32_t token_bytes[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};

    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((token_bytes[byte / 32] >> byte % 32 & 1) == 0)
            return false;
    }
    return bytes > 0;
}

#endif
