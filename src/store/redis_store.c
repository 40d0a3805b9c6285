#include "redis_store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <hiredis/hiredis.h>

#include "clock.h"
#include "log.h"
#include "redis_batch.h"
#include "redis_error.h"
#include "redis_link.h"
#include "refusals.h"
#include "take_script.h"

/* Commands under way before a batch that is not full waits for an answer. */
#define SENT_BEFORE_WAITING 2

/* Commands under way, at most: with BATCH_REQUESTS in each, the bound of what is in flight. */
#define SENT_MAX 64

/* A Redis that has answered nothing for so long after a deadline has passed gets a new connection: the old one may lead
   nowhere. */
#define STALL_DROP_US (US_PER_S / 2)

struct redis_store {
    struct store store;
    struct redis_store_options options;
    struct redis_link *link;
    struct event *timer; /* the earliest deadline, while anything is pending */
    bool timer_armed;
    int64_t stalled_since_us; /* monotonic; 0: it answers. Set when a deadline passes, until the next reply */

    struct refusals *refusals;
    struct redis_batch *gathering;        /* never NULL */
    struct redis_batch *sent, **sent_end; /* in the order of their sending */
    unsigned sent_count;
    struct redis_batch *unused;
};

static struct redis_store *
redis_store_of(struct store *store)
{
    return (struct redis_store *)store;
}

static bool
is_ready(const struct redis_store *redis)
{
    return redis_link_state(redis->link) == LINK_READY && redis->stalled_since_us == 0;
}

/* Batches. */

static void
recycle(struct redis_store *redis, struct redis_batch *batch)
{
    assert(batch->live == 0);
    redis_batch_clear(batch);
    batch->next = redis->unused;
    redis->unused = batch;
}

static struct redis_batch *
take_unused(struct redis_store *redis)
{
    struct redis_batch *batch = redis->unused;

    if (batch != NULL)
        redis->unused = batch->next;
    else
        batch = redis_batch_new();
    if (batch != NULL) {
        batch->next = NULL;
        batch->refusals = redis->refusals;
    }
    return batch;
}

static void
sent_append(struct redis_store *redis, struct redis_batch *batch)
{
    *redis->sent_end = batch;
    redis->sent_end = &batch->next;
    redis->sent_count++;
}

static void
sent_remove(struct redis_store *redis, struct redis_batch *batch)
{
    struct redis_batch **link = &redis->sent;

    while (*link != batch)
        link = &(*link)->next;
    *link = batch->next;
    if (redis->sent_end == &batch->next)
        redis->sent_end = link;
    batch->next = NULL;
    redis->sent_count--;
}

/* Deadlines. */

static void
arm_timer(struct redis_store *redis, int64_t deadline_us, int64_t now_us)
{
    int64_t delay_us = deadline_us > now_us ? deadline_us - now_us : 0;
    struct timeval delay = {.tv_sec = delay_us / US_PER_S, .tv_usec = delay_us % US_PER_S};

    evtimer_add(redis->timer, &delay);
    redis->timer_armed = true;
}

static void
note_stall(struct redis_store *redis, int64_t now_us)
{
    static struct log_limiter limiter;
    uint64_t suppressed;

    if (redis->stalled_since_us == 0) {
        redis->stalled_since_us = now_us;
        if (log_limiter_allows(&limiter, US_PER_S, &suppressed))
            log_warn("redis",
                     "%s has not answered within %" PRId64 " ms; until it does, the failure mode decides",
                     redis->options.url->display, redis->options.timeout_us / US_PER_MS);
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct redis_store *redis = arg;
    int64_t now_us = clock_mono_us(), next_us = INT64_MAX;

    (void)fd;
    (void)what;
    redis->timer_armed = false;
    for (struct redis_batch *batch = redis->sent; batch != NULL && next_us == INT64_MAX; batch = batch->next)
        if (redis_batch_expire(batch, now_us, &next_us) > 0)
            note_stall(redis, now_us);
    if (next_us == INT64_MAX)
        redis_batch_expire(redis->gathering, now_us, &next_us);
    if (redis->stalled_since_us != 0) {
        int64_t drop_us = redis->stalled_since_us + STALL_DROP_US;
        if (now_us >= drop_us) {
            redis_link_drop(redis->link, "it does not answer");
            return;
        }
        if (drop_us < next_us)
            next_us = drop_us;
    }
    if (next_us != INT64_MAX)
        arm_timer(redis, next_us, now_us);
}

/* Replies. */

#define ERROR_LOG_US (10 * US_PER_S)

/* One line for each kind of error, however many workers meet it how often. */
static void
report_error(struct redis_store *redis, const struct redis_error *error, const char *text, size_t bytes)
{
    static struct log_limiter limiters[REDIS_ERROR_COUNT];
    uint64_t suppressed;

    if (log_limiter_allows(&limiters[redis_error_index(error)], ERROR_LOG_US, &suppressed))
        log_error("redis",
                  "%s answers \"%.*s\": %s; meanwhile the failure mode decides (%" PRIu64
                  " more such answers before)",
                  redis->options.url->display, (int)(bytes > 120 ? 120 : bytes), text, error->advice,
                  suppressed);
}

/* What no Redis with our script would send. */
static void
report_nonsense(struct redis_store *redis)
{
    static struct log_limiter limiter;
    uint64_t suppressed;

    if (log_limiter_allows(&limiter, ERROR_LOG_US, &suppressed))
        log_error("redis",
                  "%s answers what the script never does: is it a Redis? The failure mode decides (%" PRIu64
                  " more before)",
                  redis->options.url->display, suppressed);
    redis_link_drop_soon(redis->link, "it answers what the script never does", LINK_PAUSE_LONG);
}

static bool
send_eval(struct redis_store *redis, struct redis_batch *batch)
{
    size_t bytes;
    char *command = redis_batch_encode_eval(batch, &bytes);
    bool sent = command != NULL && redis_link_send(redis->link, command, bytes, batch);

    free(command);
    batch->tried_eval = true;
    return sent;
}

/* True when the batch was sent again. */
static bool
on_error_reply(struct redis_store *redis, struct redis_batch *batch, const redisReply *reply)
{
    const struct redis_error *error = redis_error_of(reply->str, reply->len);

    switch (error->reaction) {
    case REACT_SEND_SCRIPT:
        /* It did not run, so to send it again cannot count twice. */
        if (!batch->tried_eval && !batch->is_reset && batch->live > 0)
            return send_eval(redis, batch);
        break;
    case REACT_DEGRADE:
        break;
    case REACT_RECONNECT:
        redis_link_drop_soon(redis->link, error->advice, LINK_PAUSE_BACKOFF);
        break;
    case REACT_REENTER:
        redis_link_drop_soon(redis->link, error->advice, LINK_PAUSE_LONG);
        break;
    }
    report_error(redis, error, reply->str, reply->len);
    return false;
}

static void
on_text_reply(struct redis_store *redis, struct redis_batch *batch, const redisReply *reply)
{
    static const char foreign_text[] = "WRONGTYPE Operation against a key holding the wrong kind of value";
    unsigned foreign = 0;

    redis_link_proved(redis->link);
    if (!redis_batch_decode(batch, reply->str, reply->len, &foreign))
        report_nonsense(redis);
    if (foreign > 0)
        report_error(redis, redis_error_of(foreign_text, sizeof(foreign_text) - 1), foreign_text,
                     sizeof(foreign_text) - 1);
}

/* Refusals that were noted before are of counts that are gone. All are forgotten, for they cannot be found by the client
   alone: each costs one command to be known again. */
static void
on_reset_reply(struct redis_store *redis, struct redis_batch *batch)
{
    redis_link_proved(redis->link);
    refusals_clear(redis->refusals);
    redis_batch_reset_done(batch);
}

static void
on_reply(void *arg, void *cookie, const struct redisReply *reply)
{
    struct redis_store *redis = arg;
    struct redis_batch *batch = cookie;

    if (reply != NULL)
        redis->stalled_since_us = 0;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        if (on_error_reply(redis, batch, reply))
            return;
    } else if (reply != NULL && batch->is_reset && reply->type == REDIS_REPLY_INTEGER) {
        on_reset_reply(redis, batch);
    } else if (reply != NULL && !batch->is_reset && reply->type == REDIS_REPLY_STRING) {
        on_text_reply(redis, batch, reply);
    } else if (reply != NULL) {
        report_nonsense(redis);
    }
    redis_batch_fail(batch);
    sent_remove(redis, batch);
    recycle(redis, batch);
}

static void
on_change(void *arg, bool ready)
{
    struct redis_store *redis = arg;

    redis->stalled_since_us = 0;
    if (!ready) {
        assert(redis->sent == NULL);
        redis_batch_fail(redis->gathering);
        redis_batch_clear(redis->gathering);
        refusals_clear(redis->refusals); /* while it is away the failure mode has the word */
    }
}

/* The store's face. */

/* Sends what has gathered. False: it stays. */
static bool
send_gathered(struct redis_store *redis)
{
    struct redis_batch *batch = redis->gathering, *next;

    if (redis->sent_count == SENT_MAX)
        return false;
    if (batch->live == 0) {
        redis_batch_clear(batch);
        return true;
    }
    next = take_unused(redis);
    if (next == NULL)
        return false;
    batch->sent_us = clock_mono_us();
    if (!redis_batch_encode(batch) ||
        !redis_link_send(redis->link, batch->command, batch->command_bytes, batch)) {
        next->next = redis->unused;
        redis->unused = next;
        return false;
    }
    redis->gathering = next;
    sent_append(redis, batch);
    return true;
}

static enum store_status
redis_store_take(struct store *store, struct store_request *request)
{
    struct redis_store *redis = redis_store_of(store);
    int64_t now_us;

    assert(request->subject.limit_count >= 1 && request->subject.limit_count <= STORE_LIMITS_MAX);
    if (!is_ready(redis))
        return STORE_UNAVAILABLE;
    now_us = clock_mono_us();
    if (refusals_answer(redis->refusals, request, now_us))
        return STORE_DONE;
    if (!redis_batch_add(redis->gathering, request) &&
        (!send_gathered(redis) || !redis_batch_add(redis->gathering, request)))
        return STORE_UNAVAILABLE;
    request->deadline_us = now_us + redis->options.timeout_us;
    if (!redis->timer_armed)
        arm_timer(redis, request->deadline_us, now_us);
    return STORE_PENDING;
}

/* A command of its own, behind what was asked before it. */
static enum store_status
redis_store_reset(struct store *store, struct store_request *request)
{
    struct redis_store *redis = redis_store_of(store);
    struct redis_batch *batch;
    int64_t now_us = clock_mono_us();

    if (!is_ready(redis) || !send_gathered(redis) || redis->sent_count == SENT_MAX)
        return STORE_UNAVAILABLE;
    batch = take_unused(redis);
    if (batch == NULL)
        return STORE_UNAVAILABLE;
    request->deadline_us = now_us + redis->options.timeout_us;
    redis_batch_add(batch, request);
    if (!redis_batch_encode_reset(batch) ||
        !redis_link_send(redis->link, batch->command, batch->command_bytes, batch)) {
        redis_batch_remove(batch, request);
        recycle(redis, batch);
        return STORE_UNAVAILABLE;
    }
    sent_append(redis, batch);
    if (!redis->timer_armed)
        arm_timer(redis, request->deadline_us, now_us);
    return STORE_PENDING;
}

static void
redis_store_cancel(struct store *store, struct store_request *request)
{
    (void)store;
    redis_batch_remove(request->owner, request);
}

static void
redis_store_flush(struct store *store)
{
    struct redis_store *redis = redis_store_of(store);

    if (redis_link_state(redis->link) == LINK_READY && redis->gathering->request_count > 0 &&
        redis->sent_count < SENT_BEFORE_WAITING)
        send_gathered(redis); /* where it cannot, the deadline answers */
    redis_link_flush(redis->link);
}

static struct store_health
redis_store_health(const struct store *store)
{
    const struct redis_store *redis = (const struct redis_store *)store;
    struct store_health health = {.kind = "redis", .detail = redis_link_trouble(redis->link)};

    switch (redis_link_state(redis->link)) {
    case LINK_READY:
        health.state = redis->stalled_since_us == 0 ? STORE_READY : STORE_LOST;
        if (redis->stalled_since_us != 0)
            health.detail = "it does not answer";
        break;
    case LINK_WAITING:
    case LINK_RESOLVING:
    case LINK_CONNECTING:
    case LINK_ENTERING:
        health.state = health.detail[0] == '\0' ? STORE_CONNECTING : STORE_LOST;
        break;
    }
    return health;
}

static void
redis_store_free(struct store *store)
{
    struct redis_store *redis = redis_store_of(store);

    redis_link_free(redis->link);
    redis_batch_fail(redis->gathering);
    redis_batch_free(redis->gathering);
    refusals_free(redis->refusals);
    while (redis->unused) {
        struct redis_batch *batch = redis->unused;
        redis->unused = batch->next;
        redis_batch_free(batch);
    }
    if (redis->timer)
        event_free(redis->timer);
    free(redis);
}

static const struct store_class redis_store_class = {
    .take = redis_store_take,
    .reset = redis_store_reset,
    .cancel = redis_store_cancel,
    .flush = redis_store_flush,
    .health = redis_store_health,
    .free = redis_store_free,
};

struct store *
redis_store_new(const struct redis_store_options *options)
{
    struct redis_store *redis = calloc(1, sizeof(*redis));

    if (redis == NULL)
        return NULL;
    redis->store.class = &redis_store_class;
    redis->options = *options;
    redis->sent_end = &redis->sent;
    redis->timer = evtimer_new(options->base, on_timer, redis);
    redis->refusals = refusals_new();
    redis->gathering = take_unused(redis);
    redis->link = redis_link_new(&(struct redis_link_options){.base = options->base,
                                                              .entry = {.url = options->url,
                                                                        .script = take_script_text,
                                                                        .script_bytes = take_script_bytes,
                                                                        .program = options->program,
                                                                        .worker = options->worker},
                                                              .tls = options->tls,
                                                              .on_change = on_change,
                                                              .on_reply = on_reply,
                                                              .arg = redis});
    if (redis->timer == NULL || redis->refusals == NULL || redis->gathering == NULL || redis->link == NULL) {
        redis_store_free(&redis->store);
        return NULL;
    }
    return &redis->store;
}
