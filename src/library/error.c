#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

/* Replaces control characters, which could drive a terminal, and a character that was cut. */
static void
make_printable(char *text)
{
    size_t rest = strlen(text);

    while (rest > 0) {
        size_t length = utf8_sequence(text, rest);
        if (length == 0 || utf8_is_control(text)) {
            length = length > 0 ? length : 1;
            memset(text, '?', length);
        }
        text += length;
        rest -= length;
    }
}

enum ratelimit_status
error_set(struct ratelimit_error *error, enum ratelimit_status status, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return status;
    error->status = status;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    make_printable(error->text);
    return status;
}

enum ratelimit_status
error_clear(struct ratelimit_error *error)
{
    if (error != NULL) {
        error->status = RATELIMIT_OK;
        error->text[0] = '\0';
    }
    return RATELIMIT_OK;
}

static const char *const names[] = {
    [RATELIMIT_OK] = "RATELIMIT_OK",
    [RATELIMIT_NULL] = "RATELIMIT_NULL",
    [RATELIMIT_BAD_URL] = "RATELIMIT_BAD_URL",
    [RATELIMIT_BAD_TLS] = "RATELIMIT_BAD_TLS",
    [RATELIMIT_BAD_OPTION] = "RATELIMIT_BAD_OPTION",
    [RATELIMIT_BAD_NAME] = "RATELIMIT_BAD_NAME",
    [RATELIMIT_BAD_ALGORITHM] = "RATELIMIT_BAD_ALGORITHM",
    [RATELIMIT_BAD_LIMIT_COUNT] = "RATELIMIT_BAD_LIMIT_COUNT",
    [RATELIMIT_NOT_POSITIVE] = "RATELIMIT_NOT_POSITIVE",
    [RATELIMIT_PERIOD_TOO_LONG] = "RATELIMIT_PERIOD_TOO_LONG",
    [RATELIMIT_TOO_LARGE] = "RATELIMIT_TOO_LARGE",
    [RATELIMIT_TOO_MANY_ENTRIES] = "RATELIMIT_TOO_MANY_ENTRIES",
    [RATELIMIT_EMPTY_KEY] = "RATELIMIT_EMPTY_KEY",
    [RATELIMIT_LONG_KEY] = "RATELIMIT_LONG_KEY",
    [RATELIMIT_BAD_COST] = "RATELIMIT_BAD_COST",
    [RATELIMIT_FORKED] = "RATELIMIT_FORKED",
    [RATELIMIT_UNREACHABLE] = "RATELIMIT_UNREACHABLE",
    [RATELIMIT_UNAVAILABLE] = "RATELIMIT_UNAVAILABLE",
    [RATELIMIT_NO_RESOURCES] = "RATELIMIT_NO_RESOURCES",
};

const char *
ratelimit_status_name(enum ratelimit_status status)
{
    size_t index = (size_t)status;

    return index < sizeof(names) / sizeof(names[0]) ? names[index] : "unknown";
}
