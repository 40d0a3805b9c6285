/*
 * places: one bound for all threads, a part of it for peers on this machine.
 */
#include <pthread.h>

#include "places.h"
#include "suite.h"

static struct places places;

static unsigned
take_all(bool local)
{
    unsigned count = 0;

    while (places_take(&places, local))
        count++;
    return count;
}

START_TEST(reserve_is_for_peers_on_this_machine)
{
    static const struct {
        unsigned max, reserve;
    } table[] = {{1, 0}, {3, 0}, {4, 1}, {16, 1}, {17, 2}, {160, 10}, {512, 32}, {10000, 32}, {1000000, 32}};

    for (int i = 0; i < ROWS(table); i++) {
        places_init(&places, table[i].max);
        ck_assert_uint_eq(take_all(false), table[i].max - table[i].reserve);
        ck_assert_uint_eq(take_all(true), table[i].reserve);
        places_give(&places);
        ck_assert_uint_eq(take_all(false), table[i].reserve == 0);
    }
}
END_TEST

START_TEST(places_are_crowded_before_they_are_full)
{
    places_init(&places, 160);
    for (int i = 0; i < 140; i++)
        ck_assert(places_take(&places, false));
    ck_assert(!places_are_crowded(&places));
    ck_assert(places_take(&places, false));
    ck_assert(places_are_crowded(&places));
    places_give(&places);
    ck_assert(!places_are_crowded(&places));
}
END_TEST

START_TEST(wish_lasts_until_it_is_granted)
{
    places_init(&places, 1);
    ck_assert(!places_are_wished(&places));
    places_wish(&places, true);
    ck_assert(places_are_wished(&places));
    places_wish(&places, false);
    ck_assert(!places_are_wished(&places));
}
END_TEST

#define THREADS 4
#define ROUNDS  20000
#define MAX     3

static _Atomic unsigned held, most;

static void *
take_and_give(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned now, before = atomic_load(&most);
        if (!places_take(&places, false))
            continue;
        now = atomic_fetch_add(&held, 1) + 1;
        while (before < now && !atomic_compare_exchange_weak(&most, &before, now))
            continue;
        atomic_fetch_sub(&held, 1);
        places_give(&places);
    }
    return NULL;
}

START_TEST(threads_never_take_more_places_than_there_are)
{
    pthread_t threads[THREADS];

    places_init(&places, MAX);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_le(most, MAX);
    ck_assert_uint_eq(take_all(false), MAX);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("places");
    TCase *bound = tcase_create("bound");

    tcase_add_test(bound, reserve_is_for_peers_on_this_machine);
    tcase_add_test(bound, places_are_crowded_before_they_are_full);
    tcase_add_test(bound, wish_lasts_until_it_is_granted);
    tcase_add_test(bound, threads_never_take_more_places_than_there_are);
    suite_add_tcase(suite, bound);
    return run_suite(suite);
}
