#include "observer.h"

#include <stdlib.h>

#include <event2/event.h>

#include "clock.h"
#include "decision_stream.h"
#include "observed.h"
#include "refusal_log.h"
#include "top_clients.h"

#define DRAIN_US    (US_PER_S / 10)
#define DRAIN_COUNT 1000 /* of each worker, in one turn of the loop */

struct observer {
    struct observed *observed;
    struct event *on_time, *on_half_full;
    int64_t now_us; /* of this turn; monotonic */
};

static void
take(void *arg, const struct decision_record *record)
{
    const struct observer *observer = arg;
    struct observed *observed = observer->observed;

    if (observed->top_clients != NULL)
        top_clients_add(observed->top_clients, record);
    if (observed->refusal_log != NULL)
        refusal_log_add(observed->refusal_log, record, observer->now_us);
}

/* True: there is more. */
static bool
read_records(struct observer *observer)
{
    observer->now_us = clock_mono_us();
    return decision_stream_drain(observer->observed->stream, DRAIN_COUNT, take, observer);
}

/* What is left waits for the next turn of the loop: other events come first. */
static void
drain(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval at_once, period = {.tv_usec = DRAIN_US};
    struct observer *observer = arg;
    struct observed *observed = observer->observed;
    bool more;

    (void)fd;
    (void)what;
    if (observed->top_clients != NULL)
        top_clients_turn(observed->top_clients, decision_stream_counts(observed->stream).dropped);
    more = read_records(observer);
    if (observed->refusal_log != NULL)
        refusal_log_tick(observed->refusal_log, observer->now_us);
    evtimer_add(observer->on_time, more ? &at_once : &period);
}

struct observer *
observer_new(struct event_base *base, struct observed *observed)
{
    static const struct timeval at_once;
    struct observer *observer = calloc(1, sizeof(*observer));

    if (observer == NULL)
        return NULL;
    observer->observed = observed;
    observer->on_time = evtimer_new(base, drain, observer);
    observer->on_half_full =
        event_new(base, decision_stream_fd(observed->stream), EV_READ | EV_PERSIST, drain, observer);
    if (observer->on_time && observer->on_half_full && evtimer_add(observer->on_time, &at_once) == 0 &&
        event_add(observer->on_half_full, NULL) == 0)
        return observer;
    observer_free(observer);
    return NULL;
}

/* The workers have ended: their last records are read. */
static void
end_refusal_log(struct observer *observer)
{
    while (read_records(observer))
        continue;
    refusal_log_end(observer->observed->refusal_log);
}

void
observer_free(struct observer *observer)
{
    if (observer == NULL)
        return;
    if (observer->observed->refusal_log != NULL)
        end_refusal_log(observer);
    if (observer->on_time)
        event_free(observer->on_time);
    if (observer->on_half_full)
        event_free(observer->on_half_full);
    free(observer);
}
