/*
 * redis_store: counters in Redis, shared by all nodes. A handle belongs to one worker: one connection, on its
 * event loop.
 *
 *     way in     store_take ─► redis_batch_add ─ ─ end of the turn, store_flush ─ ─► redis_batch_encode
 *
 *     way back   a reply ─► redis_batch_decode, which marks what it decides┐
 *                no reply, the connection is lost ─────────────────────────┴─► redis_batch_answer ─► callback
 *                the deadline passes ────────────────────────────────────────► redis_batch_expire ─► callback
 *
 * No callback runs until the whole reply has been read; all of them run in those two functions, except
 * store_cancel's, which never run.
 *
 * Requests gather during a turn of the loop and leave in one command at its end. A lone request leaves at
 * once. While two commands are under way, the next one waits for a reply unless its batch is full, so under
 * load batches grow, and a distant Redis is still kept busy. While 64 are under way, full batches wait too.
 * Batches leave in the order of arrival.
 *
 * A refused request is refused again without asking Redis until it could pass, for at most a second
 * (denial_cache.h).
 *
 * Whatever Redis does, each request is answered by its deadline, with STORE_UNAVAILABLE if need be. A command
 * that was sent is never sent again, because it may have counted. After a command has not been answered in
 * time, requests are STORE_UNAVAILABLE at once until Redis answers again.
 */
#ifndef REDIS_STORE_H
#define REDIS_STORE_H

#include "redis_url.h"
#include "store.h"

struct event_base;
struct redis_connection;
struct redis_counts;
struct redis_news;
struct redis_tls;

struct redis_store_options {
    struct event_base *base;
    const struct redis_url *url; /* borrowed for the store's life, as is `tls` */
    const struct redis_tls *tls; /* NULL unless the URL asks for TLS */
    int64_t timeout_us;          /* a request's deadline, from its store_take */
    const char *program;         /* borrowed; with `worker`, the connection's name: "ratelimitd-0" */
    unsigned worker;
    struct redis_counts *counts; /* borrowed; the worker's own (metrics.h); NULL: not counted */
    struct redis_news *news;     /* borrowed; shared by the stores of this Redis; NULL: it is the only one */
};

/* NULL: out of memory. It starts to connect with the loop's next turn; store_health reports the progress. */
struct store *redis_store_new(const struct redis_store_options *options);

/* Its connection, for commands of another kind (redis_connection_send). Until the store is freed. */
struct redis_connection *redis_store_connection(struct store *store);

#endif
