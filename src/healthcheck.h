/*
 * healthcheck: `ratelimitd healthcheck`, which asks the service that these settings start whether it is
 * healthy: its admin listener, or the public one where that is off. For Docker's HEALTHCHECK, in an image
 * without curl.
 */
#ifndef HEALTHCHECK_H
#define HEALTHCHECK_H

#include "settings.h"

/* The exit status: 0 if GET /health is answered 200 within two seconds; else 1, with the reason on standard
   error. */
int healthcheck(const struct settings *settings);

#endif
