/*
 * settings_unknown: variables that look like settings and are not. Private to src/config.
 */
#ifndef SETTINGS_UNKNOWN_H
#define SETTINGS_UNKNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "report.h"

/* Warns if the name is not a setting's but was probably meant to be. `place` comes before it: ".env:3: ", or "" for
   the environment. The value is examined but never shown. */
void settings_warn_unknown(const char *place, const char *name, size_t name_bytes, const char *value,
                           bool is_dotenv, struct report *report);

/* Whether Kubernetes or Docker set this variable for a service of that name: REDIS_PORT=tcp://10.0.0.11:6379,
   REDIS_SERVICE_HOST, REDIS_PORT_6379_TCP_ADDR. It is not meant for this program. */
bool settings_is_service_link(const char *name, const char *value);

#endif
