/*
 * redis_batch: what is sent for whom, who gets which answer, and that no reply whatever makes it answer
 * anyone twice.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "number.h"
#include "random_numbers.h"
#include "redis_batch.h"
#include "suite.h"
#include "take_script.h"

#define ASKED_MAX 600

struct asked {
    struct store_request request;
    struct client client;
    int answers; /* how often the callback ran */
    enum store_status status;
};

static struct redis_batch *batch;
static struct asked asked[ASKED_MAX];
static struct limit bucket[1];                  /* 3, one a second */
static struct limit pair[2];                    /* sliding_window_counter 100/1m, sliding_window 10/1s */
static struct limit many[40][STORE_LIMITS_MAX]; /* rules of eight windows */
static char rule_name[256] = "r";

static void
set_up(void)
{
    batch = redis_batch_new();
    ck_assert_ptr_nonnull(batch);
    ck_assert_int_eq(limit_init_token_bucket(&bucket[0], 3, 1, US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&pair[0], SLIDING_WINDOW_COUNTER, 100, 60 * US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&pair[1], SLIDING_WINDOW, 10, US_PER_S), LIMIT_OK);
    for (int rule = 0; rule < 40; rule++)
        for (int i = 0; i < STORE_LIMITS_MAX; i++)
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
    one->request.subject = (struct store_subject){.client = &one->client,
                                                  .rule = rule_name,
                                                  .rule_id = rule_id,
                                                  .limits = limits,
                                                  .limit_count = limit_count};
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

/* Encoding. */

START_TEST(a_request_is_these_bytes)
{
    char expected[512];

    ck_assert(ask(0, "ip=10.0.0.1", bucket, 1, 2));
    ck_assert(redis_batch_encode(batch));
    snprintf(expected, sizeof(expected),
             "*15\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$1\r\n1\r\n$%zu\r\n%s\r\n"
             "$1\r\n0\r\n$1\r\n1\r\n$1\r\n1\r\n$12\r\ntoken_bucket\r\n$1\r\n3\r\n$7\r\n1000000\r\n$1\r\n1\r\n"
             "$1\r\n1\r\n$1\r\n2\r\n$1\r\n1\r\n$1\r\n1\r\n",
             take_script_sha1, strlen("rl:{ip=10.0.0.1}:r:0:b1s"), "rl:{ip=10.0.0.1}:r:0:b1s");
    ck_assert_uint_eq(batch->command_bytes, strlen(expected));
    ck_assert_mem_eq(batch->command, expected, batch->command_bytes);
}
END_TEST

START_TEST(equal_requests_are_one_entry_with_a_count)
{
    ck_assert(ask(0, "a", bucket, 1, 1));
    ck_assert(ask(1, "b", bucket, 1, 1));
    ck_assert(ask(2, "a", bucket, 1, 1));
    ck_assert(ask(3, "a", pair, 2, 1));
    ck_assert(ask(4, "a", bucket, 1, 1));
    ck_assert(ask(5, "a", bucket, 1, 2));
    ck_assert_str_eq(
        encoded(),
        "EVALSHA SCRIPT 5 rl:{a}:r:0:b1s rl:{b}:r:0:b1s rl:{a}:r:0:c1m rl:{a}:r:1:w1s rl:{a}:r:0:b1s "
        "1 2 " BUCKET " " PAIR " 1 1 3 1 1 1 1 1 2 1 1 1 1 2 1 1");
}
END_TEST

START_TEST(a_request_of_another_cost_is_not_overtaken)
{
    ck_assert(ask(0, "a", bucket, 1, 1));
    ck_assert(ask(1, "a", bucket, 1, 2));
    ck_assert(ask(2, "a", bucket, 1, 1));
    ck_assert(ask(3, "a", bucket, 1, 1));
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 3 rl:{a}:r:0:b1s rl:{a}:r:0:b1s rl:{a}:r:0:b1s 1 1 " BUCKET
                                " 1 1 1 1 1 2 1 1 1 1 2 1");
}
END_TEST

START_TEST(the_text_of_the_script_goes_with_the_same_arguments)
{
    size_t bytes;
    char *command, expected[512];

    ck_assert(ask(0, "a", bucket, 1, 1));
    snprintf(expected, sizeof(expected), "EVAL %s", encoded() + strlen("EVALSHA "));
    command = redis_batch_encode_eval(batch, &bytes);
    ck_assert_ptr_nonnull(command);
    ck_assert_str_eq(words_of(command, bytes), expected);
    ck_assert_ptr_nonnull(memmem(command, bytes, take_script_text, take_script_bytes));
    free(command);
}
END_TEST

START_TEST(who_was_removed_is_not_sent)
{
    for (int i = 0; i < 6; i++)
        ck_assert(ask(i, i % 2 ? "b" : "a", bucket, 1, 1)); /* a b a b a b */
    redis_batch_remove(&asked[1].request);
    redis_batch_remove(&asked[2].request);
    redis_batch_remove(&asked[3].request);
    redis_batch_remove(&asked[5].request);
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 2 1");
    ck_assert_uint_eq(batch->live, 2);
    /* And neither when the command could not be sent and is made once more. */
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 2 1");
    ck_assert(ask(6, "b", bucket, 1, 1));
    ck_assert_str_eq(encoded(),
                     "EVALSHA SCRIPT 2 rl:{a}:r:0:b1s rl:{b}:r:0:b1s 1 1 " BUCKET " 1 1 2 1 1 1 1 1");
    ck_assert_int_eq(answered(7, STORE_DONE) + answered(7, STORE_UNAVAILABLE), 0);
}
END_TEST

/* Whoever was removed or answered may be somebody else by the time that the command is made. */
static void
reuse(int number)
{
    memset(&asked[number].request, 0xee, sizeof(asked[number].request));
    asked[number].client.bytes = (size_t)sprintf(asked[number].client.text, "somebody_else");
}

START_TEST(a_removed_request_is_never_looked_at_again)
{
    for (int i = 0; i < 3; i++)
        ck_assert(ask(i, "a", bucket, 1, 1));
    for (int i = 0; i < 2; i++) {
        redis_batch_remove(&asked[i].request);
        reuse(i);
    }
    ck_assert(ask(3, "a", bucket, 1, 1));
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 2 1");
}
END_TEST

START_TEST(an_expired_request_is_never_looked_at_again)
{
    int64_t next_us = 0;

    for (int i = 0; i < 3; i++)
        ck_assert(ask(i, "a", bucket, 1, 1)); /* deadlines 1000, 1001, 1002 */
    ck_assert_uint_eq(redis_batch_expire(batch, 1001, &next_us), 2);
    ck_assert_int_eq(next_us, 1002);
    reuse(0);
    reuse(1);
    ck_assert(ask(3, "a", bucket, 1, 1));
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 2 1");
}
END_TEST

/* A rule that lives no longer than its requests wait, as a limiter of the library may. */
static struct limit *
short_lived_limit(int64_t requests)
{
    struct limit *limit = malloc(sizeof(*limit));

    ck_assert_ptr_nonnull(limit);
    ck_assert_int_eq(limit_init_window(limit, FIXED_WINDOW, requests, US_PER_S), LIMIT_OK);
    return limit;
}

START_TEST(a_rule_may_be_freed_before_its_batch_is_sent)
{
    struct limit *limit = short_lived_limit(7);

    ck_assert(ask_as(0, "a", 1, limit, 1, 1));
    redis_batch_remove(&asked[0].request);
    free(limit);
    ck_assert(ask(1, "a", bucket, 1, 1));
    ck_assert_str_eq(encoded(),
                     "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 1 2 1 fixed_window 7 1000000 1 " BUCKET " 2 1 1 1");
}
END_TEST

START_TEST(a_rule_may_be_freed_before_its_reply_comes)
{
    struct limit *limit = short_lived_limit(7);
    unsigned foreign = 0;

    ck_assert(ask_as(0, "a", 1, limit, 1, 1));
    ck_assert(ask(1, "b", bucket, 1, 1));
    encoded();
    redis_batch_remove(&asked[0].request);
    free(limit);
    ck_assert(decode("1 1 6 0 5 1 1 2 0 9", 19, &foreign));
    ck_assert_int_eq(answered(2, STORE_DONE), 1);
}
END_TEST

START_TEST(a_rule_is_not_taken_for_the_one_that_had_its_memory)
{
    struct limit reused;

    ck_assert_int_eq(limit_init_window(&reused, FIXED_WINDOW, 7, US_PER_S), LIMIT_OK);
    ck_assert(ask_as(0, "a", 1, &reused, 1, 1));
    ck_assert_int_eq(limit_init_window(&reused, FIXED_WINDOW, 9, US_PER_S), LIMIT_OK);
    ck_assert(ask_as(1, "a", 2, &reused, 1, 1));
    ck_assert_str_eq(encoded(),
                     "EVALSHA SCRIPT 2 rl:{a}:r:0:f1s rl:{a}:r:0:f1s 1 2 1 fixed_window 7 1000000 1 "
                     "1 fixed_window 9 1000000 1 1 1 1 1 2 1 1 1");
}
END_TEST

START_TEST(a_reset_deletes_every_key_of_the_subject)
{
    static const char expected[] = "*3\r\n$3\r\nDEL\r\n$14\r\nrl:{a}:r:0:c1m\r\n$14\r\nrl:{a}:r:1:w1s\r\n";

    ck_assert(ask(0, "a", pair, 2, 0));
    ck_assert(redis_batch_encode_reset(batch));
    ck_assert_uint_eq(batch->command_bytes, strlen(expected));
    ck_assert_mem_eq(batch->command, expected, strlen(expected));
    redis_batch_decide_reset(batch);
    ck_assert_uint_eq(redis_batch_answer(batch), 0);
    ck_assert_int_eq(answered(1, STORE_DONE), 1);
    redis_batch_answer(batch);
    ck_assert_int_eq(asked[0].answers, 1);
}
END_TEST

START_TEST(a_reset_that_was_given_up_is_answered_to_nobody)
{
    ck_assert(ask(0, "a", pair, 2, 0));
    ck_assert(redis_batch_encode_reset(batch));
    redis_batch_remove(&asked[0].request);
    redis_batch_decide_reset(batch);
    redis_batch_answer(batch);
    ck_assert_int_eq(asked[0].answers, 0);
}
END_TEST

/* Bounds. */

START_TEST(a_batch_takes_so_many_requests)
{
    char client[16];

    for (int i = 0; i < BATCH_REQUESTS; i++) {
        sprintf(client, "c%d", i % 200);
        ck_assert(ask(i, client, bucket, 1, 1));
    }
    ck_assert(!ask(BATCH_REQUESTS, "c0", bucket, 1, 1));
    ck_assert_uint_eq(batch->live, BATCH_REQUESTS);
    ck_assert_uint_eq(batch->entry_count, 200);
    encoded();
}
END_TEST

/* Adds requests, of a client each, until the batch is full; returns how many. */
static int
fill(const char *prefix, const struct limit *limits, uint32_t limit_count, int64_t cost)
{
    char client[16];

    for (int i = 0;; i++) {
        sprintf(client, "%s%d", prefix, i);
        if (!ask(batch->request_count, client, limits, limit_count, cost))
            return i;
    }
}

START_TEST(a_batch_takes_so_many_limits)
{
    ck_assert_int_eq(fill("c", many[0], STORE_LIMITS_MAX, 1),
                     BATCH_WORK / (STORE_LIMITS_MAX * (int)limit_work(&many[0][0], 1)));
    ck_assert_int_eq(fill("new", bucket, 1, 1), 0);
    encoded();
}
END_TEST

START_TEST(a_sliding_window_takes_more_of_a_batch_and_a_larger_cost_more_still)
{
    const struct limit *counter = &pair[0], *sliding = &pair[1];

    ck_assert_int_gt(limit_work(sliding, 1), 5 * limit_work(counter, 1));
    ck_assert_int_gt(limit_work(sliding, 2), limit_work(sliding, 1));
    for (int64_t cost = 0; cost <= 3; cost++) {
        redis_batch_clear(batch);
        ck_assert_int_eq(fill("c", sliding, 1, cost), BATCH_WORK / (int)limit_work(sliding, cost));
        redis_batch_clear(batch);
        ck_assert_int_eq(fill("c", pair, 2, cost),
                         BATCH_WORK / (int)(limit_work(sliding, cost) + limit_work(counter, cost)));
    }
}
END_TEST

START_TEST(one_more_of_a_row_of_equal_requests_takes_little)
{
    int64_t first = STORE_LIMITS_MAX * limit_work(&many[0][0], 1);
    int count = 1 + (int)(BATCH_WORK - first) / STORE_LIMITS_MAX;

    for (int i = 0; i < count; i++)
        ck_assert(ask(i, "c", many[0], STORE_LIMITS_MAX, 1));
    ck_assert(!ask(count, "c", many[0], STORE_LIMITS_MAX, 1));
    ck_assert_uint_eq(batch->entry_count, 1);
    encoded();
}
END_TEST

START_TEST(a_batch_takes_so_many_rules)
{
    for (int i = 0; i < BATCH_RULES; i++)
        ck_assert(ask(i, "a", many[i], 1, 1));
    ck_assert(!ask(BATCH_RULES, "a", many[BATCH_RULES], 1, 1));
    ck_assert(ask(BATCH_RULES, "b", many[0], 1, 1));
    ck_assert_uint_eq(batch->rule_count, BATCH_RULES);
    encoded();
}
END_TEST

/* The longest of everything at once: the command's room is asserted by the encoder itself. */
START_TEST(the_largest_batch_fits_its_command)
{
    char client[CLIENT_BYTES + 1];

    memset(client, 'c', CLIENT_BYTES);
    client[CLIENT_BYTES] = '\0';
    memset(rule_name, 'r', 255);
    for (int i = 0;
         i < BATCH_REQUESTS && ask(i, client, many[i % BATCH_RULES], STORE_LIMITS_MAX, NUMBER_EXACT_MAX);)
        i++;
    encoded();
    redis_batch_clear(batch);
    for (int i = 0; i < BATCH_REQUESTS && ask(i, client, many[i % BATCH_RULES], 1, NUMBER_EXACT_MAX - i);)
        i++;
    encoded();
    redis_batch_clear(batch);
    for (int i = 0; i < BATCH_REQUESTS; i++) {
        sprintf(client, "%0*d", CLIENT_BYTES, i);
        ck_assert(ask(i, client, many[0], 1, NUMBER_EXACT_MAX));
    }
    encoded();
    ck_assert_uint_eq(batch->entry_count, BATCH_REQUESTS);
}
END_TEST

START_TEST(a_cleared_batch_is_as_a_new_one)
{
    unsigned foreign = 0;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20; i++)
            ck_assert(ask(i, i % 3 ? "a" : "b", bucket, 1, 1));
        redis_batch_remove(&asked[7].request);
        ck_assert_str_eq(encoded(),
                         "EVALSHA SCRIPT 2 rl:{b}:r:0:b1s rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 7 1 1 1 12 1");
        ck_assert(decode("7 1 0 0 5 12 0 0 9 9", 20, &foreign));
        ck_assert_int_eq(answered(20, STORE_DONE), 19);
        redis_batch_clear(batch);
    }
}
END_TEST

/* Decoding. */

/* a b a c a: the bucket for a and b, the pair for c. */
static void
ask_five(void)
{
    ck_assert(ask(0, "a", bucket, 1, 1));
    ck_assert(ask(1, "b", bucket, 1, 1));
    ck_assert(ask(2, "a", bucket, 1, 1));
    ck_assert(ask(3, "c", pair, 2, 1));
    ck_assert(ask(4, "a", bucket, 1, 1));
    ck_assert(redis_batch_encode(batch));
}

#define REPLY_A "1 1 0 0 3000000 2 0 0 1000000 3000000"
#define REPLY_B "1 1 2 0 1000000"
#define REPLY_C "1 1 99 0 120000000 0 0 -1 7"
#define REPLY   REPLY_A " " REPLY_B " " REPLY_C

static void
check_answer(int number, int limit, bool allowed, int64_t remaining, int64_t retry_after_us,
             int64_t reset_after_us)
{
    const struct decision *decision = &asked[number].request.decisions[limit];

    ck_assert_msg(asked[number].answers == 1 && asked[number].status == STORE_DONE, "request %d", number);
    ck_assert_msg(decision->allowed == allowed && decision->remaining == remaining &&
                      decision->retry_after_us == retry_after_us &&
                      decision->reset_after_us == reset_after_us,
                  "request %d: %d %" PRId64 " %" PRId64 " %" PRId64, number, decision->allowed,
                  decision->remaining, decision->retry_after_us, decision->reset_after_us);
}

START_TEST(each_gets_its_own_answer_in_the_order_of_arrival)
{
    unsigned foreign = 0;

    ask_five();
    ck_assert(decode(REPLY, strlen(REPLY), &foreign));
    check_answer(0, 0, true, 0, 0, 3000000);
    check_answer(2, 0, false, 0, 1000000, 3000000);
    check_answer(4, 0, false, 0, 1000000, 3000000);
    check_answer(1, 0, true, 2, 0, 1000000);
    check_answer(3, 0, true, 99, 0, 120000000);
    check_answer(3, 1, false, 0, RETRY_NEVER, 7);
    ck_assert(asked[0].request.allowed && !asked[2].request.allowed && !asked[3].request.allowed);
    ck_assert_int_eq(asked[3].request.decisions[0].limit, 100);
    ck_assert_int_eq(asked[3].request.decisions[1].limit, 10);
    ck_assert_uint_eq(foreign, 0);
    ck_assert_uint_eq(batch->live, 0);
}
END_TEST

START_TEST(who_left_after_the_sending_leaves_his_answer_to_nobody)
{
    unsigned foreign = 0;

    ask_five();
    redis_batch_remove(&asked[0].request);
    redis_batch_remove(&asked[3].request);
    ck_assert(decode(REPLY, strlen(REPLY), &foreign));
    ck_assert_int_eq(answered(5, STORE_DONE), 3);
    check_answer(2, 0, false, 0, 1000000, 3000000);
    check_answer(4, 0, false, 0, 1000000, 3000000);
    ck_assert_int_eq(asked[0].answers + asked[3].answers, 0);
}
END_TEST

START_TEST(who_expired_after_the_sending_gets_nothing_more)
{
    unsigned foreign = 0;
    int64_t next_us = 0;

    ask_five();
    ck_assert_uint_eq(redis_batch_expire(batch, 1002, &next_us), 3);
    ck_assert_int_eq(next_us, 1003);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 3);
    ck_assert(decode(REPLY, strlen(REPLY), &foreign));
    ck_assert_int_eq(answered(5, STORE_DONE), 2);
    check_answer(4, 0, false, 0, 1000000, 3000000);
}
END_TEST

START_TEST(a_foreign_key_is_no_answer_to_those_who_share_it)
{
    unsigned foreign = 0;

    ask_five();
    ck_assert(decode("0 " REPLY_B " 0", strlen("0 " REPLY_B " 0"), &foreign));
    ck_assert_uint_eq(foreign, 2);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 4);
    check_answer(1, 0, true, 2, 0, 1000000);
}
END_TEST

static const char *const bad_replies[] = {
    "",
    " ",
    "OK",
    " " REPLY,
    REPLY " ",
    REPLY " 1",
    REPLY " 0",
    REPLY_A "  " REPLY_B " " REPLY_C,
    REPLY_A "\t" REPLY_B " " REPLY_C,
    REPLY_A " " REPLY_B,
    "4 1 2 0 1000000",              /* more than were asked */
    "-1 1 2 0 1000000",             /* fewer than none */
    "18446744073709551617 1 2 0 1", /* 1, modulo 2^64 */
    "00000000000000001 1 2 0 1",    /* seventeen digits, though 1 */
    "1.0 1 2 0 1",
    "0x1 1 2 0 1",
    "+1 1 2 0 1",
    "- 1 2 0 1",
    "1 1 0 0 3000000 3 0 0 1 3000000", /* one too many of what is left */
    "nan inf -inf nil",
};

START_TEST(what_is_no_reply_answers_nobody_twice)
{
    unsigned foreign = 0;
    const char *reply = bad_replies[_i];
    char *copy = malloc(strlen(reply) + 1); /* an own one, so that a read past its end is seen */

    ask_five();
    memcpy(copy, reply, strlen(reply));
    ck_assert_msg(!decode(copy, strlen(reply), &foreign), "\"%s\"", reply);
    redis_batch_answer(batch);
    ck_assert_int_eq(answered(5, STORE_DONE) + answered(5, STORE_UNAVAILABLE), 5);
    ck_assert_uint_eq(batch->live, 0);
    free(copy);
}
END_TEST

/* For the bucket of 3 that a and b have; a decision's words, in the place of b's. */
static const char *const bad_decisions[] = {
    "2 2 0 1000000",              /* neither allowed nor refused */
    "-1 2 0 1000000",             /* nor is this */
    "1 4 0 1000000",              /* more remaining than the limit */
    "1 -1 0 1000000",             /* less than nothing */
    "1 2 -2 1000000",             /* only -1 means never */
    "1 2 0 -1",                   /* whole again before now */
    "1 2 0 9007199254740992",     /* beyond what Lua counts exactly */
    "1 2 0 99999999999999999999", /* twenty digits */
    "1 2 0 18446744073709551617", /* 1, modulo 2^64 */
    "1 2 99999999999999999 1",    /* seventeen */
    "1 2 0 1.5",                  /* no whole number */
    "1 2 0 1e3",
    "1 2 0 0x10",
    "1 2 0 +5",
    "1 2 - 5",
    "1 2 --1 5",
    "nan inf -inf nil",
    "-9223372036854775808 -nan 1e+20 -1e+20",
    "\n \r\n \t \"",
};

START_TEST(numbers_of_one_client_that_make_no_sense_cost_nobody_else)
{
    char reply[512];
    unsigned foreign = 0;

    ask_five();
    snprintf(reply, sizeof(reply), "%s 1 %s %s", REPLY_A, bad_decisions[_i], REPLY_C);
    ck_assert_msg(decode(reply, strlen(reply), &foreign), "\"%s\"", reply);
    ck_assert_uint_eq(foreign, 1);
    ck_assert_int_eq(answered(5, STORE_DONE), 4);
    ck_assert(asked[1].answers == 1 && asked[1].status == STORE_UNAVAILABLE);
    check_answer(4, 0, false, 0, 1000000, 3000000);
    check_answer(3, 1, false, 0, RETRY_NEVER, 7);
}
END_TEST

/* Of three folded requests the first has its decision already. */
static const char *const bad_halves[] = {
    "1 1 0 0 3000000 2 0 9 1000000 3000000",
    "1 1 0 0 3000000 1 0 9 1000000 3000000 1 0 0 1 3000000",
    "1 1 0 0 3000000 0",
};

START_TEST(what_of_a_folded_entry_makes_no_sense_fails_and_no_more)
{
    char reply[512];
    unsigned foreign = 0;

    ask_five();
    snprintf(reply, sizeof(reply), "%s %s %s", bad_halves[_i], REPLY_B, REPLY_C);
    ck_assert_msg(decode(reply, strlen(reply), &foreign), "\"%s\"", reply);
    ck_assert_uint_eq(foreign, 1);
    check_answer(0, 0, true, 0, 0, 3000000);
    check_answer(1, 0, true, 2, 0, 1000000);
    check_answer(3, 0, true, 99, 0, 120000000);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 2);
}
END_TEST

START_TEST(a_reply_cut_short_anywhere_is_none)
{
    for (size_t bytes = 0; bytes < strlen(REPLY); bytes++) {
        char *copy = malloc(bytes + 1);
        unsigned foreign = 0;

        memcpy(copy, REPLY, bytes);
        redis_batch_clear(batch);
        ask_five();
        ck_assert_msg(!decode(copy, bytes, &foreign), "%zu bytes", bytes);
        redis_batch_answer(batch);
        ck_assert_int_eq(answered(5, STORE_DONE) + answered(5, STORE_UNAVAILABLE), 5);
        free(copy);
    }
}
END_TEST

START_TEST(reading_a_reply_runs_no_callback)
{
    unsigned foreign = 0;

    ask_five();
    ck_assert(redis_batch_decode(batch, REPLY, strlen(REPLY), &foreign));
    ck_assert_int_eq(answered(5, STORE_DONE) + answered(5, STORE_UNAVAILABLE), 0);
    ck_assert_uint_eq(redis_batch_answer(batch), 0);
    ck_assert_int_eq(answered(5, STORE_DONE), 5);
}
END_TEST

static void
remove_the_others(struct store_request *request, enum store_status status)
{
    on_answer(request, status);
    for (int i = 0; i < 5; i++)
        if (asked[i].request.place != NULL) {
            redis_batch_remove(&asked[i].request);
            reuse(i);
        }
}

START_TEST(a_callback_may_remove_the_requests_that_are_still_to_be_answered)
{
    unsigned foreign = 0;

    ask_five();
    asked[1].request.callback = remove_the_others;
    ck_assert(decode(REPLY, strlen(REPLY), &foreign));
    ck_assert_int_eq(answered(5, STORE_DONE), 2);
    ck_assert(asked[0].answers == 1 && asked[1].answers == 1);
    ck_assert_uint_eq(batch->live, 0);
}
END_TEST

START_TEST(failing_answers_everyone_once)
{
    ask_five();
    redis_batch_remove(&asked[2].request);
    ck_assert_uint_eq(redis_batch_answer(batch), 4);
    ck_assert_uint_eq(redis_batch_answer(batch), 0);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 4);
}
END_TEST

START_TEST(deadlines_pass_in_order_and_at_their_microsecond)
{
    int64_t next_us = -1;

    ask_five(); /* deadlines 1000 .. 1004 */
    ck_assert_uint_eq(redis_batch_expire(batch, 999, &next_us), 0);
    ck_assert_int_eq(next_us, 1000);
    ck_assert_uint_eq(redis_batch_expire(batch, 1000, &next_us), 1);
    ck_assert_int_eq(next_us, 1001);
    redis_batch_remove(&asked[1].request);
    ck_assert_uint_eq(redis_batch_expire(batch, 1001, &next_us), 0);
    ck_assert_int_eq(next_us, 1002);
    next_us = -1;
    ck_assert_uint_eq(redis_batch_expire(batch, 5000, &next_us), 3);
    ck_assert_int_eq(next_us, -1); /* nobody is left */
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 4);
    ck_assert_uint_eq(batch->live, 0);
}
END_TEST

/* Adds, leaves, expiries and encodings in any order; then a reply for what was sent. */
START_TEST(whatever_happens_everyone_is_answered_once_or_gone)
{
    uint64_t random = (uint64_t)_i + 1;
    static char reply[BATCH_REQUESTS * 32];

    for (int round = 0; round < 300; round++) {
        int count = 1 + (int)random_below(&random, 60), gone = 0;
        int64_t next_us, now_us = 1000;
        unsigned foreign = 0;
        size_t bytes = 0;

        redis_batch_clear(batch);
        for (int i = 0; i < count; i++) {
            char client[2] = {(char)('a' + random_below(&random, 5)), '\0'};
            int other = (int)random_below(&random, (uint64_t)i + 1);

            if (!ask(i, client, bucket, 1, (int64_t)random_below(&random, 2)))
                ck_abort_msg("there was room");
            if (random_below(&random, 3) == 0 && asked[other].request.place != NULL) {
                redis_batch_remove(&asked[other].request);
                gone++;
            }
            if (random_below(&random, 10) == 0) {
                redis_batch_expire(batch, now_us, &next_us);
                now_us += (int64_t)random_below(&random, 5);
            }
            if (random_below(&random, 10) == 0)
                encoded();
        }
        encoded();
        for (unsigned i = 0; i < batch->entry_count; i++)
            if (batch->entries[i].count > 0)
                bytes +=
                    (size_t)sprintf(reply + bytes, "%s%u 1 1 0 0", bytes ? " " : "", batch->entries[i].count);
        if (!redis_batch_decode(batch, reply, bytes, &foreign) || redis_batch_answer(batch) > 0)
            ck_abort_msg("round %d: %s", round, reply);
        if (answered(count, STORE_DONE) + answered(count, STORE_UNAVAILABLE) + gone != count)
            ck_abort_msg("round %d: of %d requests %d are gone", round, count, gone);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis_batch");
    TCase *tests = tcase_create("redis_batch");

    tcase_set_timeout(tests, 60); /* for a busy machine */
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_request_is_these_bytes);
    tcase_add_test(tests, equal_requests_are_one_entry_with_a_count);
    tcase_add_test(tests, a_request_of_another_cost_is_not_overtaken);
    tcase_add_test(tests, the_text_of_the_script_goes_with_the_same_arguments);
    tcase_add_test(tests, who_was_removed_is_not_sent);
    tcase_add_test(tests, a_removed_request_is_never_looked_at_again);
    tcase_add_test(tests, an_expired_request_is_never_looked_at_again);
    tcase_add_test(tests, a_rule_may_be_freed_before_its_batch_is_sent);
    tcase_add_test(tests, a_rule_may_be_freed_before_its_reply_comes);
    tcase_add_test(tests, a_rule_is_not_taken_for_the_one_that_had_its_memory);
    tcase_add_test(tests, a_reset_deletes_every_key_of_the_subject);
    tcase_add_test(tests, a_reset_that_was_given_up_is_answered_to_nobody);
    tcase_add_test(tests, a_batch_takes_so_many_requests);
    tcase_add_test(tests, a_batch_takes_so_many_limits);
    tcase_add_test(tests, a_sliding_window_takes_more_of_a_batch_and_a_larger_cost_more_still);
    tcase_add_test(tests, one_more_of_a_row_of_equal_requests_takes_little);
    tcase_add_test(tests, a_batch_takes_so_many_rules);
    tcase_add_test(tests, the_largest_batch_fits_its_command);
    tcase_add_test(tests, a_cleared_batch_is_as_a_new_one);
    tcase_add_test(tests, each_gets_its_own_answer_in_the_order_of_arrival);
    tcase_add_test(tests, who_left_after_the_sending_leaves_his_answer_to_nobody);
    tcase_add_test(tests, who_expired_after_the_sending_gets_nothing_more);
    tcase_add_test(tests, a_foreign_key_is_no_answer_to_those_who_share_it);
    tcase_add_loop_test(tests, what_is_no_reply_answers_nobody_twice, 0, ROWS(bad_replies));
    tcase_add_loop_test(tests, numbers_of_one_client_that_make_no_sense_cost_nobody_else, 0,
                        ROWS(bad_decisions));
    tcase_add_loop_test(tests, what_of_a_folded_entry_makes_no_sense_fails_and_no_more, 0, ROWS(bad_halves));
    tcase_add_test(tests, a_reply_cut_short_anywhere_is_none);
    tcase_add_test(tests, reading_a_reply_runs_no_callback);
    tcase_add_test(tests, a_callback_may_remove_the_requests_that_are_still_to_be_answered);
    tcase_add_test(tests, failing_answers_everyone_once);
    tcase_add_test(tests, deadlines_pass_in_order_and_at_their_microsecond);
    tcase_add_loop_test(tests, whatever_happens_everyone_is_answered_once_or_gone, 0, 3);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
