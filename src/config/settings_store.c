#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "settings_parts.h"
#include "settings_table.h"
#include "small_file.h"
#include "store_url.h"

#define PASSWORD_FILE_BYTES 4096

static void
wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
}

/* The password of REDIS_PASSWORD_FILE, without the newline that editors and `echo` leave behind it; NULL where there
   is none, with a line in the report. */
static char *
read_password_file(const struct settings *settings, struct report *report)
{
    char *text;
    size_t bytes;
    const char *why = NULL;

    switch (small_file_read(settings->redis_password_file, PASSWORD_FILE_BYTES, &text, &bytes)) {
    case SMALL_FILE_OK:
        break;
    case SMALL_FILE_ABSENT:
    case SMALL_FILE_UNREADABLE:
        settings_mistake(settings, SETTING_REDIS_PASSWORD_FILE, report, strerror(errno));
        return NULL;
    case SMALL_FILE_TOO_LARGE:
        settings_mistake(settings, SETTING_REDIS_PASSWORD_FILE, report, "too large");
        return NULL;
    }
    if (strlen(text) != bytes)
        why = "holds a zero byte";
    if (bytes > 0 && text[bytes - 1] == '\n')
        text[--bytes] = '\0';
    if (bytes > 0 && text[bytes - 1] == '\r')
        text[--bytes] = '\0';
    if (bytes == 0)
        why = "empty";
    if (!why)
        return text;
    explicit_bzero(text, bytes);
    free(text);
    settings_mistake(settings, SETTING_REDIS_PASSWORD_FILE, report, why);
    return NULL;
}

static bool
has_parts(const struct settings *settings)
{
    for (enum setting_id id = SETTING_REDIS_HOST; id <= SETTING_REDIS_PASSWORD_FILE; id++)
        if (settings_was_given(settings, id))
            return true;
    return false;
}

void
settings_compose_store(struct settings *settings, struct report *report)
{
    bool from_file = settings_was_given(settings, SETTING_REDIS_PASSWORD_FILE);
    char *file_password = NULL;
    struct store_url_parts parts = {
        .host = settings->redis_host,
        .port = settings->redis_port,
        .db = settings->redis_db,
        .username = settings->redis_username,
        .password = settings->redis_password,
    };

    if (from_file && settings_was_given(settings, SETTING_REDIS_PASSWORD)) {
        report_add(report, "%s: given together with %s; accepted: one of the two",
                   settings_place(settings, SETTING_REDIS_PASSWORD).text,
                   settings_place(settings, SETTING_REDIS_PASSWORD_FILE).text);
    } else if (has_parts(settings) && !settings_was_given(settings, SETTING_STORE)) {
        if (from_file)
            file_password = read_password_file(settings, report);
        if (file_password)
            parts.password = file_password;
        settings_replace(settings, SETTING_STORE, store_url_compose(&parts));
        settings->store = settings->given[SETTING_STORE].text;
        settings->store_composed = true;
    }
    wipe(file_password);
    free(file_password);
    wipe(settings->redis_password);
}
