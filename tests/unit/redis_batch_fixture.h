/*
 * redis_batch_fixture: a batch, rules, requests that count their answers, and commands as words.
 */
#ifndef REDIS_BATCH_FIXTURE_H
#define REDIS_BATCH_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "limit_set_of.h"
#include "number.h"
#include "redis_batch.h"
#include "suite.h"

#define ASKED_MAX 600

struct asked {
    struct store_request request;
    struct client client;
    struct limit_set limits;
    int answers; /* how often the callback ran */
    enum store_status status;
};

static struct redis_batch *batch;
static struct asked asked[ASKED_MAX];
static struct limit bucket[1];               /* 3, one a second */
static struct limit pair[2];                 /* sliding_window_counter 100/1m, sliding_window 10/1s */
static struct limit many[40][LIMIT_SET_MAX]; /* rules of eight windows */
static char rule_name[256] = "r";
static const struct penalty *penalty; /* of what is asked from now on */

static void
set_up(void)
{
    batch = redis_batch_new();
    penalty = NULL;
    ck_assert_ptr_nonnull(batch);
    ck_assert_int_eq(limit_init_token_bucket(&bucket[0], 3, 1, US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&pair[0], SLIDING_WINDOW_COUNTER, 100, 60 * US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&pair[1], SLIDING_WINDOW, 10, US_PER_S), LIMIT_OK);
    for (int rule = 0; rule < 40; rule++)
        for (int i = 0; i < LIMIT_SET_MAX; i++)
            ck_assert_int_eq(
                limit_init_window(&many[rule][i], SLIDING_WINDOW_COUNTER, 1000, DURATION_MAX_US / 1000),
                LIMIT_OK);
}

static void
tear_down(void)
{
    redis_batch_free(batch);
}

static void
on_answer(struct store_request *request, enum store_status status)
{
    struct asked *one = (struct asked *)(void *)request;

    one->answers++;
    one->status = status;
}

static bool
ask_as(int number, const char *client, uint64_t rule_id, const struct limit *limits, uint32_t limit_count,
       int64_t cost)
{
    struct asked *one = &asked[number];

    *one = (struct asked){.request = {.cost = cost, .callback = on_answer}};
    one->client.bytes = (size_t)sprintf(one->client.text, "%s", client);
    one->limits = limit_set_of(rule_id, limits, limit_count);
    one->request.subject = (struct store_subject){
        .client = &one->client, .rule = rule_name, .limits = &one->limits, .penalty = penalty};
    return redis_batch_add(batch, &one->request, 1000 + number);
}

/* By one of the rules above, whose limits stay where they are. */
static bool
ask(int number, const char *client, const struct limit *limits, uint32_t limit_count, int64_t cost)
{
    return ask_as(number, client, (uintptr_t)limits, limits, limit_count, cost);
}

/* The words of a command, a space between two; the script and its digest become SCRIPT. Static. */
static const char *
words_of(const char *command, size_t bytes)
{
    static char words[400000];
    const char *at = command, *end = command + bytes;
    char *out = words, *rest;
    long count = strtol(at + 1, &rest, 10);

    ck_assert_int_eq(*at, '*');
    at = rest + 2;
    for (long i = 0; i < count; i++) {
        long length = strtol(at + 1, &rest, 10);
        ck_assert_int_eq(*at, '$');
        ck_assert_int_eq(strncmp(rest, "\r\n", 2), 0);
        at = rest + 2;
        ck_assert_int_ge(end - at, length + 2);
        ck_assert_int_eq(strncmp(at + length, "\r\n", 2), 0);
        if (i > 0)
            *out++ = ' ';
        if (i == 1)
            out += sprintf(out, "SCRIPT");
        else
            out += sprintf(out, "%.*s", (int)length, at);
        at += length + 2;
    }
    ck_assert_ptr_eq(at, end);
    return words;
}

static const char *
encoded(void)
{
    ck_assert(redis_batch_encode(batch));
    return words_of(batch->command, batch->command_bytes);
}

/* How many of the first `count` have exactly one answer, of that status. Nobody may have more. */
static int
answered(int count, enum store_status status)
{
    int sum = 0;

    for (int i = 0; i < count; i++) {
        ck_assert_int_le(asked[i].answers, 1);
        sum += asked[i].answers == 1 && asked[i].status == status;
    }
    return sum;
}

/* As the store does with a reply: first all of it is read, then who is decided is answered. */
static bool
decode(const char *reply, size_t bytes, unsigned *foreign)
{
    bool good = redis_batch_decode(batch, reply, bytes, foreign);

    redis_batch_answer(batch);
    return good;
}

#define BUCKET "1 token_bucket 3 1000000 1"
#define PAIR   "2 sliding_window_counter 100 60000000 1 sliding_window 10 1000000 1"

/* Whoever was removed or answered may be somebody else by the time that the command is made. */
static void
reuse(int number)
{
    memset(&asked[number].request, 0xee, sizeof(asked[number].request));
    asked[number].client.bytes = (size_t)sprintf(asked[number].client.text, "somebody_else");
}

#endif
