/*
 * settings_steps: the steps of settings_read, in their order. Private to src/config; only settings.c calls them.
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

/* The command line also says the command. */
void settings_read_flags(struct settings *settings, enum settings_command *command, int argc, char **argv,
                         struct report *report);
void settings_read_environment(struct settings *settings, char **environment, struct report *report);
void settings_read_dotenv(struct settings *settings, struct report *report);
void settings_split_listen(struct settings *settings, struct report *report);
void settings_convert(struct settings *settings, struct report *report);
void settings_compose_store(struct settings *settings, struct report *report);
/* After the store is composed: warns that REDIS_PORT is a service link and that the store is the default. */
void settings_warn_service_link(const struct settings *settings, struct report *report);
/* After the store is composed: warns of TLS files for a store without TLS, and of a user or password given with a URL
   that has none. */
void settings_warn_unused(const struct settings *settings, struct report *report);
void settings_read_tokens(struct settings *settings, struct report *report);

#endif
