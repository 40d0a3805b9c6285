#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dotenv.h"
#include "settings_parts.h"
#include "settings_table.h"
#include "small_file.h"

/*
 * A Redis service named "redis" makes Kubernetes set REDIS_PORT=tcp://10.0.0.11:6379 in every pod beside it, and
 * nobody meant that for us.
 */
static bool
is_service_link(enum setting_id id, const char *value)
{
    return id == SETTING_REDIS_PORT && strncmp(value, "tcp://", 6) == 0;
}

/* An empty variable is one that is not set: that is how compose files pass on what they do not have. */
void
settings_read_environment(struct settings *settings, char **environment)
{
    for (char **variable = environment; *variable; variable++) {
        const char *equals = strchr(*variable, '=');
        enum setting_id id;

        if (equals == NULL || equals[1] == '\0')
            continue;
        id = setting_by_name(*variable, (size_t)(equals - *variable));
        if (id != SETTING_COUNT && !is_service_link(id, equals + 1))
            settings_give(settings, id, FROM_ENVIRONMENT, 0, equals + 1);
    }
}

/* Other programs' names are none of our business: the file may be shared. Of two lines the later one counts. */
static void
read_dotenv_lines(struct settings *settings, char *text, size_t bytes, struct report *report)
{
    struct dotenv dotenv;
    struct dotenv_entry entry;
    enum dotenv_status status;

    dotenv_init(&dotenv, text, bytes);
    while ((status = dotenv_next(&dotenv, &entry)) != DOTENV_END) {
        enum setting_id id;

        if (status == DOTENV_MALFORMED) {
            report_add(report, "%s:%u: %s", settings->dotenv, dotenv.line, entry.mistake);
            continue;
        }
        id = setting_by_name(entry.name, strlen(entry.name));
        if (id != SETTING_COUNT && entry.value[0] != '\0')
            settings_give(settings, id, FROM_DOTENV, dotenv.line, entry.value);
    }
}

void
settings_read_dotenv(struct settings *settings, struct report *report)
{
    char *text;
    size_t bytes;

    switch (small_file_read(settings->dotenv, DOTENV_FILE_BYTES, &text, &bytes)) {
    case SMALL_FILE_OK:
        read_dotenv_lines(settings, text, bytes, report);
        explicit_bzero(text, bytes);
        free(text);
        break;
    case SMALL_FILE_ABSENT:
        break;
    case SMALL_FILE_UNREADABLE:
        report_add(report, "%s: cannot be read: %s", settings->dotenv, strerror(errno));
        break;
    case SMALL_FILE_TOO_LARGE:
        report_add(report, "%s: too large; accepted: up to %d bytes", settings->dotenv, DOTENV_FILE_BYTES);
        break;
    }
}
