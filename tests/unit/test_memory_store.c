/*
 * memory_store: counts are right, are kept as long as they were promised to be, and by any number of threads
 * never exceed a limit. The clock is the test's.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "algorithm.h"
#include "limit_set_of.h"
#include "memory_store.h"
#include "random_numbers.h"
#include "suite.h"

#define START_US INT64_C(1700000000000000)

static struct store *store;
static struct clock now;
static struct limit bucket;                    /* 3, one a second */
static struct limit per_minute[LIMIT_SET_MAX]; /* fixed_window: 100, 101, ... a minute */

static void
set_up(void)
{
    now = clock_fixed(START_US - START_US % (60 * US_PER_S));
    ck_assert_int_eq(limit_init_token_bucket(&bucket, 3, 1, US_PER_S), LIMIT_OK);
    for (int i = 0; i < LIMIT_SET_MAX; i++)
        ck_assert_int_eq(limit_init_window(&per_minute[i], FIXED_WINDOW, 100 + i, 60 * US_PER_S), LIMIT_OK);
}

static void
tear_down(void)
{
    store_free(store);
    store = NULL;
}

static void
open_store(int64_t max_keys)
{
    store = memory_store_new(&(struct memory_store_options){.max_keys = max_keys, .clock = &now});
    ck_assert_ptr_nonnull(store);
}

/* One request; the answer is in `*request`. */
static bool
take(struct store_request *request, uint64_t client_number, const char *rule, const struct limit *limits,
     uint32_t limit_count, int64_t cost)
{
    struct client client;
    const struct limit_set set = limit_set_of(1, limits, limit_count);

    client.bytes = (size_t)sprintf(client.text, "header:user_id=%" PRIu64, client_number);
    *request = (struct store_request){
        .subject = {.client = &client, .rule = rule, .limits = &set},
        .cost = cost,
    };
    if (store_take(store, request) != STORE_DONE)
        ck_abort_msg("the memory store has always decided when it returns");
    request->subject = (struct store_subject){0}; /* gone with this frame */
    return request->allowed;
}

static bool
allows(uint64_t client, const char *rule, const struct limit *limits, uint32_t limit_count, int64_t cost)
{
    struct store_request request;

    return take(&request, client, rule, limits, limit_count, cost);
}

/* How many of `clients` clients, from number `first` on, get `each` requests; a microsecond passes between
   two. */
static int64_t
count_allowed(uint64_t first, int64_t clients, int64_t each, const struct limit *limits, uint32_t limit_count)
{
    int64_t allowed = 0;

    for (int64_t client = 0; client < clients; client++)
        for (int64_t i = 0; i < each; i++, now.offset_us++)
            allowed += allows(first + (uint64_t)client, "r", limits, limit_count, 1);
    return allowed;
}

START_TEST(counts_a_client_down_and_up_again)
{
    struct store_request request;

    open_store(1000);
    for (int64_t remaining = 2; remaining >= 0; remaining--) {
        ck_assert(take(&request, 1, "r", &bucket, 1, 1));
        ck_assert_int_eq(request.decisions[0].remaining, remaining);
    }
    ck_assert(!take(&request, 1, "r", &bucket, 1, 1));
    ck_assert_int_eq(request.decisions[0].retry_after_us, US_PER_S);
    ck_assert_int_eq(request.decisions[0].reset_after_us, 3 * US_PER_S);
    now.offset_us += US_PER_S;
    ck_assert(take(&request, 1, "r", &bucket, 1, 1));
}
END_TEST

START_TEST(clients_and_rules_are_counted_apart)
{
    open_store(1000);
    ck_assert(allows(1, "r", &bucket, 1, 3));
    ck_assert(!allows(1, "r", &bucket, 1, 1));
    ck_assert(allows(2, "r", &bucket, 1, 3));
    ck_assert(allows(1, "s", &bucket, 1, 3));
    ck_assert(allows(11, "r", &bucket, 1, 3));
}
END_TEST

START_TEST(peek_stores_nothing)
{
    open_store(1000);
    for (uint64_t i = 0; i < 100; i++)
        ck_assert(allows(i, "r", &bucket, 1, 0));
    ck_assert(!allows(1, "r", &bucket, 1, 4));
    ck_assert_uint_eq(memory_store_counts(store).entries, 0);
}
END_TEST

START_TEST(client_with_full_quota_leaves_the_table)
{
    open_store(1000);
    ck_assert(allows(1, "r", &bucket, 1, 2));
    ck_assert_uint_eq(memory_store_counts(store).entries, 1);
    now.offset_us += 2 * US_PER_S - 1;
    ck_assert(allows(1, "r", &bucket, 1, 0));
    ck_assert_uint_eq(memory_store_counts(store).entries, 1);
    now.offset_us += 1;
    ck_assert(allows(1, "r", &bucket, 1, 0));
    ck_assert_uint_eq(memory_store_counts(store).entries, 0);
    ck_assert_uint_eq(memory_store_counts(store).evicted, 0);
}
END_TEST

START_TEST(several_limits_are_all_or_nothing)
{
    struct limit limits[3] = {per_minute[0], bucket, per_minute[1]};
    struct store_request request;

    open_store(1000);
    ck_assert(take(&request, 1, "r", limits, 3, 3));
    ck_assert(!take(&request, 1, "r", limits, 3, 1));
    ck_assert(request.decisions[0].allowed && !request.decisions[1].allowed && request.decisions[2].allowed);
    ck_assert_int_eq(request.decisions[0].remaining, 97);
    ck_assert_int_eq(request.decisions[1].remaining, 0);
    ck_assert_int_eq(request.decisions[2].remaining, 98);
    now.offset_us += US_PER_S;
    ck_assert(take(&request, 1, "r", limits, 3, 1));
    ck_assert_int_eq(request.decisions[0].remaining, 96);
}
END_TEST

START_TEST(refused_new_client_is_not_stored)
{
    struct store_request request;
    struct limit limits[2] = {per_minute[0], bucket};

    open_store(1000);
    ck_assert(!take(&request, 1, "r", limits, 2, 4));
    ck_assert_int_eq(request.decisions[1].retry_after_us, RETRY_NEVER);
    ck_assert_uint_eq(memory_store_counts(store).entries, 0);
}
END_TEST

START_TEST(limits_of_different_algorithms_share_no_state)
{
    struct limit limits[6];

    open_store(1000);
    ck_assert_int_eq(limit_init_token_bucket(&limits[0], 3, 1, 3600 * US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_token_bucket(&limits[1], 3, 2, 3600 * US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&limits[2], FIXED_WINDOW, 3, 3600 * US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&limits[3], FIXED_WINDOW, 3, 60 * US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&limits[4], SLIDING_WINDOW, 3, 3600 * US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&limits[5], SLIDING_WINDOW_COUNTER, 3, 3600 * US_PER_S), LIMIT_OK);
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < ROWS(limits); i++)
            ck_assert_msg(allows(1, "r", &limits[i], 1, 1) == (round < 3), "limit %d, round %d", i, round);
    ck_assert_uint_eq(memory_store_counts(store).entries, ROWS(limits));
}
END_TEST

START_TEST(raised_limit_keeps_its_counts)
{
    struct limit raised;

    open_store(1000);
    ck_assert_int_eq(limit_init_token_bucket(&raised, 5, 1, US_PER_S), LIMIT_OK); /* as fast as bucket */
    ck_assert(allows(1, "r", &bucket, 1, 3));
    ck_assert(allows(1, "r", &raised, 1, 2));
    ck_assert(!allows(1, "r", &raised, 1, 1));
}
END_TEST

START_TEST(reset_clears_one_client_only)
{
    struct limit limits[2] = {bucket, per_minute[0]};
    struct limit_set set = limit_set_of(1, limits, 2);
    struct client client;
    struct store_request request = {.subject = {.client = &client, .rule = "r", .limits = &set}};

    open_store(1000);
    ck_assert(allows(1, "r", limits, 2, 3) && allows(1, "s", limits, 2, 3) && allows(2, "r", limits, 2, 3));
    client.bytes = (size_t)sprintf(client.text, "header:user_id=1");
    ck_assert_int_eq(store_reset(store, &request), STORE_DONE);
    ck_assert_uint_eq(memory_store_counts(store).entries, 4);
    ck_assert(allows(1, "r", limits, 2, 3));
    ck_assert(!allows(1, "s", limits, 2, 1) && !allows(2, "r", limits, 2, 1));
    client.bytes = (size_t)sprintf(client.text, "header:user_id=unknown");
    ck_assert_int_eq(store_reset(store, &request), STORE_DONE);
}
END_TEST

/* Capacity. */

static const struct {
    int64_t max_keys;
    uint32_t limits; /* of each client */
} loads[] = {
    {1, 1},    {8, 8},    {16, 1},    {1000, 1},  {1000, 8},  {2047, 1},  {2048, 1},  {2048, 8},
    {5000, 4}, {5000, 8}, {20000, 1}, {20000, 8}, {70000, 1}, {70000, 2}, {70000, 8},
};

START_TEST(max_keys_are_held_whatever_their_hashes)
{
    int64_t clients = loads[_i].max_keys / loads[_i].limits;

    /* The hash's key is another one each time. */
    for (int round = 0; round < (clients < 1000 ? 20 : 4); round++) {
        open_store(loads[_i].max_keys);
        ck_assert_int_eq(count_allowed(0, clients, 1, per_minute, loads[_i].limits), clients);
        ck_assert_uint_eq(memory_store_counts(store).entries, (uint64_t)clients * loads[_i].limits);
        ck_assert_msg(memory_store_counts(store).evicted == 0, "%" PRId64 " keys, %u a client: %" PRIu64,
                      loads[_i].max_keys, loads[_i].limits, memory_store_counts(store).evicted);
        tear_down();
    }
}
END_TEST

START_TEST(flood_never_exceeds_the_table)
{
    int64_t max_keys = loads[_i].max_keys;
    int64_t flood = max_keys < 20000 ? 10 * max_keys + 100 : 2 * max_keys;

    open_store(max_keys);
    ck_assert_int_eq(count_allowed(0, flood, 1, per_minute, 1), flood);
    /* What is reserved beyond: six standard deviations, and for the smallest what one request may need. */
    ck_assert_uint_le(memory_store_counts(store).entries, (uint64_t)max_keys * 2 + 16);
    ck_assert_uint_eq(memory_store_counts(store).entries + memory_store_counts(store).evicted,
                      (uint64_t)flood);
}
END_TEST

START_TEST(flood_of_new_clients_keeps_refused_ones)
{
    static const int64_t sizes[] = {100, 5000};

    for (int s = 0; s < ROWS(sizes); s++) {
        open_store(sizes[s]);
        for (uint64_t victim = 0; victim < 10; victim++) {
            ck_assert(allows(victim, "r", per_minute, 1, 100));
            ck_assert(!allows(victim, "r", per_minute, 1, 1));
        }
        for (int64_t i = 0; i < 10 * sizes[s]; i++)
            ck_assert(allows(1000 + (uint64_t)i, "r", per_minute, 1, 1));
        ck_assert_uint_gt(memory_store_counts(store).evicted, 0);
        for (uint64_t victim = 0; victim < 10; victim++)
            ck_assert_msg(!allows(victim, "r", per_minute, 1, 1), "%" PRIu64 " of %" PRId64, victim,
                          sizes[s]);
        tear_down();
    }
}
END_TEST

/* Sliding windows. */

START_TEST(eight_of_the_largest_logs_fit_into_the_smallest_table)
{
    static const int64_t largest[] = {1, 7, 8, 34, 41, 42, 43, 1000, SLIDING_WINDOW_ENTRIES};
    struct limit limits[LIMIT_SET_MAX];

    for (int l = 0; l < ROWS(largest); l++) {
        open_store(1);
        for (int i = 0; i < LIMIT_SET_MAX; i++)
            ck_assert_int_eq(limit_init_window(&limits[i], SLIDING_WINDOW, largest[l], 1000 + largest[l]),
                             LIMIT_OK);
        /* A request a microsecond, each an entry of its own, over three windows: the heads of the logs move
           on. */
        int64_t window_us = limits[0].window_us;
        ck_assert_int_eq(count_allowed(0, 1, 3 * window_us, limits, LIMIT_SET_MAX), 3 * largest[l]);
        tear_down();
    }
}
END_TEST

START_TEST(logs_that_do_not_fit_are_evicted)
{
    struct limit hourly;
    struct store_request request;

    ck_assert_int_eq(limit_init_window(&hourly, SLIDING_WINDOW, 200, 3600 * US_PER_S), LIMIT_OK);
    open_store(100);
    ck_assert_int_eq(count_allowed(0, 100, 150, &hourly, 1), 100 * 150);
    ck_assert_uint_gt(memory_store_counts(store).evicted, 0);
    take(&request, 99, "r", &hourly, 1, 0);
    ck_assert_int_eq(request.decisions[0].remaining, 50); /* not of the one who is just being served */
}
END_TEST

START_TEST(flood_of_logs_keeps_refused_clients)
{
    struct limit hourly;

    ck_assert_int_eq(limit_init_window(&hourly, SLIDING_WINDOW, 200, 3600 * US_PER_S), LIMIT_OK);
    open_store(100);
    ck_assert_int_eq(count_allowed(0, 1, 201, &hourly, 1), 200);
    ck_assert_int_eq(count_allowed(1, 1000, 30, &hourly, 1), 1000 * 30);
    ck_assert_uint_gt(memory_store_counts(store).evicted, 0);
    ck_assert(!allows(0, "r", &hourly, 1, 1));
}
END_TEST

/* Against states kept for ever, one a client and limit, and nothing else. */

#define MODEL_CLIENTS 300

static struct limit mixed[4];
static union algorithm_state model_states[MODEL_CLIENTS][4];
static bool model_seen[MODEL_CLIENTS];
static struct window_log_pool model_pool;

static void
model_take(struct decision *decisions, size_t client, int64_t cost)
{
    bool fits[4], all = true;

    for (int i = 0; i < 4; i++) {
        union algorithm_state *state = &model_states[client][i];
        if (!model_seen[client])
            algorithm_init(&mixed[i], state, now.offset_us);
        algorithm_advance(&mixed[i], state, &model_pool, now.offset_us);
        fits[i] = algorithm_fits(&mixed[i], state, now.offset_us, cost);
        all &= fits[i];
    }
    model_seen[client] = true;
    for (int i = 0; i < 4; i++) {
        union algorithm_state *state = &model_states[client][i];
        if (all)
            algorithm_spend(&mixed[i], state, &model_pool, now.offset_us, cost);
        algorithm_report(&mixed[i], state, &model_pool, now.offset_us, cost, fits[i], &decisions[i]);
    }
}

START_TEST(sweeping_full_entries_changes_no_decision)
{
    uint64_t random = (uint64_t)_i + 6;

    ck_assert_int_eq(limit_init_token_bucket(&mixed[0], 5, 3, US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&mixed[1], SLIDING_WINDOW, 7, 2 * US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&mixed[2], SLIDING_WINDOW_COUNTER, 9, 3 * US_PER_S), LIMIT_OK);
    ck_assert_int_eq(limit_init_window(&mixed[3], FIXED_WINDOW, 8, 5 * US_PER_S), LIMIT_OK);
    ck_assert(window_log_pool_init(&model_pool, 10000));
    open_store(4 * MODEL_CLIENTS);
    for (int step = 0; step < 60000; step++) {
        uint64_t client = random_below(&random, random_below(&random, 2) ? 10 : MODEL_CLIENTS);
        int64_t cost = (int64_t)random_below(&random, 4);
        struct decision expected[4];
        struct store_request request;

        model_take(expected, client, cost);
        take(&request, client, "r", mixed, 4, cost);
        for (int i = 0; i < 4; i++)
            if (request.decisions[i].allowed != expected[i].allowed ||
                request.decisions[i].remaining != expected[i].remaining ||
                request.decisions[i].retry_after_us != expected[i].retry_after_us ||
                request.decisions[i].reset_after_us != expected[i].reset_after_us)
                ck_abort_msg("step %d: client %" PRIu64 ", %s", step, client,
                             algorithm_name(mixed[i].algorithm));
        now.offset_us += (int64_t)random_below(&random, random_below(&random, 100) ? 20000 : 4000000);
    }
    ck_assert_uint_eq(memory_store_counts(store).evicted, 0);
    window_log_pool_fini(&model_pool);
}
END_TEST

/* Threads. */

#define THREADS      8
#define THREAD_TAKES 4000
#define THREAD_KEYS  50

struct taker {
    pthread_t thread;
    uint64_t random;
    uint64_t keys; /* the clients that it takes from */
    const struct limit *limits;
    uint32_t limit_count;
    int64_t allowed[THREAD_KEYS];
};

static void *
run_taker(void *arg)
{
    struct taker *taker = arg;

    for (int i = 0; i < THREAD_TAKES; i++) {
        uint64_t key = random_below(&taker->random, taker->keys);
        taker->allowed[key] += allows(key, "r", taker->limits, taker->limit_count, 1);
        if (i % 16 == 0) /* strangers come and go meanwhile */
            allows(1000 + random_below(&taker->random, 1000), "r", taker->limits, taker->limit_count, 1);
    }
    return NULL;
}

static const struct {
    const char *name;
    uint64_t keys;
    bool sliding;
    uint32_t limits;
} contentions[] = {
    {"one client", 1, false, 1},
    {"one client, a log", 1, true, 1},
    {"one client, 8 limits", 1, false, 8},
    {"many clients", THREAD_KEYS, false, 1},
    {"many clients, logs", THREAD_KEYS, true, 1},
    {"many clients, 8 logs", THREAD_KEYS, true, 8},
};

START_TEST(threads_together_get_exactly_the_limit)
{
    struct limit logs[LIMIT_SET_MAX];
    struct taker takers[THREADS];

    for (int i = 0; i < LIMIT_SET_MAX; i++)
        ck_assert_int_eq(limit_init_window(&logs[i], SLIDING_WINDOW, 100 + i, 60 * US_PER_S), LIMIT_OK);
    open_store(20000);
    for (int i = 0; i < THREADS; i++) {
        takers[i] = (struct taker){.random = (uint64_t)i + 1,
                                   .keys = contentions[_i].keys,
                                   .limits = contentions[_i].sliding ? logs : per_minute,
                                   .limit_count = contentions[_i].limits};
        ck_assert_int_eq(pthread_create(&takers[i].thread, NULL, run_taker, &takers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(takers[i].thread, NULL);
    for (uint64_t key = 0; key < contentions[_i].keys; key++) {
        int64_t sum = 0;
        for (int i = 0; i < THREADS; i++)
            sum += takers[i].allowed[key];
        ck_assert_msg(sum == 100, "%s: %" PRId64, contentions[_i].name, sum);
    }
}
END_TEST

START_TEST(store_is_always_ready)
{
    open_store(1);
    ck_assert_int_eq(store_health(store).state, STORE_READY);
    ck_assert_str_eq(store_health(store).kind, "memory");
    store_flush(store);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("memory_store");
    TCase *tests = tcase_create("memory_store");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, counts_a_client_down_and_up_again);
    tcase_add_test(tests, clients_and_rules_are_counted_apart);
    tcase_add_test(tests, peek_stores_nothing);
    tcase_add_test(tests, client_with_full_quota_leaves_the_table);
    tcase_add_test(tests, several_limits_are_all_or_nothing);
    tcase_add_test(tests, refused_new_client_is_not_stored);
    tcase_add_test(tests, limits_of_different_algorithms_share_no_state);
    tcase_add_test(tests, raised_limit_keeps_its_counts);
    tcase_add_test(tests, reset_clears_one_client_only);
    tcase_add_loop_test(tests, max_keys_are_held_whatever_their_hashes, 0, ROWS(loads));
    tcase_add_loop_test(tests, flood_never_exceeds_the_table, 0, ROWS(loads));
    tcase_add_test(tests, flood_of_new_clients_keeps_refused_ones);
    tcase_add_test(tests, eight_of_the_largest_logs_fit_into_the_smallest_table);
    tcase_add_test(tests, logs_that_do_not_fit_are_evicted);
    tcase_add_test(tests, flood_of_logs_keeps_refused_clients);
    tcase_add_loop_test(tests, sweeping_full_entries_changes_no_decision, 0, 3);
    tcase_add_loop_test(tests, threads_together_get_exactly_the_limit, 0, ROWS(contentions));
    tcase_add_test(tests, store_is_always_ready);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
