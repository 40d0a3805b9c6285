#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "or_abort.h"
#include "settings_steps.h"
#include "settings_table.h"
#include "settings_values.h"

void
settings_read(struct settings *settings, enum settings_command *command, int argc, char **argv,
              char **environment, const char *dotenv, struct report *report)
{
    *settings = (struct settings){.dotenv = or_abort(strdup(dotenv))};
    *command = SETTINGS_SERVE;
    settings_read_flags(settings, command, argc, argv, report);
    if (*command >= SETTINGS_VERSION)
        return;
    settings_read_environment(settings, environment, report);
    settings_read_dotenv(settings, report);
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        settings_give(settings, id, FROM_DEFAULT, 0, settings_table[id].fallback);

    settings_split_listen(settings, report);
    settings_convert(settings, report);
    settings_compose_store(settings, report);
    settings_warn_service_link(settings, report);
    settings_warn_unused(settings, report);
    settings_read_tokens(settings, report);
    if (settings->log_format == LOG_FORMAT_AUTO)
        settings->log_format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_JSON;
}

void
settings_fini(struct settings *settings)
{
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        settings_replace(settings, id, NULL);
    for (size_t i = 0; i < sizeof(settings->file_tokens) / sizeof(settings->file_tokens[0]); i++) {
        if (settings->file_tokens[i])
            explicit_bzero(settings->file_tokens[i], strlen(settings->file_tokens[i]));
        free(settings->file_tokens[i]);
    }
    free(settings->dotenv);
    *settings = (struct settings){0};
}
