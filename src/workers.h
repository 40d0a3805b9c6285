/*
 * workers: the threads that serve: one for each socket of the public listener, and one for the admin
 * listener. That one has a loop, a store handle and a limiter of its own, and another table of routes. So it
 * answers while the others have more to do than they can.
 *
 * The main thread only.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <stdbool.h>

#include "hosts.h"
#include "listener.h"
#include "metrics.h"
#include "observed.h"
#include "redis_news.h"
#include "routes.h"
#include "service_state.h"
#include "settings.h"
#include "worker.h"

struct workers_options {
    const struct settings *settings;
    struct reload *reload;
    struct generations *generations; /* with a reader for each socket, and one more */
    const struct networks *trusted;
    const struct redis_url *redis; /* NULL: the store is `memory` */
    const struct redis_tls *tls;
    struct store *memory;
};

struct workers {
    struct service_state state;
    struct metrics metrics;
    struct redis_news redis_news;
    struct observed observed; /* on the admin listener's worker */
    struct limiter_counts
        admin_counts; /* what the admin listener's limiter counts is no news of the service */
    struct places places, admin_places;
    struct hosts admin_hosts;
    struct worker_options options, admin_options;
    struct route_table routes; /* of the public listener */
    struct worker **list;
    unsigned count;
    struct worker *admin; /* NULL: not started */
};

/* Takes the sockets of both listeners. Without an admin listener, its worker serves nobody. False, after a line
   in the log: some did not start. Then, too, workers_stop is to be called. What the options point to is
   borrowed until then. */
bool workers_start(struct workers *workers, const struct workers_options *options, struct listener *listener,
                   struct listener *admin);

/* Drains and ends all. The admin listener is the last: until then its /ready answers 503. */
void workers_stop(struct workers *workers);

#endif
