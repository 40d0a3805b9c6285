/*
 * redis_guard: what comes from Redis, or from whoever passes for it, ends the connection where hiredis would believe it:
 *
 *   - a reply that no command waits for: hiredis would take it for a message of a subscription, and assert that there is one;
 *   - an array: one of millions is allocated before its first element is there, and parts without an end are kept while
 *     they come, however long each is;
 *   - a text of many megabytes, which would be gathered to its end.
 *
 * It stands in the connection's reply reader, which builds each reply by a table of functions. Only an error is let
 * through unasked: "max number of clients reached", say, which hiredis itself answers by an end of the connection.
 */
#ifndef REDIS_GUARD_H
#define REDIS_GUARD_H

#include <stdbool.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

struct redis_guard {
    redisReplyObjectFunctions own;          /* the reader's, as long as it lives */
    const redisReplyObjectFunctions *inner; /* hiredis': they build the reply */
    const redisAsyncContext *context;
    const char *reason; /* for people: why it ended the connection; NULL: it did not */
    bool has_unasked_error;
};

/* Before the first byte is read. The guard stays where it is, and lives longer than the connection. */
void redis_guard_attach(struct redis_guard *guard, redisAsyncContext *context);

/* After each read: true where the reply that is gathering has become longer than any of ours; drop the connection. */
bool redis_guard_is_flooded(struct redis_guard *guard);

#endif
