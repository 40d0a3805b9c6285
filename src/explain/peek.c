#include "peek.h"

#include <stdio.h>

#include <event2/event.h>

#include "container_of.h"

static void
on_answer(struct store_request *request, enum store_status status)
{
    struct peek *peek = container_of(request, struct peek, request);

    peek->status = status;
}

static void
turn(struct event_base *base, struct store *store)
{
    event_base_loop(base, EVLOOP_ONCE);
    store_flush(store);
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
    bool *over = arg;

    (void)fd;
    (void)what;
    *over = true;
}

/* Until it is ready, or has failed, or the time is over. */
static void
await_connection(struct event_base *base, struct store *store)
{
    const struct timeval limit = {.tv_sec = PEEK_CONNECT_US / US_PER_S};
    bool over = false;
    struct event *timer = evtimer_new(base, on_time, &over);

    if (timer == NULL || evtimer_add(timer, &limit) < 0)
        over = true;
    while (!over && store_health(store).state == STORE_CONNECTING)
        turn(base, store);
    if (timer != NULL)
        event_free(timer);
}

static bool
ask(struct peek *peek, struct event_base *base, struct store *store, char why[PEEK_WHY_BYTES])
{
    struct store_health health;

    await_connection(base, store);
    health = store_health(store);
    if (health.state != STORE_READY) {
        snprintf(why, PEEK_WHY_BYTES, "%s", health.detail[0] != '\0' ? health.detail : "no connection yet");
        return false;
    }
    peek->status = store_take(store, &peek->request);
    store_flush(store);
    while (peek->status == STORE_PENDING)
        turn(base, store);
    if (peek->status == STORE_DONE)
        return true;
    health = store_health(store);
    snprintf(why, PEEK_WHY_BYTES, "%s", health.detail[0] != '\0' ? health.detail : "no answer in time");
    return false;
}

bool
peek_ask(struct peek *peek, const struct redis_url *url, const struct redis_tls *tls, int64_t timeout_us,
         char why[PEEK_WHY_BYTES])
{
    struct event_base *base = event_base_new();
    struct store *store = NULL;
    bool answered = false;

    if (base != NULL)
        store = redis_store_new(&(struct redis_store_options){
            .base = base, .url = url, .tls = tls, .timeout_us = timeout_us, .program = "ratelimitd-explain"});
    snprintf(why, PEEK_WHY_BYTES, "out of memory");
    peek->request.cost = 0;
    peek->request.callback = on_answer;
    if (store != NULL)
        answered = ask(peek, base, store, why);
    store_free(store);
    if (base != NULL)
        event_base_free(base);
    return answered;
}
