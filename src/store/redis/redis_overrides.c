#include "redis_overrides.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "clock.h"
#include "container_of.h"
#include "log.h"
#include "number.h"
#include "overrides_script.h"
#include "redis_connection.h"
#include "redis_error.h"
#include "redis_url.h"

#define KEY        "rl:{overrides}"
#define DIGITS_MAX 20
#define NEVER_READ "-" /* no version */
#define WORDS_MAX  9
#define PAGES_MAX  2000 /* more than the most overrides take; others may have filled the hash */
#define LOG_US     (10 * US_PER_S)

/* A Redis that does not answer is dropped: so late, that a slow one is not. */
#define LATE_US (US_PER_S / 2)

struct redis_overrides;

/* A command under way; `waiter` NULL: its answer is not waited for. */
struct command {
    struct redis_call call;
    struct redis_overrides *of;
    struct override_call *waiter;
    int64_t sent_us;
    struct command *next;
};

struct redis_overrides {
    struct override_store store;
    struct redis_overrides_options options;
    struct command *sent, **sent_end; /* oldest first */
    bool is_reading;                  /* a page is awaited */
    bool is_stale;                    /* a change was answered while pages were read */
    char known[DIGITS_MAX + 1];       /* the version of what was read last */
    char version[DIGITS_MAX + 1];     /* of what is being read */
    char cursor[DIGITS_MAX + 1];
    uint32_t found, pages; /* so far */
    unsigned connection;   /* the number of the one by which it was read */
};

static struct redis_overrides *
redis_overrides_of(struct override_store *store)
{
    return (struct redis_overrides *)store;
}

/* Commands. */

static void
take_out(struct command *command)
{
    struct command **at = &command->of->sent;

    while (*at != command)
        at = &(*at)->next;
    *at = command->next;
    if (command->next == NULL)
        command->of->sent_end = at;
    free(command);
}

/* False: not connected, or out of memory. */
static bool
send_command(struct redis_overrides *overrides, int count, const char **words,
             void (*callback)(struct redis_call *call, const struct redisReply *reply),
             struct override_call *waiter)
{
    const char *all[WORDS_MAX] = {"EVAL", overrides_script_text, "1", KEY};
    struct command *command = malloc(sizeof(*command));
    char *text = NULL;
    long long bytes;
    bool sent;

    assert(count + 4 <= WORDS_MAX);
    memcpy(&all[4], words, (size_t)count * sizeof(all[0]));
    bytes = redisFormatCommandArgv(&text, count + 4, all, NULL);
    sent = command != NULL && bytes > 0 &&
           redis_connection_send(overrides->options.connection, text, (size_t)bytes, &command->call);
    redisFreeCommand(text);
    if (!sent) {
        free(command);
        return false;
    }
    *command = (struct command){
        .call.callback = callback, .of = overrides, .waiter = waiter, .sent_us = clock_mono_us()};
    *overrides->sent_end = command;
    overrides->sent_end = &command->next;
    return true;
}

/* One line in an interval. A replica answers when it is read, so only a change tells that it is one. */
static void
on_error(struct redis_overrides *overrides, const redisReply *reply)
{
    static struct log_limiter limiter;
    const struct redis_error *error;
    char shown[REDIS_ERROR_SHOWN_BYTES];
    uint64_t suppressed;

    if (reply->type != REDIS_REPLY_ERROR) {
        redis_connection_drop_soon(overrides->options.connection,
                                   "unexpected reply from Redis; is it another server?", REDIS_PAUSE_LONG);
        return;
    }
    error = redis_error_of(reply->str, reply->len);
    redis_connection_reject(overrides->options.connection, error);
    if (log_limiter_allows(&limiter, LOG_US, &suppressed))
        log_error(
            "overrides",
            "%s replies \"%s\" about the clients that are blocked or limited at run time: %s; those that "
            "were known stay so (%" PRIu64 " more such replies since the last message)",
            overrides->options.url->display, redis_error_shown(shown, reply->str, reply->len), error->advice,
            suppressed);
}

static void
on_changed(struct redis_call *call, const struct redisReply *reply)
{
    struct command *command = container_of(call, struct command, call);
    struct redis_overrides *overrides = command->of;
    struct override_call *waiter = command->waiter;
    enum override_status status = OVERRIDE_UNKNOWN;

    take_out(command);
    if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
        status = reply->integer != 0 ? OVERRIDE_DONE : OVERRIDE_FULL;
    else if (reply != NULL)
        on_error(overrides, reply);
    if (waiter == NULL)
        return;
    overrides->is_stale = overrides->is_reading;
    waiter->callback(waiter, status);
}

static bool
put(struct override_store *store, const char *id, const char *text, int64_t for_us,
    struct override_call *call)
{
    struct redis_overrides *overrides = redis_overrides_of(store);
    char for_ms[24], max[12];

    snprintf(for_ms, sizeof(for_ms), "%" PRId64, for_us / US_PER_MS);
    snprintf(max, sizeof(max), "%" PRIu32, overrides->options.max);
    return send_command(overrides, 5, (const char *[]){"put", id, text, for_ms, max}, on_changed, call);
}

static bool
remove_one(struct override_store *store, const char *id, struct override_call *call)
{
    return send_command(redis_overrides_of(store), 2, (const char *[]){"remove", id}, on_changed, call);
}

/* What cannot be sent now is found again by the next reading of all. */
static void
sweep(struct override_store *store, const char *id)
{
    send_command(redis_overrides_of(store), 2, (const char *[]){"sweep", id}, on_changed, NULL);
}

/* Reading. */

static void on_page(struct redis_call *call, const struct redisReply *reply);

static void
ask(struct redis_overrides *overrides)
{
    char max[12];

    snprintf(max, sizeof(max), "%" PRIu32, overrides->options.text_bytes_max);
    overrides->is_reading = send_command(
        overrides, 4, (const char *[]){"read", overrides->known, overrides->cursor, max}, on_page, NULL);
}

/* A reply that is being read. */
struct page {
    const char *at, *end;
};

/* Digits up to a blank, as text. */
static bool
read_digits(struct page *page, char out[DIGITS_MAX + 1])
{
    size_t left = (size_t)(page->end - page->at), bytes = 0;

    while (bytes < left && bytes < DIGITS_MAX && page->at[bytes] >= '0' && page->at[bytes] <= '9')
        bytes++;
    if (bytes == 0 || bytes == left || page->at[bytes] != ' ')
        return false;
    memcpy(out, page->at, bytes);
    out[bytes] = '\0';
    page->at += bytes + 1;
    return true;
}

static bool
read_number(struct page *page, int64_t *out)
{
    char digits[DIGITS_MAX + 1];

    return read_digits(page, digits) && number_parse(digits, 0, NUMBER_EXACT_MAX, out);
}

static const char *
read_bytes(struct page *page, int64_t bytes)
{
    const char *text = page->at;

    if (bytes > page->end - page->at)
        return NULL;
    page->at += bytes;
    return text;
}

/* The reply was made before now, so an override ends later than Redis says by the reply's way at most. */
static bool
read_override(struct redis_overrides *overrides, struct page *page, int64_t redis_ms)
{
    const struct override_listener *listener = &overrides->store.listener;
    int64_t id_bytes, end_ms, text_bytes;
    const char *id, *text;

    if (!read_number(page, &id_bytes) || !read_number(page, &end_ms) || !read_number(page, &text_bytes))
        return false;
    id = read_bytes(page, id_bytes);
    text = id != NULL ? read_bytes(page, text_bytes) : NULL;
    if (text == NULL)
        return false;
    listener->on_text(listener->arg, id, (size_t)id_bytes, text, (size_t)text_bytes,
                      clock_mono_us() + (end_ms - redis_ms) * US_PER_MS);
    overrides->found++;
    return true;
}

/* False: it is no reply of the script. */
static bool
read_page(struct redis_overrides *overrides, const redisReply *reply)
{
    const struct override_listener *listener = &overrides->store.listener;
    struct page page = {.at = reply->str, .end = reply->str + reply->len};
    bool is_first = strcmp(overrides->cursor, "0") == 0;
    char version[DIGITS_MAX + 1];
    int64_t redis_ms;

    if (!read_digits(&page, version) || !read_number(&page, &redis_ms) ||
        !read_digits(&page, overrides->cursor))
        return false;
    if (is_first) {
        memcpy(overrides->version, version, sizeof(version));
        overrides->is_stale = false;
        overrides->found = overrides->pages = 0;
        listener->on_begin(listener->arg);
    }
    overrides->pages++;
    while (page.at < page.end)
        if (!read_override(overrides, &page, redis_ms))
            return false;
    return true;
}

/* What changed meanwhile is read once more, at the next run: the version is that of the first page. */
static void
end_reading(struct redis_overrides *overrides)
{
    const struct override_listener *listener = &overrides->store.listener;

    overrides->is_reading = false;
    if (overrides->is_stale)
        return;
    memcpy(overrides->known, overrides->version, sizeof(overrides->known));
    listener->on_end(listener->arg);
}

static void
abandon_reading(struct redis_overrides *overrides)
{
    overrides->is_reading = false;
    strcpy(overrides->cursor, "0");
    strcpy(overrides->known, NEVER_READ);
}

static void
on_page(struct redis_call *call, const struct redisReply *reply)
{
    struct command *command = container_of(call, struct command, call);
    struct redis_overrides *overrides = command->of;

    take_out(command);
    if (reply != NULL && reply->type == REDIS_REPLY_INTEGER) {
        overrides->is_reading = false; /* nothing has changed */
    } else if (reply == NULL || reply->type != REDIS_REPLY_STRING || !read_page(overrides, reply)) {
        abandon_reading(overrides);
        if (reply != NULL)
            on_error(overrides, reply);
    } else if (strcmp(overrides->cursor, "0") == 0 || overrides->found > overrides->options.max ||
               overrides->pages == PAGES_MAX) {
        strcpy(overrides->cursor, "0");
        end_reading(overrides);
    } else {
        ask(overrides);
    }
}

/* A Redis that was away may be another one, or have older data: what was read says nothing of it. */
static void
note_connection(struct redis_overrides *overrides)
{
    unsigned number = redis_connection_number(overrides->options.connection);

    if (overrides->connection != number)
        abandon_reading(overrides);
    overrides->connection = number;
}

static void
run(struct override_store *store, int64_t now_us)
{
    struct redis_overrides *overrides = redis_overrides_of(store);
    const struct command *oldest = overrides->sent;

    note_connection(overrides);
    if (oldest != NULL && now_us - oldest->sent_us > overrides->options.timeout_us + LATE_US)
        redis_connection_drop(overrides->options.connection, "no reply");
    else if (!overrides->is_reading && redis_connection_is_ready(overrides->options.connection))
        ask(overrides);
}

static void
free_store(struct override_store *store)
{
    assert(redis_overrides_of(store)->sent == NULL);
    free(store);
}

static const struct override_store_ops redis_overrides_ops = {
    .put = put, .remove = remove_one, .sweep = sweep, .run = run, .free = free_store};

struct override_store *
redis_overrides_new(const struct redis_overrides_options *options)
{
    struct redis_overrides *overrides = calloc(1, sizeof(*overrides));

    if (overrides == NULL)
        return NULL;
    overrides->store.ops = &redis_overrides_ops;
    overrides->options = *options;
    overrides->sent_end = &overrides->sent;
    abandon_reading(overrides);
    return &overrides->store;
}
