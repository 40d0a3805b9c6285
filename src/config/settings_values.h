/*
 * settings_values: the text of each setting and where it was given, which the steps of settings_read write and read.
 * Private to src/config; settings_place and settings_diagnostic are declared in settings.h.
 */
#ifndef SETTINGS_VALUES_H
#define SETTINGS_VALUES_H

#include "settings.h"

/* Stores a copy of the value, unless a stronger source has given one. */
void settings_give(struct settings *settings, enum setting_id id, enum setting_source source, unsigned line,
                   const char *text);

/* The same for `id`, the host or the port in LISTEN: diagnostics name the place of LISTEN. */
void settings_give_half(struct settings *settings, enum setting_id id, const char *text);

/* Replaces the text, which is wiped and freed. Takes ownership of the new one, which may be NULL. */
void settings_replace(struct settings *settings, enum setting_id id, char *owned_text);

/* Whether any source but the default gave it. */
bool settings_was_given(const struct settings *settings, enum setting_id id);

#endif
