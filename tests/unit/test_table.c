/* table: what it holds, who goes when it is full, and that nothing else ever does. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "suite.h"
#include "table.h"

#define FAR  INT64_C(1000000000000) /* every entry still means something */
#define SOON INT64_C(1000)

static struct table table;

static void
tear_down(void)
{
    table_fini(&table);
}

static void
set_up(uint32_t capacity, uint32_t log_chunks)
{
    ck_assert(table_init(&table, capacity, log_chunks));
}

/* Spread over the buckets as hashes are. */
static struct siphash
fingerprint(uint64_t number)
{
    uint64_t state = number + 1;

    return (struct siphash){.low = random_next(&state), .high = number};
}

static struct table_entry *
find(uint64_t number)
{
    return table_find(&table, fingerprint(number));
}

static struct table_entry *
insert(uint64_t number, enum table_list list, int64_t full_at_us, int64_t now_us)
{
    struct table_entry *entry = table_insert(&table, fingerprint(number), false, now_us);

    ck_assert_ptr_nonnull(entry);
    entry->state.fixed_window.count = (int64_t)number;
    table_touch(&table, entry, list, full_at_us);
    return entry;
}

static bool
holds(uint64_t number)
{
    struct table_entry *entry = find(number);

    if (entry == NULL)
        return false;
    ck_assert_int_eq(entry->state.fixed_window.count, (int64_t)number);
    return true;
}

START_TEST(empty_table_finds_nothing)
{
    set_up(16, 0);
    for (uint64_t i = 0; i < 100; i++)
        ck_assert(!holds(i));
    ck_assert_uint_eq(table.used, 0);
}
END_TEST

static const uint32_t capacities[] = {1, 2, 15, 16, 17, 1000, 4096};

START_TEST(entry_beyond_capacity_evicts_one)
{
    uint32_t capacity = capacities[_i];

    set_up(capacity, 0);
    for (uint64_t i = 0; i < capacity; i++)
        insert(i, TABLE_IDLE, FAR, 0);
    ck_assert_uint_eq(table.used, capacity);
    ck_assert_uint_eq(table.evicted, 0);
    for (uint64_t i = 0; i < capacity; i++)
        ck_assert_msg(holds(i), "%" PRIu64 " of %u", i, capacity);

    for (uint64_t i = 0; i < capacity; i++) {
        insert(capacity + i, TABLE_IDLE, FAR, 0);
        ck_assert_msg(!holds(i), "%" PRIu64 " was the oldest", i);
        ck_assert(holds(capacity + i));
        ck_assert_uint_eq(table.used, capacity);
        ck_assert_uint_eq(table.evicted, i + 1);
    }
    ck_assert_uint_eq(table.untouched, capacity + 1);
}
END_TEST

START_TEST(recently_used_entry_outlives_idle_ones)
{
    set_up(3, 0);
    for (uint64_t i = 0; i < 3; i++)
        insert(i, TABLE_IDLE, FAR, 0);
    table_touch(&table, find(0), TABLE_IDLE, FAR);
    insert(3, TABLE_IDLE, FAR, 0);
    ck_assert(holds(0) && !holds(1) && holds(2));
    insert(4, TABLE_IDLE, FAR, 0);
    ck_assert(holds(0) && !holds(2) && holds(3));
    insert(5, TABLE_IDLE, FAR, 0);
    ck_assert(!holds(0) && holds(3));
}
END_TEST

START_TEST(refused_entries_are_evicted_last)
{
    set_up(4, 0);
    insert(0, TABLE_REFUSED, FAR, 0);
    insert(1, TABLE_REFUSED, FAR, 0);
    insert(2, TABLE_IDLE, FAR, 0);
    insert(3, TABLE_IDLE, FAR, 0);
    for (uint64_t i = 4; i < 100; i++)
        insert(i, TABLE_IDLE, FAR, 0);
    ck_assert(holds(0) && holds(1) && holds(98) && holds(99));
}
END_TEST

START_TEST(least_recently_used_refused_entry_is_evicted_first)
{
    set_up(3, 0);
    for (uint64_t i = 0; i < 3; i++)
        insert(i, TABLE_REFUSED, FAR, 0);
    table_touch(&table, find(0), TABLE_REFUSED, FAR);
    insert(3, TABLE_REFUSED, FAR, 0);
    ck_assert(holds(0) && !holds(1) && holds(2) && holds(3));
}
END_TEST

START_TEST(entry_no_longer_refused_is_evicted_like_the_others)
{
    set_up(2, 0);
    insert(0, TABLE_REFUSED, FAR, 0);
    insert(1, TABLE_REFUSED, FAR, 0);
    table_touch(&table, find(1), TABLE_IDLE, FAR);
    insert(2, TABLE_REFUSED, FAR, 0);
    ck_assert(holds(0) && !holds(1) && holds(2));
}
END_TEST

START_TEST(full_entries_are_evicted_first)
{
    enum { CAPACITY = 64 }; /* no more than the hand sees in one insertion */

    set_up(CAPACITY, 0);
    for (uint64_t i = 0; i < CAPACITY; i++)
        insert(i, i % 4 == 0 ? TABLE_REFUSED : TABLE_IDLE, i % 2 == 0 ? SOON : FAR, 0);
    for (uint64_t i = 0; i < CAPACITY / 2; i++)
        insert(CAPACITY + i, TABLE_IDLE, FAR, SOON);
    for (uint64_t i = 0; i < CAPACITY; i++)
        ck_assert_msg(holds(i) == (i % 2 == 1), "%" PRIu64, i);
    ck_assert_uint_eq(table.evicted, 0);
    insert(1000, TABLE_IDLE, FAR, SOON);
    ck_assert(!holds(1));
    ck_assert_uint_eq(table.evicted, 1);
}
END_TEST

START_TEST(entry_stays_until_its_quota_is_full)
{
    set_up(1, 0);
    insert(0, TABLE_IDLE, SOON, 0);
    insert(1, TABLE_IDLE, FAR, SOON - 1);
    ck_assert_uint_eq(table.evicted, 1);
    set_up(1, 0);
    insert(0, TABLE_IDLE, SOON, 0);
    insert(1, TABLE_IDLE, FAR, SOON);
    ck_assert_uint_eq(table.evicted, 0);
}
END_TEST

/* Clients that come once and never again do not fill the table: each insertion frees more than it takes. */
START_TEST(sweep_keeps_the_table_from_filling_up)
{
    set_up(1000, 0);
    for (uint64_t i = 0; i < 100000; i++)
        insert(i, TABLE_IDLE, (int64_t)i + 500, (int64_t)i);
    ck_assert_uint_eq(table.evicted, 0);
    ck_assert_uint_lt(table.used, 1000);
}
END_TEST

START_TEST(pinned_entries_are_never_evicted)
{
    enum { CAPACITY = 16, PINNED = 15 };

    set_up(CAPACITY, 0);
    for (uint64_t i = 0; i < PINNED; i++)
        table_insert(&table, fingerprint(i), false, 0)->state.fixed_window.count = (int64_t)i;
    for (uint64_t i = 100; i < 1000; i++)
        insert(i, i % 2 ? TABLE_IDLE : TABLE_REFUSED, i % 3 ? FAR : SOON, (int64_t)i * 10);
    for (uint64_t i = 0; i < PINNED; i++)
        ck_assert_msg(holds(i), "%" PRIu64, i);
}
END_TEST

START_TEST(insertion_aborts_if_all_entries_are_pinned)
{
    set_up(2, 0);
    for (uint64_t i = 0; i < 3; i++)
        table_insert(&table, fingerprint(i), false, 0);
}
END_TEST

START_TEST(entries_in_one_bucket_are_distinct)
{
    enum { COUNT = 30 };

    set_up(64, 0);
    for (uint64_t i = 0; i < COUNT; i++)
        table_insert(&table, (struct siphash){.low = 7, .high = i}, false, 0)->state.fixed_window.count =
            (int64_t)i;
    /* From the middle, the ends, every second one. */
    for (uint64_t i = 1; i < COUNT; i += 2)
        table_remove(&table, table_find(&table, (struct siphash){.low = 7, .high = i}));
    for (uint64_t i = 0; i < COUNT; i++) {
        struct table_entry *entry = table_find(&table, (struct siphash){.low = 7, .high = i});
        ck_assert_msg((entry != NULL) == (i % 2 == 0), "%" PRIu64, i);
        ck_assert(entry == NULL || entry->state.fixed_window.count == (int64_t)i);
    }
    ck_assert_ptr_null(table_find(&table, (struct siphash){.low = 7 + 64, .high = 0}));
}
END_TEST

/* The table as two lists, newest last: what it must hold after any sequence of uses. */
struct model_entry {
    uint64_t number;
    bool recent;
};

struct model {
    struct model_entry entries[2][64]; /* by list, oldest first */
    size_t counts[2];
};

static struct model_entry *
model_find(struct model *model, uint64_t number, enum table_list list)
{
    for (size_t i = 0; i < model->counts[list]; i++)
        if (model->entries[list][i].number == number)
            return &model->entries[list][i];
    return NULL;
}

static void
model_append(struct model *model, uint64_t number, enum table_list list)
{
    model->entries[list][model->counts[list]++] = (struct model_entry){.number = number};
}

static bool
model_remove(struct model *model, uint64_t number)
{
    for (enum table_list list = TABLE_IDLE; list <= TABLE_REFUSED; list++) {
        struct model_entry *entry = model_find(model, number, list);
        if (entry == NULL)
            continue;
        model->counts[list]--;
        memmove(entry, entry + 1,
                (size_t)(&model->entries[list][model->counts[list]] - entry) * sizeof(*entry));
        return true;
    }
    return false;
}

static void
model_evict(struct model *model)
{
    enum table_list list = model->counts[TABLE_IDLE] > 0 ? TABLE_IDLE : TABLE_REFUSED;
    struct model_entry *oldest = &model->entries[list][0];
    uint64_t number;

    /* At most once round, since then no mark is left. */
    while (oldest->recent && model->counts[list] > 1) {
        number = oldest->number;
        model_remove(model, number);
        model_append(model, number, list);
    }
    model_remove(model, oldest->number);
}

static void
model_use(struct model *model, uint64_t number, enum table_list list, size_t capacity)
{
    struct model_entry *entry = model_find(model, number, list);

    if (entry != NULL) {
        entry->recent = entry != &model->entries[list][model->counts[list] - 1];
        return;
    }
    if (!model_remove(model, number) && model->counts[0] + model->counts[1] == capacity)
        model_evict(model);
    model_append(model, number, list);
}

START_TEST(table_agrees_with_the_model)
{
    enum { CAPACITY = 37, NUMBERS = 80 };
    struct model model = {0};
    uint64_t random = (uint64_t)_i + 1;

    set_up(CAPACITY, 0);
    for (int step = 0; step < 20000; step++) {
        uint64_t number = random_below(&random, NUMBERS);
        enum table_list list = random_below(&random, 3) == 0 ? TABLE_REFUSED : TABLE_IDLE;
        struct table_entry *entry = find(number);

        if (random_below(&random, 10) == 0) {
            if ((entry != NULL) != model_remove(&model, number))
                ck_abort_msg("step %d: %" PRIu64, step, number);
            if (entry)
                table_remove(&table, entry);
            continue;
        }
        if (entry)
            table_touch(&table, entry, list, FAR);
        else
            insert(number, list, FAR, 0);
        model_use(&model, number, list, CAPACITY);
        if (table.used != model.counts[0] + model.counts[1])
            ck_abort_msg("step %d: %u entries", step, table.used);
        for (int k = 0; k < 2; k++)
            for (size_t i = 0; i < model.counts[k]; i++)
                if (find(model.entries[k][i].number) == NULL)
                    ck_abort_msg("step %d: %" PRIu64 " is not there", step, model.entries[k][i].number);
    }
    ck_assert_uint_le(table.untouched, CAPACITY + 1);
}
END_TEST

/* Logs. */

static void
insert_log(uint64_t number, enum table_list list, int64_t full_at_us, uint32_t chunks)
{
    struct table_entry *entry = table_insert(&table, fingerprint(number), true, 0);
    struct window_log *log = &entry->state.sliding_window.log;

    window_log_init(log);
    for (uint32_t i = 0; i < chunks * CHUNK_ENTRIES; i++)
        window_log_push(log, &table.pool, (struct window_log_entry){.at_us = i, .count = 1});
    if (full_at_us != TABLE_PINNED)
        table_touch(&table, entry, list, full_at_us);
}

START_TEST(removing_an_entry_gives_its_log_back)
{
    set_up(16, 10);
    insert_log(0, TABLE_IDLE, FAR, 10);
    ck_assert_uint_eq(window_log_pool_room(&table.pool), 0);
    table_remove(&table, find(0));
    ck_assert_uint_eq(window_log_pool_room(&table.pool), 10);
}
END_TEST

START_TEST(free_log_room_evicts_nothing)
{
    set_up(16, 10);
    insert_log(0, TABLE_IDLE, FAR, 7);
    ck_assert(table_make_log_room(&table, 3, 0));
    ck_assert_ptr_nonnull(find(0));
    ck_assert_uint_eq(table.evicted, 0);
}
END_TEST

START_TEST(log_room_comes_from_full_and_idle_entries_before_refused_ones)
{
    set_up(16, 10);
    insert_log(0, TABLE_REFUSED, FAR, 4);
    insert_log(1, TABLE_REFUSED, SOON, 2);
    insert_log(2, TABLE_IDLE, FAR, 2);
    insert_log(3, TABLE_IDLE, SOON, 2);
    insert(4, TABLE_IDLE, FAR, 0); /* has no log: dropping it would help nobody */
    ck_assert(table_make_log_room(&table, 6, SOON));
    ck_assert(find(0) && !find(1) && !find(2) && !find(3) && find(4));
    ck_assert_uint_eq(table.evicted, 1); /* the other two meant nothing any more */
    ck_assert(table_make_log_room(&table, 7, SOON));
    ck_assert(!find(0) && find(4));
    ck_assert_uint_eq(table.evicted, 2);
}
END_TEST

START_TEST(log_room_is_never_taken_from_the_pinned)
{
    set_up(16, 10);
    insert_log(0, TABLE_IDLE, TABLE_PINNED, 8);
    insert_log(1, TABLE_REFUSED, FAR, 2);
    ck_assert(!table_make_log_room(&table, 3, 0));
    ck_assert(find(0) && !find(1));
    ck_assert(table_make_log_room(&table, 2, 0));
}
END_TEST

START_TEST(unused_table_of_a_hundred_million_takes_no_memory)
{
    set_up(100000000, 0);
    insert(1, TABLE_IDLE, FAR, 0);
    ck_assert(holds(1));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("table");

    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_test(tests, empty_table_finds_nothing);
    tcase_add_loop_test(tests, entry_beyond_capacity_evicts_one, 0, ROWS(capacities));
    tcase_add_test(tests, recently_used_entry_outlives_idle_ones);
    tcase_add_test(tests, refused_entries_are_evicted_last);
    tcase_add_test(tests, least_recently_used_refused_entry_is_evicted_first);
    tcase_add_test(tests, entry_no_longer_refused_is_evicted_like_the_others);
    tcase_add_test(tests, full_entries_are_evicted_first);
    tcase_add_test(tests, entry_stays_until_its_quota_is_full);
    tcase_add_test(tests, sweep_keeps_the_table_from_filling_up);
    tcase_add_test(tests, pinned_entries_are_never_evicted);
    tcase_add_test_raise_signal(tests, insertion_aborts_if_all_entries_are_pinned, SIGABRT);
    tcase_add_test(tests, entries_in_one_bucket_are_distinct);
    tcase_add_loop_test(tests, table_agrees_with_the_model, 0, 4);
    tcase_add_test(tests, removing_an_entry_gives_its_log_back);
    tcase_add_test(tests, free_log_room_evicts_nothing);
    tcase_add_test(tests, log_room_comes_from_full_and_idle_entries_before_refused_ones);
    tcase_add_test(tests, log_room_is_never_taken_from_the_pinned);
    tcase_add_test(tests, unused_table_of_a_hundred_million_takes_no_memory);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
