/*
 * settings_steps: the steps of settings_read, in their order, and what they share. Private to src/config.
 *
 *     flags ──┐
 *     environ ┼─► given[]: one text a setting, ─► LISTEN is split ─► converted ─► the store's URL is composed
 *     .env  ──┤   from the strongest source        into HOST and     into the     from its parts where it
 *     default ┘                                    PORT              fields       was not given
 *
 * A step reports what is wrong and goes on, so that one run reports everything.
 */
#ifndef SETTINGS_STEPS_H
#define SETTINGS_STEPS_H

#include "settings.h"

#define SECRET_FILE_BYTES 4096

/* The command line also says the command. */
void settings_read_flags(struct settings *settings, enum settings_command *command, int argc, char **argv,
                         struct report *report);
void settings_read_environment(struct settings *settings, char **environment, struct report *report);
void settings_read_dotenv(struct settings *settings, struct report *report);
void settings_split_listen(struct settings *settings, struct report *report);
void settings_split_admin_listen(struct settings *settings, struct report *report);
void settings_convert(struct settings *settings, struct report *report);
void settings_compose_store(struct settings *settings, struct report *report);
/* After the store is composed: warns of settings that have no effect with it. */
void settings_warn_unused(const struct settings *settings, struct report *report);
void settings_read_tokens(struct settings *settings, struct report *report);

/* Stores a copy of the value, unless a stronger source has given one. */
void settings_give(struct settings *settings, enum setting_id id, enum setting_source source, unsigned line,
                   const char *text);

/* The same for `id`, the host or the port in LISTEN: diagnostics name the place of LISTEN. */
void settings_give_half(struct settings *settings, enum setting_id id, const char *text);

/* Replaces the text, which is wiped and freed. Takes ownership of the new one, which may be NULL. */
void settings_replace(struct settings *settings, enum setting_id id, char *owned_text);

/* Whether any source but the default gave it. */
bool settings_was_given(const struct settings *settings, enum setting_id id);

/* Whether both were given, which is reported: they say the same thing. */
bool settings_are_both_given(const struct settings *settings, enum setting_id id, enum setting_id other,
                             struct report *report);

/* The secret in the file that the setting names, without the newline that editors and `echo` append; NULL
   with a line in the report if it cannot be read. The caller frees it after settings_wipe. */
char *settings_read_secret(const struct settings *settings, enum setting_id id, struct report *report);

void settings_wipe(char *text);

/* Warns if the name is not a setting's but was probably meant to be. `place` is that of a .env file, ".env:3:
   ", or "" for the environment. The value is examined but never shown. */
void settings_warn_unknown(const char *place, const char *name, size_t name_bytes, const char *value,
                           struct report *report);

/* Whether Kubernetes or Docker set this variable for a service of that name: REDIS_PORT=tcp://10.0.0.11:6379,
   REDIS_SERVICE_HOST, REDIS_PORT_6379_TCP_ADDR. It is not meant for this program. */
bool settings_is_service_link(const char *name, const char *value);

#endif
