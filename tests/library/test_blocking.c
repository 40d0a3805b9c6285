/*
 * The store that waits for Redis: every call ends in bounded time, whatever happens to Redis, and the store's
 * thread does not disturb the program.
 */
#include <check.h>
#include <dirent.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stores.h"
#include "suite.h"

#define TRIES_MS 20000 /* until something that must happen soon is held to be late */

/* The set of signals that a thread blocks, as /proc tells it; 0 where it cannot. */
static uint64_t
blocked_by(const char *thread)
{
    char path[300], line[256];
    uint64_t blocked = 0;
    FILE *status;

    snprintf(path, sizeof(path), "/proc/self/task/%s/status", thread);
    status = fopen(path, "r");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        sscanf(line, "SigBlk: %" SCNx64, &blocked);
    if (status != NULL)
        fclose(status);
    return blocked;
}

START_TEST(the_thread_of_a_store_blocks_all_signals)
{
    const uint64_t some =
        1u << (SIGTERM - 1) | 1u << (SIGINT - 1) | 1u << (SIGUSR1 - 1) | 1u << (SIGPIPE - 1);
    struct ratelimit_store *store = open_store(REDIS);
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    int others = 0;

    ck_assert_ptr_nonnull(tasks);
    while ((task = readdir(tasks)) != NULL) {
        if (task->d_name[0] == '.' || atoi(task->d_name) == getpid())
            continue;
        others += (blocked_by(task->d_name) & some) == some;
    }
    closedir(tasks);
    ck_assert_int_ge(others, 1);
    ratelimit_store_close(store);
}
END_TEST

/* Redis. */

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

START_TEST(keys_are_those_of_the_service)
{
    struct ratelimit_store *store = open_store(REDIS);
    struct ratelimit_limiter *limiter = ratelimit_fixed_window(store, "api", 100, DAY_MS, &error);
    redisContext *redis = redisConnectUnix(server.socket);
    redisReply *reply;

    ck_assert(ratelimit_is_allowed(limiter, "user_123", &error));
    ck_assert(ratelimit_is_allowed(limiter, "a b", &error));
    freeReplyObject(redisCommand(redis, "SELECT 1"));
    reply =
        redisCommand(redis, "EXISTS %s %s", "rl:{client=user_123}:api:0:f1d", "rl:{client=a%20b}:api:0:f1d");
    ck_assert_int_eq(reply->integer, 2);
    freeReplyObject(reply);
    redisFree(redis);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

START_TEST(the_connection_has_the_name_of_the_process)
{
    struct ratelimit_store *store = open_store(REDIS);
    redisContext *redis = redisConnectUnix(server.socket);
    redisReply *reply = redisCommand(redis, "CLIENT LIST");
    char expected[64];

    snprintf(expected, sizeof(expected), " name=libratelimit-%d ", (int)getpid());
    ck_assert_msg(strstr(reply->str, expected) != NULL, "%s", reply->str);
    freeReplyObject(reply);
    redisFree(redis);
    ratelimit_store_close(store);
}
END_TEST

START_TEST(stores_of_the_same_redis_count_together)
{
    struct ratelimit_store *one = open_store(REDIS), *other = open_store(REDIS);
    struct ratelimit_limiter *here = limiter_of(one, RATELIMIT_SLIDING_WINDOW);
    struct ratelimit_limiter *there = limiter_of(other, RATELIMIT_SLIDING_WINDOW);

    ck_assert_int_eq(take(here, "shared", 2).remaining, 1);
    ck_assert_int_eq(take(there, "shared", 1).remaining, 0);
    ck_assert(!take(here, "shared", 1).allowed);
    ratelimit_limiter_free(here);
    ratelimit_limiter_free(there);
    ratelimit_store_close(one);
    ratelimit_store_close(other);
}
END_TEST

/* Asks until there is a decision again. */
static void
await_decision(struct ratelimit_limiter *limiter)
{
    int64_t late_ms = now_ms() + TRIES_MS;
    struct ratelimit_decision decision;

    while (ratelimit_take(limiter, "k", 0, &decision, &error) != RATELIMIT_OK) {
        ck_assert_int_eq(error.status, RATELIMIT_UNAVAILABLE);
        ck_assert_msg(now_ms() < late_ms, "%s", error.text);
    }
}

START_TEST(a_frozen_redis_costs_the_timeout_and_is_used_again_when_it_thaws)
{
    struct ratelimit_store *store =
        open_redis(&(struct ratelimit_store_options){.timeout_ms = 300, .connect_timeout_ms = 10000});
    struct ratelimit_limiter *limiter = limiter_of(store, RATELIMIT_TOKEN_BUCKET);
    int64_t began_ms;

    await_decision(limiter);
    kill(server.pid, SIGSTOP);
    began_ms = now_ms();
    ck_assert(!ratelimit_is_allowed(limiter, "k", &error));
    ck_assert_int_eq(error.status, RATELIMIT_UNAVAILABLE);
    ck_assert_int_ge(now_ms() - began_ms, 299);
    ck_assert_int_lt(now_ms() - began_ms, 10000);
    began_ms = now_ms();
    for (int i = 0; i < 100; i++) /* each of them would cost the timeout again */
        ck_assert(!ratelimit_is_allowed(limiter, "k", &error));
    ck_assert_int_lt(now_ms() - began_ms, 100 * 300);
    kill(server.pid, SIGCONT);
    await_decision(limiter);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

/* Its command is under way, or waits for one that is. */
START_TEST(a_limiter_may_be_freed_before_its_late_answer_comes)
{
    struct ratelimit_store *store =
        open_redis(&(struct ratelimit_store_options){.timeout_ms = 50, .connect_timeout_ms = 10000});
    struct ratelimit_limiter *other = limiter_of(store, RATELIMIT_FIXED_WINDOW);

    for (int round = 0; round < 5; round++) {
        struct ratelimit_limiter *limiter = limiter_of(store, RATELIMIT_TOKEN_BUCKET);
        await_decision(limiter);
        kill(server.pid, SIGSTOP);
        ck_assert(!ratelimit_is_allowed(limiter, "k", &error));
        ck_assert_int_eq(error.status, RATELIMIT_UNAVAILABLE);
        ratelimit_limiter_free(limiter);
        kill(server.pid, SIGCONT);
        await_decision(other);
    }
    ratelimit_limiter_free(other);
    ratelimit_store_close(store);
}
END_TEST

START_TEST(a_limiter_is_not_refused_for_another_of_its_name)
{
    struct ratelimit_store *store = open_store(REDIS);
    struct ratelimit_limiter *tight = ratelimit_fixed_window(store, "grows", 1, DAY_MS, &error);
    struct ratelimit_limiter *wide = ratelimit_fixed_window(store, "grows", 3, DAY_MS, &error);

    ck_assert(take(tight, "k", 1).allowed);
    ck_assert(!take(tight, "k", 1).allowed);
    ck_assert(take(wide, "k", 1).allowed); /* not from the memory of what the other was told */
    ck_assert(!take(tight, "k", 1).allowed);
    ratelimit_limiter_free(tight);
    ratelimit_limiter_free(wide);
    ratelimit_store_close(store);
}
END_TEST

static void *
ask_once(void *arg)
{
    struct ratelimit_error own;

    ratelimit_is_allowed(arg, "k", &own);
    return arg;
}

START_TEST(a_thread_that_is_cancelled_still_waits_for_its_answer)
{
    struct ratelimit_store *store = open_store(REDIS);
    struct ratelimit_limiter *limiter = limiter_of(store, RATELIMIT_TOKEN_BUCKET);
    pthread_t thread;
    void *result;

    kill(server.pid, SIGSTOP); /* so that it waits, cancelled */
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_once, limiter), 0);
    ck_assert_int_eq(pthread_cancel(thread), 0);
    kill(server.pid, SIGCONT);
    pthread_join(thread, &result);
    ck_assert_ptr_eq(result, limiter);
    await_decision(limiter);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

START_TEST(a_redis_that_ends_leaves_no_caller_waiting)
{
    struct ratelimit_store *store;
    struct ratelimit_limiter *limiter;
    struct redis_process own;
    char url[128];

    ck_assert(redis_process_start(&own));
    snprintf(url, sizeof(url), "unix://%s", own.socket);
    store = ratelimit_store_open(url, &(struct ratelimit_store_options){.timeout_ms = 60000}, &error);
    ck_assert_msg(store != NULL, "%s", error.text);
    limiter = limiter_of(store, RATELIMIT_TOKEN_BUCKET);
    redis_process_stop(&own);
    ck_assert(!ratelimit_is_allowed(limiter, "k", &error));
    ck_assert_int_eq(error.status, RATELIMIT_UNAVAILABLE);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

START_TEST(a_forked_child_is_refused_and_its_parent_unharmed)
{
    struct ratelimit_store *store = open_store(REDIS);
    struct ratelimit_limiter *limiter = limiter_of(store, RATELIMIT_TOKEN_BUCKET);
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct ratelimit_decision decision;
        bool refused = ratelimit_take(limiter, "k", 1, &decision, &error) == RATELIMIT_FORKED &&
                       !decision.allowed && strstr(error.text, "was opened by process") != NULL;
        ratelimit_limiter_free(limiter);
        ratelimit_store_close(store);
        _exit(refused ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(take(limiter, "forker", 1).remaining, 2);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

/* The log. */

struct heard {
    pthread_mutex_t lock;
    char lines[4096];
};

static void
hear(void *arg, enum ratelimit_log_level level, const char *line)
{
    struct heard *heard = arg;
    size_t used;

    pthread_mutex_lock(&heard->lock);
    used = strlen(heard->lines);
    snprintf(heard->lines + used, sizeof(heard->lines) - used, "%d %s\n", (int)level, line);
    pthread_mutex_unlock(&heard->lock);
}

START_TEST(the_log_goes_where_the_program_says)
{
    static struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER};
    char expected[200];

    ratelimit_log_to(hear, &heard);
    ratelimit_store_close(open_store(REDIS));
    snprintf(expected, sizeof(expected), "%d redis: connected to unix://%s?db=1", RATELIMIT_INFO,
             server.socket);
    ck_assert_msg(strstr(heard.lines, expected) != NULL, "%s", heard.lines);
}
END_TEST

START_TEST(without_a_log_nothing_is_written)
{
    const struct ratelimit_store_options brief = {.connect_timeout_ms = 30};
    FILE *written = tmpfile();
    int standard_error = dup(STDERR_FILENO);

    dup2(fileno(written), STDERR_FILENO);
    ratelimit_store_close(open_store(REDIS));
    ck_assert_ptr_null(ratelimit_store_open("redis://127.0.0.1:1", &brief, &error));
    dup2(standard_error, STDERR_FILENO);
    ck_assert_int_eq(fseek(written, 0, SEEK_END), 0);
    ck_assert_int_eq(ftell(written), 0);
    fclose(written);
    close(standard_error);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("waiting");
    TCase *tests = tcase_create("redis");

    tcase_add_unchecked_fixture(tests, start_server, stop_server);
    tcase_add_test(tests, the_thread_of_a_store_blocks_all_signals);
    tcase_add_test(tests, keys_are_those_of_the_service);
    tcase_add_test(tests, the_connection_has_the_name_of_the_process);
    tcase_add_test(tests, stores_of_the_same_redis_count_together);
    tcase_add_test(tests, a_frozen_redis_costs_the_timeout_and_is_used_again_when_it_thaws);
    tcase_add_test(tests, a_limiter_may_be_freed_before_its_late_answer_comes);
    tcase_add_test(tests, a_limiter_is_not_refused_for_another_of_its_name);
    tcase_add_test(tests, a_thread_that_is_cancelled_still_waits_for_its_answer);
    tcase_add_test(tests, a_redis_that_ends_leaves_no_caller_waiting);
    tcase_add_test(tests, a_forked_child_is_refused_and_its_parent_unharmed);
    tcase_add_test(tests, the_log_goes_where_the_program_says);
    tcase_add_test(tests, without_a_log_nothing_is_written);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
