/*
 * top_command: `ratelimitd top`, for the service that these settings start or the URL after `top`.
 */
#ifndef TOP_COMMAND_H
#define TOP_COMMAND_H

#include "report.h"
#include "settings.h"

/* The exit status, as of top_run (top.h); 2, with the reasons in `report`, for settings that top refuses. */
int top_command(const struct settings *settings, struct report *report);

#endif
