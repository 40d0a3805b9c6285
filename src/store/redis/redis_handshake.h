/*
 * redis_handshake: what a new connection says before it is of use: AUTH, SELECT, CLIENT SETNAME, CLIENT SETINFO and SCRIPT
 * LOAD, in one write; and whether it has been let in.
 */
#ifndef REDIS_HANDSHAKE_H
#define REDIS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "redis_url.h"

struct redisAsyncContext;
struct redisReply;

struct redis_handshake_options {
    const struct redis_url *url;
    const char *script; /* what SCRIPT LOAD gets */
    size_t script_bytes;
    const char *program; /* for CLIENT SETNAME <program>-<worker> */
    unsigned worker;
};

/* Its owner's, until the connection is freed. */
struct redis_handshake {
    unsigned left; /* replies that are still to come; 0: it is over */
    /* Once, from within a reply callback of hiredis, unless the connection is lost before: `refusal` is the error, borrowed,
       or NULL: it is in. */
    void (*on_over)(void *arg, const struct redisReply *refusal);
    void *arg;
};

/* Queues the commands; `options` is read before this returns. `on_over` and `arg` are set by the caller. False: memory
   is out, and the connection is to be dropped. */
bool redis_handshake_begin(struct redis_handshake *entry, struct redisAsyncContext *context,
                           const struct redis_handshake_options *options);

#endif
