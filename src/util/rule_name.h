/*
 * rule_name: the names a rule may have. They appear in keys and header fields unescaped.
 */
#ifndef RULE_NAME_H
#define RULE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define RULE_NAME_BYTES 64 /* at least 1 */

/* `name` is zero-terminated. Pure; any thread. */
static inline bool
rule_name_is_good(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t bytes = strspn(name, plain);

    return bytes >= 1 && bytes <= RULE_NAME_BYTES && name[bytes] == '\0';
}

#endif
