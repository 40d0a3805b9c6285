/*
 * Secrets from files, and API_TOKEN, ADMIN_TOKEN and LOG_CLIENTS_KEY, which may come from one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "settings_steps.h"
#include "settings_table.h"
#include "small_file.h"

#define TOKEN_BYTES_MIN 16

/* NULL, or what is wrong. */
static const char *
trim_secret(char *text, size_t bytes)
{
    const char *why = strlen(text) != bytes ? "holds a zero byte" : NULL;

    if (bytes > 0 && text[bytes - 1] == '\n')
        text[--bytes] = '\0';
    if (bytes > 0 && text[bytes - 1] == '\r')
        text[--bytes] = '\0';
    return bytes == 0 ? "empty" : why;
}

char *
settings_read_secret(const struct settings *settings, enum setting_id id, struct report *report)
{
    size_t bytes;
    char *text = small_file_read(settings->given[id].text, SECRET_FILE_BYTES, &bytes);
    const char *why;

    if (text)
        why = trim_secret(text, bytes);
    else
        why = errno == EFBIG ? "too large" : strerror(errno);
    if (!why)
        return text;
    settings_diagnostic(settings, id, report, why);
    if (text)
        explicit_bzero(text, bytes);
    free(text);
    return NULL;
}

/* Something that "Authorization: Bearer TOKEN" can carry, and too long to be guessed. NULL, or what is
   wrong. */
static const char *
reason_against(const char *token)
{
    size_t bytes = strlen(token);

    for (size_t i = 0; i < bytes; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return "a token with a blank or a byte that is not visible ASCII";
    if (bytes < TOKEN_BYTES_MIN)
        return "a token of fewer than 16 bytes";
    return bytes > SECRET_FILE_BYTES ? "a token of more than 4096 bytes" : NULL;
}

/* The file's token goes into the setting's field only: --print-config would show what is in `given`. */
static void
read_token(struct settings *settings, enum setting_id id, enum setting_id file_id, char **field,
           char **file_token, struct report *report)
{
    const char *why;

    if (settings_are_both_given(settings, id, file_id, report))
        return;
    if (settings_was_given(settings, file_id))
        *file_token = settings_read_secret(settings, file_id, report);
    if (*file_token)
        *field = *file_token;
    why = **field != '\0' ? reason_against(*field) : NULL;
    if (why)
        settings_diagnostic(settings, *file_token ? file_id : id, report, why);
}

void
settings_read_tokens(struct settings *settings, struct report *report)
{
    read_token(settings, SETTING_API_TOKEN, SETTING_API_TOKEN_FILE, &settings->api_token,
               &settings->file_tokens[0], report);
    read_token(settings, SETTING_ADMIN_TOKEN, SETTING_ADMIN_TOKEN_FILE, &settings->admin_token,
               &settings->file_tokens[1], report);
    read_token(settings, SETTING_LOG_CLIENTS_KEY, SETTING_LOG_CLIENTS_KEY_FILE, &settings->log_clients_key,
               &settings->file_tokens[2], report);
}
