/* Opening a store takes several steps; each reports its own error. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocking_store.h"
#include "error.h"
#include "handle.h"
#include "limit.h"
#include "log.h"
#include "memory_store.h"
#include "number.h"
#include "redis_tls.h"
#include "url.h"

_Static_assert(RATELIMIT_PERIOD_MS_MAX *US_PER_MS == DURATION_MAX_US, "ratelimit.h repeats number.h");
_Static_assert(RATELIMIT_NUMBER_MAX == NUMBER_EXACT_MAX, "ratelimit.h repeats number.h");

/* The log: nothing is written until the program names a sink. */

static struct {
    void (*write)(void *arg, enum ratelimit_log_level level, const char *line);
    void *arg;
} log_target;

static void
on_log(void *arg, enum log_level level, const char *module, const char *message)
{
    char line[LOG_LINE_BYTES];

    (void)arg;
    snprintf(line, sizeof(line), "%s: %s", module, message);
    log_target.write(log_target.arg, (enum ratelimit_log_level)level, line);
}

static void
log_begin(void)
{
    log_init_sink(LOG_DEBUG, log_target.write ? on_log : NULL, NULL);
}

void
ratelimit_log_to(void (*sink)(void *arg, enum ratelimit_log_level level, const char *line), void *arg)
{
    log_target.write = sink;
    log_target.arg = arg;
}

/* Options. */

/* Replaces 0 by the usual value. False, with an error: it is not 1 to `max`. */
static bool
read_option(const char *name, int64_t *value, int64_t max, int64_t usual, struct ratelimit_error *error)
{
    if (*value == 0)
        *value = usual;
    if (*value >= 1 && *value <= max)
        return true;
    error_set(error, RATELIMIT_BAD_OPTION, "%s is %" PRId64 "; accepted: 1 to %" PRId64 ", or 0 for %" PRId64,
              name, *value, max, usual);
    return false;
}

static bool
read_options(struct ratelimit_store_options *options, struct ratelimit_error *error)
{
    return read_option("max_keys", &options->max_keys, 1000000000, 1000000, error) &&
           read_option("timeout_ms", &options->timeout_ms, 60000, 100, error) &&
           read_option("connect_timeout_ms", &options->connect_timeout_ms, 600000, 2000, error);
}

/* Opening. */

static bool
open_memory(struct ratelimit_store *store, const struct ratelimit_store_options *options,
            struct ratelimit_error *error)
{
    store->clock = clock_steady();
    store->store = memory_store_new(
        &(struct memory_store_options){.max_keys = options->max_keys, .clock = &store->clock});
    if (store->store == NULL)
        error_set(error, RATELIMIT_NO_RESOURCES, "cannot reserve memory for max_keys %" PRId64,
                  options->max_keys);
    return store->store != NULL;
}

static bool
read_url(struct ratelimit_store *store, const char *url, struct ratelimit_error *error)
{
    const char *reason = redis_url_read(&store->url, url);
    char *shown;

    if (reason == NULL)
        return true;
    if (reason == redis_url_no_memory) {
        error_set(error, RATELIMIT_NO_RESOURCES, "out of memory");
        return false;
    }
    shown = url_redact(url);
    error_set(error, RATELIMIT_BAD_URL,
              "the store's URL \"%.120s\": %s; accepted: memory, " REDIS_URL_ACCEPTED, shown ? shown : "",
              reason);
    free(shown);
    return false;
}

static bool
open_tls(struct ratelimit_store *store, const struct ratelimit_store_options *options,
         struct ratelimit_error *error)
{
    struct report report;

    if (!store->url.tls)
        return true;
    report_init(&report);
    store->tls = redis_tls_new(
        &(struct redis_tls_options){.ca_file = options->tls_ca_file ? options->tls_ca_file : "",
                                    .cert_file = options->tls_cert_file ? options->tls_cert_file : "",
                                    .key_file = options->tls_key_file ? options->tls_key_file : "",
                                    .ca_place = "tls_ca_file",
                                    .cert_place = "tls_cert_file",
                                    .key_place = "tls_key_file",
                                    .skip_verify = options->tls_skip_verify},
        &report);
    if (store->tls == NULL)
        error_set(error, RATELIMIT_BAD_TLS, "%s: %s", store->url.display, report.lines[0]);
    report_fini(&report);
    return store->tls != NULL;
}

static bool
open_redis(struct ratelimit_store *store, const struct ratelimit_store_options *options,
           struct ratelimit_error *error)
{
    char reason[256];

    store->timeout_ms = options->timeout_ms;
    store->store = blocking_store_new(&store->url, store->tls, options->timeout_ms * US_PER_MS);
    if (store->store == NULL) {
        error_set(error, RATELIMIT_NO_RESOURCES, "%s: cannot start its thread: %s", store->url.display,
                  strerror(errno));
        return false;
    }
    store->process = getpid();
    if (options->lazy ||
        blocking_store_await(store->store, options->connect_timeout_ms * US_PER_MS, reason, sizeof(reason)))
        return true;
    error_set(error, RATELIMIT_UNREACHABLE, "%s: no connection within %" PRId64 " ms: %s", store->url.display,
              options->connect_timeout_ms, reason);
    return false;
}

static bool
open_by_url(struct ratelimit_store *store, const char *url, const struct ratelimit_store_options *options,
            struct ratelimit_error *error)
{
    if (strcmp(url, "memory") == 0)
        return open_memory(store, options, error);
    return read_url(store, url, error) && open_tls(store, options, error) &&
           open_redis(store, options, error);
}

struct ratelimit_store *
ratelimit_store_open(const char *url, const struct ratelimit_store_options *options,
                     struct ratelimit_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ratelimit_store_options filled = options ? *options : (struct ratelimit_store_options){0};
    struct ratelimit_store *store;

    pthread_once(&once, log_begin);
    if (url == NULL) {
        error_set(error, RATELIMIT_NULL, "the store's URL is NULL; accepted: memory, " REDIS_URL_ACCEPTED);
        return NULL;
    }
    if (!read_options(&filled, error))
        return NULL;
    store = calloc(1, sizeof(*store));
    if (store == NULL) {
        error_set(error, RATELIMIT_NO_RESOURCES, "out of memory");
        return NULL;
    }
    atomic_init(&store->references, 1);
    if (!open_by_url(store, url, &filled, error)) {
        handle_release(store);
        return NULL;
    }
    error_clear(error);
    return store;
}

/* The end. */

void
handle_acquire(struct ratelimit_store *store)
{
    atomic_fetch_add_explicit(&store->references, 1, memory_order_relaxed);
}

void
handle_release(struct ratelimit_store *store)
{
    if (atomic_fetch_sub_explicit(&store->references, 1, memory_order_acq_rel) > 1)
        return;
    /* In a forked child there is no thread to wait for, and the connection belongs to the parent. */
    if (store->process != 0 && store->process != getpid())
        return;
    store_free(store->store);
    redis_tls_free(store->tls);
    redis_url_fini(&store->url);
    free(store);
}

void
ratelimit_store_close(struct ratelimit_store *store)
{
    if (store != NULL)
        handle_release(store);
}
