#include "virtual_redis.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "redis_process.h"
#include "take_script.h"
#include "virtual_after.h"
#include "virtual_before.h"

#define KEY_BYTES 48

/* Elements of a reply. */
#define ANSWER         0
#define CALLS          1
#define FIRST_KEY_TOLD 2

struct virtual_redis {
    struct redis_process process;
    redisContext *context;
    char sha1[41];
    int64_t calls; /* of the last reply */
};

/* The words of one command. */
#define WORDS_MAX 8192
struct words {
    const char *text[WORDS_MAX];
    size_t count;
    char bytes[64 * WORDS_MAX];
    size_t used;
};

static void __attribute__((format(printf, 2, 3))) add_word(struct words *words, const char *format, ...)
{
    size_t room = sizeof(words->bytes) - words->used;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(words->bytes + words->used, room, format, arguments);
    va_end(arguments);
    assert(words->count < WORDS_MAX && length >= 0 && (size_t)length < room);
    words->text[words->count++] = words->bytes + words->used;
    words->used += (size_t)length + 1;
}

static void
write_key(char *key, size_t client, size_t state, size_t limit)
{
    snprintf(key, KEY_BYTES, "rl:{client=%zu}:rule%zu:%zu", client, state, limit);
}

static void
write_penalty_key(char *key, size_t client, size_t state)
{
    snprintf(key, KEY_BYTES, "rl:{client=%zu}:rule%zu:p", client, state);
}

/* A reply that is not an error; prints an error. */
static redisReply *
check_reply(struct virtual_redis *redis, redisReply *reply)
{
    if (reply == NULL) {
        fprintf(stderr, "redis: %s\n", redis->context->errstr);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        fprintf(stderr, "redis: %s\n", reply->str);
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

static bool
load_script(struct virtual_redis *redis)
{
    char *script;
    redisReply *reply;
    int bytes = asprintf(&script, "%s%s%s", virtual_before_text, take_script_text, virtual_after_text);

    assert(bytes > 0);
    reply = check_reply(redis, redisCommand(redis->context, "SCRIPT LOAD %b", script, (size_t)bytes));
    free(script);
    if (reply == NULL)
        return false;
    snprintf(redis->sha1, sizeof(redis->sha1), "%s", reply->str);
    freeReplyObject(reply);
    return true;
}

struct virtual_redis *
virtual_redis_new(void)
{
    struct virtual_redis *redis = calloc(1, sizeof(*redis));

    assert(redis != NULL);
    if (!redis_process_start(&redis->process)) {
        free(redis);
        return NULL;
    }
    redis->context = redisConnectUnix(redis->process.socket);
    if (redis->context == NULL || redis->context->err != 0 || !load_script(redis)) {
        fprintf(stderr, "redis: no script can be run\n");
        virtual_redis_free(redis);
        return NULL;
    }
    return redis;
}

void
virtual_redis_free(struct virtual_redis *redis)
{
    if (redis == NULL)
        return;
    if (redis->context != NULL)
        redisFree(redis->context);
    redis_process_stop(&redis->process);
    free(redis);
}

bool
virtual_redis_clear(struct virtual_redis *redis)
{
    redisReply *reply = check_reply(redis, redisCommand(redis->context, "FLUSHALL"));

    if (reply == NULL)
        return false;
    freeReplyObject(reply);
    return true;
}

static size_t
key_count(const struct virtual_rule *rule)
{
    return rule->limit_count + (rule->penalty != NULL);
}

static void
add_keys(struct words *words, const struct virtual_rule *rule, const struct virtual_request *request)
{
    char key[KEY_BYTES];

    for (size_t i = 0; i < rule->limit_count; i++) {
        write_key(key, request->client, rule->state, i);
        add_word(words, "%s", key);
    }
    if (rule->penalty == NULL)
        return;
    write_penalty_key(key, request->client, rule->state);
    add_word(words, "%s", key);
}

static void
add_rule(struct words *words, const struct virtual_rule *rule)
{
    const struct penalty *penalty = rule->penalty;

    add_word(words, "%zu", key_count(rule));
    for (size_t i = 0; i < rule->limit_count; i++) {
        const struct limit *limit = &rule->limits[i];
        bool bucket = limit->algorithm == TOKEN_BUCKET;

        add_word(words, "%s", algorithm_name(limit->algorithm));
        add_word(words, "%" PRId64, limit->limit);
        add_word(words, "%" PRId64, bucket ? limit->units_per_token : limit->window_us);
        add_word(words, "%" PRId64, bucket ? limit->units_per_us : limit->tick_us);
    }
    if (penalty == NULL)
        return;
    add_word(words, "penalty");
    add_word(words, "%" PRId64, penalty->after);
    add_word(words, "%" PRId64, penalty->within_us);
    add_word(words, "%" PRId64, penalty->for_us);
    add_word(words, "%" PRId64, penalty->growth);
    add_word(words, "%" PRId64, penalty->up_to_us);
}

/* The rules' arguments are sent once. */
static bool
is_alike(const struct virtual_request *a, const struct virtual_request *b)
{
    return a->rule == b->rule && a->cost == b->cost && a->count == b->count;
}

static bool
same_keys(const struct virtual_batch *batch, size_t a, size_t b)
{
    return batch->rules[batch->requests[a].rule].state == batch->rules[batch->requests[b].rule].state &&
           batch->requests[a].client == batch->requests[b].client;
}

static bool
has_repeats(const struct virtual_batch *batch)
{
    for (size_t i = 0; i < batch->request_count; i++)
        for (size_t k = 0; k < i; k++)
            if (same_keys(batch, i, k))
                return true;
    return false;
}

bool
virtual_redis_send(struct virtual_redis *redis, const struct virtual_batch *batch)
{
    static struct words words;
    size_t keys = 0;

    words.count = words.used = 0;
    for (size_t i = 0; i < batch->request_count; i++)
        keys += key_count(&batch->rules[batch->requests[i].rule]);
    add_word(&words, "EVALSHA");
    add_word(&words, "%s", redis->sha1);
    add_word(&words, "%zu", keys);
    for (size_t i = 0; i < batch->request_count; i++)
        add_keys(&words, &batch->rules[batch->requests[i].rule], &batch->requests[i]);
    add_word(&words, "%d", has_repeats(batch));
    add_word(&words, "%zu", batch->rule_count);
    for (size_t i = 0; i < batch->rule_count; i++)
        add_rule(&words, &batch->rules[i]);
    for (size_t i = 0, run; i < batch->request_count; i += run) {
        const struct virtual_request *request = &batch->requests[i];

        for (run = 1; i + run < batch->request_count && is_alike(request, request + run);)
            run++;
        add_word(&words, "%zu", request->rule + 1);
        add_word(&words, "%" PRId64, request->cost);
        add_word(&words, "%" PRId64, request->count);
        add_word(&words, "%zu", run);
    }
    add_word(&words, "%" PRId64, batch->now_us);
    return redisAppendCommandArgv(redis->context, (int)words.count, words.text, NULL) == REDIS_OK;
}

static int64_t
read_number(const char **text)
{
    char *end;
    int64_t number = strtoll(*text, &end, 10);

    if (end == *text || (*end != ' ' && *end != '\0'))
        return INT64_MIN;
    *text = end;
    return number;
}

/* What a request must have left behind. */
struct outcome {
    bool spent;
    int64_t ttl_ms[VIRTUAL_LIMITS_MAX];
    int64_t penalty_us;
};

/* Reads the groups of one request's equal decisions, and repeats each as often as it holds. */
static bool
read_request(const char **text, const struct virtual_rule *rule, const struct virtual_request *request,
             struct decision *decisions, int64_t *penalties_us, struct outcome *outcome)
{
    *outcome = (struct outcome){.spent = false};
    for (int64_t done = 0; done < request->count;) {
        struct decision group[VIRTUAL_LIMITS_MAX];
        int64_t alike = read_number(text);
        bool all = true;

        if (alike < 1 || alike > request->count - done)
            return false;
        for (size_t i = 0; i < rule->limit_count; i++) {
            int64_t allowed = read_number(text);

            group[i].allowed = allowed == 1;
            group[i].limit = rule->limits[i].limit;
            group[i].remaining = read_number(text);
            group[i].retry_after_us = read_number(text);
            group[i].reset_after_us = read_number(text);
            if (allowed < 0 || allowed > 1 || group[i].reset_after_us < 0)
                return false;
            outcome->ttl_ms[i] = us_to_ms_up(group[i].reset_after_us);
            all = all && group[i].allowed;
        }
        outcome->penalty_us = rule->penalty != NULL ? read_number(text) : 0;
        if (outcome->penalty_us < 0)
            return false;
        if (outcome->penalty_us > 0)
            penalty_apply(group, (uint32_t)rule->limit_count, outcome->penalty_us);
        all = all && outcome->penalty_us == 0;
        for (; alike > 0; alike--, done++) {
            memcpy(decisions + (size_t)done * rule->limit_count, group, rule->limit_count * sizeof(group[0]));
            penalties_us[done] = outcome->penalty_us;
        }
        outcome->spent = outcome->spent || (all && request->cost > 0);
    }
    return true;
}

/* Whether the elements at `told` are this key, with this TTL. */
static bool
tells(const redisReply *reply, size_t told, const char *key, int64_t ttl_ms)
{
    return told + 1 < reply->elements && strcmp(reply->element[told]->str, key) == 0 &&
           reply->element[told + 1]->integer == ttl_ms;
}

/*
 * Whether a request has written its key `key`, or must have. It must where it spent something. Another may:
 * the first of its keys in the batch lets expire what has expired, and after a change of the limit a later
 * one may find its state too far ahead of the clock. It did where the key has more writes left than spends,
 * and the next one is its own.
 */
static bool
has_written(const struct virtual_batch *batch, const struct outcome *outcomes, size_t request,
            const char *key, int64_t ttl_ms, const redisReply *reply, size_t told)
{
    size_t spends = 0, writes = 0;

    if (outcomes[request].spent)
        return true;
    for (size_t i = request + 1; i < batch->request_count; i++)
        spends += same_keys(batch, i, request) && outcomes[i].spent;
    for (size_t i = told; i < reply->elements; i += 2)
        writes += strcmp(reply->element[i]->str, key) == 0;
    return writes > spends && tells(reply, told, key, ttl_ms);
}

/* The elements at `told` that are about the request's penalty, if it was written: its key and a TTL that is
   not shorter than the penalty's rest. */
static size_t
tells_penalty(const struct virtual_batch *batch, const struct outcome *outcome, size_t request,
              const redisReply *reply, size_t told)
{
    const struct virtual_rule *rule = &batch->rules[batch->requests[request].rule];
    char key[KEY_BYTES];

    if (rule->penalty == NULL || told + 1 >= reply->elements)
        return 0;
    write_penalty_key(key, batch->requests[request].client, rule->state);
    return strcmp(reply->element[told]->str, key) == 0 &&
                   reply->element[told + 1]->integer >= us_to_ms_up(outcome->penalty_us)
               ? 2
               : 0;
}

/* The reply's elements after the answer and the number of calls are the keys that were written, in order,
   each with its TTL; 0: deleted. */
static bool
check_ttls(const struct virtual_batch *batch, const struct outcome *outcomes, const redisReply *reply)
{
    size_t told = FIRST_KEY_TOLD;

    for (size_t r = 0; r < batch->request_count; r++) {
        const struct virtual_rule *rule = &batch->rules[batch->requests[r].rule];

        for (size_t i = 0; i < rule->limit_count; i++) {
            char key[KEY_BYTES];

            write_key(key, batch->requests[r].client, rule->state, i);
            if (!has_written(batch, outcomes, r, key, outcomes[r].ttl_ms[i], reply, told))
                continue;
            if (!tells(reply, told, key, outcomes[r].ttl_ms[i])) {
                fprintf(stderr, "%s: not written with a TTL of %" PRId64 " ms by request %zu\n", key,
                        outcomes[r].ttl_ms[i], r);
                return false;
            }
            told += 2;
        }
        told += tells_penalty(batch, &outcomes[r], r, reply, told);
    }
    return told == reply->elements;
}

bool
virtual_redis_receive(struct virtual_redis *redis, const struct virtual_batch *batch,
                      struct decision *decisions, int64_t *penalties_us)
{
    struct outcome outcomes[VIRTUAL_REQUESTS_MAX];
    void *received = NULL;
    const char *text;
    redisReply *reply;
    bool read = true;

    redisGetReply(redis->context, &received);
    reply = check_reply(redis, received);
    if (reply == NULL)
        return false;
    text = reply->element[ANSWER]->str;
    redis->calls = reply->element[CALLS]->integer;
    for (size_t i = 0; read && i < batch->request_count; i++) {
        const struct virtual_request *request = &batch->requests[i];
        const struct virtual_rule *rule = &batch->rules[request->rule];

        read = read_request(&text, rule, request, decisions, penalties_us, &outcomes[i]);
        decisions += (size_t)request->count * rule->limit_count;
        penalties_us += request->count;
    }
    read = read && *text == '\0' && check_ttls(batch, outcomes, reply);
    if (!read)
        fprintf(stderr, "redis: not the expected answer: %s\n", reply->element[ANSWER]->str);
    freeReplyObject(reply);
    return read;
}

int64_t
virtual_redis_calls(const struct virtual_redis *redis)
{
    return redis->calls;
}

int64_t
virtual_redis_list_length(struct virtual_redis *redis, size_t client)
{
    char key[KEY_BYTES];
    redisReply *reply;
    int64_t length;

    write_key(key, client, 0, 0);
    reply = check_reply(redis, redisCommand(redis->context, "LLEN %s", key));
    if (reply == NULL)
        return -1;
    length = reply->integer;
    freeReplyObject(reply);
    return length;
}
