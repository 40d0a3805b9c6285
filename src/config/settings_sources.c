#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dotenv.h"
#include "settings_steps.h"
#include "settings_table.h"
#include "small_file.h"

/* An empty variable counts as not set: compose files pass on unset variables as empty. */
void
settings_read_environment(struct settings *settings, char **environment, struct report *report)
{
    for (char **variable = environment; *variable; variable++) {
        const char *equals = strchr(*variable, '='), *value = equals ? equals + 1 : "";
        enum setting_id id;

        if (value[0] == '\0')
            continue;
        id = setting_by_name(*variable, (size_t)(equals - *variable));
        if (id == SETTING_COUNT)
            settings_warn_unknown("", *variable, (size_t)(equals - *variable), value, report);
        else if (id == SETTING_REDIS_PORT && settings_is_service_link("REDIS_PORT", value))
            settings->redis_port_link = value;
        else
            settings_give(settings, id, FROM_ENVIRONMENT, 0, value);
    }
}

/* The file may be shared with other programs, whose names are ignored. */
static void
read_dotenv_entry(struct settings *settings, const struct dotenv_entry *entry, unsigned line,
                  struct report *report)
{
    enum setting_id id = setting_by_name(entry->name, strlen(entry->name));
    char place[128];

    snprintf(place, sizeof(place), "%s:%u: ", settings->dotenv, line);
    if (entry->value[0] == '\0')
        return;
    if (id == SETTING_COUNT)
        settings_warn_unknown(place, entry->name, strlen(entry->name), entry->value, report);
    else
        settings_give(settings, id, FROM_DOTENV, line, entry->value);
}

/* Of two lines with the same name the later one counts. */
static void
read_dotenv_lines(struct settings *settings, char *text, size_t bytes, struct report *report)
{
    struct dotenv dotenv;
    struct dotenv_entry entry;
    enum dotenv_status status;

    dotenv_init(&dotenv, text, bytes);
    while ((status = dotenv_next(&dotenv, &entry)) != DOTENV_END) {
        if (status == DOTENV_MALFORMED)
            report_add(report, "%s:%u: %s", settings->dotenv, dotenv.line, entry.reason);
        else
            read_dotenv_entry(settings, &entry, dotenv.line, report);
    }
}

void
settings_read_dotenv(struct settings *settings, struct report *report)
{
    size_t bytes;
    char *text = small_file_read(settings->dotenv, DOTENV_FILE_BYTES, &bytes);

    if (text) {
        read_dotenv_lines(settings, text, bytes, report);
        explicit_bzero(text, bytes);
        free(text);
    } else if (errno == EFBIG) {
        report_add(report, "%s: too large; accepted: up to %d bytes", settings->dotenv, DOTENV_FILE_BYTES);
    } else if (errno != ENOENT) {
        report_add(report, "%s: cannot be read: %s", settings->dotenv, strerror(errno));
    }
}
