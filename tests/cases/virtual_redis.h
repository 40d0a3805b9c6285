/*
 * virtual_redis: the Lua script, as it is embedded, in a real Redis whose clock is the test's.
 *
 * The script's own text is not changed: it runs between virtual_before.lua and virtual_after.lua, which give
 * it a `redis` of their own. There the test sets TIME, keys expire by that time, and each write must have the
 * TTL that follows from the decision: ceil(reset_after / 1 ms). The TTL of a penalty does not follow from the
 * decision: it must be no shorter than the penalty's rest.
 *
 * Sends and receives may be pipelined; answers come in the order of sending. Every failure is printed.
 */
#ifndef VIRTUAL_REDIS_H
#define VIRTUAL_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decision.h"
#include "limit.h"
#include "penalty.h"

#define VIRTUAL_REQUESTS_MAX 64
#define VIRTUAL_LIMITS_MAX   8

struct virtual_rule {
    const struct limit *limits;
    size_t limit_count;
    const struct penalty *penalty; /* NULL: none */
    size_t state;                  /* in its keys: rules with the same number share their states */
};

struct virtual_request {
    size_t rule; /* index into the rules */
    size_t client;
    int64_t cost;
    int64_t count;
};

/* Requests decided by one call of the script, at one moment. */
struct virtual_batch {
    int64_t now_us;
    const struct virtual_rule *rules;
    size_t rule_count;
    const struct virtual_request *requests;
    size_t request_count; /* up to VIRTUAL_REQUESTS_MAX */
};

struct virtual_redis;

/* Starts a Redis; NULL where that fails. */
struct virtual_redis *virtual_redis_new(void);
void virtual_redis_free(struct virtual_redis *redis);

/* Forgets every counter. */
bool virtual_redis_clear(struct virtual_redis *redis);

bool virtual_redis_send(struct virtual_redis *redis, const struct virtual_batch *batch);

/* Fills, for each request in turn, `count` times one decision for each limit, and the rest of the client's
   penalty. */
bool virtual_redis_receive(struct virtual_redis *redis, const struct virtual_batch *batch,
                           struct decision *decisions, int64_t *penalties_us);

/* The number of commands that the script ran for the last batch received. */
int64_t virtual_redis_calls(const struct virtual_redis *redis);

/* Of the client's list for the first limit of the rules with state 0; -1: it is not a list. */
int64_t virtual_redis_list_length(struct virtual_redis *redis, size_t client);

#endif
