#include "blocking_store.h"

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

#define REASON_BYTES 256

/* A request in its caller's frame, from the queue until the answer. It is a copy, because the callback must
   find the waiter; beside a round trip to Redis that costs nothing. */
struct waiter {
    struct store_request request; /* first: the callback gets only this */
    enum store_status (*ask)(struct store *store,
                             struct store_request *request); /* store_take, store_reset */
    struct waiter *next;
    enum store_status status;
    sem_t answered;
};

struct blocking_store {
    struct store store;
    struct redis_store_options options;
    pthread_t thread;
    struct event_base *base;
    int wake; /* eventfd */
    struct event *on_wake;
    struct store *redis; /* the thread's; NULL: out of memory */

    pthread_mutex_t lock; /* of what follows */
    struct waiter *queue, **queue_end;
    bool stopping;
    bool has_been_ready;
    char reason[REASON_BYTES];  /* why it has not */
    pthread_cond_t first_ready; /* has_been_ready; by the monotonic clock */
};

static struct blocking_store *
blocking_store_of(struct store *store)
{
    return (struct blocking_store *)store;
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
take_queue(struct blocking_store *blocking)
{
    struct waiter *queue;

    pthread_mutex_lock(&blocking->lock);
    queue = blocking->queue;
    blocking->queue = NULL;
    blocking->queue_end = &blocking->queue;
    pthread_mutex_unlock(&blocking->lock);
    return queue;
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct blocking_store *blocking = arg;
    uint64_t count;

    (void)what;
    /* Read before the queue is taken: a later caller writes again. */
    if (read(fd, &count, sizeof(count)) < 0)
        assert(errno == EAGAIN);
    for (struct waiter *waiter = take_queue(blocking), *next; waiter != NULL; waiter = next) {
        enum store_status status = STORE_UNAVAILABLE;
        next = waiter->next;
        if (blocking->redis != NULL)
            status = waiter->ask(blocking->redis, &waiter->request);
        if (status != STORE_PENDING)
            answer(waiter, status);
    }
}

/* Reports progress to blocking_store_await until the store has been ready once. False: the thread is to
   stop. */
static bool
look_around(struct blocking_store *blocking)
{
    struct store_health health = {.state = STORE_LOST, .detail = "out of memory"};
    bool stopping;

    if (blocking->redis != NULL)
        health = store_health(blocking->redis);
    pthread_mutex_lock(&blocking->lock);
    if (!blocking->has_been_ready) {
        blocking->has_been_ready = health.state == STORE_READY;
        if (health.detail[0] != '\0')
            snprintf(blocking->reason, sizeof(blocking->reason), "%s", health.detail);
        pthread_cond_broadcast(&blocking->first_ready);
    }
    stopping = blocking->stopping;
    pthread_mutex_unlock(&blocking->lock);
    return !stopping;
}

static void *
run_thread(void *arg)
{
    struct blocking_store *blocking = arg;

    blocking->redis = redis_store_new(&blocking->options);
    while (look_around(blocking)) {
        event_base_loop(blocking->base, EVLOOP_ONCE);
        if (blocking->redis != NULL)
            store_flush(blocking->redis);
    }
    assert(blocking->queue == NULL); /* store_free while a call is under way */
    store_free(blocking->redis);
    return NULL;
}

/* The callers. */

/* From any thread. An eventfd counts to 2^64 - 2 before it returns EAGAIN, and is then readable anyway. */
static void
wake(struct blocking_store *blocking)
{
    uint64_t one = 1;

    if (write(blocking->wake, &one, sizeof(one)) < 0)
        assert(errno == EAGAIN);
}

static void
enqueue(struct blocking_store *blocking, struct waiter *waiter)
{
    bool was_empty;

    pthread_mutex_lock(&blocking->lock);
    was_empty = blocking->queue == NULL;
    *blocking->queue_end = waiter;
    blocking->queue_end = &waiter->next;
    pthread_mutex_unlock(&blocking->lock);
    if (was_empty)
        wake(blocking);
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
    sem_init(&waiter.answered, 0, 0); /* can fail only for values and sharing not used here */
    enqueue(blocking_store_of(store), &waiter);
    while (sem_wait(&waiter.answered) < 0)
        assert(errno == EINTR);
    sem_destroy(&waiter.answered);
    pthread_setcancelstate(cancel_state, NULL);
    request->allowed = waiter.request.allowed;
    memcpy(request->decisions, waiter.request.decisions, sizeof(request->decisions));
    return waiter.status;
}

static enum store_status
blocking_store_take(struct store *store, struct store_request *request)
{
    return await_answer(store, request, store_take);
}

static enum store_status
blocking_store_reset(struct store *store, struct store_request *request)
{
    return await_answer(store, request, store_reset);
}

bool
blocking_store_await(struct store *store, int64_t timeout_us, char *reason, size_t bytes)
{
    struct blocking_store *blocking = blocking_store_of(store);
    int64_t until_us = clock_mono_us() + timeout_us;
    struct timespec until = {.tv_sec = until_us / US_PER_S, .tv_nsec = until_us % US_PER_S * 1000};
    bool ready;

    pthread_mutex_lock(&blocking->lock);
    while (!blocking->has_been_ready &&
           pthread_cond_timedwait(&blocking->first_ready, &blocking->lock, &until) == 0)
        continue;
    ready = blocking->has_been_ready;
    if (!ready)
        snprintf(reason, bytes, "%s", blocking->reason[0] ? blocking->reason : "no answer yet");
    pthread_mutex_unlock(&blocking->lock);
    return ready;
}

/* Its life. */

static void
release(struct blocking_store *blocking)
{
    if (blocking->on_wake)
        event_free(blocking->on_wake);
    if (blocking->base)
        event_base_free(blocking->base);
    if (blocking->wake >= 0)
        close(blocking->wake);
    pthread_cond_destroy(&blocking->first_ready);
    pthread_mutex_destroy(&blocking->lock);
    free(blocking);
}

static void
blocking_store_free(struct store *store)
{
    struct blocking_store *blocking = blocking_store_of(store);

    pthread_mutex_lock(&blocking->lock);
    blocking->stopping = true;
    pthread_mutex_unlock(&blocking->lock);
    wake(blocking);
    pthread_join(blocking->thread, NULL);
    release(blocking);
}

static const struct store_ops blocking_store_ops = {
    .take = blocking_store_take,
    .reset = blocking_store_reset,
    .free = blocking_store_free,
};

/* The program's signals are for its other threads. */
static int
start_thread(struct blocking_store *blocking)
{
    sigset_t all, before;
    int status;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&blocking->thread, NULL, run_thread, blocking);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static void
init_lock(struct blocking_store *blocking)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&blocking->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&blocking->first_ready, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct store *
blocking_store_new(const struct redis_url *url, const struct redis_tls *tls, int64_t timeout_us)
{
    struct blocking_store *blocking = calloc(1, sizeof(*blocking));
    int status = ENOMEM;

    if (blocking == NULL)
        return NULL;
    blocking->store.ops = &blocking_store_ops;
    blocking->queue_end = &blocking->queue;
    init_lock(blocking);
    blocking->base = event_base_new();
    blocking->options = (struct redis_store_options){.base = blocking->base,
                                                     .url = url,
                                                     .tls = tls,
                                                     .timeout_us = timeout_us,
                                                     .program = "libratelimit",
                                                     .worker = (unsigned)getpid()};
    blocking->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (blocking->base && blocking->wake >= 0)
        blocking->on_wake =
            event_new(blocking->base, blocking->wake, EV_READ | EV_PERSIST, on_wake, blocking);
    if (blocking->wake < 0)
        status = errno;
    if (blocking->on_wake && event_add(blocking->on_wake, NULL) == 0)
        status = start_thread(blocking);
    if (status == 0)
        return &blocking->store;
    release(blocking);
    errno = status;
    return NULL;
}
