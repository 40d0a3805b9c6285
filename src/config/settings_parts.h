/*
 * settings_parts: the steps of settings_read, in their order, and what they share. Private to src/config.
 *
 *     flags ──┐
 *     environ ┼─► given[]: one text a setting, ─► LISTEN is split ─► converted ─► the store's URL is composed
 *     .env  ──┤   the strongest source's           into HOST and     into the     of its parts where it
 *     default ┘                                    PORT              fields       was not given
 *
 * A mistake is noted and the reading goes on, so that one run shows them all.
 */
#ifndef SETTINGS_PARTS_H
#define SETTINGS_PARTS_H

#include "settings.h"

/* Notes a copy of a value, unless a stronger source has given one. */
void settings_give(struct settings *settings, enum setting_id id, enum setting_source source, unsigned line,
                   const char *text);

/* The same for the half of LISTEN that is `id`: mistakes name the place of LISTEN. */
void settings_give_half(struct settings *settings, enum setting_id id, const char *text);

/* Puts a text in the place of another, which is wiped and freed. Owns the new one, which may be NULL. */
void settings_replace(struct settings *settings, enum setting_id id, char *owned_text);

/* By the operator, that is: by more than the default. */
bool settings_was_given(const struct settings *settings, enum setting_id id);

/* The command line also finds the command. */
void settings_read_flags(struct settings *settings, enum settings_command *command, int argc, char **argv,
                         struct report *report);
void settings_read_environment(struct settings *settings, char **environment, struct report *report);
void settings_read_dotenv(struct settings *settings, struct report *report);

/* Warns of a name that is no setting's, where it was probably meant to be one. `place` stands before it: ".env:3: ", or "" for
   the environment. The value is looked at, and not shown. */
void settings_warn_unknown(const char *place, const char *name, size_t name_bytes, const char *value,
                           bool is_dotenv, struct report *report);

/* Whether Kubernetes or Docker set this variable for a service of that name: REDIS_PORT=tcp://10.0.0.11:6379,
   REDIS_SERVICE_HOST, REDIS_PORT_6379_TCP_ADDR. Nobody meant them for us. */
bool settings_is_service_link(const char *name, const char *value);

/* Warns that REDIS_PORT is one, where that leaves the store to its default. After the store is composed. */
void settings_warn_service_link(const struct settings *settings, struct report *report);

/* Warns of TLS files beside a store without TLS, and of a user or password beside a URL without one. After the store is
   composed. */
void settings_warn_unused(const struct settings *settings, struct report *report);

void settings_split_listen(struct settings *settings, struct report *report);
void settings_convert(struct settings *settings, struct report *report);
void settings_compose_store(struct settings *settings, struct report *report);
void settings_read_tokens(struct settings *settings, struct report *report);

/* The secret in the file that the setting names, without the newline that editors and `echo` leave behind it; NULL where
   there is none, with a line in the report. Wipe it before it is freed. */
char *settings_read_secret(const struct settings *settings, enum setting_id id, struct report *report);

#endif
