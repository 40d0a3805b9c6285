/*
 * settings_secret: a secret from the file that a setting names. Private to src/config.
 */
#ifndef SETTINGS_SECRET_H
#define SETTINGS_SECRET_H

#include "settings.h"

#define SECRET_FILE_BYTES 4096

/* The secret without the newline that editors and `echo` append; NULL with a line in the report if there is none. The
   caller wipes and frees it. */
char *settings_read_secret(const struct settings *settings, enum setting_id id, struct report *report);

#endif
