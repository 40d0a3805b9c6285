/*
 * places: how many connections the service has open: one bound for all workers.
 *
 * A sixteenth of the places, at most PLACES_RESERVE_MAX, is a reserve for peers on this machine, so that a
 * health check finds room in a service that strangers have filled. When no more than another sixteenth is
 * free, the service is crowded, and each worker closes idle connections (connections.h), also for the clients
 * of other workers. A worker that still has no place for a client makes a wish, which another worker grants
 * by closing an idle connection.
 *
 *      0 ────────── quiet ────────── crowded ─── for this machine only ─── max
 *
 * From any thread. It is touched when a connection is opened or closed, and looked at four times a second.
 */
#ifndef PLACES_H
#define PLACES_H

#include <stdatomic.h>
#include <stdbool.h>

#include "log.h"

#define PLACES_RESERVE_MAX 32

struct places {
    _Atomic unsigned taken;
    _Atomic bool wished;
    unsigned max;
    unsigned reserve;
    struct log_limiter full_log;
};

/* `max` at least 1. */
void places_init(struct places *places, unsigned max);

/* `local`: for a peer on this machine. False: no place is free for the peer. */
bool places_take(struct places *places, bool local);
void places_give(struct places *places);

bool places_are_crowded(const struct places *places);

void places_wish(struct places *places, bool wished);
bool places_are_wished(const struct places *places);

#endif
