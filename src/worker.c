#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "candidates.h"
#include "clock.h"
#include "decision_stream.h"
#include "generation.h"
#include "limiter.h"
#include "log.h"
#include "metrics.h"
#include "observer.h"
#include "override.h"
#include "override_keeper.h"
#include "redis_overrides.h"
#include "redis_store.h"
#include "sampler.h"
#include "server.h"

/* How long the first requests wait in the socket's queue for the store to connect, before they are accepted
   anyway. */
#define STORE_FIRST_US (1 * US_PER_S)

struct worker {
    const struct worker_options *options;
    unsigned number;
    int socket;
    pthread_t thread;
    struct event_base *base;
    int stop; /* eventfd */
    struct event *on_stop;
    bool stopping;
    struct store *store;      /* this worker's Redis; NULL: options->memory is the store */
    enum store_state counted; /* the state of the store in options->counts */
    struct candidates *candidates;
    struct limiter limiter;
    struct generation_reader *generations;
    struct override_store *override_store; /* NULL: the overrides are this process' own */
    struct override_keeper *keeper;        /* NULL: another worker's */
    struct event *keeper_timer;
    struct observer *observer; /* NULL: it does not observe */
    struct sampler *sampler;   /* likewise */
    struct server *server;     /* NULL: there is no socket */
};

static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;

    (void)fd;
    (void)what;
    worker->stopping = true;
}

static struct store *
store_of(const struct worker *worker)
{
    return worker->store ? worker->store : worker->options->memory;
}

static struct worker_counts *
counts_of(const struct worker *worker)
{
    return &worker->options->http.metrics->workers[worker->number];
}

/* For /health and /ready, which speak for all workers. */
static void
count_state(struct worker *worker)
{
    enum store_state state = store_health(store_of(worker)).state;

    if (state == worker->counted)
        return;
    atomic_fetch_add_explicit(&worker->options->counts->stores[state], 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&worker->options->counts->stores[worker->counted], 1, memory_order_relaxed);
    worker->counted = state;
    if (state == STORE_READY)
        atomic_store_explicit(&worker->options->counts->reached, true, memory_order_relaxed);
}

/* For them, too. */
static void
note_turn(const struct worker *worker, int64_t turned_us)
{
    atomic_store_explicit(&counts_of(worker)->turned_us, turned_us, memory_order_relaxed);
}

static void
run_keeper(struct worker *worker)
{
    int64_t now_us = clock_mono_us(), next_us = override_keeper_run(worker->keeper, now_us);
    int64_t delay_us = next_us > now_us ? next_us - now_us : 0;
    struct timeval delay = {.tv_sec = delay_us / US_PER_S, .tv_usec = delay_us % US_PER_S};

    if (next_us == INT64_MAX)
        evtimer_del(worker->keeper_timer);
    else
        evtimer_add(worker->keeper_timer, &delay);
}

static void
on_keeper_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    run_keeper(arg);
}

/* After a request, which may have made an override that is over before the timer is. */
static bool
run_server(struct worker *worker)
{
    bool more = worker->server != NULL && server_run(worker->server);

    if (worker->keeper != NULL && worker->override_store == NULL)
        run_keeper(worker);
    return more;
}

/* One turn of the loop. True: the next one must not wait. */
static bool
turn(struct worker *worker, bool wait)
{
    bool more;

    event_base_loop(worker->base, EVLOOP_ONCE | (wait ? 0 : EVLOOP_NONBLOCK));
    note_turn(worker, clock_mono_us());
    count_state(worker);
    if (worker->sampler != NULL)
        sampler_look(worker->sampler);
    generation_current(worker->generations);
    more = run_server(worker);
    store_flush(store_of(worker));
    return more;
}

static void
serve(struct worker *worker)
{
    bool more = true;

    while (!worker->stopping)
        more = turn(worker, !more);
}

static void
drain(struct worker *worker)
{
    int64_t until_us = clock_mono_us() + worker->options->drain_us;
    bool more = true;

    if (worker->server == NULL)
        return;
    server_drain(worker->server);
    while (server_connections(worker->server) > 0 && clock_mono_us() < until_us)
        more = turn(worker, !more);
    if (server_connections(worker->server) > 0)
        log_warn("worker", "%u connections of worker %u were still open after %" PRId64 " ms and are cut off",
                 server_connections(worker->server), worker->number, worker->options->drain_us / US_PER_MS);
}

static void
on_first_limit(evutil_socket_t fd, short what, void *arg)
{
    bool *over = arg;

    (void)fd;
    (void)what;
    *over = true;
}

/* The first requests after a start should find the store connected, if it is up. */
static void
await_store(struct worker *worker)
{
    struct timeval limit = {.tv_sec = STORE_FIRST_US / US_PER_S};
    bool over = false;
    struct event *timer = evtimer_new(worker->base, on_first_limit, &over);

    if (timer == NULL || evtimer_add(timer, &limit) < 0)
        over = true;
    while (!over && !worker->stopping && store_health(store_of(worker)).state == STORE_CONNECTING) {
        event_base_loop(worker->base, EVLOOP_ONCE);
        store_flush(store_of(worker));
    }
    if (timer)
        event_free(timer);
}

static bool
open_store(struct worker *worker)
{
    const struct worker_options *options = worker->options;
    struct decision_ring *records = NULL;

    if (options->redis) {
        worker->store = redis_store_new(&(struct redis_store_options){.base = worker->base,
                                                                      .url = options->redis,
                                                                      .tls = options->tls,
                                                                      .timeout_us = options->redis_timeout_us,
                                                                      .program = "ratelimitd",
                                                                      .worker = worker->number,
                                                                      .counts = &counts_of(worker)->redis,
                                                                      .news = options->redis_news});
        if (worker->store == NULL)
            return false;
    }
    if (options->stream != NULL)
        records = decision_stream_ring(options->stream, worker->number);
    worker->candidates = candidates_new();
    worker->limiter = (struct limiter){.store = store_of(worker),
                                       .local = options->memory,
                                       .candidates = worker->candidates,
                                       .worker = worker->number,
                                       .decisions = &counts_of(worker)->decisions,
                                       .records = records};
    return worker->candidates != NULL;
}

/* Also where nobody can be asked for changes: other nodes' are obeyed. */
static bool
open_keeper(struct worker *worker)
{
    const struct worker_options *options = worker->options;

    if (!options->is_admin)
        return true;
    if (options->redis)
        worker->override_store = redis_overrides_new(
            &(struct redis_overrides_options){.connection = redis_store_connection(worker->store),
                                              .url = options->redis,
                                              .timeout_us = options->redis_timeout_us,
                                              .max = OVERRIDES_MAX,
                                              .text_bytes_max = OVERRIDE_TEXT_BYTES});
    if (options->redis && worker->override_store == NULL)
        return false;
    worker->keeper = override_keeper_new(options->http.generations, worker->override_store);
    worker->keeper_timer = evtimer_new(worker->base, on_keeper_timer, worker);
    worker->limiter.keeper = worker->keeper;
    return worker->keeper && worker->keeper_timer;
}

static bool
open_observer(struct worker *worker)
{
    const struct worker_options *options = worker->options;

    if (options->observed == NULL || options->observed->stream == NULL)
        return true;
    worker->observer = observer_new(worker->base, options->observed);
    return worker->observer != NULL;
}

static bool
open_sampler(struct worker *worker)
{
    if (worker->options->observed == NULL)
        return true;
    worker->sampler = sampler_new(&(struct sampler_options){
        .base = worker->base,
        .observed = worker->options->observed,
        .generations = worker->generations,
        .service = worker->options->http.service,
        .store = store_of(worker),
        .redis = worker->store != NULL ? redis_store_connection(worker->store) : NULL,
        .url = worker->options->redis,
    });
    return worker->sampler != NULL;
}

static bool
open_server(struct worker *worker)
{
    if (worker->socket < 0)
        return true;
    worker->server = server_new(worker->base, worker->socket, &worker->limiter, worker->generations,
                                &worker->options->http, &counts_of(worker)->http);
    worker->socket = -1; /* the server's, and closed if there is none */
    return worker->server != NULL;
}

static bool
open_stop(struct worker *worker)
{
    worker->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->stop < 0)
        return false;
    worker->on_stop = event_new(worker->base, worker->stop, EV_READ, on_stop, worker);
    return worker->on_stop && event_add(worker->on_stop, NULL) == 0;
}

static void *
run_thread(void *arg)
{
    struct worker *worker = arg;

    await_store(worker);
    if (worker->keeper != NULL)
        run_keeper(worker);
    count_state(worker);
    serve(worker);
    drain(worker);
    note_turn(worker, INT64_MAX);
    return NULL;
}

/* After the thread has ended, or if it never started. */
static void
worker_free(struct worker *worker)
{
    store_free(worker->store); /* answers what is pending: connections are resumed before they are closed */
    candidates_free(worker->candidates);
    if (worker->server)
        server_free(worker->server);
    override_keeper_free(worker->keeper);
    if (worker->override_store)
        worker->override_store->ops->free(worker->override_store);
    if (worker->keeper_timer)
        event_free(worker->keeper_timer);
    observer_free(worker->observer);
    sampler_free(worker->sampler);
    generation_reader_close(worker->generations);
    if (worker->on_stop)
        event_free(worker->on_stop);
    if (worker->base)
        event_base_free(worker->base);
    if (worker->stop >= 0)
        close(worker->stop);
    if (worker->socket >= 0)
        close(worker->socket);
    free(worker);
}

/* Everything that can fail happens here, before the service reports that it is ready. */
static bool
open_all(struct worker *worker)
{
    worker->base = event_base_new();
    return worker->base && open_stop(worker) && open_store(worker) && open_keeper(worker) &&
           open_observer(worker) && open_sampler(worker) && open_server(worker);
}

struct worker *
worker_start(const struct worker_options *options, unsigned number, int socket)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    int status;

    if (worker == NULL) {
        if (socket >= 0)
            close(socket);
        errno = ENOMEM;
        return NULL;
    }
    *worker = (struct worker){.options = options, .number = number, .socket = socket, .stop = -1};
    worker->generations = generations_reader(options->http.generations, number);
    worker->counted = options->redis ? STORE_CONNECTING : STORE_READY;
    atomic_fetch_add_explicit(&options->counts->stores[worker->counted], 1, memory_order_relaxed);
    errno = ENOMEM; /* not every function below sets it */
    status = open_all(worker) ? pthread_create(&worker->thread, NULL, run_thread, worker) : errno;
    if (status == 0 && options->name)
        pthread_setname_np(worker->thread, options->name);
    if (status == 0)
        return worker;
    worker_free(worker);
    errno = status;
    return NULL;
}

void
worker_stop(struct worker *worker)
{
    uint64_t one = 1;

    if (write(worker->stop, &one, sizeof(one)) < 0)
        assert(errno == EAGAIN); /* after 2^64 - 2 calls */
}

void
worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    worker_free(worker);
}
