/*
 * redis_script: brings take.lua back into the script cache of Redis, which SCRIPT FLUSH and a restart empty.
 *
 * To compile the script holds Redis for some 0.7 ms, as long as a large batch. So it is a command of its own:
 * between it and the batch Redis serves others.
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

/* Queues SCRIPT LOAD, unless it is under way: what missed the script then left before it. Whether Redis takes
   it is told by the reply to what is sent next. False: not connected, or out of memory. */
bool redis_script_load(struct redis_script *script, struct redis_connection *connection);

#endif
