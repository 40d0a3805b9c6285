/*
 * blocking_store: a Redis store for threads that wait: store_take returns with the answer, and any thread may
 * call it.
 *
 *      a caller's thread                      the store's own thread: an event loop with a redis_store
 *        request ──► queue ──► wakes it ──►   takes the whole queue in one turn ──► one command to Redis
 *        sleeps                               ◄── replies, deadlines, lost connections
 *        ◄── the answer, by its semaphore
 *
 * So concurrent calls leave in one command, and all that redis_store promises holds here: batches, deadlines,
 * the denial cache, reconnecting. STORE_DONE or STORE_UNAVAILABLE, never STORE_PENDING.
 */
#ifndef BLOCKING_STORE_H
#define BLOCKING_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redis_url.h"
#include "store.h"

struct redis_tls;

/* `url` and `tls` (NULL where the URL does not ask for TLS) are borrowed for the store's life. store_take
   takes no longer than `timeout_us`, plus the switch between two threads. Has no store_cancel, store_flush
   and store_health. NULL with errno if out of memory, threads or descriptors. store_free waits for the
   thread's end; no call may be under way, and it must be in the process that made it. */
struct store *blocking_store_new(const struct redis_url *url, const struct redis_tls *tls,
                                 int64_t timeout_us);

/* Waits until the store is ready. False, with a reason, if `timeout_us` pass first. */
bool blocking_store_await(struct store *store, int64_t timeout_us, char *reason, size_t bytes);

#endif
