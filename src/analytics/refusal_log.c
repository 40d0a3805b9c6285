#include "refusal_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "refusal_table.h"

/* Lines that may be written: a burst at once, and one more each `line_us`. */
struct budget {
    int64_t line_us;
    int64_t burst_us;
    int64_t next_us; /* when the next one would be due without a burst */
};

/* Newcomers of this second without a line. */
struct sample {
    uint32_t count;
    struct newcomer {
        uint64_t rank;  /* the smallest are kept */
        uint64_t count; /* how often it was refused */
        struct siphash key;
        struct refusal refusal;
    } list[REFUSAL_LOG_NEWCOMERS];
};

struct refusal_log {
    struct refusal_log_options options;
    struct siphash_key key;      /* of the table and the sample; random */
    struct siphash_key hash_key; /* of clients as shown */
    struct budget newcomers, sums, all;
    struct refusal_table *table;
    struct sample sample;
    bool is_crowded;      /* newcomers go into the sample */
    int64_t second;       /* of the sample */
    uint64_t others;      /* refusals of clients that are neither in the table nor in the sample */
    int64_t tell_from_us; /* when the next line for the others is due */
};

static struct budget
budget_of(int64_t lines_a_second, int64_t burst)
{
    return (struct budget){.line_us = US_PER_S / lines_a_second,
                           .burst_us = (burst - 1) * (US_PER_S / lines_a_second),
                           .next_us = INT64_MIN};
}

static bool
budget_take(struct budget *budget, int64_t now_us)
{
    if (budget->next_us < now_us - budget->burst_us)
        budget->next_us = now_us - budget->burst_us;
    if (budget->next_us > now_us)
        return false;
    budget->next_us += budget->line_us;
    return true;
}

static struct siphash_key
key_of(const char *text)
{
    struct siphash hash = siphash128((struct siphash_key){0}, text, strlen(text));

    return text[0] != '\0' ? (struct siphash_key){hash.low, hash.high} : siphash_random_key();
}

struct refusal_log *
refusal_log_new(const struct refusal_log_options *options, int64_t now_us)
{
    struct refusal_log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return NULL;
    log->table = refusal_table_new();
    if (log->table == NULL) {
        free(log);
        return NULL;
    }
    log->options = *options;
    log->key = siphash_random_key();
    log->hash_key = key_of(options->key);
    log->options.key = NULL;
    log->newcomers = budget_of(REFUSAL_LOG_NEWCOMERS, REFUSAL_LOG_BURST);
    log->sums = budget_of(REFUSAL_LOG_SUMS, REFUSAL_LOG_BURST);
    log->all = budget_of(REFUSAL_LOG_ALL, REFUSAL_LOG_ALL);
    log->second = now_us / US_PER_S;
    log->tell_from_us = now_us + REFUSAL_LOG_SUM_US;
    return log;
}

void
refusal_log_free(struct refusal_log *log)
{
    if (log == NULL)
        return;
    free(log->table);
    free(log);
}

static void
tell(const struct refusal_log *log, const struct refusal *refusal, uint64_t suppressed)
{
    struct shown_client shown = shown_client(refusal->client, log->options.clients, log->hash_key);

    refusal_tell(refusal, shown.text, suppressed);
}

/* Newcomers. */

static void
put_into_table(struct refusal_log *log, const struct newcomer *newcomer, int64_t now_us)
{
    struct told_client *client = refusal_table_put(log->table, newcomer->key);

    client->due_us = now_us + REFUSAL_LOG_SUM_US;
    client->refusal = newcomer->refusal;
    client->suppressed = newcomer->count - 1;
}

static bool
is_room(struct refusal_log *log, int64_t now_us)
{
    return log->table->count < REFUSAL_TABLE_CLIENTS && budget_take(&log->newcomers, now_us);
}

/* The place of the newcomer in the sample, or one that it may take: an empty one, or that of the largest rank
   if its own is smaller. NULL: none. */
static struct newcomer *
find_place(struct sample *sample, const struct newcomer *newcomer)
{
    struct newcomer *last = &sample->list[0];

    for (uint32_t i = 0; i < sample->count; i++) {
        if (siphash_equals(sample->list[i].key, newcomer->key))
            return &sample->list[i];
        if (sample->list[i].rank > last->rank)
            last = &sample->list[i];
    }
    if (sample->count < REFUSAL_LOG_NEWCOMERS)
        return &sample->list[sample->count];
    return last->rank > newcomer->rank ? last : NULL;
}

static void
put_into_sample(struct refusal_log *log, struct newcomer *newcomer)
{
    struct sample *sample = &log->sample;
    struct newcomer *place;

    newcomer->rank = siphash128((struct siphash_key){log->key.k0, (uint64_t)log->second}, &newcomer->key,
                                sizeof(newcomer->key))
                         .low;
    place = find_place(sample, newcomer);
    if (place == NULL) {
        log->others += newcomer->count;
        return;
    }
    if (place == &sample->list[sample->count])
        sample->count++;
    else if (siphash_equals(place->key, newcomer->key))
        newcomer->count += place->count;
    else
        log->others += place->count;
    *place = *newcomer;
}

static void
add_newcomer(struct refusal_log *log, struct newcomer *newcomer, int64_t now_us)
{
    log->is_crowded = log->is_crowded || !is_room(log, now_us);
    if (log->is_crowded) {
        put_into_sample(log, newcomer);
        return;
    }
    tell(log, &newcomer->refusal, 0);
    put_into_table(log, newcomer, now_us);
}

/* The second of the sample is over. */
static void
tell_sample(struct refusal_log *log, int64_t now_us)
{
    struct sample *sample = &log->sample;

    for (uint32_t i = 0; i < sample->count; i++) {
        if (!is_room(log, now_us)) {
            log->others += sample->list[i].count;
            continue;
        }
        tell(log, &sample->list[i].refusal, 0);
        put_into_table(log, &sample->list[i], now_us);
    }
    log->is_crowded = sample->count == REFUSAL_LOG_NEWCOMERS;
    sample->count = 0;
}

/* Known clients. */

/* A client that was refused stays, unless a newcomer needs its place. */
static void
tell_sum(struct refusal_log *log, struct told_client *head, int64_t now_us)
{
    struct told_client again = *head;
    bool stays = !log->is_crowded && log->table->count <= REFUSAL_TABLE_CLIENTS / 2;

    tell(log, &head->refusal, head->suppressed);
    refusal_table_remove_head(log->table);
    if (stays)
        put_into_table(log, &(struct newcomer){.key = again.key, .count = 1, .refusal = again.refusal},
                       now_us);
}

static void
tell_sums(struct refusal_log *log, int64_t now_us)
{
    struct told_client *head;

    while ((head = refusal_table_head(log->table)) != NULL && head->due_us <= now_us) {
        if (head->suppressed == 0)
            refusal_table_remove_head(log->table);
        else if (budget_take(&log->sums, now_us))
            tell_sum(log, head, now_us);
        else
            break;
    }
}

static void
tell_others(struct refusal_log *log)
{
    const struct log_field field = {.name = "suppressed", .number = (int64_t)log->others};

    if (log->others > 0)
        log_event_fields(LOG_INFO, "refusals", &field, 1,
                         "more clients were refused than there is room for in the log");
    log->others = 0;
}

/* All of them. */

static struct siphash
key_of_refusal(const struct refusal_log *log, const struct refusal *refusal)
{
    char bytes[sizeof(refusal->rule) + sizeof(refusal->client) + 2];
    size_t used = strlen(refusal->rule) + 1;

    memcpy(bytes, refusal->rule, used);
    memcpy(bytes + used, refusal->client, strlen(refusal->client));
    used += strlen(refusal->client);
    bytes[used++] = (char)refusal->result;
    bytes[used++] = (char)refusal->shadow;
    return siphash128(log->key, bytes, used);
}

void
refusal_log_add(struct refusal_log *log, const struct decision_record *record, int64_t now_us)
{
    struct newcomer newcomer = {.count = 1};
    struct told_client *known;

    if (record->result == RESULT_ALLOWED)
        return;
    refusal_init(&newcomer.refusal, record);
    if (log->options.mode == REFUSALS_ALL && budget_take(&log->all, now_us)) {
        tell(log, &newcomer.refusal, 0);
        return;
    }
    newcomer.key = key_of_refusal(log, &newcomer.refusal);
    known = refusal_table_find(log->table, newcomer.key);
    if (known == NULL) {
        add_newcomer(log, &newcomer, now_us);
        return;
    }
    known->refusal = newcomer.refusal;
    known->suppressed++;
}

void
refusal_log_tick(struct refusal_log *log, int64_t now_us)
{
    if (now_us / US_PER_S != log->second)
        tell_sample(log, now_us);
    log->second = now_us / US_PER_S;
    tell_sums(log, now_us);
    if (now_us >= log->tell_from_us) {
        tell_others(log);
        log->tell_from_us = now_us + REFUSAL_LOG_SUM_US;
    }
}

void
refusal_log_end(struct refusal_log *log)
{
    struct told_client *head;

    for (uint32_t i = 0; i < log->sample.count; i++)
        tell(log, &log->sample.list[i].refusal, log->sample.list[i].count - 1);
    log->sample.count = 0;
    while ((head = refusal_table_head(log->table)) != NULL) {
        if (head->suppressed > 0)
            tell(log, &head->refusal, head->suppressed);
        refusal_table_remove_head(log->table);
    }
    tell_others(log);
}
