/*
 * explain: what the rules do, told to an operator on a terminal: all of them (`ratelimitd --check`), or what
 * one request meets (`--explain`). Any thread.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdio.h>

#include "address.h"
#include "policy.h"
#include "redis_url.h"
#include "settings.h"

struct redis_tls;

/* How many rules there are and what happens to requests that none matches; then a line for each rule, in the
   order of the file. */
void explain_rules(FILE *out, const struct policy *policy, const struct settings *settings);

struct explain_store {
    const struct redis_url *redis; /* NULL: the store is the memory of the service */
    const struct redis_tls *tls;   /* NULL unless the URL asks for TLS */
};

enum explain_status {
    EXPLAIN_TOLD,
    EXPLAIN_MISTAKEN,   /* settings->explain is not understood, as the report says; nothing is told */
    EXPLAIN_STORE_AWAY, /* told, but not what remains, and why */
};

/* The request in settings->explain (asked.h): the rule that decides it, the client, the limits, and why not
   the rules above. Where --store is given as a flag, Redis is asked too, and waited for as peek.h says: what
   was set for the client at run time, and what remains. */
enum explain_status explain_request(FILE *out, const struct policy *policy, const struct settings *settings,
                                    const struct networks *trusted, const struct explain_store *store,
                                    struct report *report);

#endif
