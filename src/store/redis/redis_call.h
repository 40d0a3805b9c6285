/*
 * redis_call: a command that waits for its reply (redis_connection_send). Embedded in what its sender has.
 */
#ifndef REDIS_CALL_H
#define REDIS_CALL_H

struct redisReply;

struct redis_call {
    /* Once, later, on the connection's thread: the reply, borrowed, or NULL when the connection was lost
       first; the command may have run or not. Until then the call must live. */
    void (*callback)(struct redis_call *call, const struct redisReply *reply);
};

#endif
