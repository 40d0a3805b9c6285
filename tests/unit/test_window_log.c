#include <check.h>
#include <stdlib.h>

#include "decision_check.h"
#include "window_log.h"

static void
push(struct window_log *log, struct window_log_pool *pool, int64_t at_us)
{
    window_log_push(log, pool, (struct window_log_entry){.at_us = at_us, .count = at_us + 1});
}

START_TEST(empty_log_has_no_entry)
{
    struct window_log_pool pool;
    struct window_log log;
    struct window_log_cursor cursor;

    ck_assert(window_log_pool_init(&pool, 4));
    window_log_init(&log);
    cursor = window_log_begin(&log);
    ck_assert_ptr_null(window_log_oldest(&log, &pool));
    ck_assert_ptr_null(window_log_newest(&log, &pool));
    ck_assert_ptr_null(window_log_next(&log, &pool, &cursor));
    window_log_clear(&log, &pool);
    ck_assert_uint_eq(window_log_pool_room(&pool), 4);
    window_log_pool_fini(&pool);
}
END_TEST

START_TEST(entries_come_out_as_they_went_in)
{
    /* Lengths on both sides of every chunk's edge. */
    for (int64_t length = 1; length <= 4 * CHUNK_ENTRIES; length++) {
        struct window_log_pool pool;
        struct window_log log;

        ck_assert(window_log_pool_init(&pool, 4));
        window_log_init(&log);
        for (int64_t i = 0; i < length; i++) {
            push(&log, &pool, i);
            ck_assert_int_eq(window_log_newest(&log, &pool)->at_us, i);
            ck_assert_int_eq(window_log_oldest(&log, &pool)->at_us, 0);
        }
        for (int64_t i = 0; i < length; i++) {
            struct window_log_cursor cursor = window_log_begin(&log);
            const struct window_log_entry *entry;
            int64_t expected = i;

            while ((entry = window_log_next(&log, &pool, &cursor)) != NULL) {
                ck_assert_int_eq(entry->at_us, expected);
                ck_assert_int_eq(entry->count, expected + 1);
                expected++;
            }
            ck_assert_int_eq(expected, length);
            ck_assert_int_eq(window_log_oldest(&log, &pool)->at_us, i);
            ck_assert_int_eq(window_log_newest(&log, &pool)->at_us, length - 1);
            window_log_pop(&log, &pool);
        }
        ck_assert_ptr_null(window_log_oldest(&log, &pool));
        ck_assert_uint_eq(window_log_pool_room(&pool), 4);
        window_log_pool_fini(&pool);
    }
}
END_TEST

START_TEST(a_moving_log_lives_in_as_many_chunks_as_it_is_long)
{
    struct window_log_pool pool;
    struct window_log log;

    /* Seven entries, wherever they begin, lie in two chunks; a third would make the push below abort. */
    ck_assert(window_log_pool_init(&pool, 2));
    window_log_init(&log);
    for (int64_t i = 0; i < 10000; i++) {
        push(&log, &pool, i);
        if (i >= CHUNK_ENTRIES - 1) {
            ck_assert_int_eq(window_log_oldest(&log, &pool)->at_us, i - CHUNK_ENTRIES + 1);
            window_log_pop(&log, &pool);
        }
    }
    window_log_clear(&log, &pool);
    ck_assert_uint_eq(window_log_pool_room(&pool), 2);
    window_log_pool_fini(&pool);
}
END_TEST

START_TEST(logs_of_one_pool_keep_apart)
{
    enum { LOGS = 5 };
    struct window_log_pool pool;
    struct window_log logs[LOGS];
    int64_t pushed[LOGS] = {0}, popped[LOGS] = {0};
    unsigned random = 1;

    ck_assert(window_log_pool_init(&pool, 64));
    for (int i = 0; i < LOGS; i++)
        window_log_init(&logs[i]);
    for (int step = 0; step < 50000; step++) {
        random = random * 1103515245 + 12345;
        int i = (int)(random >> 16) % LOGS;
        bool full = window_log_pool_room(&pool) == 0;

        if (random >> 30 == 0 && step % 97 == 0) {
            window_log_clear(&logs[i], &pool);
            popped[i] = pushed[i];
        } else if (!full && (random >> 8) % 2 == 0) {
            push(&logs[i], &pool, pushed[i]++);
        } else if (popped[i] < pushed[i]) {
            ck_assert_int_eq(window_log_oldest(&logs[i], &pool)->at_us, popped[i]);
            ck_assert_int_eq(window_log_newest(&logs[i], &pool)->at_us, pushed[i] - 1);
            window_log_pop(&logs[i], &pool);
            popped[i]++;
        }
    }
    for (int i = 0; i < LOGS; i++)
        window_log_clear(&logs[i], &pool);
    ck_assert_uint_eq(window_log_pool_room(&pool), 64);
    window_log_pool_fini(&pool);
}
END_TEST

START_TEST(a_huge_pool_costs_nothing_before_it_is_used)
{
    struct window_log_pool pool;
    struct window_log log;

    ck_assert(window_log_pool_init(&pool, UINT32_C(1) << 28)); /* 32 GiB of address space */
    window_log_init(&log);
    push(&log, &pool, 1);
    ck_assert_uint_eq(window_log_pool_room(&pool), (UINT32_C(1) << 28) - 1);
    window_log_pool_fini(&pool);
}
END_TEST

START_TEST(a_pool_of_nothing_has_no_room)
{
    struct window_log_pool pool;

    ck_assert(window_log_pool_init(&pool, 0));
    ck_assert_uint_eq(window_log_pool_room(&pool), 0);
    window_log_pool_fini(&pool);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("window_log");
    TCase *tests = tcase_create("window_log");

    tcase_add_test(tests, empty_log_has_no_entry);
    tcase_add_test(tests, entries_come_out_as_they_went_in);
    tcase_add_test(tests, a_moving_log_lives_in_as_many_chunks_as_it_is_long);
    tcase_add_test(tests, logs_of_one_pool_keep_apart);
    tcase_add_test(tests, a_huge_pool_costs_nothing_before_it_is_used);
    tcase_add_test(tests, a_pool_of_nothing_has_no_room);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
