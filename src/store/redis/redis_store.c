#include "redis_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <hiredis/hiredis.h>

#include "clock.h"
#include "container_of.h"
#include "denial_cache.h"
#include "log.h"
#include "metrics.h"
#include "redis_batch.h"
#include "redis_connection.h"
#include "redis_error.h"
#include "redis_queue.h"
#include "redis_report.h"
#include "redis_script.h"

/* After a deadline has passed, a connection without a reply for this long is replaced: it may be dead. */
#define STALL_DROP_US (US_PER_S / 2)

struct redis_store {
    struct store store;
    struct redis_store_options options;
    struct redis_connection *connection;
    struct event *timer; /* the earliest deadline, while any request is pending */
    bool timer_armed;
    int64_t stalled_since_us; /* monotonic; set when a deadline passes, 0 again with the next reply */

    struct denial_cache *denials;
    struct redis_queue queue;
    struct redis_script script;
    struct redis_counts *counts, own_counts; /* the latter where the options have none */
};

static struct redis_store *
redis_store_of(struct store *store)
{
    return (struct redis_store *)store;
}

static bool
is_ready(const struct redis_store *redis)
{
    return redis->connection != NULL && redis_connection_is_ready(redis->connection) &&
           redis->stalled_since_us == 0;
}

/* Deadlines. */

/* False: out of memory. */
static bool
arm_timer(struct redis_store *redis, int64_t deadline_us, int64_t now_us)
{
    int64_t delay_us = deadline_us > now_us ? deadline_us - now_us : 0;
    struct timeval delay = {.tv_sec = delay_us / US_PER_S, .tv_usec = delay_us % US_PER_S};

    redis->timer_armed = evtimer_add(redis->timer, &delay) == 0;
    return redis->timer_armed;
}

/* Makes sure that the timer runs by the deadline of a request that comes now. False: out of memory. */
static bool
set_deadline(struct redis_store *redis, int64_t *deadline_us, int64_t now_us)
{
    *deadline_us = now_us + redis->options.timeout_us;
    return redis->timer_armed || arm_timer(redis, *deadline_us, now_us);
}

static void
note_stall(struct redis_store *redis, int64_t now_us)
{
    if (redis->stalled_since_us != 0)
        return;
    redis->stalled_since_us = now_us;
    redis_report_stall(redis->options.url, redis->counts, redis->options.timeout_us);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct redis_store *redis = arg;
    int64_t now_us = clock_mono_us(), next_us;

    (void)fd;
    (void)what;
    redis->timer_armed = false;
    if (redis_queue_is_overdue(&redis->queue, now_us))
        note_stall(redis, now_us); /* before the callbacks, which may ask again */
    next_us = redis_queue_expire(&redis->queue, now_us);
    if (redis->stalled_since_us != 0) {
        int64_t drop_us = redis->stalled_since_us + STALL_DROP_US;
        if (now_us >= drop_us) {
            redis_connection_drop(redis->connection, "no reply");
            return;
        }
        if (drop_us < next_us)
            next_us = drop_us;
    }
    if (next_us != INT64_MAX && !arm_timer(redis, next_us, now_us))
        redis_connection_drop(redis->connection, "out of memory"); /* answers all that wait */
}

/* Replies. */

static void
on_unexpected(struct redis_store *redis)
{
    redis_report_unexpected(redis->options.url);
    redis_connection_drop_soon(redis->connection, "unexpected reply from Redis; is it another server?",
                               REDIS_PAUSE_LONG);
}

static void on_reply(struct redis_call *call, const struct redisReply *reply);

static bool
send_command(struct redis_store *redis, struct redis_batch *batch, const char *command, size_t bytes)
{
    batch->store = redis;
    batch->call.callback = on_reply;
    if (command == NULL || !redis_connection_send(redis->connection, command, bytes, &batch->call))
        return false;
    counter_add(&redis->counts->commands, 1);
    counter_add(&redis->counts->sent_bytes, bytes);
    return true;
}

static bool
send_eval(struct redis_store *redis, struct redis_batch *batch)
{
    size_t bytes;
    char *command = redis_batch_encode_eval(batch, &bytes);
    bool sent = send_command(redis, batch, command, bytes);

    free(command);
    return sent;
}

/* Redis does not have the script. Nothing has run, so nothing can count twice. If the ACL forbids to load the
   script, or the cache was emptied once more, the script comes with the batch. */
static bool
send_again(struct redis_store *redis, struct redis_batch *batch)
{
    log_debug("redis", "%s-%u: Redis does not have the script; it is sent again, for a batch of %u requests",
              redis->options.program, redis->options.worker, batch->live);
    switch (batch->resent++) {
    case 0:
        return redis_script_load(&redis->script, redis->connection) &&
               send_command(redis, batch, batch->command, batch->command_bytes);
    case 1:
        return send_eval(redis, batch);
    default:
        return false;
    }
}

/* True when the batch was sent again. */
static bool
on_error_reply(struct redis_store *redis, struct redis_batch *batch, const redisReply *reply)
{
    const struct redis_error *error = redis_error_of(reply->str, reply->len);

    if (error->reaction == REACT_SEND_SCRIPT && !batch->is_reset && batch->live > 0 &&
        send_again(redis, batch))
        return true;
    redis_connection_reject(redis->connection, error);
    redis_report_error(redis->options.url, redis->counts, reply->str, reply->len);
    return false;
}

static void
on_text_reply(struct redis_store *redis, struct redis_batch *batch, const redisReply *reply)
{
    unsigned foreign = 0;

    redis_connection_proved(redis->connection);
    counter_add(&redis->counts->decisions, batch->sent_live);
    counter_add(&redis->counts->late_decisions, (uint64_t)(batch->sent_live - batch->live));
    if (!redis_batch_decode(batch, reply->str, reply->len, &foreign))
        on_unexpected(redis);
    if (foreign > 0)
        redis_report_error(redis->options.url, redis->counts, "WRONGTYPE", strlen("WRONGTYPE"));
}

/* The denial cache is cleared, because it cannot be searched by client alone: each other refusal in it costs
   one command to be learnt again. */
static void
on_reset_reply(struct redis_store *redis, struct redis_batch *batch)
{
    redis_connection_proved(redis->connection);
    denial_cache_clear(redis->denials);
    redis_batch_decide_reset(batch);
}

/* Decides the batch's requests, as far as the reply does. False: the batch was sent again, and waits for
   another one. */
static bool
read_reply(struct redis_store *redis, struct redis_batch *batch, const redisReply *reply)
{
    redis->stalled_since_us = 0;
    counter_add(&redis->counts->received_bytes, reply->str != NULL ? reply->len : 0);
    histogram_observe(&redis->counts->command_duration, clock_mono_us() - batch->sent_us);
    if (reply->type == REDIS_REPLY_ERROR)
        return !on_error_reply(redis, batch, reply);
    if (batch->is_reset && reply->type == REDIS_REPLY_INTEGER)
        on_reset_reply(redis, batch);
    else if (!batch->is_reset && reply->type == REDIS_REPLY_STRING)
        on_text_reply(redis, batch, reply);
    else
        on_unexpected(redis);
    return true;
}

static void
on_reply(struct redis_call *call, const struct redisReply *reply)
{
    struct redis_batch *batch = container_of(call, struct redis_batch, call);
    struct redis_store *redis = batch->store;

    if (reply != NULL && !read_reply(redis, batch, reply))
        return;
    redis_batch_answer(batch);
    redis_queue_remove(&redis->queue, batch);
}

static void
on_change(void *arg, bool ready)
{
    struct redis_store *redis = arg;

    redis->stalled_since_us = 0;
    counter_add(ready ? &redis->counts->connections : &redis->counts->connection_losses, 1);
    if (!ready) {
        assert(redis->queue.sent == NULL);
        redis_queue_fail_unsent(&redis->queue);
        denial_cache_clear(redis->denials); /* on_store_failure decides until it is back */
    }
}

/* The store's operations. */

static bool
send_batch(struct redis_store *redis, struct redis_batch *batch)
{
    bool encoded;

    batch->sent_us = clock_mono_us();
    batch->sent_live = batch->live;
    encoded = batch->is_reset ? redis_batch_encode_reset(batch) : redis_batch_encode(batch);
    return encoded && send_command(redis, batch, batch->command, batch->command_bytes);
}

/* Sends the oldest batch, unless all its requests were removed. False: out of memory; the batch stays. */
static bool
send_oldest(struct redis_store *redis)
{
    struct redis_queue *queue = &redis->queue;
    struct redis_batch *batch = queue->unsent;

    if (batch == queue->gathering && !redis_queue_begin(queue))
        return false;
    if (batch->live > 0 && !send_batch(redis, batch))
        return false;
    redis_queue_advance(queue);
    return true;
}

static enum store_status
redis_store_take(struct store *store, struct store_request *request)
{
    struct redis_store *redis = redis_store_of(store);
    int64_t now_us, deadline_us;

    assert(request->subject.limits->count >= 1 && request->subject.limits->count <= LIMIT_SET_MAX);
    if (!is_ready(redis))
        return STORE_UNAVAILABLE;
    now_us = clock_mono_us();
    if (denial_cache_answer(redis->denials, request, now_us)) {
        counter_add(&redis->counts->denial_cache_answers, 1);
        return STORE_DONE;
    }
    if (!set_deadline(redis, &deadline_us, now_us))
        return STORE_UNAVAILABLE;
    if (!redis_batch_add(redis->queue.gathering, request, deadline_us) &&
        (!redis_queue_begin(&redis->queue) || !redis_batch_add(redis->queue.gathering, request, deadline_us)))
        return STORE_UNAVAILABLE;
    return STORE_PENDING;
}

/* A command of its own, after the requests before it. */
static enum store_status
redis_store_reset(struct store *store, struct store_request *request)
{
    struct redis_store *redis = redis_store_of(store);
    struct redis_batch *batch;
    int64_t deadline_us;

    if (!is_ready(redis) || !set_deadline(redis, &deadline_us, clock_mono_us()) ||
        (redis->queue.gathering->request_count > 0 && !redis_queue_begin(&redis->queue)))
        return STORE_UNAVAILABLE;
    batch = redis->queue.gathering;
    if (!redis_queue_begin(&redis->queue))
        return STORE_UNAVAILABLE;
    redis_batch_add(batch, request, deadline_us);
    batch->is_reset = true;
    return STORE_PENDING;
}

static void
redis_store_cancel(struct store *store, struct store_request *request)
{
    (void)store;
    redis_batch_remove(request);
}

static void
redis_store_flush(struct store *store)
{
    struct redis_store *redis = redis_store_of(store);

    if (redis_connection_is_ready(redis->connection))
        while (redis_queue_is_due(&redis->queue) &&
               send_oldest(redis)) /* if it fails, the deadline answers */
            continue;
    redis_connection_flush(redis->connection);
}

static struct store_health
redis_store_health(const struct store *store)
{
    const struct redis_store *redis = (const struct redis_store *)store;
    const char *reason =
        redis->stalled_since_us != 0 ? "no reply" : redis_connection_reason(redis->connection);
    enum store_state state = is_ready(redis)     ? STORE_READY
                             : reason[0] == '\0' ? STORE_CONNECTING
                                                 : STORE_LOST;

    return (struct store_health){.state = state, .kind = "redis", .detail = reason};
}

static void
redis_store_free(struct store *store)
{
    struct redis_store *redis = redis_store_of(store);

    redis_connection_free(redis->connection);
    redis->connection = NULL; /* a callback that asks again gets STORE_UNAVAILABLE */
    redis_queue_fini(&redis->queue);
    denial_cache_free(redis->denials);
    if (redis->timer)
        event_free(redis->timer);
    free(redis);
}

static const struct store_ops redis_store_ops = {
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
    redis->store.ops = &redis_store_ops;
    redis->options = *options;
    redis->counts = options->counts != NULL ? options->counts : &redis->own_counts;
    redis->timer = evtimer_new(options->base, on_timer, redis);
    redis->denials = denial_cache_new();
    redis_queue_init(&redis->queue, redis->denials);
    redis->connection = redis_connection_new(&(struct redis_connection_options){
        .base = options->base,
        .handshake = {.url = options->url, .program = options->program, .worker = options->worker},
        .tls = options->tls,
        .counts = redis->counts,
        .news = options->news,
        .on_change = on_change,
        .arg = redis});
    if (redis->timer == NULL || redis->denials == NULL || redis->queue.gathering == NULL ||
        redis->connection == NULL) {
        redis_store_free(&redis->store);
        return NULL;
    }
    return &redis->store;
}

struct redis_connection *
redis_store_connection(struct store *store)
{
    return redis_store_of(store)->connection;
}
