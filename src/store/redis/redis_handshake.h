/*
 * redis_handshake: the first commands on a new connection: AUTH, SELECT, CLIENT SETNAME, CLIENT SETINFO and
 * SCRIPT LOAD, in one write; and whether Redis accepted them.
 */
#ifndef REDIS_HANDSHAKE_H
#define REDIS_HANDSHAKE_H

#include <stdbool.h>

#include "redis_url.h"

struct redisAsyncContext;
struct redisReply;

struct redis_handshake_options {
    const struct redis_url *url;
    const char *program; /* for CLIENT SETNAME <program>-<worker> */
    unsigned worker;
};

#define REDIS_HANDSHAKE_STEPS 5

/* Belongs to the caller; must live until the connection is freed. */
struct redis_handshake {
    unsigned sent, answered; /* steps; equal: the handshake is over */
    unsigned char steps[REDIS_HANDSHAKE_STEPS];
    /* Runs once, from within a reply callback of hiredis, unless the connection is lost first. `refusal` is
       the error reply, borrowed; NULL: accepted. */
    void (*on_over)(void *arg, const struct redisReply *refusal);
    void *arg;
};

/* Queues the commands; `options` is not read after this returns. The caller has set `on_over` and `arg`.
   False: out of memory; drop the connection. */
bool redis_handshake_begin(struct redis_handshake *handshake, struct redisAsyncContext *context,
                           const struct redis_handshake_options *options);

#endif
