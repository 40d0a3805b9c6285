/*
 * redis_guard: ends the connection on replies that hiredis would trust, from Redis or from a server that
 * poses as it:
 *
 *   - a reply that no command waits for: hiredis takes it for a message of a subscription, and asserts that
 *     there is one;
 *   - an array: hiredis allocates one of millions before its first element has come, and keeps elements
 *     without end;
 *   - a string of many megabytes: hiredis buffers it to its end.
 *
 * It wraps the functions by which the connection's reader builds replies. Only an error may come without a
 * command, such as "max number of clients reached"; hiredis itself then closes the connection.
 */
#ifndef REDIS_GUARD_H
#define REDIS_GUARD_H

#include <stdbool.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

struct redis_guard {
    redisReplyObjectFunctions own;          /* in use by the reader for its whole life */
    const redisReplyObjectFunctions *inner; /* hiredis' own, which build the reply */
    const redisAsyncContext *context;
    const char *reason; /* why it ended the connection, for logs; NULL: it did not */
    bool has_unasked_error;
};

/* Call it before the first byte is read. The guard must not move, and must outlive the connection. */
void redis_guard_attach(struct redis_guard *guard, redisAsyncContext *context);

/* Call it after each read. True: the reply so far is longer than any valid one; drop the connection. */
bool redis_guard_is_flooded(struct redis_guard *guard);

#endif
