#include "peek.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "container_of.h"
#include "override.h"
#include "overrides.h"
#include "redis_overrides.h"

#define WHY_BYTES 256

/* A request to the store. */
struct question {
    struct store_request request;
    enum store_status status;
};

struct peek {
    const struct redis_url *url;
    int64_t timeout_us;
    struct event_base *base;
    struct store *store;
    struct override_store *override_store;
    struct override_reading reading;
    bool is_read;
    struct overrides *overrides; /* NULL: not known */
    char why[WHY_BYTES];         /* "": nothing has failed */
};

static bool
fail(struct peek *peek, const char *why)
{
    const char *detail = peek->store != NULL ? store_health(peek->store).detail : "";

    snprintf(peek->why, sizeof(peek->why), "%s", detail[0] != '\0' ? detail : why);
    return false;
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
    bool *over = arg;

    (void)fd;
    (void)what;
    *over = true;
}

static void
turn(struct peek *peek)
{
    store_flush(peek->store); /* sends */
    event_base_loop(peek->base, EVLOOP_ONCE);
}

/* Turns the loop while `goes_on` and the time is not over. */
static void
turn_while(struct peek *peek, bool (*goes_on)(const struct peek *peek), int64_t limit_us)
{
    const struct timeval limit = {.tv_sec = limit_us / US_PER_S, .tv_usec = limit_us % US_PER_S};
    bool over = false;
    struct event *timer = evtimer_new(peek->base, on_time, &over);

    if (timer == NULL || evtimer_add(timer, &limit) < 0)
        over = true;
    while (!over && goes_on(peek))
        turn(peek);
    if (timer != NULL)
        event_free(timer);
}

static bool
is_connecting(const struct peek *peek)
{
    return store_health(peek->store).state == STORE_CONNECTING;
}

static bool
is_ready(const struct peek *peek)
{
    return store_health(peek->store).state == STORE_READY;
}

/* What is set for clients at run time. */

static bool
is_reading(const struct peek *peek)
{
    return !peek->is_read && is_ready(peek);
}

static void
on_begin(void *arg)
{
    struct peek *peek = arg;

    override_reading_begin(&peek->reading);
}

static void
on_text(void *arg, const char *id, size_t id_bytes, const char *text, size_t text_bytes, int64_t end_us)
{
    struct peek *peek = arg;

    if (end_us > clock_mono_us())
        override_reading_add(&peek->reading, id, id_bytes, text, text_bytes, end_us);
}

static void
on_end(void *arg)
{
    struct peek *peek = arg;

    peek->is_read = true;
}

const struct policy *
peek_policy(struct peek *peek, const struct policy *policy)
{
    struct override_list *list;

    if (peek->why[0] != '\0')
        return NULL;
    peek->override_store->ops->run(peek->override_store, clock_mono_us());
    turn_while(peek, is_reading, peek->timeout_us);
    if (!peek->is_read) {
        fail(peek, "no answer in time about what is set for clients at run time");
        return NULL;
    }
    list = peek->reading.items != NULL ? override_list_new(peek->reading.items, peek->reading.count) : NULL;
    peek->reading.count = 0; /* they are the list's, or freed */
    if (list != NULL)
        peek->overrides = overrides_compile(list, policy);
    override_list_free(list);
    if (peek->overrides != NULL)
        return overrides_policy(peek->overrides);
    fail(peek, "out of memory");
    return NULL;
}

/* What is left. */

static void
on_answer(struct store_request *request, enum store_status status)
{
    struct question *question = container_of(request, struct question, request);

    question->status = status;
}

bool
peek_ask(struct peek *peek, const struct store_subject *subject, struct store_request *request)
{
    struct question question = {.request = {.subject = *subject, .cost = 0, .callback = on_answer}};

    if (peek->why[0] != '\0')
        return false;
    question.status = store_take(peek->store, &question.request);
    while (question.status == STORE_PENDING) /* until the store's deadline at most */
        turn(peek);
    *request = question.request;
    return question.status == STORE_DONE || fail(peek, "no answer in time");
}

/* Its life. */

static bool
open_stores(struct peek *peek, const struct redis_tls *tls)
{
    peek->base = event_base_new();
    if (peek->base != NULL)
        peek->store = redis_store_new(&(struct redis_store_options){.base = peek->base,
                                                                    .url = peek->url,
                                                                    .tls = tls,
                                                                    .timeout_us = peek->timeout_us,
                                                                    .program = "ratelimitd-explain"});
    if (peek->store == NULL)
        return false;
    peek->override_store = redis_overrides_new(
        &(struct redis_overrides_options){.connection = redis_store_connection(peek->store),
                                          .url = peek->url,
                                          .timeout_us = peek->timeout_us,
                                          .max = OVERRIDES_MAX,
                                          .text_bytes_max = OVERRIDE_TEXT_BYTES});
    if (peek->override_store == NULL)
        return false;
    peek->override_store->listener =
        (struct override_listener){.on_begin = on_begin, .on_text = on_text, .on_end = on_end, .arg = peek};
    return true;
}

struct peek *
peek_open(const struct redis_url *url, const struct redis_tls *tls, int64_t timeout_us)
{
    struct peek *peek = calloc(1, sizeof(*peek));

    if (peek == NULL)
        return NULL;
    peek->url = url;
    peek->timeout_us = timeout_us;
    if (!open_stores(peek, tls)) {
        peek_close(peek);
        return NULL;
    }
    turn_while(peek, is_connecting, PEEK_CONNECT_US);
    if (!is_ready(peek))
        fail(peek, "no connection in time");
    return peek;
}

void
peek_close(struct peek *peek)
{
    if (peek == NULL)
        return;
    store_free(peek->store); /* ends what the override_store has under way */
    if (peek->override_store != NULL)
        peek->override_store->ops->free(peek->override_store);
    if (peek->base != NULL)
        event_base_free(peek->base);
    override_reading_forget(&peek->reading);
    overrides_free(peek->overrides);
    free(peek);
}

const char *
peek_why(const struct peek *peek)
{
    return peek->why;
}
