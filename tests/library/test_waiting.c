/*
 * Decisions of the library, in memory and in Redis: the same answers, by any number of threads, and each of them in bounded
 * time, whatever happens to Redis.
 */
#include <check.h>
#include <dirent.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ratelimit.h>

#include "redis_process.h"
#include "suite.h"

#define HOUR_MS  (INT64_C(3600) * 1000)
#define DAY_MS   (24 * HOUR_MS)
#define MEMORY   0
#define REDIS    1
#define TRIES_MS 20000 /* until something that must happen soon is held to be late */

static struct redis_process server;
static struct ratelimit_error error;

static struct ratelimit_store *
open_redis(const struct ratelimit_store_options *options)
{
    char url[128];
    struct ratelimit_store *store;

    snprintf(url, sizeof(url), "unix://%s?db=1", server.socket);
    store = ratelimit_store_open(url, options, &error);
    ck_assert_msg(store != NULL, "%s", error.text);
    return store;
}

/* A busy machine is no reason to fail: where it is not about deadlines there is time. */
static struct ratelimit_store *
open_store(int kind)
{
    static const struct ratelimit_store_options patient = {.timeout_ms = 10000, .connect_timeout_ms = 10000};
    struct ratelimit_store *store =
        kind == REDIS ? open_redis(&patient) : ratelimit_store_open("memory", &patient, &error);

    ck_assert_msg(store != NULL, "%s", error.text);
    return store;
}

static void
start_server(void)
{
    ck_assert(redis_process_start(&server));
}

static void
stop_server(void)
{
    redis_process_stop(&server);
}

static struct ratelimit_decision
take(struct ratelimit_limiter *limiter, const char *key, int64_t cost)
{
    struct ratelimit_decision decision;
    enum ratelimit_status status = ratelimit_take(limiter, key, cost, &decision, &error);

    ck_assert_msg(status == RATELIMIT_OK, "%s", error.text);
    ck_assert_int_eq(error.status, RATELIMIT_OK);
    ck_assert_str_eq(error.text, "");
    return decision;
}

static struct ratelimit_limiter *
limiter_of(struct ratelimit_store *store, enum ratelimit_algorithm algorithm)
{
    switch (algorithm) {
    case RATELIMIT_TOKEN_BUCKET:
        return ratelimit_token_bucket(store, "bucket", 3, 1, HOUR_MS, &error);
    case RATELIMIT_SLIDING_WINDOW:
        return ratelimit_sliding_window(store, "log", 3, DAY_MS, &error);
    case RATELIMIT_SLIDING_WINDOW_COUNTER:
        return ratelimit_sliding_window_counter(store, "counter", 3, DAY_MS, &error);
    case RATELIMIT_FIXED_WINDOW:
        return ratelimit_fixed_window(store, "fixed", 3, DAY_MS, &error);
    }
    return NULL;
}

/* _i: the store, then the algorithm. */
START_TEST(every_algorithm_counts_down_refuses_and_is_reset)
{
    struct ratelimit_store *store = open_store(_i % 2);
    struct ratelimit_limiter *limiter = limiter_of(store, (enum ratelimit_algorithm)(_i / 2));
    struct ratelimit_decision decision;

    ck_assert_msg(limiter != NULL, "%s", error.text);
    ck_assert_int_eq(take(limiter, "user_123", 0).remaining, 3);
    ck_assert_int_eq(take(limiter, "user_123", 1).remaining, 2);
    decision = take(limiter, "user_123", 2);
    ck_assert(decision.allowed);
    ck_assert_int_eq(decision.limit, 3);
    ck_assert_int_eq(decision.remaining, 0);
    ck_assert_int_eq(decision.retry_after_ms, 0);
    ck_assert_int_gt(decision.reset_after_ms, 0);
    decision = take(limiter, "user_123", 1);
    ck_assert(!decision.allowed);
    ck_assert_int_gt(decision.retry_after_ms, 0);
    ck_assert_int_le(decision.retry_after_ms, decision.reset_after_ms);
    ck_assert(!ratelimit_is_allowed(limiter, "user_123", &error));
    ck_assert_int_eq(error.status, RATELIMIT_OK);
    ck_assert(ratelimit_is_allowed(limiter, "user_124", &error));
    ck_assert_int_eq(take(limiter, "user_123", 4).retry_after_ms, RATELIMIT_NEVER);

    ck_assert_int_eq(ratelimit_reset(limiter, "user_123", &error), RATELIMIT_OK);
    ck_assert_int_eq(take(limiter, "user_123", 0).remaining, 3);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

START_TEST(several_limits_are_all_or_nothing_and_the_tightest_is_shown)
{
    const struct ratelimit_limit limits[] = {{RATELIMIT_FIXED_WINDOW, 10, DAY_MS, 0},
                                             {RATELIMIT_TOKEN_BUCKET, 2, HOUR_MS, 1}};
    struct ratelimit_store *store = open_store(_i);
    struct ratelimit_limiter *limiter = ratelimit_limiter_new(store, "both", limits, 2, &error);
    struct ratelimit_limiter *alone = ratelimit_fixed_window(store, "both", 10, DAY_MS, &error);
    struct ratelimit_decision decision;

    decision = take(limiter, "k", 2);
    ck_assert(decision.allowed);
    ck_assert_uint_eq(decision.limit_index, 1);
    ck_assert_int_eq(decision.limit, 2);
    decision = take(limiter, "k", 1);
    ck_assert(!decision.allowed);
    ck_assert_uint_eq(decision.limit_index, 1);
    /* The first limit alone has the same key: nothing of the refused cost was spent on it. */
    ck_assert_int_eq(take(alone, "k", 0).remaining, 8);
    ratelimit_limiter_free(alone);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

START_TEST(a_limiter_outlives_the_close_of_its_store)
{
    struct ratelimit_store *store = open_store(_i);
    struct ratelimit_limiter *limiter = limiter_of(store, RATELIMIT_FIXED_WINDOW);

    ratelimit_store_close(store);
    ck_assert_int_eq(take(limiter, "late", 1).remaining, 2);
    ratelimit_limiter_free(limiter);
}
END_TEST

/* Threads. */

#define THREADS 8
#define EACH    100

static void *
take_often(void *arg)
{
    struct ratelimit_limiter *limiter = arg;
    intptr_t allowed = 0;

    for (int i = 0; i < EACH; i++) {
        struct ratelimit_error own;
        allowed += ratelimit_is_allowed(limiter, "all", &own);
        if (own.status != RATELIMIT_OK)
            return (void *)(intptr_t)-1;
    }
    return (void *)allowed;
}

START_TEST(threads_together_are_allowed_the_limit_to_the_unit)
{
    struct ratelimit_store *store = open_store(_i);
    struct ratelimit_limiter *limiter = ratelimit_fixed_window(store, "threads", 500, DAY_MS, &error);
    pthread_t threads[THREADS];
    intptr_t together = 0;

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_often, limiter), 0);
    for (int i = 0; i < THREADS; i++) {
        void *allowed;
        pthread_join(threads[i], &allowed);
        ck_assert_int_ge((intptr_t)allowed, 0);
        together += (intptr_t)allowed;
    }
    ck_assert_int_eq(together, 500);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}
END_TEST

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

START_TEST(no_signal_of_the_program_goes_to_the_stores_thread)
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
    reply = redisCommand(redis, "EXISTS %s %s", "rl:{client=user_123}:api:0", "rl:{client=a%20b}:api:0");
    ck_assert_int_eq(reply->integer, 2);
    freeReplyObject(reply);
    redisFree(redis);
    ratelimit_limiter_free(limiter);
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

START_TEST(a_redis_that_ends_leaves_nobody_waiting)
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

START_TEST(a_forked_child_is_refused_and_harms_nobody)
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
    TCase *both = tcase_create("both");
    TCase *redis = tcase_create("redis");

    tcase_add_unchecked_fixture(both, start_server, stop_server);
    tcase_add_loop_test(both, every_algorithm_counts_down_refuses_and_is_reset, 0, 8);
    tcase_add_loop_test(both, several_limits_are_all_or_nothing_and_the_tightest_is_shown, 0, 2);
    tcase_add_loop_test(both, a_limiter_outlives_the_close_of_its_store, 0, 2);
    tcase_add_loop_test(both, threads_together_are_allowed_the_limit_to_the_unit, 0, 2);
    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);

    tcase_add_unchecked_fixture(redis, start_server, stop_server);
    tcase_add_test(redis, no_signal_of_the_program_goes_to_the_stores_thread);
    tcase_add_test(redis, keys_are_those_of_the_service);
    tcase_add_test(redis, stores_of_the_same_redis_count_together);
    tcase_add_test(redis, a_frozen_redis_costs_the_timeout_and_is_used_again_when_it_thaws);
    tcase_add_test(redis, a_redis_that_ends_leaves_nobody_waiting);
    tcase_add_test(redis, a_forked_child_is_refused_and_harms_nobody);
    tcase_add_test(redis, the_log_goes_where_the_program_says);
    tcase_add_test(redis, without_a_log_nothing_is_written);
    tcase_set_timeout(redis, 60);
    suite_add_tcase(suite, redis);
    return run_suite(suite);
}
