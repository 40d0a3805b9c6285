/*
 * sampler: samples the counters and the state of the service once a second into a struct observed, for the
 * endpoints of the admin listener. With Redis it reports to the other nodes, and reads their reports.
 *
 * On the loop of that listener's worker, even with ADMIN_LISTEN=off.
 */
#ifndef SAMPLER_H
#define SAMPLER_H

#include "generation.h"
#include "observed.h"
#include "service_state.h"

struct event_base;
struct redis_connection;
struct redis_url;
struct sampler;

/* All borrowed, and must outlive the sampler. */
struct sampler_options {
    struct event_base *base;
    struct observed *observed;
    struct generation_reader *generations; /* the worker's */
    const struct service_state *service;
    const struct store *store; /* the worker's; knows why it is away */
    struct redis_connection
        *redis; /* the worker's; must be freed before the sampler is; NULL: the store is `memory` */
    const struct redis_url *url;
};

/* NULL: out of memory. */
struct sampler *sampler_new(const struct sampler_options *options);
void sampler_free(struct sampler *sampler); /* NULL is allowed */

/* At each turn of the loop: notes changes of the store. */
void sampler_look(struct sampler *sampler);

#endif
