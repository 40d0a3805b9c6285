/*
 * top: `ratelimitd top`: shows on a terminal what a service does: rules, clients, Redis, nodes.
 *
 * On a terminal until `q` or a signal; elsewhere once, as text.
 */
#ifndef TOP_H
#define TOP_H

#include "report.h"

struct top_options {
    const char *url;   /* top_url.h */
    const char *token; /* "": none */
};

/* The exit status: 0; 1 where the service does not answer, or not as it should, with a sentence on standard error. False URLs
   go to `report`: 2. A signal that ended it ends the process. */
int top_run(const struct top_options *options, struct report *report);

#endif
