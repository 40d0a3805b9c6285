/*
 * From the reply of the script to the answers. Its text comes from outside: nothing about it is believed.
 */
#include <string.h>

#include "number.h"
#include "redis_batch.h"
#include "refusals.h"

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
    const struct redis_batch_rule *rule = &batch->rules[entry->rule];
    bool allowed = true, noted = false;

    for (uint32_t i = 0; i < rule->limit_count; i++) {
        if (!read_decision(reader, &rule->limits[i], &decisions[i]))
            return false;
        allowed &= decisions[i].allowed;
    }
    for (; count > 0; count--) {
        uint16_t next = batch->next_equal[*position];
        struct store_request *request = batch->requests[*position];
        if (request != NULL) {
            request->allowed = allowed;
            memcpy(request->decisions, decisions, rule->limit_count * sizeof(decisions[0]));
            if (!allowed && !noted && batch->refusals) {
                refusals_note(batch->refusals, request, batch->sent_us);
                noted = true;
            }
            redis_batch_answer(batch, *position, STORE_DONE);
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
            redis_batch_answer(batch, position, STORE_UNAVAILABLE);
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
