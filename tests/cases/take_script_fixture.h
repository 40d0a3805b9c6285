/*
 * take_script_fixture: a Redis that runs the script, and a connection to it, empty at the start of each test.
 */
#ifndef TAKE_SCRIPT_FIXTURE_H
#define TAKE_SCRIPT_FIXTURE_H

#include <check.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis_process.h"
#include "take_script.h"

static struct redis_process server;
static redisContext *redis;

/* A command: the words of `before`, then those of `words`, separated by spaces. */
static redisReply *
ask_with(const char *const *before, size_t before_count, const char *words)
{
    char copy[1024], *rest = copy;
    const char *command[64];
    int count = 0;
    redisReply *reply;

    while ((size_t)count < before_count) {
        command[count] = before[count];
        count++;
    }
    snprintf(copy, sizeof(copy), "%s", words);
    while (rest != NULL)
        command[count++] = strsep(&rest, " ");
    reply = redisCommandArgv(redis, count, command, NULL);
    ck_assert_msg(reply != NULL, "%s", redis->errstr);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s: %s", words, reply->str);
    return reply;
}

static redisReply *
ask(const char *words)
{
    return ask_with(NULL, 0, words);
}

static void
order(const char *words)
{
    freeReplyObject(ask(words));
}

static void
connect_and_clear(void)
{
    redis = redisConnectUnix(server.socket);
    ck_assert_ptr_nonnull(redis);
    ck_assert_msg(redis->err == 0, "%s", redis->errstr);
    order("FLUSHALL");
}

static void
disconnect(void)
{
    redisFree(redis);
}

static inline int64_t
ask_number(const char *words)
{
    redisReply *reply = ask(words);
    int64_t number = reply->integer;

    ck_assert_int_eq(reply->type, REDIS_REPLY_INTEGER);
    freeReplyObject(reply);
    return number;
}

/* Runs the script; `words` are the number of keys, the keys and the arguments. */
static void
take(char *answer, size_t bytes, const char *words)
{
    const char *const eval[] = {"EVAL", take_script_text};
    redisReply *reply = ask_with(eval, 2, words);

    ck_assert_int_eq(reply->type, REDIS_REPLY_STRING);
    snprintf(answer, bytes, "%s", reply->str);
    freeReplyObject(reply);
}

static inline void
check_take(const char *words, const char *expected)
{
    char answer[512];

    take(answer, sizeof(answer), words);
    ck_assert_msg(strcmp(answer, expected) == 0, "%s: %s; expected %s", words, answer, expected);
}

/* For main: the exit status. */
static int
run_with_redis(Suite *suite, TCase *tests)
{
    SRunner *runner;
    int failed;

    if (!redis_process_start(&server))
        return 1;
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, connect_and_clear, disconnect);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    redis_process_stop(&server);
    return failed == 0 ? 0 : 1;
}

#endif
