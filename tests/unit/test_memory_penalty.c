/*
 * memory_store: rules with a penalty. What a penalty counts is in tests/cases/tables/penalty.txt; here is what the table
 * keeps of it.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "limit_set_of.h"
#include "memory_store.h"
#include "suite.h"

#define MINUTE (60 * US_PER_S)

static const struct penalty penalty = {
    .after = 2, .within_us = MINUTE, .for_us = 10 * MINUTE, .growth = 2, .up_to_us = 60 * MINUTE};

static struct store *store;
static struct clock now;
static struct limit_set sets[LIMIT_SET_MAX + 1]; /* of that many fixed windows: 1, 2, ... a minute */

static void
set_up(void)
{
    struct limit limits[LIMIT_SET_MAX];

    now = clock_fixed(INT64_C(1700000040) * US_PER_S); /* a whole minute */
    for (int i = 0; i < LIMIT_SET_MAX; i++)
        ck_assert_int_eq(limit_init_window(&limits[i], FIXED_WINDOW, 1 + i, MINUTE), LIMIT_OK);
    for (uint32_t i = 1; i <= LIMIT_SET_MAX; i++)
        sets[i] = limit_set_of(i, limits, i);
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

static struct store_request
request_of(struct client *client, uint64_t number, uint32_t limit_count, int64_t cost)
{
    client->bytes = (size_t)sprintf(client->text, "header:user_id=%" PRIu64, number);
    return (struct store_request){
        .subject = {.client = client, .rule = "r", .limits = &sets[limit_count], .penalty = &penalty},
        .cost = cost,
    };
}

/* The rest of the client's penalty after the request; -1: it was allowed. */
static int64_t
take_of(uint64_t number, uint32_t limit_count, int64_t cost)
{
    struct client client;
    struct store_request request = request_of(&client, number, limit_count, cost);

    if (store_take(store, &request) != STORE_DONE)
        ck_abort_msg("the memory store has always decided when it returns");
    return request.allowed ? -1 : request.penalty_us;
}

/* Allowed once, refused twice, penalised. */
static void
penalise(uint64_t number)
{
    ck_assert_int_eq(take_of(number, 1, 1), -1);
    ck_assert_int_eq(take_of(number, 1, 1), 0);
    ck_assert_int_eq(take_of(number, 1, 1), 0);
    ck_assert_int_eq(take_of(number, 1, 1), 10 * MINUTE);
}

START_TEST(clients_are_penalised_apart_and_for_as_long_as_it_says)
{
    open_store(1000);
    penalise(1);
    ck_assert_int_eq(take_of(2, 1, 1), -1);
    now.offset_us += 10 * MINUTE - 1;
    ck_assert_int_eq(take_of(1, 1, 1), 1);
    ck_assert_int_eq(take_of(1, 1, 0), 1);
    now.offset_us++;
    ck_assert_int_eq(take_of(1, 1, 1), -1);
}
END_TEST

START_TEST(client_never_refused_has_no_entry_more)
{
    open_store(1000);
    ck_assert_int_eq(take_of(1, 1, 1), -1);
    ck_assert_uint_eq(memory_store_counts(store).entries, 1);
    ck_assert_int_eq(take_of(1, 1, 1), 0);
    ck_assert_uint_eq(memory_store_counts(store).entries, 2);
}
END_TEST

START_TEST(refusals_that_are_forgotten_leave_the_table)
{
    open_store(1000);
    ck_assert_int_eq(take_of(1, 1, 2), 0);
    ck_assert_uint_eq(memory_store_counts(store).entries, 1);
    now.offset_us += MINUTE - 1;
    ck_assert_int_eq(take_of(1, 1, 0), -1);
    ck_assert_uint_eq(memory_store_counts(store).entries, 1);
    now.offset_us++;
    ck_assert_int_eq(take_of(1, 1, 0), -1);
    ck_assert_uint_eq(memory_store_counts(store).entries, 0);
}
END_TEST

START_TEST(reset_ends_the_penalty)
{
    struct client client;
    struct store_request request = request_of(&client, 1, 1, 0);

    open_store(1000);
    penalise(1);
    penalise(2);
    ck_assert_int_eq(store_reset(store, &request), STORE_DONE);
    ck_assert_int_eq(take_of(1, 1, 1), -1);
    ck_assert_int_eq(take_of(2, 1, 1), 10 * MINUTE);
}
END_TEST

START_TEST(flood_of_new_clients_keeps_penalised_ones)
{
    static const int64_t sizes[] = {100, 5000};

    for (int s = 0; s < ROWS(sizes); s++) {
        open_store(sizes[s]);
        for (uint64_t client = 0; client < 10; client++)
            penalise(client);
        for (int64_t i = 0; i < 10 * sizes[s]; i++)
            ck_assert_int_eq(take_of(1000 + (uint64_t)i, 1, 1), -1);
        ck_assert_uint_gt(memory_store_counts(store).evicted, 0);
        for (uint64_t client = 0; client < 10; client++)
            ck_assert_int_eq(take_of(client, 1, 1), 10 * MINUTE);
        tear_down();
    }
}
END_TEST

START_TEST(smallest_table_holds_eight_limits_and_a_penalty)
{
    open_store(1);
    for (uint64_t client = 0; client < 100; client++) {
        ck_assert_int_eq(take_of(client, LIMIT_SET_MAX, 1), -1);
        ck_assert_int_eq(take_of(client, LIMIT_SET_MAX, 1), 0);
        ck_assert_int_eq(take_of(client, LIMIT_SET_MAX, 1), 0);
        ck_assert_int_eq(take_of(client, LIMIT_SET_MAX, 1), 10 * MINUTE);
    }
}
END_TEST

/* Threads. */

#define THREADS      8
#define THREAD_TAKES 2000

struct taker {
    pthread_t thread;
    int64_t allowed, borne, penalised;
};

static void *
run_taker(void *arg)
{
    struct taker *taker = arg;

    for (int i = 0; i < THREAD_TAKES; i++) {
        int64_t rest_us = take_of(1, 1, 1);
        taker->allowed += rest_us < 0;
        taker->borne += rest_us == 0;
        taker->penalised += rest_us == 10 * MINUTE;
    }
    return NULL;
}

START_TEST(threads_together_are_borne_exactly_as_often_as_it_says)
{
    struct taker takers[THREADS] = {0};
    int64_t allowed = 0, borne = 0, penalised = 0;

    open_store(1000);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&takers[i].thread, NULL, run_taker, &takers[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(takers[i].thread, NULL);
        allowed += takers[i].allowed;
        borne += takers[i].borne;
        penalised += takers[i].penalised;
    }
    ck_assert_int_eq(allowed, 1);
    ck_assert_int_eq(borne, penalty.after);
    ck_assert_int_eq(penalised, THREADS * THREAD_TAKES - 1 - penalty.after);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("memory_penalty");
    TCase *tests = tcase_create("memory_penalty");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, clients_are_penalised_apart_and_for_as_long_as_it_says);
    tcase_add_test(tests, client_never_refused_has_no_entry_more);
    tcase_add_test(tests, refusals_that_are_forgotten_leave_the_table);
    tcase_add_test(tests, reset_ends_the_penalty);
    tcase_add_test(tests, flood_of_new_clients_keeps_penalised_ones);
    tcase_add_test(tests, smallest_table_holds_eight_limits_and_a_penalty);
    tcase_add_test(tests, threads_together_are_borne_exactly_as_often_as_it_says);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
