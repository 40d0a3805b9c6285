/*
 * generation: what a request is in stays until it leaves; the last one to let go frees it.
 *
 * The address sanitizer finds what is freed too early or twice; generations_alive and generations_free what
 * never is.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "generation.h"
#include "policy_text.h"
#include "suite.h"

#define WORKERS 3

static struct generations *generations;
static struct generation_reader *readers[WORKERS];

static struct policy *
any_policy(void)
{
    return policy_of_text("{\"default\": {\"capacity\": 1, \"refill_rate\": 1}}");
}

static void
publish(void)
{
    ck_assert(generations_publish(generations, any_policy()));
}

static void
set_up(void)
{
    generations = generations_new(any_policy(), WORKERS);
    ck_assert_ptr_nonnull(generations);
    for (unsigned i = 0; i < WORKERS; i++)
        readers[i] = generations_reader(generations, i);
}

static void
tear_down(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        generation_reader_close(readers[i]);
    ck_assert_uint_eq(generations_alive(generations), 1);
    generations_free(generations);
}

static void
turn_all(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        generation_current(readers[i]);
}

START_TEST(next_request_finds_what_was_published)
{
    for (uint64_t number = 1; number <= 3; number++) {
        struct generation_share *share = generation_enter(readers[0]);

        ck_assert_uint_eq(share->generation->number, number);
        ck_assert_ptr_eq(share->generation->policy, generations_policy(generations));
        generation_leave(share);
        publish();
    }
}
END_TEST

START_TEST(request_under_way_keeps_its_generation)
{
    struct generation_share *old = generation_enter(readers[0]), *new;

    turn_all();
    publish();
    new = generation_enter(readers[0]);
    ck_assert_uint_eq(new->generation->number, 2);
    ck_assert_uint_eq(old->generation->number, 1);
    ck_assert_str_eq(old->generation->policy->rules[0].name, "default"); /* not freed */
    generation_leave(new);
    generation_leave(old);
}
END_TEST

START_TEST(last_to_let_go_frees_it)
{
    struct generation_share *shares[2];

    turn_all();
    shares[0] = generation_enter(readers[0]);
    shares[1] = generation_enter(readers[0]);
    publish();
    ck_assert_uint_eq(generations_alive(generations), 2);
    turn_all();
    ck_assert_uint_eq(generations_alive(generations), 2);
    generation_leave(shares[1]);
    ck_assert_uint_eq(generations_alive(generations), 2);
    generation_leave(shares[0]);
    ck_assert_uint_eq(generations_alive(generations), 1);
}
END_TEST

START_TEST(idle_workers_let_go_at_their_next_turn)
{
    turn_all();
    publish();
    for (unsigned i = 0; i < WORKERS; i++) {
        ck_assert_uint_eq(generations_alive(generations), 2);
        ck_assert_uint_eq(generation_current(readers[i])->number, 2);
    }
    ck_assert_uint_eq(generations_alive(generations), 1);
}
END_TEST

/* One request of a worker is stuck, another worker never turns: one generation each, and the newest. */
START_TEST(storm_keeps_what_is_in_use_and_the_newest)
{
    struct generation_share *stuck = generation_enter(readers[0]);

    turn_all();
    for (int i = 0; i < 1000; i++) {
        publish();
        generation_current(readers[0]);
        generation_current(readers[1]);
        ck_assert_uint_le(generations_alive(generations), 2);
    }
    generation_leave(stuck);
    ck_assert_uint_eq(generations_alive(generations), 2); /* the first one is that of the third worker, too */
    turn_all();
    ck_assert_uint_eq(generations_alive(generations), 1);
}
END_TEST

START_TEST(generations_that_no_worker_sees_are_freed)
{
    for (int i = 0; i < 10; i++) {
        publish();
        ck_assert_uint_eq(generations_alive(generations), 1);
    }
}
END_TEST

/* Threads: workers with requests that overlap reloads. */

#define RELOADS 2000

static _Atomic bool is_over;

/* Enters two requests, ends the older one: so that one is always under way. */
static void *
work(void *arg)
{
    struct generation_reader *reader = arg;
    struct generation_share *older = generation_enter(reader);
    uint64_t last = 0;

    while (!atomic_load(&is_over)) {
        struct generation_share *newer = generation_enter(reader);

        if (newer->generation->number < last || newer->generation->policy->rule_count != 1)
            return reader;
        last = newer->generation->number;
        generation_leave(older);
        older = newer;
    }
    generation_leave(older);
    return NULL;
}

static void *
publish_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < RELOADS; i++)
        publish();
    return NULL;
}

START_TEST(workers_and_publishers_at_once)
{
    pthread_t workers[WORKERS], publisher;
    void *wrong;

    atomic_store(&is_over, false);
    for (unsigned i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&workers[i], NULL, work, readers[i]), 0);
    ck_assert_int_eq(pthread_create(&publisher, NULL, publish_many, NULL), 0);
    publish_many(NULL);
    pthread_join(publisher, NULL);
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < WORKERS; i++) {
        pthread_join(workers[i], &wrong);
        ck_assert_ptr_null(wrong);
    }
    turn_all();
    ck_assert_uint_eq(generation_current(readers[0])->number, 2 * RELOADS + 1);
    ck_assert_uint_eq(generations_alive(generations), 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("generation");
    TCase *tests = tcase_create("generation");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, next_request_finds_what_was_published);
    tcase_add_test(tests, request_under_way_keeps_its_generation);
    tcase_add_test(tests, last_to_let_go_frees_it);
    tcase_add_test(tests, idle_workers_let_go_at_their_next_turn);
    tcase_add_test(tests, storm_keeps_what_is_in_use_and_the_newest);
    tcase_add_test(tests, generations_that_no_worker_sees_are_freed);
    tcase_add_test(tests, workers_and_publishers_at_once);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
