/*
 * redis_overrides: an override_store in Redis, in one hash that all nodes read: `rl:{overrides}`, which no
 * client's key can be.
 *
 *      run ─► read, version ─┬─► the same: nothing                         four times a second
 *                            └─► a page, the next page, ... ─► on_end      128 texts a page, or 32 KiB
 *
 * Each step is one command, lua/overrides.lua, on the connection of a redis_store. Redis' own clock says when
 * an override ends. After a reconnect all is read again. What is not answered in time is UNKNOWN, and the
 * connection is replaced.
 *
 * The hash has no time to live: what is over is swept by the nodes that knew it.
 */
#ifndef REDIS_OVERRIDES_H
#define REDIS_OVERRIDES_H

#include "override_store.h"

struct redis_connection;
struct redis_url;

struct redis_overrides_options {
    struct redis_connection *connection; /* borrowed; must be freed before this is */
    const struct redis_url *url;         /* for logs; borrowed */
    int64_t timeout_us;
    uint32_t max; /* of overrides */
    uint32_t text_bytes_max;
};

/* NULL: out of memory. */
struct override_store *redis_overrides_new(const struct redis_overrides_options *options);

#endif
