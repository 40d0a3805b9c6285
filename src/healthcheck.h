/*
 * healthcheck: `ratelimitd healthcheck`: is the service that these settings would start healthy? For Docker's HEALTHCHECK,
 * in an image that has no curl.
 */
#ifndef HEALTHCHECK_H
#define HEALTHCHECK_H

#include "settings.h"

/* The exit status: 0 where GET /health says 200 within two seconds; else 1, with a line on standard error that says why. */
int healthcheck(const struct settings *settings);

#endif
