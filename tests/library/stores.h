/*
 * stores: what the tests of decisions share: a Redis of their own, and the library's stores there and in
 * memory.
 */
#ifndef STORES_H
#define STORES_H

#include <check.h>
#include <stdio.h>

#include <ratelimit.h>

#include "redis_process.h"

#define HOUR_MS (INT64_C(3600) * 1000)
#define DAY_MS  (24 * HOUR_MS)
#define MEMORY  0
#define REDIS   1

static struct redis_process server;
static struct ratelimit_error error;

static inline struct ratelimit_store *
open_redis(const struct ratelimit_store_options *options)
{
    char url[128];
    struct ratelimit_store *store;

    snprintf(url, sizeof(url), "unix://%s?db=1", server.socket);
    store = ratelimit_store_open(url, options, &error);
    ck_assert_msg(store != NULL, "%s", error.text);
    return store;
}

/* A busy machine is no reason to fail: where it is not about deadlines there is time. */
static inline struct ratelimit_store *
open_store(int kind)
{
    static const struct ratelimit_store_options patient = {.timeout_ms = 10000, .connect_timeout_ms = 10000};
    struct ratelimit_store *store =
        kind == REDIS ? open_redis(&patient) : ratelimit_store_open("memory", &patient, &error);

    ck_assert_msg(store != NULL, "%s", error.text);
    return store;
}

static inline void
start_server(void)
{
    ck_assert(redis_process_start(&server));
}

static inline void
stop_server(void)
{
    redis_process_stop(&server);
}

static inline struct ratelimit_decision
take(struct ratelimit_limiter *limiter, const char *key, int64_t cost)
{
    struct ratelimit_decision decision;
    enum ratelimit_status status = ratelimit_take(limiter, key, cost, &decision, &error);

    ck_assert_msg(status == RATELIMIT_OK, "%s", error.text);
    ck_assert_int_eq(error.status, RATELIMIT_OK);
    ck_assert_str_eq(error.text, "");
    return decision;
}

static inline struct ratelimit_limiter *
limiter_of(struct ratelimit_store *store, enum ratelimit_algorithm algorithm)
{
    switch (algorithm) {
    case RATELIMIT_TOKEN_BUCKET:
        return ratelimit_token_bucket(store, "bucket", 3, 1, HOUR_MS, &error);
    case RATELIMIT_SLIDING_WINDOW:
        return ratelimit_sliding_window(store, "log", 3, DAY_MS, &error);
    case RATELIMIT_SLIDING_WINDOW_COUNTER:
        return ratelimit_sliding_window_counter(store, "counter", 3, DAY_MS, &error);
    case RATELIMIT_FIXED_WINDOW:
        return ratelimit_fixed_window(store, "fixed", 3, DAY_MS, &error);
    }
    return NULL;
}

#endif
