/*
 * redis_script: brings take.lua back into the script cache of Redis, which SCRIPT FLUSH and a restart empty.
 *
 * Compiling the script blocks Redis for about 0.7 ms, as long as a large batch. So it is a command of its
 * own: Redis serves others between it and the batch.
 *
 *     EVALSHA ─► NOSCRIPT ─► redis_script_load, and EVALSHA again, on the same connection
 *
 * Embedded in its owner; zeroed at first; must live until the connection is freed. The connection's thread.
 */
#ifndef REDIS_SCRIPT_H
#define REDIS_SCRIPT_H

#include <stdbool.h>

#include "redis_connection.h"

struct redis_script {
    struct redis_call call;
    bool is_loading; /* the reply has not come */
};

/* Queues SCRIPT LOAD, unless one is under way: what missed the script was then sent before it. The reply to
   the next command shows whether Redis took it. False: not connected, or out of memory. */
bool redis_script_load(struct redis_script *script, struct redis_connection *connection);

#endif
