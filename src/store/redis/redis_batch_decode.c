/*
 * From the script's reply to the decisions. The text comes from outside, so every number of it is checked.
 */
#include <string.h>

#include "denial_cache.h"
#include "number.h"
#include "redis_batch.h"

/* The words of the reply, separated by one space. */
struct reader {
    const char *at, *end;
    bool more; /* a word must follow */
};

struct word {
    const char *text;
    size_t bytes;
};

static bool
read_word(struct reader *reader, struct word *word)
{
    size_t left = (size_t)(reader->end - reader->at);
    const char *space;

    if (!reader->more || left == 0)
        return false;
    space = memchr(reader->at, ' ', left);
    *word = (struct word){.text = reader->at, .bytes = space ? (size_t)(space - reader->at) : left};
    reader->at += word->bytes + (space != NULL);
    reader->more = space != NULL;
    return word->bytes > 0;
}

/* False: the word is not a decimal integer in [min, max]. */
static bool
is_number(const struct word *word, int64_t min, int64_t max, int64_t *out)
{
    bool negative = word->text[0] == '-';
    size_t i = negative;
    int64_t value = 0;

    if (word->bytes == i || word->bytes - i > 16) /* 2^53 has 16 digits */
        return false;
    for (; i < word->bytes; i++) {
        if (word->text[i] < '0' || word->text[i] > '9')
            return false;
        value = value * 10 + (word->text[i] - '0');
    }
    *out = negative ? -value : value;
    return *out >= min && *out <= max;
}

/* False: words are missing. `*good` becomes false if they cannot be a decision by this limit. */
static bool
read_decision(struct reader *reader, const struct limit *limit, struct decision *decision, bool *good)
{
    int64_t allowed = 0;
    struct word words[4];

    for (size_t i = 0; i < 4; i++)
        if (!read_word(reader, &words[i]))
            return false;
    decision->limit = limit->limit;
    *good = *good && is_number(&words[0], 0, 1, &allowed) &&
            is_number(&words[1], 0, limit->limit, &decision->remaining) &&
            is_number(&words[2], RETRY_NEVER, NUMBER_EXACT_MAX, &decision->retry_after_us) &&
            is_number(&words[3], 0, NUMBER_EXACT_MAX, &decision->reset_after_us);
    decision->allowed = allowed == 1;
    return true;
}

/* What requests of a group get alike. */
struct answer {
    bool allowed;
    int64_t penalty_us;
    struct decision decisions[LIMIT_SET_MAX];
};

/* False: words are missing. `*good` becomes false if they cannot be an answer under this rule. */
static bool
read_answer(struct reader *reader, const struct redis_batch_rule *rule, struct answer *answer, bool *good)
{
    struct word word;

    answer->allowed = true;
    answer->penalty_us = 0;
    for (uint32_t i = 0; i < rule->limits.count; i++) {
        if (!read_decision(reader, &rule->limits.limits[i], &answer->decisions[i], good))
            return false;
        answer->allowed &= answer->decisions[i].allowed;
    }
    if (rule->penalty.after == 0)
        return true;
    if (!read_word(reader, &word))
        return false;
    *good = *good && is_number(&word, 0, NUMBER_EXACT_MAX, &answer->penalty_us);
    if (answer->penalty_us > 0) {
        answer->allowed = false;
        penalty_apply(answer->decisions, rule->limits.count, answer->penalty_us);
    }
    return true;
}

/* Refusals without a penalty are to be counted in Redis, each. */
static bool
may_be_repeated(const struct redis_batch_rule *rule, const struct answer *answer)
{
    return !answer->allowed && (rule->penalty.after == 0 || answer->penalty_us > 0);
}

/* Gives the group's next `count` requests this answer, from `*position` on. */
static void
decide_next(struct redis_batch *batch, const struct redis_batch_rule *rule, const struct answer *answer,
            int64_t count, uint16_t *position)
{
    bool noted = batch->denials == NULL || !may_be_repeated(rule, answer);

    for (; count > 0; count--) {
        struct redis_batch_slot *slot = &batch->slots[*position];
        *position = slot->next_equal;
        if (slot->request == NULL)
            continue;
        slot->decided = true;
        slot->request->allowed = answer->allowed;
        slot->request->penalty_us = answer->penalty_us;
        memcpy(slot->request->decisions, answer->decisions,
               rule->limits.count * sizeof(answer->decisions[0]));
        if (!noted)
            denial_cache_note(batch->denials, slot->request, batch->sent_us);
        noted = true;
    }
}

/* One group's part. False: its end cannot be found. `*good` false: it is not valid; the rest of its requests
   stay undecided, and the groups after it are not affected. */
static bool
read_group(struct redis_batch *batch, const struct redis_batch_group *group, struct reader *reader,
           bool *good)
{
    const struct redis_batch_rule *rule = &batch->rules[group->rule];
    struct answer answer;
    uint16_t position = group->first;
    int64_t rest = group->count, count;
    struct word word;

    *good = true;
    for (; rest > 0; rest -= count) {
        if (!read_word(reader, &word) || !is_number(&word, 0, rest, &count))
            return false;
        *good = *good && count > 0;
        if (count <= 0)
            break;
        if (!read_answer(reader, rule, &answer, good))
            return false;
        if (*good)
            decide_next(batch, rule, &answer, count, &position);
    }
    return true;
}

bool
redis_batch_decode(struct redis_batch *batch, const char *reply, size_t bytes, unsigned *foreign)
{
    struct reader reader = {.at = reply, .end = reply + bytes, .more = bytes > 0};
    bool good;

    for (uint32_t i = 0; i < batch->group_count; i++) {
        if (!read_group(batch, &batch->groups[i], &reader, &good))
            return false;
        *foreign += !good;
    }
    return !reader.more;
}
