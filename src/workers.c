#include "workers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "admin_routes.h"
#include "clock.h"
#include "log.h"
#include "public_routes.h"
#include "refusal_log.h"

/* Descriptors besides connections and workers: standard streams, and files that libraries open briefly. */
#define DESCRIPTORS_OF_PROCESS 32

/* The admin listener's own: people, probes and scrapers. */
#define ADMIN_CONNECTIONS 64

/* The service must end within 10 s, which is how long container runtimes wait. An idle connection has a
   second of that (connections.h). */
#define DRAIN_US       (8 * US_PER_S)
#define ADMIN_DRAIN_US (3 * US_PER_S / 2)

/* Each connection is a descriptor: raises the soft limit as far as allowed and, if that is not enough,
   accepts fewer connections, so that accept never runs out of descriptors. */
static unsigned
fit_connections(int64_t wanted, unsigned workers)
{
    struct rlimit limit;
    rlim_t others = DESCRIPTORS_OF_PROCESS + ADMIN_CONNECTIONS + (rlim_t)workers * WORKER_DESCRIPTORS;
    rlim_t needed = (rlim_t)wanted + others;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
        return (unsigned)wanted;
    limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed)
        return (unsigned)wanted;
    wanted = (int64_t)(limit.rlim_cur > 2 * others ? limit.rlim_cur - others : limit.rlim_cur / 2);
    log_warn("main",
             "MAX_CONNECTIONS is %" PRId64 ", because the process may open %" PRIu64
             " files; raise that limit (ulimit -n)",
             wanted, (uint64_t)limit.rlim_cur);
    return wanted > 0 ? (unsigned)wanted : 1;
}

static void
set_options(struct workers *workers, const struct workers_options *given)
{
    const struct settings *settings = given->settings;

    workers->routes = public_routes;
    if (settings->metrics_public)
        workers->routes.more = &metrics_routes;
    workers->options = (struct worker_options){
        .http = {.routes = &workers->routes,
                 .service = &workers->state,
                 .metrics = &workers->metrics,
                 .generations = given->generations,
                 .reload = given->reload,
                 .trusted = given->trusted,
                 .places = &workers->places,
                 .api_token = settings->api_token,
                 .admin_token = settings->admin_token,
                 .max_body_bytes = settings->max_body_bytes,
                 .header_timeout_us = settings->header_timeout_ms * US_PER_MS,
                 .idle_timeout_us = settings->idle_timeout_ms * US_PER_MS},
        .redis = given->redis,
        .tls = given->tls,
        .redis_news = &workers->redis_news,
        .redis_timeout_us = settings->redis_timeout_ms * US_PER_MS,
        .memory = given->memory,
        .counts = &workers->state.counts,
        .stream = workers->observed.stream,
        .drain_us = DRAIN_US,
        .name = "worker",
    };
    workers->admin_hosts = (struct hosts){.own = settings->admin_host, .listed = settings->admin_hosts};
    workers->admin_options = workers->options;
    workers->admin_options.http.routes = &admin_routes;
    workers->admin_options.http.hosts = &workers->admin_hosts;
    workers->admin_options.http.places = &workers->admin_places;
    workers->admin_options.counts = &workers->admin_counts;
    workers->admin_options.drain_us = ADMIN_DRAIN_US;
    workers->admin_options.name = "admin";
    workers->admin_options.is_admin = true;
    workers->admin_options.stream = NULL;
    workers->admin_options.observed = &workers->observed;
    workers->admin_options.http.observed = &workers->observed;
}

/* The worker owns the socket, also when it does not start. */
static struct worker *
start_worker(const struct worker_options *options, unsigned number, int *socket)
{
    struct worker *worker = worker_start(options, number, *socket);

    *socket = -1;
    if (worker == NULL)
        log_error("main", "cannot start worker %u: %s", number, strerror(errno));
    return worker;
}

bool
workers_start(struct workers *workers, const struct workers_options *options, struct listener *listener,
              struct listener *admin)
{
    int none = -1;
    const struct settings *settings = options->settings;
    const struct refusal_log_options refusal_log = {.mode = (enum refusal_log_mode)settings->log_refusals,
                                                    .clients = (enum client_display)settings->log_clients,
                                                    .key = settings->log_clients_key};

    places_init(&workers->places, fit_connections(options->settings->max_connections, listener->count + 1));
    places_init(&workers->admin_places, ADMIN_CONNECTIONS);
    if (!metrics_init(&workers->metrics, listener->count) ||
        !observed_init(&workers->observed,
                       &(struct observed_options){.metrics = &workers->metrics,
                                                  .version = RATELIMITD_VERSION,
                                                  .workers = listener->count,
                                                  .analytics = options->settings->analytics != 0,
                                                  .refusal_log = &refusal_log}))
        return false;
    workers->metrics.stream = workers->observed.stream;
    workers->metrics.top_clients = workers->observed.top_clients;
    workers->metrics.uses_redis = options->redis != NULL;
    workers->metrics.connections_max = workers->places.max;
    workers->metrics.memory_entries_max = (uint64_t)options->settings->memory_max_keys;
    set_options(workers, options);
    workers->list = calloc(listener->count, sizeof(struct worker *));
    while (workers->list && workers->count < listener->count) {
        struct worker *worker =
            start_worker(&workers->options, workers->count, &listener->sockets[workers->count]);
        if (worker == NULL)
            return false;
        workers->list[workers->count++] = worker;
    }
    if (workers->list)
        workers->admin = start_worker(&workers->admin_options, workers->count,
                                      admin->count > 0 ? &admin->sockets[0] : &none);
    return workers->admin != NULL;
}

void
workers_stop(struct workers *workers)
{
    atomic_store_explicit(&workers->state.draining, true, memory_order_relaxed);
    for (unsigned i = 0; i < workers->count; i++)
        worker_stop(workers->list[i]);
    for (unsigned i = 0; i < workers->count; i++)
        worker_join(workers->list[i]);
    free(workers->list);
    if (workers->admin) {
        worker_stop(workers->admin);
        worker_join(workers->admin);
    }
    observed_fini(&workers->observed);
    metrics_fini(&workers->metrics);
}
