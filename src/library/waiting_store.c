#include "waiting_store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "redis_store.h"

#define TROUBLE_BYTES 256

/* A request in its caller's frame, from the queue until the answer. A copy, for the callback must find the way back from it, and
   beside a round trip to Redis it costs nothing. */
struct waiter {
    struct store_request request; /* first: the callback gets no more */
    enum store_status (*ask)(struct store *store,
                             struct store_request *request); /* store_take, store_reset */
    struct waiter *next;
    enum store_status status;
    sem_t answered;
};

struct waiting_store {
    struct store store;
    struct waiting_store_options options;
    pthread_t thread;
    struct event_base *base;
    int wake; /* eventfd */
    struct event *on_wake;
    struct store *redis; /* the thread's own; NULL: memory is out */

    pthread_mutex_t lock; /* of what follows */
    struct waiter *queue, **queue_end;
    bool stopping;
    bool has_been_ready;
    char trouble[TROUBLE_BYTES]; /* why it has not */
    pthread_cond_t first_ready;  /* has_been_ready; by the monotonic clock */
};

static struct waiting_store *
waiting_store_of(struct store *store)
{
    return (struct waiting_store *)store;
}

/* The store's thread. */

static void
answer(struct waiter *waiter, enum store_status status)
{
    waiter->status = status;
    sem_post(&waiter->answered); /* from here on the waiter is gone */
}

static void
on_answer(struct store_request *request, enum store_status status)
{
    answer((struct waiter *)request, status);
}

static struct waiter *
take_queue(struct waiting_store *waiting)
{
    struct waiter *queue;

    pthread_mutex_lock(&waiting->lock);
    queue = waiting->queue;
    waiting->queue = NULL;
    waiting->queue_end = &waiting->queue;
    pthread_mutex_unlock(&waiting->lock);
    return queue;
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct waiting_store *waiting = arg;
    uint64_t count;

    (void)what;
    /* Read before the queue is taken: who comes later writes again. */
    if (read(fd, &count, sizeof(count)) < 0)
        assert(errno == EAGAIN);
    for (struct waiter *waiter = take_queue(waiting), *next; waiter != NULL; waiter = next) {
        enum store_status status = STORE_UNAVAILABLE;
        next = waiter->next;
        if (waiting->redis != NULL)
            status = waiter->ask(waiting->redis, &waiter->request);
        if (status != STORE_PENDING)
            answer(waiter, status);
    }
}

/* Tells waiting_store_await how it goes, until it has gone well once. True while there is no need to stop. */
static bool
look_around(struct waiting_store *waiting)
{
    struct store_health health = {.state = STORE_LOST, .detail = "out of memory"};
    bool stopping;

    if (waiting->redis != NULL)
        health = store_health(waiting->redis);
    pthread_mutex_lock(&waiting->lock);
    if (!waiting->has_been_ready) {
        waiting->has_been_ready = health.state == STORE_READY;
        if (health.detail[0] != '\0')
            snprintf(waiting->trouble, sizeof(waiting->trouble), "%s", health.detail);
        pthread_cond_broadcast(&waiting->first_ready);
    }
    stopping = waiting->stopping;
    pthread_mutex_unlock(&waiting->lock);
    return !stopping;
}

static void *
run_thread(void *arg)
{
    struct waiting_store *waiting = arg;

    waiting->redis = redis_store_new(&(struct redis_store_options){.base = waiting->base,
                                                                   .url = waiting->options.url,
                                                                   .tls = waiting->options.tls,
                                                                   .timeout_us = waiting->options.timeout_us,
                                                                   .program = "libratelimit",
                                                                   .worker = (unsigned)getpid()});
    while (look_around(waiting)) {
        event_base_loop(waiting->base, EVLOOP_ONCE);
        if (waiting->redis != NULL)
            store_flush(waiting->redis);
    }
    assert(waiting->queue == NULL); /* store_free while a call is under way */
    store_free(waiting->redis);
    return NULL;
}

/* The callers. */

/* From any thread. An eventfd takes 2^64 - 2 ones before it says EAGAIN, and is then readable anyway. */
static void
wake(struct waiting_store *waiting)
{
    uint64_t one = 1;

    if (write(waiting->wake, &one, sizeof(one)) < 0)
        assert(errno == EAGAIN);
}

static void
enqueue(struct waiting_store *waiting, struct waiter *waiter)
{
    bool was_empty;

    pthread_mutex_lock(&waiting->lock);
    was_empty = waiting->queue == NULL;
    *waiting->queue_end = waiter;
    waiting->queue_end = &waiter->next;
    pthread_mutex_unlock(&waiting->lock);
    if (was_empty)
        wake(waiting);
}

static enum store_status
await_answer(struct store *store, struct store_request *request,
             enum store_status (*ask)(struct store *store, struct store_request *request))
{
    struct waiter waiter = {.request = {.subject = request->subject, .cost = request->cost}, .ask = ask};
    int cancel_state;

    /* sem_wait is a cancellation point, and this frame must stay until the answer. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    waiter.request.callback = on_answer;
    sem_init(&waiter.answered, 0, 0); /* fails for values and sharing that are not asked for here */
    enqueue(waiting_store_of(store), &waiter);
    while (sem_wait(&waiter.answered) < 0)
        assert(errno == EINTR);
    sem_destroy(&waiter.answered);
    pthread_setcancelstate(cancel_state, NULL);
    request->allowed = waiter.request.allowed;
    memcpy(request->decisions, waiter.request.decisions, sizeof(request->decisions));
    return waiter.status;
}

static enum store_status
waiting_store_take(struct store *store, struct store_request *request)
{
    return await_answer(store, request, store_take);
}

static enum store_status
waiting_store_reset(struct store *store, struct store_request *request)
{
    return await_answer(store, request, store_reset);
}

static void
waiting_store_cancel(struct store *store, struct store_request *request)
{
    (void)store;
    (void)request;
    abort(); /* a bug of the caller's: nothing is ever pending here */
}

static void
waiting_store_flush(struct store *store)
{
    (void)store; /* its thread does */
}

static struct store_health
waiting_store_health(const struct store *store)
{
    (void)store;
    /* Nobody asks: the thread knows, and it would have to be asked under the lock. */
    return (struct store_health){.state = STORE_READY, .kind = "redis", .detail = ""};
}

bool
waiting_store_await(struct store *store, int64_t timeout_us, char *trouble, size_t bytes)
{
    struct waiting_store *waiting = waiting_store_of(store);
    int64_t until_us = clock_mono_us() + timeout_us;
    struct timespec until = {.tv_sec = until_us / US_PER_S, .tv_nsec = until_us % US_PER_S * 1000};
    bool ready;

    pthread_mutex_lock(&waiting->lock);
    while (!waiting->has_been_ready &&
           pthread_cond_timedwait(&waiting->first_ready, &waiting->lock, &until) == 0)
        continue;
    ready = waiting->has_been_ready;
    if (!ready)
        snprintf(trouble, bytes, "%s", waiting->trouble[0] ? waiting->trouble : "no answer yet");
    pthread_mutex_unlock(&waiting->lock);
    return ready;
}

/* Its life. */

static void
release(struct waiting_store *waiting)
{
    if (waiting->on_wake)
        event_free(waiting->on_wake);
    if (waiting->base)
        event_base_free(waiting->base);
    if (waiting->wake >= 0)
        close(waiting->wake);
    pthread_cond_destroy(&waiting->first_ready);
    pthread_mutex_destroy(&waiting->lock);
    free(waiting);
}

static void
waiting_store_free(struct store *store)
{
    struct waiting_store *waiting = waiting_store_of(store);

    pthread_mutex_lock(&waiting->lock);
    waiting->stopping = true;
    pthread_mutex_unlock(&waiting->lock);
    wake(waiting);
    pthread_join(waiting->thread, NULL);
    release(waiting);
}

static const struct store_class waiting_store_class = {
    .take = waiting_store_take,
    .reset = waiting_store_reset,
    .cancel = waiting_store_cancel,
    .flush = waiting_store_flush,
    .health = waiting_store_health,
    .free = waiting_store_free,
};

/* The program's signals are for its own threads. */
static int
start_thread(struct waiting_store *waiting)
{
    sigset_t all, before;
    int status;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&waiting->thread, NULL, run_thread, waiting);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static void
init_lock(struct waiting_store *waiting)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&waiting->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&waiting->first_ready, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct store *
waiting_store_new(const struct waiting_store_options *options)
{
    struct waiting_store *waiting = calloc(1, sizeof(*waiting));
    int status = ENOMEM;

    if (waiting == NULL)
        return NULL;
    waiting->store.class = &waiting_store_class;
    waiting->options = *options;
    waiting->queue_end = &waiting->queue;
    init_lock(waiting);
    waiting->base = event_base_new();
    waiting->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (waiting->base && waiting->wake >= 0)
        waiting->on_wake = event_new(waiting->base, waiting->wake, EV_READ | EV_PERSIST, on_wake, waiting);
    if (waiting->wake < 0)
        status = errno;
    if (waiting->on_wake && event_add(waiting->on_wake, NULL) == 0)
        status = start_thread(waiting);
    if (status == 0)
        return &waiting->store;
    release(waiting);
    errno = status;
    return NULL;
}
