#include "redis_batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "refusals.h"
#include "take_script.h"

#define SHA1_DIGITS 40

/* The most that one key can take in the command: "$nnn", "rl:{", the client, "}:", the rule, ":", the index. */
#define KEY_BYTES      (4 + CLIENT_BYTES + 2 + 255 + 1 + 2)
#define WORD_BYTES     32 /* of a number, with its frame */
#define PREAMBLE_BYTES 256

struct redis_batch *
redis_batch_new(void)
{
    struct redis_batch *batch = calloc(1, sizeof(*batch));

    return batch;
}

void
redis_batch_free(struct redis_batch *batch)
{
    if (batch == NULL)
        return;
    free(batch->command);
    free(batch);
}

void
redis_batch_clear(struct redis_batch *batch)
{
    batch->next = NULL;
    batch->request_count = batch->entry_count = batch->rule_count = batch->limit_count = 0;
    batch->live = batch->expiring = 0;
    batch->tried_eval = batch->is_reset = false;
    memset(batch->buckets, 0, sizeof(batch->buckets));
}

/* Gathering. */

/* FNV-1a: who fills a batch with clients that collide makes his own few hundred comparisons slow, no more. */
static uint32_t
hash_subject(const struct store_request *request)
{
    const struct client *client = request->subject.client;
    uint32_t hash = 2166136261u ^ (uint32_t)((uintptr_t)request->subject.limits >> 4);

    for (size_t i = 0; i < client->bytes; i++)
        hash = (hash ^ (unsigned char)client->text[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static bool
is_same_subject(const struct store_request *a, const struct store_request *b)
{
    return a->subject.limits == b->subject.limits && a->subject.client->bytes == b->subject.client->bytes &&
           memcmp(a->subject.client->text, b->subject.client->text, a->subject.client->bytes) == 0;
}

/* The latest entry of the request's subject, or the empty bucket where one belongs (`*entry` NULL). An entry whose requests
   were all given up has no sample to compare with, and is passed over. */
static uint16_t *
find_entry(struct redis_batch *batch, const struct store_request *request, uint32_t hash,
           struct redis_batch_entry **entry)
{
    for (uint32_t i = hash;; i++) {
        uint16_t *bucket = &batch->buckets[i % BATCH_BUCKETS];
        *entry = NULL;
        if (*bucket == 0)
            return bucket;
        *entry = &batch->entries[*bucket - 1];
        if ((*entry)->hash == hash && (*entry)->sample && is_same_subject((*entry)->sample, request))
            return bucket;
    }
}

/* The number of the rule among the batch's; -1 where there is no room for one more. */
static int
find_rule(struct redis_batch *batch, const struct store_subject *subject)
{
    for (int i = 0; i < batch->rule_count; i++)
        if (batch->rules[i] == subject->limits)
            return i;
    if (batch->rule_count == BATCH_RULES)
        return -1;
    batch->rules[batch->rule_count] = subject->limits;
    batch->rule_limits[batch->rule_count] = (uint16_t)subject->limit_count;
    return batch->rule_count++;
}

bool
redis_batch_add(struct redis_batch *batch, struct store_request *request)
{
    uint32_t hash = hash_subject(request);
    struct redis_batch_entry *entry;
    uint16_t *bucket, position = batch->request_count;
    int rule;

    if (position == BATCH_REQUESTS)
        return false;
    bucket = find_entry(batch, request, hash, &entry);
    /* Only into the latest entry: a request of another cost in between would be overtaken else. */
    if (entry == NULL || entry->sample->cost != request->cost) {
        if (batch->limit_count + request->subject.limit_count > BATCH_LIMITS)
            return false;
        rule = find_rule(batch, &request->subject);
        if (rule < 0)
            return false;
        entry = &batch->entries[batch->entry_count++];
        *bucket = batch->entry_count;
        *entry = (struct redis_batch_entry){
            .hash = hash, .first = position, .last = position, .rule = (uint16_t)rule, .sample = request};
        batch->limit_count = (uint16_t)(batch->limit_count + request->subject.limit_count);
    } else {
        batch->next_equal[entry->last] = position;
        entry->last = position;
    }
    batch->requests[position] = request;
    batch->request_count++;
    batch->live++;
    request->owner = batch;
    request->position = position;
    return true;
}

/* Its entry must not go on comparing with it: the next equal one that still waits becomes the sample. */
static void
replace_sample(struct redis_batch *batch, const struct store_request *request)
{
    for (uint32_t i = 0; i < batch->entry_count; i++) {
        struct redis_batch_entry *entry = &batch->entries[i];
        if (entry->sample != request)
            continue;
        entry->sample = NULL;
        for (uint16_t position = entry->first;; position = batch->next_equal[position]) {
            if (batch->requests[position] != NULL) {
                entry->sample = batch->requests[position];
                return;
            }
            if (position == entry->last)
                return;
        }
    }
}

void
redis_batch_remove(struct redis_batch *batch, const struct store_request *request)
{
    assert(batch->requests[request->position] == request);
    batch->requests[request->position] = NULL;
    batch->live--;
    replace_sample(batch, request);
}

/* The command. */

static char *
put_line(char *out, char sign, size_t number)
{
    *out++ = sign;
    out += number_write(out, (int64_t)number);
    *out++ = '\r';
    *out++ = '\n';
    return out;
}

static char *
put_word(char *out, const char *text, size_t bytes)
{
    out = put_line(out, '$', bytes);
    memcpy(out, text, bytes);
    out += bytes;
    *out++ = '\r';
    *out++ = '\n';
    return out;
}

static char *
put_number(char *out, int64_t value)
{
    char digits[20] = "";

    return put_word(out, digits, number_write(digits, value));
}

/* rl:{client}:rule:index */
static char *
put_key(char *out, const struct store_subject *subject, uint32_t index)
{
    char key[KEY_BYTES], *end = key;
    size_t rule_bytes = strlen(subject->rule);

    assert(rule_bytes <= 255);
    memcpy(end, "rl:{", 4);
    end += 4;
    memcpy(end, subject->client->text, subject->client->bytes);
    end += subject->client->bytes;
    memcpy(end, "}:", 2);
    end += 2;
    memcpy(end, subject->rule, rule_bytes);
    end += rule_bytes;
    *end++ = ':';
    end += number_write(end, index);
    return put_word(out, key, (size_t)(end - key));
}

static char *
put_limit(char *out, const struct limit *limit)
{
    const char *name = algorithm_name(limit->algorithm);
    bool bucket = limit->algorithm == TOKEN_BUCKET;

    out = put_word(out, name, strlen(name));
    out = put_number(out, limit->limit);
    out = put_number(out, bucket ? limit->units_per_token : limit->window_us);
    return put_number(out, bucket ? limit->units_per_us : limit->tick_us);
}

/* How many of the entry's requests are still live; those that are not leave its chain, for nothing is sent for them. */
static uint16_t
prune_entry(struct redis_batch *batch, struct redis_batch_entry *entry)
{
    uint16_t count = 0, last = 0;

    for (uint16_t position = entry->first, end = entry->last;; position = batch->next_equal[position]) {
        if (batch->requests[position] != NULL) {
            if (count == 0)
                entry->first = position;
            else
                batch->next_equal[last] = position;
            last = position;
            count++;
        }
        if (position == end)
            break;
    }
    if (count > 0)
        entry->last = last;
    return count;
}

static bool
make_room(struct redis_batch *batch)
{
    size_t room = PREAMBLE_BYTES + SHA1_DIGITS + (size_t)batch->limit_count * (KEY_BYTES + WORD_BYTES) +
                  (size_t)batch->entry_count * 4 * WORD_BYTES +
                  (size_t)batch->rule_count * (1 + 4 * STORE_LIMITS_MAX) * WORD_BYTES;
    char *command;

    if (room <= batch->command_room)
        return true;
    command = realloc(batch->command, room);
    if (command == NULL)
        return false;
    batch->command = command;
    batch->command_room = room;
    return true;
}

/* The entry after `entry` that has something to send; NULL behind the last. With NULL, the first such. */
static struct redis_batch_entry *
next_sent(struct redis_batch *batch, struct redis_batch_entry *entry)
{
    entry = entry ? entry + 1 : batch->entries;
    while (entry < batch->entries + batch->entry_count && entry->count == 0)
        entry++;
    return entry < batch->entries + batch->entry_count ? entry : NULL;
}

/* The arguments of both are the same: the script is told once for a whole run of such. */
static bool
is_alike(const struct redis_batch_entry *a, const struct redis_batch_entry *b)
{
    return a->rule == b->rule && a->count == b->count && a->sample->cost == b->sample->cost;
}

/* How many entries from `*entry` on are alike; moves it to the first that is not. */
static int64_t
take_run(struct redis_batch *batch, struct redis_batch_entry **entry)
{
    const struct redis_batch_entry *first = *entry;
    int64_t run = 0;

    do {
        run++;
        *entry = next_sent(batch, *entry);
    } while (*entry != NULL && is_alike(first, *entry));
    return run;
}

/* Counts what will be sent: the keys, and the words of the whole command. */
static size_t
count_keys(struct redis_batch *batch)
{
    size_t keys = 0, runs = 0;
    struct redis_batch_entry *entry;

    for (uint32_t i = 0; i < batch->entry_count; i++) {
        entry = &batch->entries[i];
        entry->count = prune_entry(batch, entry);
        if (entry->count > 0)
            keys += batch->rule_limits[entry->rule];
    }
    for (entry = next_sent(batch, NULL); entry != NULL; take_run(batch, &entry))
        runs++;
    batch->words = 3 + keys + 1 + 4 * runs;
    for (uint32_t i = 0; i < batch->rule_count; i++)
        batch->words += 1 + 4 * (size_t)batch->rule_limits[i];
    return keys;
}

bool
redis_batch_encode(struct redis_batch *batch)
{
    size_t keys = count_keys(batch);
    struct redis_batch_entry *entry;
    char *out;

    if (!make_room(batch))
        return false;
    out = put_line(batch->command, '*', batch->words);
    out = put_word(out, "EVALSHA", 7);
    out = put_word(out, take_script_sha1, SHA1_DIGITS);
    batch->arguments = (size_t)(out - batch->command);
    out = put_number(out, (int64_t)keys);
    for (entry = next_sent(batch, NULL); entry != NULL; entry = next_sent(batch, entry))
        for (uint32_t limit = 0; limit < batch->rule_limits[entry->rule]; limit++)
            out = put_key(out, &entry->sample->subject, limit);
    out = put_number(out, batch->rule_count);
    for (uint32_t i = 0; i < batch->rule_count; i++) {
        out = put_number(out, batch->rule_limits[i]);
        for (uint32_t limit = 0; limit < batch->rule_limits[i]; limit++)
            out = put_limit(out, &batch->rules[i][limit]);
    }
    for (entry = next_sent(batch, NULL); entry != NULL;) {
        out = put_number(out, entry->rule + 1);
        out = put_number(out, entry->sample->cost);
        out = put_number(out, entry->count);
        out = put_number(out, take_run(batch, &entry));
    }
    batch->command_bytes = (size_t)(out - batch->command);
    assert(batch->command_bytes <= batch->command_room);
    return true;
}

bool
redis_batch_encode_reset(struct redis_batch *batch)
{
    const struct store_subject *subject = &batch->requests[0]->subject;
    char *out;

    assert(batch->request_count == 1 && batch->live == 1);
    batch->is_reset = true;
    if (!make_room(batch))
        return false;
    out = put_line(batch->command, '*', 1 + subject->limit_count);
    out = put_word(out, "DEL", 3);
    for (uint32_t limit = 0; limit < subject->limit_count; limit++)
        out = put_key(out, subject, limit);
    batch->command_bytes = (size_t)(out - batch->command);
    assert(batch->command_bytes <= batch->command_room);
    return true;
}

char *
redis_batch_encode_eval(const struct redis_batch *batch, size_t *bytes)
{
    size_t tail = batch->command_bytes - batch->arguments;
    char *command = malloc(PREAMBLE_BYTES + take_script_bytes + tail), *out;

    if (command == NULL)
        return NULL;
    out = put_line(command, '*', batch->words);
    out = put_word(out, "EVAL", 4);
    out = put_word(out, take_script_text, take_script_bytes);
    memcpy(out, batch->command + batch->arguments, tail);
    *bytes = (size_t)(out - command) + tail;
    return command;
}

/* The answer. */

static void
answer(struct redis_batch *batch, uint16_t position, enum store_status status)
{
    struct store_request *request = batch->requests[position];

    batch->requests[position] = NULL;
    batch->live--;
    request->owner = NULL;
    request->callback(request, status);
}

/* The script's numbers, as they come; nothing about them is believed. */
struct reader {
    const char *at, *end;
};

static bool
read_number(struct reader *reader, int64_t min, int64_t max, int64_t *out)
{
    const char *at = reader->at;
    bool negative = at < reader->end && *at == '-';
    int64_t value = 0;
    const char *first;

    at += negative;
    for (first = at; at < reader->end && *at >= '0' && *at <= '9'; at++) {
        if (at - first == 16)
            return false; /* 2^53 has 16 digits */
        value = value * 10 + (*at - '0');
    }
    if (at == first || (at < reader->end && (*at++ != ' ' || at == reader->end)))
        return false;
    reader->at = at;
    *out = negative ? -value : value;
    return *out >= min && *out <= max;
}

static bool
read_decision(struct reader *reader, const struct limit *limit, struct decision *decision)
{
    int64_t allowed;

    decision->limit = limit->limit;
    if (!read_number(reader, 0, 1, &allowed) || !read_number(reader, 0, limit->limit, &decision->remaining) ||
        !read_number(reader, RETRY_NEVER, NUMBER_EXACT_MAX, &decision->retry_after_us) ||
        !read_number(reader, 0, NUMBER_EXACT_MAX, &decision->reset_after_us))
        return false;
    decision->allowed = allowed == 1;
    return true;
}

/* Gives the next `count` of the entry's requests this decision; false only when the entry has not so many. */
static bool
read_group(struct redis_batch *batch, const struct redis_batch_entry *entry, struct reader *reader,
           int64_t count, uint16_t *position)
{
    struct decision decisions[STORE_LIMITS_MAX];
    uint16_t limits = batch->rule_limits[entry->rule];
    bool allowed = true, noted = false;

    for (uint32_t i = 0; i < limits; i++) {
        if (!read_decision(reader, &batch->rules[entry->rule][i], &decisions[i]))
            return false;
        allowed &= decisions[i].allowed;
    }
    for (; count > 0; count--) {
        uint16_t next = batch->next_equal[*position];
        struct store_request *request = batch->requests[*position];
        if (request != NULL) {
            request->allowed = allowed;
            memcpy(request->decisions, decisions, limits * sizeof(decisions[0]));
            if (!allowed && !noted && batch->refusals) {
                refusals_note(batch->refusals, request, batch->sent_us);
                noted = true;
            }
            answer(batch, *position, STORE_DONE);
        }
        *position = next;
    }
    return true;
}

static void
fail_entry(struct redis_batch *batch, const struct redis_batch_entry *entry)
{
    uint16_t position = entry->first;

    for (uint16_t i = 0; i < entry->count; i++, position = batch->next_equal[position])
        if (batch->requests[position] != NULL)
            answer(batch, position, STORE_UNAVAILABLE);
}

bool
redis_batch_decode(struct redis_batch *batch, const char *reply, size_t bytes, unsigned *foreign)
{
    struct reader reader = {.at = reply, .end = reply + bytes};

    for (uint32_t i = 0; i < batch->entry_count; i++) {
        const struct redis_batch_entry *entry = &batch->entries[i];
        uint16_t position = entry->first;
        int64_t rest = entry->count, count;
        while (rest > 0) {
            if (!read_number(&reader, 0, rest, &count))
                return false;
            if (count == 0) {
                if (rest < entry->count)
                    return false;
                fail_entry(batch, entry);
                (*foreign)++;
                break;
            }
            if (!read_group(batch, entry, &reader, count, &position))
                return false;
            rest -= count;
        }
    }
    return reader.at == reader.end;
}

void
redis_batch_reset_done(struct redis_batch *batch)
{
    if (batch->live > 0)
        answer(batch, 0, STORE_DONE);
}

unsigned
redis_batch_fail(struct redis_batch *batch)
{
    unsigned failed = batch->live;

    for (uint16_t i = 0; i < batch->request_count && batch->live > 0; i++)
        if (batch->requests[i] != NULL)
            answer(batch, i, STORE_UNAVAILABLE);
    return failed;
}

unsigned
redis_batch_expire(struct redis_batch *batch, int64_t now_us, int64_t *next_us)
{
    unsigned expired = 0;

    for (; batch->expiring < batch->request_count; batch->expiring++) {
        struct store_request *request = batch->requests[batch->expiring];
        if (request == NULL)
            continue;
        if (request->deadline_us > now_us) {
            *next_us = request->deadline_us;
            break;
        }
        redis_batch_remove(batch, request); /* from here on it may be anyone's */
        request->owner = NULL;
        request->callback(request, STORE_UNAVAILABLE);
        expired++;
    }
    return expired;
}
