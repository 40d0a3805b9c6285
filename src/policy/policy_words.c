/* The words of the rules file that name a value, each declared once. */
#include "policy.h"

#include <string.h>

const char *const method_words[METHOD_WORD_COUNT] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS",
};

const char *const failure_mode_words[FAILURE_MODE_COUNT] = {
    [FAILURE_CLOSED] = "closed",
    [FAILURE_OPEN] = "open",
    [FAILURE_LOCAL] = "local",
};

enum method
method_by_name(const char *name, size_t bytes)
{
    for (unsigned i = 0; i < METHOD_WORD_COUNT; i++)
        if (strlen(method_words[i]) == bytes && memcmp(name, method_words[i], bytes) == 0)
            return (enum method)(1u << i);
    return METHOD_OTHER;
}

const char *
failure_mode_name(enum failure_mode mode)
{
    return failure_mode_words[mode];
}

int
failure_mode_by_name(const char *name)
{
    for (int i = 0; i < FAILURE_MODE_COUNT; i++)
        if (strcmp(name, failure_mode_words[i]) == 0)
            return i;
    return -1;
}
