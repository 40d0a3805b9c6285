#include <string.h>

#include "settings_secret.h"
#include "settings_steps.h"
#include "settings_table.h"
#include "settings_values.h"

#define TOKEN_BYTES_MIN 16

/* Something that "Authorization: Bearer TOKEN" can carry, and too long to be guessed. NULL, or what is wrong. */
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
read_token(struct settings *settings, enum setting_id id, enum setting_id file_id, char **file_token,
           struct report *report)
{
    char **field = (char **)((char *)settings + settings_table[id].offset);
    bool from_file = settings_was_given(settings, file_id);
    const char *why;

    if (from_file && settings_was_given(settings, id)) {
        report_add(report, "%s: given together with %s; accepted: one of the two",
                   settings_place(settings, id).text, settings_place(settings, file_id).text);
        return;
    }
    if (from_file)
        *file_token = settings_read_secret(settings, file_id, report);
    if (*file_token)
        *field = *file_token;
    why = **field != '\0' ? reason_against(*field) : NULL;
    if (why)
        settings_diagnostic(settings, from_file ? file_id : id, report, why);
}

void
settings_read_tokens(struct settings *settings, struct report *report)
{
    read_token(settings, SETTING_API_TOKEN, SETTING_API_TOKEN_FILE, &settings->file_tokens[0], report);
    read_token(settings, SETTING_ADMIN_TOKEN, SETTING_ADMIN_TOKEN_FILE, &settings->file_tokens[1], report);
}
