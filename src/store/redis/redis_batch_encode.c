/*
 * From a batch to its command: RESP, written into one buffer whose size is computed beforehand.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "redis_batch.h"
#include "take_script.h"

#define SHA1_DIGITS 40

/* The longest key: "rl:{", the client, "}:", the rule, ":", the index, ":", the state. A penalty's is
   shorter. */
#define KEY_BYTES      (4 + CLIENT_BYTES + 2 + 255 + 1 + 1 + 1 + LIMIT_STATE_NAME_BYTES)
#define WORD_BYTES     32 /* of a number, with its frame */
#define PREAMBLE_BYTES 256

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

/* rl:{client}:rule: */
static char *
start_key(char key[KEY_BYTES], const struct store_subject *subject)
{
    char *end = stpcpy(key, "rl:{");

    assert(strlen(subject->rule) <= 255);
    memcpy(end, subject->client->text, subject->client->bytes);
    end = stpcpy(end + subject->client->bytes, "}:");
    end = stpcpy(end, subject->rule);
    *end++ = ':';
    return end;
}

/* A key for each limit, with its index and state, and one with a p for the penalty. */
static char *
put_keys(char *out, const struct store_subject *subject)
{
    char key[KEY_BYTES], *end, *start = start_key(key, subject);

    for (uint32_t i = 0; i < subject->limits->count; i++) {
        end = start + number_write(start, i);
        *end++ = ':';
        end += limit_state_name(&subject->limits->limits[i], end);
        out = put_word(out, key, (size_t)(end - key));
    }
    if (subject->penalty != NULL) {
        *start = 'p';
        out = put_word(out, key, (size_t)(start + 1 - key));
    }
    return out;
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

#define PENALTY_WORDS 6

static char *
put_penalty(char *out, const struct penalty *penalty)
{
    out = put_word(out, "penalty", 7);
    out = put_number(out, penalty->after);
    out = put_number(out, penalty->within_us);
    out = put_number(out, penalty->for_us);
    out = put_number(out, penalty->growth);
    return put_number(out, penalty->up_to_us);
}

static bool
has_penalty(const struct redis_batch_rule *rule)
{
    return rule->penalty.after > 0;
}

static char *
put_rule(char *out, const struct redis_batch_rule *rule)
{
    out = put_number(out, rule->limits.count + has_penalty(rule));
    for (uint32_t i = 0; i < rule->limits.count; i++)
        out = put_limit(out, &rule->limits.limits[i]);
    return has_penalty(rule) ? put_penalty(out, &rule->penalty) : out;
}

/* Unchains the group's empty slots, which are not sent; returns how many requests are left. */
static uint16_t
prune_group(struct redis_batch *batch, struct redis_batch_group *group)
{
    uint16_t count = 0, last = 0;

    for (uint16_t position = group->first, end = group->last;; position = batch->slots[position].next_equal) {
        if (batch->slots[position].request != NULL) {
            if (count == 0)
                group->first = position;
            else
                batch->slots[last].next_equal = position;
            last = position;
            count++;
        }
        if (position == end)
            break;
    }
    if (count > 0)
        group->last = last;
    return count;
}

static bool
make_room(struct redis_batch *batch)
{
    size_t room = PREAMBLE_BYTES + SHA1_DIGITS + (size_t)batch->key_count * (KEY_BYTES + WORD_BYTES) +
                  (size_t)batch->group_count * 4 * WORD_BYTES +
                  (size_t)batch->rule_count * (1 + 4 * LIMIT_SET_MAX + PENALTY_WORDS) * WORD_BYTES;
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

/* The next group after `group` with requests to send, or the first one after NULL; NULL: there is none. */
static struct redis_batch_group *
next_sent(struct redis_batch *batch, struct redis_batch_group *group)
{
    group = group ? group + 1 : batch->groups;
    while (group < batch->groups + batch->group_count && group->count == 0)
        group++;
    return group < batch->groups + batch->group_count ? group : NULL;
}

/* Of a pruned group, which has one. */
static const struct store_request *
first_of(const struct redis_batch *batch, const struct redis_batch_group *group)
{
    return batch->slots[group->first].request;
}

/* Both have the same arguments, which the command then holds once for a run of such groups. */
static bool
is_alike(const struct redis_batch *batch, const struct redis_batch_group *a,
         const struct redis_batch_group *b)
{
    return a->rule == b->rule && a->count == b->count && first_of(batch, a)->cost == first_of(batch, b)->cost;
}

/* The length of the run of alike groups from `*group` on; moves `*group` past it. */
static int64_t
skip_run(struct redis_batch *batch, struct redis_batch_group **group)
{
    const struct redis_batch_group *first = *group;
    int64_t run = 0;

    do {
        run++;
        *group = next_sent(batch, *group);
    } while (*group != NULL && is_alike(batch, first, *group));
    return run;
}

/* Counts the words of the command; returns how many of them are keys. */
static size_t
count_keys(struct redis_batch *batch)
{
    size_t keys = 0, runs = 0;
    struct redis_batch_group *group;

    for (uint32_t i = 0; i < batch->group_count; i++) {
        group = &batch->groups[i];
        group->count = prune_group(batch, group);
        if (group->count > 0)
            keys += batch->rules[group->rule].limits.count + has_penalty(&batch->rules[group->rule]);
    }
    for (group = next_sent(batch, NULL); group != NULL; skip_run(batch, &group))
        runs++;
    batch->words = 3 + keys + 2 + 4 * runs;
    for (uint32_t i = 0; i < batch->rule_count; i++)
        batch->words += 1 + 4 * (size_t)batch->rules[i].limits.count +
                        (has_penalty(&batch->rules[i]) ? PENALTY_WORDS : 0);
    return keys;
}

bool
redis_batch_encode(struct redis_batch *batch)
{
    size_t keys = count_keys(batch);
    struct redis_batch_group *group;
    char *out;

    if (!make_room(batch))
        return false;
    out = put_line(batch->command, '*', batch->words);
    out = put_word(out, "EVALSHA", 7);
    out = put_word(out, take_script_sha1, SHA1_DIGITS);
    batch->arguments = (size_t)(out - batch->command);
    out = put_number(out, (int64_t)keys);
    for (group = next_sent(batch, NULL); group != NULL; group = next_sent(batch, group))
        out = put_keys(out, &first_of(batch, group)->subject);
    out = put_number(out, batch->repeats);
    out = put_number(out, batch->rule_count);
    for (uint32_t i = 0; i < batch->rule_count; i++)
        out = put_rule(out, &batch->rules[i]);
    for (group = next_sent(batch, NULL); group != NULL;) {
        out = put_number(out, group->rule + 1);
        out = put_number(out, first_of(batch, group)->cost);
        out = put_number(out, group->count);
        out = put_number(out, skip_run(batch, &group));
    }
    batch->command_bytes = (size_t)(out - batch->command);
    assert(batch->command_bytes <= batch->command_room);
    return true;
}

bool
redis_batch_encode_reset(struct redis_batch *batch)
{
    const struct store_subject *subject = &batch->slots[0].request->subject;
    char *out;

    assert(batch->request_count == 1 && batch->live == 1);
    batch->is_reset = true;
    if (!make_room(batch))
        return false;
    out = put_line(batch->command, '*', 1 + store_key_count(subject));
    out = put_word(out, "DEL", 3);
    out = put_keys(out, subject);
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
