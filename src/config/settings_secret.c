#include "settings_secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "small_file.h"

static const char *
trim_secret(char *text, size_t *bytes)
{
    const char *why = strlen(text) != *bytes ? "holds a zero byte" : NULL;

    if (*bytes > 0 && text[*bytes - 1] == '\n')
        text[--*bytes] = '\0';
    if (*bytes > 0 && text[*bytes - 1] == '\r')
        text[--*bytes] = '\0';
    return *bytes == 0 ? "empty" : why;
}

char *
settings_read_secret(const struct settings *settings, enum setting_id id, struct report *report)
{
    const char *why;
    char *text;
    size_t bytes;

    switch (small_file_read(settings->given[id].text, SECRET_FILE_BYTES, &text, &bytes)) {
    case SMALL_FILE_OK:
        break;
    case SMALL_FILE_ABSENT:
    case SMALL_FILE_UNREADABLE:
        settings_diagnostic(settings, id, report, strerror(errno));
        return NULL;
    case SMALL_FILE_TOO_LARGE:
        settings_diagnostic(settings, id, report, "too large");
        return NULL;
    }
    why = trim_secret(text, &bytes);
    if (!why)
        return text;
    explicit_bzero(text, bytes);
    free(text);
    settings_diagnostic(settings, id, report, why);
    return NULL;
}
